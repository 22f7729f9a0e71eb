//! `metadata/managed_files.yml` (node specification, 5).

use super::fields::{self, Fields};
use crate::format::error::Fault;
use crate::format::reading::Reading;
use crate::format::yaml::{self, Node, Value};
use crate::package::managed::Managed;

/// The file's path in a tree.
pub const PATH: &str = "metadata/managed_files.yml";

/// The file's entries.
pub(super) const KEYS: &[&str] = &[
    "locked_files",
    "snapshot_exclusions",
    "setup_rewritten",
    "processed_templates",
    "process_templates",
    "dependency_dirs",
    "build_dependency_dirs",
    "restore_transforms",
];

/// Reads the file's bytes; fails only where it is no YAML.
pub(in crate::format) fn parse(bytes: &[u8], reading: &mut Reading) -> Result<Managed, Fault> {
    let Some(mut root) = yaml::parse(bytes, reading)? else { return Ok(Managed::default()) };
    if root.pairs().is_none() {
        let text = format!("is {}, not a mapping of entries with their lists", root.kind());
        return Err(Fault { place: root.place, text });
    }
    join_symbols(&mut root);
    fields::unknown(&root, &[KEYS], "managed_files.", reading);
    let fields = Fields::of(&root);
    let mut list = |key: &str| fields::texts(&fields, key, reading);
    let mut processed_templates = list("processed_templates");
    processed_templates.append(&mut list("process_templates"));
    Ok(Managed {
        locked_files: list("locked_files"),
        snapshot_exclusions: list("snapshot_exclusions"),
        setup_rewritten: list("setup_rewritten"),
        processed_templates,
        restore_transforms: list("restore_transforms"),
        dependency_dirs: directories(&fields, "dependency_dirs", reading),
        build_dependency_dirs: directories(&fields, "build_dependency_dirs", reading),
    })
}

/// Gives keys that are written as Ruby's symbols (`:locked_files`) their plain names, and joins the
/// lists of both spellings.
fn join_symbols(root: &mut Node) {
    let Value::Mapping(pairs) = &mut root.value else { return };
    let mut joined: Vec<yaml::Pair> = Vec::with_capacity(pairs.len());
    for mut pair in std::mem::take(pairs) {
        if pair.key.starts_with(':') {
            pair.key.remove(0);
        }
        let same = joined.iter_mut().find(|known| known.key == pair.key);
        match same.map(|known| (&mut known.value.value, &mut pair.value.value)) {
            None => joined.push(pair),
            Some((Value::Sequence(items), Value::Sequence(more))) => items.append(more),
            Some((known, more)) if !matches!(known, Value::Sequence(_)) => {
                std::mem::swap(known, more);
            }
            Some(_) => {}
        }
    }
    *pairs = joined;
}

/// Reads directories: a name, or a mapping of the link's name to the directory's.
fn directories(fields: &Fields, key: &str, reading: &mut Reading) -> Vec<(String, String)> {
    let Some(node) = fields.get(key) else { return Vec::new() };
    let items = match &node.value {
        Value::Sequence(items) => items.as_slice(),
        _ => std::slice::from_ref(node),
    };
    let mut found = Vec::new();
    for item in items {
        match (item.text().map(str::trim), item.pairs()) {
            (Some(name), _) if !name.is_empty() => found.push((name.to_owned(), name.to_owned())),
            (_, Some(pairs)) => {
                for pair in pairs {
                    let target = pair.value.text().map_or(pair.key.as_str(), str::trim);
                    found.push((pair.key.trim().to_owned(), target.to_owned()));
                }
            }
            _ if item.is_null() => {}
            _ => {
                let text = format!("an item of `{key}` is {} and left out", item.kind());
                reading.warn(item.place, format!("{text}: write `name` or `link: name`"));
            }
        }
    }
    found
}
