//! Private directories in which trees are made.
//!
//! Each is named in a way that nobody can guess, is open to its owner alone, and is held by a lock
//! file beside it. It is removed when dropped; what a crash has left is recognised by its free lock
//! and swept away later.

use crate::error::FsError;
use crate::layout::Layout;
use crate::source::redact;
use crate::sys::fs::{Dir, Result};
use crate::sys::lock::{Asked, Lock, Sharing};
use crate::sys::{random, tree};
use rustix::io::Errno;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

/// Names of staging directories in the state begin so.
const IN_STATE: &str = "fetch-";
/// The end of a lock's name.
const LOCK: &str = ".lock";

/// A private directory, removed when dropped.
#[derive(Debug)]
pub struct Staging {
    parent: Dir,
    name: String,
    dir: Dir,
    /// Keeps the directory from being swept.
    _lock: Lock,
}

/// What one of many requests uses of a staging directory: the names that begin with its number. A
/// directory for each of a thousand small packages would take as long as the packages themselves.
#[derive(Clone, Debug)]
pub struct Corner {
    staging: Arc<Staging>,
    number: usize,
}

impl Corner {
    /// The corner of the `number`-th request.
    pub(super) fn new(staging: &Arc<Staging>, number: usize) -> Self {
        Self { staging: Arc::clone(staging), number }
    }

    /// The staging directory.
    pub fn dir(&self) -> &Dir {
        &self.staging.dir
    }

    /// The name there of this request's `what`.
    pub fn name(&self, what: &str) -> String {
        format!("{}-{what}", self.number)
    }

    /// Tells whether `other` is the same.
    pub(super) fn is(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.staging, &other.staging) && self.number == other.number
    }
}

impl Staging {
    /// Makes one in the state of `layout`.
    pub fn in_state(layout: &Layout) -> Result<Self> {
        Self::create(&Dir::create(&layout.staging(), 0o700)?, IN_STATE)
    }

    /// Makes one in `parent`, with a name that begins with `prefix`.
    pub(super) fn create(parent: &Dir, prefix: &str) -> Result<Self> {
        let command = command_line();
        for _ in 0..16 {
            let name = format!("{prefix}{}", random::hex(8)?);
            let lock_name = format!("{name}{LOCK}");
            let Asked::Got(lock) = Lock::ask(
                parent,
                Path::new(&lock_name),
                Sharing::Exclusive,
                Duration::ZERO,
                &command,
            )?
            else {
                continue;
            };
            // A sweeper may have removed the file between its making and its locking; from here
            // on it finds the lock held.
            if !parent.has(&lock_name)? {
                continue;
            }
            parent.make_dir(&name, 0o700)?;
            let dir = parent.dir(&name)?;
            let parent = parent.again()?;
            return Ok(Self { parent, name, dir, _lock: lock });
        }
        Err(FsError::new("make a private directory in", parent.path(), Errno::AGAIN))
    }

    /// The directory.
    pub fn dir(&self) -> &Dir {
        &self.dir
    }
}

impl Drop for Staging {
    fn drop(&mut self) {
        // What cannot be removed now is swept later: the lock is free then.
        let _ = discard(&self.parent, &self.name);
    }
}

/// What this process was asked, for whoever meets its locks; without passwords in addresses.
fn command_line() -> String {
    // Enough to know it by; a thousand sources make a long line.
    let words = std::env::args_os().take(8).map(|word| redact::text(&word.to_string_lossy()));
    words.collect::<Vec<_>>().join(" ")
}

/// Removes a directory of which this process holds the lock, and then the lock's file.
fn discard(parent: &Dir, name: &str) -> Result<()> {
    tree::remove(parent, name)?;
    parent.remove_file(format!("{name}{LOCK}"))
}

/// Removes what crashed processes have left in the staging of `layout`. Gives the number of
/// directories.
pub fn sweep(layout: &Layout) -> Result<usize> {
    match Dir::open(&layout.staging()) {
        Ok(parent) => sweep_in(&parent, IN_STATE),
        Err(error) if error.is_not_found() => Ok(0),
        Err(error) => Err(error),
    }
}

/// Removes what crashed processes have left in `parent` under names that begin with `prefix`.
pub(super) fn sweep_in(parent: &Dir, prefix: &str) -> Result<usize> {
    let mut swept = 0;
    for name in parent.names()? {
        let Some(name) = name.to_str() else { continue };
        let name = name.strip_suffix(LOCK).unwrap_or(name);
        if !is_ours(name, prefix) {
            continue;
        }
        let lock = PathBuf::from(format!("{name}{LOCK}"));
        if let Asked::Got(_lock) =
            Lock::ask(parent, &lock, Sharing::Exclusive, Duration::ZERO, "sweeping")?
        {
            swept += usize::from(parent.has(name)?);
            discard(parent, name)?;
        }
    }
    Ok(swept)
}

fn is_ours(name: &str, prefix: &str) -> bool {
    name.strip_prefix(prefix)
        .is_some_and(|rest| rest.len() == 16 && rest.bytes().all(|byte| byte.is_ascii_hexdigit()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(layout: &Layout) -> Vec<std::ffi::OsString> {
        Dir::open(&layout.staging()).unwrap().names().unwrap()
    }

    #[test]
    fn staging_is_private_and_leaves_nothing() {
        let temp = tempfile::tempdir().unwrap();
        let layout = Layout::below(temp.path());
        let staging = Staging::in_state(&layout).unwrap();
        assert_eq!(staging.dir().meta("").unwrap().unwrap().mode, 0o700);
        staging.dir().make_dirs("a/b", 0o755).unwrap();
        staging.dir().set_mode("a", 0o555).unwrap();
        drop(staging);
        assert!(names(&layout).is_empty());
    }

    #[test]
    fn only_what_nobody_holds_is_swept() {
        let temp = tempfile::tempdir().unwrap();
        let layout = Layout::below(temp.path());
        assert_eq!(sweep(&layout).unwrap(), 0, "nothing there yet");
        let living = Staging::in_state(&layout).unwrap();
        let parent = Dir::open(&layout.staging()).unwrap();
        parent.make_dir("someone-elses", 0o700).unwrap();
        assert_eq!(sweep(&layout).unwrap(), 0, "the living one is locked");
        // What a crash leaves: the directory, and a lock that nobody holds.
        parent.make_dirs("fetch-0000000000000000/tree", 0o700).unwrap();
        parent.write_new("fetch-0000000000000000.lock", b"", 0o600).unwrap();
        assert_eq!(sweep(&layout).unwrap(), 1);
        assert!(!parent.has("fetch-0000000000000000").unwrap() && living.dir().path().exists());
        assert_eq!(names(&layout).len(), 3, "the living one, its lock, and what is not ours");
    }
}
