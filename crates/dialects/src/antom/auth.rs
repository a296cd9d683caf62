//! Who calls: a client id with a signature over the bytes, or an API key.

use std::borrow::Cow;

use base64::Engine as _;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use percent_encoding::{NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

use super::PATHS;
use crate::wire::{one_leading_slash, plain_path};
use crate::{Claimed, Context, Flaw, Keys, WireError, WireRequest, scheme};

/// Who claims to call. As long as a client id is there, nothing else is looked at, so that every later answer is signed for that client.
pub fn identify(request: &WireRequest<'_>) -> Result<Claimed, WireError> {
    if let Some(client_id) = header(request, "client-id") {
        let key_version = header(request, "signature").and_then(|text| SignatureHeader::parse(text).key_version);
        return Ok(Claimed { lookup: client_id.to_owned(), scheme: scheme::RSA, key_version, acting_for: None });
    }
    if let Some(token) = bearer(request) {
        let lookup = public_part(token).ok_or(WireError::UnknownCaller)?;
        return Ok(Claimed { lookup: lookup.to_owned(), scheme: scheme::API_KEY, key_version: None, acting_for: None });
    }
    check_envelope(request)?;
    Err(WireError::UnknownCaller)
}

/// Whether the request is one that can be proved at all, and then whether it is.
pub fn authenticate(request: &WireRequest<'_>, claimed: &Claimed, keys: &dyn Keys) -> Result<(), WireError> {
    check_envelope(request)?;
    if keys.is_empty() {
        return Err(WireError::NoKey);
    }
    if claimed.scheme == scheme::API_KEY {
        let token = bearer(request).ok_or(WireError::BadSignature)?;
        return if keys.token(token) { Ok(()) } else { Err(WireError::BadSignature) };
    }
    let header_text = header(request, "signature").ok_or(WireError::BadSignature)?;
    let signature = signature_of(header_text).ok_or(WireError::BadSignature)?;
    let time = request.headers.get("request-time").map(str::trim).filter(|time| !time.is_empty());
    let time = time.ok_or_else(missing_time)?;
    if is_proved(request, &signature, (claimed, time), keys) { Ok(()) } else { Err(WireError::BadSignature) }
}

fn missing_time() -> WireError {
    WireError::Field { field: "request-time".into(), flaw: Flaw::Malformed, rule: "must be sent as a header, and signed".into() }
}

/// Clients that join `https://host/` and `/path` send two slashes and sign one. A client that changed its key may go on naming the version
/// that its settings were made with, so any valid key of the caller proves it.
fn is_proved(request: &WireRequest<'_>, signature: &[u8], (claimed, time): (&Claimed, &str), keys: &dyn Keys) -> bool {
    let proves =
        |path: &str, version: Option<u32>| keys.rsa_sha256(version, &signed_text(path, &claimed.lookup, time, request.body), signature);
    let joined = one_leading_slash(request.path);
    let versions = [claimed.key_version, None];
    let versions = if claimed.key_version.is_some() { &versions[..] } else { &versions[1..] };
    versions.iter().any(|version| proves(request.path, *version) || (joined != request.path && proves(joined, *version)))
}

/// Path, method and media type, in this order.
pub fn check_envelope(request: &WireRequest<'_>) -> Result<(), WireError> {
    if !PATHS.contains(&plain_path(request.path)) {
        return Err(WireError::UnknownPath);
    }
    if request.method != "POST" {
        return Err(WireError::MethodNotAllowed);
    }
    match request.headers.get("content-type").map(is_json) {
        Some(false) => Err(WireError::MediaType),
        Some(true) | None => Ok(()),
    }
}

/// The `signature` header of an answer, over the path that the caller has signed.
pub fn answer_signature(context: &Context<'_>, time: &str, body: &[u8]) -> String {
    signature_header(context, one_leading_slash(context.path), time, body)
}

/// The `signature` header of what we send. The vendor's clients take it apart by position, so it has this form exactly.
pub fn signature_header(context: &Context<'_>, path: &str, time: &str, body: &[u8]) -> String {
    let text = signed_text(path, context.lookup, time, body);
    let signature = BASE64.encode(context.signer.rsa_sha256(&text));
    format!("algorithm=RSA256,keyVersion={},signature={}", context.signer.key_version(), utf8_percent_encode(&signature, NON_ALPHANUMERIC))
}

/// The signature in a `signature` header.
pub fn signature_of(header_text: &str) -> Option<Vec<u8>> {
    SignatureHeader::parse(header_text).signature.and_then(decode)
}

/// What is signed, in both directions.
pub fn signed_text(path: &str, client_id: &str, time: &str, body: &[u8]) -> Vec<u8> {
    let mut text = Vec::with_capacity("POST ".len() + path.len() + client_id.len() + time.len() + body.len() + 3);
    for part in ["POST ", path, "\n", client_id, ".", time, "."] {
        text.extend_from_slice(part.as_bytes());
    }
    text.extend_from_slice(body);
    text
}

/// `algorithm=RSA256,keyVersion=1,signature=…`: in any order, with or without blanks.
struct SignatureHeader<'a> {
    key_version: Option<u32>,
    signature: Option<&'a str>,
}

impl<'a> SignatureHeader<'a> {
    fn parse(text: &'a str) -> Self {
        let mut header = Self { key_version: None, signature: None };
        let members = text.split(',').filter_map(|member| member.split_once('='));
        for (name, value) in members.map(|(name, value)| (name.trim(), value.trim())) {
            if name.eq_ignore_ascii_case("keyVersion") {
                // The vendor's pages also show version 0: no version at all.
                header.key_version = value.parse().ok().filter(|version| *version > 0);
            } else if name.eq_ignore_ascii_case("signature") {
                header.signature = Some(value);
            }
        }
        header
    }
}

/// A `+` stays a `+`: some clients do not escape it.
fn decode(signature: &str) -> Option<Vec<u8>> {
    let base64: Cow<'_, [u8]> = percent_decode_str(signature).into();
    BASE64.decode(base64).ok().filter(|signature| !signature.is_empty())
}

/// Standard base64 that also takes missing padding, which third-party signers leave out.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent).with_decode_allow_trailing_bits(true),
);

fn header<'a>(request: &WireRequest<'a>, name: &str) -> Option<&'a str> {
    request.headers.get(name).map(str::trim).filter(|value| !value.is_empty())
}

fn is_json(content_type: &str) -> bool {
    let essence = content_type.split([';', ',']).next().unwrap_or_default().trim();
    essence.is_empty() || essence.eq_ignore_ascii_case("application/json") || essence.eq_ignore_ascii_case("text/json")
}

fn bearer<'a>(request: &WireRequest<'a>) -> Option<&'a str> {
    let (kind, token) = header(request, "authorization")?.split_once(' ')?;
    kind.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

/// `isak_TEST_xxx` of `isak_TEST_xxx_yyy`: the part by which a key is found; the rest is the secret.
fn public_part(token: &str) -> Option<&str> {
    let mut parts = token.splitn(4, '_');
    let (kind, mode, name, secret) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
    let known = matches!(kind, "isak" | "irak") && matches!(mode, "TEST" | "PROD");
    (known && !name.is_empty() && !secret.is_empty()).then(|| &token[..token.len() - secret.len() - 1])
}
