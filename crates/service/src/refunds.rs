//! Refunds on request: create, cancel, review, find, list. Each stamps a command and queues it, or reads.

use refundry_dialects::{DialectEntry, KeyScope, RefundInquiry, RefundWish};
use refundry_engine::command::{CancelRefund, CreateRefund, ReviewRefund};
use refundry_engine::event::Event;
use refundry_engine::idempotency::{IdempotencyKey, RememberedDecision};
use refundry_engine::policy::Policy;
use refundry_engine::refund::{Refund, RefundState};
use refundry_engine::task::Task;
use refundry_engine::{Act, Command, MerchantId, Outcome, RefundId, Refusal, TaskId, TerminalId, Timestamp};
use refundry_ledger::Money;
use refundry_store::{Page, PageRequest, RefundFilter};

use crate::Service;
use crate::caller::Caller;
use crate::error::ServiceError;
use crate::permissions::Permission;

/// What of a dialect decides about idempotency.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DialectRules {
    /// The name in storage.
    pub name: &'static str,
    /// Within what a refund number is unique.
    pub key_scope: KeyScope,
    /// Whether refusals that come after the replay check are remembered.
    pub remembers_refusals: bool,
}

/// The native API: a number is the merchant's, and a refused one is free again.
pub const NATIVE: DialectRules = DialectRules { name: "native", key_scope: KeyScope::Merchant, remembers_refusals: false };

/// A wish for a refund, and for whom.
#[derive(Clone, Debug)]
pub struct NewRefund {
    /// Whose; may be left out by callers that act for one merchant.
    pub merchant_id: Option<MerchantId>,
    /// The channel that asks; left out, it is the caller's own or the payment's.
    pub terminal_id: Option<TerminalId>,
    /// What is wished.
    pub wish: RefundWish,
    /// Decide and say what would happen, change nothing.
    pub dry_run: bool,
}

/// A refund that was accepted, now or before.
#[derive(Clone, Debug, PartialEq)]
pub struct Accepted {
    /// As it stands.
    pub refund: Box<Refund>,
    /// Whether the number had been used for it before.
    pub replayed: bool,
    /// What is left of the payment.
    pub refundable: Money,
}

/// A refund with how it came to stand where it stands.
#[derive(Clone, Debug, PartialEq)]
pub struct RefundStory {
    /// As it stands.
    pub refund: Refund,
    /// What happened, oldest first.
    pub timeline: Vec<Event>,
    /// The next automatic step, if there is one.
    pub next: Option<Task>,
    /// When it was read.
    pub now: Timestamp,
}

/// A person's decision about a refund in review.
#[derive(Clone, Debug)]
pub struct Review {
    /// Whose; may be left out by callers that act for one merchant.
    pub merchant_id: Option<MerchantId>,
    /// Which.
    pub refund_id: RefundId,
    /// Let it pass, or not.
    pub approve: bool,
    /// Why.
    pub note: String,
    /// The amount that the person saw.
    pub seen_amount: Money,
}

/// Asks for a refund and says how it stands right after the decision.
pub async fn create(service: &Service, caller: &Caller, rules: DialectRules, new: NewRefund) -> Result<Accepted, ServiceError> {
    let command = command(service, caller, rules, new).await?;
    decided(service, command).await
}

/// As [`create`], but where the terminal's rules say so the answer waits for the refund's end; the second value says whether they do.
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
    if !accepted.refund.state.is_final()
        && let Some(ended) = waiter.until(now.plus_ms(wait_ms.into()), service.world.clock.as_ref()).await
    {
        accepted.refund = Box::new(ended);
    }
    Ok((accepted, true))
}

