//! What each event of business moves between which ledger accounts: the only file that names them. A rule also moves what the payment
//! remembers of its own money, so that the two never part.

use refundry_ledger::{LedgerAccount, Money, Posting};

use crate::adjustment::AdjustmentKind;
use crate::chart::{
    ACQUIRER_RECEIVABLE, AVAILABLE, CHARGEBACKS, EXPOSURE, FEE_INCOME, FIXED_RESERVE, MARKETING, OPERATOR_CASH, PAID_OUT,
    REFUNDS_IN_FLIGHT, RESERVE, UNSETTLED,
};
use crate::payment::Payment;
use crate::refund::{Draw, Refund};
use crate::{MerchantId, Refusal};

/// The postings of one entry.
pub type Postings = Vec<Posting<MerchantId>>;

/// The account out of which refunds are paid when the payment's own money is not enough, and into which credits come.
pub const SPENDABLE: LedgerAccount = AVAILABLE;
/// The account that is filled from settled money until it holds what the contract says.
pub const HELD_FIXED: LedgerAccount = FIXED_RESERVE;

/// Captured: what the shopper and the merchant's marketing paid becomes fee, reserve and unsettled money. Sets what the payment has left.
pub fn captured(payment: &mut Payment) -> Postings {
    let [captured, marketing, fee, reserved] = [payment.captured, payment.marketing, payment.fee, payment.reserved].map(Money::minor);
    let unsettled = captured.saturating_sub(fee).saturating_sub(reserved);
    payment.unsettled_left = Money::new(unsettled, payment.currency());
    payment.reserve_left = payment.reserved;
    spread(
        payment,
        &[(ACQUIRER_RECEIVABLE, captured.saturating_sub(marketing)), (MARKETING, marketing)],
        &[(FEE_INCOME, fee), (RESERVE, reserved), (UNSETTLED, unsettled)],
    )
}

/// The settlement date is reached: what is left of the payment's unsettled money becomes available, but for what `fixed_lacking` minor units
/// are still to be held of it as fixed reserve.
pub fn settled(payment: &mut Payment, fixed_lacking: i64) -> Postings {
    let unsettled = payment.unsettled_left.minor();
    let withheld = fixed_lacking.clamp(0, unsettled.max(0));
    payment.settled = true;
    payment.settling.settle_at = None;
    payment.unsettled_left = Money::zero(payment.currency());
    spread(payment, &[(UNSETTLED, unsettled)], &[(FIXED_RESERVE, withheld), (AVAILABLE, unsettled - withheld)])
}

/// The time of the rolling reserve is over: what is left of the payment's part becomes available.
pub fn reserve_released(payment: &mut Payment) -> Postings {
    let reserve = payment.reserve_left.minor();
    payment.settling.reserve_released = true;
    payment.settling.reserve_release_at = None;
    payment.reserve_left = Money::zero(payment.currency());
    spread(payment, &[(RESERVE, reserve)], &[(AVAILABLE, reserve)])
}

/// The contract asks for less fixed reserve, or is over: so much of it becomes available.
pub fn fixed_reserve_released(merchant_id: MerchantId, amount: Money) -> Postings {
    vec![Posting { book: merchant_id, debit: FIXED_RESERVE, credit: AVAILABLE, amount }]
}

/// The merchant paid money in.
pub fn topped_up(merchant_id: MerchantId, amount: Money) -> Postings {
    vec![Posting { book: merchant_id, debit: OPERATOR_CASH, credit: AVAILABLE, amount }]
}

/// Set aside for a payout: it is on its way to the merchant's bank.
pub fn payout_prepared(merchant_id: MerchantId, amount: Money) -> Postings {
    vec![Posting { book: merchant_id, debit: AVAILABLE, credit: PAID_OUT, amount }]
}

/// A payout that was not carried out: its money is available again.
pub fn payout_undone(merchant_id: MerchantId, amount: Money) -> Postings {
    vec![Posting { book: merchant_id, debit: PAID_OUT, credit: AVAILABLE, amount }]
}

/// A payout arrived: the operator's bank has paid it.
pub fn payout_paid(merchant_id: MerchantId, amount: Money) -> Postings {
    vec![Posting { book: merchant_id, debit: PAID_OUT, credit: OPERATOR_CASH, amount }]
}

/// A payout came back after it had arrived: the operator has the money again, and owes it.
pub fn payout_returned(merchant_id: MerchantId, amount: Money) -> Postings {
    vec![Posting { book: merchant_id, debit: OPERATOR_CASH, credit: AVAILABLE, amount }]
}

/// What the operator takes from the available money or gives to it.
pub fn adjusted(merchant_id: MerchantId, kind: AdjustmentKind, amount: Money) -> Postings {
    let (debit, credit) = match kind {
        AdjustmentKind::SettlementFee | AdjustmentKind::Deduction => (AVAILABLE, FEE_INCOME),
        AdjustmentKind::OtherCharge => (AVAILABLE, OPERATOR_CASH),
        AdjustmentKind::OtherCredit => (OPERATOR_CASH, AVAILABLE),
        AdjustmentKind::GivenBack => (FEE_INCOME, AVAILABLE),
    };
    vec![Posting { book: merchant_id, debit, credit, amount }]
}

