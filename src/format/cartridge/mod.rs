//! `OpenShift` v2 cartridges: `metadata/manifest.yml` and what lies beside it.

mod elements;
mod endpoints;
mod managed;
mod parts;
mod versions;

use super::yaml::{self, Node};
use super::{Format, ManifestError, ManifestSource, Tree};
use crate::package::Package;
use crate::package::digest::Md5;
use crate::package::file_table::Content;
use crate::package::ident::FormatName;
use crate::package::note::{Level, Note, Notes};
use crate::sys::path::RelPath;

/// The manifest's place in a tree.
pub const MANIFEST: &str = "metadata/manifest.yml";
/// The place of the lists of managed files.
pub const MANAGED_FILES: &str = "metadata/managed_files.yml";

/// The format.
#[derive(Clone, Copy, Debug)]
pub struct Cartridge;

impl Format for Cartridge {
    fn name(&self) -> FormatName {
        FormatName::Cartridge
    }

    fn manifest_in(&self, tree: &dyn Tree) -> Option<RelPath> {
        let has_dir = |path: &str| {
            tree.table().get(path).is_some_and(|entry| entry.content == Content::Directory)
        };
        let manifest = tree.table().get(MANIFEST)?;
        let is_file = matches!(manifest.content, Content::File { .. });
        (is_file && has_dir("bin")).then(|| manifest.path.clone())
    }

    fn read(
        &self,
        tree: &dyn Tree,
        manifest: &RelPath,
        notes: &mut Notes,
    ) -> Result<Package, ManifestError> {
        let file = manifest.as_str();
        let bytes = tree
            .read(file, yaml::LONGEST)?
            .ok_or(ManifestError::Malformed("`metadata/manifest.yml`"))?;
        let node = yaml::parse(&bytes, file, notes)?;
        let mut reader = Reader { file, notes, problems: Vec::new() };
        let package = elements::package(&node, tree, &mut reader);
        match package {
            Some(package) if reader.problems.is_empty() => Ok(package),
            _ => Err(ManifestError::Invalid { file: file.to_owned(), problems: reader.problems }),
        }
    }
}

/// Says what a tree lacks to be a cartridge.
pub(super) fn what_is_missing(tree: &dyn Tree) -> ManifestError {
    let has = |path: &str| tree.table().get(path).is_some();
    if !has("metadata") && !has("bin") {
        let names = tree.table().entries().iter().map(|entry| entry.path.top());
        let mut names: Vec<&str> = names.collect();
        names.dedup();
        names.truncate(5);
        let seen = if names.is_empty() { "nothing".to_owned() } else { names.join(", ") };
        return ManifestError::NoPackage(format!("there is {} in it", seen.escape_debug()));
    }
    ManifestError::Malformed(match (has("metadata"), has("bin")) {
        (false, _) => "the directory `metadata/`",
        (_, false) => "the directory `bin/`",
        _ => "the file `metadata/manifest.yml`",
    })
}

/// Gathers what there is to say while a manifest is read: notes about what works all the same, and
/// problems about what does not.
struct Reader<'a> {
    file: &'a str,
    notes: &'a mut Notes,
    problems: Vec<String>,
}

impl Reader<'_> {
    fn warn(&mut self, node: &Node, text: impl Into<String>) {
        self.note(Level::Warning, node, text);
    }

    fn note(&mut self, level: Level, node: &Node, text: impl Into<String>) {
        self.notes.push(Note {
            level,
            file: self.file.to_owned(),
            line: Some(node.line),
            column: Some(node.column),
            text: text.into(),
        });
    }

    fn problem(&mut self, node: &Node, text: impl std::fmt::Display) {
        self.problems.push(format!("line {}: {text}", node.line));
    }

    fn missing(&mut self, element: &str) {
        self.problems.push(format!("`{element}` is a required element"));
    }
}

/// Reads where the package of a manifest is that was given by itself.
pub(super) fn source_of(manifest: &[u8]) -> Result<ManifestSource, ManifestError> {
    let file = "manifest.yml";
    let node = yaml::parse(manifest, file, &mut Notes::default())?;
    let text = |key: &str| node.get(key).and_then(Node::text).map(str::to_owned);
    let invalid =
        |problem: String| ManifestError::Invalid { file: file.to_owned(), problems: vec![problem] };
    let url = text("Source-Url").ok_or_else(|| {
        invalid("`Source-Url` is a required element of a manifest by itself".into())
    })?;
    let md5 = text("Source-Md5").map(|text| Md5::parse(text.trim())).transpose();
    Ok(ManifestSource {
        url,
        md5: md5.map_err(|error| invalid(error.to_string()))?,
        name: text("Name"),
    })
}
