//! Who calls: a merchant's terminal or an agent's, proved by a signature over the bytes of `bizContent` as they were sent.

use refundry_engine::Timestamp;

use super::biz::text_of;
use super::envelope::{Envelope, is_number, wrong};
use super::lookup;
use crate::time_text::parse_digits;
use crate::{ActingFor, Claimed, Flaw, Keys, WireError, WireRequest, hex, scheme};

/// Seconds that the time of a request may be away from ours.
pub const TIMESTAMP_SECONDS_MAX: i64 = 600;

/// Who claims to call: whom the form names, be it the merchant or the agent that acts for it. It is their key that signs.
pub fn identify(request: &WireRequest<'_>) -> Result<Claimed, WireError> {
    let envelope = Envelope::open(request)?;
    let lookup = lookup(envelope.sent("merId"), envelope.sent("terId"));
    Ok(Claimed { lookup, scheme: envelope.scheme(), key_version: None, acting_for: acting_for(&envelope) })
}

/// Whether the request is one that can be proved at all, and then whether it is. What is signed must name the merchant, because nothing else of
/// the envelope is signed.
pub fn authenticate(request: &WireRequest<'_>, keys: &dyn Keys) -> Result<(), WireError> {
    let envelope = Envelope::open(request)?;
    envelope.check()?;
    let sent_at = parse_digits(envelope.sent("timestamp"));
    let seconds = |at: Timestamp| at.ms().div_euclid(1_000);
    if sent_at.is_none_or(|at| seconds(at).abs_diff(seconds(keys.now())) > TIMESTAMP_SECONDS_MAX.unsigned_abs()) {
        return Err(wrong("timestamp", Flaw::Malformed, "must be yyyyMMddHHmmss of UTC+8, at most ten minutes from now"));
    }
    if keys.is_empty() {
        return Err(WireError::NoKey);
    }
    let signature = hex::decode(envelope.sent("signStr")).ok_or(WireError::BadSignature)?;
    let content = envelope.sent("bizContent").as_bytes();
    let proved = if envelope.scheme() == scheme::SM2 { keys.sm2(content, &signature) } else { keys.rsa_sha256(None, content, &signature) };
    if !proved {
        return Err(WireError::BadSignature);
    }
    let content = envelope.content().ok_or_else(|| wrong("bizContent", Flaw::Malformed, "must be a JSON object"))?;
    for name in ["merId", "terId"] {
        if text_of(&content, name).is_none() {
            return Err(wrong(name, Flaw::Missing, "must be in bizContent, too"));
        }
    }
    Ok(())
}

/// The agent that a request names beside its merchant; who names itself acts for itself.
fn acting_for(envelope: &Envelope<'_>) -> Option<ActingFor> {
    if !envelope.sent("bizContent").contains("agentMerId") {
        return None;
    }
    let content = envelope.content()?;
    let number = |name: &str| text_of(&content, name).filter(|number| is_number(number));
    let agent_account = number("agentMerId")?;
    let acting = ActingFor {
        account: number("merId").unwrap_or_else(|| envelope.sent("merId").to_owned()),
        terminal: number("terId").unwrap_or_else(|| envelope.sent("terId").to_owned()),
        agent_account,
        agent_terminal: number("agentTerId").unwrap_or_default(),
    };
    let is_itself = (&acting.account, &acting.terminal) == (&acting.agent_account, &acting.agent_terminal);
    (!is_itself).then_some(acting)
}
