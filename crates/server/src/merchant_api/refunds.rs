//! Refunds over the native API.

use axum::response::Response;
use http::header::LOCATION;
use http::{HeaderValue, StatusCode};
use refundry_dialects::RefundWish;
use refundry_dialects::sharing::{AskedReturns, AskedShares};
use refundry_engine::idempotency::{ComparedFields, NUMBER_LENGTH_MAX};
use refundry_engine::payment::PaymentKey;
use refundry_engine::{DisputeId, Explanation, MerchantId, PaymentId, RefundId, TerminalId, Text, Who};
use refundry_ledger::Money;
use refundry_service::booked;
use refundry_service::refunds::{self, NATIVE, NewRefund};
use refundry_store::{Page, RefundFilter};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::MerchantQuery;
use super::asked_returns::ReturnsRequest;
use super::refund_view::{RefundView, StateView};
use crate::call::{Call, IDEMPOTENCY_KEY, created, json_response, mark_replayed, ok};
use crate::language::Language;
use crate::problem::{Problem, kinds};
use crate::views::{Amount, CurrencyCode, EventView, Listed, Rfc3339, page_request};

/// A wish for a refund. The payment is named by `payment_id` or by `payment_reference`.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RefundRequest {
    /// Our id of the payment.
    #[schema(value_type = Option<String>)]
    pub payment_id: Option<PaymentId>,
    /// The number that the merchant was given when it was paid.
    pub payment_reference: Option<String>,
    /// How much in all.
    pub amount: Amount,
    /// The marketing part of it.
    pub marketing_amount: Option<Amount>,
    /// What receivers of the payment's shares give back: a list, or `"pro_rata"` for everybody in proportion to what they have left.
    pub shares: Option<ReturnsRequest>,
    /// What you pay in the receivers' place. They owe it to you.
    pub advance: Option<Amount>,
    /// What you believe is left of the payment. When that is not so any more, nothing is done and the fresh amount comes back.
    pub expected_remaining: Option<Amount>,
    /// A reference of the merchant behind the merchant.
    pub merchant_reference: Option<String>,
    /// Why; at most 256 letters.
    pub reason: Option<String>,
    /// Comes back in answers and notifications; at most 2,048 letters.
    pub metadata: Option<String>,
    /// Where the end is announced.
    pub notify_url: Option<String>,
    /// The retrieval, dispute or report of fraud that you accept by it. While a retrieval is open, no other refund is possible.
    #[schema(value_type = Option<String>)]
    pub accepts_dispute: Option<DisputeId>,
    /// Your name for the refunds that you ask for together, so that they can be cancelled together; at most 64 letters.
    pub batch: Option<String>,
    /// For keys that act for more than one merchant.
    #[schema(value_type = Option<String>)]
    pub merchant_id: Option<MerchantId>,
    /// The channel that asks; left out, the key's own or the payment's.
    #[schema(value_type = Option<String>)]
    pub terminal_id: Option<TerminalId>,
}

/// The header of a request that moves money.
#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Header)]
pub struct IdempotencyHeader {
    /// Your number of the refund, 1 to 64 visible characters. The same number with the same content is answered again and never paid twice.
    #[param(rename = "Idempotency-Key")]
    pub idempotency_key: String,
}

/// Which refunds.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct RefundQuery {
    /// For keys that act for more than one merchant.
    #[param(value_type = Option<String>)]
    pub merchant_id: Option<MerchantId>,
    /// In this state.
    #[param(inline)]
    pub state: Option<StateView>,
    /// Of this payment.
    #[param(value_type = Option<String>)]
    pub payment_id: Option<PaymentId>,
    /// With exactly this number.
    pub number: Option<String>,
    /// Of exactly this batch; a page may then be empty and not the last.
    pub batch: Option<String>,
    /// In this currency.
    #[param(value_type = Option<String>)]
    pub currency: Option<CurrencyCode>,
    /// At least so many minor units.
    pub amount_min: Option<i64>,
    /// At most so many minor units.
    pub amount_max: Option<i64>,
    /// Asked for at or after.
    #[param(value_type = Option<String>)]
    pub from: Option<Rfc3339>,
    /// Asked for before.
    #[param(value_type = Option<String>)]
    pub to: Option<Rfc3339>,
    /// `next` of the page before.
    pub cursor: Option<String>,
    /// Rows, 1 to 200; 50 when left out.
    #[param(minimum = 1, maximum = 200)]
    pub limit: Option<u32>,
}

