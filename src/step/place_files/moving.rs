//! One file from the package's tree to its place on the host and back: by a rename, and where that
//! crosses filesystems by a copy beside the place, which is named in the journal.
//!
//! One rule tells at any moment where things stand: *while the file is in the tree, its place was
//! not touched.* Across filesystems the copy beside the place is durable before the file leaves the
//! tree, and takes the place afterwards.

use crate::error::FsError;
use crate::sys::checkpoint::checkpoint;
use crate::sys::folders::Folders;
use crate::sys::fs::{Dir, Result};
use crate::sys::tree::{self, Modes};

/// The ways of one file.
#[derive(Clone, Copy, Debug)]
pub(super) struct Way<'a> {
    /// In the tree, relative to the state directory.
    pub(super) from: &'a str,
    /// On the host, relative to the root directory.
    pub(super) to: &'a str,
    /// The name of a copy beside the place.
    pub(super) beside: &'a str,
}

/// What may be at the place before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Taken {
    /// Nothing.
    No,
    /// A file or link, which has a second name.
    Yes,
}

/// Brings the file from the tree to its place.
pub(super) fn place(
    way: Way<'_>,
    (state, host): (&mut Folders<'_>, &mut Folders<'_>),
    taken: Taken,
) -> Result<()> {
    let (to, to_name) = host.at(way.to)?;
    let (from, name) = state.at(way.from)?;
    match into((from, name), (to, to_name), taken) {
        Err(error) if crosses(&error) => {}
        other => return other,
    }
    tree::remove(to, way.beside)?;
    checkpoint("place_files: before a copy");
    tree::copy(from, name, to, way.beside, Modes::Kept)?;
    to.sync_filesystem()?;
    checkpoint("place_files: the copy is durable");
    from.remove_file(name)?;
    place_copy(way, host, taken)
}

/// Brings a copy beside the place into it, where there is one: its original has left the tree.
pub(super) fn place_copy(way: Way<'_>, host: &mut Folders<'_>, taken: Taken) -> Result<()> {
    let (to, to_name) = host.at(way.to)?;
    if to.has(way.beside)? {
        checkpoint("place_files: before the copy takes its place");
        into((to, way.beside), (to, to_name), taken)?;
    }
    Ok(())
}

fn into((from, name): (&Dir, &str), (to, to_name): (&Dir, &str), taken: Taken) -> Result<()> {
    match taken {
        Taken::No => from.rename_new(name, to, to_name),
        Taken::Yes => from.rename(name, to, to_name),
    }
}

/// Brings the file back into the tree, wherever it is.
pub(super) fn take_back(
    way: Way<'_>,
    (state, host): (&mut Folders<'_>, &mut Folders<'_>),
) -> Result<()> {
    let in_tree = state.meta(way.from)?.is_some();
    if host.meta(way.to)?.is_none() && !has_beside(host, way)? {
        return Ok(());
    }
    let (to, to_name) = host.at(way.to)?;
    let (from, name) = state.at(way.from)?;
    if !in_tree && !to.has(way.beside)? {
        match to.rename_new(to_name, from, name) {
            Err(error) if crosses(&error) => to.rename(to_name, to, way.beside)?,
            other => return other,
        }
        checkpoint("place_files: the place is free again");
    }
    if to.has(way.beside)? {
        if !in_tree {
            tree::move_to(to, way.beside, from, name)?;
        }
        tree::remove(to, way.beside)?;
    }
    Ok(())
}

fn has_beside(host: &mut Folders<'_>, way: Way<'_>) -> Result<bool> {
    match host.at(way.to) {
        Ok((dir, _)) => dir.has(way.beside),
        Err(error) if error.is_not_found() => Ok(false),
        Err(error) => Err(error),
    }
}

/// Moves a file or link into the stash, where `name` is free or a file that is there already.
pub(super) fn stash(host: (&Dir, &str), stash: &Dir, name: &str) -> Result<()> {
    let (dir, file) = host;
    match dir.rename_new(file, stash, name) {
        Err(error) if crosses(&error) => {}
        other => return other,
    }
    let half = format!("{name}.half");
    tree::remove(stash, &half)?;
    tree::copy(dir, file, stash, &half, Modes::Kept)?;
    stash.sync_filesystem()?;
    stash.rename(&half, stash, name)?;
    checkpoint("place_files: the copy is in the stash");
    dir.remove_file(file)
}

/// Gives a file or link a second name in the stash, or a copy across filesystems.
pub(super) fn keep(host: (&Dir, &str), stash: &Dir, name: &str) -> Result<()> {
    let (dir, file) = host;
    match dir.make_hard_link(file, stash, name) {
        Ok(()) => Ok(()),
        Err(_) => tree::copy(dir, file, stash, name, Modes::Kept),
    }
}

fn crosses(error: &FsError) -> bool {
    error.source.kind() == std::io::ErrorKind::CrossesDevices
}
