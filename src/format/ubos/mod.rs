//! UBOS apps and accessories: `ubos-manifest.json`, with the package's files beside it as they lie in
//! its folder of code (UBOS specification, 1); and site files (2.1).
//!
//! As strict as the original's checker and a little stricter where a text becomes a path; what the
//! original ignores costs a note. Reads, and changes nothing.

mod fields;
mod identity;
mod items;
mod lint;
mod owner;
mod points;
mod role;
mod site;
mod site_app;
mod sources;
mod tasks;
mod top;
mod wellknown;

pub(super) use lint::notes as lint;
pub use site::{Certify, Fill, Include, sites};

use super::error::ManifestError;
use super::externals;
use super::json::{self, Node};
use super::place::Place;
use super::reading::Reading;
use super::tree::Tree;
use super::{FORMATS, Format};
use crate::package::Package;
use crate::package::ident::FormatName;
use crate::package::note::Notes;
use crate::package::ubos::Manifest;
use crate::package::ubos::role::RoleName;
use crate::sys::path::RelPath;

/// Where the manifest lies in a package's tree.
pub const MANIFEST: &str = "ubos-manifest.json";

/// Where a package that was built has its manifest: `NAME.json` in this folder.
pub(super) const MANIFESTS: &str = "ubos/lib/ubos/manifests/";
/// Where a package that was built has its code, in a folder of its name.
const CODE: &str = "ubos/share/";

/// The format of UBOS packages.
pub(super) struct Ubos;

impl Format for Ubos {
    fn name(&self) -> FormatName {
        FormatName::Ubos
    }

    fn manifest_in(&self, tree: &dyn Tree) -> Option<RelPath> {
        if let Some(entry) = tree.table().get(MANIFEST) {
            return Some(entry.path.clone());
        }
        let is_one = |path: &str| {
            let name = path.strip_prefix(MANIFESTS).and_then(|name| name.strip_suffix(".json"));
            name.is_some_and(|name| !name.contains('/'))
        };
        let mut found = tree.table().entries().iter().filter(|one| is_one(one.path.as_str()));
        let first = found.next()?;
        // Of several manifests nobody knows which one is meant.
        found.next().is_none().then(|| first.path.clone())
    }

    fn read(
        &self,
        tree: &dyn Tree,
        manifest: &RelPath,
        notes: &mut Notes,
    ) -> Result<Package, ManifestError> {
        let identity = identity::of(tree, manifest, notes)?;
        let code = code_in(tree, identity.name.as_str());
        let read = read_at(tree, (manifest.as_str(), &code), notes)?;
        identity::package(identity, (code, read))
    }
}

/// Tells whether `tree` is a package of this format, and of no other.
pub fn is_alone_in(tree: &dyn Tree) -> bool {
    let first = FORMATS.iter().find(|format| format.manifest_in(tree).is_some());
    first.is_some_and(|format| format.name() == FormatName::Ubos)
}

/// The folder of code of the package `name`: the one that it was built with, else the tree.
fn code_in(tree: &dyn Tree, name: &str) -> String {
    let built = format!("{CODE}{name}");
    if tree.table().get(&built).is_some() { built } else { String::new() }
}

/// Reads the manifest in `tree`, whatever the package is called; what was tolerated goes to `notes`.
pub fn read(tree: &dyn Tree, notes: &mut Notes) -> Result<Manifest, ManifestError> {
    let path = Ubos.manifest_in(tree).ok_or_else(|| no_file(MANIFEST))?;
    let name = identity::of(tree, &path, &mut Notes::default());
    let code = name.map(|identity| code_in(tree, identity.name.as_str())).unwrap_or_default();
    read_at(tree, (path.as_str(), &code), notes)
}

fn read_at(
    tree: &dyn Tree,
    (manifest, code): (&str, &str),
    notes: &mut Notes,
) -> Result<Manifest, ManifestError> {
    let Some(bytes) = tree.read(manifest, json::LONGEST)? else { return Err(no_file(manifest)) };
    let mut reading = Reading::new(manifest, notes);
    let manifest = parsed(&bytes, &mut reading).and_then(|root| {
        sources::check(&root, (tree, code), &mut reading);
        top::manifest(&root, &mut reading)
    });
    let manifest = reading.finish(manifest)?;
    externals::check(&manifest.externals, tree.table(), code)?;
    Ok(manifest)
}

fn no_file(manifest: &str) -> ManifestError {
    ManifestError::Malformed {
        text: format!("`{manifest}` is no regular file"),
        remedy: "put the file itself there, not a link".into(),
    }
}

/// Reads a manifest by itself, as backups have it: whether its sources exist is not looked at.
/// `file` is what messages call it.
pub fn read_alone(file: &str, bytes: &[u8], notes: &mut Notes) -> Result<Manifest, ManifestError> {
    let mut reading = Reading::new(file, notes);
    let root = parsed(bytes, &mut reading);
    let manifest = root.and_then(|root| top::manifest(&root, &mut reading));
    reading.finish(manifest)
}

/// The object in `bytes`; a fault is left in `reading`, and a word about each repeated key.
fn parsed(bytes: &[u8], reading: &mut Reading) -> Option<Node> {
    let root = parsed_any(bytes, reading)?;
    if root.pairs().is_none() {
        let text = format!("is {} and no object: begin with `{{`", root.kind());
        reading.fault(Place::START, text);
        return None;
    }
    Some(root)
}

/// The JSON in `bytes`, whatever it is.
fn parsed_any(bytes: &[u8], reading: &mut Reading) -> Option<Node> {
    let root = json::parse(bytes).map_err(|fault| reading.fault(fault.place, fault.text)).ok()?;
    for pair in root.repeated() {
        let key = fields::shown(&pair.key);
        let text = format!("`{key}` stands here again, and the last one counts: keep one of them");
        reading.warn(pair.place, text);
    }
    Some(root)
}

/// Every item, installer, upgrader and uninstaller of the manifest `root`.
fn role_lists(root: &Node) -> impl Iterator<Item = &Node> {
    let roles = root.get("roles").and_then(Node::pairs).unwrap_or_default();
    let known = roles.iter().filter(|pair| RoleName::named(&pair.key).is_some());
    known.flat_map(|pair| {
        let keys = ["appconfigitems", "installers", "upgraders", "uninstallers"];
        let lists = keys.iter().filter_map(|key| pair.value.get(key)?.items());
        lists.flatten().collect::<Vec<_>>()
    })
}

#[cfg(test)]
mod tests;
