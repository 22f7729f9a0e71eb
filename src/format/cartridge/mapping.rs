//! The `Mappings` of an endpoint: routes from the front end.

use super::elements;
use super::fields::{self, Fields};
use crate::format::reading::Reading;
use crate::format::yaml::{Node, Value};
use crate::package::endpoint::{Mapping, WebPath};
use serde_json::Value as Json;

/// Options of which one alone can hold, the strongest first (node specification, 7).
const EXCLUSIVE: &[&str] =
    &["gone", "forbidden", "noproxy", "health", "redirect", "file", "tohttps"];
/// Options that need no `Backend`: the path is not passed on.
const WITHOUT_BACKEND: &[&str] = &["gone", "forbidden", "noproxy"];
/// Options whose `Backend` must be a path (guide, *Exposing Services*).
const TO_A_PATH: &[&str] = &["redirect", "file", "tohttps"];

/// What becomes of a path without a leading `/`.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Slash {
    /// It gets one: the endpoint speaks HTTP.
    Added,
    /// Nothing: another protocol may give it another meaning.
    AsWritten,
}

/// Reads the mappings of the endpoint `fields`.
pub(super) fn mappings(fields: &Fields, slash: Slash, reading: &mut Reading) -> Vec<Mapping> {
    let Some(node) = fields.get("Mappings") else { return Vec::new() };
    let items = match &node.value {
        Value::Sequence(items) => items.as_slice(),
        Value::Mapping(_) => {
            let text = "`Mappings` is a mapping, taken as its only item: put `-` before it";
            reading.warn(node.place, text);
            std::slice::from_ref(node)
        }
        _ => {
            reading.fault(node.place, "`Mappings` is not valid: write a list of mappings");
            return Vec::new();
        }
    };
    let mut found = Vec::new();
    let mut items = items.iter().peekable();
    while let Some(item) = items.next() {
        if item.pairs().is_none() {
            let text = format!("a mapping is {}: write `Frontend` and `Backend`", item.kind());
            reading.fault(item.place, text);
            continue;
        }
        let mut fields = checked(item, reading);
        // The guide's second example has the two halves of one mapping as two items.
        if let Some(other) = items.next_if(|next| are_halves(item, next)) {
            let text = "`Frontend` and `Backend` stand in two items of the list and are taken as \
                        one mapping: remove the `-` before `Backend`";
            reading.warn(other.place, text);
            checked(other, reading);
            fields = fields.with(other);
        }
        found.extend(mapping(&fields, slash, reading));
    }
    found
}

fn checked<'a>(item: &'a Node, reading: &mut Reading) -> Fields<'a> {
    fields::unknown(item, &[elements::MAPPING], "Mappings.", reading);
    Fields::of(item)
}

fn are_halves(first: &Node, second: &Node) -> bool {
    let has = |node: &Node, key| node.get(key).is_some();
    has(first, "Frontend")
        && !has(first, "Backend")
        && has(second, "Backend")
        && !has(second, "Frontend")
}

fn mapping(fields: &Fields, slash: Slash, reading: &mut Reading) -> Option<Mapping> {
    let options = fields::options(fields, reading);
    let is_on = |name: &&&str| options.get(**name).is_some_and(is_true);
    let on: Vec<&str> = EXCLUSIVE.iter().filter(is_on).copied().collect();
    if let [winner, loser, ..] = on.as_slice() {
        let text = format!("the options `{winner}` and `{loser}` conflict; `{winner}` counts");
        reading.warn(fields.place, format!("{text}: keep one of them"));
    }
    let frontend = path(fields, "Frontend", slash, reading);
    if fields.get("Backend").is_none() && !on.iter().any(|name| WITHOUT_BACKEND.contains(name)) {
        reading.warn(fields.place, "`Backend` is missing and taken as empty: add `Backend: \"\"`");
    }
    let backend = match fields.get("Backend") {
        Some(_) => path(fields, "Backend", slash, reading)?,
        None => String::new(),
    };
    let winner = on.first().filter(|name| TO_A_PATH.contains(name));
    if let Some(option) = winner.filter(|_| is_elsewhere(&backend)) {
        let shown: String = backend.chars().take(80).collect();
        let text = format!(
            "the option `{option}` leads to `{}`, which is no path: write a path from `/`",
            shown.escape_debug()
        );
        reading.fault(fields.place, text);
    }
    Some(Mapping { frontend: frontend?, backend, options })
}

fn is_true(value: &Json) -> bool {
    !matches!(value, Json::Null | Json::Bool(false))
}

/// Tells whether a backend is another URI than a path; an empty one is the root.
fn is_elsewhere(backend: &str) -> bool {
    let path = backend.strip_prefix('/').unwrap_or(backend);
    let in_scheme = |c: char| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.');
    let scheme = path.split_once(':').is_some_and(|(scheme, _)| scheme.chars().all(in_scheme));
    (!backend.is_empty() && !backend.starts_with('/'))
        || path.starts_with('/')
        || (scheme && path.contains("://"))
}

fn path(fields: &Fields, key: &str, slash: Slash, reading: &mut Reading) -> Option<String> {
    let node = fields.get(key);
    let Some(text) = node.and_then(Node::text).map(str::trim) else {
        let place = node.map_or(fields.place, |node| node.place);
        reading.fault(place, format!("`{key}` is a required element: add `{key}: \"/…\"`"));
        return None;
    };
    if text.contains(char::is_whitespace) {
        let place = node.map_or(fields.place, |node| node.place);
        reading.fault(place, format!("`{key}` is not valid: a path has no white space"));
        return None;
    }
    let bare = slash == Slash::Added && !text.is_empty() && !text.starts_with('/');
    let path = if bare { format!("/{text}") } else { text.to_owned() };
    if slash == Slash::Added && !is_elsewhere(&path) && WebPath::parse(&path).is_none() {
        let place = node.map_or(fields.place, |node| node.place);
        let shown: String = path.chars().take(80).collect();
        let rule = "letters, digits and `-._~!*'()@:,;=&+%XX`, without `..`";
        let text = format!("`{key}` `{}` is not valid: a path has {rule}", shown.escape_debug());
        reading.fault(place, text);
        return None;
    }
    Some(path)
}
