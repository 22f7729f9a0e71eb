//! Files, below a root descriptor.
//!
//! [`Dir`] is a directory held open. Every method takes a path relative to it; the kernel refuses
//! to leave it and to follow any symbolic link on the way (`openat2`), so what a gear or a package
//! puts into a tree cannot send these calls elsewhere. The free functions at the bottom take
//! absolute paths and are for places that only root or the user of `cart` can change.

mod durable;
mod listing;
mod pinned;
mod rights;
mod times;

pub use pinned::Pinned;
use pinned::{chmod_opened, meta_of};
pub use times::{Time, set_changed};

use crate::error::FsError;
use rustix::fs::{AtFlags, Mode, OFlags, RenameFlags, ResolveFlags, Timespec, Timestamps};
use rustix::io::Errno;
use std::ffi::OsStr;
use std::fs::File;
use std::io::{Read, Write};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

/// Result of a file operation.
pub type Result<T> = std::result::Result<T, FsError>;

const BENEATH: ResolveFlags =
    ResolveFlags::BENEATH.union(ResolveFlags::NO_SYMLINKS).union(ResolveFlags::NO_MAGICLINKS);

/// What a name in a directory is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// A regular file.
    File,
    /// A directory.
    Directory,
    /// A symbolic link.
    Link,
    /// A device, pipe or socket.
    Other,
}

/// What `lstat` tells of a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Meta {
    /// What it is.
    pub kind: Kind,
    /// The permission bits, 07777.
    pub mode: u32,
    /// Its length in bytes.
    pub size: u64,
    /// Its owner.
    pub uid: u32,
    /// Its group.
    pub gid: u32,
    /// How many names it has.
    pub links: u64,
    /// When its content was last changed.
    pub changed: Time,
}

/// A directory held open, and the path under which the user knows it.
#[derive(Debug)]
pub struct Dir {
    fd: OwnedFd,
    path: PathBuf,
}

