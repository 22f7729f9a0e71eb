//! Locked files: what a cartridge's scripts may change while they set it up, and the gear may not
//! change afterwards (the guide, Cartridge Locking; node specification, 5).
//!
//! With an account of the gear's own, a locked file belongs to root and the gear's group, an
//! unlocked one to the gear; modes stay. Where everything runs as one user, the owner's write bit
//! is taken and given. The gear's home is locked and unlocked with the files. A file is looked at
//! and changed through one descriptor, so nothing that the gear does with names meanwhile leads
//! elsewhere; what is no plain file or directory, or has a second name, is left alone.

use super::globs;
use super::owner::Account;
use crate::error::FsError;
use crate::sys::checkpoint::checkpoint;
use crate::sys::fs::{Dir, Kind, Meta, Pinned};
use crate::sys::tree;
use rustix::io::Errno;

/// The mode of a directory and of a file that is made because it is missing.
const NEW_MODES: (u32, u32) = (0o755, 0o644);
/// The write bit of the owner, the only one that counts for a gear that runs as the owner.
const WRITE: u32 = 0o200;

/// By what a file is locked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Means {
    /// By its owner: root, or this account.
    Owner(Account),
    /// By the owner's write bit.
    Mode,
}

impl Means {
    /// The means for a gear with this owner.
    pub fn of(owner: Option<(u32, u32)>) -> Self {
        owner.map_or(Self::Mode, |(uid, gid)| Self::Owner(Account { uid, gid }))
    }
}

/// What stood at the places of a cartridge's locked files, and the gear's home itself.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Survey {
    home: Owned,
    there: Vec<Entry>,
    missing: Vec<Missing>,
    /// What is wrong with the list itself, however often it is looked at.
    pub about_list: Vec<String>,
    /// Entries that are left alone this time, and why.
    pub notes: Vec<String>,
}

/// Who may write to something.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
struct Owned {
    mode: u32,
    uid: u32,
    gid: u32,
}

#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
struct Entry {
    path: String,
    kind: Kind,
    was: Owned,
}

#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
struct Missing {
    path: String,
    kind: Kind,
    /// The first directory on the way that is missing, or the path itself.
    top: String,
}

impl Owned {
    fn of(meta: Meta) -> Self {
        Self { mode: meta.mode, uid: meta.uid, gid: meta.gid }
    }
}

/// What stands at a path.
enum Look {
    There(Pinned),
    Nothing,
    /// What must not be touched, and why.
    Barred(&'static str),
}

fn look(home: &Dir, path: &str) -> Result<Look, FsError> {
    let pinned = match home.pin(path) {
        Ok(Some(pinned)) => pinned,
        Ok(None) => return Ok(Look::Nothing),
        Err(error) => return barred(error).map(Look::Barred),
    };
    Ok(match pinned.meta.kind {
        Kind::File if pinned.has_second_name() => Look::Barred("has a second name"),
        Kind::File | Kind::Directory => Look::There(pinned),
        Kind::Link => Look::Barred("is a link"),
        Kind::Other => Look::Barred("is no plain file"),
    })
}

/// Why a path cannot be reached, where that is the gear's own doing and no failure.
fn barred(error: FsError) -> Result<&'static str, FsError> {
    match error.source.raw_os_error().map(Errno::from_raw_os_error) {
        Some(Errno::LOOP) => Ok("lies behind a link"),
        Some(Errno::NOTDIR) => Ok("lies behind a file"),
        _ => Err(error),
    }
}

fn left_alone(path: &str, why: &str) -> String {
    format!("the locked file `~/{}` {why}, and is left as it is", path.escape_debug())
}

/// Looks at what the patterns of the cartridge in `folder` name. Changes nothing.
pub fn survey(home: &Dir, folder: &str, patterns: &[String]) -> Result<Survey, FsError> {
    let named = globs::lockable(home, folder, patterns);
    let own = home.meta("")?.ok_or_else(|| FsError::new("look at", home.path(), Errno::NOENT))?;
    let mut found = Survey {
        home: Owned::of(own),
        there: Vec::new(),
        missing: Vec::new(),
        about_list: named.notes,
        notes: Vec::new(),
    };
    for entry in named.paths {
        let (path, kind) = match entry.strip_suffix('/') {
            Some(path) => (path, Kind::Directory),
            None => (entry.as_str(), Kind::File),
        };
        match look(home, path)? {
            Look::There(pinned) => found.add(path, kind, pinned.meta),
            Look::Nothing => {
                let top = first_missing(home, path)?;
                found.missing.push(Missing { path: path.to_owned(), kind, top });
            }
            Look::Barred(why) => found.notes.push(left_alone(path, why)),
        }
    }
    Ok(found)
}

/// The first component on the way to `path` that does not exist.
fn first_missing(home: &Dir, path: &str) -> Result<String, FsError> {
    for (end, _) in path.match_indices('/') {
        let part = path.get(..end).unwrap_or(path);
        if !home.has(part)? {
            return Ok(part.to_owned());
        }
    }
    Ok(path.to_owned())
}

impl Survey {
    fn add(&mut self, path: &str, said: Kind, meta: Meta) {
        if meta.kind != said {
            let (is, not) = match said {
                Kind::Directory => ("file", "directory"),
                _ => ("directory", "file"),
            };
            let text = path.escape_debug();
            let note = format!("the locked `~/{text}` is a {is}, not a {not}; it stays one");
            self.about_list.push(note);
        }
        let was = Owned::of(meta);
        self.there.push(Entry { path: path.to_owned(), kind: meta.kind, was });
    }

