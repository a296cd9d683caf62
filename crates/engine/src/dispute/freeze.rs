//! What an open dispute means for refunds: a retrieval and a chargeback freeze them, and a refund that accepts a retrieval ends it (接受退款).

use super::{Dispute, DisputeKind, DisputeState, change};
use crate::command::CreateRefund;
use crate::draft::Draft;
use crate::payment::Payment;
use crate::{RefundId, Refusal, Snapshot};

/// Whether the payment's disputes let a refund pass, and the dispute that it accepts.
pub(crate) fn check<'a>(snapshot: &'a Snapshot, act: &CreateRefund, payment: &Payment) -> Result<Option<&'a Dispute>, Refusal> {
    let accepted = accepted(snapshot, act, payment)?;
    let accepts = |kind: DisputeKind| accepted.is_some_and(|dispute| dispute.kind == kind);
    if payment.open_retrievals > 0 && !accepts(DisputeKind::Retrieval) {
        return Err(Refusal::RetrievalOpen);
    }
    // The provider of the method settles its dispute by the refund, whatever else is open.
    if payment.open_chargebacks > 0 && !accepts(DisputeKind::Dispute) {
        return Err(Refusal::ChargebackOpen);
    }
    Ok(accepted)
}

fn accepted<'a>(snapshot: &'a Snapshot, act: &CreateRefund, payment: &Payment) -> Result<Option<&'a Dispute>, Refusal> {
    let Some(id) = act.accepts_dispute else { return Ok(None) };
    let dispute = snapshot.disputes.get(&(act.merchant_id, id)).filter(|dispute| dispute.payment_id == payment.id);
    let dispute = dispute.ok_or_else(|| Refusal::Unknown { what: "dispute".to_owned() })?;
    if dispute.kind.moves_money() || !dispute.is_open() {
        return Err(Refusal::DisputeStateForbids { state: dispute.state, verb: "be accepted with a refund".to_owned() });
    }
    Ok(Some(dispute))
}

/// The refund is accepted, and with it the dispute: nothing more is to be answered, whatever becomes of the refund.
pub(crate) fn accept_with_refund(draft: &mut Draft<'_>, dispute: &Dispute, payment: &mut Payment, refund_id: RefundId) {
    let mut dispute = dispute.clone();
    dispute.state = DisputeState::Accepted;
    dispute.body.refund_id = Some(refund_id);
    if dispute.kind == DisputeKind::Retrieval {
        payment.open_retrievals = payment.open_retrievals.saturating_sub(1);
    }
    change::finish(draft, dispute, payment.clone());
}
