//! When things were last changed, to the nanosecond, and setting it: what is put back is put back
//! with its time.

use super::{Dir, Result};
use rustix::fs::{AtFlags, Timespec, Timestamps, UTIME_OMIT};
use rustix::io::Errno;
use std::path::Path;

/// A time of change.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize,
)]
pub struct Time {
    /// Seconds since 1970.
    pub seconds: i64,
    /// And nanoseconds.
    pub nanoseconds: u32,
}

impl Dir {
    /// When `name` itself was last changed, also where it is a link; nothing when it does not exist.
    /// An empty name is this directory.
    pub fn changed(&self, name: impl AsRef<Path>) -> Result<Option<Time>> {
        let name = name.as_ref();
        let stat = if name.as_os_str().is_empty() {
            rustix::fs::fstat(&self.fd)
        } else {
            self.holder(name).and_then(|(holder, last)| {
                rustix::fs::statat(holder.as_fd(), last, AtFlags::SYMLINK_NOFOLLOW)
            })
        };
        match stat {
            Ok(stat) => Ok(Some(Time {
                seconds: stat.st_mtime,
                nanoseconds: u32::try_from(stat.st_mtime_nsec).unwrap_or_default(),
            })),
            Err(Errno::NOENT | Errno::NOTDIR) => Ok(None),
            Err(error) => self.fail("look at", name, Err(error)),
        }
    }

    /// Says when `name` was last changed. An empty name is this directory.
    pub fn set_changed(&self, name: impl AsRef<Path>, time: Time) -> Result<()> {
        let name = name.as_ref();
        let times = Timestamps {
            last_access: Timespec { tv_sec: 0, tv_nsec: UTIME_OMIT },
            last_modification: Timespec {
                tv_sec: time.seconds,
                tv_nsec: i64::from(time.nanoseconds),
            },
        };
        let done = if name.as_os_str().is_empty() {
            rustix::fs::futimens(&self.fd, &times)
        } else {
            self.holder(name).and_then(|(holder, last)| {
                rustix::fs::utimensat(holder.as_fd(), last, &times, AtFlags::SYMLINK_NOFOLLOW)
            })
        };
        self.fail("set the time of", name, done)
    }
}
