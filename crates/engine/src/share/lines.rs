//! What a refund takes back of its payment's shares: the formula, its ceilings, and lines in proportion.
//!
//! `amount = Σ lines + unshared part + advance`, and where the fee is taken from the payment, `+ fee given back + marketing part`. The unshared part is
//! what the rest leaves over, so that it is never asked for.

use refundry_ledger::Money;

use super::{AskedLine, AskedLines, AskedSharing, FeeMode, RECEIVERS_MAX, RefundSharing, ReturnLine, Sharing};
use crate::payment::Payment;
use crate::policy::{FeeRule, Policy};
use crate::{MerchantId, Refusal};

/// A refund of a payment that knows of shares, in its parts.
pub(crate) struct Split {
    pub(crate) sharing: RefundSharing,
    /// The part of the payment's fee that goes back, wherever it was taken from.
    pub(crate) fee_given_back: Money,
}

/// How much in all, and the marketing part of it.
#[derive(Clone, Copy)]
pub(crate) struct Wanted {
    pub(crate) amount: Money,
    pub(crate) marketing: Money,
}

/// Splits a refund that keeps the ceilings of the payment; the first broken rule of the split is the answer. An ordinary payment has nothing to split.
pub(crate) fn split(payment: &Payment, asked: Option<&AskedSharing>, wanted: Wanted, policy: &Policy) -> Result<Option<Split>, Refusal> {
    let Some(sharing) = &payment.sharing else { return nothing_was_shared(payment, asked).map(|()| None) };
    let money = |minor: i64| Money::new(minor, payment.currency());
    let advance_minor = asked.and_then(|asked| asked.advance).map_or(0, Money::minor);
    let fee = fee_given_back(payment, wanted, policy)?;
    let apart = match sharing.fee_mode {
        FeeMode::FromAccount => 0,
        FeeMode::FromPayment => fee.minor().saturating_add(wanted.marketing.minor()),
    };
    let to_cover = wanted.amount.minor().saturating_sub(apart);
    let lines = match asked.map(|asked| &asked.lines) {
        None => Vec::new(),
        Some(AskedLines::Named(lines)) => named(payment, sharing, lines)?,
        Some(AskedLines::ProRata) => in_proportion(sharing, payment.unshared().minor(), to_cover, advance_minor),
    };
    let lines_minor = lines.iter().fold(0_i64, |sum, line| sum.saturating_add(line.amount_minor));
    if lines_minor.saturating_add(advance_minor) > sharing.returnable_minor() {
        return Err(Refusal::ExceedsReturned { highest: money(sharing.returnable_minor().max(0)) });
    }
    let rest = to_cover.saturating_sub(lines_minor).saturating_sub(advance_minor);
    let (fee, rest) = tolerate(payment, wanted, policy, (fee, rest));
    let unshared = payment.unshared();
    if rest < 0 {
        return Err(Refusal::LinesExceedAmount { over: money(rest.saturating_neg()) });
    }
    if rest > unshared.minor() {
        return Err(Refusal::ExceedsUnshared { needed: money(rest), unshared });
    }
    let sharing = RefundSharing { lines, advance_minor, from_unshared_minor: rest };
    Ok(Some(Split { sharing, fee_given_back: fee }))
}

/// What is asked of lines whatever the payment has shared: in its currency, above zero, nobody twice, and not the giver.
pub(crate) fn check_form(lines: &[AskedLine], payment: &Payment) -> Result<(), Refusal> {
    let expected = payment.currency();
    if lines.iter().any(|line| line.amount.currency() != expected) {
        return Err(Refusal::CurrencyMismatch { expected });
    }
    if lines.iter().any(|line| !line.amount.is_positive()) {
        return Err(Refusal::AmountNotPositive);
    }
    if lines.len() > RECEIVERS_MAX {
        return Err(too_many_receivers());
    }
    let is_same = |one: &AskedLine, other: &AskedLine| {
        one.account == other.account || (one.receiver_id.is_some() && one.receiver_id == other.receiver_id)
    };
    let twice = lines.iter().enumerate().find(|(place, line)| lines[..*place].iter().any(|before| is_same(before, line)));
    if let Some((_, line)) = twice {
        return Err(Refusal::ReceiverTwice { account: line.account.clone() });
    }
    if lines.iter().any(|line| line.receiver_id == Some(payment.merchant_id)) {
        return Err(Refusal::ReceiverIsGiver);
    }
    Ok(())
}

