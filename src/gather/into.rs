//! `fetch`: the same way, into a directory of the user's own.

use super::error::{GatherError, GatherFailure};
use super::gatherer::Gatherer;
use super::request::Request;
use super::staging::{self, Corner, Staging};
use crate::error::FsError;
use crate::package::Package;
use crate::package::file_table::FileTable;
use crate::package::note::Notes;
use crate::package::provenance::Provenance;
use crate::progress::Watch;
use crate::source::stop::Stop;
use crate::source::stream::Watched;
use crate::sys::fs::Dir;
use std::ffi::OsStr;
use std::path::Path;
use std::sync::Arc;

/// Names of staging directories beside a target begin so.
const BESIDE: &str = ".cart-fetch-";

/// What was fetched into a directory.
#[derive(Clone, Debug)]
pub struct Fetched {
    /// The files.
    pub table: FileTable,
    /// What they are; nothing when they were asked for raw.
    pub package: Option<Package>,
    /// What the reader of the manifest had to say.
    pub notes: Notes,
    /// Where they came from.
    pub provenance: Provenance,
}

impl Gatherer {
    /// Gathers `request` and makes it the directory `into`, which may exist only if it is empty.
    /// The directory appears whole, and durable, or not at all.
    pub fn fetch_into(
        &self,
        request: &Request,
        into: &Path,
        watch: &dyn Watch,
    ) -> Result<Fetched, GatherFailure> {
        let done = self.place(request, into, watch);
        watch.finish();
        done.map_err(|why| GatherFailure { what: request.what.to_string(), why })
    }

    fn place(
        &self,
        request: &Request,
        into: &Path,
        watch: &dyn Watch,
    ) -> Result<Fetched, GatherError> {
        let (folder, name) = target(into)?;
        let there = occupied(&folder, name)?;
        staging::sweep_in(&folder, BESIDE)?;
        let staging = Staging::create(&folder, BESIDE)?;
        let stop = Stop::default();
        let corner = Corner::new(&Arc::new(staging), 0);
        let gathered = self.gather_in(corner, request, Watched { watch, stop: &stop })?;
        let from = gathered.staging.dir();
        from.sync_filesystem()?;
        // A rename replaces an empty directory, and fails on one that has been filled meanwhile.
        match there {
            Target::Empty => from.rename(&gathered.tree, &folder, name)?,
            Target::Nothing => from.rename_new(&gathered.tree, &folder, name)?,
        }
        folder.sync()?;
        let (table, package) = (gathered.table, gathered.package);
        Ok(Fetched { table, package, notes: gathered.notes, provenance: gathered.provenance })
    }
}

enum Target {
    Nothing,
    Empty,
}

/// The folder in which `into` lies, opened, and its name there.
fn target(into: &Path) -> Result<(Dir, &OsStr), GatherError> {
    let impossible = || GatherError::Target(into.display().to_string());
    let name = into.file_name().ok_or_else(impossible)?;
    let folder = into.parent().filter(|folder| !folder.as_os_str().is_empty());
    match Dir::open(folder.unwrap_or(Path::new("."))) {
        Ok(folder) => Ok((folder, name)),
        Err(error) if error.is_not_found() => Err(impossible()),
        Err(error) => Err(error.into()),
    }
}

fn occupied(folder: &Dir, name: &OsStr) -> Result<Target, GatherError> {
    if !folder.has(name)? {
        return Ok(Target::Nothing);
    }
    let names = folder.dir(name).and_then(|there| there.names());
    match names {
        Ok(names) if names.is_empty() => Ok(Target::Empty),
        Err(error @ FsError { .. }) if is_denied(&error) => Err(error.into()),
        _ => Err(GatherError::Occupied(folder.path_of(name).display().to_string())),
    }
}

fn is_denied(error: &FsError) -> bool {
    error.source.kind() == std::io::ErrorKind::PermissionDenied
}
