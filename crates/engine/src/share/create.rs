//! Asking for a payment's money to be shared. The order of the checks is the contract: the first broken rule is the answer.

use refundry_ledger::Money;

use super::{AskedLine, FeeMode, OPEN_SHARES_MAX, RECEIVERS_MAX, Share, ShareLine, ShareState, Sharing, lines};
use crate::command::CreateShare;
use crate::draft::Draft;
use crate::event::EventKind;
use crate::idempotency::{Remembered, RememberedDecision, first_difference};
use crate::merchant::{Standing, Terminal};
use crate::payment::{Payment, PaymentStatus};
use crate::task::{Task, TaskKind};
use crate::{Outcome, Refusal, Snapshot, Stamp, Timestamp, Verdict, Write};

/// Days after the payment in which it can be shared; the last day counts.
pub const SHARE_WINDOW_DAYS: u32 = 365;

/// Accepts a share, to be carried out at once or at its time, or says why not.
pub(crate) fn decide(snapshot: &Snapshot, stamp: &Stamp, act: &CreateShare) -> Verdict {
    create(snapshot, stamp, act).unwrap_or_else(Verdict::refused)
}

fn create(snapshot: &Snapshot, stamp: &Stamp, act: &CreateShare) -> Result<Verdict, Refusal> {
    let payment = snapshot.payment(act.merchant_id, &act.payment).filter(|payment| payment.mode == act.mode);
    let terminal = who_asks(snapshot, act, payment)?;
    if let Some(remembered) = snapshot.remembered.get(&act.key) {
        return replay(snapshot, act, remembered).map(Verdict::unchanged);
    }
    let (payment, terminal) = payment.zip(terminal).ok_or(Refusal::UnknownPayment)?;
    lines::check_form(&act.lines, payment)?;
    check_lines(snapshot, payment, &act.lines)?;
    check_now(snapshot, payment, stamp.now)?;
    check_room(payment, &act.lines)?;
    Ok(accept(Draft::new(snapshot, stamp), act, payment.clone(), terminal))
}

fn who_asks<'a>(snapshot: &'a Snapshot, act: &CreateShare, payment: Option<&Payment>) -> Result<Option<&'a Terminal>, Refusal> {
    let merchant = snapshot.merchants.get(&act.merchant_id).filter(|merchant| merchant.mode == act.mode);
    if merchant.ok_or(Refusal::UnknownMerchant)?.standing == Standing::Suspended {
        return Err(Refusal::MerchantSuspended);
    }
    let Some(terminal_id) = act.terminal_id.or_else(|| payment.map(|payment| payment.terminal_id)) else { return Ok(None) };
    let terminal = snapshot.terminals.get(&(act.merchant_id, terminal_id)).filter(|terminal| terminal.mode == act.mode);
    let terminal = terminal.ok_or(Refusal::UnknownTerminal)?;
    if terminal.standing == Standing::Suspended {
        return Err(Refusal::TerminalSuspended);
    }
    Ok(Some(terminal))
}

/// The same number again: the same share when it means the same, as it stands now.
fn replay(snapshot: &Snapshot, act: &CreateShare, remembered: &Remembered) -> Result<Outcome, Refusal> {
    if let Some((field, first, now)) = first_difference(&remembered.compared, &act.compared) {
        return Err(Refusal::RepeatInconsistent { field, first, now });
    }
    let RememberedDecision::Shared(share_id) = &remembered.decision else {
        return Err(Refusal::AlreadyExists { field: "number".to_owned() });
    };
    let share = snapshot.shares.get(&(act.merchant_id, *share_id)).ok_or(Refusal::UnknownShare)?;
    Ok(Outcome::Share { share: Box::new(share.clone()), replayed: true })
}

/// Somebody gets something, and everybody is a merchant of the payment's mode.
pub(super) fn check_lines(snapshot: &Snapshot, payment: &Payment, asked: &[AskedLine]) -> Result<(), Refusal> {
    if asked.is_empty() {
        return Err(Refusal::FieldInvalid { field: "lines".to_owned(), rule: "at least one receiver with an amount".to_owned() });
    }
    let is_known = |line: &&AskedLine| {
        let receiver = line.receiver_id.and_then(|id| snapshot.merchants.get(&id));
        receiver.is_some_and(|merchant| merchant.mode == payment.mode)
    };
    match asked.iter().find(|line| !is_known(line)) {
        Some(line) => Err(Refusal::UnknownReceiver { account: line.account.clone() }),
        None => Ok(()),
    }
}

