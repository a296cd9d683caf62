//! Refunds on request: create, cancel, review, find, list. Each stamps a command and queues it, or reads.

use refundry_dialects::sharing::{AskedReturns, AskedShares, COMPARED_PAYMENT, NamedPayment};
use refundry_dialects::{DialectEntry, KeyScope, NumberedBy, RefundInquiry, RefundWish};
use refundry_engine::command::{CancelRefund, CreateRefund};
use refundry_engine::event::Event;
use refundry_engine::idempotency::{IdempotencyKey, NUMBER_LENGTH_MAX, Remembered, RememberedDecision, STAND_IN_SCOPE};
use refundry_engine::payment::{PaymentKey, REFERENCE_LENGTH_MAX};
use refundry_engine::refund::{BATCH_LENGTH_MAX, METADATA_LENGTH_MAX, REASON_LENGTH_MAX, Refund, URL_LENGTH_MAX};
use refundry_engine::share::{AskedLines, AskedSharing};
use refundry_engine::task::Task;
use refundry_engine::{Act, Command, DisputeId, Explanation, MerchantId, Outcome, RefundId, Refusal, TaskId, TerminalId, explain};
use refundry_ledger::Money;
use refundry_store::{Page, PageRequest, RefundFilter};

use crate::Service;
use crate::caller::Caller;
use crate::error::ServiceError;
use crate::merchants;
use crate::outgoing::check_url;
use crate::payments;
use crate::permissions::Permission;
use crate::receivers::{self, NamedLine};
use crate::texts::{check_kept, check_plain};

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

/// Seconds in which what was sent without a number is not done again, when nothing else is configured.
pub const STAND_IN_SECONDS: u32 = 600;

/// A wish for a refund, and for whom.
#[derive(Clone, Debug)]
pub struct NewRefund {
    /// Whose; may be left out by callers that act for one merchant.
    pub merchant_id: Option<MerchantId>,
    /// The channel that asks; left out, it is the caller's own or the payment's.
    pub terminal_id: Option<TerminalId>,
    /// What is wished.
    pub wish: RefundWish,
    /// The merchant's name for the refunds that it asks for together.
    pub batch: Option<String>,
    /// Decide and say what would happen, change nothing.
    pub dry_run: bool,
    /// The retrieval, dispute or report of fraud that is accepted by it.
    pub accepts_dispute: Option<DisputeId>,
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
    /// The merchant's order number of the payment.
    pub order_number: String,
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
    /// Why it stands there, whose turn it is, and what happens next.
    pub explanation: Explanation,
}

/// Asks for a refund and says how it stands right after the decision.
pub async fn create(service: &Service, caller: &Caller, rules: DialectRules, new: NewRefund) -> Result<Accepted, ServiceError> {
    let command = command(service, caller, rules, new).await?;
    decided(service, command).await
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
    check_kept("number", number)?;
    let terminal_id = caller.terminal.as_ref().map(|terminal| terminal.id);
    let key = key(rules, merchant_id, terminal_id, number.to_owned());
    let Some(remembered) = service.world.store.remembered(&key).await? else { return Err(Refusal::UnknownRefund.into()) };
    match remembered.decision {
        RememberedDecision::Accepted(refund_id) => find(service, caller, Some(merchant_id), refund_id).await,
        RememberedDecision::Refused(_)
        | RememberedDecision::ToppedUp
        | RememberedDecision::Shared(_)
        | RememberedDecision::Recovered
        | RememberedDecision::Proposed(_) => Err(Refusal::UnknownRefund.into()),
    }
}

/// What is remembered of a number, whatever became of it; nothing of a refund of the other mode.
pub async fn remembered(
    service: &Service,
    caller: &Caller,
    rules: DialectRules,
    merchant_id: Option<MerchantId>,
    number: &str,
) -> Result<Option<Remembered>, ServiceError> {
    caller.must(Permission::RefundsRead)?;
    let merchant = merchants::read(service, caller, caller.merchant_id(merchant_id)?).await?;
    check_kept("number", number)?;
    let terminal_id = caller.terminal.as_ref().map(|terminal| terminal.id);
    Ok(service.world.store.remembered(&key(rules, merchant.id, terminal_id, number.to_owned())).await?)
}

