//! Shares that a payment is told with.

use super::create::too_many_open;
use super::{OPEN_SHARES_MAX, PlannedShare, Share, ShareState, create, lines};
use crate::draft::Draft;
use crate::idempotency::{Remembered, RememberedDecision};
use crate::payment::{Payment, PaymentStatus};
use crate::{Refusal, ShareId, Snapshot};

/// Whether a new payment can be told with these shares.
pub(crate) fn check(snapshot: &Snapshot, payment: &Payment, plan: &[PlannedShare]) -> Result<(), Refusal> {
    if plan.len() > OPEN_SHARES_MAX {
        return Err(too_many_open());
    }
    for (place, planned) in plan.iter().enumerate() {
        lines::check_form(&planned.lines, payment)?;
        create::check_lines(snapshot, payment, &planned.lines)?;
        let is_named_twice = plan[..place].iter().any(|before| before.key == planned.key);
        if is_named_twice || snapshot.remembered.contains_key(&planned.key) {
            return Err(Refusal::AlreadyExists { field: "shares.number".to_owned() });
        }
        if payment.foreign().is_some() {
            let rule = "none for a payment that settles in another currency".to_owned();
            return Err(Refusal::FieldInvalid { field: "shares".to_owned(), rule });
        }
    }
    Ok(())
}

/// Writes them. A payment that is captured already must have room for each; of one that is not, that is asked when their time has come.
pub(crate) fn write(draft: &mut Draft<'_>, payment: &mut Payment, plan: &[PlannedShare]) -> Result<(), Refusal> {
    for planned in plan {
        if payment.status == PaymentStatus::Captured {
            create::check_room(payment, &planned.lines)?;
        }
        let share = Share {
            id: ShareId::new(draft.take_id()),
            merchant_id: payment.merchant_id,
            payment_id: payment.id,
            payment_reference: payment.payment_reference.clone(),
            terminal_id: payment.terminal_id,
            mode: payment.mode,
            dialect: planned.key.dialect.clone(),
            number: planned.key.number.clone(),
            lines: create::share_lines(&planned.lines),
            state: ShareState::Planned { due_at: planned.due_at },
            notify_url: planned.notify_url.clone(),
            asked_at_text: planned.asked_at_text.clone(),
            applicant: draft.actor().clone(),
            created_at: draft.now(),
            updated_at: draft.now(),
        };
        create::write(draft, payment, &share);
        let (key, compared) = (planned.key.clone(), planned.compared.clone());
        let decision = RememberedDecision::Shared(share.id);
        let at = draft.now();
        draft.changes().remembered.push(Remembered { key, compared, decision, at });
    }
    Ok(())
}
