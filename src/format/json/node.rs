//! The tree that a JSON text becomes.

use crate::format::place::Place;
use crate::format::yaml;
use serde_json::Value;

/// One value, and where it stands.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::format) struct Node {
    /// Where it begins.
    pub(in crate::format) place: Place,
    /// What it is.
    pub(in crate::format) content: Content,
}

/// What a value is.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::format) enum Content {
    /// A text, a number, true, false or null; never a list or an object.
    Scalar(Value),
    /// A list.
    List(Vec<Node>),
    /// Keys with their values, in the order of the text; a key may stand there twice.
    Object(Vec<Pair>),
}

/// A key with its value.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::format) struct Pair {
    /// The key.
    pub(in crate::format) key: String,
    /// Where the key begins.
    pub(in crate::format) place: Place,
    /// Its value.
    pub(in crate::format) value: Node,
}

impl Node {
    /// The text, where it is one.
    pub(in crate::format) fn text(&self) -> Option<&str> {
        match &self.content {
            Content::Scalar(Value::String(text)) => Some(text),
            _ => None,
        }
    }

    /// The scalar, where it is one that is not null.
    pub(in crate::format) fn scalar(&self) -> Option<&Value> {
        match &self.content {
            Content::Scalar(value) if !value.is_null() => Some(value),
            _ => None,
        }
    }

    /// The truth value, where it is one of JSON.
    pub(in crate::format) fn truth(&self) -> Option<bool> {
        self.scalar().and_then(Value::as_bool)
    }

    /// The elements, where it is a list.
    pub(in crate::format) fn items(&self) -> Option<&[Node]> {
        match &self.content {
            Content::List(items) => Some(items),
            _ => None,
        }
    }

    /// The pairs, where it is an object.
    pub(in crate::format) fn pairs(&self) -> Option<&[Pair]> {
        match &self.content {
            Content::Object(pairs) => Some(pairs),
            _ => None,
        }
    }

    /// The value of `key`. Where the key stands twice the last one counts, as in Perl.
    pub(in crate::format) fn get(&self, key: &str) -> Option<&Node> {
        let pair = self.pairs()?.iter().rev().find(|pair| pair.key == key)?;
        Some(&pair.value)
    }

    /// What it is, for messages.
    pub(in crate::format) fn kind(&self) -> &'static str {
        match &self.content {
            Content::Scalar(Value::String(_)) => "a text",
            Content::Scalar(Value::Number(_)) => "a number",
            Content::Scalar(Value::Bool(_)) => "true or false",
            Content::Scalar(_) => "null",
            Content::List(_) => "a list",
            Content::Object(_) => "an object",
        }
    }

    /// The same without places.
    pub(in crate::format) fn to_json(&self) -> Value {
        match &self.content {
            Content::Scalar(value) => value.clone(),
            Content::List(items) => items.iter().map(Self::to_json).collect(),
            Content::Object(pairs) => {
                let pair = |pair: &Pair| (pair.key.clone(), pair.value.to_json());
                Value::Object(pairs.iter().map(pair).collect())
            }
        }
    }

    /// The same as a tree of YAML, for what both can say: lists of externals.
    pub(in crate::format) fn to_yaml(&self) -> yaml::Node {
        let value = match &self.content {
            Content::Scalar(Value::String(text)) => yaml::Value::Quoted(text.clone()),
            Content::Scalar(value) => yaml::Value::Plain(value.to_string()),
            Content::List(items) => {
                yaml::Value::Sequence(items.iter().map(Self::to_yaml).collect())
            }
            Content::Object(pairs) => {
                let pair = |pair: &Pair| yaml::Pair {
                    key: pair.key.clone(),
                    place: pair.place,
                    value: pair.value.to_yaml(),
                };
                let last = |at: usize, pair: &Pair| {
                    !pairs.iter().skip(at + 1).any(|later| later.key == pair.key)
                };
                let kept = pairs.iter().enumerate().filter(|(at, own)| last(*at, own));
                yaml::Value::Mapping(kept.map(|(_, own)| pair(own)).collect())
            }
        };
        yaml::Node { value, place: self.place }
    }

    /// Every key that stands twice in the same object, anywhere below: the later ones.
    pub(in crate::format) fn repeated(&self) -> Vec<&Pair> {
        let mut found = Vec::new();
        let mut waiting = vec![self];
        while let Some(node) = waiting.pop() {
            waiting.extend(node.items().unwrap_or_default());
            let mut seen = std::collections::HashSet::new();
            for pair in node.pairs().unwrap_or_default() {
                waiting.push(&pair.value);
                if !seen.insert(pair.key.as_str()) {
                    found.push(pair);
                }
            }
        }
        found.sort_by_key(|pair| pair.place);
        found
    }
}
