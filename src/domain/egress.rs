//! Which URLs may be asked, so that a caller's configuration cannot point us at the inside of a
//! network. Not here: what a name resolves to. A Worker cannot see it, so a public name of a
//! private address gets past this rule.

use std::net::{Ipv4Addr, Ipv6Addr};

use url::{Host, Url};

/// How far requests may go.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Egress {
    /// To any host, also without TLS: for development and tests.
    AnyHost,
    /// To public hosts over TLS.
    PublicOnly,
}

/// Why a URL may not be asked.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum EgressError {
    /// The host is local, private or reserved.
    #[error("the host is not public")]
    Host,
    /// The scheme is not `https`, nor `http` where that is allowed.
    #[error("the scheme is not https")]
    Scheme,
    /// The URL has a user name or password in it.
    #[error("the url contains credentials")]
    UserInfo,
}

/// Whether `url` may be asked.
pub fn permitted(url: &Url, egress: Egress) -> Result<(), EgressError> {
    let any_host = egress == Egress::AnyHost;
    if !(url.scheme() == "https" || any_host && url.scheme() == "http") {
        return Err(EgressError::Scheme);
    }
    if has_user_info(url) {
        return Err(EgressError::UserInfo);
    }
    if any_host || has_public_host(url) {
        Ok(())
    } else {
        Err(EgressError::Host)
    }
}

/// Whether `text` is the address of something on the public web, with or without TLS.
#[must_use]
pub fn is_public_web_address(text: &str) -> bool {
    Url::parse(text).is_ok_and(|url| {
        let is_web = matches!(url.scheme(), "http" | "https");
        is_web && !has_user_info(&url) && has_public_host(&url)
    })
}

fn has_user_info(url: &Url) -> bool {
    !url.username().is_empty() || url.password().is_some()
}

fn has_public_host(url: &Url) -> bool {
    // The URL standard has read every spelling of an address by now: decimal, octal, hexadecimal.
    match url.host() {
        Some(Host::Domain(name)) => is_public_name(name),
        Some(Host::Ipv4(address)) => is_public_ipv4(address),
        Some(Host::Ipv6(address)) => is_public_ipv6(address),
        None => false,
    }
}

/// Names with no dot in them, `localhost` and `metadata` among them, are never public.
fn is_public_name(name: &str) -> bool {
    const PRIVATE: [&str; 3] = [".internal", ".local", ".localhost"];
    let name = name.trim_end_matches('.').to_ascii_lowercase();
    name.contains('.') && !PRIVATE.iter().any(|suffix| name.ends_with(suffix))
}

fn is_public_ipv4(address: Ipv4Addr) -> bool {
    !RESERVED_IPV4.iter().any(|(network, prefix)| {
        let differing = address.to_bits() ^ network.to_bits();
        differing.leading_zeros() >= *prefix
    })
}

fn is_public_ipv6(address: Ipv6Addr) -> bool {
    let within = |(network, prefix): &(Ipv6Addr, u32)| {
        let differing = address.to_bits() ^ network.to_bits();
        differing.leading_zeros() >= *prefix
    };
    within(&GLOBAL_UNICAST) && !RESERVED_IPV6.iter().any(within)
}

/// IANA's registry of special-purpose IPv4 addresses (RFC 6890), and multicast.
const RESERVED_IPV4: [(Ipv4Addr, u32); 15] = [
    (Ipv4Addr::UNSPECIFIED, 8),           // this network
    (Ipv4Addr::new(10, 0, 0, 0), 8),      // private (RFC 1918)
    (Ipv4Addr::new(100, 64, 0, 0), 10),   // carrier-grade NAT (RFC 6598)
    (Ipv4Addr::new(127, 0, 0, 0), 8),     // loopback
    (Ipv4Addr::new(169, 254, 0, 0), 16),  // link-local, where clouds put their metadata
    (Ipv4Addr::new(172, 16, 0, 0), 12),   // private (RFC 1918)
    (Ipv4Addr::new(192, 0, 0, 0), 24),    // protocol assignments
    (Ipv4Addr::new(192, 0, 2, 0), 24),    // documentation
    (Ipv4Addr::new(192, 88, 99, 0), 24),  // 6to4 relays (RFC 7526)
    (Ipv4Addr::new(192, 168, 0, 0), 16),  // private (RFC 1918)
    (Ipv4Addr::new(198, 18, 0, 0), 15),   // benchmarking
    (Ipv4Addr::new(198, 51, 100, 0), 24), // documentation
    (Ipv4Addr::new(203, 0, 113, 0), 24),  // documentation
    (Ipv4Addr::new(224, 0, 0, 0), 4),     // multicast
    (Ipv4Addr::new(240, 0, 0, 0), 4),     // reserved, and broadcast
];

