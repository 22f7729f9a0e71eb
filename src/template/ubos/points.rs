//! What customization points are at a site: chosen, kept, or made.
//!
//! What has been made once is kept over redeployments, the random ones too (better than the
//! original, which makes them anew: UBOS specification, 8.11).

use super::error::VariableError;
use super::render::Variables;
use crate::error::Explain;
use crate::package::ubos::chosen::Chosen;
use crate::package::ubos::name::{PackageName, PointName};
use crate::package::ubos::point::{Point, PointDefault};
use serde_json::Value as Json;
use std::collections::BTreeMap;

/// Why a point has no value.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PointError {
    /// It must be chosen and is not.
    #[error("`{package}` needs a value for `{point}`: {rule}")]
    Missing {
        /// The package.
        package: PackageName,
        /// The point.
        point: PointName,
        /// What it takes.
        rule: &'static str,
    },
    /// What was chosen, or made, does not fit.
    #[error("the value for `{point}` of `{package}` does not fit: it takes {rule}")]
    Unfit {
        /// The package.
        package: PackageName,
        /// The point.
        point: PointName,
        /// What it takes.
        rule: String,
    },
    /// The package has no such point.
    #[error("`{package}` has no customization point `{point}`")]
    Unknown {
        /// The package.
        package: PackageName,
        /// The point.
        point: PointName,
    },
    /// The expression of its default cannot be resolved.
    #[error("the default of `{point}` of `{package}` cannot be made: {error}")]
    Expression {
        /// The package.
        package: PackageName,
        /// The point.
        point: PointName,
        /// Why not.
        error: Box<VariableError>,
    },
}

impl Explain for PointError {
    fn hint(&self) -> Option<String> {
        match self {
            Self::Missing { package, point, .. } | Self::Unfit { package, point, .. } => {
                Some(format!(
                    "write `\"customizationpoints\" : {{ \"{package}\" : {{ \"{point}\" : \
                     {{ \"value\" : … }} }} }}` into the app's part of the site file"
                ))
            }
            Self::Unknown { .. } => Some("remove it from the site file, or correct it".into()),
            Self::Expression { .. } => None,
        }
    }
}

/// Resolves all `points` of `package`: what the site file says (`chosen`), else what the point was
/// before (`kept`), else its default. A kept value that no longer fits gives way to the default.
/// Everything that is wrong is said.
pub fn resolve(
    (package, points): (&PackageName, &[Point]),
    chosen: &BTreeMap<PointName, Chosen>,
    kept: &BTreeMap<PointName, Chosen>,
    variables: &Variables,
) -> Result<BTreeMap<PointName, Chosen>, Vec<PointError>> {
    let mut values = BTreeMap::new();
    let mut errors = Vec::new();
    for name in chosen.keys().filter(|name| !points.iter().any(|point| point.name == **name)) {
        errors.push(PointError::Unknown { package: package.clone(), point: name.clone() });
    }
    for point in points {
        let given = chosen.get(&point.name).filter(|value| **value != Chosen::Plain(Json::Null));
        let before = kept.get(&point.name).and_then(|value| point.accept(value).ok());
        let value = match (given, before) {
            (Some(given), _) => point.accept(given).map_err(|rule| PointError::Unfit {
                package: package.clone(),
                point: point.name.clone(),
                rule,
            }),
            (None, Some(before)) => Ok(before),
            (None, None) => default(package, point, variables),
        };
        match value {
            Ok(value) => drop(values.insert(point.name.clone(), value)),
            Err(error) => errors.push(error),
        }
    }
    if errors.is_empty() { Ok(values) } else { Err(errors) }
}

