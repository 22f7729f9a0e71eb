//! What a package wants of others, and offers to them and to people: the elements of a manifest that
//! speak of other packages (node specification, 1.1 and 10).

use super::ident::FormatName;
use super::{Package, Software};
use serde_json::{Map, Value};

/// An event that a cartridge publishes or subscribes to.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Connector {
    /// The name of its hook, below `hooks/`.
    pub name: String,
    /// Its type: equal ones belong together.
    pub kind: String,
    /// Whether the manifest calls it required.
    pub is_required: bool,
}

/// The type that subscribes to every published type which begins with `ENV:`.
const EVERY_ENV: &str = "ENV:*";

impl Connector {
    /// Tells whether what is published are variables, which the platform itself hands on.
    pub fn is_env(&self) -> bool {
        self.kind.starts_with("ENV:")
    }

    /// Tells whether this subscription is for what `published` publishes.
    pub fn hears(&self, published: &Self) -> bool {
        self.kind == published.kind || (self.kind == EVERY_ENV && published.is_env())
    }
}

impl Package {
    /// An element that no field holds, as it is for `software`.
    fn element<'a>(&'a self, software: &'a Software, key: &str) -> Option<&'a Value> {
        software.extra.get(key).or_else(|| self.extra.get(key))
    }

    /// The features that a gear must have besides, at each place those that will do.
    pub fn requires(&self, software: &Software) -> Vec<Vec<String>> {
        self.element(software, "Requires").map(alternatives).unwrap_or_default()
    }

    /// The features that a gear must not have besides.
    pub fn conflicts(&self, software: &Software) -> Vec<String> {
        let named = self.element(software, "Conflicts").map(alternatives);
        named.unwrap_or_default().into_iter().flatten().collect()
    }

    /// How many gears of it a scaled application has: the least and, where there is one, the most.
    /// Where it has components, the first that says so counts.
    pub fn scaling(&self, software: &Software) -> (usize, Option<usize>) {
        let components = self.element(software, "Components").and_then(Value::as_object);
        let of_components = components.into_iter().flatten();
        let mut inner = of_components.filter_map(|(_, one)| one.get("Scaling"));
        let said = self.element(software, "Scaling").or_else(|| inner.next());
        let number = |key: &str| said?.get(key)?.as_i64();
        let count = |number: i64| usize::try_from(number).ok();
        (number("Min").and_then(count).unwrap_or(1).max(1), number("Max").and_then(count))
    }

    /// The groups of components that are to live in one gear.
    pub fn group_overrides(&self, software: &Software) -> Vec<Vec<String>> {
        let groups = self.element(software, "Group-Overrides").and_then(Value::as_array);
        let groups = groups.into_iter().flatten();
        groups
            .filter_map(|group| group.get("components")?.as_array())
            .map(|names| names.iter().filter_map(text).collect())
            .collect()
    }

    /// The events that it publishes.
    pub fn publishes(&self, software: &Software) -> Vec<Connector> {
        self.connectors(software, "Publishes")
    }

    /// The events that it wants to hear of; of several that want every variable the first one counts.
    pub fn subscribes(&self, software: &Software) -> Vec<Connector> {
        let mut all = self.connectors(software, "Subscribes");
        let mut wildcards = 0;
        all.retain(|one| {
            wildcards += usize::from(one.kind == EVERY_ENV);
            one.kind != EVERY_ENV || wildcards == 1
        });
        all
    }

    /// The entries of a section, of the whole package and of its components.
    fn connectors(&self, software: &Software, section: &str) -> Vec<Connector> {
        let mut sections: Vec<&Value> = self.element(software, section).into_iter().collect();
        if let Some(Value::Object(components)) = self.element(software, "Components") {
            sections.extend(components.values().filter_map(|one| one.get(section)));
        }
        let entries = sections.into_iter().filter_map(Value::as_object).flatten();
        let connector = |(name, entry): (&String, &Value)| {
            Some(Connector {
                name: name.clone(),
                kind: text(entry.get("Type")?)?,
                is_required: entry.get("Required").and_then(Value::as_bool) == Some(true),
            })
        };
        // A hook is a file of the folder `hooks`, and no other.
        let is_file = |one: &Connector| {
            !one.name.is_empty() && !one.name.contains('/') && !one.name.starts_with('.')
        };
        let mut found: Vec<Connector> = Vec::new();
        for one in entries.filter_map(connector).filter(is_file) {
            if !found.contains(&one) {
                found.push(one);
            }
        }
        found
    }

