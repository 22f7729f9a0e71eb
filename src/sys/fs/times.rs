//! When things were last changed, to the nanosecond, and setting it: what is put back is put back
//! with its time.

use super::{Dir, Result};
use rustix::fs::{AtFlags, Timespec, Timestamps, UTIME_OMIT};
use std::os::fd::AsFd;
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
        Ok(self.meta(name)?.map(|meta| meta.changed))
    }

    /// Says when `name` was last changed. An empty name is this directory.
    pub fn set_changed(&self, name: impl AsRef<Path>, time: Time) -> Result<()> {
        let name = name.as_ref();
        let times = timestamps(time);
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

/// Says when an open file was last changed.
pub fn set_changed(file: &impl AsFd, time: Time) -> std::io::Result<()> {
    Ok(rustix::fs::futimens(file, &timestamps(time))?)
}

fn timestamps(time: Time) -> Timestamps {
    Timestamps {
        last_access: Timespec { tv_sec: 0, tv_nsec: UTIME_OMIT },
        last_modification: Timespec { tv_sec: time.seconds, tv_nsec: i64::from(time.nanoseconds) },
    }
}
