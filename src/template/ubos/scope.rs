//! Scopes: names with their values.

use crate::package::ubos::chosen::Chosen;
use serde_json::Value as Json;
use std::collections::BTreeMap;

/// The value of a variable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// A text of ours or of the host's settings, which may have variables itself.
    Text(String),
    /// What a person or a program has said: put in as it is.
    Fixed(Chosen),
}

impl Value {
    /// A value that is put in as it is.
    pub fn fixed(value: impl Into<Json>) -> Self {
        Self::Fixed(Chosen::Plain(value.into()))
    }
}

/// A variable has another value already; the first one stays.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("variable `{0}` has another value already")]
pub struct Taken(
    /// The variable.
    pub String,
);

/// Names with values, of one package, appconfig, site or host.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Scope {
    values: BTreeMap<String, Value>,
}

impl Scope {
    /// Gives `name` a value; one that it has already stays.
    pub fn put(&mut self, name: impl Into<String>, value: Value) -> Result<(), Taken> {
        let name = name.into();
        match self.values.get(&name) {
            Some(other) if *other != value => Err(Taken(name)),
            Some(_) => Ok(()),
            None => {
                self.values.insert(name, value);
                Ok(())
            }
        }
    }

    /// The value of `name`.
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.values.get(name)
    }

    /// Every name, in order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.values.keys().map(String::as_str)
    }

    /// A scope of `pairs`; of two with the same name the last one counts.
    pub(super) fn of<K: Into<String>>(pairs: impl IntoIterator<Item = (K, Value)>) -> Self {
        Self { values: pairs.into_iter().map(|(name, value)| (name.into(), value)).collect() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_value_stays() {
        let mut scope = Scope::default();
        scope.put("a", Value::fixed(1)).unwrap();
        scope.put("a", Value::fixed(1)).unwrap();
        assert_eq!(scope.put("a", Value::fixed(2)), Err(Taken("a".into())));
        assert_eq!(scope.get("a"), Some(&Value::fixed(1)));
    }
}
