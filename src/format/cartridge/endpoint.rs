//! The `Endpoints` element: where a cartridge listens.
//!
//! Everything that is wrong with any endpoint is said at once, as in the original.

use super::elements;
use super::fields::{self, Fields};
use super::mapping;
use crate::format::reading::Reading;
use crate::format::yaml::{Node, Value};
use crate::package::endpoint::{Endpoint, WEB};
use crate::package::ident::ShortName;
use std::collections::HashMap;

/// The longest part of a variable's name.
const LONGEST_NAME: usize = 48;

/// Reads the endpoints; faults are left in `reading`.
pub(super) fn endpoints(fields: &Fields, reading: &mut Reading) -> Vec<Endpoint> {
    let Some(node) = fields.get("Endpoints") else { return Vec::new() };
    let items = match &node.value {
        Value::Sequence(items) => items.as_slice(),
        Value::Mapping(_) => {
            let text = "`Endpoints` is a mapping, taken as its only item: put `-` before it";
            reading.warn(node.place, text);
            std::slice::from_ref(node)
        }
        _ => {
            reading.fault(node.place, "`Endpoints` is not valid: write a list of endpoints");
            return Vec::new();
        }
    };
    items.iter().enumerate().filter_map(|(at, item)| endpoint(at, item, reading)).collect()
}

fn endpoint(at: usize, node: &Node, reading: &mut Reading) -> Option<Endpoint> {
    if node.is_null() {
        return None;
    }
    if node.pairs().is_none() {
        let text = format!("an endpoint is {}: write its elements as a mapping", node.kind());
        reading.fault(node.place, text);
        return None;
    }
    fields::unknown(node, &[elements::ENDPOINT], &format!("Endpoints[{at}]."), reading);
    let fields = Fields::of(node);
    let address = ["Private-IP-Name", "Private-Port-Name", "Private-Port"];
    if address.iter().all(|key| fields.get(key).is_none()) {
        let text = "this endpoint has no private address and port and is left out: add \
                    `Private-IP-Name`, `Private-Port-Name` and `Private-Port`";
        reading.warn(node.place, text);
        return None;
    }
    let address = address_of(&fields, reading);
    let web_socket = web_socket(&fields, reading);
    let protocols = protocols(&fields, reading);
    let web = protocols.iter().all(|protocol| WEB.contains(&protocol.as_str()));
    let slash = if web { mapping::Slash::Added } else { mapping::Slash::AsWritten };
    let mappings = mapping::mappings(&fields, slash, reading);
    let address = address?;
    Some(Endpoint {
        ip_name: address.ip_name,
        port_name: address.port_name,
        port: address.port,
        public_port_name: address.public_port_name,
        websocket_port_name: web_socket.as_ref().map(|(name, _)| name.clone()),
        websocket_port: web_socket.map(|(_, port)| port),
        protocols,
        options: fields::options(&fields, reading),
        description: fields::text(&fields, "Description", reading).unwrap_or_default(),
        mappings,
    })
}

struct Address {
    ip_name: String,
    port_name: String,
    port: u16,
    public_port_name: Option<String>,
}

fn address_of(fields: &Fields, reading: &mut Reading) -> Option<Address> {
    let ip_name = name(fields, "Private-IP-Name", reading);
    if let Some((port_name, port)) = port_as_name(fields, reading) {
        return Some(Address { ip_name: ip_name?, port_name, port, public_port_name: None });
    }
    let port_name = name(fields, "Private-Port-Name", reading);
    let port = port(fields, "Private-Port", reading);
    let public = fields.get("Public-Port-Name").map(|_| name(fields, "Public-Port-Name", reading));
    let public_port_name = match public {
        Some(name) => Some(name?),
        None => None,
    };
    Some(Address { ip_name: ip_name?, port_name: port_name?, port: port?, public_port_name })
}

