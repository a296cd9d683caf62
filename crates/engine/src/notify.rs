//! Who hears of an event, and what an event of a refund says.

use refundry_ledger::Money;

use crate::event::{EventFacts, EventKind};
use crate::merchant::Endpoint;
use crate::notification::Recipient;
use crate::payment::Payment;
use crate::refund::{Refund, RefundInPlay, RefundState};
use crate::review_rule::ReviewTrigger;
use crate::share::Share;
use crate::{MerchantId, Snapshot, TerminalId};

/// Everybody who hears of an event: the dialect's address, when there is one, and the native endpoints that want the kind.
pub(crate) fn recipients(
    snapshot: &Snapshot,
    kind: EventKind,
    merchant_id: MerchantId,
    address: Option<Recipient>,
) -> impl Iterator<Item = Recipient> + use<> {
    let endpoints: Vec<Recipient> = match snapshot.merchants.get(&merchant_id) {
        Some(merchant) => merchant.endpoints.iter().filter(|end| wants(end, kind)).map(|end| Recipient::Endpoint(end.id)).collect(),
        None => Vec::new(),
    };
    address.into_iter().chain(endpoints)
}

/// Where a dialect hears of a refund's event, for what dialects have words for.
pub(crate) fn refund_address(snapshot: &Snapshot, kind: EventKind, in_play: &RefundInPlay) -> Option<Recipient> {
    if is_told_in_dialects(kind) { dialect_address(snapshot, in_play) } else { None }
}

/// Where a dialect hears of a share: of its end, at the address that it was asked for with, and nowhere else.
pub(crate) fn share_address(share: &Share) -> Option<Recipient> {
    share.state.ended_at()?;
    Some(Recipient::Dialect { terminal_id: share.terminal_id, url: share.notify_url.clone()? })
}

/// The payment's address, else its terminal's: where a dialect hears of disputes.
pub(crate) fn payment_address(snapshot: &Snapshot, payment: &Payment) -> Option<Recipient> {
    let terminal = snapshot.terminals.get(&(payment.merchant_id, payment.terminal_id));
    let of_terminal = || terminal.and_then(|terminal| terminal.notify_url.as_ref());
    let url = payment.notify_url.as_ref().or_else(of_terminal)?;
    Some(Recipient::Dialect { terminal_id: payment.terminal_id, url: url.clone() })
}

/// The address that was named with an order.
pub(crate) fn order_address(payment: &Payment) -> Option<Recipient> {
    let url = payment.notify_url.clone()?;
    Some(Recipient::Dialect { terminal_id: payment.terminal_id, url })
}

/// The address in the request, else the payment's, else that of the terminal that asked, else that of the one that took the payment. Who asked by
/// way of another dialect than the payment's is told there, but the payment's address hears the dialect that it was given for.
fn dialect_address(snapshot: &Snapshot, in_play: &RefundInPlay) -> Option<Recipient> {
    let RefundInPlay { refund, payment } = in_play;
    let [asked, paid] = [refund.terminal_id, payment.terminal_id].map(|id| snapshot.terminals.get(&(refund.merchant_id, id)));
    let one_dialect = asked.zip(paid).is_none_or(|(asked, paid)| asked.dialect == paid.dialect);
    let speaks_of_payment = if one_dialect { refund.terminal_id } else { payment.terminal_id };
    let of = |terminal_id: TerminalId, url: Option<&String>| url.map(|url| Recipient::Dialect { terminal_id, url: url.clone() });
    of(refund.terminal_id, refund.notify_url.as_ref())
        .or_else(|| of(speaks_of_payment, payment.notify_url.as_ref()))
        .or_else(|| of(refund.terminal_id, asked?.notify_url.as_ref()))
        .or_else(|| of(payment.terminal_id, paid?.notify_url.as_ref()))
}

fn wants(endpoint: &Endpoint, kind: EventKind) -> bool {
    endpoint.enabled && (endpoint.events.is_empty() || endpoint.events.iter().any(|word| word == kind.word()))
}

