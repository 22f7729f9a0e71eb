//! `Endpoints`: where a cartridge listens, and its routes.
//!
//! The guide's own example has an endpoint whose port stands where the port's name belongs, and a
//! route split over two list items; both load, with a warning that names the remedy.

use super::Reader;
use crate::format::yaml::Node;
use crate::package::endpoint::{Endpoint, Mapping};
use serde_json::{Map, Value as Json};

/// The keys of an endpoint.
const KEYS: [&str; 11] = [
    "Private-IP-Name",
    "Private-Port-Name",
    "Private-Port",
    "Public-Port-Name",
    "WebSocket-Port-Name",
    "WebSocket-Port",
    "Protocols",
    "Options",
    "Description",
    "Mappings",
    "Name",
];

/// Reads all endpoints of a (projected) manifest.
pub(super) fn endpoints(manifest: &Node, reader: &mut Reader<'_>) -> Vec<Endpoint> {
    let Some(list) = manifest.get("Endpoints") else { return Vec::new() };
    list.items().into_iter().filter_map(|node| endpoint(node, reader)).collect()
}

fn endpoint(node: &Node, reader: &mut Reader<'_>) -> Option<Endpoint> {
    for (key, value) in node.pairs() {
        if !KEYS.contains(&key.as_str()) {
            let shown = key.escape_debug();
            reader.warn(value, format!("an endpoint has no `{shown}`; it is ignored"));
        }
    }
    let ip_name = name(node, "Private-IP-Name", reader)?;
    let (port_name, public_port_name, port) = ports(node, reader)?;
    let mappings = mappings(node, reader);
    let mut protocols: Vec<String> = node.get("Protocols").map(texts).unwrap_or_default();
    if protocols.is_empty() {
        protocols = vec![if mappings.is_empty() { "tcp" } else { "http" }.to_owned()];
    }
    let is_web = |one: &String| matches!(one.as_str(), "http" | "https" | "ws" | "wss");
    let slashed = protocols.iter().all(is_web);
    let websocket_port = node.get("WebSocket-Port").and_then(|port| number(port, reader));
    Some(Endpoint {
        ip_name,
        port_name,
        port,
        public_port_name,
        websocket_port_name: optional_name(node, "WebSocket-Port-Name", reader),
        websocket_port,
        protocols,
        options: object(node.get("Options")),
        description: text(node, "Description"),
        mappings: mappings.into_iter().map(|one| if slashed { slash(one) } else { one }).collect(),
    })
}

/// The port's name, the public port's name, and the port.
fn ports(node: &Node, reader: &mut Reader<'_>) -> Option<(String, Option<String>, u16)> {
    let port_name = node.get("Private-Port-Name");
    if let (Some(wrong), None) = (port_name, node.get("Private-Port"))
        && let Some(port) = wrong.text().and_then(|text| text.parse::<u16>().ok())
    {
        // The guide's example means: this port, under the name that stands as the public one.
        let public = name(node, "Public-Port-Name", reader)?;
        reader.warn(
            wrong,
            format!(
                "`Private-Port-Name: {port}` is a port: write `Private-Port-Name: {public}` and \
                 `Private-Port: {port}`"
            ),
        );
        return Some((public, None, port));
    }
    let port_name = name(node, "Private-Port-Name", reader)?;
    let Some(port) = node.get("Private-Port") else {
        reader.problem(node, "an endpoint needs `Private-Port`");
        return None;
    };
    Some((port_name, optional_name(node, "Public-Port-Name", reader), number(port, reader)?))
}

fn number(node: &Node, reader: &mut Reader<'_>) -> Option<u16> {
    let port =
        node.text().and_then(|text| text.trim().parse::<u16>().ok()).filter(|port| *port > 0);
    if port.is_none() {
        reader.problem(node, "a port is a number from 1 to 65535");
    }
    port
}

fn name(node: &Node, key: &str, reader: &mut Reader<'_>) -> Option<String> {
    if let Some(value) = node.get(key) {
        checked(value, key, reader)
    } else {
        reader.problem(node, format!("an endpoint needs `{key}`"));
        None
    }
}

fn optional_name(node: &Node, key: &str, reader: &mut Reader<'_>) -> Option<String> {
    node.get(key).and_then(|value| checked(value, key, reader))
}

/// A part of a variable's name: letters, digits and `_`.
fn checked(node: &Node, key: &str, reader: &mut Reader<'_>) -> Option<String> {
    let text = node.text().unwrap_or_default().trim();
    let is_fine = !text.is_empty()
        && text.len() <= 64
        && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    if is_fine {
        return Some(text.to_owned());
    }
    let shown = text.escape_debug();
    reader.problem(node, format!("`{key}` `{shown}` is not valid: letters, digits and `_`"));
    None
}

fn mappings(node: &Node, reader: &mut Reader<'_>) -> Vec<Mapping> {
    let Some(list) = node.get("Mappings") else { return Vec::new() };
    let mut routes: Vec<Mapping> = Vec::new();
    // A route that has its front end and still lacks its back end.
    let mut half: Option<usize> = None;
    for item in list.items() {
        let (front, back) = (item.get("Frontend"), item.get("Backend"));
        if let (None, Some(back), Some(route)) =
            (front, back, half.and_then(|at| routes.get_mut(at)))
        {
            route.backend = back.text().unwrap_or_default().to_owned();
            route.options.extend(object(item.get("Options")));
            half = None;
            let text = "`Backend` stands in a list item of its own; remove the `-` before it";
            reader.warn(back, text);
            continue;
        }
        half = (front.is_some() && back.is_none()).then_some(routes.len());
        routes.push(Mapping {
            frontend: text(item, "Frontend"),
            backend: text(item, "Backend"),
            options: object(item.get("Options")),
        });
    }
    routes
}

/// Web paths begin with a slash; an empty one stays empty, it is the application's root.
fn slash(route: Mapping) -> Mapping {
    let with = |path: String| match path.as_str() {
        "" => path,
        given if given.starts_with('/') => path,
        given => format!("/{given}"),
    };
    Mapping { frontend: with(route.frontend), backend: with(route.backend), ..route }
}

fn text(node: &Node, key: &str) -> String {
    node.get(key).and_then(Node::text).unwrap_or_default().to_owned()
}

fn texts(node: &Node) -> Vec<String> {
    node.items().into_iter().filter_map(Node::text).map(str::to_owned).collect()
}

fn object(node: Option<&Node>) -> Map<String, Json> {
    match node.map(Node::json) {
        Some(Json::Object(map)) => map,
        _ => Map::new(),
    }
}
