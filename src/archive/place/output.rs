//! One file on its way into the tree: written, or found to be a file of the older tree.

use super::Place;
use crate::archive::error::ArchiveError;
use crate::archive::older::Twin;
use crate::error::FsError;
use crate::package::digest::Sha256;
use crate::sys::fs::set_modified;
use crate::sys::path::RelPath;
use sha2::Digest;
use std::fs::File;
use std::io::{self, Write};

/// Where the bytes of a file go.
pub(super) enum Body {
    /// Into a new file.
    New(File),
    /// Nowhere yet: so far they are those of an older file.
    Same(Twin),
}

/// A file on its way to disk.
pub(in crate::archive) struct Output<'p, 'a> {
    pub(super) place: &'p mut Place<'a>,
    pub(super) path: &'p RelPath,
    pub(super) mode: u32,
    /// Nothing only while it is changed.
    pub(super) body: Option<Body>,
    pub(super) hash: sha2::Sha256,
    pub(super) size: u64,
}

impl Output<'_, '_> {
    /// Appends `bytes`, in one call where the system takes them.
    pub(in crate::archive) fn write(&mut self, bytes: &[u8]) -> Result<(), FsError> {
        self.hash.update(bytes);
        self.size += bytes.len() as u64;
        if let Some(Body::Same(twin)) = &mut self.body
            && twin.goes_on_with(bytes, &mut self.place.scratch)
        {
            return Ok(());
        }
        let mut file = self.file()?;
        let written = file.write_all(bytes).map_err(|error| self.fail("write", error));
        self.body = Some(Body::New(file));
        written
    }

    /// The new file; one that is none yet is made, with what is known of it.
    fn file(&mut self) -> Result<File, FsError> {
        match self.body.take() {
            Some(Body::New(file)) => Ok(file),
            None => self.place.new_file(self.path, self.mode),
            Some(Body::Same(twin)) => {
                let mut file = self.place.new_file(self.path, self.mode)?;
                let copied = twin.into_same().and_then(|mut same| io::copy(&mut same, &mut file));
                copied.map_err(|error| self.fail("write", error))?;
                Ok(file)
            }
        }
    }

    fn fail(&self, verb: &'static str, error: io::Error) -> FsError {
        FsError::new(verb, self.place.into.path_of(self.path), error)
    }

    /// Ends the file: its time of change is set (seconds since 1970), its digest returned. One that
    /// is linked keeps the time that it has.
    pub(in crate::archive) fn finish(mut self, modified: i64) -> Result<Sha256, ArchiveError> {
        let linked = match &self.body {
            Some(Body::Same(twin)) if twin.is_whole() => self.place.link(self.path)?,
            _ => false,
        };
        if !linked {
            let file = self.file()?;
            set_modified(&file, modified).map_err(|error| self.fail("set the time of", error))?;
            (self.place.wrote)(self.size);
        }
        self.place.show(self.path)?;
        Ok(Sha256(self.hash.finalize().into()))
    }
}
