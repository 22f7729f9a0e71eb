//! What this user may do with what is there.

use super::{Dir, Result};
use rustix::fs::{Access, AtFlags};
use rustix::io::Errno;
use std::path::Path;

impl Dir {
    /// Tells whether this user may make and remove things in the folder `path`, or in the one above
    /// it that is there.
    pub fn may_change(&self, path: impl AsRef<Path>) -> Result<bool> {
        let mut path = path.as_ref();
        loop {
            let asked = if path.as_os_str().is_empty() { Path::new(".") } else { path };
            let access = Access::WRITE_OK | Access::EXEC_OK;
            match rustix::fs::accessat(&self.fd, asked, access, AtFlags::EACCESS) {
                Ok(()) => return Ok(true),
                Err(Errno::NOENT) if path.parent().is_some() => {
                    path = path.parent().unwrap_or(Path::new(""));
                }
                Err(Errno::ACCESS | Errno::ROFS | Errno::PERM | Errno::NOTDIR) => return Ok(false),
                Err(error) => return self.fail("look at", path, Err(error)),
            }
        }
    }
}