impl Dir {
    /// Opens the directory at an absolute `path`, following links: for trusted places only.
    pub fn open(path: &Path) -> Result<Self> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let fd = rustix::fs::open(path, flags, Mode::empty())
            .map_err(|error| FsError::new("open", path, error))?;
        Ok(Self { fd, path: path.to_owned() })
    }

    /// Opens the directory at an absolute `path`, after making it with `mode`, and what leads to it
    /// with the usual one.
    pub fn create(path: &Path, mode: u32) -> Result<Self> {
        if let Some(parent) = path.parent() {
            make_dirs(parent, 0o755)?;
        }
        make_dirs(path, mode)?;
        Self::open(path)
    }

    /// The path under which the user knows this directory.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The path of `name` in this directory, for messages and for the arguments of programs.
    pub fn path_of(&self, name: impl AsRef<Path>) -> PathBuf {
        self.path.join(name)
    }

    fn fail<T>(
        &self,
        verb: &'static str,
        name: &Path,
        result: std::result::Result<T, Errno>,
    ) -> Result<T> {
        result.map_err(|error| FsError::new(verb, self.path.join(name), error))
    }

    fn raw_open(
        &self,
        name: &Path,
        flags: OFlags,
        mode: u32,
    ) -> std::result::Result<OwnedFd, Errno> {
        let flags = flags | OFlags::CLOEXEC | OFlags::NOFOLLOW;
        // openat2 gives EAGAIN when a rename raced with its walk; trying again is its contract.
        for _ in 0..64 {
            match rustix::fs::openat2(&self.fd, name, flags, Mode::from_raw_mode(mode), BENEATH) {
                Err(Errno::AGAIN) => {}
                result => return result,
            }
        }
        Err(Errno::AGAIN)
    }

    /// The directory that holds `name`, and its last component.
    fn holder<'a>(&self, name: &'a Path) -> std::result::Result<(Holder<'_>, &'a OsStr), Errno> {
        let last = name.file_name().ok_or(Errno::INVAL)?;
        match name.parent() {
            Some(parent) if !parent.as_os_str().is_empty() => {
                let flags = OFlags::PATH | OFlags::DIRECTORY;
                Ok((Holder::Opened(self.raw_open(parent, flags, 0)?), last))
            }
            _ if name.is_absolute() => Err(Errno::XDEV),
            _ => Ok((Holder::Myself(self.fd.as_fd()), last)),
        }
    }

    /// Opens a directory below this one.
    pub fn dir(&self, name: impl AsRef<Path>) -> Result<Self> {
        let name = name.as_ref();
        let fd = self.raw_open(name, OFlags::RDONLY | OFlags::DIRECTORY, 0);
        Ok(Self { fd: self.fail("open", name, fd)?, path: self.path.join(name) })
    }

    /// Another handle on the same directory.
    pub fn again(&self) -> Result<Self> {
        let fd = self.fd.try_clone().map_err(|error| FsError::new("open", &self.path, error))?;
        Ok(Self { fd, path: self.path.clone() })
    }

    /// Makes the directory `name`, which must not exist.
    pub fn make_dir(&self, name: impl AsRef<Path>, mode: u32) -> Result<()> {
        let name = name.as_ref();
        let made = self.holder(name).and_then(|(holder, last)| {
            rustix::fs::mkdirat(holder.as_fd(), last, Mode::from_raw_mode(mode))
        });
        self.fail("make the directory", name, made)
    }

    /// Makes the directory `name` and those that lead to it, where they are missing.
    pub fn make_dirs(&self, name: impl AsRef<Path>, mode: u32) -> Result<()> {
        let name = name.as_ref();
        match self.make_dir(name, mode) {
            Ok(()) => Ok(()),
            Err(error) if error.is_already_there() => match self.meta(name)? {
                Some(meta) if meta.kind == Kind::Directory => Ok(()),
                _ => Err(error),
            },
            Err(error) if error.is_not_found() => {
                let Some(parent) = name.parent().filter(|path| !path.as_os_str().is_empty()) else {
                    return Err(error);
                };
                self.make_dirs(parent, mode)?;
                match self.make_dir(name, mode) {
                    Err(error) if !error.is_already_there() => Err(error),
                    _ => Ok(()),
                }
            }
            Err(error) => Err(error),
        }
    }

    /// Makes the file `name`, which must not exist, and opens it for writing.
    pub fn create_file(&self, name: impl AsRef<Path>, mode: u32) -> Result<File> {
        let name = name.as_ref();
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL;
        self.fail("create", name, self.raw_open(name, flags, mode)).map(File::from)
    }

    /// Makes a file without a name, for reading and writing; it is gone when it is closed. `name`,
    /// which must not exist, is used for a moment only (not every filesystem has `O_TMPFILE`).
    pub fn scratch_file(&self, name: impl AsRef<Path>) -> Result<File> {
        let name = name.as_ref();
        let flags = OFlags::RDWR | OFlags::CREATE | OFlags::EXCL;
        let file = self.fail("create", name, self.raw_open(name, flags, 0o600)).map(File::from)?;
        self.remove_file(name)?;
        Ok(file)
    }

    /// Opens the file `name` for reading.
    pub fn open_file(&self, name: impl AsRef<Path>) -> Result<File> {
        let name = name.as_ref();
        // NONBLOCK: a pipe that stands where a file should be must not stop the reader.
        let fd = self.raw_open(name, OFlags::RDONLY | OFlags::NONBLOCK, 0);
        self.fail("open", name, fd).map(File::from)
    }

    /// Opens the file `name`, which is there, for reading and writing.
    pub fn reopen_file(&self, name: impl AsRef<Path>) -> Result<File> {
        let name = name.as_ref();
        self.fail("open", name, self.raw_open(name, OFlags::RDWR, 0)).map(File::from)
    }

    /// Opens the file `name` for appending, making it where it is missing.
    pub fn append_file(&self, name: impl AsRef<Path>, mode: u32) -> Result<File> {
        let name = name.as_ref();
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::APPEND;
        self.fail("open", name, self.raw_open(name, flags, mode)).map(File::from)
    }

    /// Reads the file `name`, at most `limit` bytes; a longer file is an error.
    pub fn read(&self, name: impl AsRef<Path>, limit: u64) -> Result<Vec<u8>> {
        let name = name.as_ref();
        let file = self.open_file(name)?;
        // Most files are small, those of `/proc` above all: one read, and one that finds the end.
        let mut bytes = Vec::with_capacity(2048);
        file.take(limit + 1)
            .read_to_end(&mut bytes)
            .map_err(|error| FsError::new("read", self.path.join(name), error))?;
        if bytes.len() as u64 > limit {
            return Err(FsError::new("read", self.path.join(name), Errno::FBIG));
        }
        Ok(bytes)
    }

    /// Writes a new file `name` with `bytes`; it must not exist.
    pub fn write_new(&self, name: impl AsRef<Path>, bytes: &[u8], mode: u32) -> Result<()> {
        let name = name.as_ref();
        let mut file = self.create_file(name, mode)?;
        file.write_all(bytes).map_err(|error| FsError::new("write", self.path.join(name), error))
    }

    /// Puts a file with `bytes` at `name`, replacing what was there in one rename; synced.
    pub fn replace_file(&self, name: impl AsRef<Path>, bytes: &[u8], mode: u32) -> Result<()> {
        self.put(name.as_ref(), (bytes, mode), File::sync_data)
    }

    /// The same for steps, which need not wait for the disk: a transaction's whole filesystem is
    /// durable before its commit, and what a power cut leaves of it is put back.
    pub fn put_file(&self, name: impl AsRef<Path>, bytes: &[u8], mode: u32) -> Result<()> {
        self.put(name.as_ref(), (bytes, mode), |_| Ok(()))
    }

    fn put(
        &self,
        name: &Path,
        (bytes, mode): (&[u8], u32),
        sync: impl FnOnce(&File) -> std::io::Result<()>,
    ) -> Result<()> {
        let mut beside = name.file_name().unwrap_or_default().to_owned();
        beside.push(".cart-new");
        let beside = name.with_file_name(beside);
        self.remove_file(&beside)?;
        let mut file = self.create_file(&beside, mode)?;
        let fail = |error| FsError::new("write", self.path.join(name), error);
        file.write_all(bytes).map_err(fail)?;
        // The umask may have taken bits away that the caller asked for.
        self.set_mode(&beside, mode)?;
        sync(&file).map_err(fail)?;
        self.rename(&beside, self, name)
    }

    /// Tells what `name` is, without following it; nothing when it does not exist.
    pub fn meta(&self, name: impl AsRef<Path>) -> Result<Option<Meta>> {
        let name = name.as_ref();
        let stat = if name.as_os_str().is_empty() {
            rustix::fs::fstat(&self.fd)
        } else {
            self.holder(name).and_then(|(holder, last)| {
                rustix::fs::statat(holder.as_fd(), last, AtFlags::SYMLINK_NOFOLLOW)
            })
        };
        match stat {
            Ok(stat) => Ok(Some(meta_of(&stat))),
            Err(Errno::NOENT | Errno::NOTDIR) => Ok(None),
            Err(error) => Err(FsError::new("look at", self.path.join(name), error)),
        }
    }

    /// Tells whether there is anything at `name`.
    pub fn has(&self, name: impl AsRef<Path>) -> Result<bool> {
        self.meta(name).map(|meta| meta.is_some())
    }

    /// Reads the target of the symbolic link `name`.
    pub fn link_target(&self, name: impl AsRef<Path>) -> Result<PathBuf> {
        let name = name.as_ref();
        let target = self
            .holder(name)
            .and_then(|(holder, last)| rustix::fs::readlinkat(holder.as_fd(), last, Vec::new()));
        let target = self.fail("read the link", name, target)?;
        Ok(PathBuf::from(OsStr::from_bytes(target.as_bytes())))
    }

    /// Makes the symbolic link `name`, which must not exist, pointing at `target`.
    pub fn make_link(&self, name: impl AsRef<Path>, target: impl AsRef<Path>) -> Result<()> {
        let name = name.as_ref();
        let made = self.holder(name).and_then(|(holder, last)| {
            rustix::fs::symlinkat(target.as_ref(), holder.as_fd(), last)
        });
        self.fail("make the link", name, made)
    }

    /// Gives the file `name` of this directory a second name in `other`.
    pub fn make_hard_link(
        &self,
        name: impl AsRef<Path>,
        other: &Self,
        other_name: impl AsRef<Path>,
    ) -> Result<()> {
        let (name, other_name) = (name.as_ref(), other_name.as_ref());
        let made = self.holder(name).and_then(|(from, from_last)| {
            let (to, to_last) = other.holder(other_name)?;
            rustix::fs::linkat(from.as_fd(), from_last, to.as_fd(), to_last, AtFlags::empty())
        });
        other.fail("link", other_name, made)
    }

    fn rename_with(
        &self,
        name: &Path,
        to: &Self,
        to_name: &Path,
        flags: RenameFlags,
    ) -> Result<()> {
        let done = self.holder(name).and_then(|(from, from_last)| {
            let (into, into_last) = to.holder(to_name)?;
            rustix::fs::renameat_with(from.as_fd(), from_last, into.as_fd(), into_last, flags)
        });
        self.fail("rename", name, done)
    }

    /// Renames `name` to `to_name` in `to`, replacing a file there.
    pub fn rename(
        &self,
        name: impl AsRef<Path>,
        to: &Self,
        to_name: impl AsRef<Path>,
    ) -> Result<()> {
        self.rename_with(name.as_ref(), to, to_name.as_ref(), RenameFlags::empty())
    }

    /// Renames `name` to `to_name` in `to`, where nothing may be yet.
    pub fn rename_new(
        &self,
        name: impl AsRef<Path>,
        to: &Self,
        to_name: impl AsRef<Path>,
    ) -> Result<()> {
        self.rename_with(name.as_ref(), to, to_name.as_ref(), RenameFlags::NOREPLACE)
    }

    /// Lets `name` and `to_name` in `to` change places in one step.
    pub fn exchange(
        &self,
        name: impl AsRef<Path>,
        to: &Self,
        to_name: impl AsRef<Path>,
    ) -> Result<()> {
        self.rename_with(name.as_ref(), to, to_name.as_ref(), RenameFlags::EXCHANGE)
    }

    /// Removes the file or link `name`; nothing happens when it is not there.
    pub fn remove_file(&self, name: impl AsRef<Path>) -> Result<()> {
        self.unlink(name.as_ref(), AtFlags::empty())
    }

    /// Removes the empty directory `name`; nothing happens when it is not there.
    pub fn remove_dir(&self, name: impl AsRef<Path>) -> Result<()> {
        self.unlink(name.as_ref(), AtFlags::REMOVEDIR)
    }

    /// Removes the directory `name` if it is empty, and tells whether it is gone now. The kernel
    /// knows without anybody having read a folder of ten thousand names.
    pub fn remove_dir_if_empty(&self, name: impl AsRef<Path>) -> Result<bool> {
        let name = name.as_ref();
        let gone = self.holder(name).and_then(|(holder, last)| {
            rustix::fs::unlinkat(holder.as_fd(), last, AtFlags::REMOVEDIR)
        });
        match gone {
            Err(Errno::NOTEMPTY | Errno::EXIST) => Ok(false),
            Err(Errno::NOENT) => Ok(true),
            other => self.fail("remove", name, other).map(|()| true),
        }
    }

    fn unlink(&self, name: &Path, flags: AtFlags) -> Result<()> {
        let gone = self
            .holder(name)
            .and_then(|(holder, last)| rustix::fs::unlinkat(holder.as_fd(), last, flags));
        match gone {
            Err(Errno::NOENT) => Ok(()),
            other => self.fail("remove", name, other),
        }
    }

    /// Sets the permission bits of the file or directory `name`; links are refused.
    pub fn set_mode(&self, name: impl AsRef<Path>, mode: u32) -> Result<()> {
        let name = name.as_ref();
        let done = if name.as_os_str().is_empty() {
            rustix::fs::fchmod(&self.fd, Mode::from_raw_mode(mode))
        } else {
            // fchmodat would follow a link; the way through /proc needs an opened descriptor of
            // what was looked at, which works without read permission.
            self.raw_open(name, OFlags::PATH, 0).and_then(|fd| chmod_opened(&fd, mode))
        };
        self.fail("set the mode of", name, done)
    }

    /// Sets owner and group of `name` itself, never of what it points at.
    pub fn set_owner(&self, name: impl AsRef<Path>, uid: u32, gid: u32) -> Result<()> {
        let name = name.as_ref();
        let (uid, gid) = (rustix::fs::Uid::from_raw(uid), rustix::fs::Gid::from_raw(gid));
        let done = if name.as_os_str().is_empty() {
            rustix::fs::fchown(&self.fd, Some(uid), Some(gid))
        } else {
            self.holder(name).and_then(|(holder, last)| {
                let flags = AtFlags::SYMLINK_NOFOLLOW;
                rustix::fs::chownat(holder.as_fd(), last, Some(uid), Some(gid), flags)
            })
        };
        self.fail("set the owner of", name, done)
    }

    /// The bytes that are free on this directory's filesystem for this user.
    pub fn free_bytes(&self) -> Result<u64> {
        let stat = rustix::fs::fstatvfs(&self.fd)
            .map_err(|error| FsError::new("look at", &self.path, error))?;
        Ok(stat.f_bavail.saturating_mul(stat.f_frsize))
    }

    /// The number of the filesystem, to see whether two directories share one.
    pub fn device(&self) -> Result<u64> {
        let stat = rustix::fs::fstat(&self.fd)
            .map_err(|error| FsError::new("look at", &self.path, error))?;
        Ok(stat.st_dev)
    }
}

