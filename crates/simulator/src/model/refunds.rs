//! Refunds and payments: nothing acknowledged is lost, nothing final changes, no payment gives back more than it took, and every refund that is not
//! final has exactly one next step.

use std::collections::BTreeMap;

use refundry_engine::payment::Payment;
use refundry_engine::refund::{Holds, Refund, RefundState, RefundStateName, Submission};
use refundry_engine::task::TaskKind;

use super::{Key, Model, Reader, Violation, must};

/// What was seen of a refund before.
#[derive(Clone, Copy, Debug)]
pub struct Seen {
    state: RefundStateName,
    attempts: u32,
}

impl Model {
    /// Looks at every refund and payment.
    pub fn audit_refunds(&mut self, reader: &Reader<'_>) -> Result<(), Violation> {
        let mut by_key = BTreeMap::new();
        for merchant in 0..self.cast.len() {
            let merchant_id = self.cast[merchant].merchant;
            let (refunds, payments) = (reader.refunds(merchant_id)?, reader.payments(merchant_id)?);
            for refund in &refunds {
                let key = Key { merchant, dialect: refund.dialect.clone(), number: refund.number.clone() };
                self.audit_origin(&key, refund)?;
                self.audit_progress(refund)?;
                audit_next_step(reader, refund)?;
                let twice = by_key.insert(key, refund.id);
                must(twice.is_none(), "a_key_never_makes_a_second_refund", || format!("{} and {twice:?}", refund.id))?;
            }
            self.audit_payments(merchant, &payments, &refunds)?;
        }
        for (key, request) in &self.requests {
            must(!request.in_process || by_key.contains_key(key), "an_acknowledged_refund_is_never_lost", || {
                format!("{key:?} was told to be in process, the store has none")
            })?;
            let Some((refund_id, ..)) = &request.accepted else { continue };
            must(by_key.get(key) == Some(refund_id), "an_acknowledged_refund_is_never_lost", || {
                format!("{key:?} was told {refund_id}, the store has {:?}", by_key.get(key))
            })?;
        }
        Ok(())
    }

    /// A refund is what somebody asked for.
    fn audit_origin(&self, key: &Key, refund: &Refund) -> Result<(), Violation> {
        let content = (refund.payment_reference.clone(), refund.amount.minor());
        let request = self.requests.get(key);
        must(request.is_some_and(|request| request.asked.contains(&content)), "a_refund_is_what_was_asked_for", || {
            format!("{} {} of {content:?} was never asked for", refund.id, refund.number)
        })?;
        let accepted = request.and_then(|request| request.accepted.as_ref());
        let is_edited = request.is_some_and(|request| request.edited.contains(&content.1));
        must(
            is_edited || accepted.is_none_or(|(_, reference, minor)| (reference, minor) == (&content.0, &content.1)),
            "a_key_means_one_thing",
            || format!("{} was accepted as {accepted:?}, the store has {content:?}", refund.number),
        )
    }

    /// A final state stays, and attempts only grow.
    fn audit_progress(&mut self, refund: &Refund) -> Result<(), Violation> {
        let state = refund.state.name();
        let before = self.seen.insert(refund.id, Seen { state, attempts: refund.attempts });
        let cancelled = self.cancelled.contains(&refund.id);
        must(!cancelled || state == RefundStateName::Cancelled, "a_told_end_is_final", || {
            format!("{} was told to be cancelled and is {}", refund.number, state.word())
        })?;
        let Some(before) = before else { return Ok(()) };
        let may_follow = match before.state {
            RefundStateName::Pending => true,
            RefundStateName::Submitted | RefundStateName::Unresolved => {
                !matches!(state, RefundStateName::Pending | RefundStateName::Cancelled)
            }
            RefundStateName::Succeeded => matches!(state, RefundStateName::Succeeded | RefundStateName::Returned),
            RefundStateName::Failed | RefundStateName::Cancelled | RefundStateName::Returned => state == before.state,
        };
        must(may_follow, "states_only_go_forward", || format!("{} was {} and is {}", refund.number, before.state.word(), state.word()))?;
        must(before.attempts <= refund.attempts, "attempts_only_grow", || format!("{}: {before:?}", refund.number))
    }

    /// A payment is as it was recorded, and its refunds stay within it.
    fn audit_payments(&self, merchant: usize, payments: &[Payment], refunds: &[Refund]) -> Result<(), Violation> {
        for ((_, reference), wish) in self.payments.iter().filter(|((owner, _), _)| *owner == merchant) {
            let payment = payments.iter().find(|payment| payment.payment_reference == *reference);
            self.must_be_as_told(wish, payment)?;
            let settled = self.settled.contains(&(merchant, reference.clone()));
            must(!settled || payment.is_some_and(|payment| payment.settled), "an_acknowledged_settlement_is_never_lost", || {
                reference.clone()
            })?;
        }
        for payment in payments {
            let counted = || refunds.iter().filter(|refund| refund.payment_id == payment.id && counts(&refund.state));
            let refunded: i64 = counted().map(|refund| refund.amount.minor()).sum();
            let marketing: i64 = counted().map(|refund| refund.marketing.minor()).sum();
            let holds = refunded <= payment.captured.minor() && marketing <= payment.marketing.minor();
            must(holds, "refunds_never_exceed_captures", || format!("{}: {refunded} of {}", payment.payment_reference, payment.captured))?;
            let sums = (payment.refunded.minor(), payment.refunded_marketing.minor(), i64::from(payment.refund_count));
            let expected = (refunded, marketing, i64::try_from(counted().count()).unwrap_or(i64::MAX));
            must(sums == expected, "a_payment_knows_its_refunds", || {
                format!("{} says {sums:?}, its refunds say {expected:?}", payment.payment_reference)
            })?;
        }
        Ok(())
    }
}

/// Whether it counts against the payment.
pub(super) fn counts(state: &RefundState) -> bool {
    !matches!(state, RefundState::Failed { .. } | RefundState::Cancelled { .. } | RefundState::Returned { .. })
}

/// Exactly one open task, or a named person.
fn audit_next_step(reader: &Reader<'_>, refund: &Refund) -> Result<(), Violation> {
    let task = reader.task(refund.merchant_id, refund.id.get())?.map(|task| task.kind);
    let expected: &[Option<TaskKind>] = match &refund.state {
        RefundState::Pending { holds: Holds { review: Some(_), .. } } => &[None, Some(TaskKind::ReleaseRefund)],
        RefundState::Pending { holds } if holds.is_empty() => &[Some(TaskKind::SubmitRefund)],
        RefundState::Pending { .. } => &[Some(TaskKind::ReleaseRefund)],
        RefundState::Submitted { submission: Submission::NeverSent, .. } => &[Some(TaskKind::SubmitRefund)],
        RefundState::Submitted { .. } | RefundState::Unresolved { .. } => &[Some(TaskKind::ResolveRefund)],
        RefundState::Succeeded { .. } | RefundState::Failed { .. } | RefundState::Cancelled { .. } | RefundState::Returned { .. } => {
            &[None]
        }
    };
    must(expected.contains(&task), "a_refund_has_exactly_one_next_step", || {
        format!("{} is {} with {:?}, its task is {task:?}", refund.number, refund.state.name().word(), refund.state)
    })
}
