//! When a refund that waits will have its money, by what is known today: the queue is played over the credits that are to come.

mod words;

use refundry_ledger::{Currency, Money};

use super::queue::Place;
use crate::policy::FundsOrder;
use crate::{RefundId, Timestamp};

pub use words::{by_itself, with_more};

/// Money that is to come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Credit {
    /// When.
    pub at: Timestamp,
    /// How much becomes available, in minor units.
    pub minor: i64,
}

/// What is known of a queue.
#[derive(Clone, Debug)]
pub struct Queue {
    /// Its currency.
    pub currency: Currency,
    /// Those who wait, oldest first.
    pub places: Vec<Place>,
    /// The merchant's available money; may be below zero.
    pub available_minor: i64,
    /// What is to come, in the order of time.
    pub credits: Vec<Credit>,
}

/// What is to be expected for one refund.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Forecast {
    /// How many wait before it.
    pub before: usize,
    /// What those need of the available money.
    pub before_needs: Money,
    /// What it needs itself.
    pub needs: Money,
    /// What is available now.
    pub available: Money,
    /// What must come in so that everybody up to it is served; zero when it is there.
    pub missing: Money,
    /// When it is served, if it is before its time is over.
    pub served: Option<Served>,
    /// What must be paid in before its time is over, beside what is to come; zero when it is served in time.
    pub to_pay_in: Money,
    /// When its time is over.
    pub until: Timestamp,
}

/// A refund gets its money.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Served {
    /// When.
    pub at: Timestamp,
    /// How many of those before it get theirs until then.
    pub others: usize,
    /// The settlement whose money it gets; none when it needs none.
    pub settlement_at: Option<Timestamp>,
}

impl Queue {
    /// The forecast for a refund that waits until `until`, with `more` minor units paid in now. None when it does not wait in this queue.
    pub fn forecast(&self, refund_id: RefundId, until: Timestamp, now: Timestamp, more: i64) -> Option<Forecast> {
        let index = self.places.iter().position(|place| place.refund_id == refund_id)?;
        let (place, ahead) = (&self.places[index], &self.places[..index]);
        let of = |minor| Money::new(minor, self.currency);
        let before_needs = ahead.iter().fold(0_i64, |sum, other| sum.saturating_add(other.needs_minor));
        let available = self.available_minor.saturating_add(more);
        let missing = before_needs.saturating_add(place.needs_minor).saturating_sub(available).max(0);
        let credits = self.credits_beside(&self.places[..=index]);
        let served = play(&self.places[..=index], available, &credits, (now, until));
        let in_time = credits.iter().filter(|credit| credit.at < until).fold(0_i64, |sum, credit| sum.saturating_add(credit.minor));
        let to_pay_in = if served.is_some() { 0 } else { missing.saturating_sub(in_time).max(missing.min(1)) };
        Some(Forecast {
            before: index,
            before_needs: of(before_needs),
            needs: of(place.needs_minor),
            available: of(self.available_minor),
            missing: of(missing),
            served,
            to_pay_in: of(to_pay_in),
            until,
        })
    }

    /// What is missing for everybody.
    pub fn missing(&self) -> Money {
        let needs = self.places.iter().fold(0_i64, |sum, place| sum.saturating_add(place.needs_minor));
        Money::new(needs.saturating_sub(self.available_minor).max(0), self.currency)
    }

    /// The credits without what the refunds in question take of their own payments: that is counted once, as theirs.
    fn credits_beside(&self, places: &[Place]) -> Vec<Credit> {
        let mut credits = self.credits.clone();
        for (at, minor) in places.iter().flat_map(|place| &place.own) {
            if let Some(credit) = credits.iter_mut().find(|credit| credit.at >= *at) {
                credit.minor = credit.minor.saturating_sub(*minor);
            }
        }
        credits
    }
}

/// Serves the queue as it is served when money comes or an hour strikes, and says when the last place gets its money.
fn play(places: &[Place], available: i64, credits: &[Credit], (now, until): (Timestamp, Timestamp)) -> Option<Served> {
    let mut looks: Vec<Timestamp> = [now].into_iter().chain(credits.iter().map(|credit| credit.at.max(now))).collect();
    let hours: Vec<Timestamp> = looks.iter().flat_map(|at| places.iter().filter_map(|place| place.check.next_after(*at))).collect();
    looks.extend(hours);
    looks.sort_unstable();
    looks.dedup();
    let (mut left, mut served) = (available, vec![false; places.len()]);
    let (mut coming, mut last_credit) = (credits.iter().peekable(), None);
    for at in looks.into_iter().filter(|at| *at < until) {
        while let Some(credit) = coming.next_if(|credit| credit.at <= at) {
            left = left.saturating_add(credit.minor);
            last_credit = Some(credit.at);
        }
        for (place, served) in places.iter().zip(&mut served).filter(|(_, served)| !**served) {
            if place.check.allows(Some(at)) && (place.needs_minor == 0 || place.needs_minor <= left) {
                (left, *served) = (left.saturating_sub(place.needs_minor), true);
            } else if place.order == FundsOrder::Strict {
                break;
            }
        }
        if served.last() == Some(&true) {
            let others = served.iter().filter(|served| **served).count() - 1;
            return Some(Served { at, others, settlement_at: last_credit });
        }
    }
    None
}

#[cfg(test)]
mod tests;