/// The ends of a refund and what comes after; a dialect drops what it has no word for.
const fn is_told_in_dialects(kind: EventKind) -> bool {
    match kind {
        EventKind::RefundSucceeded
        | EventKind::RefundFailed
        | EventKind::RefundCancelled
        | EventKind::RefundArnRecorded
        | EventKind::RefundReturned
        | EventKind::ChargebackOpened
        | EventKind::ChargebackRepresented
        | EventKind::ChargebackAccepted
        | EventKind::ChargebackWon
        | EventKind::ChargebackLost
        | EventKind::ChargebackWithdrawn
        | EventKind::DisputeOpened
        | EventKind::DisputeRepresented
        | EventKind::DisputeAccepted
        | EventKind::DisputeWon
        | EventKind::DisputeLost
        | EventKind::DisputeWithdrawn
        | EventKind::DisputeClosed
        | EventKind::RetrievalOpened
        | EventKind::RetrievalAnswered
        | EventKind::RetrievalAccepted
        | EventKind::RetrievalReversed
        | EventKind::RetrievalClosed
        | EventKind::FraudReported
        | EventKind::FraudAccepted
        | EventKind::FraudClosed => true,
        // A share's own address is said where it is told.
        EventKind::SharePlanned
        | EventKind::ShareAccepted
        | EventKind::ShareSucceeded
        | EventKind::ShareCancelled
        | EventKind::ShareFailed
        | EventKind::ShareReceived
        | EventKind::ShareReturned
        | EventKind::ShareRestored
        | EventKind::AdvanceRecovered
        | EventKind::PaymentRecorded
        | EventKind::PaymentUpdated
        | EventKind::PaymentCaptured
        | EventKind::PaymentVoided
        | EventKind::PaymentSettled
        | EventKind::PaymentReviewed
        | EventKind::PaymentReconciled
        | EventKind::ReserveReleased
        | EventKind::TrackingRecorded
        | EventKind::ShipmentChanged
        | EventKind::FixedReserveReleased
        | EventKind::ToppedUp
        | EventKind::PayoutPrepared
        | EventKind::PayoutSent
        | EventKind::PayoutPaid
        | EventKind::PayoutFailed
        | EventKind::PayoutReturned
        | EventKind::PayoutCancelled
        | EventKind::FundsAdjusted
        | EventKind::RefundAccepted
        | EventKind::RefundApproved
        | EventKind::RefundEdited
        | EventKind::RefundUndoEnded
        | EventKind::RefundReleased
        | EventKind::RefundSubmitted
        | EventKind::RefundUnresolved => false,
    }
}

/// What every event of a refund says.
pub(crate) fn refund_facts(refund: &Refund) -> EventFacts {
    vec![
        fact("refund_id", refund.id),
        fact("payment_reference", &refund.payment_reference),
        fact("number", &refund.number),
        fact("amount", refund.amount),
        fact("state", refund.state.name().word()),
    ]
}

/// What every event of a share says.
pub(crate) fn share_facts(share: &Share) -> EventFacts {
    let currency = share.lines.first().map(|line| line.amount.currency());
    let amount = currency.map(|currency| fact("amount", Money::new(share.sum_minor(), currency)));
    [
        fact("share_id", share.id),
        fact("payment_reference", &share.payment_reference),
        fact("number", &share.number),
        fact("state", share.state.name().word()),
    ]
    .into_iter()
    .chain(amount)
    .collect()
}

/// What holds a pending refund, when something does.
pub(crate) fn hold_facts(refund: &Refund) -> EventFacts {
    let RefundState::Pending { holds } = &refund.state else {
        return EventFacts::new();
    };
    let names = [("review", holds.review.is_some()), ("funds", holds.funds.is_some()), ("delay", holds.delay_until.is_some())];
    let names: Vec<&str> = names.into_iter().filter_map(|(name, holds)| holds.then_some(name)).collect();
    if names.is_empty() {
        return EventFacts::new();
    }
    let missing = holds.funds.as_ref().map(|funds| fact("missing", Money::new(funds.missing_minor, refund.funding_currency())));
    let caught_by = holds.review.as_ref().map(|review| review.caught_by.iter().map(ReviewTrigger::word).collect::<Vec<_>>().join(" "));
    let caught_by = caught_by.filter(|words| !words.is_empty()).map(|words| fact("review_rules", words));
    [fact("holds", names.join(" "))].into_iter().chain(caught_by).chain(missing).collect()
}

/// One fact by name.
pub(crate) fn fact(name: &str, value: impl ToString) -> (String, String) {
    (name.to_owned(), value.to_string())
}
