//! Which addresses outgoing requests may reach: the public internet, and what the operator lists.
//!
//! A merchant chooses where its notifications go, so an unguarded server would carry requests to the operator's own
//! network. The check is a pure function of the address that is about to be connected to, never of the name, so that a
//! name that changes its address between two look-ups gains nothing.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

/// A range of addresses in CIDR form, `10.0.0.0/8` or `fd00::/8`; a bare address is a range of one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Network {
    address: IpAddr,
    prefix_bits: u8,
}

/// The text is not an address with an optional prefix length.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a network such as 10.0.0.0/8, fd00::/8 or 127.0.0.1")]
pub struct NotANetwork;

/// Decides for each address; built once from the configuration.
#[derive(Debug, Clone, Default)]
pub struct AddressPolicy {
    allowed: Vec<Network>,
}

impl AddressPolicy {
    /// Permits the public internet and `allowed`. Cloud metadata services are permitted only by a network of exactly
    /// that one address, so that a generous range does not open them by accident.
    pub fn new(allowed: Vec<Network>) -> AddressPolicy {
        AddressPolicy { allowed }
    }

    /// `Err` names the kind of the address when it must not be connected to.
    pub fn check(&self, address: IpAddr) -> Result<(), &'static str> {
        let address = embedded_ipv4(address);
        if let Some(metadata) = METADATA.iter().find(|metadata| metadata.address == address) {
            let named = self.allowed.contains(metadata);
            return if named { Ok(()) } else { Err("a cloud metadata service") };
        }
        if self.allowed.iter().any(|network| network.contains(address)) {
            return Ok(());
        }
        match FORBIDDEN.iter().find(|(network, _)| network.contains(address)) {
            Some((_, kind)) => Err(kind),
            None if is_global(address) => Ok(()),
            None => Err("not a public address"),
        }
    }
}

impl Network {
    /// Whether `address` lies in the range; an IPv4 address written as IPv6 counts as IPv4.
    pub fn contains(&self, address: IpAddr) -> bool {
        match (self.address, embedded_ipv4(address)) {
            (IpAddr::V4(own), IpAddr::V4(other)) => {
                let shift = 32_u32.saturating_sub(u32::from(self.prefix_bits));
                own.to_bits().checked_shr(shift) == other.to_bits().checked_shr(shift)
            }
            (IpAddr::V6(own), IpAddr::V6(other)) => {
                let shift = 128_u32.saturating_sub(u32::from(self.prefix_bits));
                own.to_bits().checked_shr(shift) == other.to_bits().checked_shr(shift)
            }
            (IpAddr::V4(_), IpAddr::V6(_)) | (IpAddr::V6(_), IpAddr::V4(_)) => false,
        }
    }
}

impl FromStr for Network {
    type Err = NotANetwork;

    fn from_str(text: &str) -> Result<Network, NotANetwork> {
        let (address, prefix) = match text.split_once('/') {
            Some((address, prefix)) => (address, Some(prefix)),
            None => (text, None),
        };
        let address: IpAddr = address.parse().map_err(|_| NotANetwork)?;
        let most = if address.is_ipv4() { 32 } else { 128 };
        let prefix_bits = match prefix {
            Some(prefix) => prefix.parse().map_err(|_| NotANetwork)?,
            None => most,
        };
        if prefix_bits > most {
            return Err(NotANetwork);
        }
        Ok(Network { address, prefix_bits })
    }
}

impl fmt::Display for Network {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}/{}", self.address, self.prefix_bits)
    }
}

/// Public IPv6 lives in 2000::/3 alone; public IPv4 is everything that [`FORBIDDEN`] does not name.
fn is_global(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(_) => true,
        IpAddr::V6(address) => address.segments()[0] & 0xe000 == 0x2000,
    }
}

