//! Whether the files that items name are in the package (UBOS specification, 1.3).
//!
//! `${package.codedir}` is the package's tree, and what is relative begins there. What begins with
//! another variable, or lies elsewhere on the host, is not known before a site is deployed.

use super::{fields, role_lists};
use crate::format::json::Node;
use crate::format::reading::Reading;
use crate::format::tree::Tree;
use crate::package::file_table::Content;
use crate::package::ubos::item::ItemPath;
use crate::sys::path::RelPath;

/// What stands for the package's tree.
const CODE: &str = "${package.codedir}/";

/// Says which sources of the manifest `root` are missing in the folder of code of `tree`.
pub(super) fn check(root: &Node, (tree, code): (&dyn Tree, &str), reading: &mut Reading) {
    for item in role_lists(root) {
        let word = item.get("type").and_then(Node::text).unwrap_or_default();
        for key in ["source", "template"] {
            let Some(value) = item.get(key) else { continue };
            let Some(path) = value.text() else { continue };
            for name in names(item) {
                let path = ItemPath(path.to_owned()).of(name);
                let Some(text) = missing(word, &path, (tree, code)) else { continue };
                // A link may lead to what is made at a site.
                if word == "symlink" && path.contains("${") {
                    reading.warn(value.place, text);
                } else {
                    reading.fault(value.place, text);
                }
            }
        }
    }
}

/// The names of an item; a script has none and counts once.
fn names(item: &Node) -> Vec<&str> {
    let many = item.get("names").and_then(Node::items).unwrap_or_default();
    let one = item.get("name").into_iter();
    let names: Vec<&str> = one.chain(many).filter_map(Node::text).collect();
    if names.is_empty() { vec![""] } else { names }
}

fn missing(word: &str, path: &str, (tree, code): (&dyn Tree, &str)) -> Option<String> {
    let inside = path.strip_prefix(CODE).unwrap_or(path);
    if inside.contains("${") || inside.starts_with('/') {
        return None;
    }
    // What cannot be a path is said where the item is read.
    let inside = RelPath::parse(inside).ok()?;
    let shown = fields::shown(inside.as_str());
    let inside = if code.is_empty() { inside.to_string() } else { format!("{code}/{inside}") };
    let entry = tree.table().get(&inside);
    match entry.map(|entry| &entry.content) {
        None => Some(format!("`{shown}` is not in the package: add it, or mend the path")),
        Some(Content::Directory) if !matches!(word, "directorytree" | "symlink") => {
            Some(format!("`{shown}` is a directory of the package: name a file"))
        }
        Some(_) => None,
    }
}
