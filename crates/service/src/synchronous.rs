//! Terminals whose callers wait for the end of a refund: the answer comes when the acquirer's does, or when the time is over.

use refundry_engine::payment::PaymentKey;
use refundry_engine::policy::Policy;
use refundry_engine::refund::{Refund, RefundState};
use refundry_engine::{Act, Command, RefundId, Timestamp};

use crate::Service;
use crate::caller::Caller;
use crate::error::ServiceError;
use crate::refunds::{Accepted, DialectRules, NewRefund, command, decided, read};
use crate::waiting::Waiter;

/// Milliseconds after which a waiting answer looks at the refund itself.
const LOOK_MS: i64 = 250;

/// As [`refunds::create`](crate::refunds::create), but where the terminal's rules say so the answer waits for the refund's end; the second value
/// says whether they do.
pub async fn create_and_wait(
    service: &Service,
    caller: &Caller,
    rules: DialectRules,
    new: NewRefund,
) -> Result<(Accepted, bool), ServiceError> {
    let command = command(service, caller, rules, new).await?;
    let Some(waits) = Waits::of(caller) else { return Ok((decided(service, command).await?, false)) };
    let (now, own_id) = (command.stamp.now, refund_id_of(&command));
    let mut waiter = service.observer.waiting.register(own_id);
    let mut accepted = decided(service, command).await?;
    let wait_ms = waits.wait_ms(service, caller, &accepted.refund).await?;
    if wait_ms == 0 || !ends_soon(&accepted.refund.state) {
        return Ok((accepted, wait_ms > 0));
    }
    if accepted.refund.id != own_id {
        // A replay: its end may have come between its reading and now.
        waiter = service.observer.waiting.register(accepted.refund.id);
        accepted.refund = Box::new(read(service, accepted.refund.merchant_id, accepted.refund.id).await?);
    }
    if !accepted.refund.state.is_final() {
        accepted.refund = Box::new(end_of(service, &accepted.refund, &mut waiter, now.plus_ms(wait_ms.into())).await?);
    }
    Ok((accepted, true))
}

/// The refund at its end, or as it stands at `until`. Commits of this process wake the waiter; those of another, whose workers may have the
/// refund, are looked for now and then.
async fn end_of(service: &Service, refund: &Refund, waiter: &mut Waiter, until: Timestamp) -> Result<Refund, ServiceError> {
    let clock = service.world.clock.as_ref();
    loop {
        let look_at = clock.now().plus_ms(LOOK_MS).min(until);
        if let Some(ended) = waiter.until(look_at, clock).await {
            return Ok(ended);
        }
        let found = read(service, refund.merchant_id, refund.id).await?;
        if found.state.is_final() || until <= clock.now() {
            return Ok(found);
        }
    }
}

/// Whether and how long the caller's terminal waits: known without reading anything, except where the payment's method decides.
enum Waits {
    Always(u32),
    ByMethod,
}

impl Waits {
    fn of(caller: &Caller) -> Option<Self> {
        let (terminal, merchant) = (caller.terminal.as_ref()?, caller.merchant.as_ref()?);
        if terminal.method_policies.values().any(|patch| patch.synchronous_wait_ms.is_some()) {
            return Some(Self::ByMethod);
        }
        let wait_ms = terminal.policy.synchronous_wait_ms.or(merchant.policy.synchronous_wait_ms);
        match wait_ms.unwrap_or(Policy::default().synchronous_wait_ms) {
            0 => None,
            wait_ms => Some(Self::Always(wait_ms)),
        }
    }

    async fn wait_ms(&self, service: &Service, caller: &Caller, refund: &Refund) -> Result<u32, ServiceError> {
        let (terminal, merchant) = match self {
            Self::Always(wait_ms) => return Ok(*wait_ms),
            Self::ByMethod => (&caller.terminal, &caller.merchant),
        };
        let key = PaymentKey::Id(refund.payment_id);
        let payment = service.world.store.payment(refund.merchant_id, &key).await?;
        let (Some(terminal), Some(merchant), Some(payment)) = (terminal, merchant, payment) else { return Ok(0) };
        Ok(terminal.policy_for(merchant, &payment.method).synchronous_wait_ms)
    }
}

/// Whether waiting makes sense: what is held by a person or for want of money does not end in seconds.
fn ends_soon(state: &RefundState) -> bool {
    match state {
        RefundState::Pending { holds } => holds.is_empty(),
        RefundState::Submitted { .. } | RefundState::Unresolved { .. } => true,
        RefundState::Succeeded { .. } | RefundState::Failed { .. } | RefundState::Cancelled { .. } | RefundState::Returned { .. } => false,
    }
}

fn refund_id_of(command: &Command) -> RefundId {
    match &command.act {
        Act::CreateRefund(act) => act.refund_id,
        other => unreachable!("only a new refund is waited for, not {other:?}"),
    }
}
