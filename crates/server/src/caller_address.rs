//! Where a request came from, also behind reverse proxies. Only proxies that the configuration names are believed: everybody can send a header.

use std::net::{IpAddr, SocketAddr};

use http::request::Parts;
use refundry_service::outgoing::addresses::Network;

use crate::listen::Peer;

const FORWARDED_FOR: &str = "x-forwarded-for";
/// Proxies that are followed back at most.
const HOPS_MAX: usize = 16;

/// The caller's own address: the far end of the connection or, when that is a trusted proxy, the nearest address before it that is none. `None`
/// when a trusted proxy names nobody, or something that is no address.
pub fn caller_address(parts: &Parts, trusted: &[Network]) -> Option<IpAddr> {
    let Peer(peer) = parts.extensions.get::<Peer>().copied()?;
    let is_trusted = |address: IpAddr| trusted.iter().any(|network| network.contains(address));
    if !is_trusted(peer) {
        return Some(peer);
    }
    // Each proxy appends whom it was called by, so the nearest stands last, over all headers of that name.
    let mut named = Vec::new();
    for value in parts.headers.get_all(FORWARDED_FOR) {
        named.extend(value.to_str().ok()?.split(','));
    }
    for text in named.into_iter().rev().take(HOPS_MAX) {
        let address = address(text.trim())?;
        if !is_trusted(address) {
            return Some(address);
        }
    }
    None
}

/// An address, with or without a port.
fn address(text: &str) -> Option<IpAddr> {
    let bare = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(text);
    bare.parse().ok().or_else(|| text.parse::<SocketAddr>().ok().map(|socket| socket.ip()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(peer: &str, forwarded: &[&str], trusted: &[&str]) -> Option<String> {
        let mut request = http::Request::builder();
        for value in forwarded {
            request = request.header(FORWARDED_FOR, *value);
        }
        let (mut parts, ()) = request.body(()).unwrap().into_parts();
        parts.extensions.insert(Peer(peer.parse().unwrap()));
        let trusted: Vec<Network> = trusted.iter().map(|text| text.parse().unwrap()).collect();
        caller_address(&parts, &trusted).map(|address| address.to_string())
    }

    #[test]
    fn only_trusted_proxies_are_believed() {
        for (peer, forwarded, trusted, expected) in [
            ("203.0.113.7", &[][..], &[][..], Some("203.0.113.7")),
            ("203.0.113.7", &["198.51.100.1"], &[], Some("203.0.113.7")),
            ("203.0.113.7", &["198.51.100.1"], &["10.0.0.0/8"], Some("203.0.113.7")),
            ("10.0.0.1", &["198.51.100.1"], &["10.0.0.0/8"], Some("198.51.100.1")),
            // What the caller itself wrote stands before what the proxies added.
            ("10.0.0.1", &["192.0.2.66, 198.51.100.1, 10.0.0.2"], &["10.0.0.0/8"], Some("198.51.100.1")),
            ("10.0.0.1", &["192.0.2.66", "198.51.100.1:4711"], &["10.0.0.0/8"], Some("198.51.100.1")),
            ("10.0.0.1", &["[2001:db8::7]:443"], &["10.0.0.0/8"], Some("2001:db8::7")),
            ("::ffff:10.0.0.1", &["2001:db8::7"], &["10.0.0.0/8"], Some("2001:db8::7")),
            ("10.0.0.1", &["unknown"], &["10.0.0.0/8"], None),
            ("10.0.0.1", &["10.0.0.2"], &["10.0.0.0/8"], None),
            ("10.0.0.1", &[], &["10.0.0.0/8"], None),
        ] {
            assert_eq!(seen(peer, forwarded, trusted).as_deref(), expected, "{peer} {forwarded:?} {trusted:?}");
        }
    }

    #[test]
    fn a_request_from_nowhere_has_no_address() {
        let (parts, ()) = http::Request::new(()).into_parts();
        assert_eq!(caller_address(&parts, &[]), None);
    }
}
