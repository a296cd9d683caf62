//! Chargebacks: what was told is there, each payment knows its own, and what refunds and chargebacks take beyond a capture is exposure.

use std::collections::BTreeMap;

use refundry_engine::dispute::{DisputeKind, DisputeState};
use refundry_engine::payment::Payment;
use refundry_engine::policy::FeeRule;
use refundry_engine::refund::Refund;
use refundry_ledger::Currency;

use super::refunds::counts;
use super::{Model, Reader, Violation, must};

/// What chargebacks did to one book.
#[derive(Clone, Copy, Debug, Default)]
pub struct ChargedBack {
    /// Taken, and nobody knows yet who was right.
    pub open: i64,
    /// Taken for good.
    pub lost: i64,
    /// The operator's fees for them.
    pub fees: i64,
    /// What of both, together with refunds, is beyond what was captured.
    pub exposed: i64,
}

impl Model {
    /// Somebody was told of a dispute that it is there, and whether it is over.
    pub fn dispute_is(&mut self, merchant: usize, number: &str, is_open: bool) {
        let over = self.disputes_told.entry((merchant, number.to_owned())).or_default();
        *over |= !is_open;
    }

    /// What the disputes of a merchant did to its money, by currency.
    pub(super) fn charged_back(
        &self,
        merchant: usize,
        reader: &Reader<'_>,
        (payments, refunds): (&[Payment], &[Refund]),
    ) -> Result<BTreeMap<Currency, ChargedBack>, Violation> {
        let disputes = reader.disputes(self.cast[merchant].merchant)?;
        for ((_, number), is_over) in self.disputes_told.iter().filter(|((owner, _), _)| *owner == merchant) {
            let there = disputes.iter().find(|dispute| dispute.network_reference == *number);
            must(there.is_some_and(|dispute| !is_over || !dispute.is_open()), "an_acknowledged_dispute_is_never_lost", || {
                format!("{number} was told, over: {is_over}; there is {:?}", there.map(|dispute| dispute.state))
            })?;
        }
        let mut sums: BTreeMap<Currency, ChargedBack> = BTreeMap::new();
        for payment in payments {
            let sum = sums.entry(payment.captured.currency()).or_default();
            let mut taken = 0;
            for dispute in disputes.iter().filter(|dispute| dispute.payment_id == payment.id && dispute.kind == DisputeKind::Chargeback) {
                let minor = dispute.amount.minor();
                sum.fees += self.fee(merchant, payment, dispute.state);
                match dispute.state {
                    DisputeState::Open | DisputeState::Represented => sum.open += minor,
                    DisputeState::Lost | DisputeState::Accepted | DisputeState::Closed => sum.lost += minor,
                    DisputeState::Won | DisputeState::Withdrawn => continue,
                }
                taken += minor;
            }
            must(payment.charged_back.minor() == taken, "a_payment_knows_its_chargebacks", || {
                format!("{} says {}, they are {taken}", payment.payment_reference, payment.charged_back)
            })?;
            let open = |kind| disputes.iter().filter(|one| one.payment_id == payment.id && one.kind == kind && one.is_open()).count();
            let counted = [payment.open_chargebacks, payment.open_retrievals].map(|count| usize::try_from(count).unwrap_or(usize::MAX));
            let there = [open(DisputeKind::Chargeback), open(DisputeKind::Retrieval)];
            must(counted == there, "a_payment_knows_its_open_disputes", || {
                format!("{} says {counted:?}, they are {there:?}", payment.payment_reference)
            })?;
            let of_payment = refunds.iter().filter(|refund| refund.payment_id == payment.id && counts(&refund.state));
            let refunded: i64 = of_payment.map(|refund| refund.amount.minor()).sum();
            sum.exposed += (refunded + taken - payment.captured.minor()).max(0);
        }
        Ok(sums)
    }

    /// What a chargeback costs the merchant as it stands, by the rules of the channel that took the payment.
    fn fee(&self, merchant: usize, payment: &Payment, state: DisputeState) -> i64 {
        let Some(rules) = self.cast[merchant].rules.get(&payment.terminal_id) else { return 0 };
        let is_undone = matches!(state, DisputeState::Won | DisputeState::Withdrawn);
        if is_undone && rules.chargeback_fee == FeeRule::GiveBack { 0 } else { rules.chargeback_fee_minor }
    }
}
