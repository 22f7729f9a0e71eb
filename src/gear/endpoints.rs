//! Addresses and ports of gears (node specification, 7).

use crate::package::endpoint::Endpoint;
use crate::package::ident::ShortName;
use std::collections::BTreeMap;
use std::net::{Ipv4Addr, TcpListener};

/// An endpoint with the address that was chosen for it, and the variables that tell of it.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Assigned {
    /// The variable that holds the address.
    pub ip_variable: String,
    /// The address.
    pub address: Ipv4Addr,
    /// The variable that holds the port.
    pub port_variable: String,
    /// The port.
    pub port: u16,
    /// The variable and port of a web socket.
    pub websocket: Option<(String, u16)>,
}

impl Assigned {
    /// The variables, with their values.
    pub fn variables(&self) -> Vec<(String, String)> {
        let mut all = vec![
            (self.ip_variable.clone(), self.address.to_string()),
            (self.port_variable.clone(), self.port.to_string()),
        ];
        all.extend(self.websocket.iter().map(|(name, port)| (name.clone(), port.to_string())));
        all
    }
}

/// The address with number `host`, 1 to 127, of the gear with number `slot`: the original's
/// formula over user ids. Nothing when it would leave 127.0.0.0/8.
pub fn address(slot: u32, host: u8) -> Option<Ipv4Addr> {
    if !(1..=127).contains(&host) {
        return None;
    }
    let offset = u32::from(slot >= 65_536);
    let bits = 0x7F00_0000 + (offset << 7) + ((slot % 65_536) << 7) + u32::from(host);
    let address = Ipv4Addr::from(bits);
    address.is_loopback().then_some(address)
}

/// Gives each name of an address in `endpoints` one of the numbers in `free`; endpoints that share
/// the name share the address. Nothing when there are not enough.
pub fn assign(
    short_name: &ShortName,
    endpoints: &[Endpoint],
    slot: u32,
    free: &mut impl Iterator<Item = u8>,
) -> Option<Vec<Assigned>> {
    let mut addresses: BTreeMap<&str, Ipv4Addr> = BTreeMap::new();
    let variable = |name: &str| format!("OPENSHIFT_{short_name}_{name}");
    let mut assigned = Vec::new();
    for endpoint in endpoints {
        let chosen = match addresses.get(endpoint.ip_name.as_str()) {
            Some(known) => *known,
            None => address(slot, free.next()?)?,
        };
        addresses.insert(&endpoint.ip_name, chosen);
        let websocket = endpoint.websocket_port_name.as_deref().zip(endpoint.websocket_port);
        assigned.push(Assigned {
            ip_variable: variable(&endpoint.ip_name),
            address: chosen,
            port_variable: variable(&endpoint.port_name),
            port: endpoint.port,
            websocket: websocket.map(|(name, port)| (variable(name), port)),
        });
    }
    Some(assigned)
}

/// Tells whether every one of `ports` can be bound on `address` right now. A port below 1024 that
/// this user may not bind counts as free: who starts the gear may be allowed to.
pub fn is_bindable(address: Ipv4Addr, ports: &[u16]) -> bool {
    ports.iter().all(|port| match TcpListener::bind((address, *port)) {
        Ok(_) => true,
        Err(error) => error.kind() == std::io::ErrorKind::PermissionDenied,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_follow_the_originals_table() {
        for (slot, host, expected) in [
            (501, 1, [127, 0, 250, 129]),
            (5501, 1, [127, 10, 190, 129]),
            (131_072, 1, [127, 0, 0, 129]),
            (2, 1, [127, 0, 1, 1]),
        ] {
            assert_eq!(address(slot, host), Some(Ipv4Addr::from(expected)));
        }
        assert_eq!(address(2, 0), None);
        assert_eq!(address(2, 128), None);
    }

    #[test]
    fn endpoints_that_share_a_name_share_an_address() {
        let endpoint = |ip: &str, name: &str, port| Endpoint {
            ip_name: ip.into(),
            port_name: name.into(),
            port,
            public_port_name: None,
            websocket_port_name: None,
            websocket_port: None,
            protocols: Vec::new(),
            options: serde_json::Map::new(),
            description: String::new(),
            mappings: Vec::new(),
        };
        let all =
            [endpoint("IP", "PORT", 1), endpoint("IP2", "PORT2", 2), endpoint("IP", "PORT3", 3)];
        let name = ShortName::parse("X").unwrap();
        let given = assign(&name, &all, 2, &mut [4, 9].into_iter()).unwrap();
        let shown: Vec<_> = given
            .iter()
            .map(|one| format!("{}={} {}={}", one.ip_variable, one.address, one.port_variable, one.port))
            .collect();
        assert_eq!(
            shown,
            [
                "OPENSHIFT_X_IP=127.0.1.4 OPENSHIFT_X_PORT=1",
                "OPENSHIFT_X_IP2=127.0.1.9 OPENSHIFT_X_PORT2=2",
                "OPENSHIFT_X_IP=127.0.1.4 OPENSHIFT_X_PORT3=3",
            ]
        );
        assert_eq!(assign(&name, &all, 2, &mut [4].into_iter()), None);
    }

    #[test]
    fn a_taken_port_is_not_bindable() {
        let taken = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = taken.local_addr().unwrap().port();
        assert!(!is_bindable(Ipv4Addr::LOCALHOST, &[port]));
        drop(taken);
        assert!(is_bindable(Ipv4Addr::LOCALHOST, &[port]));
    }
}
