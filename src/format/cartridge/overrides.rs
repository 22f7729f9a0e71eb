//! `Version-Overrides`: what is different in one software version (node specification, 1.2).
//!
//! An override replaces whole elements. Its key is compared by source text, so that an unquoted
//! 5.3 works, which the original's reader takes for a number and never finds.

use super::elements;
use super::fields::{self, Fields};
use super::versions::Versions;
use crate::format::reading::Reading;
use crate::format::yaml::{Node, Pair};
use crate::package::version::Version;
use serde_json::{Map, Value as Json};

/// The overrides of a manifest.
pub(super) struct Overrides<'a>(Vec<&'a Pair>);

impl<'a> Overrides<'a> {
    /// The override of one software version.
    pub(super) fn of(&self, version: &Version) -> Option<&'a Node> {
        let pair = self.0.iter().find(|pair| pair.key.trim() == version.as_str())?;
        Some(&pair.value)
    }
}

/// Reads `Version-Overrides`. One for a version that the package lacks is kept and not used.
pub(super) fn read<'a>(
    fields: &Fields<'a>,
    versions: &Versions,
    reading: &mut Reading,
) -> Overrides<'a> {
    let Some(node) = fields.get("Version-Overrides") else { return Overrides(Vec::new()) };
    let Some(pairs) = node.pairs() else {
        let text = format!("`Version-Overrides` is {} and left out", node.kind());
        reading.warn(node.place, format!("{text}: write versions with their elements"));
        return Overrides(Vec::new());
    };
    let mut used = Vec::new();
    for pair in pairs {
        let shown: String = pair.key.chars().take(80).collect();
        if !versions.all.iter().any(|version| version.as_str() == pair.key.trim()) {
            let text = format!(
                "the override for `{}` has no effect: `Versions` lacks that version",
                shown.escape_debug()
            );
            reading.warn(pair.place, text);
            reading.keep(format!("Version-Overrides.{}", pair.key), pair.value.to_json());
        } else if pair.value.pairs().is_some() {
            check(pair, reading);
            used.push(pair);
        } else if !pair.value.is_null() {
            let kind = pair.value.kind();
            let text =
                format!("the override for `{}` is {kind} and left out", shown.escape_debug());
            reading.warn(pair.place, format!("{text}: write elements with their values"));
        }
    }
    Overrides(used)
}

fn check(pair: &Pair, reading: &mut Reading) {
    let path = format!("Version-Overrides.{}.", pair.key);
    let known = [elements::PACKAGE, elements::SOFTWARE, elements::INFORMATION];
    fields::unknown(&pair.value, &known, &path, reading);
    for inner in pair.value.pairs().unwrap_or_default() {
        if elements::PACKAGE.contains(&inner.key.as_str()) {
            let text = format!("`{}` has no effect in an override: remove it", inner.key);
            reading.warn(inner.place, text);
        }
    }
}

/// The elements of an override that no field of the model holds.
pub(super) fn extra(node: &Node) -> Map<String, Json> {
    let pairs = node.pairs().unwrap_or_default().iter();
    pairs
        .filter(|pair| elements::INFORMATION.contains(&pair.key.as_str()))
        .map(|pair| (pair.key.clone(), pair.value.to_json()))
        .collect()
}