/// Which money a refund would be drawn from, or how much is missing. The order: the payment's unsettled money, its reserve, then what is
/// available to the merchant; the allowances of `purse` may be zero. The refund's fee is always paid out of the available money.
pub fn draw(purse: &Purse, refund: &Refund) -> Result<Draw, Money> {
    let amount = refund.amount.minor();
    let unsettled_minor = amount.min(purse.unsettled.max(0));
    let reserve_minor = (amount - unsettled_minor).min(purse.reserve.max(0));
    let available_minor = amount - unsettled_minor - reserve_minor;
    let needed = available_minor.saturating_add(refund.refund_fee.minor());
    let missing = match needed {
        0 => 0,
        _ if available_minor > 0 && !purse.may_draw_available => available_minor,
        _ => needed.saturating_sub(purse.available).max(0),
    };
    match missing {
        0 => Ok(Draw { unsettled_minor, reserve_minor, available_minor, at: None }),
        missing => Err(Money::new(missing, refund.amount.currency())),
    }
}

/// What a refund may be drawn from, in minor units, with the fee that it gives back already in it.
#[derive(Clone, Copy, Debug)]
pub struct Purse {
    /// The payment's unsettled money, or zero when the policy forbids it.
    pub unsettled: i64,
    /// The payment's reserve, or zero when the policy forbids it.
    pub reserve: i64,
    /// The merchant's available money; may be below zero.
    pub available: i64,
    /// Whether the policy lets refunds draw it.
    pub may_draw_available: bool,
}

/// Released: the drawn money flies; the refund's fee is taken, the payment's fee given back where the payment's money is.
pub fn released(payment: &mut Payment, refund: &Refund, draw: Draw) -> Postings {
    let given_back = refund.fee_given_back.minor();
    if !payment.settled {
        add(&mut payment.unsettled_left, given_back);
    }
    add(&mut payment.unsettled_left, -draw.unsettled_minor);
    add(&mut payment.reserve_left, -draw.reserve_minor);
    let mut postings = spread(payment, &[(FEE_INCOME, given_back)], &[(home(payment), given_back)]);
    postings.extend(spread(
        payment,
        &[(UNSETTLED, draw.unsettled_minor), (RESERVE, draw.reserve_minor), (AVAILABLE, draw.available_minor)],
        &[(REFUNDS_IN_FLIGHT, refund.amount.minor())],
    ));
    let fee = refund.refund_fee.minor();
    postings.extend(spread(payment, &[(AVAILABLE, fee)], &[(FEE_INCOME, fee)]));
    postings
}

/// Paid out: the acquirer paid the user part; the marketing part is the merchant's marketing money again.
pub fn succeeded(payment: &Payment, refund: &Refund) -> Postings {
    spread(
        payment,
        &[(REFUNDS_IN_FLIGHT, refund.amount.minor())],
        &[(ACQUIRER_RECEIVABLE, refund.user_part().minor()), (MARKETING, refund.marketing.minor())],
    )
}

/// Failed or cancelled after its release: the money goes back to where that payment's money lives now, and both fees with it.
pub fn undone(payment: &mut Payment, refund: &Refund, draw: Draw) -> Postings {
    let mut postings = spread(payment, &[(REFUNDS_IN_FLIGHT, refund.amount.minor())], &homes(payment, draw));
    credit_homes(payment, draw);
    postings.extend(take_fee_again(payment, refund));
    let fee = refund.refund_fee.minor();
    postings.extend(spread(payment, &[(FEE_INCOME, fee)], &[(AVAILABLE, fee)]));
    postings
}

/// Came back after success: the acquirer owes the user part again and marketing pays its part again. The payment stands as if it had not been
/// refunded, so its fee is due again; the refund's own fee was earned and stays.
pub fn returned(payment: &mut Payment, refund: &Refund, draw: Draw) -> Postings {
    let sources = [(ACQUIRER_RECEIVABLE, refund.user_part().minor()), (MARKETING, refund.marketing.minor())];
    let mut postings = spread(payment, &sources, &homes(payment, draw));
    credit_homes(payment, draw);
    postings.extend(take_fee_again(payment, refund));
    postings
}

/// The acquirer says that it paid a refund which had ended unpaid: a claim against the merchant that a person must settle.
pub fn paid_after_its_end(payment: &Payment, refund: &Refund) -> Postings {
    let user_part = refund.user_part().minor();
    spread(payment, &[(EXPOSURE, user_part)], &[(ACQUIRER_RECEIVABLE, user_part)])
}