    /// What the manifest tells people beyond the fields of the model, as titles and texts.
    pub fn offers(&self) -> Vec<(&'static str, String)> {
        let software = self.default_software();
        let mut all = Vec::new();
        let one = |key: &str| self.element(software, key).and_then(text);
        let listed = |key: &str| {
            let groups = self.element(software, key).map(alternatives).unwrap_or_default();
            let groups = groups.iter().map(|names| names.join(" or "));
            Some(groups.collect::<Vec<_>>().join(", ")).filter(|text| !text.is_empty())
        };
        all.extend(one("License-Url").map(|text| ("License URL", text)));
        all.extend(one("Vendor").map(|text| ("Vendor", text)));
        all.push(("Categories", software.categories.join(", ")));
        all.push(("Provides", software.provides.join(", ")));
        for key in ["Requires", "Conflicts", "Suggests"] {
            all.extend(listed(key).map(|text| (key, text)));
        }
        for (title, connectors) in
            [("Publishes", self.publishes(software)), ("Subscribes", self.subscribes(software))]
        {
            for Connector { name, kind, .. } in connectors {
                all.push((title, format!("{name} ({kind})")));
            }
        }
        if let Some(Value::Object(topics)) = self.element(software, "Help-Topics") {
            all.extend(topics.iter().map(|(topic, at)| ("Help", help(topic, at))));
        }
        all.extend(self.data(software).iter().map(|datum| ("Data", datum.text())));
        if software.install_build_required {
            let text = "the application is built when a gear is created (`Install-Build-Required`)";
            all.push(("Build", text.to_owned()));
        }
        all.retain(|(_, text)| !text.is_empty());
        all
    }
}

fn help(topic: &str, at: &Value) -> String {
    match text(at) {
        Some(at) => format!("{topic}: {at}"),
        None => topic.to_owned(),
    }
}

/// An entry of `Cart-Data`: what will be there once the cartridge lives in a gear.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Datum {
    /// Its name, as the cartridge tells it or as a variable has it.
    pub key: String,
    /// `cart_data` or `environment`, as real manifests say.
    pub kind: Option<String>,
    /// What it is.
    pub description: Option<String>,
}

impl Datum {
    fn of(entry: &Map<String, Value>) -> Option<Self> {
        let of = |name: &str| entry.get(name).and_then(text);
        Some(Self { key: of("Key")?, kind: of("Type"), description: of("Description") })
    }

    fn text(&self) -> String {
        let kind = self.kind.as_ref().map(|kind| format!(" ({kind})")).unwrap_or_default();
        let about = self.description.as_ref().map(|about| format!(": {about}"));
        format!("{}{kind}{}", self.key, about.unwrap_or_default())
    }
}

impl Package {
    /// What one software version offers people once it lives in a gear.
    pub fn data(&self, software: &Software) -> Vec<Datum> {
        let data = self.element(software, "Cart-Data").and_then(Value::as_array);
        let entries = data.into_iter().flatten().filter_map(Value::as_object);
        entries.filter_map(Datum::of).collect()
    }
}

/// A text, or a list whose items are texts or lists of alternatives.
fn alternatives(value: &Value) -> Vec<Vec<String>> {
    let one = |value: &Value| match value {
        Value::Array(items) => items.iter().filter_map(text).collect(),
        other => text(other).into_iter().collect::<Vec<_>>(),
    };
    let mut all: Vec<Vec<String>> = match value {
        Value::Array(items) => items.iter().map(one).collect(),
        other => vec![one(other)],
    };
    all.retain(|names| !names.is_empty());
    all
}

fn text(value: &Value) -> Option<String> {
    let text = match value {
        Value::String(text) => text.trim().to_owned(),
        Value::Number(number) => number.to_string(),
        _ => return None,
    };
    (!text.is_empty()).then_some(text)
}

impl Package {
    /// Tells whether `feature` is a name of the package in one software version: its own, that with
    /// the version, either after the vendor's, or one that it provides.
    pub fn has_feature(&self, software: &Software, feature: &str) -> bool {
        // What a gear is made of are cartridges, whatever else is called like that.
        if self.format != FormatName::Cartridge {
            return false;
        }
        let own =
            feature.strip_prefix(self.vendor.as_str()).and_then(|rest| rest.strip_prefix('-'));
        let is_name = |asked: &str| {
            let Some(rest) = asked.strip_prefix(self.name.as_str()) else { return false };
            rest.is_empty() || rest.strip_prefix('-') == Some(software.version.as_str())
        };
        is_name(feature)
            || own.is_some_and(is_name)
            || software.provides.iter().any(|provided| provided.trim() == feature)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn variables_are_heard_by_their_type_and_by_the_wildcard_and_nothing_else_is() {
        let of = |kind: &str| Connector { name: "x".into(), kind: kind.into(), is_required: false };
        assert!(of("NET_TCP:db:mysql").hears(&of("NET_TCP:db:mysql")));
        assert!(of("ENV:*").hears(&of("ENV:NET_TCP:db:connection-info")));
        assert!(!of("ENV:*").hears(&of("NET_TCP:db:mysql")));
        assert!(!of("NET_TCP:db").hears(&of("NET_TCP:db:mysql")));
        assert!(of("ENV:a").hears(&of("ENV:a")) && !of("ENV:a").hears(&of("ENV:b")));
    }

    #[test]
    fn lists_may_be_texts_or_have_alternatives_in_them() {
        assert_eq!(alternatives(&json!("php")), [["php"]]);
        assert_eq!(
            alternatives(&json!(["php", ["mysql", "mariadb"], [], null, 5.4])),
            [vec!["php"], vec!["mysql", "mariadb"], vec!["5.4"]]
        );
    }
}
