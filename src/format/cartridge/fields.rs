//! Elements of a mapping, read leniently: what a person meant, with a warning where it was written
//! otherwise.

use crate::format::place::Place;
use crate::format::reading::Reading;
use crate::format::yaml::{Node, Pair, Value};
use serde_json::{Map, Value as Json};

/// How many unknown keys of one mapping are looked at; one more than what a reading remembers.
const MOST_UNKNOWN: usize = 101;

/// Elements that may be a text as well as a list, in the original too.
const TEXT_OR_LIST: &[&str] = &["Provides", "Configure-Order"];

/// A mapping, where it stands in the file, and what may lie over it.
#[derive(Clone, Copy)]
pub(super) struct Fields<'a> {
    base: &'a [Pair],
    over: &'a [Pair],
    /// Where the mapping begins.
    pub(super) place: Place,
}

impl<'a> Fields<'a> {
    /// The elements of `node`; none when it is no mapping.
    pub(super) fn of(node: &'a Node) -> Self {
        Self { base: node.pairs().unwrap_or_default(), over: &[], place: node.place }
    }

    /// The same with the elements of `node` over them: each replaces the whole element of its name
    /// (a shallow merge, as in the original).
    pub(super) fn with(self, node: &'a Node) -> Self {
        Self { over: node.pairs().unwrap_or_default(), ..self }
    }

    /// The value of `key`; null counts as absent.
    pub(super) fn get(&self, key: &str) -> Option<&'a Node> {
        let mut layers = self.over.iter().chain(self.base);
        layers.find(|pair| pair.key == key).map(|pair| &pair.value).filter(|node| !node.is_null())
    }
}

/// The text of a scalar without white space around it, or of a list's only item.
fn scalar(node: &Node) -> Option<&str> {
    match &node.value {
        Value::Sequence(items) => match items.as_slice() {
            [only] => only.text(),
            _ => None,
        },
        _ => node.text(),
    }
    .map(str::trim)
}

/// Reads a text that may be missing.
pub(super) fn text(fields: &Fields, key: &str, reading: &mut Reading) -> Option<String> {
    let node = fields.get(key)?;
    let Some(text) = scalar(node) else {
        let kind = node.kind();
        reading.warn(node.place, format!("`{key}` is {kind} and left out: write a text"));
        return None;
    };
    if node.text().is_none() {
        reading
            .warn(node.place, format!("`{key}` is a list; its only item is taken: write a text"));
    }
    Some(text.to_owned()).filter(|text| !text.is_empty())
}

/// Reads a text that must be there, and where it stands.
pub(super) fn required(
    fields: &Fields,
    key: &str,
    reading: &mut Reading,
) -> Option<(String, Place)> {
    let text = text(fields, key, reading);
    let place = fields.get(key).map_or(fields.place, |node| node.place);
    if text.is_none() {
        reading.fault(place, format!("`{key}` is a required element: add `{key}: …`"));
    }
    text.map(|text| (text, place))
}

/// Reads a list of texts; a single text counts as a list of one, nothing as an empty list.
pub(super) fn list<'a>(
    fields: &Fields<'a>,
    key: &str,
    reading: &mut Reading,
) -> Vec<(String, &'a Node)> {
    match fields.get(key) {
        None => Vec::new(),
        Some(node) => match &node.value {
            Value::Sequence(items) => items_of(items, key, reading),
            _ => listed(key, node, reading),
        },
    }
}

fn items_of<'a>(items: &'a [Node], key: &str, reading: &mut Reading) -> Vec<(String, &'a Node)> {
    let mut texts = Vec::with_capacity(items.len());
    for item in items {
        match item.text().map(str::trim).filter(|text| !text.is_empty()) {
            Some(text) => texts.push((text.to_owned(), item)),
            None if item.is_null() => {}
            None => {
                let text = format!("an item of `{key}` is {} and left out", item.kind());
                reading.warn(item.place, format!("{text}: write a text"));
            }
        }
    }
    texts
}

