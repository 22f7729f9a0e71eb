//! A file, directory or link held by its inode: what was looked at is what is changed, whatever
//! somebody does with names meanwhile.

use super::{Dir, Kind, Meta, Result, Time};
use crate::error::FsError;
use rustix::fs::{AtFlags, CWD, FileType, Gid, Mode, OFlags, Uid};
use rustix::io::Errno;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};

/// One thing in a tree, held without opening it for reading or writing.
#[derive(Debug)]
pub struct Pinned {
    fd: OwnedFd,
    path: PathBuf,
    /// What it was when it was pinned; kind and inode cannot change, the rest can.
    pub meta: Meta,
}

impl Dir {
    /// Holds `name` itself, also where it is a link; nothing when it does not exist. An empty name
    /// is this directory.
    pub fn pin(&self, name: impl AsRef<Path>) -> Result<Option<Pinned>> {
        let name = name.as_ref();
        let path = self.path.join(name);
        let name = if name.as_os_str().is_empty() { Path::new(".") } else { name };
        let fd = match self.raw_open(name, OFlags::PATH, 0) {
            Ok(fd) => fd,
            Err(Errno::NOENT) => return Ok(None),
            Err(error) => return Err(FsError::new("look at", path, error)),
        };
        let stat = rustix::fs::fstat(&fd).map_err(|error| FsError::new("look at", &path, error))?;
        Ok(Some(Pinned { fd, path, meta: meta_of(&stat) }))
    }
}

impl Pinned {
    /// Gives it to another owner and group.
    pub fn set_owner(&self, uid: u32, gid: u32) -> Result<()> {
        let (uid, gid) = (Uid::from_raw(uid), Gid::from_raw(gid));
        // An empty path with this flag is the descriptor itself.
        rustix::fs::chownat(&self.fd, "", Some(uid), Some(gid), AtFlags::EMPTY_PATH)
            .map_err(|error| FsError::new("set the owner of", &self.path, error))
    }

    /// Sets its permission bits; a link is refused.
    pub fn set_mode(&self, mode: u32) -> Result<()> {
        chmod_opened(&self.fd, mode)
            .map_err(|error| FsError::new("set the mode of", &self.path, error))
    }

    /// Tells whether it is a plain file that has another name somewhere.
    pub fn has_second_name(&self) -> bool {
        self.meta.kind == Kind::File && self.meta.links > 1
    }
}

/// What `fstat` told of something.
pub(super) fn meta_of(stat: &rustix::fs::Stat) -> Meta {
    Meta {
        kind: kind_of_type(FileType::from_raw_mode(stat.st_mode)),
        mode: stat.st_mode & 0o7777,
        size: u64::try_from(stat.st_size).unwrap_or_default(),
        uid: stat.st_uid,
        gid: stat.st_gid,
        links: stat.st_nlink,
        changed: Time {
            seconds: stat.st_mtime,
            nanoseconds: u32::try_from(stat.st_mtime_nsec).unwrap_or_default(),
        },
    }
}

/// What the kernel's type of something is to us.
pub(super) fn kind_of_type(of: FileType) -> Kind {
    match of {
        FileType::RegularFile => Kind::File,
        FileType::Directory => Kind::Directory,
        FileType::Symlink => Kind::Link,
        _ => Kind::Other,
    }
}

/// Sets the permission bits of what a descriptor holds, which may be one without any right.
pub(super) fn chmod_opened(fd: &OwnedFd, mode: u32) -> std::result::Result<(), Errno> {
    use std::os::fd::AsRawFd;
    let stat = rustix::fs::fstat(fd)?;
    if FileType::from_raw_mode(stat.st_mode) == FileType::Symlink {
        return Err(Errno::LOOP);
    }
    let path = format!("/proc/self/fd/{}", fd.as_raw_fd());
    rustix::fs::chmodat(CWD, path, Mode::from_raw_mode(mode), AtFlags::empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_pinned_stays_when_its_name_goes_elsewhere() {
        let temp = tempfile::tempdir().unwrap();
        let dir = Dir::open(temp.path()).unwrap();
        dir.write_new("a", b"", 0o600).unwrap();
        dir.write_new("secret", b"", 0o600).unwrap();
        let pinned = dir.pin("a").unwrap().unwrap();
        dir.rename("a", &dir, "b").unwrap();
        dir.make_link("a", "secret").unwrap();
        pinned.set_mode(0o644).unwrap();
        assert_eq!(dir.meta("b").unwrap().unwrap().mode, 0o644);
        assert_eq!(dir.meta("secret").unwrap().unwrap().mode, 0o600);
        let link = dir.pin("a").unwrap().unwrap();
        assert_eq!(link.meta.kind, Kind::Link);
        assert!(link.set_mode(0o777).is_err());
        assert!(dir.pin("none").unwrap().is_none());
        dir.make_link("door", "/").unwrap();
        assert!(dir.pin("door/etc").is_err());
        assert!(dir.pin("../x").is_err());
        assert_eq!(dir.pin("").unwrap().unwrap().meta.kind, Kind::Directory);
    }
}
