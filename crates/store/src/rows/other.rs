//! The rows that are short: notifications, tries to deliver them, keys, events, tasks, lines of the audit log.

use refundry_engine::event::{Event, EventKind};
use refundry_engine::idempotency::{IdempotencyKey, Remembered, RememberedDecision};
use refundry_engine::notification::{DeliveryAttempt, Notification, NotificationState, Recipient};
use refundry_engine::share::{ADVANCE_SCOPE, SHARE_SCOPE};
use refundry_engine::task::{Task, TaskKind};
use refundry_engine::verdict::AuditLine;
use refundry_engine::{AdjustmentId, AuditId, EndpointId, MerchantId, NotificationId, PaymentId, RefundId, ShareId, TaskId, TerminalId};

use super::columns::ReadColumns;
use crate::StoreError;
use crate::words::action_name;

/// The columns that [`notification`] wants; filters read the first three by place.
pub const NOTIFICATION_COLUMNS: &str = "merchant_id, notification_id, state, terminal_id, url, endpoint_id, event_sequence, refund_id, \
    tries, created_at, tried_at";

/// Reads a notification.
pub fn notification<'r>(columns: &mut impl ReadColumns<'r>) -> Result<Notification, StoreError> {
    let merchant_id = MerchantId::new(columns.int()?);
    let id = NotificationId::new(columns.int()?);
    let state = columns.word(notification_state_from)?;
    let recipient = match (columns.int_or_null()?, columns.string_or_null()?, columns.int_or_null()?) {
        (Some(terminal_id), Some(url), None) => Recipient::Dialect { terminal_id: TerminalId::new(terminal_id), url },
        (None, None, Some(endpoint_id)) => Recipient::Endpoint(EndpointId::new(endpoint_id)),
        _ => return Err(columns.unreadable("it is neither a terminal's address nor an endpoint")),
    };
    Ok(Notification {
        id,
        merchant_id,
        recipient,
        event_sequence: columns.int()?,
        refund_id: columns.int_or_null()?.map(RefundId::new),
        state,
        tries: columns.small()?,
        created_at: columns.instant()?,
        tried_at: columns.int_or_null()?.map(refundry_engine::Timestamp::from_us),
    })
}

/// Reads the stored word of a notification's state.
pub fn notification_state_from(word: &str) -> Option<NotificationState> {
    NotificationState::ALL.into_iter().find(|state| state.word() == word)
}

/// The columns that [`delivery`] wants.
pub const DELIVERY_COLUMNS: &str = "notification_id, at, status, answer, took_ms, acknowledged";

/// Reads a try to deliver.
pub fn delivery<'r>(columns: &mut impl ReadColumns<'r>) -> Result<DeliveryAttempt, StoreError> {
    Ok(DeliveryAttempt {
        notification_id: NotificationId::new(columns.int()?),
        at: columns.instant()?,
        status: columns.int_or_null()?.and_then(|status| u16::try_from(status).ok()),
        answer: columns.string()?,
        took_ms: columns.small()?,
        acknowledged: columns.flag()?,
    })
}

/// The columns that [`remembered`] wants.
pub const REMEMBERED_COLUMNS: &str = "merchant_id, number, dialect, scope, at, refund_id, refusal, compared";

/// Reads what is remembered of a key.
pub fn remembered<'r>(columns: &mut impl ReadColumns<'r>) -> Result<Remembered, StoreError> {
    let merchant_id = MerchantId::new(columns.int()?);
    let number = columns.string()?;
    let key = IdempotencyKey { merchant_id, number, dialect: columns.string()?, scope: columns.string()? };
    let at = columns.instant()?;
    let decision = match (columns.int_or_null()?, columns.json_or_null()?) {
        (Some(id), None) if key.is_of_adjustment() => RememberedDecision::Proposed(AdjustmentId::new(id)),
        (Some(share_id), None) if key.scope == SHARE_SCOPE => RememberedDecision::Shared(ShareId::new(share_id)),
        (Some(refund_id), None) => RememberedDecision::Accepted(RefundId::new(refund_id)),
        (None, Some(refusal)) => RememberedDecision::Refused(refusal),
        (None, None) if key.scope == ADVANCE_SCOPE => RememberedDecision::Recovered,
        (None, None) => RememberedDecision::ToppedUp,
        (Some(_), Some(_)) => return Err(columns.unreadable("it is both a refund and a refusal")),
    };
    Ok(Remembered { key, compared: columns.json()?, decision, at })
}

/// The columns that [`event`] wants.
pub const EVENT_COLUMNS: &str = "merchant_id, sequence, at, kind, actor, payment_id, refund_id, facts";

/// Reads an event.
pub fn event<'r>(columns: &mut impl ReadColumns<'r>) -> Result<Event, StoreError> {
    Ok(Event {
        merchant_id: MerchantId::new(columns.int()?),
        sequence: columns.int()?,
        at: columns.instant()?,
        kind: columns.word(EventKind::from_word)?,
        actor: columns.word(|word| word.parse().ok())?,
        payment_id: columns.int_or_null()?.map(PaymentId::new),
        refund_id: columns.int_or_null()?.map(RefundId::new),
        facts: columns.json()?,
    })
}

/// The columns that [`task`] wants.
pub const TASK_COLUMNS: &str = "merchant_id, task_id, kind, due_at, tries, note, claimable_at";

/// Reads a task.
pub fn task<'r>(columns: &mut impl ReadColumns<'r>) -> Result<Task, StoreError> {
    Ok(Task {
        merchant_id: MerchantId::new(columns.int()?),
        id: TaskId::new(columns.int()?),
        kind: columns.word(TaskKind::from_word)?,
        due_at: columns.instant()?,
        tries: columns.small()?,
        note: columns.string()?,
    })
}

/// The columns that [`audit_line`] wants.
pub const AUDIT_COLUMNS: &str = "merchant_id, audit_id, at, actor, action, subject, facts";

/// Reads a line of the audit log.
pub fn audit_line<'r>(columns: &mut impl ReadColumns<'r>) -> Result<AuditLine, StoreError> {
    let merchant_id = columns.int()?;
    Ok(AuditLine {
        merchant_id: (merchant_id != 0).then(|| MerchantId::new(merchant_id)),
        id: AuditId::new(columns.int()?),
        at: columns.instant()?,
        actor: columns.word(|word| word.parse().ok())?,
        action: columns.word(|word| Some(action_name(word)))?,
        subject: columns.string()?,
        facts: columns.json()?,
    })
}
