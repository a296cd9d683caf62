//! Carries out what somebody wants, as a caller of the running service would: asks, waits, and asks the same again while there is no clear answer.

mod adjusting;
mod antom;
mod authorisations;
mod disputes;
mod goods;
mod oceanpayment;
mod reviewing;
mod shares;
mod treasury;

use std::sync::Arc;

use refundry_dialects::RefundWish;
use refundry_dialects::sharing::{AskedReturns, AskedShares};
use refundry_engine::credential::Holder;
use refundry_engine::merchant::Terminal;
use refundry_engine::notification::NotificationState;
use refundry_engine::payment::{PaymentDetails, PaymentKey, PaymentStatus, SettlementQuote};
use refundry_engine::refund::RefundState;
use refundry_engine::{MerchantId, Mode, Refusal};
use refundry_ledger::{Currency, Money};
use refundry_service::error::ServiceError;
use refundry_service::notifications::ReplayRange;
use refundry_service::payments::NewPayment;
use refundry_service::permissions::{Permission, Permissions};
use refundry_service::refunds::{NATIVE, NewRefund};
use refundry_service::world::Clock as _;
use refundry_service::{Caller, Service, batches, funds, notifications, payments, refunds, synchronous};

pub use reviewing::review_all_of;

use crate::cast::LINKED;
use crate::model::Answer;
use crate::plan::{Door, PaymentWish, Rate, RefundRequest, Taken, Wish};
use crate::stage::Stage;

/// Milliseconds before the same is asked a second time; later waits are longer.
const FIRST_WAIT_MS: i64 = 1_500;
/// The longest wait.
const LAST_WAIT_MS: i64 = 60_000;

/// How one try ended.
enum Try {
    /// There is an answer, and the auditor knows it.
    Done,
    /// Nobody knows; the same again.
    Again,
}

/// Tries until there is an answer.
pub async fn carry_out(stage: Arc<Stage>, service: Arc<Service>, number: u32, wish: Wish) {
    let mut wait_ms = FIRST_WAIT_MS;
    loop {
        let ended = match &wish {
            Wish::Record(payment) => record(&stage, &service, payment).await,
            Wish::Capture { merchant, reference, minor } => authorisations::capture(&stage, &service, (*merchant, reference), *minor).await,
            Wish::Void { merchant, reference, is_sale } => authorisations::void(&stage, &service, (*merchant, reference), *is_sale).await,
            Wish::Settle { merchant, reference } => settle(&stage, &service, *merchant, reference).await,
            Wish::Share(share) => shares::share(&stage, &service, share).await,
            Wish::Quarrel { quarrel, step } => disputes::tell(&stage, &service, quarrel, *step).await,
            Wish::Tell { merchant, reference, goods } => goods::tell(&stage, &service, (*merchant, reference), *goods).await,
            Wish::ReleaseReserve { merchant, reference } => treasury::release_reserve(&stage, &service, *merchant, reference).await,
            Wish::ReleaseFixedReserve { merchant, keep } => treasury::release_fixed(&stage, &service, *merchant, *keep).await,
            Wish::Adjust(adjustment) => adjusting::adjust(&stage, &service, adjustment).await,
            Wish::TopUp { merchant, number, amount } => top_up(&stage, &service, (*merchant, number), *amount).await,
            Wish::Refund(request) => match request.door {
                Door::Antom => antom::refund(&stage, &service, request).await,
                Door::Oceanpayment => oceanpayment::refund(&stage, &service, request).await,
                Door::Native | Door::Counter | Door::Platform => native_refund(&stage, &service, request).await,
            },
            Wish::Inquire(request) => match request.door {
                Door::Antom => antom::inquire(&stage, &service, request).await,
                Door::Oceanpayment => oceanpayment::inquire(&stage, &service, request).await,
                Door::Native | Door::Counter | Door::Platform => Try::Done,
            },
            Wish::Cancel(request) => cancel(&stage, &service, request).await,
            Wish::CancelBatch { merchant, batch } => cancel_batch(&stage, &service, *merchant, batch).await,
            Wish::SendNow(request) => reviewing::send_now(&stage, &service, request).await,
            Wish::PreparePayout { merchant, currency } => treasury::prepare(&stage, &service, *merchant, currency_of(currency)).await,
            Wish::AdvancePayouts { merchant } => treasury::advance(&stage, &service, *merchant).await,
            Wish::Replay { merchant } => replay(&stage, &service, *merchant).await,
            Wish::Review { merchant, approve } => reviewing::review_all(&stage, &service, *merchant, *approve).await,
            Wish::Edit { request, minor } => reviewing::edit(&stage, &service, request, *minor).await,
        };
        match ended {
            Try::Done => break,
            Try::Again => stage.clock.sleep_until(stage.clock.now().plus_ms(wait_ms)).await,
        }
        wait_ms = (wait_ms * 2).min(LAST_WAIT_MS);
    }
    stage.trace.line(&format!("wish {number} is done"));
    stage.model().finish(number);
}

