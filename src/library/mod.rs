//! The library: immutable unpacked trees of the packages that are installed on this host.
//!
//! A tree is never replaced and never written: a package whose tree differs lies in another
//! place. Gears link into these trees, so one that a gear uses is never removed.

mod newest;
mod verify;

pub use newest::newest;
pub use verify::{Difference, verify};

use crate::package::Package;
use crate::package::digest::Sha256;
use crate::package::file_table::FileTable;
use crate::sys::path::{PathError, RelPath};

/// The directory of a package, relative to the library:
/// `<format>/<vendor>-<name>/<package version>-<12 digits of its tree's digest>`.
pub fn place(package: &Package, table: &FileTable) -> Result<RelPath, PathError> {
    let Package { format, vendor, name, package_version, .. } = package;
    let digest = short(&table.digest());
    RelPath::parse(&format!("{}/{vendor}-{name}/{package_version}-{digest}", format.as_str()))
}

/// The name of the bare repository made of the template of the package at `place`, relative to
/// `templates/`.
pub fn template_repository(place: &str) -> String {
    // The place of a tree is unique and has no `:`; a flat folder needs no cleaning of parents.
    format!("{}.git", place.replace('/', ":"))
}

fn short(digest: &Sha256) -> String {
    digest.to_string().chars().take(12).collect()
}