/// Takes a refund back while nothing has been sent.
pub async fn cancel(
    service: &Service,
    caller: &Caller,
    merchant_id: Option<MerchantId>,
    refund_id: RefundId,
) -> Result<Refund, ServiceError> {
    caller.must(Permission::RefundsWrite)?;
    let merchant_id = caller.merchant_id(merchant_id)?;
    let act = Act::CancelRefund(CancelRefund { merchant_id, mode: caller.mode, refund_id });
    refund_after(service, merchant_id, refund_id, service.transact(caller, act).await?).await
}

/// Decides about a refund in review.
pub async fn review(service: &Service, caller: &Caller, review: Review) -> Result<Refund, ServiceError> {
    caller.must(Permission::RefundsReview)?;
    let merchant_id = caller.merchant_id(review.merchant_id)?;
    let Review { refund_id, approve, note, seen_amount, .. } = review;
    let act = ReviewRefund { merchant_id, mode: caller.mode, refund_id, approve, note, seen_amount };
    refund_after(service, merchant_id, refund_id, service.transact(caller, Act::ReviewRefund(act)).await?).await
}

/// One refund. A credential of a terminal sees the refunds of all terminals of its merchant.
pub async fn find(
    service: &Service,
    caller: &Caller,
    merchant_id: Option<MerchantId>,
    refund_id: RefundId,
) -> Result<Refund, ServiceError> {
    caller.must(Permission::RefundsRead)?;
    let merchant_id = caller.merchant_id(merchant_id)?;
    let refund = service.world.store.refund(merchant_id, refund_id).await?;
    Ok(refund.filter(|refund| refund.mode == caller.mode).ok_or(Refusal::UnknownRefund)?)
}

/// The refund that was accepted under a number; a refused one was never a refund.
pub async fn find_by_number(
    service: &Service,
    caller: &Caller,
    rules: DialectRules,
    merchant_id: Option<MerchantId>,
    number: &str,
) -> Result<Refund, ServiceError> {
    caller.must(Permission::RefundsRead)?;
    let merchant_id = caller.merchant_id(merchant_id)?;
    let terminal_id = caller.terminal.as_ref().map(|terminal| terminal.id);
    let key = key(rules, merchant_id, terminal_id, number.to_owned());
    let Some(remembered) = service.world.store.remembered(&key).await? else { return Err(Refusal::UnknownRefund.into()) };
    match remembered.decision {
        RememberedDecision::Accepted(refund_id) => find(service, caller, Some(merchant_id), refund_id).await,
        RememberedDecision::Refused(_) | RememberedDecision::ToppedUp => Err(Refusal::UnknownRefund.into()),
    }
}

/// What an inquiry of a dialect asks for.
pub async fn inquire(service: &Service, caller: &Caller, rules: DialectRules, inquiry: &RefundInquiry) -> Result<Refund, ServiceError> {
    match inquiry {
        RefundInquiry::Id(refund_id) => find(service, caller, None, *refund_id).await,
        RefundInquiry::Number(number) => find_by_number(service, caller, rules, None, number).await,
        RefundInquiry::Nonsense => Err(Refusal::UnknownRefund.into()),
    }
}

/// One refund with its timeline and its next step.
pub async fn story(
    service: &Service,
    caller: &Caller,
    merchant_id: Option<MerchantId>,
    refund_id: RefundId,
) -> Result<RefundStory, ServiceError> {
    let refund = find(service, caller, merchant_id, refund_id).await?;
    let store = &service.world.store;
    let timeline = store.timeline(refund.merchant_id, refund_id).await?;
    let next = if refund.state.is_final() { None } else { store.task(refund.merchant_id, TaskId::new(refund_id.get())).await? };
    Ok(RefundStory { refund, timeline, next, now: service.world.now() })
}

/// Refunds, newest first. The mode of the filter is always the caller's.
pub async fn list(service: &Service, caller: &Caller, mut filter: RefundFilter, page: PageRequest) -> Result<Page<Refund>, ServiceError> {
    caller.must(Permission::RefundsRead)?;
    filter.merchant_id = caller.merchant_of_list(filter.merchant_id)?;
    filter.mode = Some(caller.mode);
    Ok(service.world.store.refunds(&filter, page).await?)
}