/// Outside of this are loopback, unspecified, link-local, unique local and multicast addresses,
/// and every form of an IPv4 address but 6to4: mapped, compatible, NAT64.
const GLOBAL_UNICAST: (Ipv6Addr, u32) = (Ipv6Addr::new(0x2000, 0, 0, 0, 0, 0, 0, 0), 3);

/// What IANA's registry of special-purpose IPv6 addresses takes out of the global ones.
const RESERVED_IPV6: [(Ipv6Addr, u32); 4] = [
    (Ipv6Addr::new(0x2001, 0, 0, 0, 0, 0, 0, 0), 23), // protocol assignments, Teredo among them
    (Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 0), 32), // documentation
    (Ipv6Addr::new(0x2002, 0, 0, 0, 0, 0, 0, 0), 16), // 6to4: any IPv4 address, and deprecated
    (Ipv6Addr::new(0x3fff, 0, 0, 0, 0, 0, 0, 0), 20), // documentation (RFC 9637)
];

#[cfg(test)]
mod tests {
    use super::*;

    fn check(url: &str, egress: Egress) -> Result<(), EgressError> {
        permitted(&Url::parse(url).unwrap(), egress)
    }

    #[track_caller]
    fn refused(hosts: &[&str]) {
        for host in hosts {
            let url = format!("https://{host}/token");
            let refused = check(&url, Egress::PublicOnly);
            assert_eq!(refused, Err(EgressError::Host), "{host}");
            assert_eq!(check(&url, Egress::AnyHost), Ok(()), "{host}");
        }
    }

    #[track_caller]
    fn taken(hosts: &[&str]) {
        for host in hosts {
            let url = format!("https://{host}/token");
            assert_eq!(check(&url, Egress::PublicOnly), Ok(()), "{host}");
        }
    }

    #[test]
    fn public_hosts_are_taken() {
        taken(&[
            "example.com",
            "example.com.",
            "EXAMPLE.com:8443",
            "localhost.example.com",
            "mylocalhost.com",
            "internal.example.com",
            "bücher.example",
            "8.8.8.8",
            "[2606:4700:4700::1111]",
        ]);
    }

    #[test]
    fn names_of_local_hosts_are_refused() {
        refused(&[
            "localhost",
            "localhost.",
            "LOCALHOST",
            "a.localhost",
            "a.b.localhost.",
            "ⓛocalhost",
            "printer.local",
            "printer.LOCAL.",
            "metadata",
            "metadata.",
            "metadata.google.internal",
            "Metadata.Google.Internal.",
            "a.internal",
            "intranet",
        ]);
    }

    #[test]
    fn every_reserved_ipv4_network_is_refused_from_end_to_end() {
        refused(&["0.0.0.0", "0.255.255.255"]);
        refused(&["10.0.0.0", "10.255.255.255"]);
        refused(&["100.64.0.0", "100.127.255.255"]);
        refused(&["127.0.0.1", "127.255.255.255"]);
        refused(&["169.254.0.0", "169.254.169.254", "169.254.255.255"]);
        refused(&["172.16.0.0", "172.31.255.255"]);
        refused(&["192.0.0.0", "192.0.0.255"]);
        refused(&["192.0.2.0", "192.0.2.255"]);
        refused(&["192.88.99.0", "192.88.99.255"]);
        refused(&["192.168.0.0", "192.168.255.255"]);
        refused(&["198.18.0.0", "198.19.255.255"]);
        refused(&["198.51.100.0", "198.51.100.255"]);
        refused(&["203.0.113.0", "203.0.113.255"]);
        refused(&["224.0.0.0", "239.255.255.255"]);
        refused(&["240.0.0.0", "255.255.255.255"]);
    }

