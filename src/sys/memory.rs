//! A file that exists in memory alone, and is passed on to the program that this one becomes.

use rustix::fs::{MemfdFlags, memfd_create};
use std::fs::File;
use std::io::Write;
use std::os::fd::AsRawFd;
use std::path::PathBuf;

/// A file in memory; it outlives `exec`.
pub struct MemoryFile(File);

impl MemoryFile {
    /// Makes one with that content.
    pub fn new(name: &str, text: &str) -> std::io::Result<Self> {
        let mut file = File::from(memfd_create(name, MemfdFlags::empty())?);
        file.write_all(text.as_bytes())?;
        Ok(Self(file))
    }

    /// Where this process, and what it becomes, can open it by path.
    pub fn path(&self) -> PathBuf {
        PathBuf::from(format!("/proc/self/fd/{}", self.0.as_raw_fd()))
    }
}

#[cfg(test)]
mod tests {
    use super::MemoryFile;

    #[test]
    fn it_is_read_by_its_path_as_often_as_one_likes() {
        let file = MemoryFile::new("settings", "one\ntwo\n").unwrap();
        for _ in 0..2 {
            assert_eq!(crate::sys::fs::read_text(&file.path()).unwrap(), "one\ntwo\n");
        }
    }
}
