//! Customization points of a manifest (UBOS specification, 1.5).

use super::fields;
use crate::format::json::{Node, Pair};
use crate::format::reading::Reading;
use crate::package::ubos::chosen::Chosen;
use crate::package::ubos::name::PointName;
use crate::package::ubos::point::{Pattern, Point, PointDefault, PointKind};

const KNOWN: &[&str] =
    &["type", "required", "default", "regex", "private", "internal", "index", "name"];
const DEFAULT: &[&str] = &["value", "encoding", "expression"];

/// Reads `customizationpoints` of the manifest `root`.
pub(super) fn points(root: &Node, reading: &mut Reading) -> Vec<Point> {
    let mut points: Vec<Point> = Vec::new();
    for pair in fields::object(root, "customizationpoints", reading) {
        if let Some(point) = point(pair, reading) {
            // Repeated keys: the last one counts.
            points.retain(|other| other.name != point.name);
            points.push(point);
        }
    }
    points
}

fn point(pair: &Pair, reading: &mut Reading) -> Option<Point> {
    let node = &pair.value;
    let name = PointName::parse(&pair.key);
    let name = name.map_err(|error| reading.fault(pair.place, error.to_string())).ok();
    if node.pairs().is_none() {
        let key = fields::shown(&pair.key);
        reading.fault(node.place, format!("`{key}` is {}: write an object", node.kind()));
        return None;
    }
    fields::unknown(node, &[KNOWN], "a customization point", reading);
    let kind = kind(node, reading);
    if node.get("required").is_none() {
        reading.fault(node.place, "`required` is missing: add `true` or `false`");
    }
    let required = fields::truth(node, "required", reading);
    let mut point = Point {
        name: name?,
        label: fields::text(node, "name", reading).map(str::to_owned),
        kind: kind?,
        required: required.unwrap_or(true),
        default: None,
        regex: None,
        private: fields::truth(node, "private", reading).unwrap_or(false),
        internal: fields::truth(node, "internal", reading).unwrap_or(false),
        index: index(node, reading),
    };
    point.regex = regex(&point, node, reading);
    point.default = default(&point, node, reading);
    Some(point)
}

fn kind(node: &Node, reading: &mut Reading) -> Option<PointKind> {
    let word = fields::needed(node, "type", reading)?;
    let kind = PointKind::named(word);
    if kind.is_none() {
        let all: Vec<_> = PointKind::ALL.iter().map(|(name, _)| *name).collect();
        let place = node.get("type")?.place;
        let text = format!("`type` is `{}`: write `{}`", fields::shown(word), all.join("`, `"));
        reading.fault(place, text);
    }
    kind
}

fn index(node: &Node, reading: &mut Reading) -> Option<i64> {
    let value = node.get("index")?;
    let index = value.scalar().and_then(serde_json::Value::as_i64);
    if index.is_none() {
        reading.fault(value.place, "`index` is no whole number: write one, unquoted");
    }
    index
}

fn regex(point: &Point, node: &Node, reading: &mut Reading) -> Option<Pattern> {
    let text = fields::text(node, "regex", reading)?;
    let place = node.get("regex")?.place;
    if !point.kind.takes_regex() {
        let text = "only points of type `string` and `password` have a `regex`: remove it";
        reading.fault(place, text);
        return None;
    }
    let parsed = Pattern::parse(text);
    let say = |error: String| {
        let text = format!(
            "`regex` is no pattern that can be matched here ({error}): write one without \
             look-around and references to groups"
        );
        reading.fault(place, text);
    };
    parsed.map_err(say).ok()
}

fn default(point: &Point, node: &Node, reading: &mut Reading) -> Option<PointDefault> {
    let Some(default) = node.get("default") else {
        if !point.required {
            let text = format!(
                "`{}` is not required and has no `default`: add one, or write `\"required\" : true`",
                point.name
            );
            reading.fault(node.place, text);
        }
        return None;
    };
    if default.pairs().is_none() {
        let text = format!("`default` is {}: write an object", default.kind());
        reading.fault(default.place, text);
        return None;
    }
    fields::unknown(default, &[DEFAULT], "`default`", reading);
    match (default.get("value"), default.get("expression")) {
        (Some(_), Some(both)) => {
            reading.fault(both.place, "has `value` and `expression`: keep one of them");
            None
        }
        (None, None) => {
            reading.fault(default.place, "`default` is empty: add `value` or `expression`");
            None
        }
        (None, Some(_)) => {
            if let Some(encoding) = default.get("encoding") {
                reading.fault(encoding.place, "`encoding` needs `value`: remove it");
            }
            let text = fields::needed(default, "expression", reading)?;
            Some(PointDefault::Expression(text.to_owned()))
        }
        (Some(value), None) => {
            let given = Chosen::from_json(&default.to_json());
            let given =
                given.map_err(|error| reading.fault(default.place, format!("`default` {error}")));
            let accepted = point.accept(&given.ok()?);
            let say = |rule: String| {
                let text = format!("the default of `{}` does not fit: write {rule}", point.name);
                reading.fault(value.place, text);
            };
            accepted.map_err(say).ok().map(PointDefault::Value)
        }
    }
}