    /// Makes what is missing, and lets the cartridge's scripts write to all of it and to the home.
    /// Gives what was left alone, and why.
    pub fn unlock(&self, home: &Dir, means: Means) -> Result<Vec<String>, FsError> {
        // The home first: a hidden file in it may have to be made.
        unlock_one(home, "", means)?;
        let mut notes = Vec::new();
        for Entry { path, .. } in &self.there {
            checkpoint("locking: before an entry is unlocked");
            notes.extend(unlock_one(home, path, means)?.map(|why| left_alone(path, why)));
        }
        for missing in &self.missing {
            checkpoint("locking: before a missing entry is made");
            let why = missing.make(home, means)?;
            notes.extend(why.map(|why| left_alone(&missing.path, why)));
        }
        Ok(notes)
    }

    /// Takes from the gear the right to write to what is there, and to its home. The home is locked
    /// even where a file could not be.
    pub fn lock(&self, home: &Dir, means: Means) -> Result<Vec<String>, FsError> {
        let (mut notes, mut failed) = (Vec::new(), None);
        for Entry { path, .. } in &self.there {
            checkpoint("locking: before an entry is locked");
            match lock_one(home, path, means) {
                Ok(why) => notes.extend(why.map(|why| left_alone(path, why))),
                Err(error) => failed = failed.or(Some(error)),
            }
        }
        checkpoint("locking: before the home is locked");
        lock_one(home, "", means)?;
        failed.map_or(Ok(notes), Err)
    }

    /// Puts everything back: what was missing goes, and the rest has its owner and mode again.
    pub fn restore(&self, home: &Dir, means: Means) -> Result<(), FsError> {
        for missing in &self.missing {
            checkpoint("locking: before a made entry goes");
            if let Err(error) = tree::remove(home, &missing.top) {
                barred(error)?;
            }
        }
        for entry in self.there.iter().rev() {
            checkpoint("locking: before an entry is put back");
            if let Look::There(pinned) = look(home, &entry.path)?
                && pinned.meta.kind == entry.kind
            {
                put_back(&pinned, entry.was, means)?;
            }
        }
        checkpoint("locking: before the home is put back");
        home.pin("")?.map_or(Ok(()), |pinned| put_back(&pinned, self.home, means))
    }
}

impl Missing {
    /// Makes the entry and the directories that lead to it, as the gear's own.
    fn make(&self, home: &Dir, means: Means) -> Result<Option<&'static str>, FsError> {
        let mut ends: Vec<usize> = self.path.match_indices('/').map(|(end, _)| end).collect();
        ends.push(self.path.len());
        for end in ends {
            let part = self.path.get(..end).unwrap_or(&self.path);
            // What was there before this step is nobody's to give away.
            if part.len() < self.top.len() {
                continue;
            }
            let (directory, file) = NEW_MODES;
            let made = if end == self.path.len() && self.kind == Kind::File {
                home.write_new(part, b"", file).and_then(|()| set_exact(home, part, file))
            } else {
                home.make_dir(part, directory).and_then(|()| set_exact(home, part, directory))
            };
            match made {
                Err(error) if !error.is_already_there() => return barred(error).map(Some),
                _ => {}
            }
            if let Some(why) = unlock_one(home, part, means)? {
                return Ok(Some(why));
            }
        }
        Ok(None)
    }
}

/// Gives something new the mode that was asked for, whatever the umask has taken.
fn set_exact(home: &Dir, path: &str, mode: u32) -> Result<(), FsError> {
    home.pin(path)?.map_or(Ok(()), |pinned| pinned.set_mode(mode))
}

/// Lets the gear write to `path`; gives why it is left alone.
fn unlock_one(home: &Dir, path: &str, means: Means) -> Result<Option<&'static str>, FsError> {
    change(home, path, |pinned| match means {
        Means::Owner(account) => give(pinned, account, account.uid),
        Means::Mode => chmod(pinned, pinned.meta.mode | WRITE),
    })
}

/// Takes from the gear the right to write to `path`; gives why it is left alone.
fn lock_one(home: &Dir, path: &str, means: Means) -> Result<Option<&'static str>, FsError> {
    change(home, path, |pinned| match means {
        Means::Owner(account) => give(pinned, account, 0),
        Means::Mode => chmod(pinned, pinned.meta.mode & !WRITE),
    })
}

fn change(
    home: &Dir,
    path: &str,
    how: impl FnOnce(&Pinned) -> Result<Option<&'static str>, FsError>,
) -> Result<Option<&'static str>, FsError> {
    match look(home, path)? {
        Look::There(pinned) => how(&pinned),
        Look::Nothing => Ok(None),
        Look::Barred(why) => Ok(Some(why)),
    }
}

/// Gives what is root's or the gear's to one of the two. What belongs to others is not ours.
fn give(pinned: &Pinned, account: Account, uid: u32) -> Result<Option<&'static str>, FsError> {
    if ![0, account.uid].contains(&pinned.meta.uid) {
        return Ok(Some("belongs to another user"));
    }
    if (pinned.meta.uid, pinned.meta.gid) != (uid, account.gid) {
        pinned.set_owner(uid, account.gid)?;
    }
    Ok(None)
}

fn chmod(pinned: &Pinned, mode: u32) -> Result<Option<&'static str>, FsError> {
    if pinned.meta.mode != mode {
        pinned.set_mode(mode)?;
    }
    Ok(None)
}

fn put_back(pinned: &Pinned, was: Owned, means: Means) -> Result<(), FsError> {
    match means {
        Means::Owner(_) if (pinned.meta.uid, pinned.meta.gid) != (was.uid, was.gid) => {
            pinned.set_owner(was.uid, was.gid)
        }
        Means::Mode if pinned.meta.mode != was.mode => pinned.set_mode(was.mode),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests;