fn operator() -> Caller {
    Caller::operator("operator", Mode::Live)
}

fn merchant_id(stage: &Stage, merchant: usize) -> MerchantId {
    stage.cast.merchants[merchant].merchant.id
}

fn platform(stage: &Stage) -> Caller {
    Caller::of(&stage.cast.platform, None, None, None).expect("a platform's credential needs neither merchant nor terminal")
}

/// The terminal over which a merchant asks for this refund; a platform leaves it to the payment.
fn terminal<'a>(stage: &'a Stage, request: &RefundRequest) -> Option<&'a Terminal> {
    let one = &stage.cast.merchants[request.merchant];
    let terminal = match request.door {
        Door::Antom => &one.antom,
        Door::Native => &one.native,
        Door::Counter => &one.counter,
        Door::Oceanpayment => &one.oceanpayment,
        Door::Platform => return None,
    };
    Some(terminal)
}

fn shop(stage: &Stage, request: &RefundRequest) -> Caller {
    let one = &stage.cast.merchants[request.merchant];
    let Some(terminal) = terminal(stage, request) else { return platform(stage) };
    Caller {
        holder: Holder::Terminal { merchant_id: one.merchant.id, terminal_id: terminal.id },
        mode: Mode::Live,
        permissions: Permissions::of(Permission::ALL.iter().copied()),
        name: "shop".to_owned(),
        credential_id: None,
        person: None,
        issued_by: None,
        lookup: String::new(),
        scheme: String::new(),
        terminal: Some(Arc::new(terminal.clone())),
        merchant: Some(Arc::new(one.merchant.clone())),
    }
}

fn amount(request: &RefundRequest) -> Money {
    Money::new(request.minor, currency_of(request.currency))
}

fn currency_of(code: &str) -> Currency {
    code.parse().expect("plans name currencies of ISO 4217")
}

async fn record(stage: &Stage, service: &Service, wish: &PaymentWish) -> Try {
    let one = &stage.cast.merchants[wish.merchant];
    let currency = wish.captured.currency();
    let (status, captured) = match wish.taken {
        Taken::Captured | Taken::AtTheTill => (PaymentStatus::Captured, wish.captured),
        Taken::NotYet => (PaymentStatus::Authorised, Money::zero(currency)),
    };
    let new = NewPayment {
        merchant_id: Some(one.merchant.id),
        terminal_id: Some(one.terminals()[wish.terminal].id),
        payment_reference: wish.reference.clone(),
        merchant_reference: format!("order of {}", wish.reference),
        method: "card".to_owned(),
        status,
        paid_at: stage.begin.plus_ms(wish.paid_ms),
        authorised: wish.captured,
        captured,
        marketing: Some(Money::new(wish.marketing_minor, currency)),
        fee: wish.fee_minor.map(|minor| Money::new(minor, currency)),
        reserved: wish.reserved_minor.map(|minor| Money::new(minor, currency)),
        quote: wish.rate.as_ref().map(quote),
        notify_url: None,
        details: PaymentDetails { offline: wish.taken == Taken::AtTheTill, ..PaymentDetails::default() },
        sharing: None,
    };
    match payments::record(service, &operator(), new).await {
        Ok(_) => {
            stage.model().recorded(wish);
            Try::Done
        }
        Err(error) => unless_busy(stage, "record", &error),
    }
}

fn quote(rate: &Rate) -> SettlementQuote {
    SettlementQuote {
        quote_id: None,
        settlement_currency: currency_of(rate.currency),
        price_mantissa: rate.mantissa,
        price_scale: rate.scale,
        start_at: None,
        expiry_at: None,
        guaranteed: true,
    }
}

async fn settle(stage: &Stage, service: &Service, merchant: usize, reference: &str) -> Try {
    let (merchant_id, caller) = (merchant_id(stage, merchant), operator());
    let key = PaymentKey::Reference(reference.to_owned());
    let payment = match payments::find(service, &caller, Some(merchant_id), &key).await {
        Ok(payment) => payment,
        Err(error) => return unless_busy(stage, "settle", &error),
    };
    stage.model().wants_to_settle(merchant, reference);
    match payments::settle(service, &caller, Some(merchant_id), payment.id).await {
        Ok(_) => {
            stage.model().settled(merchant, reference);
            Try::Done
        }
        Err(error) => unless_busy(stage, "settle", &error),
    }
}

async fn top_up(stage: &Stage, service: &Service, (merchant, number): (usize, &str), amount: Money) -> Try {
    stage.model().wants_to_top_up(merchant, number, amount);
    match funds::top_up(service, &operator(), Some(merchant_id(stage, merchant)), amount, number.to_owned()).await {
        Ok(_) => {
            stage.model().topped_up(number);
            Try::Done
        }
        Err(error) => unless_busy(stage, "top up", &error),
    }
}

