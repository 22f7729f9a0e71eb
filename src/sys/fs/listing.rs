//! What is in a directory.

use super::pinned::kind_of_type;
use super::{Dir, Kind, Result};
use crate::error::FsError;
use rustix::fs::FileType;
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;

impl Dir {
    /// Lists the names in this directory, sorted by their bytes.
    pub fn names(&self) -> Result<Vec<OsString>> {
        Ok(self.listed()?.into_iter().map(|(name, _)| name).collect())
    }

    /// Lists the names in this directory, sorted by their bytes, and what they are.
    pub fn entries(&self) -> Result<Vec<(OsString, Kind)>> {
        let mut entries = Vec::new();
        for (name, kind) in self.listed()? {
            let kind = match kind {
                // Not every filesystem tells.
                FileType::Unknown => self.meta(&name)?.map(|meta| meta.kind),
                known => Some(kind_of_type(known)),
            };
            entries.extend(kind.map(|kind| (name, kind)));
        }
        Ok(entries)
    }

    fn listed(&self) -> Result<Vec<(OsString, FileType)>> {
        let fail = |error| FsError::new("list", &self.path, error);
        let mut entries = Vec::new();
        for entry in rustix::fs::Dir::read_from(&self.fd).map_err(fail)? {
            let entry = entry.map_err(fail)?;
            let name = entry.file_name().to_bytes();
            if name != b"." && name != b".." {
                entries.push((OsStr::from_bytes(name).to_owned(), entry.file_type()));
            }
        }
        entries.sort_unstable_by(|(one, _), (other, _)| one.cmp(other));
        Ok(entries)
    }
}
