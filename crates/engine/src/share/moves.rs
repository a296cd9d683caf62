//! What follows in the receivers' books, and the steps that several commands of shares take.

use refundry_ledger::{Currency, Money};

use super::{LineDraw, ReturnLine, Share, ShareCancelReason, ShareState};
use crate::draft::{About, Draft};
use crate::event::{EventFacts, EventKind};
use crate::notify::fact;
use crate::payment::Payment;
use crate::posting_rules::{self, SPENDABLE};
use crate::refund::RefundInPlay;
use crate::{MerchantId, Mode, Outcome, RefundId, Refusal, ShareId, Snapshot, TaskId, Verdict, Write};

/// A receiver has not what it is to give back.
pub(crate) struct ReceiverShort {
    pub(crate) account: String,
    /// What it has.
    pub(crate) highest: Money,
}

/// From which of the receivers' money the lines of a refund would be drawn: first what of the payment is unsettled with them.
pub(crate) fn line_draws(draft: &Draft<'_>, in_play: &RefundInPlay) -> Result<Vec<LineDraw>, ReceiverShort> {
    let RefundInPlay { refund, payment } = in_play;
    let Some(of) = &refund.sharing else { return Ok(Vec::new()) };
    let draw = |line: &ReturnLine| {
        let part = payment.sharing.as_ref().and_then(|sharing| sharing.receivers.get(&line.receiver_id));
        let unsettled_minor = part.map_or(0, |part| part.unsettled_minor).clamp(0, line.amount_minor);
        let available_minor = line.amount_minor - unsettled_minor;
        let spendable = spendable(draft, line.receiver_id, payment.currency());
        if available_minor > spendable {
            let highest = Money::new(unsettled_minor.saturating_add(spendable.max(0)), payment.currency());
            return Err(ReceiverShort { account: line.account.clone(), highest });
        }
        Ok(LineDraw { unsettled_minor, available_minor })
    };
    of.lines.iter().map(draw).collect()
}

/// What of a merchant's available money can be taken for somebody else's payment: nothing while its own refunds wait for it.
pub(super) fn spendable(draft: &Draft<'_>, merchant_id: MerchantId, currency: Currency) -> i64 {
    match draft.waiting(merchant_id, currency) {
        0 => draft.balance(merchant_id, SPENDABLE, currency).max(0),
        _ => 0,
    }
}

/// The receivers give their lines back: each in a book of its own.
pub(crate) fn take_lines(draft: &mut Draft<'_>, in_play: &mut RefundInPlay, draws: Vec<LineDraw>) -> Result<(), Refusal> {
    let RefundInPlay { refund, payment } = in_play;
    let currency = payment.currency();
    let facts = line_facts(refund.id, payment);
    let Some(of) = &mut refund.sharing else { return Ok(()) };
    for (line, drawn) in of.lines.iter_mut().zip(draws) {
        line.drawn = Some(drawn);
        add_unsettled(payment, line.receiver_id, -drawn.unsettled_minor);
        let about = About::merchant(line.receiver_id);
        draft.book("share_returned", about, posting_rules::line_returned(line.receiver_id, currency, drawn))?;
        draft.tell(EventKind::ShareReturned, about, with_amount(&facts, line.amount_minor, currency));
    }
    Ok(())
}

/// A refund did not come about, or came back: its lines are the receivers' again, where the payment's money lives now.
pub(crate) fn restore_lines(draft: &mut Draft<'_>, in_play: &mut RefundInPlay) -> Result<(), Refusal> {
    let RefundInPlay { refund, payment } = in_play;
    let currency = payment.currency();
    let facts = line_facts(refund.id, payment);
    let lines = refund.sharing.iter().flat_map(|of| &of.lines);
    for (line, drawn) in lines.filter_map(|line| Some((line, line.drawn?))) {
        let unsettled_minor = if payment.settled { 0 } else { drawn.unsettled_minor };
        let received = LineDraw { unsettled_minor, available_minor: line.amount_minor - unsettled_minor };
        add_unsettled(payment, line.receiver_id, unsettled_minor);
        receive(draft, "share_restored", (line.receiver_id, currency), received)?;
        draft.tell(EventKind::ShareRestored, About::merchant(line.receiver_id), with_amount(&facts, line.amount_minor, currency));
    }
    Ok(())
}

/// Money of a share comes into a receiver's book; its refunds that wait are looked at.
pub(super) fn receive(
    draft: &mut Draft<'_>,
    cause: &'static str,
    (receiver_id, currency): (MerchantId, Currency),
    received: LineDraw,
) -> Result<(), Refusal> {
    draft.book(cause, About::merchant(receiver_id), posting_rules::share_received(receiver_id, currency, received))?;
    if received.available_minor > 0 {
        draft.serve_waiting(receiver_id, currency);
    }
    Ok(())
}