impl From<&DialectEntry> for DialectRules {
    fn from(entry: &DialectEntry) -> Self {
        Self { name: entry.name, key_scope: entry.key_scope, remembers_refusals: entry.remembers_refusals }
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
        let key = refundry_engine::payment::PaymentKey::Id(refund.payment_id);
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

async fn command(service: &Service, caller: &Caller, rules: DialectRules, new: NewRefund) -> Result<Command, ServiceError> {
    caller.must(Permission::RefundsWrite)?;
    let merchant_id = caller.merchant_id(new.merchant_id)?;
    let terminal_id = terminal_id(service, caller, merchant_id, &new).await?;
    let mut stamp = service.world.stamp(caller.actor());
    let wish = new.wish;
    let act = CreateRefund {
        refund_id: RefundId::new(stamp.ids.take()),
        merchant_id,
        terminal_id,
        mode: caller.mode,
        key: key(rules, merchant_id, Some(terminal_id), wish.number),
        compared: wish.compared,
        remember_refusals: rules.remembers_refusals,
        payment: wish.payment,
        marketing: wish.marketing.unwrap_or(Money::zero(wish.amount.currency())),
        amount: wish.amount,
        expected_remaining: wish.expected_remaining,
        merchant_reference: wish.merchant_reference,
        reason: wish.reason,
        metadata: wish.metadata,
        notify_url: wish.notify_url,
        dry_run: new.dry_run,
    };
    Ok(Command { stamp, act: Act::CreateRefund(Box::new(act)) })
}

async fn terminal_id(service: &Service, caller: &Caller, merchant_id: MerchantId, new: &NewRefund) -> Result<TerminalId, ServiceError> {
    if let Some(own) = &caller.terminal {
        let same = new.terminal_id.is_none_or(|named| named == own.id);
        return if same { Ok(own.id) } else { Err(Refusal::UnknownTerminal.into()) };
    }
    if let Some(named) = new.terminal_id {
        return Ok(named);
    }
    let payment = service.world.store.payment(merchant_id, &new.wish.payment).await?;
    let payment = payment.filter(|payment| payment.mode == caller.mode);
    Ok(payment.ok_or(Refusal::UnknownPayment)?.terminal_id)
}

fn key(rules: DialectRules, merchant_id: MerchantId, terminal_id: Option<TerminalId>, number: String) -> IdempotencyKey {
    let scope = match rules.key_scope {
        KeyScope::Merchant => String::new(),
        KeyScope::Terminal => terminal_id.map(|id| id.to_string()).unwrap_or_default(),
    };
    IdempotencyKey { merchant_id, dialect: rules.name.to_owned(), scope, number }
}

fn refund_id_of(command: &Command) -> RefundId {
    match &command.act {
        Act::CreateRefund(act) => act.refund_id,
        other => unreachable!("only a new refund is waited for, not {other:?}"),
    }
}

async fn decided(service: &Service, command: Command) -> Result<Accepted, ServiceError> {
    match service.world.store.transact(command).await? {
        Outcome::Refund { refund, replayed, refundable } => Ok(Accepted { refund, replayed, refundable }),
        Outcome::Refused { refusal, .. } => Err(refusal.into()),
        other => unreachable!("a new refund is accepted or refused, not {other:?}"),
    }
}

async fn refund_after(service: &Service, merchant_id: MerchantId, refund_id: RefundId, outcome: Outcome) -> Result<Refund, ServiceError> {
    match outcome {
        Outcome::Refund { refund, .. } => Ok(*refund),
        _ => read(service, merchant_id, refund_id).await,
    }
}

async fn read(service: &Service, merchant_id: MerchantId, refund_id: RefundId) -> Result<Refund, ServiceError> {
    Ok(service.world.store.refund(merchant_id, refund_id).await?.ok_or(Refusal::UnknownRefund)?)
}
