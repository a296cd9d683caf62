//! Asking for a refund. The order of the checks is the contract: the first broken rule is the answer.

use std::sync::Arc;

use refundry_ledger::Money;

use super::funding::{self, Shortage};
use super::{Holds, Refund, RefundInPlay, RefundState, holds};
use crate::command::CreateRefund;
use crate::dispute::{self, Dispute};
use crate::draft::Draft;
use crate::event::EventKind;
use crate::idempotency::{Remembered, RememberedDecision, first_difference};
use crate::merchant::{Merchant, Standing, Terminal};
use crate::notify::{self, fact};
use crate::payment::{Payment, PaymentStatus};
use crate::payout;
use crate::policy::{FeeRule, FundsRule, Policy};
use crate::share::lines::{self, Split, Wanted};
use crate::{Outcome, Refusal, Snapshot, Stamp, Timestamp, Verdict, Write, share};

/// Accepts a refund, with its money drawn or its holds set, or says why not.
pub fn decide(snapshot: &Snapshot, stamp: &Stamp, act: &CreateRefund) -> Verdict {
    let (merchant, terminal) = match who_asks(snapshot, act) {
        Ok(found) => found,
        Err(refusal) => return Verdict::refused(refusal),
    };
    let remembered = snapshot.remembered.get(&act.key);
    if let Some(remembered) = remembered.filter(|remembered| counts(remembered, act, stamp.now)) {
        return Verdict::unchanged(replay(snapshot, act, remembered));
    }
    // A channel that is not named is the payment's: without one there is no payment either.
    let decided = terminal.ok_or(Refusal::UnknownPayment).and_then(|terminal| {
        let (asked, policy) = check(snapshot, stamp.now, act, |payment| terminal.policy_for(merchant, &payment.method))?;
        accept(Draft::new(snapshot, stamp), act, &asked, &(policy, terminal))
    });
    let forgotten = remembered.map(|remembered| remembered.key.clone());
    match decided {
        Ok(verdict) if act.dry_run || matches!(verdict.outcome, Outcome::MoreIds { .. }) => Verdict::unchanged(verdict.outcome),
        Ok(mut verdict) => {
            verdict.changes.forgotten.extend(forgotten);
            verdict
        }
        Err(refusal) if act.remember_refusals && !act.dry_run => {
            let mut verdict = Verdict::refused(refusal.clone());
            verdict.changes.forgotten.extend(forgotten);
            verdict.changes.remembered.push(remember(act, RememberedDecision::Refused(refusal), stamp.now));
            verdict
        }
        Err(refusal) => Verdict::refused(refusal),
    }
}

/// Whether what is remembered of a key still counts: a number for ever, what stands for one for a while.
fn counts(remembered: &Remembered, act: &CreateRefund, now: Timestamp) -> bool {
    act.key_seconds.is_none_or(|seconds| now < remembered.at.plus_seconds(i64::from(seconds)))
}

/// A caller of the other mode is told what a stranger is told. There is no terminal when none is named and the payment is not known.
fn who_asks<'a>(snapshot: &'a Snapshot, act: &CreateRefund) -> Result<(&'a Arc<Merchant>, Option<&'a Arc<Terminal>>), Refusal> {
    let merchant = snapshot.merchants.get(&act.merchant_id).filter(|merchant| merchant.mode == act.mode);
    let merchant = merchant.ok_or(Refusal::UnknownMerchant)?;
    if merchant.standing == Standing::Suspended {
        return Err(Refusal::MerchantSuspended);
    }
    let Some(terminal_id) = act.terminal_id.or_else(|| named_payment(snapshot, act).map(|payment| payment.terminal_id)) else {
        return Ok((merchant, None));
    };
    let terminal = snapshot.terminals.get(&(act.merchant_id, terminal_id)).filter(|terminal| terminal.mode == act.mode);
    let terminal = terminal.ok_or(Refusal::UnknownTerminal)?;
    if terminal.standing == Standing::Suspended {
        return Err(Refusal::TerminalSuspended);
    }
    Ok((merchant, Some(terminal)))
}

fn named_payment<'a>(snapshot: &'a Snapshot, act: &CreateRefund) -> Option<&'a Payment> {
    snapshot.payment(act.merchant_id, &act.payment).filter(|payment| payment.mode == act.mode)
}