impl AsFd for Dir {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

enum Holder<'a> {
    Myself(BorrowedFd<'a>),
    Opened(OwnedFd),
}

impl Holder<'_> {
    fn as_fd(&self) -> BorrowedFd<'_> {
        match self {
            Self::Myself(fd) => *fd,
            Self::Opened(fd) => fd.as_fd(),
        }
    }
}

/// Tells what an open file is.
pub fn meta_of_file(file: &impl AsFd) -> std::io::Result<Meta> {
    Ok(meta_of(&rustix::fs::fstat(file)?))
}

/// Sets the modification time of an open file to a count of seconds since 1970.
pub fn set_modified(file: &impl AsFd, seconds: i64) -> std::io::Result<()> {
    let time = Timespec { tv_sec: seconds, tv_nsec: 0 };
    let times = Timestamps { last_access: time, last_modification: time };
    Ok(rustix::fs::futimens(file, &times)?)
}

/// Makes the directory at an absolute, trusted `path` and what leads to it.
pub fn make_dirs(path: &Path, mode: u32) -> Result<()> {
    use std::os::unix::fs::DirBuilderExt;
    std::fs::DirBuilder::new()
        .recursive(true)
        .mode(mode)
        .create(path)
        .map_err(|error| FsError::new("make the directory", path, error))
}

