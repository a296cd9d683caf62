//! Shares: what was acknowledged is there as it was asked for, what one merchant gives others get, and nobody gives back more than it got. The sums are
//! made from shares and refunds anew, one by one.

use std::collections::{BTreeMap, BTreeSet};

use refundry_engine::payment::Payment;
use refundry_engine::refund::{Refund, RefundState};
use refundry_engine::share::{Share, ShareState};
use refundry_engine::task::TaskKind;
use refundry_engine::{MerchantId, ShareId};
use refundry_ledger::Currency;

use super::refunds::counts;
use super::{Model, Reader, Violation, must};
use crate::plan::ShareWish;

/// What merchants ask for and are told of shares.
#[derive(Debug, Default)]
pub struct SharesTold {
    asked: BTreeMap<(usize, String), BTreeSet<Lines>>,
    acknowledged: BTreeMap<(usize, String), ShareId>,
}

/// Who gets how much, in minor units.
type Lines = Vec<(MerchantId, i64)>;

/// What came to a merchant by shares, less what went: minor units by currency.
pub type Moved = BTreeMap<(MerchantId, Currency), i64>;

impl Model {
    /// A share is asked for, and may be there from now on.
    pub fn wants_to_share(&mut self, wish: &ShareWish) {
        let lines = wish.lines.iter().map(|(receiver, minor)| (self.cast[*receiver].merchant, *minor)).collect();
        self.shares_told.asked.entry((wish.merchant, wish.number.clone())).or_default().insert(lines);
    }

    /// A share was acknowledged.
    pub fn shared(&mut self, wish: &ShareWish, share_id: ShareId) {
        let before = self.shares_told.acknowledged.insert((wish.merchant, wish.number.clone()), share_id);
        if before.is_some_and(|before| before != share_id) {
            self.broke("a_key_never_makes_a_second_share", format!("{}: first {before:?}, now {share_id}", wish.number));
        }
    }

    /// Looks at every share; gives what they and the refunds moved between merchants.
    pub fn audit_shares(&self, reader: &Reader<'_>, is_at_end: bool) -> Result<Moved, Violation> {
        let mut moved = Moved::new();
        for (merchant, ids) in self.cast.iter().enumerate() {
            let (shares, payments) = (reader.shares(ids.merchant)?, reader.payments(ids.merchant)?);
            let refunds = if shares.is_empty() { Vec::new() } else { reader.refunds(ids.merchant)? };
            for share in &shares {
                self.audit_share(merchant, share, reader)?;
                let is_over = !matches!(share.state, ShareState::Planned { .. } | ShareState::Running);
                must(is_over || !is_at_end, "everything_becomes_final", || format!("{} is {:?}", share.number, share.state))?;
            }
            let lost = self.shares_told.acknowledged.iter().filter(|((giver, _), _)| *giver == merchant);
            for ((_, number), share_id) in lost {
                let is_there = shares.iter().any(|share| share.id == *share_id && share.number == *number);
                must(is_there, "an_acknowledged_share_is_never_lost", || format!("{number} is {share_id}"))?;
            }
            for payment in &payments {
                let shares: Vec<&Share> = shares.iter().filter(|share| share.payment_id == payment.id).collect();
                if !shares.is_empty() {
                    let refunds: Vec<&Refund> = refunds.iter().filter(|refund| refund.payment_id == payment.id).collect();
                    audit_shared_payment(payment, &shares, &refunds, &mut moved)?;
                }
            }
        }
        let mut sums: BTreeMap<Currency, i64> = BTreeMap::new();
        for ((_, currency), minor) in &moved {
            *sums.entry(*currency).or_default() += minor;
        }
        must(sums.values().all(|sum| *sum == 0), "what_one_gives_another_gets", || format!("{sums:?}"))?;
        Ok(moved)
    }

    fn audit_share(&self, merchant: usize, share: &Share, reader: &Reader<'_>) -> Result<(), Violation> {
        let lines: Lines = share.lines.iter().map(|line| (line.receiver_id, line.amount.minor())).collect();
        let asked = self.shares_told.asked.get(&(merchant, share.number.clone()));
        must(asked.is_some_and(|asked| asked.contains(&lines)), "a_share_is_what_was_asked_for", || {
            format!("{}: {lines:?}", share.number)
        })?;
        let task = reader.task(share.merchant_id, share.id.get())?.map(|task| task.kind);
        let expected = match share.state {
            ShareState::Planned { .. } => Some(TaskKind::StartShare),
            ShareState::Running => Some(TaskKind::FinishShare),
            ShareState::Succeeded { .. } | ShareState::Cancelled { .. } | ShareState::Failed { .. } => None,
        };
        must(task == expected, "a_share_has_exactly_one_next_step", || {
            format!("{} is {:?}, its task is {task:?}", share.number, share.state)
        })
    }
}

fn audit_shared_payment(payment: &Payment, shares: &[&Share], refunds: &[&Refund], moved: &mut Moved) -> Result<(), Violation> {
    let (name, currency) = (&payment.payment_reference, payment.captured.currency());
    let sum = |wanted: fn(&ShareState) -> bool| -> i64 {
        shares.iter().filter(|share| wanted(&share.state)).map(|share| share.sum_minor()).sum()
    };
    let given = sum(|state| matches!(state, ShareState::Succeeded { .. }));
    let running = sum(|state| matches!(state, ShareState::Running));
    let most = payment.captured.minor() - payment.marketing.minor() - payment.fee.minor();
    must(given + running <= most, "never_more_is_shared_than_there_is", || format!("{name}: {given} and {running} of {most}"))?;
    let is_open = |refund: &&&Refund| refund.sharing.is_some() && !refund.state.is_final();
    must(running == 0 || !refunds.iter().any(|refund| is_open(&refund)), "shares_and_refunds_exclude_each_other", || name.clone())?;

    let mut got: BTreeMap<MerchantId, i64> = BTreeMap::new();
    for line in shares.iter().filter(|share| matches!(share.state, ShareState::Succeeded { .. })).flat_map(|share| &share.lines) {
        *got.entry(line.receiver_id).or_default() += line.amount.minor();
    }
    let mut returned: BTreeMap<MerchantId, i64> = BTreeMap::new();
    let mut drawn: BTreeMap<MerchantId, i64> = BTreeMap::new();
    for refund in refunds.iter().filter(|refund| counts(&refund.state)) {
        let is_drawn = refund.drawn.is_some() || matches!(refund.state, RefundState::Succeeded { .. });
        for line in refund.sharing.iter().flat_map(|of| &of.lines) {
            *returned.entry(line.receiver_id).or_default() += line.amount_minor;
            *drawn.entry(line.receiver_id).or_default() += if is_drawn { line.amount_minor } else { 0 };
        }
    }
    for (receiver_id, minor) in &returned {
        let most = got.get(receiver_id).copied().unwrap_or(0);
        must(*minor <= most, "nobody_gives_back_more_than_it_got", || format!("{name}: {receiver_id} {minor} of {most}"))?;
    }
    let all_returned: i64 = returned.values().sum();
    let is_over = payment.refunded == payment.captured && payment.charged_back.is_zero() && running == 0;
    must(!is_over || all_returned == given, "everything_is_given_back_at_the_end", || format!("{name}: {all_returned} of {given}"))?;

    for (receiver_id, minor) in got {
        let kept = minor - drawn.get(&receiver_id).copied().unwrap_or(0);
        *moved.entry((receiver_id, currency)).or_default() += kept;
        *moved.entry((payment.merchant_id, currency)).or_default() -= kept;
    }
    Ok(())
}