/// A refund with how it came to stand where it stands.
#[derive(Debug, Serialize, ToSchema)]
pub struct RefundStory {
    /// As it stands.
    #[serde(flatten)]
    pub refund: RefundView,
    /// What happened, oldest first.
    pub timeline: Vec<EventView>,
    /// Why it stands where it stands, in the caller's language.
    pub explanation: ExplanationView,
}

/// Why a refund stands where it stands, from stored facts alone.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Explanation)]
pub struct ExplanationView {
    /// Why.
    pub why: String,
    /// Whose turn it is: `reviewer`, `merchant`, `refundry`, `acquirer`, `network`, `operator` or `nobody`.
    pub who: &'static str,
    /// What happens next.
    pub next: String,
    /// When that is due, if a time is set.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub when: Option<Rfc3339>,
}

/// Asks for a refund.
pub async fn create(call: Call) -> Result<Response, Problem> {
    let accepted = decide(&call, idempotency_key(&call)?.to_owned(), false).await?;
    let location = format!("/api/v1/refunds/{}", accepted.refund.id);
    let view = RefundView::with_refundable(*accepted.refund, accepted.refundable);
    let mut response = created(&view, !accepted.replayed);
    if let Ok(location) = HeaderValue::from_str(&location) {
        response.headers_mut().insert(LOCATION, location);
    }
    if accepted.replayed {
        mark_replayed(&mut response);
    }
    Ok(response)
}

/// Says what would happen, and changes nothing.
pub async fn dry_run(call: Call) -> Result<Response, Problem> {
    let number = call.header(IDEMPOTENCY_KEY)?.map_or_else(String::new, str::to_owned);
    let number =
        if number.is_empty() { format!("dry-run-{}", call.app.service.world.ids.mark(call.app.service.world.now())) } else { number };
    let accepted = decide(&call, number, true).await?;
    let mut response = json_response(StatusCode::OK, &RefundView::with_refundable(*accepted.refund, accepted.refundable));
    if accepted.replayed {
        mark_replayed(&mut response);
    }
    Ok(response)
}

/// One refund with its timeline, and why it stands where it stands.
pub async fn find(call: Call) -> Result<Response, Problem> {
    let (merchant_id, refund_id) = named(&call)?;
    let story = refunds::story(&call.app.service, &call.caller, merchant_id, refund_id).await?;
    let timeline = story.timeline.into_iter().map(EventView::from).collect();
    let explanation = ExplanationView::of(story.explanation, call.language);
    let booked = booked::of_refunds(&call.app.service, std::slice::from_ref(&story.refund)).await?;
    let refund = RefundView::with_booked((story.refund, booked.into_iter().flatten().next()));
    ok(&RefundStory { refund, timeline, explanation })
}

/// Refunds, newest first.
pub async fn list(call: Call) -> Result<Response, Problem> {
    let query: RefundQuery = call.query()?;
    let page = page_request(query.cursor.as_deref(), query.limit)?;
    let filter = RefundFilter {
        merchant_id: query.merchant_id,
        mode: None,
        from: query.from.map(|at| at.0),
        to: query.to.map(|at| at.0),
        state: query.state.map(Into::into),
        payment_id: query.payment_id,
        currency: query.currency.map(|currency| currency.0),
        amount_minor_min: query.amount_min,
        amount_minor_max: query.amount_max,
        number: query.number,
        batch: query.batch,
    };
    let Page { rows, next } = refunds::list(&call.app.service, &call.caller, filter, page).await?;
    let booked = booked::of_refunds(&call.app.service, &rows).await?;
    ok(&Listed::of(Page { rows: rows.into_iter().zip(booked).collect(), next }, RefundView::with_booked))
}

/// Takes a refund back while nothing has been sent.
pub async fn cancel(call: Call) -> Result<Response, Problem> {
    let (merchant_id, refund_id) = named(&call)?;
    ok(&RefundView::from(refunds::cancel(&call.app.service, &call.caller, merchant_id, refund_id).await?))
}

