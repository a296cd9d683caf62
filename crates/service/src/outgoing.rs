//! Outgoing HTTP as an effect: notifications to merchants and submissions to the operator's payment system.
//!
//! The trait says only what the rest needs to know: whether the other side may have seen the request. Sockets are in
//! the server; the simulator answers from memory. Redirects are never followed, because the new address would escape
//! the [guard](addresses).

pub mod addresses;

use bytes::Bytes;
use futures::future::BoxFuture;
use std::net::IpAddr;

/// Longest URL that is looked at.
pub const URL_LENGTH_MAX: usize = 2048;

/// Posts to addresses that merchants and operators have named.
pub trait Notifier: Send + Sync {
    /// Sends one POST and waits for the whole answer, whatever its status.
    fn post<'a>(&'a self, request: OutgoingRequest) -> BoxFuture<'a, Result<OutgoingResponse, OutgoingError>>;
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
