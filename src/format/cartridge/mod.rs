//! Cartridges, as `OpenShift` v2 defined them.
//!
//! Lenient where real manifests need it, always with a warning that names line and remedy; strict
//! where a name becomes a path, a variable or a route. Reads, and changes nothing.

mod elements;
mod endpoint;
pub(super) mod fields;
pub(super) mod identity;
pub(super) mod managed;
mod manifest;
mod mapping;
mod names;
mod overrides;
pub(super) mod parts;
pub(super) mod source;
mod versions;

use super::error::{Fault, ManifestError};
use super::place::Place;
use super::reading::Reading;
use super::{Format, Tree, externals, yaml};
use crate::package::Package;
use crate::package::ident::FormatName;
use crate::package::managed::Managed;
use crate::package::note::Notes;
use crate::sys::path::RelPath;

type Extra = serde_json::Map<String, serde_json::Value>;

/// The format of cartridges.
pub(super) struct Cartridge;

impl Format for Cartridge {
    fn name(&self) -> FormatName {
        FormatName::Cartridge
    }

    fn manifest_in(&self, tree: &dyn Tree) -> Option<RelPath> {
        tree.table().get(parts::MANIFEST).map(|entry| entry.path.clone())
    }

    fn read(
        &self,
        tree: &dyn Tree,
        manifest: &RelPath,
        notes: &mut Notes,
    ) -> Result<Package, ManifestError> {
        if !parts::are_enough(tree.table()) {
            return Err(parts::malformed(tree.table()));
        }
        let Some(bytes) = tree.read(manifest.as_str(), yaml::LONGEST)? else {
            return Err(ManifestError::Malformed {
                text: format!("`{manifest}` is no regular file"),
                remedy: "put the file itself there, not a link".into(),
            });
        };
        let mut reading = Reading::new(manifest.as_str(), notes);
        let package = match yaml::parse(&bytes, &mut reading) {
            Ok(Some(root)) => manifest::package(&root, &mut reading),
            Ok(None) => {
                reading.fault(Place::START, "is empty: write the cartridge's elements");
                None
            }
            Err(fault) => {
                reading.fault(fault.place, fault.text);
                None
            }
        };
        let mut package = reading.finish(package)?;
        let (managed, mut unknown) = managed_files(tree, notes)?;
        package.managed = managed;
        package.extra.append(&mut unknown);
        externals::check(&package.externals, tree.table(), "")?;
        package.parts = parts::of(tree.table(), notes);
        Ok(package)
    }
}

/// Says what a tree lacks that is of no format: most of all, a cartridge's manifest.
pub(super) fn absent(tree: &dyn Tree) -> ManifestError {
    parts::malformed(tree.table())
}

/// Reads the managed files, and what their file says beyond them. A file that cannot be read as
/// YAML costs a warning and counts as empty, as in the original, which only logs it.
fn managed_files(tree: &dyn Tree, notes: &mut Notes) -> Result<(Managed, Extra), ManifestError> {
    let Some(bytes) = tree.read(managed::PATH, yaml::LONGEST)? else {
        return Ok((Managed::default(), Extra::new()));
    };
    let mut reading = Reading::new(managed::PATH, notes);
    let managed = managed::parse(&bytes, &mut reading).unwrap_or_else(|fault| {
        reading.warn(fault.place, unreadable(&fault));
        Managed::default()
    });
    Ok((managed, reading.take_kept()))
}

/// What is said of managed files that cannot be read; `lint` calls the same an error.
pub(super) fn unreadable(fault: &Fault) -> String {
    format!("no managed file is known, because the file {}", fault.text)
}

#[cfg(test)]
mod tests;
