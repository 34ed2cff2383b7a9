//! Which addresses a question may go to: names are resolved here, and what was checked is what is connected to.

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use url::{Host, Url};

/// Where cloud providers tell machines their credentials (AWS by IPv6, Alibaba): inside ranges that may be allowed, and
/// never what an operator's service has. The usual 169.254.169.254 is link-local.
const METADATA: [IpAddr; 2] = [
    IpAddr::V6(Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254)),
    IpAddr::V4(Ipv4Addr::new(100, 100, 100, 200)),
];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Reach {
    Public,
    /// Inside the operator's network or on this machine.
    Private,
    /// Nothing that answers: link-local, multicast, documentation, reserved.
    Never,
}

/// The address that was refused is not named: it is nobody's business outside the network.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the host leads to an address inside the network")]
pub struct Forbidden;

/// Literal addresses of a URL never come to the resolver.
pub fn check_literal(url: &Url, allow_private: bool) -> Result<(), Forbidden> {
    let ip = match url.host() {
        Some(Host::Ipv4(ip)) => IpAddr::V4(ip),
        Some(Host::Ipv6(ip)) => IpAddr::V6(ip),
        Some(Host::Domain(_)) | None => return Ok(()),
    };
    may_reach(ip, allow_private)
}

/// Resolves as the machine does. One forbidden address refuses the whole name: a name that is half inside is not in order.
pub(crate) struct Guarded {
    pub allow_private: bool,
}

impl Resolve for Guarded {
    fn resolve(&self, name: Name) -> Resolving {
        let allow_private = self.allow_private;
        Box::pin(async move {
            // The port is the URL's: 0 is replaced by it.
            let addresses: Vec<SocketAddr> = tokio::net::lookup_host((name.as_str(), 0)).await?.collect();
            for address in &addresses {
                may_reach(address.ip(), allow_private)?;
            }
            Ok(Box::new(addresses.into_iter()) as Addrs)
        })
    }
}

fn may_reach(ip: IpAddr, allow_private: bool) -> Result<(), Forbidden> {
    match reach(ip) {
        Reach::Public => Ok(()),
        Reach::Private if allow_private => Ok(()),
        Reach::Private | Reach::Never => Err(Forbidden),
    }
}

fn reach(ip: IpAddr) -> Reach {
    if METADATA.contains(&ip) {
        return Reach::Never;
    }
    match ip {
        IpAddr::V4(ip) => reach_v4(ip),
        IpAddr::V6(ip) => reach_v6(ip),
    }
}

/// After the IANA IPv4 Special-Purpose Address Registry (RFC 6890).
fn reach_v4(ip: Ipv4Addr) -> Reach {
    match ip.octets() {
        [10, ..] | [127, ..] | [192, 168, ..] | [172, 16..=31, ..] | [100, 64..=127, ..] => Reach::Private,
        [0, ..] | [169, 254, ..] | [192, 0, 0 | 2, _] | [192, 88, 99, _] => Reach::Never,
        [198, 18 | 19, ..] | [198, 51, 100, _] | [203, 0, 113, _] | [224..=255, ..] => Reach::Never,
        _ => Reach::Public,
    }
}

/// After the IANA IPv6 Special-Purpose Address Registry. An address that wraps one of IPv4 is judged by that one.
fn reach_v6(ip: Ipv6Addr) -> Reach {
    let low = |ip: Ipv6Addr| {
        let [.., a, b, c, d] = ip.octets();
        Ipv4Addr::new(a, b, c, d)
    };
    match ip.segments() {
        // ::ffff:a.b.c.d (mapped), 64:ff9b::a.b.c.d (NAT64)
        [0, 0, 0, 0, 0, 0xffff, ..] | [0x64, 0xff9b, 0, 0, 0, 0, ..] => reach(IpAddr::V4(low(ip))),
        [0, 0, 0, 0, 0, 0, 0, 1] | [0xfc00..=0xfdff, ..] => Reach::Private,
        // Protocol assignments and Teredo, documentation, 6to4
        [0x2001, 0..=0x1ff, ..] | [0x2001, 0xdb8, ..] | [0x2002, ..] | [0x3fff, 0..=0xfff, ..] => {
            Reach::Never
        }
        // Global unicast: nothing else is given out.
        [0x2000..=0x3fff, ..] => Reach::Public,
        _ => Reach::Never,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_of_address_has_its_reach() {
        for (reach_of, addresses) in [
            (
                Reach::Public,
                "8.8.8.8 172.32.0.1 100.128.0.1 192.1.0.1 2a01:e0a::1 2600::1 ::ffff:8.8.8.8 64:ff9b::8.8.8.8",
            ),
            (
                Reach::Private,
                "10.1.2.3 127.0.0.1 127.9.9.9 192.168.1.1 172.16.0.1 172.31.255.255 100.64.0.1 ::1 fc00::1 fd12::1 \
                 ::ffff:127.0.0.1 ::ffff:10.0.0.1 64:ff9b::7f00:1",
            ),
            (
                Reach::Never,
                "0.0.0.0 0.1.2.3 169.254.169.254 169.254.0.1 192.0.0.1 192.0.2.1 192.88.99.1 198.18.0.1 198.51.100.1 \
                 203.0.113.1 224.0.0.1 240.0.0.1 255.255.255.255 100.100.100.200 :: fe80::1 fec0::1 ff02::1 fd00:ec2::254 \
                 2001::1 2001:db8::1 2002:7f00:1::1 3fff::1 ::127.0.0.1 100::1 ::ffff:169.254.169.254 64:ff9b::a9fe:a9fe \
                 64:ff9b:1::1 ::ffff:100.100.100.200",
            ),
        ] {
            for address in addresses.split_whitespace() {
                assert_eq!(reach(address.parse().unwrap()), reach_of, "{address}");
            }
        }
    }

    #[test]
    fn literal_addresses_are_checked_however_they_are_written() {
        let check = |url: &str, private| check_literal(&Url::parse(url).unwrap(), private).is_ok();
        for url in [
            "http://127.0.0.1/",
            "http://2130706433/",
            "http://0x7f.1/",
            "http://[::1]/",
            "http://[::ffff:7f00:1]/",
        ] {
            assert!(!check(url, false), "{url}");
            assert!(check(url, true), "{url}");
        }
        assert!(!check("http://169.254.169.254/latest/meta-data", true));
        assert!(check("http://8.8.8.8/", false));
    }

    #[tokio::test]
    async fn names_are_checked_by_what_they_lead_to() {
        let resolve = async |allow_private| {
            Guarded { allow_private }.resolve("localhost".parse().unwrap()).await.map(|found| found.count())
        };
        assert!(resolve(true).await.unwrap() > 0);
        let refused = resolve(false).await.unwrap_err();
        assert!(refused.downcast_ref::<Forbidden>().is_some(), "{refused}");
    }
}