/// The payment is settled: what receivers have of it becomes available with them.
pub(crate) fn settle_receivers(draft: &mut Draft<'_>, payment: &mut Payment) -> Result<(), Refusal> {
    let currency = payment.currency();
    let Some(sharing) = &mut payment.sharing else { return Ok(()) };
    for (receiver_id, part) in &mut sharing.receivers {
        let amount = Money::new(std::mem::take(&mut part.unsettled_minor), currency);
        if amount.is_positive() {
            draft.book("share_settled", About::merchant(*receiver_id), posting_rules::share_settled(*receiver_id, amount))?;
            draft.serve_waiting(*receiver_id, currency);
        }
    }
    Ok(())
}

/// Receivers had paid back what was advanced in a refund that came back since: they get it again, first those with the lowest id.
pub(crate) fn undo_recoveries(draft: &mut Draft<'_>, payment: &mut Payment) -> Result<(), Refusal> {
    let (giver_id, currency, about) = (payment.merchant_id, payment.currency(), About::payment(payment));
    let Some(sharing) = &mut payment.sharing else { return Ok(()) };
    let mut excess = sharing.advanced_minor.saturating_neg();
    for (receiver_id, part) in &mut sharing.receivers {
        let minor = excess.min(part.recovered_minor);
        if minor <= 0 {
            continue;
        }
        excess -= minor;
        part.recovered_minor -= minor;
        part.returned_minor -= minor;
        sharing.advanced_minor = sharing.advanced_minor.saturating_add(minor);
        let amount = Money::new(minor, currency);
        draft.book("recovery_undone", about, posting_rules::recovery_undone(giver_id, amount))?;
        receive(draft, "share_restored", (*receiver_id, currency), LineDraw { unsettled_minor: 0, available_minor: minor })?;
        draft.tell(EventKind::ShareRestored, About::merchant(*receiver_id), vec![fact("amount", amount)]);
    }
    Ok(())
}

/// A refund before their time cancels all planned shares of its payment, whatever becomes of the refund.
pub(crate) fn cancel_planned(draft: &mut Draft<'_>, payment: &mut Payment, refund_id: RefundId) {
    let planned = payment.sharing.as_mut().map(|sharing| std::mem::take(&mut sharing.planned)).unwrap_or_default();
    for share_id in planned {
        if let Some(share) = draft.snapshot().shares.get(&(payment.merchant_id, share_id)) {
            let why = ShareCancelReason::ByRefund { refund_id };
            end(draft, share.clone(), ShareState::Cancelled { at: draft.now(), why }, vec![fact("refund_id", refund_id)]);
        }
    }
}

/// Writes the end of a share, tells of it, and removes its next step.
pub(super) fn end(draft: &mut Draft<'_>, mut share: Share, state: ShareState, extra: EventFacts) -> Share {
    let kind = match &state {
        ShareState::Succeeded { .. } => EventKind::ShareSucceeded,
        ShareState::Cancelled { .. } => EventKind::ShareCancelled,
        ShareState::Planned { .. } | ShareState::Running | ShareState::Failed { .. } => EventKind::ShareFailed,
    };
    share.state = state;
    share.updated_at = draft.now();
    draft.remove_task(share.merchant_id, TaskId::new(share.id.get()));
    draft.tell_of_share(kind, &share, extra);
    draft.changes().shares.insert((share.merchant_id, share.id), Write::Update(share.clone()));
    share
}

/// A share and its payment. A caller of the other mode learns nothing of it.
pub(super) fn find(
    snapshot: &Snapshot,
    merchant_id: MerchantId,
    share_id: ShareId,
    mode: Option<Mode>,
) -> Result<(Share, Payment), Refusal> {
    let share = snapshot.shares.get(&(merchant_id, share_id)).filter(|share| mode.is_none_or(|mode| share.mode == mode));
    let share = share.ok_or(Refusal::UnknownShare)?;
    let payment = snapshot.payments.get(&(merchant_id, share.payment_id)).ok_or(Refusal::UnknownPayment)?;
    Ok((share.clone(), payment.clone()))
}

/// The verdict: the share as it stands now, with its payment written.
pub(super) fn finish(mut draft: Draft<'_>, share: Share, mut payment: Payment) -> Verdict {
    payment.updated_at = draft.now();
    draft.changes().payments.insert((payment.merchant_id, payment.id), Write::Update(payment));
    draft.finish(Outcome::Share { share: Box::new(share), replayed: false })
}

fn add_unsettled(payment: &mut Payment, receiver_id: MerchantId, minor: i64) {
    if let Some(part) = payment.sharing.as_mut().and_then(|sharing| sharing.receivers.get_mut(&receiver_id)) {
        part.unsettled_minor = part.unsettled_minor.saturating_add(minor);
    }
}

fn line_facts(refund_id: RefundId, payment: &Payment) -> EventFacts {
    vec![fact("refund_id", refund_id), fact("giver_id", payment.merchant_id), fact("payment_reference", &payment.payment_reference)]
}

fn with_amount(facts: &EventFacts, minor: i64, currency: Currency) -> EventFacts {
    facts.iter().cloned().chain([fact("amount", Money::new(minor, currency))]).collect()
}
