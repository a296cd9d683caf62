//! Requests and answers as bytes, without any framework.

use core::net::IpAddr;

/// A request as it came: the body is kept byte for byte, because signatures are over bytes.
#[derive(Clone, Debug)]
pub struct WireRequest<'a> {
    /// Method in capitals.
    pub method: &'a str,
    /// Path with query, without host, as it was sent.
    pub path: &'a str,
    /// Headers with names in lower case, in the order of arrival; a name may repeat.
    pub headers: &'a dyn Headers,
    /// The body.
    pub body: &'a [u8],
    /// Where it came from: the caller's own address, also behind a proxy that is trusted; `None` when nobody knows.
    pub peer: Option<IpAddr>,
}

/// The path without its query and with one leading slash.
pub(crate) fn plain_path(path: &str) -> &str {
    let path = path.split('?').next().unwrap_or_default();
    one_leading_slash(path)
}

/// The path with its query and one leading slash.
pub(crate) fn one_leading_slash(path: &str) -> &str {
    let rest = path.trim_start_matches('/').len();
    if rest < path.len() { &path[path.len() - rest - 1..] } else { path }
}

/// Headers of a request.
pub trait Headers: std::fmt::Debug + Sync {
    /// The first value of a name in lower case; `None` when it is absent or is not text.
    fn get(&self, name: &str) -> Option<&str>;
}

impl Headers for Vec<(String, String)> {
    fn get(&self, name: &str) -> Option<&str> {
        self.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }
}

/// An answer as it goes out. Header names are sent in lower case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WireResponse {
    /// HTTP status.
    pub status: u16,
    /// Header names in lower case, and values.
    pub headers: Vec<(&'static str, String)>,
    /// The body.
    pub body: Vec<u8>,
}