    #[test]
    fn the_neighbours_of_reserved_ipv4_networks_are_taken() {
        taken(&["1.0.0.0", "9.255.255.255", "11.0.0.0"]);
        taken(&["100.63.255.255", "100.128.0.0"]);
        taken(&["126.255.255.255", "128.0.0.0"]);
        taken(&["169.253.255.255", "169.255.0.0"]);
        taken(&["172.15.255.255", "172.32.0.0"]);
        taken(&["191.255.255.255", "192.0.1.0", "192.0.3.0"]);
        taken(&["192.88.98.255", "192.88.100.0"]);
        taken(&["192.167.255.255", "192.169.0.0"]);
        taken(&["198.17.255.255", "198.20.0.0"]);
        taken(&["198.51.99.255", "198.51.101.0"]);
        taken(&["203.0.112.255", "203.0.114.0"]);
        taken(&["223.255.255.255"]);
    }

    #[test]
    fn other_spellings_of_ipv4_addresses_are_refused() {
        refused(&[
            "2130706433",
            "0x7f000001",
            "0X7F.1",
            "017700000001",
            "0177.0.0.1",
            "127.1",
            "127.0.1",
            "127.0.0.1.",
            "0",
            "１２７。０。０。１",
            "%31%32%37.0.0.1",
            "2852039166",
            "0xa9fea9fe",
            "0251.0376.0251.0376",
            "0xa.1",
            "3232235777",
        ]);
    }

    #[test]
    fn special_ipv6_addresses_are_refused() {
        refused(&[
            "[::]",
            "[::1]",
            "[fe80::1]",
            "[febf::1]",
            "[fec0::1]",
            "[fc00::1]",
            "[fd00:ec2::254]",
            "[ff02::1]",
            "[100::1]",
            "[5f00::1]",
            "[2001::1]",
            "[2001:1ff:ffff::1]",
            "[2001:db8::1]",
            "[2001:db8:ffff::1]",
            "[3fff::1]",
            "[3fff:fff::1]",
            "[4000::1]",
        ]);
    }

    #[test]
    fn ipv6_forms_of_ipv4_addresses_are_refused() {
        refused(&[
            "[::ffff:127.0.0.1]",
            "[::ffff:7f00:1]",
            "[::ffff:10.0.0.1]",
            "[::ffff:169.254.169.254]",
            "[::ffff:0:127.0.0.1]",
            "[::127.0.0.1]",
            "[::10.0.0.1]",
            "[64:ff9b::127.0.0.1]",
            "[64:ff9b::a9fe:a9fe]",
            "[64:ff9b:1::10.0.0.1]",
            "[2002:7f00:1::]",
            "[2002:a9fe:a9fe::1]",
            "[2002:c0a8:101::1]",
        ]);
    }

    #[test]
    fn the_neighbours_of_reserved_ipv6_networks_are_taken() {
        taken(&[
            "[2000::1]",
            "[2001:200::1]",
            "[2001:db7:ffff::1]",
            "[2001:db9::1]",
        ]);
        taken(&["[2003::1]", "[3ffe:ffff::1]", "[3fff:1000::1]"]);
    }

    #[test]
    fn a_url_without_tls_is_for_any_host_only() {
        let url = "http://example.com/token";
        assert_eq!(check(url, Egress::PublicOnly), Err(EgressError::Scheme));
        assert_eq!(check(url, Egress::AnyHost), Ok(()));
        assert_eq!(check("http://127.0.0.1:9/token", Egress::AnyHost), Ok(()));
    }

    #[test]
    fn other_schemes_are_refused_everywhere() {
        for url in [
            "ftp://example.com/",
            "file:///etc/passwd",
            "data:,x",
            "wss://example.com",
        ] {
            for egress in [Egress::AnyHost, Egress::PublicOnly] {
                assert_eq!(check(url, egress), Err(EgressError::Scheme), "{url}");
            }
        }
    }

    #[test]
    fn credentials_in_a_url_are_refused_everywhere() {
        for url in [
            "https://a@example.com/",
            "https://:b@example.com/",
            "https://a:b@example.com/",
        ] {
            for egress in [Egress::AnyHost, Egress::PublicOnly] {
                assert_eq!(check(url, egress), Err(EgressError::UserInfo), "{url}");
            }
        }
    }

    #[test]
    fn an_address_of_the_public_web_needs_no_tls_but_a_public_host() {
        for text in [
            "https://example.com/hook",
            "http://example.com:8080/hook?a=b",
        ] {
            assert!(is_public_web_address(text), "{text}");
        }
        for text in [
            "ftp://example.com",
            "http://a@example.com",
            "http://127.1",
            "http://localhost",
            "example.com",
            "",
        ] {
            assert!(!is_public_web_address(text), "{text}");
        }
    }
}
