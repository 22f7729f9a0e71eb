//! All variables at once, as scripts get them (UBOS specification, 2.4): a tree, and by full name.

use super::error::VariableError;
use super::render::Variables;
use crate::package::ubos::chosen::Chosen;
use serde_json::{Map, Value as Json};
use std::collections::BTreeSet;

impl Variables<'_> {
    /// Every name that any scope has, in order.
    pub fn names(&self) -> BTreeSet<String> {
        self.scopes.iter().flat_map(|scope| scope.names()).map(str::to_owned).collect()
    }

    /// Every variable with its resolved value, by full name. Truth values and numbers stay what they
    /// are; bytes that are no text become the characters of the same numbers, as in Perl.
    pub fn flat(&self) -> Result<Map<String, Json>, VariableError> {
        let mut all = Map::new();
        for name in self.names() {
            if let Some(value) = self.get(&name)? {
                all.insert(name, json(value));
            }
        }
        Ok(all)
    }

    /// The same as a tree: `a.b` is `b` in `a`. A name that has a value and others below it keeps
    /// the value below the empty name.
    pub fn tree(&self) -> Result<Json, VariableError> {
        let mut root = Json::Object(Map::new());
        for (name, value) in self.flat()? {
            let mut at = &mut root;
            for part in name.split('.') {
                at = below(at, part);
            }
            match at {
                Json::Object(inner) if !inner.is_empty() => {
                    drop(inner.insert(String::new(), value));
                }
                _ => *at = value,
            }
        }
        Ok(root)
    }
}

/// The place of `part` in `at`, which becomes an object if it is none.
fn below<'a>(at: &'a mut Json, part: &str) -> &'a mut Json {
    if !at.is_object() {
        let value = at.take();
        *at = Json::Object(Map::from_iter([(String::new(), value)]));
    }
    match at {
        Json::Object(inner) => inner.entry(part).or_insert_with(|| Json::Object(Map::new())),
        other => other,
    }
}

fn json(value: Chosen) -> Json {
    match value {
        Chosen::Plain(value) => value,
        Chosen::Bytes(bytes) => match String::from_utf8(bytes) {
            Ok(text) => Json::String(text),
            Err(error) => Json::String(error.into_bytes().into_iter().map(char::from).collect()),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::super::functions::tests::OneAccount;
    use super::super::scope::{Scope, Value};
    use super::*;
    use serde_json::json;

    #[test]
    fn the_tree_has_every_variable_and_loses_no_type() {
        let near = Scope::of([
            ("appconfig.tcpport.web", Value::fixed(5001)),
            ("appconfig.mysql.dbname.main", Value::fixed("xyz")),
            ("point.no", Value::fixed(false)),
            ("point.zero", Value::fixed(0)),
            ("point.bytes", Value::Fixed(Chosen::Bytes(vec![0xff]))),
            ("hostname", Value::fixed("near")),
        ]);
        let far = Scope::of([
            ("hostname", Value::fixed("far")),
            ("dir", Value::Text("/srv/${hostname}".into())),
            ("a.b", Value::fixed(2)),
            ("a", Value::fixed(1)),
        ]);
        let variables = Variables { scopes: &[&near, &far], accounts: &OneAccount };
        let tree = json!({
            "a": {"": 1, "b": 2},
            "appconfig": {"mysql": {"dbname": {"main": "xyz"}}, "tcpport": {"web": 5001}},
            "dir": "/srv/near",
            "hostname": "near",
            "point": {"bytes": "ÿ", "no": false, "zero": 0},
        });
        assert_eq!(variables.tree().unwrap(), tree);
        assert_eq!(variables.flat().unwrap().len(), 9);
    }

    #[test]
    fn what_cannot_be_resolved_is_an_error_and_not_left_out() {
        let scope = Scope::of([("dir", Value::Text("${nix}".into()))]);
        let variables = Variables { scopes: &[&scope], accounts: &OneAccount };
        let error = variables.tree().unwrap_err().to_string();
        assert!(error.contains("`${nix}`") && error.contains("`${dir}`"), "{error}");
    }
}
