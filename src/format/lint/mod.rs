//! What there is to say to a package's author: all that reading it says, and the guide's advice.
//!
//! Reads, and changes nothing; runs nothing of the package (`bash -n` parses without running).

mod env;
mod manifest;
mod patterns;
mod scripts;
mod tpkg;
mod tree;

use super::{Tree, cartridge, ubos, yaml};
use crate::package::file_table::{Content, Entry};
use crate::package::note::{Level, Note, Notes};

/// The most remarks of one kind; an author fixes the first and runs it again.
const MOST: usize = 50;

/// Says everything about the package in `tree`, by file and line; an error means that it cannot
/// be installed.
pub fn lint(tree: &dyn Tree) -> Notes {
    if ubos::is_alone_in(tree) {
        let mut all = ubos::lint(tree);
        all.extend(tree::advice(tree));
        return Notes::from_iter(ordered(all));
    }
    let mut notes = Notes::default();
    let read = super::read(tree, &mut notes);
    let mut all = notes.into_vec();
    let is_tpkg = super::is_tpkg(&mut |path| tree.table().get(path).is_some());
    match &read {
        Ok(package) if is_tpkg => {
            let particular = package.tpkg.iter();
            all.extend(particular.flat_map(|tpkg| tpkg::advice(package, tpkg, tree)));
        }
        Ok(package) => {
            all.extend(manifest::advice(package, tree));
            all.extend(patterns::advice(package));
            all.extend(env::advice(tree, &package.short_name));
        }
        Err(error) => all.extend(error.notes()),
    }
    if !is_tpkg {
        all.extend(managed_files(tree));
        all.extend(tree::advice(tree));
        all.extend(scripts::advice(tree));
    }
    Notes::from_iter(ordered(all))
}

/// Sorts by file and line; of two notes with the same words the graver one stays.
fn ordered(mut notes: Vec<Note>) -> Vec<Note> {
    notes.sort_by(|a, b| {
        let key = |note: &Note| (note.file.clone(), note.line, note.column, note.text.clone());
        key(a).cmp(&key(b)).then(b.level.cmp(&a.level))
    });
    notes.dedup_by(|later, kept| {
        (&later.file, later.line, &later.text) == (&kept.file, kept.line, &kept.text)
    });
    notes
}

/// An installation takes unreadable managed files as empty; for their author it is an error.
fn managed_files(tree: &dyn Tree) -> Option<Note> {
    let bytes = tree.read(cartridge::managed::PATH, yaml::LONGEST).ok()??;
    let mut unused = Notes::default();
    let mut reading = super::reading::Reading::new(cartridge::managed::PATH, &mut unused);
    let fault = cartridge::managed::parse(&bytes, &mut reading).err()?;
    Some(Note {
        level: Level::Error,
        file: cartridge::managed::PATH.into(),
        line: Some(fault.place.line),
        column: Some(fault.place.column),
        text: cartridge::unreadable(&fault),
    })
}

/// A note about a whole file.
pub(super) fn about(level: Level, file: impl Into<String>, text: impl Into<String>) -> Note {
    Note { level, file: file.into(), line: None, column: None, text: text.into() }
}

/// The regular files directly in the directory `folder`.
fn files_in<'a>(tree: &'a dyn Tree, folder: &'a str) -> impl Iterator<Item = (&'a Entry, &'a str)> {
    tree.table().entries().iter().filter_map(move |entry| {
        let name = entry.path.as_str().strip_prefix(folder)?.strip_prefix('/')?;
        let is_file = matches!(entry.content, Content::File { .. });
        (is_file && !name.contains('/') && !name.starts_with('.')).then_some((entry, name))
    })
}

/// Shortens and escapes a text of the package for a message.
fn shown(text: &str) -> String {
    text.chars().take(80).collect::<String>().escape_debug().to_string()
}

#[cfg(test)]
mod tests;
