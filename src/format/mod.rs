//! Package formats: from an unpacked tree, or a manifest by itself, to the package model.
//!
//! Owns everything that is known about manifests. Reads through [`Tree`] alone, trusts nothing that
//! it reads, and changes nothing. A new format is one file and one line in [`FORMATS`].

mod cartridge;
mod error;
mod externals;
mod json;
mod lint;
mod place;
mod reading;
#[cfg(test)]
mod sample;
pub mod tpkg;
mod tree;
pub mod ubos;
mod yaml;

pub use cartridge::identity::{Line, Release, line_of, release_of};
pub use cartridge::managed::PATH as MANAGED_FILES;
pub use cartridge::parts::MANIFEST;
pub use cartridge::source::{ManifestSource, source_of};
pub use error::{Fault, ManifestError};
pub use lint::lint;
pub use place::Place;
pub use tree::{Called, Named, Tree, Unpacked};

use crate::package::Package;
use crate::package::ident::FormatName;
use crate::package::managed::Managed;
use crate::package::note::Notes;
use crate::sys::path::RelPath;

/// A package format.
pub trait Format: Sync {
    /// What it is called.
    fn name(&self) -> FormatName;
    /// Where its manifest lies in `tree`; nothing when the tree is of another format.
    fn manifest_in(&self, tree: &dyn Tree) -> Option<RelPath>;
    /// Reads the package in `tree`; what was tolerated goes to `notes`.
    fn read(
        &self,
        tree: &dyn Tree,
        manifest: &RelPath,
        notes: &mut Notes,
    ) -> Result<Package, ManifestError>;
}

/// Every format, in the order in which trees are tried.
pub static FORMATS: &[&dyn Format] = &[&cartridge::Cartridge, &tpkg::Tpkg, &ubos::Ubos];

/// Tells whether a tree is that of a tpkg package by which files it has.
pub fn is_tpkg(has: &mut dyn FnMut(&str) -> bool) -> bool {
    !has(MANIFEST) && tpkg::MANIFESTS.iter().any(|name| has(name))
}

/// Tells whether a tree is that of a UBOS package by which files it has.
pub fn is_ubos(has: &mut dyn FnMut(&str) -> bool) -> bool {
    !has(MANIFEST) && !is_tpkg(has) && (has(ubos::MANIFEST) || has(ubos::MANIFESTS))
}

/// Reads the bytes of a cartridge's [`MANAGED_FILES`] by themselves; nothing where they make no sense.
pub fn managed_files(bytes: &[u8]) -> Option<Managed> {
    let mut notes = Notes::default();
    cartridge::managed::parse(bytes, &mut reading::Reading::new(MANAGED_FILES, &mut notes)).ok()
}

/// Reads the package in `tree`, whichever format it has.
pub fn read(tree: &dyn Tree, notes: &mut Notes) -> Result<Package, ManifestError> {
    for format in FORMATS {
        if let Some(manifest) = format.manifest_in(tree) {
            return format.read(tree, &manifest, notes);
        }
    }
    Err(cartridge::absent(tree))
}
