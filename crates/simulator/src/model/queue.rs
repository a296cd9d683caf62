//! Who waits for money is served in order: nobody who waits is overtaken by somebody who came later, unless that one takes nothing of what
//! the others wait for.

use std::collections::BTreeMap;

use refundry_engine::event::{Event, EventKind};
use refundry_engine::policy::{FundsCheck, FundsOrder, FundsRule, Policy};
use refundry_engine::refund::{Holds, Refund, RefundState};
use refundry_engine::{RefundId, TerminalId, Timestamp};
use refundry_ledger::Currency;

use super::{Model, Reader, Violation, must};

/// A refund that waits for money.
#[derive(Clone, Copy, Debug)]
struct Waiting {
    currency: Currency,
    /// Whether it holds up those behind it.
    holds_up: bool,
    /// The number of the event after which it certainly waited.
    after: i64,
}

/// The queues of one merchant, as its feed tells of them.
#[derive(Debug, Default)]
pub struct Queue {
    /// The last event that was followed.
    read: i64,
    waiting: BTreeMap<RefundId, Waiting>,
}

impl Model {
    /// Follows what the feeds say since the last look.
    pub fn audit_queues(&mut self, reader: &Reader<'_>) -> Result<(), Violation> {
        for merchant in 0..self.cast.len() {
            let ids = &self.cast[merchant];
            let queue = self.queues.entry(merchant).or_default();
            for event in reader.events_after(ids.merchant, queue.read)? {
                queue.read = event.sequence;
                let prepared = event.kind == EventKind::PayoutPrepared;
                let owed = event.facts.iter().find(|(name, _)| prepared && name == "amount").map(|(_, amount)| amount);
                let waits = |waiting: &Waiting| owed.is_some_and(|amount| amount.ends_with(waiting.currency.code()));
                must(!queue.waiting.values().any(waits), "no_payout_while_refunds_wait", || format!("merchant {merchant}: {event:?}"))?;
                let Some(refund_id) = event.refund_id else { continue };
                if let Some(refund) = reader.refund(ids.merchant, refund_id)? {
                    queue.follow(&event, &refund, &ids.rules)?;
                }
            }
            // Whoever begins to wait after its review or its undo window is not announced.
            for refund in reader.refunds(ids.merchant)?.iter().filter(|refund| waits(refund)) {
                let waiting = Waiting::of(refund, &ids.rules, queue.read);
                queue.waiting.entry(refund.id).or_insert(waiting);
            }
        }
        Ok(())
    }
}

impl Queue {
    fn follow(&mut self, event: &Event, refund: &Refund, rules: &BTreeMap<TerminalId, Policy>) -> Result<(), Violation> {
        let fact = |name: &str| event.facts.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str());
        match (event.kind, fact("holds")) {
            (EventKind::RefundAccepted, None) => self.must_not_overtake(event, refund)?,
            (EventKind::RefundAccepted, Some(holds)) if holds.contains("funds") => {
                self.waiting.insert(refund.id, Waiting::of(refund, rules, event.sequence));
            }
            (EventKind::RefundReleased, _) => {
                let since = fact("waited_since_us").and_then(|text| text.parse().ok()).map(Timestamp::from_us);
                // Since when it waited is not known of one that began after a review and was served before anybody looked.
                if let Some(since) = since {
                    must_be_its_hour(event, refund, (since, rules.get(&refund.terminal_id)))?;
                }
                let is_known = since.is_none() || self.waiting.contains_key(&refund.id);
                if is_known && since.is_none_or(|since| event.at < end_of_waiting(since, rules.get(&refund.terminal_id))) {
                    self.must_not_overtake(event, refund)?;
                }
                self.waiting.remove(&refund.id);
            }
            (EventKind::RefundFailed | EventKind::RefundCancelled, _) => {
                let expired = fact("reason") == Some("funds_expired");
                let end = end_of_waiting(refund.created_at, rules.get(&refund.terminal_id));
                must(!expired || event.at >= end, "nobody_gives_up_before_the_end", || {
                    format!("{} could wait until {end:?}: {event:?}", refund.number)
                })?;
                self.waiting.remove(&refund.id);
            }
            (_, _) => {}
        }
        Ok(())
    }

    /// The refund got its money now: what is available was not somebody else's before.
    fn must_not_overtake(&self, event: &Event, refund: &Refund) -> Result<(), Violation> {
        let takes_available = refund.drawn.is_none_or(|draw| draw.available_minor > 0) || refund.refund_fee.minor() > 0;
        let own = self.waiting.get(&refund.id).copied();
        // Whoever is new overtakes nobody; whoever waits passes those that let others pass.
        let is_before =
            |other: RefundId, waiting: &Waiting| own.is_none_or(|own| waiting.holds_up && other < refund.id && waiting.after < own.after);
        let mut others = self
            .waiting
            .iter()
            .filter(|(other, waiting)| **other != refund.id && waiting.currency == funded_in(refund) && is_before(**other, waiting));
        let overtaken = if takes_available { others.next() } else { None };
        must(overtaken.is_none(), "nobody_who_waits_is_overtaken", || {
            format!("{} of {} got its money at event {}, before {overtaken:?}", refund.number, refund.amount, event.sequence)
        })
    }
}

