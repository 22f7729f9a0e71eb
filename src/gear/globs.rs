//! Managed-files patterns: which files of a gear they name.
//!
//! Ruby's `Dir.glob` with `FNM_DOTMATCH`, as the original uses it (node specification, 5): only a
//! `*` makes a pattern; `**/` goes into hidden directories, never through links; only plain files
//! are found. A pattern comes from a package and never reaches beyond the gear.

pub(in crate::gear) mod pattern;

use super::owner;
use crate::sys::fs::{Dir, Kind};
use pattern::{Part, parts_of};
use std::collections::{BTreeSet, HashSet};
use std::ffi::OsString;

/// The names that one expansion may look at; the greatest real cartridge has a tenth.
const MOST_LOOKS: usize = 1 << 20;
/// The deepest nesting that is searched.
const DEEPEST: usize = 128;

/// What the patterns named.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Named {
    /// Paths below the gear's home, sorted; a directory ends in `/`. An entry without `*` is here
    /// whether it exists or not.
    pub paths: BTreeSet<String>,
    /// Entries that were dropped, and why.
    pub notes: Vec<String>,
}

/// Resolves `patterns` of the cartridge in `folder`: those that begin with `~/` from the gear's
/// home, all others from the folder. The cartridge's four immutable files are never named.
pub fn expand(home: &Dir, folder: &str, patterns: &[String]) -> Named {
    let mut search = Search { home, named: Named::default(), looks: 0, full: false };
    for pattern in patterns {
        search.add(folder, pattern.trim());
    }
    if search.full {
        search.named.notes.push("the patterns reach too many files; some are left out".into());
    }
    let beside: HashSet<OsString> = home
        .dir(format!("{folder}/env"))
        .and_then(|dir| dir.names())
        .unwrap_or_default()
        .into_iter()
        .collect();
    search.named.paths.retain(|path| {
        let parts: Vec<&str> = path.split('/').collect();
        match parts.as_slice() {
            [top, rest @ ..] if *top == folder => !owner::is_immutable(rest, &beside),
            _ => true,
        }
    });
    search.named
}

/// Resolves the patterns of `locked_files`: drops what a cartridge in `folder` may not lock, and
/// notes it. That is the platform's hidden names (by prefix, as in the original: `.envrc` too), and
/// visible names outside its folder and `app-root`.
pub fn lockable(home: &Dir, folder: &str, patterns: &[String]) -> Named {
    let mut named = expand(home, folder, patterns);
    let reserved = [".ssh", ".sandbox", ".tmp", ".env"];
    let may = |path: &str| {
        let top = path.split('/').next().unwrap_or(path);
        if top.starts_with('.') {
            !reserved.iter().any(|name| top.starts_with(name))
        } else {
            path.contains('/') && (top == "app-root" || top == folder)
        }
    };
    let (kept, dropped): (BTreeSet<_>, BTreeSet<_>) =
        named.paths.into_iter().partition(|path| may(path));
    named.paths = kept;
    for path in dropped {
        let text = path.escape_debug();
        named.notes.push(format!("`~/{text}` is reserved and not locked or made"));
    }
    named
}

struct Search<'a> {
    home: &'a Dir,
    named: Named,
    looks: usize,
    full: bool,
}

impl Search<'_> {
    fn add(&mut self, folder: &str, pattern: &str) {
        if pattern.is_empty() {
            return;
        }
        let anchored = match pattern.strip_prefix("~/") {
            Some(rest) => rest.to_owned(),
            None => format!("{folder}/{pattern}"),
        };
        let Some(path) = normalised(&anchored) else {
            let text = pattern.escape_debug();
            self.named.notes.push(format!("`{text}` lies outside the gear and is dropped"));
            return;
        };
        let is_directory = anchored.ends_with('/');
        if !pattern.contains('*') {
            self.named.paths.insert(if is_directory { path + "/" } else { path });
            return;
        }
        // A pattern that ends in a slash finds directories, and only files count.
        if !is_directory && let Ok(top) = self.home.again() {
            for alternative in pattern::alternatives(&path) {
                self.walk(&top, "", &parts_of(&alternative), 0);
            }
        }
    }

    fn walk(&mut self, dir: &Dir, path: &str, parts: &[Part], depth: usize) {
        let Some((part, rest)) = parts.split_first() else { return };
        if depth > DEEPEST {
            self.full = true;
            return;
        }
        if let Part::Exact(name) = part {
            self.visit(dir, path, name, rest, depth);
            return;
        }
        if *part == Part::Deep {
            self.walk(dir, path, rest, depth);
        }
        // What cannot be listed has nothing to find, as in the original.
        for name in dir.names().unwrap_or_default() {
            self.looks += 1;
            if self.looks > MOST_LOOKS {
                self.full = true;
                return;
            }
            let Some(name) = name.to_str() else { continue };
            if *part == Part::Deep {
                self.descend(dir, path, name, (parts, depth));
            } else if part.matches(name) {
                self.visit(dir, path, name, rest, depth);
            }
        }
    }

    /// Takes `name` when it is the file that the last part names, or goes into it.
    fn visit(&mut self, dir: &Dir, path: &str, name: &str, rest: &[Part], depth: usize) {
        if !rest.is_empty() {
            self.descend(dir, path, name, (rest, depth));
        } else if matches!(dir.meta(name), Ok(Some(meta)) if meta.kind == Kind::File) {
            self.named.paths.insert(joined(path, name));
        }
    }

    fn descend(&mut self, dir: &Dir, path: &str, name: &str, (parts, depth): (&[Part], usize)) {
        let is_directory = matches!(dir.meta(name), Ok(Some(meta)) if meta.kind == Kind::Directory);
        if is_directory && let Ok(inner) = dir.dir(name) {
            self.walk(&inner, &joined(path, name), parts, depth + 1);
        }
    }
}

fn joined(path: &str, name: &str) -> String {
    if path.is_empty() { name.to_owned() } else { format!("{path}/{name}") }
}

/// Resolves `.` and `..` by the text alone; nothing when the path leaves the gear or is its home.
pub(in crate::gear) fn normalised(path: &str) -> Option<String> {
    let mut clean: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                clean.pop()?;
            }
            _ => clean.push(part),
        }
    }
    (!clean.is_empty() && !path.contains('\0')).then(|| clean.join("/"))
}

#[cfg(test)]
mod tests;
