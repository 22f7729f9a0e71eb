//! Addresses and ports of a gear: which belong to it, which variables say so.
//!
//! Pure arithmetic but for [`check_bindable`] and [`taken`]. Reserving is done elsewhere, by rows of the database.

use crate::error::{Exit, Explain};
use crate::package::endpoint::Endpoint;
use crate::sys::sockets;
use std::collections::{BTreeMap, BTreeSet};
use std::net::{Ipv4Addr, TcpListener};

/// The last host number of a gear's block of addresses; the first is 1.
pub const LAST_HOST: u8 = 127;
/// Tells scripts that the gear speaks https itself.
pub const SSL_TO_GEAR: &str = "SSL_TO_GEAR";
/// How many public ports a slot begins with.
const BLOCK: u32 = 5;

/// An address or port cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum EndpointError {
    /// All 127 addresses of the gear's block are taken.
    #[error("none of the {LAST_HOST} private addresses of this gear is free on {}", listed(ports))]
    NoAddress {
        /// The ports that are asked for.
        ports: Vec<u16>,
    },
    /// No public port is left.
    #[error("no public port is free between {first} and {last}")]
    NoPort {
        /// The first port of the range.
        first: u16,
        /// The last port of the range.
        last: u16,
    },
    /// Somebody else listens where a gear should; each as [`taken`] names it.
    #[error("somebody else listens at {}", .0.join("; "))]
    Taken(Vec<String>),
    /// The system refuses the address and port.
    #[error("cannot listen on {address} port {port}")]
    Bound {
        /// The address.
        address: Ipv4Addr,
        /// The port.
        port: u16,
        /// The system's answer.
        #[source]
        source: std::io::Error,
    },
}

impl Explain for EndpointError {
    fn exit(&self) -> Exit {
        Exit::Conflict
    }
    fn hint(&self) -> Option<String> {
        match self {
            Self::NoAddress { .. } => Some("use fewer Private-IP-Names, or another gear".into()),
            Self::Taken(_) => Some("`ss -ltnp` names who it is".into()),
            Self::NoPort { .. } => {
                Some("widen `gears.first_public_port` to `gears.last_public_port`".into())
            }
            Self::Bound { source, .. } => Some(match source.kind() {
                std::io::ErrorKind::PermissionDenied => {
                    "ports below 1024 are for root; the cartridge should use a higher one".into()
                }
                _ => "another process listens there: `ss -ltnp` names it".into(),
            }),
        }
    }
}

/// An endpoint with the address that was chosen for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Assigned<'a> {
    /// The endpoint.
    pub endpoint: &'a Endpoint,
    /// The host number in the gear's block, from 1.
    pub host: u8,
    /// The address.
    pub address: Ipv4Addr,
}

/// The private address `host` (1 to 127) of the gear with the number `slot`.
///
/// The original's formula with its default offset (node specification, 7), so that the addresses
/// of a gear are those that its user id had there.
pub fn address(slot: u32, host: u8) -> Ipv4Addr {
    let offset = u32::from(slot >= 65_536);
    let bits = 0x7F00_0000 + (offset << 7) + ((slot % 65_536) << 7) + u32::from(host);
    Ipv4Addr::from(bits)
}

/// Chooses an address for each distinct `Private-IP-Name`: the first of the gear's block that is
/// not `taken`.
pub fn assign<'a>(
    endpoints: &'a [Endpoint],
    taken: &BTreeSet<u8>,
    slot: u32,
) -> Result<Vec<Assigned<'a>>, EndpointError> {
    let mut hosts: BTreeMap<&str, u8> = BTreeMap::new();
    let mut free = (1..=LAST_HOST).filter(|host| !taken.contains(host));
    let mut assigned = Vec::with_capacity(endpoints.len());
    for endpoint in endpoints {
        let host = match hosts.get(endpoint.ip_name.as_str()) {
            Some(host) => *host,
            None => free.next().ok_or_else(|| no_address(endpoints))?,
        };
        hosts.insert(&endpoint.ip_name, host);
        assigned.push(Assigned { endpoint, host, address: address(slot, host) });
    }
    Ok(assigned)
}

fn no_address(endpoints: &[Endpoint]) -> EndpointError {
    let both = |one: &Endpoint| std::iter::once(one.port).chain(one.websocket_port);
    let ports: BTreeSet<u16> = endpoints.iter().flat_map(both).collect();
    EndpointError::NoAddress { ports: ports.into_iter().collect() }
}

fn listed(ports: &[u16]) -> String {
    let ports: Vec<String> = ports.iter().map(u16::to_string).collect();
    let word = if ports.len() == 1 { "port" } else { "all of the ports" };
    format!("{word} {}", ports.join(", "))
}

impl Assigned<'_> {
    /// The private ports of the endpoint: its own, and its web socket's.
    pub fn ports(&self) -> impl Iterator<Item = u16> {
        std::iter::once(self.endpoint.port).chain(self.endpoint.websocket_port)
    }

    /// The variables that tell the cartridge with this short name of the endpoint.
    pub fn variables(&self, short_name: &str) -> Vec<(String, String)> {
        let endpoint = self.endpoint;
        let mut all = vec![
            (variable(short_name, &endpoint.ip_name), self.address.to_string()),
            (variable(short_name, &endpoint.port_name), endpoint.port.to_string()),
        ];
        if let (Some(name), Some(port)) = (&endpoint.websocket_port_name, endpoint.websocket_port) {
            all.push((variable(short_name, name), port.to_string()));
        }
        if endpoint.is_ssl_to_gear() {
            all.push((SSL_TO_GEAR.to_owned(), "1".to_owned()));
        }
        all
    }
}

