//! Versions in a manifest: their source text, and the overrides of single ones.

use super::Reader;
use crate::format::yaml::{Node, Quoted, Value};
use crate::package::version::Version;

/// The version that a node holds, in its own text.
pub(super) fn version(node: &Node, reader: &mut Reader<'_>) -> Option<Version> {
    let text = node.text().unwrap_or_default().trim();
    match Version::parse(text) {
        Ok(version) => Some(version),
        Err(error) => {
            reader.problem(node, error);
            None
        }
    }
}

/// The software versions: `Versions` and `Version`, each once, in their order.
pub(super) fn software(
    manifest: &Node,
    default: &Version,
    reader: &mut Reader<'_>,
) -> Vec<Version> {
    let mut all: Vec<Version> = Vec::new();
    if let Some(list) = manifest.get("Versions") {
        if !matches!(list.value, Value::List(_)) {
            reader.warn(list, "`Versions` should be a list: `Versions: ['1.0']`");
        }
        for node in list.items() {
            if let Some(version) = version(node, reader)
                && !all.contains(&version)
            {
                all.push(version);
            }
        }
        if !all.contains(default) {
            reader.warn(list, format!("`Version` {default} is not among `Versions`"));
        }
    }
    if !all.contains(default) {
        all.push(default.clone());
    }
    all
}

/// `Cartridge-Version`: digits and dots, else 0.0.0 (the original's rule, with a warning).
pub(super) fn package(manifest: &Node, reader: &mut Reader<'_>) -> Version {
    let Some(node) = manifest.get("Cartridge-Version") else {
        reader.warn(manifest, "`Cartridge-Version` is missing; 0.0.0 is taken");
        return Version::unknown();
    };
    // One real cartridge has a list of one.
    let items = node.items();
    let only = match items.as_slice() {
        [only] => only,
        _ => node,
    };
    dotted(only, "Cartridge-Version", reader)
}

/// `Compatible-Versions`; bad items count as 0.0.0.
pub(super) fn compatible(manifest: &Node, reader: &mut Reader<'_>) -> Vec<Version> {
    let Some(node) = manifest.get("Compatible-Versions") else { return Vec::new() };
    let items = node.items();
    items.into_iter().map(|item| dotted(item, "Compatible-Versions", reader)).collect()
}

fn dotted(node: &Node, element: &str, reader: &mut Reader<'_>) -> Version {
    let text = node.text().unwrap_or_default().trim();
    let is_dotted = text.starts_with(|c: char| c.is_ascii_digit())
        && text.chars().all(|c| c.is_ascii_digit() || c == '.');
    match Version::parse(text) {
        Ok(version) if is_dotted => version,
        _ => {
            let shown = text.escape_debug();
            reader.warn(node, format!("`{element}` `{shown}` is no release; 0.0.0 is taken"));
            Version::unknown()
        }
    }
}

/// Tells the author of a version that YAML reads as a number elsewhere.
pub(super) fn advise_quotes(element: &str, node: &Node, reader: &mut Reader<'_>) {
    if let Value::Scalar(text, Quoted::No) = &node.value
        && text.parse::<f64>().is_ok()
    {
        let text = format!("quote it, `{element}: '{text}'`: other readers take it for a number");
        reader.note(crate::package::note::Level::Advice, node, text);
    }
}

/// The manifest as it is for the software version `version`: each element of its override replaces
/// the whole element (shallow, as the original merges).
pub(super) fn project(manifest: &Node, version: &Version) -> Node {
    let overrides = manifest.get("Version-Overrides").and_then(|all| {
        // Keys are compared as text: an unquoted `5.3:` never matched in the original.
        all.pairs().iter().find(|(key, _)| key == version.as_str()).map(|(_, node)| node)
    });
    let Some(overrides) = overrides else { return manifest.clone() };
    let mut pairs = manifest.pairs().to_vec();
    for (key, node) in overrides.pairs() {
        pairs.retain(|(known, _)| known != key);
        pairs.push((key.clone(), node.clone()));
    }
    Node { value: Value::Map(pairs), line: manifest.line, column: manifest.column }
}
