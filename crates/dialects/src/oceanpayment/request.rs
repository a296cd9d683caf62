//! What is asked for: refunds, how they stand, captures and voids, parcels. Fields that we do not know are ignored.

use refundry_engine::asked::{AskedAmount, Extent, OrderClaim};
use refundry_engine::idempotency::{ComparedFields, NUMBER_LENGTH_MAX};
use refundry_engine::payment::{PaymentKey, REFERENCE_LENGTH_MAX};
use refundry_engine::refund::{REASON_LENGTH_MAX, URL_LENGTH_MAX};

use super::call::Call;
use super::{amount_text, auth, orders_request, refund_id, xml};
use crate::form::Form;
use crate::orders::{AuthorisationWish, TrackingNote};
use crate::{Flaw, Incoming, NumberedBy, RefundInquiry, RefundWish, WireError, WireRequest};

/// Digits of an account number.
const ACCOUNT_DIGITS: usize = 6;
/// Digits of a terminal number.
const TERMINAL_DIGITS: std::ops::RangeInclusive<usize> = 8..=12;
/// Letters of a parcel's number, several of which may stand in one field.
const TRACKING_LENGTH_MAX: usize = 1_024;

/// Bytes to a wish. What is missing comes first, then what is empty, then what has not the form that it should have.
pub fn read(request: &WireRequest<'_>) -> Result<Incoming, WireError> {
    let (call, form) = auth::envelope(request)?;
    for field in ["account", "terminal", "signValue"].iter().chain(required(call, &form)) {
        sent(&form, field)?;
    }
    for field in ["account", "terminal"].iter().chain(required(call, &form)) {
        filled(&form, field)?;
    }
    check_caller(&form)?;
    Ok(match call {
        Call::ApplyRefund => Incoming::Refund(Box::new(refund(&form)?)),
        Call::QueryRefund => Incoming::Inquiry(inquiry(&form)?),
        Call::CheckOrders | Call::PaidOrders | Call::BusinessOrders | Call::DisputeOrders => {
            Incoming::Orders(orders_request::read(call, &form)?)
        }
        Call::Authorisation => Incoming::Authorisation(authorisation(&form)?),
        Call::Tracking => Incoming::Tracking(tracking(&form)?),
    })
}

/// What a call needs beside account, terminal and signature, in the order of the codes that say that it is empty.
fn required(call: Call, form: &Form<'_>) -> &'static [&'static str] {
    match call {
        Call::ApplyRefund => &["payment_id", "refund_description", "refund_amount", "refund_type"],
        Call::QueryRefund => &[],
        Call::CheckOrders => &["order_number"],
        Call::PaidOrders | Call::BusinessOrders | Call::DisputeOrders => &["order_beginDate", "order_endDate"],
        Call::Authorisation => match form.filled("payment_authType") {
            Some("1") => &["payment_authType", "payment_id", "order_amount"],
            Some("3") => &["payment_authType", "order_number"],
            Some(_) | None => &["payment_authType", "payment_id"],
        },
        Call::Tracking => &["payment_id", "tracking_number", "tracking_site"],
    }
}

fn check_caller(form: &Form<'_>) -> Result<(), WireError> {
    let is_number = |name, digits: std::ops::RangeInclusive<usize>| {
        form.get(name).is_some_and(|text| digits.contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit()))
    };
    if !is_number("account", ACCOUNT_DIGITS..=ACCOUNT_DIGITS) {
        return wrong("account", Flaw::Malformed, "must be 6 digits");
    }
    if !is_number("terminal", TERMINAL_DIGITS) {
        return wrong("terminal", Flaw::Malformed, "must be 8 to 12 digits");
    }
    Ok(())
}

fn refund(form: &Form<'_>) -> Result<RefundWish, WireError> {
    let payment_id = payment_id(form)?;
    let extent = match value(form, "refund_type") {
        "1" => Extent::Whole,
        "2" => Extent::Part,
        _ => return wrong("refund_type", Flaw::Malformed, "must be 1 (full) or 2 (partial)"),
    };
    let Some(amount) = amount_text::parse(value(form, "refund_amount")) else {
        return wrong("refund_amount", Flaw::Malformed, "must be digits with at most two decimals, such as 10.50");
    };
    let reason = text(form, "refund_description", REASON_LENGTH_MAX)?;
    let merchants = plain(form, "refund_number", NUMBER_LENGTH_MAX)?;
    let merchant_reference = plain(form, "refund_reference", REFERENCE_LENGTH_MAX)?;
    let order = order(form)?;
    let (number, numbered_by) = match merchants {
        Some(number) => (number, NumberedBy::Merchant),
        None => (value(form, "signValue").to_ascii_lowercase(), NumberedBy::Proof),
    };
    let compared =
        [("payment_id", payment_id.clone()), ("refund_type", value(form, "refund_type").to_owned()), ("refund_amount", amount.to_string())];
    let asked = AskedAmount::Decimal(amount);
    Ok(RefundWish {
        numbered_by,
        compared: compared.map(|(name, value)| (name.to_owned(), value)).into_iter().collect::<ComparedFields>(),
        extent: Some(extent),
        order,
        merchant_reference,
        reason,
        ..RefundWish::new(number, PaymentKey::Reference(payment_id), asked)
    })
}