/// IPv4 inside IPv6 (mapped, or behind the well-known NAT64 prefix) is judged as the IPv4 address it leads to.
fn embedded_ipv4(address: IpAddr) -> IpAddr {
    let IpAddr::V6(six) = address else {
        return address;
    };
    let bytes = six.octets();
    let mapped = six.to_ipv4_mapped();
    let nat64 =
        (bytes[..12] == [0, 0x64, 0xff, 0x9b, 0, 0, 0, 0, 0, 0, 0, 0]).then(|| Ipv4Addr::new(bytes[12], bytes[13], bytes[14], bytes[15]));
    mapped.or(nat64).map_or(address, IpAddr::V4)
}

const fn v4(a: u8, b: u8, c: u8, d: u8, prefix_bits: u8) -> Network {
    Network { address: IpAddr::V4(Ipv4Addr::new(a, b, c, d)), prefix_bits }
}

const fn v6(a: u16, b: u16, last: u16, prefix_bits: u8) -> Network {
    Network { address: IpAddr::V6(Ipv6Addr::new(a, b, 0, 0, 0, 0, 0, last)), prefix_bits }
}

/// Where clouds answer their guests' questions, credentials included; two of them have public-looking addresses.
const METADATA: [Network; 5] = [
    v4(169, 254, 169, 254, 32),
    v4(100, 100, 100, 200, 32),
    v4(192, 0, 0, 192, 32),
    v4(168, 63, 129, 16, 32),
    v6(0xfd00, 0x0ec2, 0x0254, 128),
];

/// The special-purpose registries of IANA, without what `is_global` already excludes.
const FORBIDDEN: [(Network, &str); 28] = [
    (v4(0, 0, 0, 0, 8), "an unspecified address"),
    (v4(10, 0, 0, 0, 8), "a private address"),
    (v4(100, 64, 0, 0, 10), "a carrier's shared address"),
    (v4(127, 0, 0, 0, 8), "a loopback address"),
    (v4(169, 254, 0, 0, 16), "a link-local address"),
    (v4(172, 16, 0, 0, 12), "a private address"),
    (v4(192, 0, 0, 0, 24), "a protocol's address"),
    (v4(192, 0, 2, 0, 24), "a documentation address"),
    (v4(192, 88, 99, 0, 24), "a 6to4 relay"),
    (v4(192, 168, 0, 0, 16), "a private address"),
    (v4(198, 18, 0, 0, 15), "a benchmark address"),
    (v4(198, 51, 100, 0, 24), "a documentation address"),
    (v4(203, 0, 113, 0, 24), "a documentation address"),
    (v4(224, 0, 0, 0, 4), "a multicast address"),
    (v4(240, 0, 0, 0, 4), "a reserved address"),
    (v6(0, 0, 0, 128), "an unspecified address"),
    (v6(0, 0, 1, 128), "a loopback address"),
    (v6(0x0064, 0xff9b, 0, 32), "a translated address"),
    (v6(0x0100, 0, 0, 64), "a discard address"),
    (v6(0x2001, 0, 0, 23), "a protocol's address"),
    (v6(0x2001, 0x0db8, 0, 32), "a documentation address"),
    (v6(0x2002, 0, 0, 16), "a 6to4 address"),
    (v6(0x3fff, 0, 0, 20), "a documentation address"),
    (v6(0x5f00, 0, 0, 16), "a segment routing address"),
    (v6(0xfc00, 0, 0, 7), "a private address"),
    (v6(0xfe80, 0, 0, 10), "a link-local address"),
    (v6(0xfec0, 0, 0, 10), "a site-local address"),
    (v6(0xff00, 0, 0, 8), "a multicast address"),
];

#[cfg(test)]
mod tests {
    use super::*;

    fn policy(allowed: &[&str]) -> AddressPolicy {
        AddressPolicy::new(allowed.iter().map(|text| text.parse().unwrap()).collect())
    }

