//! Making what was written durable.

use super::{Dir, Result};
use crate::error::FsError;
use std::thread::Builder;

impl Dir {
    /// Makes the names in this directory durable.
    pub fn sync(&self) -> Result<()> {
        rustix::fs::fsync(&self.fd).map_err(|error| FsError::new("sync", &self.path, error))
    }

    /// Makes everything on this directory's filesystem durable; reports write errors.
    pub fn sync_filesystem(&self) -> Result<()> {
        rustix::fs::syncfs(&self.fd).map_err(|error| FsError::new("sync", &self.path, error))
    }

    /// Lets the system begin with that, while other work goes on: who asks for it at the end has less
    /// to wait for. That one hears of write errors, too: the kernel tells each opened directory.
    pub fn begin_to_sync_filesystem(&self) {
        if let Ok(dir) = self.dir(".") {
            // Without a thread there is only more to wait for.
            let _ = Builder::new().spawn(move || dir.sync_filesystem());
        }
    }
}