/// Whether the payment can be shared at this moment.
pub(super) fn check_now(snapshot: &Snapshot, payment: &Payment, now: Timestamp) -> Result<(), Refusal> {
    match payment.status {
        PaymentStatus::Captured => {}
        PaymentStatus::Cancelled => return Err(Refusal::PaymentCancelled),
        PaymentStatus::Closed => return Err(Refusal::PaymentClosed),
        PaymentStatus::Pending | PaymentStatus::Authorised | PaymentStatus::Failed => {
            return Err(Refusal::PaymentNotCaptured { status: payment.status });
        }
    }
    let end = payment.paid_at.plus_days(i64::from(SHARE_WINDOW_DAYS) + 1);
    if now >= end {
        return Err(Refusal::ShareWindowExceeded { until: Timestamp::from_us(end.us() - 1) });
    }
    if payment.foreign().is_some() {
        let rule = "a payment that settles in its own currency: others cannot be shared".to_owned();
        return Err(Refusal::FieldInvalid { field: "payment".to_owned(), rule });
    }
    // A payment that knows of no shares yet does not count its open refunds, so they were counted for this.
    let counted = snapshot.open_refunds.get(&(payment.merchant_id, payment.id)).copied().unwrap_or(0);
    let open = payment.sharing.as_ref().map_or(counted, |sharing| sharing.open_refunds);
    if open > 0 { Err(Refusal::RefundOpen) } else { Ok(()) }
}

/// Whether the payment has room for these lines: in its pool, and among its receivers.
pub(super) fn check_room(payment: &Payment, asked: &[AskedLine]) -> Result<(), Refusal> {
    if let Some(sharing) = &payment.sharing {
        if sharing.planned.len().saturating_add(sharing.running.len()) >= OPEN_SHARES_MAX {
            return Err(too_many_open());
        }
        let is_new = |line: &&AskedLine| line.receiver_id.is_some_and(|id| !sharing.receivers.contains_key(&id));
        if sharing.receivers.len().saturating_add(asked.iter().filter(is_new).count()) > RECEIVERS_MAX {
            return Err(lines::too_many_receivers());
        }
    }
    let mut sum = Money::zero(payment.currency());
    for line in asked {
        sum = sum.checked_add(line.amount)?;
    }
    let highest = payment.unshared();
    if highest.is_below(sum)? { Err(Refusal::ExceedsPool { highest }) } else { Ok(()) }
}

pub(super) fn too_many_open() -> Refusal {
    let limit = u32::try_from(OPEN_SHARES_MAX).unwrap_or(u32::MAX);
    Refusal::LimitReached { what: "planned or running shares of a payment".to_owned(), limit }
}

fn accept(mut draft: Draft<'_>, act: &CreateShare, mut payment: Payment, terminal: &Terminal) -> Verdict {
    let share = Share {
        id: act.share_id,
        merchant_id: act.merchant_id,
        payment_id: payment.id,
        payment_reference: payment.payment_reference.clone(),
        terminal_id: terminal.id,
        mode: act.mode,
        dialect: act.key.dialect.clone(),
        number: act.key.number.clone(),
        lines: share_lines(&act.lines),
        state: act.due_at.map_or(ShareState::Running, |due_at| ShareState::Planned { due_at }),
        notify_url: act.notify_url.clone(),
        asked_at_text: act.asked_at_text.clone(),
        applicant: draft.actor().clone(),
        created_at: draft.now(),
        updated_at: draft.now(),
    };
    write(&mut draft, &mut payment, &share);
    let remembered = Remembered {
        key: act.key.clone(),
        compared: act.compared.clone(),
        decision: RememberedDecision::Shared(share.id),
        at: draft.now(),
    };
    draft.changes().remembered.push(remembered);
    super::moves::finish(draft, share, payment)
}

/// Lines whose receivers were looked at.
pub(super) fn share_lines(asked: &[AskedLine]) -> Vec<ShareLine> {
    let line = |line: &AskedLine| Some(ShareLine { receiver_id: line.receiver_id?, account: line.account.clone(), amount: line.amount });
    asked.iter().filter_map(line).collect()
}

/// Writes a new share, with its next step, and what the payment remembers of it.
pub(super) fn write(draft: &mut Draft<'_>, payment: &mut Payment, share: &Share) {
    let from_unshared_minor = payment.refunded_of_pool();
    let sharing = payment.sharing.get_or_insert_with(|| {
        let sharing = Sharing::new(FeeMode::FromPayment);
        Box::new(Sharing { from_unshared_minor, ..sharing })
    });
    match share.state.due_at() {
        Some(due_at) => {
            sharing.plan(share.id);
            draft.put_task(Task::of_share(TaskKind::StartShare, share.merchant_id, share.id, due_at));
            draft.tell_of_share(EventKind::SharePlanned, share, vec![crate::notify::fact("due_at_us", due_at.us())]);
        }
        None => {
            sharing.begin(share.id, share.sum_minor());
            draft.put_task(Task::of_share(TaskKind::FinishShare, share.merchant_id, share.id, draft.now()));
            draft.tell_of_share(EventKind::ShareAccepted, share, Vec::new());
        }
    }
    // No line of the audit log: these events say who asked for what and when, and are just as permanent.
    draft.changes().shares.insert((share.merchant_id, share.id), Write::Insert(share.clone()));
}
