//! Payments whose money is in a payout that is prepared and not sent: where the policy says so, they are not refunded until it is sent or given up.

use super::{InPreparation, PayoutKind};
use crate::payment::Payment;
use crate::policy::Policy;
use crate::{Refusal, Snapshot, Timestamp};

/// Whether a refund of the payment would change what a payout is being made of.
pub(crate) fn check_freeze(snapshot: &Snapshot, payment: &Payment, policy: &Policy) -> Result<(), Refusal> {
    if !policy.refuse_in_payout {
        return Ok(());
    }
    let Some(pots) = snapshot.pots.get(&(payment.merchant_id, payment.home_currency())) else { return Ok(()) };
    let holds = |kind, came_at: Option<Timestamp>| pots.in_preparation(kind).zip(came_at).is_some_and(|(payout, at)| covers(payout, at));
    if holds(PayoutKind::Trade, payment.settling.settled_at) {
        return Err(Refusal::PayoutInPreparation);
    }
    if holds(PayoutKind::Reserve, payment.settling.reserve_released_at) {
        return Err(Refusal::ReserveInSettlement);
    }
    Ok(())
}

fn covers(payout: &InPreparation, at: Timestamp) -> bool {
    payout.from.is_none_or(|from| from <= at) && at <= payout.to
}