/// Reads a text file at an absolute, trusted `path`.
#[expect(clippy::disallowed_methods, reason = "this is the replacement that clippy.toml names")]
pub fn read_text(path: &Path) -> Result<String> {
    std::fs::read_to_string(path).map_err(|error| FsError::new("read", path, error))
}

/// Opens the file at a `path` that the user named, links followed, for reading.
#[expect(clippy::disallowed_methods, reason = "this is the replacement that clippy.toml names")]
pub fn open_for_reading(path: &Path) -> Result<File> {
    File::open(path).map_err(|error| FsError::new("open", path, error))
}

/// Resolves a `path` that the user named to an absolute one without links.
#[expect(clippy::disallowed_methods, reason = "this is the replacement that clippy.toml names")]
pub fn resolve(path: &Path) -> Result<PathBuf> {
    std::fs::canonicalize(path).map_err(|error| FsError::new("find", path, error))
}

/// Tells what a `path` that the user named is, links followed; nothing when it does not exist.
#[expect(clippy::disallowed_methods, reason = "this is the replacement that clippy.toml names")]
pub fn kind_of(path: &Path) -> Option<Kind> {
    let meta = std::fs::metadata(path).ok()?;
    Some(match meta.file_type() {
        kind if kind.is_dir() => Kind::Directory,
        kind if kind.is_file() => Kind::File,
        _ => Kind::Other,
    })
}