/// The same number again: the same answer when it means the same, with the refund as it stands now.
fn replay(snapshot: &Snapshot, act: &CreateRefund, remembered: &Remembered) -> Outcome {
    if let Some((field, first, now)) = first_difference(&remembered.compared, &act.compared) {
        return Outcome::Refused { refusal: Refusal::RepeatInconsistent { field, first, now }, replayed: false };
    }
    match &remembered.decision {
        RememberedDecision::Refused(refusal) => Outcome::Refused { refusal: refusal.clone(), replayed: true },
        RememberedDecision::Accepted(refund_id) => {
            let refund = snapshot.refund(act.merchant_id, *refund_id);
            let payment = refund.and_then(|refund| snapshot.payments.get(&(act.merchant_id, refund.payment_id)));
            match (refund, payment) {
                (Some(refund), Some(payment)) => RefundInPlay { refund: refund.clone(), payment: payment.clone() }.outcome(true),
                (_, _) => Outcome::Refused { refusal: Refusal::UnknownRefund, replayed: false },
            }
        }
        other @ (RememberedDecision::ToppedUp
        | RememberedDecision::Shared(_)
        | RememberedDecision::Recovered
        | RememberedDecision::Proposed(_)) => Outcome::Refused {
            refusal: Refusal::RepeatInconsistent {
                field: "type".to_owned(),
                first: other.type_word().to_owned(),
                now: "refund".to_owned(),
            },
            replayed: false,
        },
    }
}

/// What is asked for, in the payment's own money.
struct Asked<'a> {
    payment: &'a Payment,
    amount: Money,
    marketing: Money,
    /// What it takes back of the payment's shares, with the fee that it gives back; nothing of ordinary payments.
    split: Option<Split>,
    /// What the refund accepts: a retrieval, a dispute or a report of fraud.
    accepted: Option<&'a Dispute>,
}

fn check<'a>(
    snapshot: &'a Snapshot,
    now: Timestamp,
    act: &CreateRefund,
    policy_for: impl FnOnce(&Payment) -> Policy,
) -> Result<(Asked<'a>, Policy), Refusal> {
    let payment = named_payment(snapshot, act).ok_or(Refusal::UnknownPayment)?;
    match payment.status {
        PaymentStatus::Captured => {}
        PaymentStatus::Cancelled => return Err(Refusal::PaymentCancelled),
        PaymentStatus::Closed => return Err(Refusal::PaymentClosed),
        PaymentStatus::Pending | PaymentStatus::Authorised | PaymentStatus::Failed => {
            return Err(Refusal::PaymentNotCaptured { status: payment.status });
        }
    }
    act.order.check(payment)?;
    let asked = amounts(payment, act)?;
    let policy = policy_for(payment);
    check_method(&asked, &policy, now)?;
    if policy.reconciled_only && payment.settling.reconciled_at.is_none() {
        return Err(Refusal::PaymentUnreconciled);
    }
    payout::check_freeze(snapshot, payment, &policy)?;
    let asked = Asked { accepted: dispute::check_freeze(snapshot, act, payment)?, ..asked };
    if payment.sharing.as_ref().is_some_and(|sharing| !sharing.running.is_empty()) {
        return Err(Refusal::ShareRunning);
    }
    check_rest(&asked, act)?;
    let wanted = Wanted { amount: asked.amount, marketing: asked.marketing };
    let split = lines::split(payment, act.sharing.as_deref(), wanted, &policy)?;
    let asked = Asked { split, ..asked };
    Ok((asked, policy))
}

fn amounts<'a>(payment: &'a Payment, act: &CreateRefund) -> Result<Asked<'a>, Refusal> {
    let expected = payment.currency();
    let currencies = [act.amount.money(), act.marketing, act.expected_remaining];
    if currencies.into_iter().flatten().any(|amount| amount.currency() != expected) {
        return Err(Refusal::CurrencyMismatch { expected });
    }
    let amount = act.amount.of_payment_in(expected).ok_or_else(|| Refusal::FieldInvalid {
        field: "amount".to_owned(),
        rule: format!("at most {} decimals, as {expected} has", expected.exponent()),
    })?;
    let marketing = act.marketing.unwrap_or(Money::zero(expected));
    if !amount.is_positive() || marketing.is_negative() {
        return Err(Refusal::AmountNotPositive);
    }
    act.sharing.as_ref().map_or(Ok(()), |asked| lines::check_form_of_refund(asked, payment))?;
    Ok(Asked { payment, amount, marketing, split: None, accepted: None })
}

