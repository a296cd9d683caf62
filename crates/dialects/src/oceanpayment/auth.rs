//! Who calls: account and terminal number, proved by SHA-256 over values of the form and the terminal's secret.

use super::call::Call;
use super::request;
use crate::form::Form;
use crate::{Claimed, Context, Flaw, Keys, WireError, WireRequest, hex, scheme};

/// The header by which a caller may also prove when it sent a request: `<seconds since 1970>.<64 hexadecimal digits>`.
pub const SIGNED_TIME_HEADER: &str = "x-signed-timestamp";
/// Seconds that the time in that header may be away from ours.
pub const SIGNED_TIME_SECONDS_MAX: i64 = 600;

/// Who claims to call. Everything that needs no key is checked first, so that a caller who mistyped a field hears of the field.
pub fn identify(request: &WireRequest<'_>) -> Result<Claimed, WireError> {
    match request::read(request) {
        Ok(_) | Err(WireError::BadSignature) => {}
        Err(error) => return Err(error),
    }
    let (_, form) = envelope(request)?;
    let terminal = form.filled("terminal").ok_or(WireError::UnknownCaller)?;
    Ok(Claimed { lookup: terminal.to_owned(), scheme: scheme::SECURE_CODE, key_version: None, acting_for: None })
}

/// Account, signature, and the signed time where one is sent or the terminal demands one.
pub fn authenticate(request: &WireRequest<'_>, keys: &dyn Keys) -> Result<(), WireError> {
    let (call, form) = envelope(request)?;
    if keys.account() != form.get("account") {
        return Err(WireError::OtherAccount);
    }
    if keys.is_empty() {
        return Err(WireError::NoKey);
    }
    let sign_value = form.get("signValue").and_then(hex::decode).ok_or(WireError::BadSignature)?;
    if !keys.secret_sha256(form.joined(call.signed(&form)).as_bytes(), &sign_value) {
        return Err(WireError::BadSignature);
    }
    match request.headers.get(SIGNED_TIME_HEADER) {
        Some(header) if !is_timely(header.trim(), request.body, keys) => Err(WireError::BadSignature),
        None if keys.demands_signed_time() => Err(WireError::BadSignature),
        Some(_) | None => Ok(()),
    }
}

fn is_timely(header: &str, body: &[u8], keys: &dyn Keys) -> bool {
    let Some((time, digest)) = header.split_once('.') else { return false };
    let (Ok(seconds), Some(digest)) = (time.parse::<i64>(), hex::decode(digest)) else { return false };
    let now = keys.now().ms().div_euclid(1_000);
    let near = now.abs_diff(seconds) <= SIGNED_TIME_SECONDS_MAX.unsigned_abs();
    near && keys.secret_sha256(&signed_time_text(time, body), &digest)
}

/// What the signed time is signed over: the time, a point, the body as it is sent. No request's own text has a point there.
pub fn signed_time_text(time: &str, body: &[u8]) -> Vec<u8> {
    [time.as_bytes(), b".", body].concat()
}

/// Path, method, media type and form, in this order.
pub fn envelope<'a>(request: &WireRequest<'a>) -> Result<(Call, Form<'a>), WireError> {
    let call = Call::of(request.path).ok_or(WireError::UnknownPath)?;
    if request.method != "POST" {
        return Err(WireError::MethodNotAllowed);
    }
    if request.headers.get("content-type").is_some_and(|content_type| !is_form(content_type)) {
        return Err(WireError::MediaType);
    }
    let wrong = |flaw, rule: &str| WireError::Field { field: "body".to_owned(), flaw, rule: rule.to_owned() };
    let form = Form::parse(request.body);
    let form = form.ok_or_else(|| wrong(Flaw::Malformed, "must be a form in UTF-8 of at most 64 fields"))?;
    if form.is_empty() {
        return Err(wrong(Flaw::Empty, "must be a form such as account=...&terminal=..."));
    }
    Ok((call, form))
}

/// The signature of what we say. It is left empty for callers who have proved nothing: the vendor's signature is over values without anything
/// between them, so a signed answer that repeats chosen texts would be a signed request.
pub fn sign_value(context: &Context<'_>, values: &[&str]) -> String {
    let digest = if context.proved { context.signer.secret_sha256(values.concat().as_bytes()) } else { None };
    digest.map(|digest| hex::encode(&digest)).unwrap_or_default()
}

fn is_form(content_type: &str) -> bool {
    let essence = content_type.split([';', ',']).next().unwrap_or_default().trim();
    essence.is_empty() || essence.eq_ignore_ascii_case("application/x-www-form-urlencoded")
}
