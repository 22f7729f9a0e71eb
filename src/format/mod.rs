//! A stand-in until the real module is merged: just enough for `gather` to compile and be tried.

use crate::error::{Exit, Explain, FsError};
use crate::package::Package;
use crate::package::digest::Md5;
use crate::package::file_table::FileTable;
use crate::package::note::Notes;
use crate::sys::fs::Dir;

/// A tree.
pub trait Tree {
    /// Its files.
    fn table(&self) -> &FileTable;
    /// Reads one.
    fn read(&self, path: &str, limit: u64) -> Result<Option<Vec<u8>>, FsError>;
}
/// A tree on disk.
#[derive(Debug)]
pub struct Unpacked<'a> {
    /// Where.
    pub dir: &'a Dir,
    /// What.
    pub table: &'a FileTable,
}
impl Tree for Unpacked<'_> {
    fn table(&self) -> &FileTable {
        self.table
    }
    fn read(&self, path: &str, limit: u64) -> Result<Option<Vec<u8>>, FsError> {
        if self.dir.has(path)? { self.dir.read(path, limit).map(Some) } else { Ok(None) }
    }
}
/// Where a manifest's package is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ManifestSource {
    /// `Source-Url`.
    pub url: String,
    /// `Source-Md5`.
    pub md5: Option<Md5>,
    /// `Name`.
    pub name: Option<String>,
}
/// Errors.
#[derive(Debug, thiserror::Error)]
#[error("the manifest is not valid: {0}")]
pub struct ManifestError(String);
impl Explain for ManifestError {
    fn exit(&self) -> Exit {
        Exit::Failed
    }
}
/// Reads a package.
pub fn read(_tree: &dyn Tree, _notes: &mut Notes) -> Result<Package, ManifestError> {
    Err(ManifestError("the stand-in reads no packages".into()))
}
/// Where a manifest's package is.
pub fn source_of(manifest: &[u8]) -> Result<ManifestSource, ManifestError> {
    let wrong = |text: &str| ManifestError(text.to_owned());
    let value: serde_yaml::Value =
        serde_yaml::from_slice(manifest).map_err(|error| wrong(&error.to_string()))?;
    let field = |name: &str| value.get(name).and_then(|value| value.as_str()).map(str::to_owned);
    let md5 = field("Source-Md5").map(|text| Md5::parse(&text)).transpose();
    Ok(ManifestSource {
        url: field("Source-Url").ok_or_else(|| wrong("`Source-Url` is missing"))?,
        md5: md5.map_err(|error| wrong(&error.to_string()))?,
        name: field("Name"),
    })
}
