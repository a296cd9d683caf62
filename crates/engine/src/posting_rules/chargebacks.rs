//! What issuers take, what of it is beyond a payment, and how the merchant's debt for that ends.

use refundry_ledger::Money;

use super::{Postings, adjusted, available_is_taken, available_pays_fee, becomes_available, fee_becomes_available, spread};
use crate::Refusal;
use crate::adjustment::AdjustmentKind;
use crate::chart::{ACQUIRER_RECEIVABLE, CHARGEBACKS, EXPOSURE, FEE_INCOME};
use crate::payment::Payment;
use crate::refund::Refund;

/// The issuer took money back: out of the available money, as far as the payment has something left; what is beyond that is exposure.
pub fn charged_back(payment: &mut Payment, amount: Money) -> Result<Postings, Refusal> {
    let beyond = payment.beyond_captured();
    payment.charged_back = payment.charged_back.checked_add(amount)?;
    let exposed = payment.beyond_captured().saturating_sub(beyond);
    let taken = amount.minor().saturating_sub(exposed);
    let mut postings = available_is_taken(payment, CHARGEBACKS, taken);
    postings.extend(spread(payment, &[(EXPOSURE, exposed)], &[(CHARGEBACKS, exposed)]));
    Ok(postings)
}

/// Won, or taken back by the issuer: the money is the merchant's again, after what of it was exposure. What the merchant had paid of that exposure
/// is its own again too, and what was written off is the operator's.
pub fn chargeback_undone(payment: &mut Payment, amount: Money) -> Result<Postings, Refusal> {
    let beyond = payment.beyond_captured();
    let owed = payment.exposure();
    payment.charged_back = payment.charged_back.checked_sub(amount)?;
    let exposed = beyond.saturating_sub(payment.beyond_captured());
    let shrunk = payment.settling.claim.shrink(owed, exposed);
    let returned = amount.minor().saturating_sub(exposed).saturating_add(shrunk.collected_minor);
    let (owed, written_off) = (shrunk.owed_minor, shrunk.written_off_minor);
    let mut postings = spread(payment, &[(CHARGEBACKS, owed + written_off)], &[(EXPOSURE, owed), (FEE_INCOME, written_off)]);
    postings.extend(becomes_available(payment, &[(CHARGEBACKS, returned)]));
    Ok(postings)
}

/// Lost, or accepted: the acquirer keeps what it took.
pub fn chargeback_final(payment: &Payment, amount: Money) -> Postings {
    spread(payment, &[(CHARGEBACKS, amount.minor())], &[(ACQUIRER_RECEIVABLE, amount.minor())])
}

/// The operator's fee for a chargeback, out of the available money.
pub fn chargeback_fee(payment: &mut Payment, fee: Money) -> Postings {
    available_pays_fee(payment, fee)
}

/// The chargeback was won, and its fee is given back.
pub fn chargeback_fee_given_back(payment: &mut Payment, fee: Money) -> Postings {
    fee_becomes_available(payment, fee)
}

/// The acquirer says that it paid a refund which had ended unpaid: a claim against the merchant that a person must settle.
pub fn paid_after_its_end(payment: &mut Payment, refund: &Refund) -> Postings {
    let user_part = refund.user_part().minor();
    let claim = &mut payment.settling.claim;
    claim.late_minor = claim.late_minor.saturating_add(user_part);
    spread(payment, &[(EXPOSURE, user_part)], &[(ACQUIRER_RECEIVABLE, user_part)])
}

/// A refund counts no longer, so that less is beyond what was captured: what its chargeback could not take is taken now, unless it was paid
/// before. `owed_before` is what was owed while the refund counted. What had been written off goes to the operator, who had borne it.
pub fn exposure_covered(payment: &mut Payment, owed_before: i64, covered_minor: i64) -> Postings {
    let shrunk = payment.settling.claim.shrink(owed_before, covered_minor.max(0));
    let mut postings = available_is_taken(payment, EXPOSURE, shrunk.owed_minor);
    postings.extend(available_is_taken(payment, FEE_INCOME, shrunk.written_off_minor));
    postings
}

/// The merchant pays what it owes for a payment out of its available money.
pub fn exposure_collected(payment: &mut Payment, minor: i64) -> Postings {
    let claim = &mut payment.settling.claim;
    claim.collected_minor = claim.collected_minor.saturating_add(minor);
    available_is_taken(payment, EXPOSURE, minor)
}

/// The operator bears what the merchant owes for a payment.
pub fn exposure_written_off(payment: &mut Payment, minor: i64) -> Postings {
    let claim = &mut payment.settling.claim;
    claim.written_off_minor = claim.written_off_minor.saturating_add(minor);
    adjusted(payment.merchant_id, AdjustmentKind::ExposureWrittenOff, Money::new(minor, payment.currency()))
}