/// The guide's second example writes the port where its name belongs, and the name where that of a
/// public port belongs; it then prints the variable `…_INTERNAL_SERVICE_PORT=5544`.
fn port_as_name(fields: &Fields, reading: &mut Reading) -> Option<(String, u16)> {
    if fields.get("Private-Port").is_some() {
        return None;
    }
    let node = fields.get("Private-Port-Name")?;
    let port = node.text()?.trim().parse::<u16>().ok().filter(|port| *port > 0)?;
    fields.get("Public-Port-Name")?;
    let name = name(fields, "Public-Port-Name", reading)?;
    let text = format!(
        "`Private-Port-Name` is a number and `Private-Port` is missing; taken as the private port \
         {port}, named `{name}`, without a public port: write `Private-Port: {port}` and \
         `Private-Port-Name: {name}`"
    );
    reading.warn(node.place, text);
    Some((name, port))
}

/// Reads a part of a variable's name.
fn name(fields: &Fields, key: &str, reading: &mut Reading) -> Option<String> {
    let (text, place) = fields::required(fields, key, reading)?;
    let fine = text.len() <= LONGEST_NAME
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    if fine {
        return Some(text);
    }
    let shown: String = text.chars().take(80).collect();
    let text = format!(
        "`{key}` `{}` is not valid: it is a part of a variable's name, letters, digits and `_`, \
         at most {LONGEST_NAME}",
        shown.escape_debug()
    );
    reading.fault(place, text);
    None
}

fn port(fields: &Fields, key: &str, reading: &mut Reading) -> Option<u16> {
    let Some(node) = fields.get(key) else {
        reading.fault(fields.place, format!("`{key}` is a required element: add `{key}: 8080`"));
        return None;
    };
    let port = node.text().and_then(|text| text.trim().parse::<u16>().ok());
    let port = port.filter(|port| *port > 0);
    if port.is_none() {
        let text = format!("`{key}` is not valid: write a number from 1 to 65535");
        reading.fault(node.place, text);
    }
    port
}

fn web_socket(fields: &Fields, reading: &mut Reading) -> Option<(String, u16)> {
    let (name_key, port_key) = ("WebSocket-Port-Name", "WebSocket-Port");
    if fields.get(name_key).is_none() && fields.get(port_key).is_none() {
        return None;
    }
    let name = name(fields, name_key, reading);
    let port = port(fields, port_key, reading);
    name.zip(port)
}

fn protocols(fields: &Fields, reading: &mut Reading) -> Vec<String> {
    let written = fields::texts(fields, "Protocols", reading);
    match written.is_empty() {
        false => written,
        true if fields.get("Mappings").is_some() => vec!["http".into()],
        true => vec!["tcp".into()],
    }
}

/// Warns where two endpoints give one variable different meanings: the first one counts.
pub(super) fn check_variables(
    endpoints: &[Endpoint],
    short_name: &ShortName,
    fields: &Fields,
    reading: &mut Reading,
) {
    let place = fields.get("Endpoints").map_or(fields.place, |node| node.place);
    let mut meanings: HashMap<String, String> = HashMap::new();
    for endpoint in endpoints {
        let variables = match endpoint.variables(short_name) {
            Ok(variables) => variables,
            Err(error) => {
                reading.fault(place, error.to_string());
                continue;
            }
        };
        let port = Some(variables.port).map(|name| (name, format!("port {}", endpoint.port)));
        let address = Some((variables.ip, "an address".to_owned()));
        let public = variables.public_port.map(|name| (name, format!("public {}", endpoint.port)));
        let web_socket = variables.websocket_port.zip(endpoint.websocket_port);
        let web_socket = web_socket.map(|(name, port)| (name, format!("port {port}")));
        for (name, meaning) in [address, port, public, web_socket].into_iter().flatten() {
            let known = meanings.entry(name.to_string()).or_insert_with(|| meaning.clone());
            if *known != meaning {
                let text = format!(
                    "`{name}` stands for two things, {known} and {meaning}: give each its own name"
                );
                reading.warn(place, text);
            }
        }
    }
}
