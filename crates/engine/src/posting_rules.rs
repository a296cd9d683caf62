//! What each event of business moves between which ledger accounts: this file and those below it alone name them. A rule also moves what the
//! payment remembers of its own money, so that the two never part.

mod chargebacks;
mod draws;
mod shares;

use refundry_ledger::{Balances, Currency, LedgerAccount, Money, Posting};

use crate::MerchantId;
use crate::adjustment::AdjustmentKind;
use crate::chart::{
    ACQUIRER_RECEIVABLE, AVAILABLE, EXPOSURE, FEE_INCOME, FIXED_RESERVE, FX_CLEARING, MARKETING, OPERATOR_CASH, PAID_OUT,
    REFUNDS_IN_FLIGHT, RESERVE, SHARES_DUE, UNSETTLED,
};
use crate::payment::{Payment, SettlementQuote};
use crate::refund::{Draw, Refund};
use crate::share::FeeMode;

pub use chargebacks::{
    chargeback_fee, chargeback_fee_given_back, chargeback_final, chargeback_undone, charged_back, exposure_collected, exposure_covered,
    exposure_written_off, paid_after_its_end,
};

pub use draws::{Purse, draw};
pub use shares::{advance_paid, advance_recovered, line_returned, recovery_undone, share_given, share_received, share_settled};

/// The postings of one entry.
pub type Postings = Vec<Posting<MerchantId>>;

/// The account out of which refunds are paid when the payment's own money is not enough, and into which credits come.
pub const SPENDABLE: LedgerAccount = AVAILABLE;
/// The account that is filled from settled money until it holds what the contract says.
pub const HELD_FIXED: LedgerAccount = FIXED_RESERVE;

/// Where a merchant's money of one currency stands, in minor units, each on the side where its account normally stands.
#[derive(Clone, Copy, Debug)]
#[expect(missing_docs, reason = "each field is what stands on the account that it is named after")]
pub struct Standing {
    pub unsettled: i64,
    pub available: i64,
    pub reserve: i64,
    pub fixed_reserve: i64,
    pub refunds_in_flight: i64,
    pub exposure: i64,
    pub fees: i64,
}

/// Where a merchant's money of one currency stands.
pub fn standing(merchant_id: MerchantId, currency: Currency, balances: &Balances<MerchantId>) -> Standing {
    let of = |account| balances.of(merchant_id, account, currency);
    Standing {
        unsettled: of(UNSETTLED),
        available: of(AVAILABLE),
        reserve: of(RESERVE),
        fixed_reserve: of(FIXED_RESERVE),
        refunds_in_flight: of(REFUNDS_IN_FLIGHT),
        exposure: of(EXPOSURE).saturating_neg(),
        fees: of(FEE_INCOME),
    }
}

/// Captured: what the shopper and the merchant's marketing paid becomes fee, reserve and unsettled money. Sets what the payment has left.
pub fn captured(payment: &mut Payment) -> Postings {
    let [captured, marketing, fee, reserved] = [payment.captured, payment.marketing, payment.fee, payment.reserved].map(Money::minor);
    let from_payment = captured.saturating_sub(payment.own_money_minor());
    let unsettled = payment.own_money_minor().saturating_sub(reserved);
    payment.unsettled_left = Money::new(unsettled, payment.currency());
    payment.reserve_left = payment.reserved;
    let mut postings = spread(
        payment,
        &[(ACQUIRER_RECEIVABLE, captured.saturating_sub(marketing)), (MARKETING, marketing)],
        &[(FEE_INCOME, from_payment), (RESERVE, reserved), (UNSETTLED, unsettled)],
    );
    postings.extend(available_pays_fee(payment, Money::new(fee.saturating_sub(from_payment), payment.currency())));
    postings
}

/// The settlement date is reached: what is left of the payment's unsettled money becomes available, but for what `fixed_lacking` minor units
/// are still to be held of it as fixed reserve.
pub fn settled(payment: &mut Payment, fixed_lacking: i64) -> Postings {
    let unsettled = payment.unsettled_left.minor();
    let withheld = fixed_lacking.clamp(0, unsettled.max(0));
    payment.settled = true;
    payment.settling.settle_at = None;
    payment.unsettled_left = Money::zero(payment.currency());
    if payment.foreign().is_none() {
        return spread(payment, &[(UNSETTLED, unsettled)], &[(FIXED_RESERVE, withheld), (AVAILABLE, unsettled - withheld)]);
    }
    let became = payment.cross(unsettled);
    let withheld = fixed_lacking.clamp(0, became.max(0));
    let home: Sides<'_> = (&[(FX_CLEARING, became)], &[(FIXED_RESERVE, withheld), (AVAILABLE, became - withheld)]);
    through_clearing(payment, (&[(UNSETTLED, unsettled)], &[(FX_CLEARING, unsettled)]), home)
}