async fn decide(call: &Call, number: String, dry_run: bool) -> Result<refunds::Accepted, Problem> {
    let request: RefundRequest = call.json()?;
    let (merchant_id, terminal_id, accepts_dispute) = (request.merchant_id, request.terminal_id, request.accepts_dispute);
    let batch = request.batch.clone();
    let new = NewRefund { merchant_id, terminal_id, wish: request.wish(number)?, batch, dry_run, accepts_dispute };
    Ok(refunds::create(&call.app.service, &call.caller, NATIVE, new).await?)
}

impl ExplanationView {
    /// In one language.
    pub fn of(explanation: Explanation, language: Language) -> Self {
        let who = match explanation.who {
            Who::Reviewer => "reviewer",
            Who::Merchant => "merchant",
            Who::Refundry => "refundry",
            Who::Acquirer => "acquirer",
            Who::Network => "network",
            Who::Operator => "operator",
            Who::Nobody => "nobody",
        };
        let say = |text: &Text| text.say(language.into()).to_owned();
        Self { why: say(&explanation.why), who, next: say(&explanation.next), when: explanation.when.map(Rfc3339) }
    }
}

impl RefundRequest {
    fn wish(self, number: String) -> Result<RefundWish, Problem> {
        let compared = self.compared();
        let sharing = match (self.shares, self.advance) {
            (None, None) => None,
            (lines, advance) => Some(AskedShares {
                lines: lines.map_or_else(|| AskedReturns::Named(Vec::new()), AskedReturns::from),
                advance: advance.map(Money::from),
            }),
        };
        let payment = match (self.payment_id, self.payment_reference) {
            (Some(id), None) => PaymentKey::Id(id),
            (None, Some(reference)) => PaymentKey::Reference(reference),
            (None, None) | (Some(_), Some(_)) => return Err(payment_wanted()),
        };
        Ok(RefundWish {
            compared,
            marketing: self.marketing_amount.map(Money::from),
            sharing,
            expected_remaining: self.expected_remaining.map(Money::from),
            merchant_reference: self.merchant_reference,
            reason: self.reason,
            metadata: self.metadata,
            notify_url: self.notify_url,
            ..RefundWish::new(number, payment, Money::from(self.amount))
        })
    }

    /// What must be the same when the number comes again. What the caller believed is left is not part of what it asked for.
    fn compared(&self) -> ComparedFields {
        let amount = |amount: Amount| Money::from(amount).to_string();
        let fields = [
            ("payment_id", self.payment_id.map(|id| id.to_string())),
            ("payment_reference", self.payment_reference.clone()),
            ("amount", Some(amount(self.amount))),
            ("marketing_amount", self.marketing_amount.map(amount)),
            ("advance", self.advance.map(amount)),
            ("merchant_reference", self.merchant_reference.clone()),
            ("reason", self.reason.clone()),
            ("metadata", self.metadata.clone()),
            ("batch", self.batch.clone()),
            ("notify_url", self.notify_url.clone()),
            ("accepts_dispute", self.accepts_dispute.map(|id| id.to_string())),
        ];
        let mut compared: ComparedFields = fields.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))).collect();
        compared.extend(self.shares.iter().flat_map(ReturnsRequest::compared));
        compared
    }
}

/// The merchant's number, as the header names it; quotation marks around it do not count.
pub fn idempotency_key(call: &Call) -> Result<&str, Problem> {
    let sent = call.header(IDEMPOTENCY_KEY)?.unwrap_or_default();
    let number = sent.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).unwrap_or(sent);
    if (1..=NUMBER_LENGTH_MAX).contains(&number.len()) {
        return Ok(number);
    }
    Err(Problem::parameter(
        "Idempotency-Key",
        format!(
            "The header Idempotency-Key names this refund: 1 to {NUMBER_LENGTH_MAX} visible characters, made and kept by you before you send."
        ),
        format!("请求头 Idempotency-Key 用于标识本次退款：1 到 {NUMBER_LENGTH_MAX} 个可见字符，由您在发送前生成并保存。"),
    ))
}

/// The merchant, if it is named, and the refund of the path.
pub fn named(call: &Call) -> Result<(Option<MerchantId>, RefundId), Problem> {
    let query: MerchantQuery = call.query()?;
    Ok((query.merchant_id, call.path_id("refund_id", &kinds::UNKNOWN_REFUND)?))
}

fn payment_wanted() -> Problem {
    Problem::field(
        "payment_id",
        "Name the payment by exactly one of payment_id and payment_reference.",
        "请用 payment_id 或 payment_reference 之一（且仅一个）指定支付。",
    )
}
