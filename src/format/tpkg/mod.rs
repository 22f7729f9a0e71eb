//! Packages of `tpkg` (specification, 1).
//!
//! Reads every form that was ever built: `tpkg.yml` and `tpkg.xml`, with or without digests of its
//! files. Strict where a text becomes a path, an account or a mode; else lenient, with a warning.

pub mod build;
pub mod crypt;
mod cx;
mod file_metadata;
mod file_name;
pub mod index;
pub mod installed;
mod listed;
mod marshal;
mod metadata;
mod posix;
mod scalar;
mod table;
mod xml;

use super::error::{Fault, ManifestError};
use super::place::Place;
use super::reading::Reading;
use super::{Format, Tree, externals, yaml};
use crate::package::ident::{FormatName, IdentError, ShortName, Vendor};
use crate::package::managed::Managed;
use crate::package::note::Notes;
use crate::package::tpkg::Tpkg as Particular;
use crate::package::version::Version;
use crate::package::{Package, Parts, Software};
use crate::sys::path::RelPath;
use cx::{Cx, Purpose};
use metadata::Metadata;
use serde_json::Map;

/// The metadata of today, and of old.
pub(super) const MANIFESTS: [&str; 2] = ["tpkg.yml", "tpkg.xml"];

/// The format of tpkg packages.
pub(super) struct Tpkg;

impl Format for Tpkg {
    fn name(&self) -> FormatName {
        FormatName::Tpkg
    }

    fn manifest_in(&self, tree: &dyn Tree) -> Option<RelPath> {
        let found = MANIFESTS.iter().find_map(|name| tree.table().get(name));
        found.map(|entry| entry.path.clone())
    }

    fn read(
        &self,
        tree: &dyn Tree,
        manifest: &RelPath,
        notes: &mut Notes,
    ) -> Result<Package, ManifestError> {
        let Read { metadata, kept, .. } =
            read_metadata(tree, manifest.as_str(), Purpose::Install, notes)?;
        externals::check(&metadata.externals, tree.table(), "")?;
        let digests = file_metadata::read(tree, notes);
        let files = table::table(tree, (manifest.as_str(), &metadata.files), &digests, notes)?;
        let scripts = table::scripts(tree, notes);
        let particular = Particular {
            file_name: metadata.file_name(),
            maintainer: metadata.maintainer.clone(),
            bug_reporting: metadata.bug_reporting.clone(),
            package_version: metadata.package_version.clone(),
            built_by: metadata.built_by.clone(),
            operating_systems: metadata.operating_systems.clone(),
            architectures: metadata.architectures.clone(),
            dependencies: metadata.dependencies.clone(),
            conflicts: metadata.conflicts.clone(),
            files,
            scripts,
        };
        package(metadata, (particular, kept)).map_err(|error| ManifestError::Invalid {
            file: manifest.to_string(),
            faults: vec![Fault { place: Place::START, text: error }],
        })
    }
}

/// What one file of metadata gave.
struct Read {
    metadata: Metadata,
    /// What would be read otherwise by others.
    purpose: Purpose,
    /// What no field holds.
    kept: Map<String, serde_json::Value>,
}

fn read_metadata(
    tree: &dyn Tree,
    manifest: &str,
    purpose: Purpose,
    notes: &mut Notes,
) -> Result<Read, ManifestError> {
    let Some(bytes) = tree.read(manifest, yaml::LONGEST)? else {
        return Err(ManifestError::Malformed {
            text: format!("`{manifest}` is no regular file"),
            remedy: "put the file itself there, not a link".into(),
        });
    };
    let mut reading = Reading::new(manifest, notes);
    let is_yaml = manifest != MANIFESTS[1];
    let root =
        if is_yaml { yaml::parse(&bytes, &mut reading) } else { xml::parse(&bytes).map(Some) };
    let mut cx = Cx { reading: &mut reading, purpose, is_yaml, decimal_perms: false };
    let metadata = match root {
        Ok(Some(root)) => metadata::read(&root, &mut cx),
        Ok(None) => {
            cx.fault(Place::START, "is empty: write the package's elements");
            None
        }
        Err(fault) => {
            cx.fault(fault.place, fault.text);
            None
        }
    };
    let purpose = cx.purpose;
    let kept = reading.take_kept();
    Ok(Read { metadata: reading.finish(metadata)?, purpose, kept })
}

fn package(
    metadata: Metadata,
    (particular, extra): (Particular, Map<String, serde_json::Value>),
) -> Result<Package, String> {
    let said = |error: IdentError| error.to_string();
    let full = particular.full_version(&metadata.version);
    let package_version = Version::parse(&full).map_err(|error| error.to_string())?;
    let software = Software {
        description: metadata.description,
        ..Software::new(metadata.version.clone(), metadata.name.to_string())
    };
    Ok(Package {
        format: FormatName::Tpkg,
        vendor: Vendor::parse("tpkg").map_err(said)?,
        short_name: short_name(metadata.name.as_str()).map_err(said)?,
        name: metadata.name,
        package_version,
        compatible_versions: Vec::new(),
        version: metadata.version,
        software: vec![software],
        source_url: None,
        source_md5: None,
        managed: Managed::default(),
        externals: metadata.externals,
        parts: Parts::default(),
        tpkg: Some(Box::new(particular)),
        ubos: None,
        extra,
    })
}

/// A tpkg package never has variables; the model wants a prefix for them all the same.
fn short_name(name: &str) -> Result<ShortName, IdentError> {
    let upper = name.chars().take(60).map(|c| c.to_ascii_uppercase());
    let fine: String = upper.map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect();
    ShortName::parse(&format!("T{fine}"))
}

#[cfg(test)]
mod tests;
