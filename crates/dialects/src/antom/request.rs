//! Refund and inquiryRefund as they are asked for. Members that we do not know are ignored, `null` and empty texts are absent.

use refundry_engine::payment::PaymentKey;
use refundry_engine::refund::{METADATA_LENGTH_MAX, URL_LENGTH_MAX};
use refundry_ledger::{Currency, Money};
use serde::Deserialize;
use serde_json::value::RawValue;

use super::{ID_LENGTH_MAX, auth, refund_id};
use crate::wire::plain_path;
use crate::{Flaw, Incoming, RefundInquiry, RefundWish, WireError, WireRequest};

/// Letters of a reason, by the vendor's table.
const REASON_LENGTH_MAX: usize = 256;

/// Bytes to a wish.
pub fn read(request: &WireRequest<'_>) -> Result<Incoming, WireError> {
    auth::check_envelope(request)?;
    if plain_path(request.path).ends_with("/inquiryRefund") {
        return read_inquiry(object("body", request.body)?).map(Incoming::Inquiry);
    }
    read_refund(&object("body", request.body)?).map(|wish| Incoming::Refund(Box::new(wish)))
}

/// The members that are looked at, each as the text that was sent, so that what is wrong with one can be said by its name.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RefundMembers<'a> {
    #[serde(borrow)]
    refund_request_id: Option<&'a RawValue>,
    #[serde(borrow)]
    payment_id: Option<&'a RawValue>,
    #[serde(borrow)]
    reference_refund_id: Option<&'a RawValue>,
    #[serde(borrow)]
    refund_amount: Option<&'a RawValue>,
    #[serde(borrow)]
    refund_reason: Option<&'a RawValue>,
    #[serde(borrow)]
    refund_notify_url: Option<&'a RawValue>,
    #[serde(borrow)]
    metadata: Option<&'a RawValue>,
    #[serde(borrow)]
    is_async_refund: Option<&'a RawValue>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct InquiryMembers<'a> {
    #[serde(borrow)]
    refund_request_id: Option<&'a RawValue>,
    #[serde(borrow)]
    refund_id: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct AmountMembers<'a> {
    #[serde(borrow)]
    currency: Option<&'a RawValue>,
    #[serde(borrow)]
    value: Option<&'a RawValue>,
}

fn read_refund(members: &RefundMembers<'_>) -> Result<RefundWish, WireError> {
    let number = required_id("refundRequestId", members.refund_request_id)?;
    let payment = required_id("paymentId", members.payment_id)?;
    let amount = amount(members.refund_amount)?;
    check_is_boolean("isAsyncRefund", members.is_async_refund)?;
    let compared = [
        ("refundAmount.value", amount.minor().to_string()),
        ("refundAmount.currency", amount.currency().code().to_owned()),
        ("paymentId", payment.clone()),
    ];
    Ok(RefundWish {
        compared: compared.map(|(name, value)| (name.to_owned(), value)).into(),
        merchant_reference: id("referenceRefundId", members.reference_refund_id)?,
        reason: text("refundReason", members.refund_reason, REASON_LENGTH_MAX)?,
        metadata: text("metadata", members.metadata, METADATA_LENGTH_MAX)?,
        notify_url: notify_url(members.refund_notify_url)?,
        ..RefundWish::new(number, PaymentKey::Reference(payment), amount)
    })
}

/// When both are sent, `refundId` wins and the other is not looked at.
fn read_inquiry(members: InquiryMembers<'_>) -> Result<RefundInquiry, WireError> {
    if let Some(text) = id("refundId", members.refund_id)? {
        return Ok(refund_id::parse(&text).map_or(RefundInquiry::Nonsense, RefundInquiry::Id));
    }
    match id("refundRequestId", members.refund_request_id)? {
        Some(number) => Ok(RefundInquiry::Number(number)),
        None => wrong("refundRequestId", "or refundId must be sent"),
    }
}

fn amount(raw: Option<&RawValue>) -> Result<Money, WireError> {
    let Some(raw) = raw else {
        return wrong("refundAmount", "is missing; send an object with currency and value");
    };
    let members: AmountMembers<'_> = object("refundAmount", raw.get().as_bytes())?;
    let Some(code) = text("refundAmount.currency", members.currency, ID_LENGTH_MAX)? else {
        return wrong("refundAmount.currency", "is missing; send three capital letters of ISO 4217 such as EUR");
    };
    let Ok(currency) = code.parse::<Currency>() else {
        return wrong("refundAmount.currency", "must be three capital letters of ISO 4217 such as EUR");
    };
    let Some(raw) = members.value else {
        return wrong("refundAmount.value", "is missing; send a string of digits in the smallest unit of the currency");
    };
    minor_units(raw, currency).map(|minor| Money::new(minor, currency))
}

