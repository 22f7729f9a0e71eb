//! What lies below `/.well-known/`: the same entries in manifests and site files (UBOS
//! specification, 1.4).

use super::{fields, owner};
use crate::format::json::{Node, Pair};
use crate::format::reading::Reading;
use crate::package::ubos::item::Source;
use crate::package::ubos::mime;
use crate::package::ubos::name::WellKnownName;
use crate::package::ubos::role::WellKnown;

const KNOWN: &[&str] = &[
    "value",
    "encoding",
    "template",
    "templatelang",
    "location",
    "status",
    "allow",
    "disallow",
    "proxy",
];
/// What is answered where a place says nothing.
const REDIRECT: u16 = 307;

/// Reads `wellknown` of `node`.
pub(super) fn all(node: &Node, reading: &mut Reading) -> Vec<(WellKnownName, WellKnown)> {
    let mut all: Vec<(WellKnownName, WellKnown)> = Vec::new();
    for pair in fields::object(node, "wellknown", reading) {
        let name = match WellKnownName::parse(&pair.key) {
            Ok(name) => name,
            Err(error) => {
                reading.fault(pair.place, error.to_string());
                continue;
            }
        };
        if pair.value.pairs().is_none() {
            let text = format!("`{name}` is {}: write an object", pair.value.kind());
            reading.fault(pair.value.place, text);
            continue;
        }
        fields::unknown(&pair.value, &[KNOWN], "an entry of `wellknown`", reading);
        all.retain(|(other, _)| *other != name);
        all.extend(entry(pair, reading).map(|entry| (name, entry)));
    }
    all
}

fn entry(pair: &Pair, reading: &mut Reading) -> Option<WellKnown> {
    let node = &pair.value;
    match pair.key.as_str() {
        "robots.txt" => Some(robots(node, reading)),
        "webfinger" => {
            only(node, &["proxy"], "webfinger", reading);
            fields::needed_as(node, "proxy", proxy, reading).map(WellKnown::Webfinger)
        }
        // What older manifests say; the original lets it pass.
        "robotstxt" => {
            let text = "`robotstxt` has no effect: write `robots.txt` with `allow` and `disallow`";
            reading.warn(pair.place, text);
            None
        }
        other => {
            let known = ["value", "encoding", "template", "templatelang", "location", "status"];
            only(node, &known, &fields::shown(other), reading);
            plain(node, reading)
        }
    }
}

/// A fault for each key that entries have, but not this one.
fn only(node: &Node, allowed: &[&str], name: &str, reading: &mut Reading) {
    for pair in node.pairs().unwrap_or_default() {
        let key = pair.key.as_str();
        if KNOWN.contains(&key) && !allowed.contains(&key) {
            let text =
                format!("`{name}` cannot have `{key}`: write `{}` instead", allowed.join("`, `"));
            reading.fault(pair.place, text);
        }
    }
}

fn plain(node: &Node, reading: &mut Reading) -> Option<WellKnown> {
    let keys = ["value", "template", "location"];
    let given: Vec<&&str> = keys.iter().filter(|key| node.get(key).is_some()).collect();
    let [key] = given.as_slice() else {
        let text = "an entry has exactly one of `value`, `template` and `location`: write one";
        reading.fault(node.place, text);
        return None;
    };
    for (extra, of) in [("encoding", "value"), ("templatelang", "template"), ("status", "location")]
    {
        if let Some(value) = node.get(extra).filter(|_| **key != of) {
            reading.fault(value.place, format!("`{extra}` needs `{of}`: remove it"));
        }
    }
    match **key {
        "value" => {
            let text = fields::text(node, "value", reading)?;
            match fields::text(node, "encoding", reading) {
                None => Some(WellKnown::Value(text.as_bytes().to_vec())),
                Some("base64") => Some(WellKnown::Value(mime::decode(text.as_bytes()))),
                Some(_) => {
                    let place = node.get("encoding")?.place;
                    reading.fault(place, "`encoding` can only be `base64`: write that");
                    None
                }
            }
        }
        "template" => {
            let text = fields::needed(node, "template", reading)?.to_owned();
            let language = owner::language(node, reading)?;
            Some(WellKnown::Template(Source::Inline(text, language)))
        }
        _ => {
            let url = fields::needed_as(node, "location", url, reading);
            let status = status(node, reading)?;
            Some(WellKnown::Location { url: url?, status })
        }
    }
}

/// A URL or a path; it becomes a header, so it is one word.
fn url(text: &str) -> Result<String, &'static str> {
    let fine = !text.chars().any(char::is_control);
    if fine { Ok(text.to_owned()) } else { Err("has a control character: remove it") }
}

fn proxy(text: &str) -> Result<String, &'static str> {
    let begins = ["http://", "https://", "${site.protocol}"];
    let fine = begins.iter().any(|begin| text.starts_with(begin));
    if !fine || text.chars().any(char::is_whitespace) {
        return Err("write a URL that begins with `http://`, `https://` or `${site.protocol}`");
    }
    url(text)
}

fn status(node: &Node, reading: &mut Reading) -> Option<u16> {
    let Some(value) = node.get("status") else { return Some(REDIRECT) };
    let text = match value.scalar() {
        Some(serde_json::Value::String(text)) => text.clone(),
        Some(serde_json::Value::Number(number)) => number.to_string(),
        _ => String::new(),
    };
    let status = text.parse().ok().filter(|status| (300..400).contains(status));
    if status.is_none() {
        reading.fault(value.place, "`status` is no redirection: write 300 to 399");
    }
    status
}

fn robots(node: &Node, reading: &mut Reading) -> WellKnown {
    only(node, &["allow", "disallow"], "robots.txt", reading);
    let mut paths = |key: &str| {
        let mut paths = Vec::new();
        let items = fields::list(node, key, reading);
        if let Some(empty) = node.get(key).filter(|value| value.items() == Some(&[])) {
            reading.fault(empty.place, format!("`{key}` is empty: write at least one path"));
        }
        for item in items {
            let fine = |path: &&str| {
                path.starts_with('/')
                    && !path.contains(|c: char| c.is_whitespace() || c.is_control())
            };
            if let Some(path) = item.text().filter(fine) {
                paths.push(path.to_owned());
            } else {
                let text = format!("an item of `{key}` is no path: begin it with `/`");
                reading.fault(item.place, text);
            }
        }
        paths
    };
    WellKnown::Robots { allow: paths("allow"), disallow: paths("disallow") }
}
