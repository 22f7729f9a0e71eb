//! Package formats: a manifest in an unpacked tree becomes a [`Package`].
//!
//! Lenient where real packages need it, with a note for each leniency; strict where safety needs
//! it. A format never looks at the host: it sees a file table and bytes. A new one is a module and
//! its line in [`FORMATS`].

pub mod cartridge;
pub mod lint;
mod yaml;

use crate::error::{Exit, Explain, FsError};
use crate::package::Package;
use crate::package::digest::Md5;
use crate::package::file_table::FileTable;
use crate::package::ident::FormatName;
use crate::package::note::Notes;
use crate::sys::fs::Dir;
use crate::sys::path::RelPath;

/// An unpacked tree, as far as formats may see it.
pub trait Tree {
    /// Its files.
    fn table(&self) -> &FileTable;
    /// Reads the file at `path`, at most `limit` bytes; nothing when there is no such file.
    fn read(&self, path: &str, limit: u64) -> Result<Option<Vec<u8>>, FsError>;
}

/// A tree on the disk.
#[derive(Debug)]
pub struct Unpacked<'a> {
    /// Where it lies.
    pub dir: &'a Dir,
    /// Its files.
    pub table: &'a FileTable,
}

impl Tree for Unpacked<'_> {
    fn table(&self) -> &FileTable {
        self.table
    }

    fn read(&self, path: &str, limit: u64) -> Result<Option<Vec<u8>>, FsError> {
        match self.dir.read(path, limit) {
            Ok(bytes) => Ok(Some(bytes)),
            Err(error) if error.is_not_found() => Ok(None),
            Err(error) => Err(error),
        }
    }
}

/// A package format.
pub trait Format: Sync {
    /// Its name.
    fn name(&self) -> FormatName;
    /// The path of the manifest by which a tree is recognised; nothing when it is no such package.
    fn manifest_in(&self, tree: &dyn Tree) -> Option<RelPath>;
    /// Reads the package whose manifest is at `manifest`.
    fn read(
        &self,
        tree: &dyn Tree,
        manifest: &RelPath,
        notes: &mut Notes,
    ) -> Result<Package, ManifestError>;
}

/// Every format, in the order in which trees are tried.
pub static FORMATS: &[&dyn Format] = &[&cartridge::Cartridge];

/// A tree is no package, or its manifest cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ManifestError {
    /// No format recognises the tree.
    #[error("this is no package: {0}")]
    NoPackage(String),
    /// The tree lacks what every package of the format has.
    #[error("the cartridge is malformed: {0} is missing")]
    Malformed(&'static str),
    /// The manifest is no YAML.
    #[error("{file}:{line}:{column}: {text}")]
    Syntax {
        /// The manifest.
        file: String,
        /// The line, from 1.
        line: usize,
        /// The column, from 1.
        column: usize,
        /// What the parser says.
        text: String,
    },
    /// Elements are missing or invalid; each with its place.
    #[error("{file} is not valid: {}", .problems.join("; "))]
    Invalid {
        /// The manifest.
        file: String,
        /// What is wrong, each with its line.
        problems: Vec<String>,
    },
    /// A file cannot be read.
    #[error(transparent)]
    Fs(#[from] FsError),
}

impl Explain for ManifestError {
    fn exit(&self) -> Exit {
        Exit::Failed
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::NoPackage(_) | Self::Malformed(_) => Some(
                "a cartridge has `bin/` and `metadata/manifest.yml`; `cart fetch --raw` takes \
                 anything"
                    .into(),
            ),
            Self::Syntax { .. } | Self::Invalid { .. } => {
                Some("cart-manifest(5) describes every element; `cart lint` shows all notes".into())
            }
            Self::Fs(error) => error.hint(),
        }
    }
}

/// Reads the package in `tree`, of whatever format it is.
pub fn read(tree: &dyn Tree, notes: &mut Notes) -> Result<Package, ManifestError> {
    for format in FORMATS {
        if let Some(manifest) = format.manifest_in(tree) {
            return format.read(tree, &manifest, notes);
        }
    }
    Err(cartridge::what_is_missing(tree))
}

/// Where the package of a manifest is that was given by itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ManifestSource {
    /// `Source-Url`.
    pub url: String,
    /// `Source-Md5`.
    pub md5: Option<Md5>,
    /// `Name`.
    pub name: Option<String>,
}

/// Reads where the package of a manifest is that was given by itself.
pub fn source_of(manifest: &[u8]) -> Result<ManifestSource, ManifestError> {
    cartridge::source_of(manifest)
}
