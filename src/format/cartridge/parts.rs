//! Which conventional files a cartridge's tree has (guide, *Cartridge Directory Structure*).

use crate::format::error::ManifestError;
use crate::package::file_table::{Content, FileTable};
use crate::package::note::Notes;
use crate::package::{Parts, Template};

/// The manifest's path in a tree.
pub const MANIFEST: &str = "metadata/manifest.yml";

/// Tells whether the tree has what no cartridge can do without.
pub(super) fn are_enough(table: &FileTable) -> bool {
    missing(table).is_empty()
}

fn missing(table: &FileTable) -> Vec<String> {
    let lacks = |path: &&&str| !is_directory(table, path);
    let directories = ["metadata", "bin"];
    let mut missing: Vec<String> =
        directories.iter().filter(lacks).map(|path| format!("`{path}/`")).collect();
    if !is_file(table, MANIFEST) {
        missing.push(format!("`{MANIFEST}`"));
    }
    missing
}

/// Says which of these things the tree lacks, and where a cartridge may be instead.
pub(super) fn malformed(table: &FileTable) -> ManifestError {
    let inner = table.entries().iter().find_map(|entry| {
        let top = entry.path.as_str().strip_suffix(MANIFEST)?.strip_suffix('/')?;
        Some(format!("`{}/` in it holds a manifest: give that directory", top.escape_debug()))
    });
    let remedy = "a cartridge has `metadata/manifest.yml` and `bin/` at its top; `cart fetch --raw` \
                  takes any tree";
    let missing = missing(table);
    let verb = if missing.len() == 1 { "is" } else { "are" };
    ManifestError::Malformed {
        text: format!("{} {verb} missing", missing.join(", ")),
        remedy: inner.unwrap_or_else(|| remedy.into()),
    }
}

/// Tells what there is, and notes what most cartridges have and this one lacks.
pub(super) fn of(table: &FileTable, notes: &mut Notes) -> Parts {
    let has = |path: &str| is_file(table, path);
    let template = Template::PLACES.iter().find(|(_, path)| is_directory(table, path));
    let parts = Parts {
        control: has("bin/control"),
        setup: has("bin/setup"),
        install: has("bin/install"),
        post_install: has("bin/post_install") || has("bin/post-install"),
        teardown: has("bin/teardown"),
        usr: is_directory(table, "usr"),
        httpd: is_directory(table, "httpd.d"),
        template: template.map(|(template, _)| *template),
    };
    if !parts.control {
        notes
            .warn("bin/control", "is missing: nothing of this cartridge can be started or stopped");
    }
    if !parts.setup {
        notes.warn("bin/setup", "is missing: nothing is prepared in a new gear or on an upgrade");
    }
    if !is_directory(table, "env") {
        notes.warn("env", "is missing: make the directory, scripts write variables into it");
    }
    parts
}

/// Tells whether there is a file, or a link that may lead to one.
fn is_file(table: &FileTable, path: &str) -> bool {
    table.get(path).is_some_and(|entry| !matches!(entry.content, Content::Directory))
}

/// Tells whether there is a directory, or a link that may lead to one.
fn is_directory(table: &FileTable, path: &str) -> bool {
    match table.get(path).map(|entry| &entry.content) {
        Some(Content::Directory | Content::Link(_)) => true,
        Some(Content::File { .. }) => false,
        // An archive need not list the directories of its files.
        None => table.entries().iter().any(|entry| {
            entry.path.as_str().strip_prefix(path).is_some_and(|rest| rest.starts_with('/'))
        }),
    }
}
