//! Changing what a refund in review asks for. What was approved before counts no longer, and what was remembered of its number stays: a repeated
//! request is compared with what was sent first.

use refundry_ledger::Money;

use super::{Holds, Refund, RefundInPlay, RefundState, ReviewHold, create, funding, holds, moves};
use crate::command::EditRefund;
use crate::draft::{About, Draft};
use crate::event::{EventFacts, EventKind};
use crate::notify::{self, fact};
use crate::payment::Payment;
use crate::policy::{FundsRule, Policy, ReviewTrigger};
use crate::share::lines::{self, Wanted};
use crate::share::{AskedLine, AskedLines, AskedSharing, ReturnLine};
use crate::{Actor, Refusal, Snapshot, Stamp, Verdict};

/// Edits a refund that a person still has to look at.
pub fn decide(snapshot: &Snapshot, stamp: &Stamp, act: &EditRefund) -> Verdict {
    edit(Draft::new(snapshot, stamp), &snapshot.recent, act).unwrap_or_else(Verdict::refused)
}

fn edit(mut draft: Draft<'_>, recent: &crate::review_rule::RecentRefunds, act: &EditRefund) -> Result<Verdict, Refusal> {
    let mut in_play = draft.find(act.merchant_id, act.refund_id, Some(act.mode))?;
    let before = in_play.refund.clone();
    let (old_holds, old_review) = match &before.state {
        RefundState::Pending { holds: held @ Holds { review: Some(review), .. } } => (held.clone(), review.clone()),
        other => return Err(Refusal::RefundStateForbids { state: other.name(), verb: "be edited".to_owned() }),
    };
    if act.seen.as_ref().is_some_and(|seen| *seen != before.content_hash()) {
        return Err(Refusal::ReviewedContentChanged);
    }
    let counted = in_play.payment.clone();
    in_play.payment.uncount(&before)?;
    let policy = draft.policy(&in_play);
    change(&mut in_play, act, &policy)?;
    if (&before.reason, &before.metadata) == (&in_play.refund.reason, &in_play.refund.metadata)
        && (before.amount, before.marketing) == (in_play.refund.amount, in_play.refund.marketing)
    {
        in_play.payment.count(&before)?;
        return Ok(Verdict::unchanged(RefundInPlay { refund: before, payment: in_play.payment }.outcome(false)));
    }
    in_play.refund.edits = before.edits.saturating_add(1);
    let wanted = holds::review(&policy, recent, (&in_play.refund, &in_play.payment), draft.now());
    let review = again(old_review, wanted, draft.actor());
    in_play.payment.count(&in_play.refund)?;
    moves::cover_exposure(&mut draft, &mut in_play, &counted)?;
    in_play.refund.state = RefundState::Pending { holds: Holds { review: Some(review), ..old_holds } };
    if policy.funds == FundsRule::Refuse {
        funding::find(&draft, &in_play, &policy, true).map_err(funding::Shortage::refusal)?;
    }
    let facts = what_changed(&before, &in_play.refund);
    draft.audit("refund.edit", About::refund(&in_play.refund), facts.clone());
    let facts = facts.into_iter().chain(notify::hold_facts(&in_play.refund)).collect();
    draft.tell_of_refund(EventKind::RefundEdited, &in_play, facts);
    draft.changes().edited.insert((act.merchant_id, act.refund_id));
    Ok(draft.finish_with(in_play))
}

/// The new content, held to the rules that a new refund is held to. The payment does not count the refund at this moment.
fn change(in_play: &mut RefundInPlay, act: &EditRefund, policy: &Policy) -> Result<(), Refusal> {
    let RefundInPlay { refund, payment } = in_play;
    let expected = payment.currency();
    if [act.amount, act.marketing].into_iter().flatten().any(|amount| amount.currency() != expected) {
        return Err(Refusal::CurrencyMismatch { expected });
    }
    refund.amount = act.amount.unwrap_or(refund.amount);
    refund.marketing = act.marketing.unwrap_or(refund.marketing);
    if !refund.amount.is_positive() || refund.marketing.is_negative() {
        return Err(Refusal::AmountNotPositive);
    }
    create::check_partial(payment, refund.amount, policy)?;
    create::check_ceilings(payment, refund.amount, refund.marketing)?;
    (refund.fee_given_back, refund.gross_settlement) = create::figures(payment, policy, refund.amount)?;
    split_again(refund, payment, policy)?;
    if let Some(reason) = &act.reason {
        refund.reason.clone_from(reason);
    }
    if let Some(metadata) = &act.metadata {
        refund.metadata.clone_from(metadata);
    }
    Ok(())
}

/// What receivers give back and what is advanced stays as it was asked for, so an amount that leaves the rest no room is refused.
fn split_again(refund: &mut Refund, payment: &Payment, policy: &Policy) -> Result<(), Refusal> {
    let Some(of) = &refund.sharing else { return Ok(()) };
    let money = |minor: i64| Money::new(minor, payment.currency());
    let again = |line: &ReturnLine| AskedLine {
        account: line.account.clone(),
        receiver_id: Some(line.receiver_id),
        amount: money(line.amount_minor),
    };
    let asked = AskedSharing { lines: AskedLines::Named(of.lines.iter().map(again).collect()), advance: Some(money(of.advance_minor)) };
    let wanted = Wanted { amount: refund.amount, marketing: refund.marketing };
    if let Some(split) = lines::split(payment, Some(&asked), wanted, policy)? {
        refund.fee_given_back = split.fee_given_back;
        refund.sharing = Some(Box::new(split.sharing));
    }
    Ok(())
}

/// The review begins anew, with what caught the refund before: an edit never lets it slip out of review, nor past a second person.
fn again(before: ReviewHold, wanted: Option<ReviewHold>, editor: &Actor) -> ReviewHold {
    let mut review = ReviewHold { approvals: Vec::new(), ..before };
    let wanted = wanted.unwrap_or_else(|| ReviewHold::new(review.since, review.second_person));
    review.approvals_wanted = review.approvals_wanted.max(wanted.approvals_wanted);
    review.second_person |= wanted.second_person;
    let is_everything = review.caught_by.is_empty();
    if !is_everything {
        let is_new = |rule: &ReviewTrigger, known: &[ReviewTrigger]| known.iter().all(|one| one.word() != rule.word());
        let new: Vec<ReviewTrigger> = wanted.caught_by.into_iter().filter(|rule| is_new(rule, &review.caught_by)).collect();
        review.caught_by.extend(new);
    }
    if !review.edited_by.contains(editor) {
        review.edited_by.push(editor.clone());
    }
    review
}

fn what_changed(before: &Refund, after: &Refund) -> EventFacts {
    let mut facts = vec![fact("edits", after.edits), fact("content_hash", after.content_hash())];
    if before.amount != after.amount {
        facts.push(fact("amount_before", before.amount));
    }
    if before.marketing != after.marketing {
        facts.extend([fact("marketing_before", before.marketing), fact("marketing", after.marketing)]);
    }
    if before.reason != after.reason {
        facts.push(fact("reason_before", before.reason.as_deref().unwrap_or_default()));
        facts.push(fact("reason", after.reason.as_deref().unwrap_or_default()));
    }
    if before.metadata != after.metadata {
        facts.push(fact("metadata", "changed"));
    }
    facts
}