/// The older form of the call also names the order.
fn order(form: &Form<'_>) -> Result<OrderClaim, WireError> {
    let amount = form.filled("order_amount").map(|text| amount_text::parse(text).ok_or(()));
    let Ok(amount) = amount.transpose() else {
        return wrong("order_amount", Flaw::Malformed, "must be digits with at most two decimals, such as 10.50");
    };
    let currency = form.filled("order_currency").map(str::parse).transpose();
    let Ok(currency) = currency else {
        return wrong("order_currency", Flaw::Malformed, "must be three capital letters of ISO 4217 such as EUR");
    };
    Ok(OrderClaim { amount: amount.map(AskedAmount::Decimal), currency })
}

fn inquiry(form: &Form<'_>) -> Result<RefundInquiry, WireError> {
    let number = plain(form, "refund_number", NUMBER_LENGTH_MAX)?;
    let Some(id) = form.filled("refund_id") else {
        return match number {
            Some(number) => Ok(RefundInquiry::Number(number)),
            None => wrong("refund_id", Flaw::Empty, "or refund_number must be sent"),
        };
    };
    if !refund_id::is_like_one(id) {
        return wrong("refund_id", Flaw::Malformed, "must be the digits that were answered when the refund was asked for");
    }
    Ok(match (refund_id::parse(id), number) {
        (None, _) => RefundInquiry::Nonsense,
        (Some(id), None) => RefundInquiry::Id(id),
        (Some(id), Some(number)) => RefundInquiry::Both { id, number },
    })
}

fn authorisation(form: &Form<'_>) -> Result<AuthorisationWish, WireError> {
    match value(form, "payment_authType") {
        "1" => {
            let payment = PaymentKey::Reference(payment_id(form)?);
            match amount_text::parse(value(form, "order_amount")) {
                Some(amount) => Ok(AuthorisationWish::Capture { payment, amount: AskedAmount::Decimal(amount) }),
                None => wrong("order_amount", Flaw::Malformed, "must be digits with at most two decimals, such as 10.50"),
            }
        }
        "2" => Ok(AuthorisationWish::Void { payment: PaymentKey::Reference(payment_id(form)?) }),
        "3" => match plain(form, "order_number", REFERENCE_LENGTH_MAX)? {
            Some(merchant_reference) => Ok(AuthorisationWish::VoidSale { merchant_reference }),
            None => wrong("order_number", Flaw::Empty, "must be sent"),
        },
        _ => wrong("payment_authType", Flaw::Malformed, "must be 1 (capture), 2 (void) or 3 (void of a sale at a till)"),
    }
}

/// Letters and digits, several numbers parted by commas; no addresses, no blanks. Who carries the parcel is signed and not kept: the site says it.
fn tracking(form: &Form<'_>) -> Result<TrackingNote, WireError> {
    let payment = PaymentKey::Reference(payment_id(form)?);
    let number = plain(form, "tracking_number", TRACKING_LENGTH_MAX)?.unwrap_or_default();
    let is_one = |number: &str| !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_alphanumeric());
    if !number.split(',').all(is_one) {
        return wrong("tracking_number", Flaw::Malformed, "must be letters and digits; several numbers are parted by commas");
    }
    let site = plain(form, "tracking_site", URL_LENGTH_MAX)?.unwrap_or_default();
    Ok(TrackingNote { payment, number, site })
}

/// The payment's number, digits only as the vendor gives them.
fn payment_id(form: &Form<'_>) -> Result<String, WireError> {
    let text = value(form, "payment_id");
    if text.len() > REFERENCE_LENGTH_MAX || !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return wrong("payment_id", Flaw::Malformed, "must be the digits of the payment's number");
    }
    Ok(text.to_owned())
}

/// A value that [`filled`] has found to be there.
pub(super) fn value<'a>(form: &'a Form<'_>, name: &str) -> &'a str {
    form.get(name).unwrap_or_default()
}

fn sent(form: &Form<'_>, name: &str) -> Result<(), WireError> {
    form.get(name).map(|_| ()).map_or_else(|| wrong(name, Flaw::Missing, "must be sent"), Ok)
}

fn filled(form: &Form<'_>, name: &str) -> Result<(), WireError> {
    form.filled(name).map(|_| ()).map_or_else(|| wrong(name, Flaw::Empty, "must not be empty"), Ok)
}

/// A text that people read; it may have lines.
fn text(form: &Form<'_>, name: &str, length_max: usize) -> Result<Option<String>, WireError> {
    let Some(text) = form.filled(name) else { return Ok(None) };
    if text.chars().nth(length_max).is_some() {
        return wrong(name, Flaw::TooLong, &format!("is longer than {length_max} characters"));
    }
    if !text.chars().all(xml::is_writable) {
        return wrong(name, Flaw::Malformed, "must not contain characters that XML cannot hold, such as U+0000");
    }
    Ok(Some(text.to_owned()))
}

/// A number or a name: one line.
pub(super) fn plain(form: &Form<'_>, name: &str, length_max: usize) -> Result<Option<String>, WireError> {
    let text = text(form, name, length_max)?;
    if text.as_ref().is_some_and(|text| text.chars().any(char::is_control)) {
        return wrong(name, Flaw::Malformed, "must not contain control characters");
    }
    Ok(text)
}

pub(super) fn wrong<T>(field: &str, flaw: Flaw, rule: &str) -> Result<T, WireError> {
    Err(WireError::Field { field: field.to_owned(), flaw, rule: rule.to_owned() })
}