/// The same for what a refund asks.
pub(crate) fn check_form_of_refund(asked: &AskedSharing, payment: &Payment) -> Result<(), Refusal> {
    if let Some(advance) = asked.advance {
        if advance.currency() != payment.currency() {
            return Err(Refusal::CurrencyMismatch { expected: payment.currency() });
        }
        if advance.is_negative() {
            return Err(Refusal::AmountNotPositive);
        }
    }
    match &asked.lines {
        AskedLines::Named(lines) => check_form(lines, payment),
        AskedLines::ProRata => Ok(()),
    }
}

pub(crate) fn too_many_receivers() -> Refusal {
    Refusal::LimitReached { what: "receivers of a payment".to_owned(), limit: u32::try_from(RECEIVERS_MAX).unwrap_or(u32::MAX) }
}

/// Nobody can give back what nobody got.
fn nothing_was_shared(payment: &Payment, asked: Option<&AskedSharing>) -> Result<(), Refusal> {
    let Some(asked) = asked else { return Ok(()) };
    let nothing = Money::zero(payment.currency());
    if let AskedLines::Named(lines) = &asked.lines
        && let Some(line) = lines.first()
    {
        let account = line.account.clone();
        return Err(match line.receiver_id {
            None => Refusal::UnknownReceiver { account },
            Some(_) => Refusal::ExceedsReceiver { account, highest: nothing },
        });
    }
    match asked.advance.is_some_and(Money::is_positive) {
        true => Err(Refusal::ExceedsReturned { highest: nothing }),
        false => Ok(()),
    }
}

/// The refund's part of the fee: what the refunds of the shopper's part give back together, less what those before it did. A fee that is taken from
/// the payment always goes back, or the payment could never be refunded as a whole; one that is taken from the account, where the policy says so.
fn fee_given_back(payment: &Payment, wanted: Wanted, policy: &Policy) -> Result<Money, Refusal> {
    let nothing = Money::zero(payment.currency());
    let paid = payment.captured.checked_sub(payment.marketing)?;
    let keeps = payment.fee_mode() == FeeMode::FromAccount && policy.original_fee == FeeRule::Keep;
    if keeps || !paid.is_positive() {
        return Ok(nothing);
    }
    let user_part = wanted.amount.checked_sub(wanted.marketing)?;
    let refunded = payment.refunded.checked_sub(payment.refunded_marketing)?.checked_add(user_part)?;
    let due = payment.fee.share(refunded, paid)?.checked_sub(payment.fee_given_back)?;
    // After a refund that failed, those that count may have given back more than their part: a refund takes no fee for that.
    Ok(if due.is_positive() { due } else { nothing })
}

/// Merchants that round each refund on its own can be off by one minor unit. Where the policy says so that is taken from or given to the fee, but
/// never at the end, which has to come out even.
fn tolerate(payment: &Payment, wanted: Wanted, policy: &Policy, (fee, rest): (Money, i64)) -> (Money, i64) {
    let is_end = wanted.amount == payment.refundable();
    if !policy.fee_rounding_tolerance || payment.fee_mode() != FeeMode::FromPayment || is_end {
        return (fee, rest);
    }
    let by = |minor: i64| (Money::new(fee.minor() + minor, fee.currency()), rest - minor);
    let may_give_more = payment.fee_given_back.minor().saturating_add(fee.minor()) < payment.fee.minor();
    if rest == -1 && fee.is_positive() {
        by(-1)
    } else if rest == payment.unshared().minor() + 1 && may_give_more {
        by(1)
    } else {
        (fee, rest)
    }
}