/// What an inquiry of a dialect asks for.
pub async fn inquire(service: &Service, caller: &Caller, rules: DialectRules, inquiry: &RefundInquiry) -> Result<Refund, ServiceError> {
    match inquiry {
        RefundInquiry::Id(refund_id) => find(service, caller, None, *refund_id).await,
        RefundInquiry::Number(number) => find_by_number(service, caller, rules, None, number).await,
        RefundInquiry::Both { id, number } => {
            let refund = find(service, caller, None, *id).await?;
            if refund.number == *number { Ok(refund) } else { Err(Refusal::Unknown { what: "refund_number".to_owned() }.into()) }
        }
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
    let explanation = explain(&refund, next.as_ref(), service.world.now());
    Ok(RefundStory { refund, timeline, next, explanation })
}

/// Refunds, newest first. The mode of the filter is always the caller's.
pub async fn list(service: &Service, caller: &Caller, mut filter: RefundFilter, page: PageRequest) -> Result<Page<Refund>, ServiceError> {
    caller.must(Permission::RefundsRead)?;
    filter.merchant_id = caller.merchant_of_list(filter.merchant_id)?;
    filter.number.as_deref().map_or(Ok(()), |number| check_kept("number", number))?;
    filter.mode = Some(caller.mode);
    Ok(service.world.store.refunds(&filter, page).await?)
}

impl From<&DialectEntry> for DialectRules {
    fn from(entry: &DialectEntry) -> Self {
        Self { name: entry.name, key_scope: entry.key_scope, remembers_refusals: entry.remembers_refusals }
    }
}

pub(crate) async fn command(service: &Service, caller: &Caller, rules: DialectRules, new: NewRefund) -> Result<Command, ServiceError> {
    caller.must(Permission::RefundsWrite)?;
    check_texts(&new.wish)?;
    check_batch(new.batch.as_deref())?;
    let merchant_id = caller.merchant_id(new.merchant_id)?;
    let terminal_id = terminal_id(caller, new.terminal_id)?;
    let mut wish = new.wish;
    let payment = payments::key_of(service, caller, new.merchant_id, wish.payment).await?;
    wish.compared.extend(payment.reference.map(|reference| (COMPARED_PAYMENT.to_owned(), reference)));
    let sharing = asked_sharing(service, caller, wish.sharing).await?;
    let mut stamp = service.world.stamp(caller.actor())?;
    let (key, key_seconds) = match wish.numbered_by {
        NumberedBy::Merchant => (key(rules, merchant_id, terminal_id, wish.number), None),
        NumberedBy::Proof => (stand_in_key(rules, merchant_id, wish.number), Some(service.stand_in_seconds)),
    };
    let act = CreateRefund {
        refund_id: RefundId::new(stamp.ids.take()),
        merchant_id,
        terminal_id,
        mode: caller.mode,
        key,
        key_seconds,
        compared: wish.compared,
        remember_refusals: rules.remembers_refusals,
        payment: payment.key,
        amount: wish.amount,
        extent: wish.extent,
        order: wish.order,
        marketing: wish.marketing,
        sharing,
        expected_remaining: wish.expected_remaining,
        merchant_reference: wish.merchant_reference,
        reason: wish.reason,
        metadata: wish.metadata,
        notify_url: wish.notify_url,
        accepts_dispute: new.accepts_dispute,
        batch: new.batch,
        dry_run: new.dry_run,
    };
    Ok(Command { stamp, act: Act::CreateRefund(Box::new(act)) })
}

/// The engine keeps texts as they come; how long they may be, and what they may hold, is checked once for all dialects.
fn check_texts(wish: &RefundWish) -> Result<(), Refusal> {
    let texts = [
        ("number", Some(&wish.number), NUMBER_LENGTH_MAX),
        ("merchant_reference", wish.merchant_reference.as_ref(), REFERENCE_LENGTH_MAX),
        ("reason", wish.reason.as_ref(), REASON_LENGTH_MAX),
        ("metadata", wish.metadata.as_ref(), METADATA_LENGTH_MAX),
        ("notify_url", wish.notify_url.as_ref(), URL_LENGTH_MAX),
    ];
    let wrong = |(_, text, longest): &(&str, Option<&String>, usize)| {
        text.is_some_and(|text| text.is_empty() || text.len() > *longest && text.chars().count() > *longest)
    };
    if let Some((field, _, longest)) = texts.into_iter().find(wrong) {
        return Err(Refusal::FieldInvalid { field: field.to_owned(), rule: format!("1 to {longest} letters, or left out") });
    }
    // Numbers and references go into lists, files and logs; what people write may have lines, but no database keeps a NUL.
    for (field, text, _) in texts {
        match (field, text) {
            (_, None) => {}
            ("number" | "merchant_reference", Some(text)) => check_plain(field, text)?,
            (_, Some(text)) => check_kept(field, text)?,
        }
    }
    if let NamedPayment::Key(PaymentKey::Reference(reference)) = &wish.payment {
        check_kept("payment_reference", reference)?;
    }
    wish.notify_url.as_deref().map_or(Ok(()), |url| check_url("notify_url", url))
}

/// What a wish says of shares, with the merchants that it names.
async fn asked_sharing(service: &Service, caller: &Caller, wish: Option<AskedShares>) -> Result<Option<Box<AskedSharing>>, ServiceError> {
    let Some(AskedShares { lines, advance }) = wish else { return Ok(None) };
    let lines = match lines {
        AskedReturns::ProRata => AskedLines::ProRata,
        AskedReturns::Named(lines) => {
            let lines = lines.into_iter().map(|part| NamedLine { receiver: part.account, amount: part.amount }).collect();
            AskedLines::Named(receivers::resolved(service, caller.mode, lines).await?)
        }
    };
    Ok(Some(Box::new(AskedSharing { lines, advance })))
}

fn check_batch(batch: Option<&str>) -> Result<(), Refusal> {
    let Some(batch) = batch else { return Ok(()) };
    check_plain("batch", batch)?;
    if (1..=BATCH_LENGTH_MAX).contains(&batch.chars().count()) {
        return Ok(());
    }
    Err(Refusal::FieldInvalid { field: "batch".to_owned(), rule: format!("1 to {BATCH_LENGTH_MAX} letters, or left out") })
}

/// The channel that asks: the caller's own, or the named one. Without either the decision takes the payment's.
fn terminal_id(caller: &Caller, named: Option<TerminalId>) -> Result<Option<TerminalId>, Refusal> {
    match &caller.terminal {
        Some(own) if named.is_some_and(|named| named != own.id) => Err(Refusal::UnknownTerminal),
        Some(own) => Ok(Some(own.id)),
        None => Ok(named),
    }
}

fn key(rules: DialectRules, merchant_id: MerchantId, terminal_id: Option<TerminalId>, number: String) -> IdempotencyKey {
    let scope = match rules.key_scope {
        KeyScope::Merchant => String::new(),
        KeyScope::Terminal => terminal_id.map(|id| id.to_string()).unwrap_or_default(),
    };
    IdempotencyKey { merchant_id, dialect: rules.name.to_owned(), scope, number }
}

/// What proved a request stands for the number that its caller did not give.
fn stand_in_key(rules: DialectRules, merchant_id: MerchantId, number: String) -> IdempotencyKey {
    IdempotencyKey { merchant_id, dialect: rules.name.to_owned(), scope: STAND_IN_SCOPE.to_owned(), number }
}

pub(crate) async fn decided(service: &Service, command: Command) -> Result<Accepted, ServiceError> {
    match service.world.commit(command).await? {
        Outcome::Refund { refund, replayed, refundable, order_number } => Ok(Accepted { refund, replayed, refundable, order_number }),
        Outcome::Refused { refusal, .. } => Err(refusal.into()),
        other => unreachable!("a new refund is accepted or refused, not {other:?}"),
    }
}

pub(crate) async fn refund_after(
    service: &Service,
    merchant_id: MerchantId,
    refund_id: RefundId,
    outcome: Outcome,
) -> Result<Refund, ServiceError> {
    match outcome {
        Outcome::Refund { refund, .. } => Ok(*refund),
        _ => read(service, merchant_id, refund_id).await,
    }
}

pub(crate) async fn read(service: &Service, merchant_id: MerchantId, refund_id: RefundId) -> Result<Refund, ServiceError> {
    Ok(service.world.store.refund(merchant_id, refund_id).await?.ok_or(Refusal::UnknownRefund)?)
}
