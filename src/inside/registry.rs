//! `oo-gear-registry web|proxy|all`: the gears of the application, a line each: identifier,
//! namespace, host name, address, port, platform.
//!
//! Only a gear with a web proxy has a registry. Everywhere else the application is this one gear,
//! and that is what is answered.

use super::{Call, Refused};
use crate::sys::fs::Dir;
use serde_json::Value;

const REGISTRY: &str = "gear-registry/gear-registry.json";

pub(super) fn run(call: &mut Call<'_>) -> Result<u8, Refused> {
    let words = call.words();
    let kinds: &[&str] = match words.first().map(String::as_str) {
        Some("web") => &["web"],
        Some("proxy") => &["proxy"],
        Some("all") => &["web", "proxy"],
        _ => return Err(Refused::new(255, "oo-gear-registry: say `web`, `proxy` or `all`")),
    };
    let mut lines = match registry(call)? {
        Some(registry) => {
            kinds.iter().flat_map(|kind| lines_of(registry.get(*kind))).collect::<Vec<_>>()
        }
        None if kinds.contains(&"web") => vec![this_gear(call)],
        None => Vec::new(),
    };
    // A gear may be both.
    lines.dedup();
    for line in lines {
        call.say(&line)?;
    }
    Ok(0)
}

fn registry(call: &Call<'_>) -> Result<Option<Value>, Refused> {
    let Some(home) = call.home() else { return Ok(None) };
    let home = Dir::open(&home)?;
    if !home.has(REGISTRY)? {
        return Ok(None);
    }
    let text = home.read(REGISTRY, 1 << 22)?;
    let registry = serde_json::from_slice(&text);
    registry.map(Some).map_err(|error| Refused::new(1, format!("`{REGISTRY}`: {error}")))
}

fn lines_of(gears: Option<&Value>) -> Vec<String> {
    let entries = gears.and_then(Value::as_object);
    let line = |(uuid, gear): (&String, &Value)| {
        let field = |name: &str| match gear.get(name) {
            Some(Value::String(text)) => text.clone(),
            Some(Value::Number(number)) => number.to_string(),
            _ => String::new(),
        };
        let rest = ["namespace", "dns", "proxy_hostname", "proxy_port", "platform"].map(field);
        format!("{uuid},{}", rest.join(","))
    };
    entries.into_iter().flatten().map(line).collect()
}

fn this_gear(call: &Call<'_>) -> String {
    let field = |name: &str| call.text(name).unwrap_or_default();
    let port = call.primary_prefix().and_then(|prefix| {
        let mut ports = call.variables.iter().filter_map(|(name, value)| {
            let rest = name.to_str()?.strip_prefix(&prefix)?;
            let is_own = rest.ends_with("PORT") && !rest.contains("PROXY");
            is_own.then(|| value.to_string_lossy().into_owned())
        });
        ports.next()
    });
    [
        field("OPENSHIFT_GEAR_UUID"),
        field("OPENSHIFT_NAMESPACE"),
        field("OPENSHIFT_GEAR_DNS"),
        call.address().to_string(),
        port.unwrap_or_default(),
        "linux".to_owned(),
    ]
    .join(",")
}