    #[test]
    fn only_public_addresses_pass_by_themselves() {
        let rows = [
            ("0.0.0.0", "an unspecified address"),
            ("0.1.2.3", "an unspecified address"),
            ("10.1.2.3", "a private address"),
            ("100.64.0.1", "a carrier's shared address"),
            ("100.127.255.255", "a carrier's shared address"),
            ("127.0.0.1", "a loopback address"),
            ("127.255.255.254", "a loopback address"),
            ("169.254.1.1", "a link-local address"),
            ("169.254.169.254", "a cloud metadata service"),
            ("100.100.100.200", "a cloud metadata service"),
            ("168.63.129.16", "a cloud metadata service"),
            ("192.0.0.192", "a cloud metadata service"),
            ("172.16.0.1", "a private address"),
            ("172.31.255.255", "a private address"),
            ("192.0.0.1", "a protocol's address"),
            ("192.0.2.1", "a documentation address"),
            ("192.168.1.1", "a private address"),
            ("198.18.0.1", "a benchmark address"),
            ("198.19.255.255", "a benchmark address"),
            ("203.0.113.7", "a documentation address"),
            ("224.0.0.1", "a multicast address"),
            ("239.255.255.255", "a multicast address"),
            ("240.0.0.1", "a reserved address"),
            ("255.255.255.255", "a reserved address"),
            ("::", "an unspecified address"),
            ("::1", "a loopback address"),
            ("::127.0.0.1", "not a public address"),
            ("::ffff:127.0.0.1", "a loopback address"),
            ("::ffff:10.0.0.1", "a private address"),
            ("::ffff:a9fe:a9fe", "a cloud metadata service"),
            ("64:ff9b::10.0.0.1", "a private address"),
            ("64:ff9b:1::1", "a translated address"),
            ("100::1", "a discard address"),
            ("2001::1", "a protocol's address"),
            ("2001:db8::1", "a documentation address"),
            ("2002:7f00:1::", "a 6to4 address"),
            ("3fff::1", "a documentation address"),
            ("4000::1", "not a public address"),
            ("fc00::1", "a private address"),
            ("fd12:3456::1", "a private address"),
            ("fd00:ec2::254", "a cloud metadata service"),
            ("fe80::1", "a link-local address"),
            ("fec0::1", "a site-local address"),
            ("ff02::1", "a multicast address"),
        ];
        for (address, kind) in rows {
            assert_eq!(policy(&[]).check(address.parse().unwrap()), Err(kind), "{address}");
        }
        let public = ["1.1.1.1", "100.63.0.1", "100.128.0.1", "172.15.0.1", "172.32.0.1", "198.20.0.1", "223.255.255.1"];
        let public6 = ["2606:4700::1111", "2a00::1", "64:ff9b::1.1.1.1", "::ffff:8.8.8.8"];
        for address in public.into_iter().chain(public6) {
            assert_eq!(policy(&[]).check(address.parse().unwrap()), Ok(()), "{address}");
        }
    }

    #[test]
    fn the_operator_may_permit_networks() {
        let rows: [(&[&str], &str, bool); 9] = [
            (&["10.0.0.0/8"], "10.200.0.1", true),
            (&["10.0.0.0/8"], "11.0.0.1", true),
            (&["10.0.0.0/8"], "::ffff:10.0.0.1", true),
            (&["10.1.0.0/16"], "10.2.0.1", false),
            (&["127.0.0.1"], "127.0.0.1", true),
            (&["127.0.0.1", "::1"], "::1", true),
            (&["0.0.0.0/0", "::/0"], "fd00::1", true),
            (&["0.0.0.0/0", "169.254.0.0/16"], "169.254.169.254", false),
            (&["169.254.169.254/32"], "169.254.169.254", true),
        ];
        for (allowed, address, permitted) in rows {
            assert_eq!(policy(allowed).check(address.parse().unwrap()).is_ok(), permitted, "{allowed:?} {address}");
        }
    }

    #[test]
    fn networks_are_read_strictly() {
        for text in ["", "10.0.0.0/33", "::/129", "10.0.0.0/-1", "10.0.0/8", "example.com", "10.0.0.0/8/8", "/8"] {
            assert_eq!(Network::from_str(text), Err(NotANetwork), "{text}");
        }
        assert_eq!("10.0.0.0/8".parse::<Network>().unwrap().to_string(), "10.0.0.0/8");
        assert_eq!("::1".parse::<Network>().unwrap().to_string(), "::1/128");
    }
}
