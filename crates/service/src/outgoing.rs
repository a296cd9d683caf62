//! Outgoing HTTP as an effect: notifications to merchants and submissions to the operator's payment system.
//!
//! The trait says only what the rest needs to know: whether the other side may have seen the request. Sockets are in
//! the server; the simulator answers from memory. Redirects are never followed, because the new address would escape
//! the [guard](addresses).

pub mod addresses;

use bytes::Bytes;
use futures::future::BoxFuture;
use refundry_engine::Refusal;
use refundry_engine::refund;
use std::net::IpAddr;

/// Longest URL that is looked at.
pub const URL_LENGTH_MAX: usize = 2048;

/// Posts to addresses that merchants and operators have named.
pub trait Notifier: Send + Sync {
    /// Sends one POST and waits for the whole answer, whatever its status.
    fn post<'a>(&'a self, request: OutgoingRequest) -> BoxFuture<'a, Result<OutgoingResponse, OutgoingError>>;
}

/// Whether an address that somebody names can be posted to at all, so that a mistake is told at once and not by silence. Whether it may be
/// reached is looked at when a connection is made.
pub fn check_url(field: &str, url: &str) -> Result<(), Refusal> {
    let longest = refund::URL_LENGTH_MAX;
    let plain = url.len() <= longest && url.bytes().all(|byte| byte.is_ascii_graphic());
    let scheme = |text: &str| ["http", "https"].iter().any(|known| text.eq_ignore_ascii_case(known));
    let behind = url.split_once("://").filter(|(before, _)| scheme(before)).map(|(_, behind)| behind);
    let host = behind.and_then(|behind| behind.split(['/', '?', '#']).next()).filter(|host| !host.is_empty() && !host.contains('@'));
    let parsed = url::Url::parse(url).ok().filter(|parsed| parsed.has_host() && parsed.port() != Some(0));
    if plain && host.is_some() && parsed.is_some() {
        return Ok(());
    }
    let rule = format!("an http or https URL of at most {longest} ASCII letters, without user name and blanks");
    Err(Refusal::FieldInvalid { field: field.to_owned(), rule })
}

/// One POST to be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutgoingRequest {
    /// Absolute `http` or `https` URL.
    pub url: String,
    /// Names and values in the order of sending; `host` and `content-length` are added.
    pub headers: Vec<(String, String)>,
    /// The body as it was signed.
    pub body: Bytes,
    /// Time from now to the end of the answer.
    pub timeout_ms: u64,
}

/// The answer of the other side.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutgoingResponse {
    /// HTTP status.
    pub status: u16,
    /// Names in lower case; a value that is not text is left out.
    pub headers: Vec<(String, String)>,
    /// The body, at most as long as the configuration allows.
    pub body: Bytes,
}

/// Why there is no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OutgoingError {
    /// Not one byte of the request left this machine: it is safe to send again.
    #[error("not sent: {0}")]
    NeverSent(NeverSent),
    /// The other side may have received and carried out the request.
    #[error("unclear: {0}")]
    Unclear(Unclear),
}

/// What kept a request from being sent.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NeverSent {
    /// The URL is not an absolute `http` or `https` URL, or a header cannot be sent.
    #[error("{0}")]
    Malformed(&'static str),
    /// The guard refused the address.
    #[error("{address} is {kind}; permit its network in outgoing.networks_allowed if that is meant")]
    Forbidden {
        /// The address the name led to.
        address: IpAddr,
        /// What kind of address it is.
        kind: &'static str,
    },
    /// The name has no address.
    #[error("the name does not resolve: {0}")]
    Unresolved(String),
    /// No address of the name took the connection.
    #[error("no connection: {0}")]
    Unconnected(String),
    /// The other side's certificate or TLS was not acceptable.
    #[error("no TLS: {0}")]
    Insecure(String),
    /// The time was over before there was a connection.
    #[error("no connection in time")]
    TimedOut,
}

/// What happened after the first byte may have left.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unclear {
    /// The time was over before the answer was complete.
    #[error("no answer in time")]
    TimedOut,
    /// The connection ended before the answer was complete.
    #[error("the connection was lost: {0}")]
    Lost(String),
    /// The answer is longer than the configuration allows.
    #[error("the answer is longer than {limit} bytes")]
    TooLong {
        /// The configured limit.
        limit: usize,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_can_be_posted_to_is_an_address() {
        let longest = format!("https://a.example/{}", "x".repeat(refund::URL_LENGTH_MAX - 18));
        for url in ["https://a.example", "HTTP://a.example:8080/x?y=%20#z", "http://[::1]:80/", "http://10.0.0.1/x", &longest] {
            assert_eq!(check_url("url", url), Ok(()), "{url}");
        }
        let too_long = format!("{longest}x");
        let refused = [
            "",
            "a.example",
            "http:x",
            "http://",
            "http:///x",
            "file:///etc/passwd",
            "ftp://a.example/",
            "javascript://a.example/%0aalert(1)",
            "http://user:secret@a.example/",
            "http://@a.example/",
            "http://a.example:0/",
            "http://a.example:99999/",
            "http://a b/",
            " http://a.example/",
            "http://a.example/\r\nX-Evil: 1",
            "http://a.example/\u{0}",
            "http://\u{4f8b}\u{5b50}.example/",
            &too_long,
        ];
        for url in refused {
            assert!(matches!(check_url("url", url), Err(Refusal::FieldInvalid { field, .. }) if field == "url"), "{url:?}");
        }
    }
}
