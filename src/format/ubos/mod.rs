//! UBOS apps and accessories: `ubos-manifest.json`, with the package's files beside it as they lie in
//! its folder of code (UBOS specification, 1); and site files (2.1).
//!
//! As strict as the original's checker and a little stricter where a text becomes a path; what the
//! original ignores costs a note. Reads, and changes nothing. Packages of this format cannot be
//! installed yet, so it is no [`super::Format`]: `cart lint` looks at them.

mod fields;
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
pub use site::{Fill, Include, sites};

use super::error::ManifestError;
use super::externals;
use super::json::{self, Node};
use super::place::Place;
use super::reading::Reading;
use super::tree::Tree;
use super::{FORMATS, Format};
use crate::package::note::Notes;
use crate::package::ubos::Manifest;
use crate::package::ubos::role::RoleName;

/// Where the manifest lies in a package's tree.
pub const MANIFEST: &str = "ubos-manifest.json";

/// Tells whether `tree` is a package of this format, and of none that can be installed.
pub fn is_alone_in(tree: &dyn Tree) -> bool {
    let other = |format: &&dyn Format| format.manifest_in(tree).is_some();
    tree.table().get(MANIFEST).is_some() && !FORMATS.iter().any(other)
}

/// Says that a package of this format cannot be installed yet.
pub(super) fn not_yet() -> ManifestError {
    ManifestError::NotYet {
        text: format!("`{MANIFEST}` makes it a UBOS package, which cannot be installed yet"),
        remedy: "`cart lint` checks its manifest and templates".into(),
    }
}

/// Reads the package in `tree`; what was tolerated goes to `notes`.
pub fn read(tree: &dyn Tree, notes: &mut Notes) -> Result<Manifest, ManifestError> {
    let Some(bytes) = tree.read(MANIFEST, json::LONGEST)? else {
        return Err(ManifestError::Malformed {
            text: format!("`{MANIFEST}` is no regular file"),
            remedy: "put the file itself there, not a link".into(),
        });
    };
    let mut reading = Reading::new(MANIFEST, notes);
    let manifest = parsed(&bytes, &mut reading).and_then(|root| {
        sources::check(&root, tree, &mut reading);
        top::manifest(&root, &mut reading)
    });
    let manifest = reading.finish(manifest)?;
    externals::check(&manifest.externals, tree.table())?;
    Ok(manifest)
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