fn named(payment: &Payment, sharing: &Sharing, lines: &[AskedLine]) -> Result<Vec<ReturnLine>, Refusal> {
    let one = |line: &AskedLine| {
        let account = line.account.clone();
        let Some(receiver_id) = line.receiver_id else { return Err(Refusal::UnknownReceiver { account }) };
        let highest = sharing.receivers.get(&receiver_id).map_or(0, |part| part.left_minor());
        if line.amount.minor() > highest {
            return Err(Refusal::ExceedsReceiver { account, highest: Money::new(highest, payment.currency()) });
        }
        Ok(ReturnLine { receiver_id, account, amount_minor: line.amount.minor(), drawn: None })
    };
    lines.iter().map(one).collect()
}

/// Everybody, the unshared money too, in proportion to what is left there. What was advanced is left nowhere, and what is advanced now is taken off the
/// lines. So what is refunded last takes all that is left, and everything ends at zero.
fn in_proportion(sharing: &Sharing, unshared_minor: i64, to_cover: i64, advance_minor: i64) -> Vec<ReturnLine> {
    let receivers: Vec<(MerchantId, &str)> = sharing.receivers.iter().map(|(id, part)| (*id, part.account.as_str())).collect();
    let left: Vec<i64> = sharing.receivers.values().map(|part| part.left_minor().max(0)).collect();
    let left = less(&left, sharing.advanced_minor);
    let places: Vec<i64> = std::iter::once(unshared_minor).chain(left).collect();
    let all: i64 = places.iter().fold(0, |sum, minor| sum.saturating_add(*minor));
    let parts = apportion(to_cover.clamp(0, all), &places);
    let parts = less(parts.get(1..).unwrap_or_default(), advance_minor);
    let lines = receivers.into_iter().zip(parts).filter(|(_, minor)| *minor > 0);
    lines
        .map(|((receiver_id, account), amount_minor)| ReturnLine { receiver_id, account: account.to_owned(), amount_minor, drawn: None })
        .collect()
}

/// So much is taken off the amounts, in proportion to them.
fn less(amounts: &[i64], minor: i64) -> Vec<i64> {
    let all = amounts.iter().fold(0_i64, |sum, amount| sum.saturating_add(*amount));
    amounts.iter().zip(apportion(minor.clamp(0, all), amounts)).map(|(amount, taken)| amount - taken).collect()
}

/// A total in proportion to weights, by largest remainder; of equal remainders the first. No part is above its weight while the total is not above
/// all of them.
fn apportion(total: i64, weights: &[i64]) -> Vec<i64> {
    let sum: i128 = weights.iter().map(|weight| i128::from(*weight)).sum();
    if sum <= 0 {
        return vec![0; weights.len()];
    }
    let exact = |weight: i64| i128::from(total) * i128::from(weight);
    let mut parts: Vec<i64> = weights.iter().map(|weight| i64::try_from(exact(*weight) / sum).unwrap_or(0)).collect();
    let mut by_remainder: Vec<usize> = (0..weights.len()).collect();
    by_remainder.sort_by_key(|place| std::cmp::Reverse(exact(weights[*place]) % sum));
    let missing = total - parts.iter().sum::<i64>();
    for place in by_remainder.into_iter().take(usize::try_from(missing).unwrap_or(0)) {
        parts[place] += 1;
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_sum_to_the_total_and_stay_below_their_weights() {
        assert_eq!(apportion(100, &[1, 1, 1]), [34, 33, 33]);
        assert_eq!(apportion(3, &[1, 1, 1]), [1, 1, 1]);
        assert_eq!(apportion(2, &[1, 0, 1]), [1, 0, 1]);
        assert_eq!(apportion(5, &[0, 0]), [0, 0]);
        for total in 0..=60 {
            let weights = [7, 13, 1, 39];
            let parts = apportion(total, &weights);
            assert_eq!(parts.iter().sum::<i64>(), total);
            assert!(parts.iter().zip(weights).all(|(part, weight)| *part <= weight), "{total}: {parts:?}");
        }
        assert_eq!(less(&[10, 20], 30), [0, 0]);
    }
}
