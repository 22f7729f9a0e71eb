//! The single top folder of an archive, which is taken away: what it holds moves up one level.
//!
//! Nearly every archive has one, and its first entry tells: so its content is put one level higher
//! from the start, and put back into its folder when a later entry shows that there is more than
//! one top. Making a folder, emptying and removing it for every package takes longer than
//! unpacking a small one.

use super::error::{ArchiveError, Reason};
use super::place::Place;
use super::{Options, Strip};
use crate::error::FsError;
use crate::package::file_table::{Content, Entry};
use crate::sys::fs::Dir;
use crate::sys::path::RelPath;

/// What is known of the top while an archive is unpacked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Top {
    /// Nothing has come yet.
    Open,
    /// Everything so far lies in this folder, and has been put one level higher.
    Lifted(String),
    /// Everything lies where the archive has it.
    Settled,
}

impl Top {
    pub(super) fn of(options: &Options<'_>) -> Self {
        match options.strip {
            Strip::SingleTop => Self::Open,
            Strip::Nothing => Self::Settled,
        }
    }

    /// Where `path` lies on disk; nothing for the lifted folder itself.
    pub(super) fn spot<'p>(&self, path: &'p str) -> Option<&'p str> {
        match self {
            Self::Lifted(top) if path == top => None,
            Self::Lifted(_) => path.split_once('/').map(|(_, rest)| rest),
            Self::Open | Self::Settled => Some(path),
        }
    }

    /// Takes notice of a directory; tells whether what was lifted has to be settled first.
    pub(super) fn meet_directory(&mut self, path: &RelPath) -> bool {
        if *self == Self::Open && path.parent().is_none() && !path.as_str().starts_with('.') {
            *self = Self::Lifted(path.to_string());
        }
        self.meet(path)
    }

    /// Takes notice of anything; tells whether what was lifted has to be settled first.
    pub(super) fn meet(&mut self, path: &RelPath) -> bool {
        match self {
            Self::Lifted(top) => path.top() != top,
            Self::Open => {
                *self = Self::Settled;
                false
            }
            Self::Settled => false,
        }
    }
}

/// Puts what was lifted back into its folder.
pub(super) fn settle(into: &Dir, top: &str) -> Result<(), FsError> {
    let names = into.names()?;
    // Out of the way first: the folder may hold an entry of its own name.
    let mut aside = String::from(".cart-top");
    while names.iter().any(|name| *name == *aside) {
        aside.push('-');
    }
    into.make_dir(&aside, 0o755)?;
    into.set_mode(&aside, 0o755)?;
    let folder = into.dir(&aside)?;
    names.iter().try_for_each(|name| into.rename_new(name, &folder, name))?;
    into.rename_new(&aside, into, top)
}

/// Takes the single top folder away, if there is one, on disk and in the table.
pub(super) fn take_away(
    place: &mut Place<'_>,
    entries: Vec<Entry>,
) -> Result<Vec<Entry>, ArchiveError> {
    let single = single_top(&entries);
    if let Some(top) = &single
        && place.has_lifted(top)
        && entries.iter().all(|entry| entry.path.top() == top)
    {
        return Ok(entries.into_iter().filter_map(without_top).collect());
    }
    place.settle()?;
    match single {
        Some(top) => strip(place.root(), entries, &top),
        None => Ok(entries),
    }
}

fn without_top(mut entry: Entry) -> Option<Entry> {
    entry.path = entry.path.without_top()?;
    Some(entry)
}

/// The one top entry that is not hidden, if it is a directory (node specification, 2.1).
fn single_top(entries: &[Entry]) -> Option<String> {
    let mut tops = entries
        .iter()
        .filter(|entry| entry.path.parent().is_none() && !entry.path.as_str().starts_with('.'));
    match (tops.next(), tops.next()) {
        (Some(top), None) if top.content == Content::Directory => Some(top.path.to_string()),
        _ => None,
    }
}

/// Moves what is inside `top` up one level, beside the hidden entries that are there.
fn strip(into: &Dir, entries: Vec<Entry>, top: &str) -> Result<Vec<Entry>, ArchiveError> {
    let (inside, beside): (Vec<Entry>, Vec<Entry>) = entries
        .into_iter()
        .filter(|entry| entry.path.as_str() != top)
        .partition(|entry| entry.path.top() == top && entry.path.parent().is_some());
    let taken = |name: &str| beside.iter().any(|entry| entry.path.as_str() == name);
    let children = || inside.iter().filter(|e| e.path.components().count() == 2);
    for child in children() {
        if taken(child.path.name()) {
            return Err(ArchiveError::refused(child.path.as_str(), Reason::StripConflict));
        }
    }
    // Out of the way first: the folder may hold an entry of its own name.
    let mut away = String::from(".cart-top");
    while taken(&away) || children().any(|child| child.path.name() == away) {
        away.push('-');
    }
    into.rename_new(top, into, &away)?;
    let from = into.dir(&away)?;
    for child in children() {
        if !matches!(child.content, Content::Link(_)) {
            from.rename_new(child.path.name(), into, child.path.name())?;
        }
    }
    into.remove_dir(&away)?;
    Ok(beside.into_iter().chain(inside.into_iter().filter_map(without_top)).collect())
}
