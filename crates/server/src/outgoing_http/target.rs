//! Where a URL leads. The path is sent as it was written, because signatures cover it.

use hyper::header::HeaderValue;
use refundry_service::outgoing::{NeverSent, URL_LENGTH_MAX};

/// A checked absolute URL.
pub struct Target {
    /// Whether it begins with `https`.
    pub secure: bool,
    /// The host without brackets.
    pub host: String,
    /// The port, written or by scheme.
    pub port: u16,
    origin: String,
    host_header: HeaderValue,
    path_and_query: String,
}

impl Target {
    /// Reads an absolute `http` or `https` URL without credentials.
    pub fn parse(url: &str) -> Result<Target, NeverSent> {
        if url.len() > URL_LENGTH_MAX {
            return Err(NeverSent::Malformed("the URL is too long"));
        }
        let uri: http::Uri = url.parse().map_err(|_| NeverSent::Malformed("not a URL"))?;
        let secure = match uri.scheme_str() {
            Some("https") => true,
            Some("http") => false,
            Some(_) | None => return Err(NeverSent::Malformed("the URL does not begin with http:// or https://")),
        };
        let authority = uri.authority().ok_or(NeverSent::Malformed("the URL names no host"))?;
        if authority.as_str().contains('@') {
            return Err(NeverSent::Malformed("the URL holds credentials"));
        }
        let host = authority.host();
        if host.is_empty() {
            return Err(NeverSent::Malformed("the URL names no host"));
        }
        let written_port = match authority.as_str().strip_prefix(host) {
            Some("") => None,
            Some(port) => Some(parse_port(port).ok_or(NeverSent::Malformed("the URL's port is not a port"))?),
            None => None,
        };
        let default_port = if secure { 443 } else { 80 };
        let host_header = match written_port.filter(|port| *port != default_port) {
            Some(port) => format!("{host}:{port}"),
            None => host.to_owned(),
        };
        let scheme = if secure { "https" } else { "http" };
        Ok(Target {
            secure,
            host: host.trim_start_matches('[').trim_end_matches(']').to_owned(),
            port: written_port.unwrap_or(default_port),
            origin: format!("{scheme}://{host_header}").to_ascii_lowercase(),
            host_header: HeaderValue::try_from(host_header).map_err(|_| NeverSent::Malformed("not a host"))?,
            path_and_query: uri.path_and_query().map_or("/", |path| path.as_str()).to_owned(),
        })
    }

    /// Scheme, host and port: what a kept connection is good for.
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// The `host` header.
    pub fn host_header(&self) -> HeaderValue {
        self.host_header.clone()
    }

    /// The request target.
    pub fn path_and_query(&self) -> &str {
        &self.path_and_query
    }
}

fn parse_port(text: &str) -> Option<u16> {
    text.strip_prefix(':')?.parse().ok().filter(|port| *port != 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_are_read_as_written() {
        let rows = [
            ("http://a.example", "http://a.example", "a.example", 80, "/"),
            ("HTTPS://A.example:443/x%2fy/../z?q=1#f", "https://a.example", "A.example", 443, "/x%2fy/../z?q=1"),
            ("https://a.example:8443//double", "https://a.example:8443", "a.example", 8443, "//double"),
            ("http://[::1]:8080/", "http://[::1]:8080", "::1", 8080, "/"),
        ];
        for (url, origin, host, port, path) in rows {
            let target = Target::parse(url).unwrap();
            let read = (target.origin(), target.host.as_str(), target.port, target.path_and_query());
            assert_eq!(read, (origin, host, port, path), "{url}");
        }
    }

    #[test]
    fn other_things_are_refused() {
        let long = format!("http://a.example/{}", "x".repeat(URL_LENGTH_MAX));
        let rows = [
            "",
            "/path",
            "a.example",
            "ftp://a.example",
            "file:///etc/passwd",
            "http://",
            "http:///x",
            "http://u:p@a.example",
            "http://a.example:99999",
            "http://a.example:",
            "http://a.example:0",
            "http://:80/",
            "http://a b",
            "http://例子.example/",
            &long,
        ];
        for url in rows {
            assert!(matches!(Target::parse(url), Err(NeverSent::Malformed(_))), "{url}");
        }
    }
}
