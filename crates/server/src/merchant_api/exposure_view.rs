//! What a merchant owes for a payment, in JSON.

use refundry_engine::claim::Claim;
use refundry_engine::payment::Payment;
use refundry_ledger::Money;
use serde::Serialize;
use utoipa::ToSchema;

use crate::views::AmountView;

/// What a merchant owes for a payment beyond what was captured, and what became of it.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Exposure)]
pub struct ExposureView {
    /// What is owed still.
    pub owed: AmountView,
    /// What was taken out of the available money.
    pub collected: AmountView,
    /// What the operator bears.
    pub written_off: AmountView,
}

impl ExposureView {
    /// None when nothing is owed and never was.
    pub fn of(payment: &Payment) -> Option<Self> {
        let Claim { collected_minor, written_off_minor, .. } = payment.settling.claim;
        let amount = |minor| AmountView::from(Money::new(minor, payment.currency()));
        let owed = payment.exposure();
        (owed != 0 || collected_minor != 0 || written_off_minor != 0).then(|| Self {
            owed: amount(owed),
            collected: amount(collected_minor),
            written_off: amount(written_off_minor),
        })
    }
}