/// The length of the file at a `path` of ours; nothing when there is none.
#[expect(clippy::disallowed_methods, reason = "this is the replacement that clippy.toml names")]
pub fn length(path: &Path) -> Option<u64> {
    Some(std::fs::metadata(path).ok()?.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> (tempfile::TempDir, Dir) {
        let temp = tempfile::tempdir().unwrap();
        let dir = Dir::open(temp.path()).unwrap();
        (temp, dir)
    }

    #[test]
    fn no_call_leaves_the_root_or_follows_a_link() {
        let (_outside_temp, outside) = sample();
        outside.write_new("secret", b"s", 0o600).unwrap();
        let (_temp, dir) = sample();
        dir.make_link("door", outside.path()).unwrap();
        dir.make_link("file", outside.path_of("secret")).unwrap();
        for name in ["door/secret", "../x", "/etc/passwd", "file"] {
            assert!(dir.open_file(name).is_err(), "{name}");
        }
        assert!(dir.create_file("door/new", 0o600).is_err());
        assert!(dir.make_dir("door/new", 0o700).is_err());
        assert!(dir.set_mode("file", 0o777).is_err());
        assert!(dir.rename("file", &dir, "door/x").is_err());
        assert!(dir.remove_file("door/secret").is_err());
        assert_eq!(outside.names().unwrap(), ["secret"]);
        assert_eq!(outside.meta("secret").unwrap().unwrap().mode, 0o600);
    }

    #[test]
    fn replaces_a_file_in_one_step_and_sets_the_whole_mode() {
        let (_temp, dir) = sample();
        dir.make_dirs("a/b", 0o755).unwrap();
        dir.replace_file("a/b/c", b"one", 0o600).unwrap();
        dir.replace_file("a/b/c", b"two", 0o666).unwrap();
        assert_eq!(dir.read("a/b/c", 10).unwrap(), b"two");
        assert_eq!(dir.meta("a/b/c").unwrap().unwrap().mode, 0o666);
        assert_eq!(dir.dir("a/b").unwrap().names().unwrap(), ["c"]);
        assert!(dir.read("a/b/c", 2).is_err(), "longer than the limit");
    }

    #[test]
    fn missing_is_not_an_error_where_it_is_an_answer() {
        let (_temp, dir) = sample();
        assert_eq!(dir.meta("nothing").unwrap(), None);
        assert_eq!(dir.meta("no/where").unwrap(), None);
        dir.remove_file("nothing").unwrap();
    }
}