/// The issuer took money back: out of the available money, as far as the payment has something left; what is beyond that is exposure.
pub fn charged_back(payment: &mut Payment, amount: Money) -> Result<Postings, Refusal> {
    let beyond = payment.beyond_captured();
    payment.charged_back = payment.charged_back.checked_add(amount)?;
    let exposed = payment.beyond_captured().saturating_sub(beyond);
    let taken = amount.minor().saturating_sub(exposed);
    Ok(spread(payment, &[(AVAILABLE, taken), (EXPOSURE, exposed)], &[(CHARGEBACKS, amount.minor())]))
}

/// Won, or taken back by the issuer: the money is the merchant's again, after what of it was exposure.
pub fn chargeback_undone(payment: &mut Payment, amount: Money) -> Result<Postings, Refusal> {
    let beyond = payment.beyond_captured();
    payment.charged_back = payment.charged_back.checked_sub(amount)?;
    let exposed = beyond.saturating_sub(payment.beyond_captured());
    let returned = amount.minor().saturating_sub(exposed);
    Ok(spread(payment, &[(CHARGEBACKS, amount.minor())], &[(EXPOSURE, exposed), (AVAILABLE, returned)]))
}

/// Lost, or accepted: the acquirer keeps what it took.
pub fn chargeback_final(payment: &Payment, amount: Money) -> Postings {
    spread(payment, &[(CHARGEBACKS, amount.minor())], &[(ACQUIRER_RECEIVABLE, amount.minor())])
}

/// A refund counts no longer, so that less is beyond what was captured: what its chargeback could not take is taken now.
pub fn exposure_covered(payment: &Payment, covered_minor: i64) -> Postings {
    spread(payment, &[(AVAILABLE, covered_minor)], &[(EXPOSURE, covered_minor)])
}

/// A sale of which nothing has moved is undone as if it had never been captured.
pub fn sale_voided(payment: &mut Payment) -> Postings {
    let zero = Money::zero(payment.currency());
    let [captured, marketing, fee] = [payment.captured, payment.marketing, payment.fee].map(Money::minor);
    let postings = spread(
        payment,
        &[(UNSETTLED, payment.unsettled_left.minor()), (RESERVE, payment.reserve_left.minor()), (FEE_INCOME, fee)],
        &[(ACQUIRER_RECEIVABLE, captured.saturating_sub(marketing)), (MARKETING, marketing)],
    );
    for part in [
        &mut payment.captured,
        &mut payment.marketing,
        &mut payment.fee,
        &mut payment.reserved,
        &mut payment.unsettled_left,
        &mut payment.reserve_left,
    ] {
        *part = zero;
    }
    postings
}

/// Where a payment's money lives now.
fn home(payment: &Payment) -> LedgerAccount {
    if payment.settled { AVAILABLE } else { UNSETTLED }
}

fn homes(payment: &Payment, draw: Draw) -> [(LedgerAccount, i64); 3] {
    let home_of_reserve = if payment.settling.reserve_released { AVAILABLE } else { RESERVE };
    [(home(payment), draw.unsettled_minor), (home_of_reserve, draw.reserve_minor), (AVAILABLE, draw.available_minor)]
}

fn credit_homes(payment: &mut Payment, draw: Draw) {
    if !payment.settled {
        add(&mut payment.unsettled_left, draw.unsettled_minor);
    }
    if !payment.settling.reserve_released {
        add(&mut payment.reserve_left, draw.reserve_minor);
    }
}

/// The fee that the refund had given back is due again, out of the payment's unsettled money as far as that goes.
fn take_fee_again(payment: &mut Payment, refund: &Refund) -> Postings {
    let due = refund.fee_given_back.minor();
    let from_unsettled = if payment.settled { 0 } else { due.min(payment.unsettled_left.minor()) };
    add(&mut payment.unsettled_left, -from_unsettled);
    spread(payment, &[(UNSETTLED, from_unsettled), (AVAILABLE, due - from_unsettled)], &[(FEE_INCOME, due)])
}

/// Pairs debits with credits in the order given; both sides have the same sum, and parts of nothing make no posting.
fn spread(payment: &Payment, debits: &[(LedgerAccount, i64)], credits: &[(LedgerAccount, i64)]) -> Postings {
    let mut postings = Vec::new();
    let mut credits = credits.iter().filter(|(_, minor)| *minor > 0).copied();
    let mut open = credits.next();
    for (debit, minor) in debits.iter().filter(|(_, minor)| *minor > 0) {
        let mut left = *minor;
        while let (true, Some((credit, wanted))) = (left > 0, open) {
            let part = left.min(wanted);
            postings.push(Posting { book: payment.merchant_id, debit: *debit, credit, amount: Money::new(part, payment.currency()) });
            left -= part;
            open = if part == wanted { credits.next() } else { Some((credit, wanted - part)) };
        }
    }
    postings
}

/// Sums stay within what the payment captured, so they cannot leave the range.
fn add(money: &mut Money, minor: i64) {
    *money = Money::new(money.minor().saturating_add(minor), money.currency());
}