/// The time of the rolling reserve is over: what is left of the payment's part becomes available.
pub fn reserve_released(payment: &mut Payment) -> Postings {
    let reserve = payment.reserve_left.minor();
    payment.settling.reserve_released = true;
    payment.settling.reserve_release_at = None;
    payment.reserve_left = Money::zero(payment.currency());
    becomes_available(payment, &[(RESERVE, reserve)])
}

/// The contract asks for less fixed reserve, or is over: so much of it becomes available.
pub fn fixed_reserve_released(merchant_id: MerchantId, amount: Money) -> Postings {
    vec![Posting { book: merchant_id, debit: FIXED_RESERVE, credit: AVAILABLE, amount }]
}

/// The merchant paid money in.
pub fn topped_up(merchant_id: MerchantId, amount: Money) -> Postings {
    vec![Posting { book: merchant_id, debit: OPERATOR_CASH, credit: AVAILABLE, amount }]
}

/// The acquirer paid what it owed for a merchant's business, or took back what it had paid too much.
pub fn acquirer_settled(merchant_id: MerchantId, amount: Money) -> Postings {
    let (debit, credit) = if amount.is_negative() { (ACQUIRER_RECEIVABLE, OPERATOR_CASH) } else { (OPERATOR_CASH, ACQUIRER_RECEIVABLE) };
    vec![Posting { book: merchant_id, debit, credit, amount: Money::new(amount.minor().saturating_abs(), amount.currency()) }]
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
        AdjustmentKind::ExposureWrittenOff => (FEE_INCOME, EXPOSURE),
    };
    vec![Posting { book: merchant_id, debit, credit, amount }]
}

/// Released: the drawn money flies; the refund's fee is taken, the payment's fee given back where the payment's money is.
pub fn released(payment: &mut Payment, refund: &Refund, draw: Draw) -> Postings {
    let given_back = refund.fee_given_back.minor();
    let becomes_available = payment.settled || payment.fee_mode() == FeeMode::FromAccount;
    if !becomes_available {
        add(&mut payment.unsettled_left, given_back);
    }
    add(&mut payment.unsettled_left, -draw.unsettled_minor);
    add(&mut payment.reserve_left, -draw.reserve_minor);
    // The available money first: what it is worth was found out before the fee came back.
    let mut drawn = available_goes(payment, (draw.available_minor, draw.settlement_minor), &[(REFUNDS_IN_FLIGHT, draw.available_minor)]);
    let mut postings = match becomes_available {
        true => fee_becomes_available(payment, refund.fee_given_back),
        false => spread(payment, &[(FEE_INCOME, given_back)], &[(UNSETTLED, given_back)]),
    };
    let own = [(UNSETTLED, draw.unsettled_minor), (RESERVE, draw.reserve_minor)];
    postings.extend(spread(payment, &own, &[(REFUNDS_IN_FLIGHT, draw.unsettled_minor + draw.reserve_minor)]));
    postings.append(&mut drawn);
    if let Some(of) = &refund.sharing {
        postings.extend(shares::lines_fly(payment.merchant_id, payment.currency(), of.lines_minor()));
        postings.extend(shares::advance_remembered(payment.merchant_id, payment.currency(), of.advance_minor));
    }
    postings.extend(available_pays_fee(payment, refund.refund_fee));
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
    let mut postings = goes_home(payment, (refund, draw), &[(REFUNDS_IN_FLIGHT, refund.amount.minor())]);
    postings.extend(take_fee_again(payment, refund));
    postings.extend(fee_becomes_available(payment, refund.refund_fee));
    postings
}

