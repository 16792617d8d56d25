//! Whose word counts about a request: the proxies that are listed, and nobody by default.

use std::{fmt, net::IpAddr};

use crate::{
    limits::{FORWARDED_FOR_BYTES_MAX, FORWARDED_HOPS_MAX},
    request::{RequestHead, Said, said},
};

/// Addresses that begin with the same bits: `10.0.0.0/8`, `2001:db8::/32`, or one address alone.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Network {
    first: IpAddr,
    bits: u8,
}

impl Network {
    /// Reads an address, or an address and the length of its network.
    pub(crate) fn parse(text: &str) -> Result<Self, &'static str> {
        let (address, bits) = text.split_once('/').map_or((text, None), |(first, bits)| (first, Some(bits)));
        let first: IpAddr = address.parse().map_err(|_| "is no address and no network")?;
        let width = width(first);
        let bits = match bits {
            None => width,
            Some(bits) if bits.bytes().all(|byte| byte.is_ascii_digit()) => {
                bits.parse().ok().filter(|bits| *bits <= width).ok_or("has no such length")?
            }
            Some(_) => return Err("has no such length"),
        };
        let network = Self { first: first.to_canonical(), bits };
        if first != network.first {
            return Err("is an IPv4 address in IPv6 clothes; write it as IPv4");
        }
        if number(first) & !mask(first, bits) != 0 {
            return Err("does not begin at the network's first address");
        }
        Ok(network)
    }

    /// Whether everybody is in it.
    pub(crate) fn is_everybody(self) -> bool {
        self.bits == 0
    }

    /// Whether `address` is in it. An IPv4 address that comes as an IPv6 one counts as what it is.
    pub(crate) fn contains(self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        address.is_ipv4() == self.first.is_ipv4()
            && number(address) & mask(address, self.bits) == number(self.first)
    }
}

impl fmt::Debug for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.first, self.bits)
    }
}

fn width(address: IpAddr) -> u8 {
    if address.is_ipv4() { 32 } else { 128 }
}

fn number(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(address) => u128::from(u32::from(address)),
        IpAddr::V6(address) => u128::from(address),
    }
}

/// The first `bits` of an address of this kind.
fn mask(address: IpAddr, bits: u8) -> u128 {
    let width = u32::from(width(address));
    let all = u128::MAX >> (128 - width);
    all & !all.checked_shr(u32::from(bits)).unwrap_or(0)
}

/// The proxies whose headers are believed.
#[derive(Clone, Debug, Default)]
pub(crate) struct TrustedProxies {
    networks: Vec<Network>,
    /// Whether whoever has no address is one of them: a peer on a unix socket.
    without_address: bool,
}

impl TrustedProxies {
    /// Adds a network, an address, or `unix`.
    pub(crate) fn trust(&mut self, text: &str) -> Result<(), &'static str> {
        if text == "unix" {
            self.without_address = true;
            return Ok(());
        }
        let network = Network::parse(text)?;
        if network.is_everybody() {
            return Err("is everybody, so that anybody could say what a request is");
        }
        self.networks.push(network);
        Ok(())
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.networks.is_empty() && !self.without_address
    }

    /// Whether what the peer's headers say is believed.
    pub(crate) fn trust_peer(&self, head: &(impl RequestHead + ?Sized)) -> bool {
        match head.peer() {
            Some(peer) => self.contain(peer),
            None => self.without_address,
        }
    }

    fn contain(&self, address: IpAddr) -> bool {
        self.networks.iter().any(|network| network.contains(address))
    }

    /// Where a request comes from: the peer, unless that is a trusted proxy, which then says so in `header`. `None`
    /// where that cannot be read, or where the proxy says nothing.
    pub(crate) fn client(&self, head: &(impl RequestHead + ?Sized), header: &str) -> Option<IpAddr> {
        if !self.trust_peer(head) {
            return head.peer().map(|peer| peer.to_canonical());
        }
        if header != FORWARDED_FOR {
            // A header with one address in it, which the proxy sets whatever the client has sent.
            return match said(head, header) {
                Said::Once(text) => address(text),
                Said::Nothing | Said::Unreadably => None,
            };
        }
        let mut chain = String::new();
        let mut readable = true;
        head.each_header(header, &mut |line| match std::str::from_utf8(line) {
            Ok(line) if chain.len() + line.len() < FORWARDED_FOR_BYTES_MAX => {
                chain.push(',');
                chain += line;
            }
            _ => readable = false,
        });
        if !readable {
            return None;
        }
        // Each hop adds its peer at the end: whatever stands before the first stranger is that stranger's invention.
        let mut client = None;
        for (hops, hop) in chain.strip_prefix(',')?.rsplit(',').enumerate() {
            let hop = address(hop).filter(|_| hops < FORWARDED_HOPS_MAX)?;
            client = Some(hop);
            if !self.contain(hop) {
                break;
            }
        }
        client
    }
}

/// The header that every proxy adds its peer to.
pub(crate) const FORWARDED_FOR: &str = "x-forwarded-for";

