//! Keeps the shape of the source: who may import whom, how long files are, how they are called.
//!
//! A top-level module imports only from lower layers (ARCHITECTURE.md, Layers). What `use` lines
//! and paths in code say is compared with the table below; unit tests at the bottom of a file are
//! free, since they stand outside the flow.

#![expect(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "a test that reads this repository, and fails where it cannot"
)]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Every top-level module with its layer.
const LAYERS: [(&str, u8); 25] = [
    ("error", 0),
    ("progress", 0),
    ("sys", 0),
    ("config", 1),
    ("layout", 1),
    ("package", 1),
    ("archive", 2),
    ("db", 2),
    ("format", 2),
    ("gear", 2),
    ("index", 2),
    ("library", 2),
    ("sandbox", 2),
    ("site", 2),
    ("source", 2),
    ("template", 2),
    ("facts", 3),
    ("gather", 3),
    ("inside", 3),
    ("pack", 3),
    ("step", 3),
    ("plan", 4),
    ("txn", 5),
    ("cli", 6),
    ("ui", 6),
];

/// Imports within a layer that are meant: the file calls speak in `FsError`, the settings lie where
/// the layout says, and the two halves of what a person sees know each other.
const SIBLINGS: [(&str, &str); 4] =
    [("sys", "error"), ("config", "layout"), ("cli", "ui"), ("ui", "cli")];

/// A name that says nothing about what a file owns.
const EMPTY_NAMES: [&str; 5] = ["utils", "common", "core", "helpers", "manager"];

/// A file longer than this is asking to be split.
const LONGEST: usize = 600;

fn layer(module: &str) -> Option<u8> {
    LAYERS.iter().find(|(name, _)| *name == module).map(|(_, layer)| *layer)
}

fn source() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src")
}

/// Every Rust file below `src/`, with its path there.
fn files() -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    let mut open = vec![source()];
    while let Some(dir) = open.pop() {
        for entry in std::fs::read_dir(dir).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                open.push(path);
            } else if path.extension().is_some_and(|suffix| suffix == "rs") {
                let name = path.strip_prefix(source()).unwrap().to_str().unwrap().to_owned();
                found.insert(name, std::fs::read_to_string(path).unwrap());
            }
        }
    }
    assert!(found.len() > 20, "the source was not found");
    found
}

/// The modules of a file, outermost first: `a/b.rs` and `a/b/mod.rs` are both `a::b`.
fn modules_of(file: &str) -> Vec<&str> {
    let path = file.strip_suffix(".rs").unwrap();
    path.strip_suffix("/mod").unwrap_or(path).split('/').collect()
}

/// The code of a file: no comments, and not the tests at its bottom.
fn code_of(text: &str) -> String {
    let code = text.find("#[cfg(test)]\nmod tests").map_or(text, |at| &text[..at]);
    let mut kept = String::new();
    for line in code.lines() {
        let line = line.trim_start();
        if !line.starts_with("//") {
            kept.push_str(line.split(" // ").next().unwrap());
            kept.push('\n');
        }
    }
    kept
}

/// The names that follow `prefix` in `code`: one, or those of a group in braces.
fn names_after(code: &str, prefix: &str) -> Vec<String> {
    let mut found = Vec::new();
    for (at, _) in code.match_indices(prefix) {
        let before = code[..at].chars().next_back();
        if before.is_some_and(|c| c.is_alphanumeric() || c == '_' || c == ':') {
            continue;
        }
        let rest = code[at + prefix.len()..].trim_start();
        match rest.strip_prefix('{') {
            Some(group) => found.extend(names_in_group(group)),
            None => found.extend(name_at(rest)),
        }
    }
    found
}

/// The first name of each member of a group: `a::{x, y}, b}` gives `a` and `b`.
fn names_in_group(group: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut depth = 0_usize;
    let mut member = true;
    for (at, c) in group.char_indices() {
        match c {
            '{' => depth += 1,
            '}' if depth == 0 => break,
            '}' => depth -= 1,
            ',' if depth == 0 => member = true,
            _ if member && !c.is_whitespace() => {
                found.extend(name_at(&group[at..]));
                member = false;
            }
            _ => {}
        }
    }
    found
}

fn name_at(text: &str) -> Option<String> {
    let end = text.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(text.len());
    (end > 0).then(|| text[..end].to_owned())
}

/// The top-level modules that a file names, by `crate::` or by climbing up with `super::`.
fn imports(file: &str, text: &str) -> Vec<String> {
    let code = code_of(text);
    let mut found = names_after(&code, "crate::");
    // From `a::b`, `super::super::` is the root. Nested modules climb one more for nothing.
    let depth = modules_of(file).len();
    for climb in depth..=depth + 1 {
        found.extend(names_after(&code, &"super::".repeat(climb)));
    }
    // Items of the crate's root and of the module's own parents are no modules of the table.
    found.retain(|name| layer(name).is_some());
    found
}

/// Why `module` may not import `other`; nothing when it may.
fn objection(module: &str, other: &str) -> Option<String> {
    let (own, lower) = (layer(module)?, layer(other)?);
    let fine = module == other || lower < own || SIBLINGS.contains(&(module, other));
    (!fine).then(|| format!("`{module}` (layer {own}) imports `{other}` (layer {lower})"))
}

#[test]
fn modules_import_only_from_lower_layers() {
    let mut wrong = Vec::new();
    for (file, text) in files() {
        let module = modules_of(&file)[0];
        // Tests in files of their own are as free as those at the bottom of a file.
        let is_tests = file.contains("/tests/") || file.ends_with("/tests.rs");
        if matches!(module, "main" | "lib") || is_tests {
            continue;
        }
        for other in imports(&file, &text) {
            wrong.extend(objection(module, &other).map(|why| format!("src/{file}: {why}")));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_top_level_module_has_a_layer() {
    let mut unknown: Vec<_> = files()
        .keys()
        .map(|file| modules_of(file)[0].to_owned())
        .filter(|module| layer(module).is_none() && module != "main" && module != "lib")
        .collect();
    unknown.dedup();
    assert!(unknown.is_empty(), "give these a layer in {}: {unknown:?}", file!());
}

#[test]
fn files_are_short_and_named_for_what_they_own() {
    for (file, text) in files() {
        let lines = text.lines().count();
        assert!(lines <= LONGEST, "src/{file} has {lines} lines, more than {LONGEST}: split it");
        for name in modules_of(&file) {
            assert!(!EMPTY_NAMES.contains(&name), "src/{file}: `{name}` says nothing");
        }
    }
}

#[test]
fn the_reading_of_imports_sees_every_way_to_write_one() {
    let text = "use crate::{db::{self, Row}, txn, \n plan::Plan};\nuse super::ui;\n\
                fn f() { crate::step::run(); super::super::sys(); }\n// crate::cli\n\
                let x = 1; // crate::cli\n#[cfg(test)]\nmod tests { use crate::cli; }\n";
    let found = |file: &str| imports(file, text);
    assert_eq!(found("archive/mod.rs"), ["db", "txn", "plan", "step", "ui", "sys"]);
    assert_eq!(found("archive/tar.rs"), ["db", "txn", "plan", "step", "sys"]);
    assert!(objection("archive", "db").is_some(), "siblings know nothing of each other");
    assert!(objection("sys", "txn").is_some() && objection("error", "sys").is_some());
    assert!(objection("txn", "db").is_none() && objection("cli", "ui").is_none());
}