async fn native_refund(stage: &Stage, service: &Service, request: &RefundRequest) -> Try {
    let amount = amount(request);
    let compared = [("amount", amount.to_string()), ("payment", request.reference.clone())];
    let wish = RefundWish {
        compared: compared.map(|(name, value)| (name.to_owned(), value)).into(),
        reason: request.reason.map(str::to_owned),
        // Of a payment that nobody shared that takes nothing back.
        sharing: Some(AskedShares { lines: AskedReturns::ProRata, advance: None }),
        ..RefundWish::new(request.number.clone(), PaymentKey::Reference(request.reference.clone()), amount)
    };
    let may_ask = request.door != Door::Platform || request.merchant < LINKED;
    if may_ask {
        stage.model().asks(request);
    }
    let merchant_id = (request.door == Door::Platform).then(|| merchant_id(stage, request.merchant));
    let new =
        NewRefund { merchant_id, terminal_id: None, wish, batch: request.batch.map(str::to_owned), dry_run: false, accepts_dispute: None };
    let answer = match synchronous::create_and_wait(service, &shop(stage, request), NATIVE, new).await {
        Ok((accepted, _)) if !may_ask => {
            let what = format!("{} of merchant {}", accepted.refund.number, request.merchant);
            stage.model().broke("a_platform_acts_for_its_merchants_alone", what);
            return Try::Done;
        }
        Err(ServiceError::Refused(Refusal::UnknownMerchant)) if !may_ask => return Try::Done,
        Ok((accepted, _)) => {
            let word = accepted.refund.state.name().word().to_owned();
            Answer::Accepted { refund_id: accepted.refund.id, word, is_frozen: false }
        }
        Err(ServiceError::Refused(refusal)) => Answer::Refused { word: word_of(&refusal), is_frozen: false },
        Err(error) => return unless_busy(stage, "refund", &error),
    };
    stage.trace.line(&format!("{} of {} minor: {answer:?}", request.number, request.minor));
    stage.model().answered(request, answer);
    Try::Done
}

async fn cancel(stage: &Stage, service: &Service, request: &RefundRequest) -> Try {
    let Some(refund_id) = stage.model().refund_of(request) else { return Try::Done };
    let named = (request.door == Door::Platform).then(|| merchant_id(stage, request.merchant));
    match refunds::cancel(service, &shop(stage, request), named, refund_id).await {
        Ok(refund) => {
            if request.door == Door::Platform && request.merchant >= LINKED {
                stage.model().broke("a_platform_acts_for_its_merchants_alone", format!("it cancelled {}", refund.number));
            }
            stage.trace.line(&format!("{} is cancelled: {}", request.number, refund.state.name().word()));
            if matches!(refund.state, RefundState::Cancelled { .. }) {
                stage.model().cancelled(refund_id);
            }
            Try::Done
        }
        Err(error) => unless_busy(stage, "cancel", &error),
    }
}

async fn cancel_batch(stage: &Stage, service: &Service, merchant: usize, batch: &str) -> Try {
    let mut after = None;
    loop {
        match batches::cancel(service, &operator(), Some(merchant_id(stage, merchant)), batch, after).await {
            Ok(page) => {
                for refund in &page.cancelled {
                    stage.trace.line(&format!("{} of {batch} is cancelled", refund.number));
                    stage.model().cancelled(refund.id);
                }
                after = page.next;
            }
            Err(error) => return unless_busy(stage, "cancel batch", &error),
        }
        if after.is_none() {
            return Try::Done;
        }
    }
}

async fn replay(stage: &Stage, service: &Service, merchant: usize) -> Try {
    let merchant_id = Some(merchant_id(stage, merchant));
    let range = ReplayRange { merchant_id, state: NotificationState::Delivered, from: None, to: None };
    match notifications::replay_range(service, &operator(), range).await {
        Ok(_) => Try::Done,
        Err(error) => unless_busy(stage, "replay", &error),
    }
}

/// A refusal is an answer; anything else of ours is tried again, unless it is a fault that trying again does not cure.
fn unless_busy(stage: &Stage, what: &str, error: &ServiceError) -> Try {
    stage.trace.line(&format!("{what}: {error}"));
    match error {
        ServiceError::Refused(_) => Try::Done,
        ServiceError::Fault(fault) => {
            if !fault.is_passing() {
                stage.model().broke("no_internal_fault", format!("{what} ended with a fault that is not passing"));
            }
            Try::Again
        }
    }
}

fn word_of(refusal: &Refusal) -> String {
    format!("{refusal:?}").split([' ', '{', '(']).next().unwrap_or_default().to_owned()
}
