//! Locks that die with their process: `flock` on a file that is never removed.
//!
//! The text inside (process, since when, what it does) serves messages only; the kernel's lock
//! alone decides.

use super::clock::Moment;
use super::fs::{Dir, Result};
use crate::error::FsError;
use rustix::fs::FlockOperation;
use std::fs::File;
use std::io::{Read, Seek, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// A lock held by this process until it is dropped.
#[derive(Debug)]
pub struct Lock {
    file: File,
    path: PathBuf,
}

/// Who holds a lock, as it wrote of itself.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Holder {
    /// Its process.
    pub process: u32,
    /// What it was doing, as its command line.
    pub command: String,
    /// Since when.
    pub since: Moment,
}

/// Whether others may hold the same lock at the same time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sharing {
    /// Nobody else.
    Exclusive,
    /// Others who share it too.
    Shared,
}

/// The answer to asking for a lock.
#[derive(Debug)]
pub enum Asked {
    /// It is ours now.
    Got(Lock),
    /// Somebody else has it; who, where the holder's note could be read.
    Held(Option<Holder>),
}

impl Lock {
    /// Asks for the lock file `name` in `dir`, waiting for at most `wait`.
    pub fn ask(
        dir: &Dir,
        name: &Path,
        sharing: Sharing,
        wait: Duration,
        command: &str,
    ) -> Result<Asked> {
        let path = dir.path_of(name);
        let mut file = open(&path)?;
        let until = Instant::now() + wait;
        let operation = match sharing {
            Sharing::Exclusive => FlockOperation::NonBlockingLockExclusive,
            Sharing::Shared => FlockOperation::NonBlockingLockShared,
        };
        loop {
            match rustix::fs::flock(&file, operation) {
                Ok(()) => break,
                Err(rustix::io::Errno::WOULDBLOCK) if Instant::now() < until => {
                    std::thread::sleep(Duration::from_millis(50));
                }
                Err(rustix::io::Errno::WOULDBLOCK) => {
                    return Ok(Asked::Held(read_holder(&mut file)));
                }
                Err(error) => return Err(FsError::new("lock", path, error)),
            }
        }
        let mut lock = Self { file, path };
        if sharing == Sharing::Exclusive {
            lock.sign(command)?;
        }
        Ok(Asked::Got(lock))
    }

    /// Tells whether nobody holds the lock file `name` in `dir` (a missing one is free).
    pub fn is_free(dir: &Dir, name: &Path) -> Result<bool> {
        if !dir.has(name)? {
            return Ok(true);
        }
        let file = open(&dir.path_of(name))?;
        match rustix::fs::flock(&file, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => Ok(true),
            Err(rustix::io::Errno::WOULDBLOCK) => Ok(false),
            Err(error) => Err(FsError::new("lock", dir.path_of(name), error)),
        }
    }

    fn sign(&mut self, command: &str) -> Result<()> {
        let holder = Holder {
            process: std::process::id(),
            command: command.to_owned(),
            since: Moment::now(),
        };
        let text = serde_json::to_vec(&holder).unwrap_or_default();
        self.file
            .set_len(0)
            .and_then(|()| self.file.rewind())
            .and_then(|()| self.file.write_all(&text))
            .map_err(|error| FsError::new("write", &self.path, error))
    }
}

#[expect(clippy::disallowed_methods, reason = "lock files lie in a directory of our own")]
fn open(path: &Path) -> Result<File> {
    use std::os::unix::fs::OpenOptionsExt;
    std::fs::OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .open(path)
        .map_err(|error| FsError::new("open", path, error))
}

fn read_holder(file: &mut File) -> Option<Holder> {
    let mut text = String::new();
    file.rewind().ok()?;
    file.take(4096).read_to_string(&mut text).ok()?;
    serde_json::from_str(&text).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lock_names_its_holder_and_ends_with_it() {
        let temp = tempfile::tempdir().unwrap();
        let dir = Dir::open(temp.path()).unwrap();
        let name = Path::new("library");
        assert!(Lock::is_free(&dir, name).unwrap());
        let Asked::Got(held) =
            Lock::ask(&dir, name, Sharing::Exclusive, Duration::ZERO, "cart install x").unwrap()
        else {
            panic!("a free lock is given");
        };
        assert!(!Lock::is_free(&dir, name).unwrap());
        let Asked::Held(Some(holder)) =
            Lock::ask(&dir, name, Sharing::Exclusive, Duration::ZERO, "other").unwrap()
        else {
            panic!("a held lock is refused, with its holder");
        };
        assert_eq!(holder.command, "cart install x");
        assert_eq!(holder.process, std::process::id());
        drop(held);
        assert!(Lock::is_free(&dir, name).unwrap());
    }
}
