//! Open folders, for lists of paths in which neighbours share theirs; and which filesystems were
//! touched.

use super::fs::{Dir, Meta, Result};

/// Opens the folder of one path after the other.
#[derive(Debug)]
pub struct Folders<'a> {
    root: &'a Dir,
    now: Option<(String, Dir)>,
    devices: Vec<(u64, Dir)>,
}

impl<'a> Folders<'a> {
    /// Opens folders below `root`.
    pub fn new(root: &'a Dir) -> Self {
        Self { root, now: None, devices: Vec::new() }
    }

    /// The folder of `path`, and its name in it.
    pub fn at<'b, 'p>(&'b mut self, path: &'p str) -> Result<(&'b Dir, &'p str)> {
        let (parent, name) = path.rsplit_once('/').unwrap_or(("", path));
        if self.now.as_ref().is_none_or(|(open, _)| open != parent) {
            let dir = if parent.is_empty() { self.root.again()? } else { self.root.dir(parent)? };
            let device = dir.device()?;
            if !self.devices.iter().any(|(known, _)| *known == device) {
                self.devices.push((device, dir.again()?));
            }
            self.now = Some((parent.to_owned(), dir));
        }
        let dir = self.now.as_ref().map_or(self.root, |(_, dir)| dir);
        Ok((dir, name))
    }

    /// What is at `path`; nothing, too, where its folder is missing.
    pub fn meta(&mut self, path: &str) -> Result<Option<Meta>> {
        match self.at(path) {
            Ok((dir, name)) => dir.meta(name),
            Err(error) if is_no_folder(&error) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Tells whether the folder of `path` is there.
    pub fn reaches(&mut self, path: &str) -> Result<bool> {
        match self.at(path) {
            Ok(_) => Ok(true),
            Err(error) if is_no_folder(&error) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Makes every filesystem durable on which a folder was opened, except that of the state, which
    /// the transaction itself looks after.
    pub fn sync_beyond(&self, state: &Dir) -> Result<()> {
        let own = state.device()?;
        for (_, dir) in self.devices.iter().filter(|(device, _)| *device != own) {
            dir.sync_filesystem()?;
        }
        Ok(())
    }
}

fn is_no_folder(error: &crate::error::FsError) -> bool {
    use std::io::ErrorKind::{NotADirectory, NotFound};
    matches!(error.source.kind(), NotFound | NotADirectory)
}
