//! Reading single fields of objects; what is wrong is left in [`Reading`].

use crate::format::json::{Node, Pair};
use crate::format::reading::Reading;
use std::fmt::Display;

/// The text of `key`, where it is there.
pub(super) fn text<'a>(node: &'a Node, key: &str, reading: &mut Reading) -> Option<&'a str> {
    let value = node.get(key)?;
    let text = value.text();
    if text.is_none() {
        reading.fault(value.place, format!("`{key}` is {}: write a text", value.kind()));
    }
    text
}

/// The text of `key`, which must be there and not empty.
pub(super) fn needed<'a>(node: &'a Node, key: &str, reading: &mut Reading) -> Option<&'a str> {
    if node.get(key).is_none() {
        reading.fault(node.place, format!("`{key}` is missing: add it"));
        return None;
    }
    let text = text(node, key, reading)?;
    if text.is_empty() {
        let place = node.get(key).map_or(node.place, |value| value.place);
        reading.fault(place, format!("`{key}` is empty: write it"));
        return None;
    }
    Some(text)
}

/// What `parse` makes of the text of `key`, where it is there.
pub(super) fn parsed<T, E: Display>(
    node: &Node,
    key: &str,
    parse: fn(&str) -> Result<T, E>,
    reading: &mut Reading,
) -> Option<T> {
    let text = text(node, key, reading)?;
    let place = node.get(key)?.place;
    parse(text).map_err(|error| reading.fault(place, format!("`{key}`: {error}"))).ok()
}

/// What `parse` makes of the text of `key`, which must be there.
pub(super) fn needed_as<T, E: Display>(
    node: &Node,
    key: &str,
    parse: fn(&str) -> Result<T, E>,
    reading: &mut Reading,
) -> Option<T> {
    needed(node, key, reading)?;
    parsed(node, key, parse, reading)
}

/// The elements of the list `key`; none where it is missing.
pub(super) fn list<'a>(node: &'a Node, key: &str, reading: &mut Reading) -> &'a [Node] {
    let Some(value) = node.get(key) else { return &[] };
    value.items().unwrap_or_else(|| {
        reading.fault(value.place, format!("`{key}` is {}: write a list", value.kind()));
        &[]
    })
}

/// What `parse` makes of the texts in the list `key`, each once.
pub(super) fn names<T: PartialEq, E: Display>(
    node: &Node,
    key: &str,
    parse: fn(&str) -> Result<T, E>,
    reading: &mut Reading,
) -> Vec<T> {
    let mut names = Vec::new();
    for item in list(node, key, reading) {
        let Some(text) = item.text() else {
            let text = format!("an item of `{key}` is {}: write a text", item.kind());
            reading.fault(item.place, text);
            continue;
        };
        match parse(text) {
            Ok(name) if names.contains(&name) => {
                reading.advise(item.place, format!("`{}` stands in `{key}` twice", shown(text)));
            }
            Ok(name) => names.push(name),
            Err(error) => reading.fault(item.place, format!("`{key}`: {error}")),
        }
    }
    names
}

/// The pairs of the object `key`; none where it is missing.
pub(super) fn object<'a>(node: &'a Node, key: &str, reading: &mut Reading) -> &'a [Pair] {
    let Some(value) = node.get(key) else { return &[] };
    value.pairs().unwrap_or_else(|| {
        reading.fault(value.place, format!("`{key}` is {}: write an object", value.kind()));
        &[]
    })
}

/// The truth value of `key`; only `true` and `false` are ones.
pub(super) fn truth(node: &Node, key: &str, reading: &mut Reading) -> Option<bool> {
    let value = node.get(key)?;
    let truth = value.truth();
    if truth.is_none() {
        let text = format!("`{key}` is {}: write `true` or `false`, unquoted", value.kind());
        reading.fault(value.place, text);
    }
    truth
}

/// Gives a note for each key that is in none of `known`: it is tolerated and has no effect.
pub(super) fn unknown(node: &Node, known: &[&[&str]], whose: &str, reading: &mut Reading) {
    for pair in node.pairs().unwrap_or_default() {
        if !known.iter().any(|keys| keys.contains(&pair.key.as_str())) {
            let text = format!("`{}` of {whose} has no effect: remove it", shown(&pair.key));
            reading.warn(pair.place, text);
        }
    }
}

/// Shortens and escapes a text of the package for a message.
pub(super) fn shown(text: &str) -> String {
    text.chars().take(80).collect::<String>().escape_debug().to_string()
}
