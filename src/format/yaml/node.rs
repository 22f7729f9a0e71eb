//! The tree that a YAML file becomes.

use crate::format::place::Place;

/// One value, and where it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::format) struct Node {
    /// What it is.
    pub(in crate::format) value: Value,
    /// Where it begins.
    pub(in crate::format) place: Place,
}

/// What a value is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::format) enum Value {
    /// A text as it stands in the source, unquoted: YAML would look for numbers and the like.
    Plain(String),
    /// A text in quotes or in a block: nothing but a text.
    Quoted(String),
    /// A list.
    Sequence(Vec<Node>),
    /// Keys with their values, in order, each key once.
    Mapping(Vec<Pair>),
}

/// A key with its value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::format) struct Pair {
    /// The key's source text, without quotes.
    pub(in crate::format) key: String,
    /// Where the key begins.
    pub(in crate::format) place: Place,
    /// What it means.
    pub(in crate::format) value: Node,
}

impl Node {
    /// Tells whether it is nothing: an empty section, `~` or `null`.
    pub(in crate::format) fn is_null(&self) -> bool {
        matches!(&self.value, Value::Plain(text)
            if matches!(text.as_str(), "" | "~" | "null" | "Null" | "NULL"))
    }

    /// The text of a scalar that is not null.
    pub(in crate::format) fn text(&self) -> Option<&str> {
        match &self.value {
            Value::Plain(text) if !self.is_null() => Some(text),
            Value::Quoted(text) => Some(text),
            _ => None,
        }
    }

    /// The pairs of a mapping.
    pub(in crate::format) fn pairs(&self) -> Option<&[Pair]> {
        match &self.value {
            Value::Mapping(pairs) => Some(pairs),
            _ => None,
        }
    }

    /// The value of `key` in a mapping, where it is not null.
    pub(in crate::format) fn get(&self, key: &str) -> Option<&Node> {
        let pair = self.pairs()?.iter().find(|pair| pair.key == key)?;
        Some(&pair.value).filter(|value| !value.is_null())
    }

    /// What it is, for messages.
    pub(in crate::format) fn kind(&self) -> &'static str {
        match &self.value {
            _ if self.is_null() => "nothing",
            Value::Plain(_) | Value::Quoted(_) => "a text",
            Value::Sequence(_) => "a list",
            Value::Mapping(_) => "a mapping",
        }
    }

    /// Tells whether another YAML reader would make a fraction of it (`5.10` becomes 5.1).
    pub(in crate::format) fn looks_like_fraction(&self) -> bool {
        let Value::Plain(text) = &self.value else { return false };
        is_fraction(text)
    }

    /// The truth value of an unquoted scalar in YAML 1.1, which the original's reader speaks.
    pub(in crate::format) fn truth(&self) -> Option<bool> {
        match self.text()?.to_ascii_lowercase().as_str() {
            "true" | "yes" | "on" => Some(true),
            "false" | "no" | "off" => Some(false),
            _ => None,
        }
    }

    /// The same as JSON. Only what JSON writes back letter by letter becomes a number, so that no
    /// version loses a zero.
    pub(in crate::format) fn to_json(&self) -> serde_json::Value {
        use serde_json::Value as Json;
        match &self.value {
            _ if self.is_null() => Json::Null,
            Value::Plain(text) => match text.as_str() {
                "true" => Json::Bool(true),
                "false" => Json::Bool(false),
                text => match text.parse::<i64>() {
                    Ok(number) if number.to_string() == text => Json::from(number),
                    _ => Json::from(text),
                },
            },
            Value::Quoted(text) => Json::from(text.as_str()),
            Value::Sequence(items) => items.iter().map(Node::to_json).collect(),
            Value::Mapping(pairs) => {
                let pair = |pair: &Pair| (pair.key.clone(), pair.value.to_json());
                Json::Object(pairs.iter().map(pair).collect())
            }
        }
    }
}

/// Tells whether a plain text is digits, a point and digits.
pub(in crate::format) fn is_fraction(text: &str) -> bool {
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    text.split_once('.').is_some_and(|(whole, rest)| digits(whole) && digits(rest))
}