/// An address as proxies write it, with or without a port. A zone means something to another machine only.
fn address(text: &str) -> Option<IpAddr> {
    let text = text.trim_matches([' ', '\t']);
    let bare = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(text);
    let address = bare.parse::<IpAddr>().or_else(|_| {
        let with_port = text.parse::<std::net::SocketAddr>();
        with_port.map(|address| address.ip())
    });
    address.ok().map(|address| address.to_canonical())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::request::PlainHead;

    fn trusting(networks: &[&str]) -> TrustedProxies {
        let mut trusted = TrustedProxies::default();
        networks.iter().for_each(|network| trusted.trust(network).unwrap());
        trusted
    }

    fn from(peer: &str) -> PlainHead {
        PlainHead::new("GET", "/").from_peer(peer.parse().unwrap())
    }

    #[test]
    fn a_network_is_its_addresses_and_no_others() {
        let network = |text| Network::parse(text).unwrap();
        let contains = |text, address: &str| network(text).contains(address.parse().unwrap());
        assert!(contains("10.0.0.0/8", "10.255.0.1") && !contains("10.0.0.0/8", "11.0.0.0"));
        assert!(contains("10.0.0.0/8", "::ffff:10.0.0.1"), "an IPv4 peer on an IPv6 socket");
        assert!(contains("192.168.7.0/25", "192.168.7.127") && !contains("192.168.7.0/25", "192.168.7.128"));
        assert!(contains("127.0.0.1", "127.0.0.1") && !contains("127.0.0.1", "127.0.0.2"));
        assert!(contains("2001:db8::/32", "2001:db8::1") && !contains("2001:db8::/32", "2001:db9::"));
        assert!(contains("::1", "::1") && !contains("::/0", "1.2.3.4") && contains("0.0.0.0/0", "1.2.3.4"));
        for odd in
            ["", "10.0.0.1/8", "10.0.0.0/33", "10.0.0.0/+8", "10.0.0.0/", "::ffff:1.2.3.4", "a", "1.2.3"]
        {
            assert!(Network::parse(odd).is_err(), "{odd}");
        }
    }

    #[test]
    fn gw_05_nobody_is_a_trusted_proxy_unless_listed_and_never_everybody() {
        assert!(!TrustedProxies::default().trust_peer(&from("127.0.0.1")));
        assert!(!TrustedProxies::default().trust_peer(&PlainHead::new("GET", "/")));
        assert!(!trusting(&["127.0.0.1"]).trust_peer(&PlainHead::new("GET", "/")), "unknown is not listed");
        assert!(trusting(&["unix"]).trust_peer(&PlainHead::new("GET", "/")));
        assert!(!trusting(&["unix"]).trust_peer(&from("127.0.0.1")));
        for everybody in ["0.0.0.0/0", "::/0"] {
            assert!(TrustedProxies::default().trust(everybody).is_err());
        }
    }

    #[test]
    fn gw_06_a_client_is_the_first_stranger_from_the_right() {
        let client = |peer: &str, lines: &[&str]| {
            let head = lines.iter().fold(from(peer), |head, line| head.with(FORWARDED_FOR, *line));
            trusting(&["10.0.0.0/8", "fd00::/8"])
                .client(&head, FORWARDED_FOR)
                .map(|client| client.to_string())
        };
        let flood = format!("{}1.2.3.4", "6.6.6.6, ".repeat(500));
        let too_long = "6.6.6.6, ".repeat(5_000) + "1.2.3.4";
        for (peer, lines, expected) in [
            ("9.9.9.9", &["1.2.3.4"][..], Some("9.9.9.9")),
            ("10.0.0.1", &["6.6.6.6, 1.2.3.4"], Some("1.2.3.4")),
            ("10.0.0.1", &["6.6.6.6", "1.2.3.4"], Some("1.2.3.4")),
            ("10.0.0.1", &["6.6.6.6, 1.2.3.4, 10.0.0.2"], Some("1.2.3.4")),
            ("10.0.0.1", &["10.0.0.7,10.0.0.2"], Some("10.0.0.7")),
            ("10.0.0.1", &["x, 1.2.3.4:5678"], Some("1.2.3.4")),
            ("10.0.0.1", &["[2001:db8::1]:99"], Some("2001:db8::1")),
            ("10.0.0.1", &["2001:db8::1"], Some("2001:db8::1")),
            ("10.0.0.1", &["[2001:db8::1]"], Some("2001:db8::1")),
            ("10.0.0.1", &["::ffff:1.2.3.4"], Some("1.2.3.4")),
            ("fd00::1", &[flood.as_str()], Some("1.2.3.4")),
            ("10.0.0.1", &[], None),
            ("10.0.0.1", &[""], None),
            ("10.0.0.1", &["1.2.3.4, unknown"], None),
            ("10.0.0.1", &["1.2.3.4, _hidden, 10.0.0.2"], None),
            ("10.0.0.1", &["fe80::1%eth0"], None),
            ("10.0.0.1", &["1.2.3.4,"], None),
            ("10.0.0.1", &["1.2.3.4.5"], None),
            ("10.0.0.1", &["1.2.3.4:port"], None),
            ("10.0.0.1", &[too_long.as_str()], None),
        ] {
            let shown: String = lines.concat().chars().take(60).collect();
            assert_eq!(client(peer, lines).as_deref(), expected, "{peer} {shown}");
        }
        let hops = vec!["10.0.0.9"; FORWARDED_HOPS_MAX + 1].join(",");
        let walked = client("10.0.0.1", &[&format!("1.2.3.4,{hops}")]);
        assert_eq!(walked, None, "a chain without end is not walked to its end");
    }

    #[test]
    fn gw_06_a_header_with_one_address_counts_once_and_from_a_trusted_peer_only() {
        let trusted = trusting(&["10.0.0.1"]);
        let client = |head: &PlainHead| trusted.client(head, "x-real-ip").map(|client| client.to_string());
        let told = from("10.0.0.1").with("x-real-ip", "1.2.3.4");
        assert_eq!(client(&told).as_deref(), Some("1.2.3.4"));
        assert_eq!(client(&told.clone().with("x-real-ip", "6.6.6.6")), None, "twice");
        assert_eq!(client(&from("10.0.0.1").with(FORWARDED_FOR, "1.2.3.4")), None, "another header");
        assert_eq!(client(&from("9.9.9.9").with("x-real-ip", "1.2.3.4")).as_deref(), Some("9.9.9.9"));
    }
}
