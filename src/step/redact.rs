//! Keeps secrets out of what scripts have printed.

use serde_json::Value;

/// What stands in their place.
const HIDDEN: &str = "[hidden]";
/// A shorter value would be found in every other word.
const SHORTEST: usize = 4;
/// Members under which secrets stand, wherever they are.
const MEMBERS: [&str; 4] = ["credential", "dbusercredential", "privatekey", "key"];

/// The values that nobody is to read.
#[derive(Debug)]
pub(super) struct Secrets(Vec<String>);

impl Secrets {
    /// Finds them in a tree of variables: those under names that always mean a secret, and those
    /// that are `named`, by dotted names.
    pub(super) fn of(variables: &Value, named: &[String]) -> Self {
        let mut found = Vec::new();
        collect(variables, "", named, &mut found);
        found.retain(|value| value.len() >= SHORTEST);
        // A secret may be a part of another.
        found.sort_by(|one, other| other.len().cmp(&one.len()).then_with(|| one.cmp(other)));
        found.dedup();
        Self(found)
    }

    /// The text without them.
    pub(super) fn hide(&self, text: &str) -> String {
        self.0.iter().fold(text.to_owned(), |text, secret| text.replace(secret, HIDDEN))
    }
}

fn collect(at: &Value, name: &str, named: &[String], found: &mut Vec<String>) {
    let is_secret = || {
        name.split('.').any(|member| MEMBERS.contains(&member))
            || named.iter().any(|secret| secret == name)
    };
    match at {
        Value::Object(members) => {
            for (member, value) in members {
                let dotted =
                    if name.is_empty() { member.clone() } else { format!("{name}.{member}") };
                collect(value, &dotted, named, found);
            }
        }
        Value::Array(values) => values.iter().for_each(|value| collect(value, name, named, found)),
        Value::String(text) if is_secret() => {
            found.push(text.clone());
            // What prints a text may print its lines one by one, and quoted.
            found.extend(text.lines().map(|line| line.trim().to_owned()));
            for quote in ['\'', '"'] {
                found.push(text.replace(quote, &format!("\\{quote}")));
            }
        }
        Value::Number(number) if is_secret() => found.push(number.to_string()),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn secrets_are_found_by_their_names_and_hidden_wherever_they_stand() {
        let variables = json!({
            "site": { "admin": { "userid": "anna", "credential": "it's open" }, "key": "ab\ncdefg" },
            "appconfig": { "mysql": { "dbusercredential": { "maindb": "it's open sesame" } } },
            "installable": { "customizationpoints": { "token": { "value": 12345 },
                "short": { "value": "abc" }, "seen": { "value": "visible" } } },
        });
        let named = ["token", "short"]
            .map(|point| format!("installable.customizationpoints.{point}.value"));
        let secrets = Secrets::of(&variables, &named);
        let said = "anna visible abc 12345 it's open, it's open sesame, it\\'s open; cdefg";
        assert_eq!(
            secrets.hide(said),
            "anna visible abc [hidden] [hidden], [hidden], [hidden]; [hidden]"
        );
    }
}