fn default(
    package: &PackageName,
    point: &Point,
    variables: &Variables,
) -> Result<Chosen, PointError> {
    let names = || (package.clone(), point.name.clone());
    match &point.default {
        None => {
            let (package, name) = names();
            Err(PointError::Missing { package, point: name, rule: point.kind.rule() })
        }
        Some(PointDefault::Value(value)) => Ok(value.clone()),
        Some(PointDefault::Expression(text)) => {
            let made = variables.render(text.as_bytes()).map_err(|error| {
                let (package, point) = names();
                PointError::Expression { package, point, error: Box::new(error) }
            })?;
            let made = match String::from_utf8(made) {
                Ok(text) => Chosen::Plain(Json::String(text)),
                Err(error) => Chosen::Bytes(error.into_bytes()),
            };
            point.accept(&made).map_err(|rule| {
                let (package, point) = names();
                PointError::Unfit { package, point, rule }
            })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::functions::tests::OneAccount;
    use super::super::scope::{Scope, Value};
    use super::*;
    use crate::package::ubos::point::PointKind;
    use serde_json::json;

    type Values = BTreeMap<PointName, Chosen>;

    fn point(name: &str, kind: PointKind, default: Option<PointDefault>) -> Point {
        Point {
            name: PointName::parse(name).unwrap(),
            label: None,
            kind,
            required: default.is_none(),
            default,
            regex: None,
            private: false,
            internal: false,
            index: None,
        }
    }

    fn values(pairs: &[(&str, Json)]) -> Values {
        let pair = |(name, value): &(&str, Json)| {
            (PointName::parse(name).unwrap(), Chosen::Plain(value.clone()))
        };
        pairs.iter().map(pair).collect()
    }

    fn resolved(chosen: &[(&str, Json)], kept: &[(&str, Json)]) -> Result<Values, Vec<PointError>> {
        let expression = |text: &str| Some(PointDefault::Expression(text.into()));
        let points = [
            point("must", PointKind::Integer, None),
            point(
                "flag",
                PointKind::Boolean,
                Some(PointDefault::Value(Chosen::Plain(true.into()))),
            ),
            point("salt", PointKind::String, expression("${randomHex(40)}")),
            point("url", PointKind::Url, expression("${site.protocol}://x/")),
        ];
        let site = Scope::of([("site.protocol", Value::fixed("https"))]);
        let variables = Variables { scopes: &[&site], accounts: &OneAccount };
        let package = PackageName::parse("app").unwrap();
        resolve((&package, &points), &values(chosen), &values(kept), &variables)
    }

    fn text(values: &Values, name: &str) -> Json {
        values[&PointName::parse(name).unwrap()].to_json()["value"].clone()
    }

    #[test]
    fn chosen_counts_before_kept_and_kept_before_default() {
        let first = resolved(&[("must", json!(1)), ("flag", json!("0"))], &[]).unwrap();
        assert_eq!(text(&first, "flag"), json!(false));
        assert_eq!(text(&first, "url"), json!("https://x/"));
        let salt = text(&first, "salt");
        assert_eq!(salt.as_str().unwrap().len(), 40);
        let again = resolved(&[("must", json!(2))], &[("must", json!(1)), ("salt", salt.clone())]);
        let again = again.unwrap();
        assert_eq!(text(&again, "salt"), salt, "what was random once is kept");
        assert_eq!(text(&again, "must"), json!(2));
        let kept = resolved(&[], &[("must", json!(1)), ("flag", json!("gone"))]).unwrap();
        assert_eq!(text(&kept, "flag"), json!(true), "what no longer fits gives way");
    }

    #[test]
    fn everything_that_is_wrong_is_said_without_values() {
        let errors = resolved(&[("flag", json!("hunter2")), ("nix", json!(1))], &[]).unwrap_err();
        let all: Vec<_> = errors.iter().map(ToString::to_string).collect();
        let all = all.join("\n");
        for said in ["no customization point `nix`", "needs a value for `must`", "`flag` of `app`"]
        {
            assert!(all.contains(said), "{all}");
        }
        assert!(!all.contains("hunter2"), "{all}");
    }
}