/// Digits of the largest amount that the vendor's clients can make.
const VALUE_DIGITS_MAX: usize = 16;

/// The documents say a string; whoever sends the number itself is understood, too.
fn minor_units(raw: &RawValue, currency: Currency) -> Result<i64, WireError> {
    const FIELD: &str = "refundAmount.value";
    let text = raw.get();
    let digits = text.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).unwrap_or(text);
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return wrong(
            FIELD,
            "must be a string of digits in the smallest unit of the currency, without sign, point or blank, such as \"100\"",
        );
    }
    if digits.len() > VALUE_DIGITS_MAX {
        return wrong(FIELD, "must not have more than 16 digits");
    }
    match digits.parse() {
        Ok(minor) if minor > 0 && currency.code() == "IDR" && minor % 100 != 0 => {
            wrong(FIELD, "must end in 00, because IDR has no parts in use")
        }
        Ok(minor) if minor > 0 => Ok(minor),
        Ok(_) | Err(_) => wrong(FIELD, "must be at least 1, in the smallest unit of the currency"),
    }
}

/// Whether the refund is asynchronous is the terminal's affair; what is sent must still be a boolean.
fn check_is_boolean(field: &str, raw: Option<&RawValue>) -> Result<(), WireError> {
    match raw.map(RawValue::get) {
        None | Some("true" | "false" | "\"true\"" | "\"false\"" | "\"\"") => Ok(()),
        Some(_) => wrong(field, "must be true or false"),
    }
}

fn notify_url(raw: Option<&RawValue>) -> Result<Option<String>, WireError> {
    const FIELD: &str = "refundNotifyUrl";
    let url = text(FIELD, raw, URL_LENGTH_MAX)?;
    if let Some(url) = &url {
        let has_host = ["https://", "http://"].iter().any(|scheme| url.strip_prefix(scheme).is_some_and(|rest| !rest.is_empty()));
        if !has_host || url.chars().any(|letter| letter.is_whitespace() || letter.is_control()) {
            return wrong(FIELD, "must be an absolute https:// address without blanks");
        }
    }
    Ok(url)
}

fn required_id(field: &str, raw: Option<&RawValue>) -> Result<String, WireError> {
    match id(field, raw)? {
        Some(id) => Ok(id),
        None => wrong(field, "is missing; send a string of 1 to 64 characters"),
    }
}

fn id(field: &str, raw: Option<&RawValue>) -> Result<Option<String>, WireError> {
    let id = text(field, raw, ID_LENGTH_MAX)?;
    if id.as_ref().is_some_and(|id| id.chars().any(char::is_control)) {
        return wrong(field, "must not contain control characters");
    }
    Ok(id)
}

fn text(field: &str, raw: Option<&RawValue>, length_max: usize) -> Result<Option<String>, WireError> {
    let Some(raw) = raw else { return Ok(None) };
    let Ok(text) = serde_json::from_str::<String>(raw.get()) else {
        return wrong(field, &format!("must be a string of at most {length_max} characters"));
    };
    if text.chars().nth(length_max).is_some() {
        return wrong(field, &format!("is longer than {length_max} characters"));
    }
    if text.contains('\0') {
        return wrong(field, "must not contain the character U+0000");
    }
    Ok(Some(text).filter(|text| !text.is_empty()))
}

/// Arrays are kept out here, because serde would read them as objects without names.
fn object<'a, T: Deserialize<'a>>(field: &str, json: &'a [u8]) -> Result<T, WireError> {
    if json.iter().find(|byte| !byte.is_ascii_whitespace()) != Some(&b'{') {
        return wrong(field, "must be a JSON object");
    }
    serde_json::from_slice(json).or_else(|error| wrong(field, &format!("is not the JSON object that is documented: {error}")))
}

fn wrong<T>(field: &str, rule: &str) -> Result<T, WireError> {
    // One code stands for every flaw here; the rule says which it is.
    Err(WireError::Field { field: field.to_owned(), flaw: Flaw::Malformed, rule: rule.to_owned() })
}