/// The name of the variable that holds the part `name` of an endpoint.
pub fn variable(short_name: &str, name: &str) -> String {
    format!("OPENSHIFT_{short_name}_{name}")
}

/// Makes sure that a server can listen on each of `ports` at `address`, by doing it.
///
/// Connections of an earlier server that are still closing do not matter (`SO_REUSEADDR`).
pub fn check_bindable(address: Ipv4Addr, ports: &BTreeSet<u16>) -> Result<(), EndpointError> {
    for port in ports {
        TcpListener::bind((address, *port)).map_err(|source| EndpointError::Bound {
            address,
            port: *port,
            source,
        })?;
    }
    Ok(())
}

/// Names a port that cannot be had, with its variable and, where that can be seen, who has it.
pub fn taken(variable: &str, address: Ipv4Addr, port: u16) -> String {
    let who = sockets::listener(address, port).map(|who| format!(", held by {who}"));
    format!("{variable}({port})={address}{}", who.unwrap_or_default())
}

/// Chooses a public port that is not `taken`: the first free one from where the original's formula
/// lets the slot's five ports begin, going round in the range `first` to `last`.
pub fn public_port(
    slot: u32,
    (first, last): (u16, u16),
    taken: &BTreeSet<u16>,
) -> Result<u16, EndpointError> {
    let length = u32::from(last).saturating_sub(u32::from(first)) + 1;
    let blocks = i64::from((length / BLOCK).max(1));
    // User ids of gears began at 500 there; our slots begin at 2.
    let block = (i64::from(slot) - 500).rem_euclid(blocks);
    let start = u32::try_from(block).unwrap_or_default() * BLOCK;
    (0..length)
        .filter_map(|step| u16::try_from(u32::from(first) + (start + step) % length).ok())
        .find(|port| !taken.contains(port))
        .ok_or(EndpointError::NoPort { first, last })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn endpoint(ip: &str, port_name: &str, port: u16) -> Endpoint {
        Endpoint {
            ip_name: ip.into(),
            port_name: port_name.into(),
            port,
            public_port_name: None,
            websocket_port_name: None,
            websocket_port: None,
            protocols: vec!["tcp".into()],
            options: serde_json::Map::new(),
            description: String::new(),
            mappings: Vec::new(),
        }
    }

    #[test]
    fn addresses_are_those_of_the_originals_table() {
        for (slot, host, text) in [
            (501, 1, "127.0.250.129"),
            (5501, 1, "127.10.190.129"),
            (131_072, 1, "127.0.0.129"),
            (2, 1, "127.0.1.1"),
            (65_535, 127, "127.127.255.255"),
        ] {
            assert_eq!(address(slot, host).to_string(), text, "{slot}");
        }
    }

    #[test]
    fn one_name_is_one_address_and_taken_ones_are_passed_over() {
        let all = [endpoint("A", "P", 80), endpoint("B", "Q", 80), endpoint("A", "R", 81)];
        let hosts: Vec<u8> =
            assign(&all, &[1, 3].into(), 2).unwrap().iter().map(|one| one.host).collect();
        assert_eq!(hosts, [2, 4, 2]);
        let full = (1..=LAST_HOST).collect();
        assert!(matches!(assign(&all, &full, 2), Err(EndpointError::NoAddress { .. })));
        let all_but_one = (1..LAST_HOST).collect();
        assert!(assign(&all[..1], &all_but_one, 2).is_ok());
        assert!(assign(&all, &all_but_one, 2).is_err());
    }

    #[test]
    fn variables_have_the_cartridges_prefix() {
        let mut one = endpoint("IP", "PORT", 8080);
        one.websocket_port_name = Some("WS_PORT".into());
        one.websocket_port = Some(8443);
        let all = [one];
        let assigned = assign(&all, &BTreeSet::new(), 501).unwrap();
        let text: Vec<String> = assigned[0]
            .variables("PHP")
            .into_iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        assert_eq!(
            text,
            [
                "OPENSHIFT_PHP_IP=127.0.250.129",
                "OPENSHIFT_PHP_PORT=8080",
                "OPENSHIFT_PHP_WS_PORT=8443"
            ]
        );
        assert_eq!(assigned[0].ports().collect::<Vec<_>>(), [8080, 8443]);
    }

    #[test]
    fn a_bound_port_is_seen_by_binding_it() {
        let address = address(70, 9);
        let held = TcpListener::bind((address, 0)).unwrap();
        let port = held.local_addr().unwrap().port();
        assert!(check_bindable(address, &[port].into()).is_err());
        drop(held);
        assert!(check_bindable(address, &[port].into()).is_ok());
    }

    #[test]
    fn public_ports_begin_at_the_slots_own_five_and_wrap() {
        let range = (35_531, 65_535);
        let none = BTreeSet::new();
        assert_eq!(public_port(500, range, &none).unwrap(), 35_531);
        assert_eq!(public_port(501, range, &none).unwrap(), 35_536);
        assert_eq!(public_port(500 + 6001, range, &none).unwrap(), 35_531);
        assert_eq!(public_port(499, range, &none).unwrap(), 65_531);
        let taken = (65_531..=65_535).collect();
        assert_eq!(public_port(499, range, &taken).unwrap(), 35_531);
        assert!(public_port(2, (9000, 9001), &[9000, 9001].into()).is_err());
    }
}