impl Waiting {
    fn of(refund: &Refund, rules: &BTreeMap<TerminalId, Policy>, after: i64) -> Self {
        let order = rules.get(&refund.terminal_id).map(|rules| rules.funds_order);
        Self { currency: funded_in(refund), holds_up: order == Some(FundsOrder::Strict), after }
    }
}

/// The currency of the money that it waits for.
fn funded_in(refund: &Refund) -> Currency {
    refund.quote.as_ref().map_or_else(|| refund.amount.currency(), |quote| quote.settlement_currency)
}

/// At the end of its time a refund takes what is there or fails. One that may not wait has no such time.
fn end_of_waiting(since: Timestamp, rules: Option<&Policy>) -> Timestamp {
    match rules.map(|rules| (rules.funds, rules.funds_wait_days)) {
        Some((FundsRule::Wait, days)) => since.plus_days(i64::from(days)),
        Some((FundsRule::Refuse | FundsRule::FailLater, _)) | None => Timestamp::from_us(i64::MAX),
    }
}

/// Who waits by the clock gets its money when an hour has struck since it began to wait, or at the end of its time.
fn must_be_its_hour(event: &Event, refund: &Refund, (since, rules): (Timestamp, Option<&Policy>)) -> Result<(), Violation> {
    let waits = rules.is_some_and(|rules| rules.funds == FundsRule::Wait);
    let hour = rules.filter(|_| waits).and_then(|rules| match &rules.funds_check {
        FundsCheck::OnCredit => None,
        FundsCheck::AtHours { hours, utc_offset_minutes } => Some(first_hour_after(since, hours, *utc_offset_minutes)),
    });
    let too_early = hour.is_some_and(|hour| event.at < hour) && event.at < end_of_waiting(since, rules);
    must(!too_early, "who_waits_by_the_clock_is_served_by_the_clock", || format!("{} waits for {hour:?}: {event:?}", refund.number))
}

fn first_hour_after(since: Timestamp, hours: &[u8], utc_offset_minutes: i32) -> Timestamp {
    const HOUR_US: i64 = 3_600_000_000;
    let ahead_us = i64::from(utc_offset_minutes) * 60_000_000;
    let mut hour_us = (since.us() + ahead_us).div_euclid(HOUR_US) * HOUR_US;
    loop {
        hour_us += HOUR_US;
        if hours.iter().any(|hour| i64::from(*hour) == (hour_us / HOUR_US).rem_euclid(24)) {
            return Timestamp::from_us(hour_us - ahead_us);
        }
    }
}

fn waits(refund: &Refund) -> bool {
    matches!(&refund.state, RefundState::Pending { holds: Holds { funds: Some(_), .. } })
}