/// Reads the texts of `node`, an item of `key`: a list of alternatives, or one text.
pub(super) fn texts_of(node: &Node, key: &str, reading: &mut Reading) -> Vec<String> {
    let items = match &node.value {
        Value::Sequence(items) => items.as_slice(),
        _ => std::slice::from_ref(node),
    };
    items_of(items, key, reading).into_iter().map(|(text, _)| text).collect()
}

fn listed<'a>(key: &str, node: &'a Node, reading: &mut Reading) -> Vec<(String, &'a Node)> {
    let Some(text) = node.text().map(str::trim).filter(|text| !text.is_empty()) else {
        let kind = node.kind();
        reading.warn(node.place, format!("`{key}` is {kind} and left out: write a list"));
        return Vec::new();
    };
    // `-x` below a key is a text; the author forgot the space of a list item.
    let item = text.strip_prefix('-').map_or(text, str::trim);
    if item == text && TEXT_OR_LIST.contains(&key) {
        return vec![(text.to_owned(), node)];
    }
    let advice = if item == text { "write a list" } else { "put a space behind `-`" };
    let shown = item.escape_debug();
    let said = format!("`{key}` is a text; `{shown}` is taken as its only item: {advice}");
    reading.warn(node.place, said);
    vec![(item.to_owned(), node)]
}

/// Reads a list of texts whose places do not matter.
pub(super) fn texts(fields: &Fields, key: &str, reading: &mut Reading) -> Vec<String> {
    list(fields, key, reading).into_iter().map(|(text, _)| text).collect()
}

/// Reads a truth value; missing means false.
pub(super) fn flag(fields: &Fields, key: &str, reading: &mut Reading) -> bool {
    let Some(node) = fields.get(key) else { return false };
    node.truth().unwrap_or_else(|| {
        reading
            .warn(node.place, format!("`{key}` is neither `true` nor `false`; taken as `false`"));
        false
    })
}

/// Reads `Options`: names with values. A bare name counts as switched on.
pub(super) fn options(fields: &Fields, reading: &mut Reading) -> Map<String, Json> {
    let Some(node) = fields.get("Options") else { return Map::new() };
    if let Some(pairs) = node.pairs() {
        let value = |node: &Node| node.truth().map_or_else(|| node.to_json(), Json::Bool);
        return pairs.iter().map(|pair| (pair.key.clone(), value(&pair.value))).collect();
    }
    let place = node.place;
    reading
        .warn(place, "`Options` is no mapping; each name is taken as `true`: write `name: true`");
    let names = match &node.value {
        Value::Sequence(items) => items.iter().filter_map(Node::text).collect(),
        _ => Vec::from_iter(node.text()),
    };
    names.into_iter().map(|name| (name.trim().to_owned(), Json::Bool(true))).collect()
}

/// Warns about keys of `node` that are not among `known`, with the nearest known one, and keeps
/// what they say under `path`.
pub(in crate::format) fn unknown(
    node: &Node,
    known: &[&[&str]],
    path: &str,
    reading: &mut Reading,
) {
    let known = || known.iter().copied().flatten().copied();
    let pairs = node.pairs().unwrap_or_default().iter();
    for pair in pairs.filter(|pair| known().all(|name| name != pair.key)).take(MOST_UNKNOWN) {
        let shown: String = pair.key.chars().take(80).collect();
        let remedy = match nearest(&pair.key, known()) {
            Some(nearest) => format!(": did you mean `{nearest}`?"),
            None => " and has no effect: remove it".to_owned(),
        };
        let text = format!("`{}` is no known element{remedy}", shown.escape_debug());
        reading.warn(pair.place, text);
        reading.keep(format!("{path}{}", pair.key), pair.value.to_json());
    }
}

/// The known name that a misspelt one most likely means.
fn nearest<'a>(key: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let plain = |text: &str| text.to_lowercase().replace(['_', ' '], "-");
    let key = plain(key);
    let near = |name: &str| strsim::damerau_levenshtein(&key, &plain(name));
    // A third of the letters may be wrong, three at most: more is another word.
    let most = (key.chars().count() / 3).min(3);
    // A key of a megabyte is no typing error, and measuring it would take for ever.
    let candidates = known.filter(|_| key.len() <= 64).map(|name| (near(name), name));
    candidates.min().filter(|(distance, _)| *distance <= most).map(|(_, name)| name)
}
