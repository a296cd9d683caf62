//! Adjustments: only what somebody asked for is booked, by somebody else, once; and what it does to the books.

use std::collections::{BTreeMap, BTreeSet};

use refundry_engine::AdjustmentId;
use refundry_engine::adjustment::{Adjustment, AdjustmentKind, AdjustmentState};
use refundry_engine::event::EventKind;
use refundry_ledger::{Currency, Money};

use super::{Model, Reader, Violation, must};
use crate::plan::AdjustmentWish;

/// What adjustments did to one book.
#[derive(Clone, Copy, Debug, Default)]
pub struct Adjusted {
    /// What the merchant got, less what it gave.
    pub given: i64,
    /// What of that the operator lost of its fees.
    pub of_fees: i64,
}

impl Model {
    /// Somebody is about to ask for it.
    pub fn wants_to_adjust(&mut self, wish: &AdjustmentWish) {
        self.adjustments_asked.insert((wish.merchant, wish.number.clone()), (wish.kind, wish.amount));
    }

    /// Somebody was told what was decided.
    pub fn adjustment_is(&mut self, merchant: usize, id: AdjustmentId, state: AdjustmentState) {
        if state != AdjustmentState::Proposed {
            self.adjustments_told.insert((merchant, id), state);
        }
    }

    /// What the adjustments of a merchant did to its books, by currency.
    pub(super) fn adjusted(&self, merchant: usize, reader: &Reader<'_>) -> Result<BTreeMap<Currency, Adjusted>, Violation> {
        let merchant_id = self.cast[merchant].merchant;
        let adjustments = reader.adjustments(merchant_id)?;
        for ((_, id), told) in self.adjustments_told.iter().filter(|((owner, _), _)| *owner == merchant) {
            let there = adjustments.iter().find(|adjustment| adjustment.id == *id).map(|adjustment| adjustment.state);
            must(there == Some(*told), "an_acknowledged_adjustment_is_never_lost", || {
                format!("{id} was told {told:?}, there is {there:?}")
            })?;
        }
        let mut sums: BTreeMap<Currency, Adjusted> = BTreeMap::new();
        let (mut booked, mut numbers) = (0, BTreeSet::new());
        for adjustment in &adjustments {
            must(numbers.insert(&adjustment.reason), "a_number_proposes_once", || format!("{adjustment:?}"))?;
            let asked = self.adjustments_asked.get(&(merchant, adjustment.reason.clone()));
            must(asked == Some(&(adjustment.kind, adjustment.amount)), "an_adjustment_is_what_was_asked_for", || {
                format!("{adjustment:?}")
            })?;
            if adjustment.state == AdjustmentState::Booked {
                let by_another = adjustment.decided_by.as_ref().is_some_and(|by| *by != adjustment.proposed_by);
                must(by_another, "nobody_books_their_own", || format!("{adjustment:?}"))?;
                booked += 1;
                let Adjusted { given, of_fees } = effect(adjustment.kind, adjustment.amount);
                let sum = sums.entry(adjustment.amount.currency()).or_default();
                sum.given += given;
                sum.of_fees += of_fees;
            }
        }
        let told = told_by_feed(reader, &adjustments)?;
        must(told == booked, "a_booked_adjustment_is_told_once", || format!("merchant {merchant}: {booked} are booked, {told} are told"))?;
        Ok(sums)
    }
}

fn told_by_feed(reader: &Reader<'_>, adjustments: &[Adjustment]) -> Result<usize, Violation> {
    let Some(merchant_id) = adjustments.first().map(|adjustment| adjustment.merchant_id) else { return Ok(0) };
    let events = reader.events_after(merchant_id, 0)?;
    Ok(events.iter().filter(|event| event.kind == EventKind::FundsAdjusted).count())
}

fn effect(kind: AdjustmentKind, amount: Money) -> Adjusted {
    let minor = amount.minor();
    match kind {
        AdjustmentKind::SettlementFee | AdjustmentKind::Deduction => Adjusted { given: -minor, of_fees: -minor },
        AdjustmentKind::OtherCharge => Adjusted { given: -minor, of_fees: 0 },
        AdjustmentKind::OtherCredit => Adjusted { given: minor, of_fees: 0 },
        AdjustmentKind::GivenBack => Adjusted { given: minor, of_fees: minor },
        // Nobody in a run asks for it: what a merchant owes is told in scenarios.
        AdjustmentKind::ExposureWrittenOff => Adjusted { given: 0, of_fees: minor },
    }
}