/// The window and what the payment's method allows. The last day of the window counts as a whole.
fn check_method(asked: &Asked<'_>, policy: &Policy, now: Timestamp) -> Result<(), Refusal> {
    let payment = asked.payment;
    let end = payment.paid_at.plus_days(i64::from(policy.refund_window_days) + 1);
    if now >= end {
        return Err(Refusal::RefundWindowExceeded { until: Timestamp::from_us(end.us() - 1) });
    }
    check_partial(payment, asked.amount, policy)?;
    let allowed = match (policy.several_allowed, policy.refund_count_max) {
        (false, maximum) => Some(maximum.unwrap_or(1).min(1)),
        (true, maximum) => maximum,
    };
    match allowed {
        Some(allowed) if payment.refund_count >= allowed => Err(Refusal::TooManyRefunds { allowed }),
        Some(_) | None => Ok(()),
    }
}

/// Whether the method allows a part.
pub(super) fn check_partial(payment: &Payment, amount: Money, policy: &Policy) -> Result<(), Refusal> {
    if !policy.partial_allowed && amount.is_below(payment.captured)? {
        return Err(Refusal::PartialNotAllowed { refundable: payment.refundable() });
    }
    Ok(())
}

/// What the caller believes about the rest, and the ceilings.
fn check_rest(asked: &Asked<'_>, act: &CreateRefund) -> Result<(), Refusal> {
    let Asked { payment, amount, marketing, .. } = *asked;
    let refundable = payment.refundable();
    if act.expected_remaining.is_some_and(|expected| expected != refundable) {
        return Err(Refusal::ExpectedRemainingStale { refundable });
    }
    act.extent.map_or(Ok(()), |extent| extent.check(payment, amount))?;
    check_ceilings(payment, amount, marketing)
}

/// Shopper's and marketing's parts have a ceiling each: the acquirer is never made to pay back more than it was paid.
pub(super) fn check_ceilings(payment: &Payment, amount: Money, marketing: Money) -> Result<(), Refusal> {
    let refundable = payment.refundable();
    if refundable.is_below(amount)? {
        return Err(Refusal::ExceedsRefundable { refundable });
    }
    let of_marketing = payment.refundable_marketing().smaller(amount)?;
    if of_marketing.is_below(marketing)? {
        return Err(Refusal::ExceedsMarketing { refundable: of_marketing });
    }
    let of_shopper = payment.refundable_user_part();
    if of_shopper.is_below(amount.checked_sub(marketing)?)? {
        return Err(Refusal::ExceedsRefundable { refundable: of_shopper.checked_add(marketing)? });
    }
    Ok(())
}

/// Every rule is kept but, perhaps, that of the money.
fn accept(mut draft: Draft<'_>, act: &CreateRefund, asked: &Asked<'_>, rules: &(Policy, &Arc<Terminal>)) -> Result<Verdict, Refusal> {
    let (policy, terminal) = rules;
    let refund = new_refund(&draft, act, asked, rules)?;
    let mut in_play = RefundInPlay { refund, payment: asked.payment.clone() };
    in_play.payment.count(&in_play.refund)?;
    in_play.payment.updated_at = draft.now();
    if let Some(sharing) = &mut in_play.payment.sharing {
        sharing.open_refunds = sharing.open_refunds.saturating_add(1);
        share::cancel_planned(&mut draft, &mut in_play.payment, in_play.refund.id);
    }

    let holds = holds::of_new(policy, draft.recent(), (&in_play.refund, &in_play.payment), draft.now());
    if holds.is_empty() {
        funding::draw_or_hold(&mut draft, &mut in_play, policy)?;
    } else {
        if policy.funds == FundsRule::Refuse {
            funding::find(&draft, &in_play, policy, true).map_err(Shortage::refusal)?;
        }
        in_play.refund.state = RefundState::Pending { holds };
        funding::put_next_step(&mut draft, &in_play.refund);
    }
    let mut facts = vec![fact("terminal", &terminal.name)];
    facts.extend(notify::hold_facts(&in_play.refund));
    draft.tell_of_refund(EventKind::RefundAccepted, &in_play, facts);
    if let Some(dispute) = asked.accepted {
        dispute::accept_with_refund(&mut draft, dispute, &mut in_play.payment, in_play.refund.id);
    }
    // No line of the audit log: this event says who asked for what and when, and is just as permanent.

    let outcome = in_play.outcome(false);
    let RefundInPlay { refund, payment } = in_play;
    let changes = draft.changes();
    changes.remembered.push(remember(act, RememberedDecision::Accepted(refund.id), refund.created_at));
    changes.payments.insert((payment.merchant_id, payment.id), Write::Update(payment));
    changes.refunds.insert((refund.merchant_id, refund.id), Write::Insert(refund));
    Ok(draft.finish(outcome))
}