/// Came back after success: the acquirer owes the user part again and marketing pays its part again. The payment stands as if it had not been
/// refunded, so its fee is due again; the refund's own fee was earned and stays.
pub fn returned(payment: &mut Payment, refund: &Refund, draw: Draw) -> Postings {
    let sources = [(ACQUIRER_RECEIVABLE, refund.user_part().minor()), (MARKETING, refund.marketing.minor())];
    let mut postings = goes_home(payment, (refund, draw), &sources);
    postings.extend(take_fee_again(payment, refund));
    postings
}

/// A sale of which nothing has moved is undone as if it had never been captured: no day will come on which something of it is due.
pub fn sale_voided(payment: &mut Payment) -> Postings {
    let zero = Money::zero(payment.currency());
    let [captured, marketing, fee] = [payment.captured, payment.marketing, payment.fee].map(Money::minor);
    let from_payment = captured.saturating_sub(payment.own_money_minor());
    let mut postings = spread(
        payment,
        &[(UNSETTLED, payment.unsettled_left.minor()), (RESERVE, payment.reserve_left.minor()), (FEE_INCOME, from_payment)],
        &[(ACQUIRER_RECEIVABLE, captured.saturating_sub(marketing)), (MARKETING, marketing)],
    );
    postings.extend(fee_becomes_available(payment, Money::new(fee.saturating_sub(from_payment), payment.currency())));
    (payment.settling.cycle_at, payment.settling.settle_at, payment.settling.reserve_release_at) = (None, None, None);
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

/// What a refund had drawn goes back to where that payment's money lives now. What had been changed into another currency comes back as what it was,
/// and what receivers had given back is on its way to them.
fn goes_home(payment: &mut Payment, (refund, draw): (&Refund, Draw), sources: &[(LedgerAccount, i64)]) -> Postings {
    let (lines, advance) = refund.sharing.as_ref().map_or((0, 0), |of| (of.lines_minor(), of.advance_minor));
    let is_foreign = payment.foreign().is_some();
    let available = if is_foreign { FX_CLEARING } else { AVAILABLE };
    let home = if payment.settled { available } else { UNSETTLED };
    let home_of_reserve = if payment.settling.reserve_released { available } else { RESERVE };
    let homes =
        [(home, draw.unsettled_minor), (home_of_reserve, draw.reserve_minor), (available, draw.available_minor), (SHARES_DUE, lines)];
    let mut postings = spread(payment, sources, &homes);
    postings.extend(shares::advance_forgotten(payment.merchant_id, payment.currency(), advance));
    let mut crossing = 0;
    match payment.settled {
        true => crossing += draw.unsettled_minor,
        false => add(&mut payment.unsettled_left, draw.unsettled_minor),
    }
    match payment.settling.reserve_released {
        true => crossing += draw.reserve_minor,
        false => add(&mut payment.reserve_left, draw.reserve_minor),
    }
    if is_foreign {
        payment.cross_as(draw.available_minor, draw.settlement_minor);
        let became = payment.cross(crossing).saturating_add(draw.settlement_minor);
        postings.extend(at_home(payment, &[(FX_CLEARING, became)], &[(AVAILABLE, became)]));
    }
    postings
}

/// The fee that the refund had given back is due again, out of the payment's unsettled money as far as that goes.
fn take_fee_again(payment: &mut Payment, refund: &Refund) -> Postings {
    let due = refund.fee_given_back.minor();
    let is_available = payment.settled || payment.fee_mode() == FeeMode::FromAccount;
    let from_unsettled = if is_available { 0 } else { due.min(payment.unsettled_left.minor()) };
    add(&mut payment.unsettled_left, -from_unsettled);
    let mut postings = spread(payment, &[(UNSETTLED, from_unsettled)], &[(FEE_INCOME, from_unsettled)]);
    postings.extend(available_pays_fee(payment, Money::new(due - from_unsettled, payment.currency())));
    postings
}

/// Money of a payment becomes available, in the currency that it settles in.
fn becomes_available(payment: &mut Payment, sources: &[(LedgerAccount, i64)]) -> Postings {
    let minor = sources.iter().map(|(_, minor)| *minor).sum();
    if payment.foreign().is_none() {
        return spread(payment, sources, &[(AVAILABLE, minor)]);
    }
    let became = payment.cross(minor);
    through_clearing(payment, (sources, &[(FX_CLEARING, minor)]), (&[(FX_CLEARING, became)], &[(AVAILABLE, became)]))
}

/// Available money is taken for a payment, out of the currency that it settles in.
fn available_is_taken(payment: &mut Payment, target: LedgerAccount, minor: i64) -> Postings {
    let was = payment.clone().cross(-minor).saturating_neg();
    available_goes(payment, (minor, was), &[(target, minor)])
}

/// Available money goes: `was` in the currency that the payment settles in, `minor` in its own.
fn available_goes(payment: &mut Payment, (minor, was): (i64, i64), targets: &[(LedgerAccount, i64)]) -> Postings {
    if payment.foreign().is_none() {
        return spread(payment, &[(AVAILABLE, minor)], targets);
    }
    payment.cross_as(-minor, was.saturating_neg());
    through_clearing(payment, (&[(FX_CLEARING, minor)], targets), (&[(AVAILABLE, was)], &[(FX_CLEARING, was)]))
}

/// A fee is paid at the payment's price, each for itself.
fn available_pays_fee(payment: &mut Payment, fee: Money) -> Postings {
    let was = payment.foreign().map_or(0, |quote| at_price(quote, fee));
    available_goes(payment, (fee.minor(), was), &[(FEE_INCOME, fee.minor())])
}

/// The reverse of [`available_pays_fee`], to the minor unit.
fn fee_becomes_available(payment: &mut Payment, fee: Money) -> Postings {
    let minor = fee.minor();
    let Some(became) = payment.foreign().map(|quote| at_price(quote, fee)) else {
        return spread(payment, &[(FEE_INCOME, minor)], &[(AVAILABLE, minor)]);
    };
    payment.cross_as(minor, became);
    through_clearing(payment, (&[(FEE_INCOME, minor)], &[(FX_CLEARING, minor)]), (&[(FX_CLEARING, became)], &[(AVAILABLE, became)]))
}

/// Debits and credits.
type Sides<'a> = (&'a [(LedgerAccount, i64)], &'a [(LedgerAccount, i64)]);

/// Two currencies meet on the clearing account, each with its own postings.
fn through_clearing(payment: &Payment, own: Sides<'_>, home: Sides<'_>) -> Postings {
    let mut postings = spread(payment, own.0, own.1);
    postings.extend(at_home(payment, home.0, home.1));
    postings
}

/// What can be converted was looked at when the payment was told, so this cannot leave the range.
fn at_price(quote: &SettlementQuote, amount: Money) -> i64 {
    quote.convert(amount).map_or(0, Money::minor)
}

fn spread(payment: &Payment, debits: &[(LedgerAccount, i64)], credits: &[(LedgerAccount, i64)]) -> Postings {
    spread_in(payment.currency(), payment.merchant_id, debits, credits)
}

fn at_home(payment: &Payment, debits: &[(LedgerAccount, i64)], credits: &[(LedgerAccount, i64)]) -> Postings {
    spread_in(payment.home_currency(), payment.merchant_id, debits, credits)
}

/// Pairs debits with credits in the order given; both sides have the same sum, and parts of nothing make no posting. A part below zero, which is what
/// the rounding of many parts may leave of one, goes the other way.
fn spread_in(currency: Currency, book: MerchantId, debits: &[(LedgerAccount, i64)], credits: &[(LedgerAccount, i64)]) -> Postings {
    let mut postings = Vec::new();
    let mut to = in_their_direction(credits, debits).into_iter();
    let mut open = to.next();
    for (debit, mut left) in in_their_direction(debits, credits) {
        while let (true, Some((credit, wanted))) = (left > 0, open) {
            let part = left.min(wanted);
            postings.push(Posting { book, debit, credit, amount: Money::new(part, currency) });
            left -= part;
            open = if part == wanted { to.next() } else { Some((credit, wanted - part)) };
        }
    }
    postings
}

/// The parts of one side that are above zero, and those of the other that are below.
fn in_their_direction(side: &[(LedgerAccount, i64)], other: &[(LedgerAccount, i64)]) -> Vec<(LedgerAccount, i64)> {
    let turned = other.iter().map(|(account, minor)| (*account, minor.saturating_neg()));
    side.iter().copied().chain(turned).filter(|(_, minor)| *minor > 0).collect()
}

/// Sums stay within what the payment captured, so they cannot leave the range.
fn add(money: &mut Money, minor: i64) {
    *money = Money::new(money.minor().saturating_add(minor), money.currency());
}
