//! How a statement looks before fees: what was captured of the payments that it settles, what the fees were made of, and what its refunds cost.

use std::collections::{BTreeMap, BTreeSet};

use refundry_engine::payment::{Payment, PaymentKey};
use refundry_engine::payout::Payout;
use refundry_engine::refund::Refund;
use refundry_ledger::Currency;
use refundry_store::{PAGE_LIMIT_MAX, PageRequest, PayoutLine};

use crate::Service;
use crate::caller::Caller;
use crate::error::ServiceError;
use crate::payouts;

/// Lines that one answer looks at, at most.
pub const GROSS_LINES_MAX: usize = 50_000;

/// The figures of payments in one currency, in minor units of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Gross {
    /// Payments that became available.
    pub payments: i64,
    /// What was captured of them.
    pub captured_minor: i64,
    /// The fees for them.
    pub fee_minor: i64,
    /// What of the fees goes to issuers.
    pub interchange_minor: i64,
    /// What of them goes to networks, for cards of other countries.
    pub cross_border_minor: i64,
    /// What of them goes to networks.
    pub scheme_minor: i64,
    /// What of them is due for each payment, whatever its amount.
    pub fixed_minor: i64,
    /// What was kept as rolling reserve.
    pub reserved_minor: i64,
    /// Refunds that drew available money.
    pub refunds: i64,
    /// What they refunded.
    pub refunded_minor: i64,
    /// The fees for them.
    pub refund_fee_minor: i64,
    /// What of the payments' fees they gave back.
    pub fee_given_back_minor: i64,
}

/// The figures by currency of the payments.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PayoutGross {
    /// One for each currency.
    pub currencies: BTreeMap<Currency, Gross>,
    /// Whether all lines of the statement were looked at.
    pub is_whole: bool,
}

/// Adds up what the lines of a payout are about. The payout is one that [`payouts::find`] gave to the caller.
pub async fn gross(service: &Service, caller: &Caller, payout: &Payout) -> Result<PayoutGross, ServiceError> {
    let mut gross = PayoutGross::default();
    let (mut page, mut looked_at) = (PageRequest { after: None, limit: PAGE_LIMIT_MAX }, 0);
    loop {
        let found = payouts::lines(service, caller, payout, page).await?;
        looked_at += found.rows.len();
        add(service, payout, &mut gross, &found.rows).await?;
        match found.next {
            None => {
                gross.is_whole = true;
                return Ok(gross);
            }
            Some(_) if looked_at >= GROSS_LINES_MAX => return Ok(gross),
            after => page.after = after,
        }
    }
}

/// An entry has several lines and is never cut in two by a page, so each is counted once.
async fn add(service: &Service, payout: &Payout, gross: &mut PayoutGross, lines: &[PayoutLine]) -> Result<(), ServiceError> {
    let store = &service.world.store;
    let mut seen = BTreeSet::new();
    for line in lines.iter().filter(|line| seen.insert(line.entry_id)) {
        match (line.cause.as_str(), line.payment_id, line.refund_id) {
            ("payment_settled", Some(payment_id), _) => {
                let payment = store.payment(payout.merchant_id, &PaymentKey::Id(payment_id)).await?;
                payment.into_iter().for_each(|payment| gross.add_payment(&payment));
            }
            ("refund_released", _, Some(refund_id)) => {
                let refund = store.refund(payout.merchant_id, refund_id).await?;
                refund.into_iter().for_each(|refund| gross.add_refund(&refund));
            }
            (_, Some(_) | None, Some(_) | None) => {}
        }
    }
    Ok(())
}

impl PayoutGross {
    fn add_payment(&mut self, payment: &Payment) {
        let parts = payment.details.fee_parts.unwrap_or_default();
        let sum = self.currencies.entry(payment.currency()).or_default();
        add_each([
            (&mut sum.payments, 1),
            (&mut sum.captured_minor, payment.captured.minor()),
            (&mut sum.fee_minor, payment.fee.minor()),
            (&mut sum.interchange_minor, parts.interchange_minor),
            (&mut sum.cross_border_minor, parts.cross_border_minor),
            (&mut sum.scheme_minor, parts.scheme_minor),
            (&mut sum.fixed_minor, parts.fixed_minor),
            (&mut sum.reserved_minor, payment.reserved.minor()),
        ]);
    }

    fn add_refund(&mut self, refund: &Refund) {
        let sum = self.currencies.entry(refund.amount.currency()).or_default();
        add_each([
            (&mut sum.refunds, 1),
            (&mut sum.refunded_minor, refund.amount.minor()),
            (&mut sum.refund_fee_minor, refund.refund_fee.minor()),
            (&mut sum.fee_given_back_minor, refund.fee_given_back.minor()),
        ]);
    }
}

fn add_each<const N: usize>(sums: [(&mut i64, i64); N]) {
    sums.into_iter().for_each(|(sum, minor)| *sum = sum.saturating_add(minor));
}