fn new_refund(draft: &Draft<'_>, act: &CreateRefund, asked: &Asked<'_>, rules: &(Policy, &Arc<Terminal>)) -> Result<Refund, Refusal> {
    let Asked { payment, amount, marketing, .. } = *asked;
    let (policy, terminal) = rules;
    let (fee_given_back, gross_settlement) = figures(payment, policy, amount)?;
    let fee_given_back = asked.split.as_ref().map_or(fee_given_back, |split| split.fee_given_back);
    Ok(Refund {
        id: act.refund_id,
        merchant_id: act.merchant_id,
        terminal_id: terminal.id,
        payment_id: payment.id,
        payment_reference: payment.payment_reference.clone(),
        mode: act.mode,
        dialect: act.key.dialect.clone(),
        // What stands for a number is nobody's number.
        number: if act.key_seconds.is_none() { act.key.number.clone() } else { String::new() },
        merchant_reference: act.merchant_reference.clone(),
        amount,
        marketing,
        refund_fee: Money::new(policy.refund_fee_minor.max(0), payment.currency()),
        fee_given_back,
        sharing: asked.split.as_ref().map(|split| Box::new(split.sharing.clone())),
        quote: payment.quote.clone(),
        gross_settlement,
        reason: act.reason.clone(),
        metadata: act.metadata.clone(),
        notify_url: act.notify_url.clone(),
        batch: act.batch.clone(),
        edits: 0,
        applicant: draft.actor().clone(),
        created_at: draft.now(),
        updated_at: draft.now(),
        drawn: None,
        acquirer: terminal.acquirer.clone(),
        acquirer_reference: None,
        attempts: 0,
        state: RefundState::Pending { holds: Holds::default() },
    })
}

/// What a refund of so much gives back of the payment's fee, and what it is in the settlement currency.
pub(super) fn figures(payment: &Payment, policy: &Policy, amount: Money) -> Result<(Money, Option<Money>), Refusal> {
    let refunded = payment.refunded.checked_add(amount)?;
    let gross_settlement = match &payment.quote {
        // What all refunds together are worth, less what those that count were, so that the parts of a payment sum to the whole.
        Some(quote) => {
            let together = quote.convert(refunded).ok_or(Refusal::OutOfRange)?;
            let before = Money::new(payment.converted.refunded_minor, quote.settlement_currency);
            Some(together.checked_sub(before)?)
        }
        None => None,
    };
    Ok((fee_given_back(payment, policy, refunded)?, gross_settlement))
}

/// The refund's part of the payment's fee: what all refunds together give back, less what those before it did.
fn fee_given_back(payment: &Payment, policy: &Policy, refunded: Money) -> Result<Money, Refusal> {
    let nothing = Money::zero(payment.currency());
    match policy.original_fee {
        FeeRule::Keep => Ok(nothing),
        FeeRule::GiveBack => {
            let due = payment.fee.share(refunded, payment.captured)?.checked_sub(payment.fee_given_back)?;
            Ok(if due.is_positive() { due } else { nothing })
        }
    }
}

fn remember(act: &CreateRefund, decision: RememberedDecision, at: Timestamp) -> Remembered {
    Remembered { key: act.key.clone(), compared: act.compared.clone(), decision, at }
}
