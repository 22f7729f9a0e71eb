//! Putting files and directories into the tree that is being filled.
//!
//! Every file is made anew (`O_EXCL`, no link followed, nothing above the root reachable) with its
//! final mode in the same call, hashed while it is written, and never opened again for writing.

use super::error::ArchiveError;
use super::top::{self, Top};
use super::{Modes, Options};
use crate::error::FsError;
use crate::package::digest::Sha256;
use crate::sys::fs::{Dir, set_modified};
use crate::sys::path::RelPath;
use sha2::Digest;
use std::collections::HashMap;
use std::fs::File;
use std::io::Write;
use std::os::unix::fs::MetadataExt;

/// How many parent directories are held open; archives come in order of directory.
const HELD_OPEN: usize = 32;

/// The tree that is being filled. Each thread has its own, see [`Place::again`].
pub(super) struct Place<'a> {
    into: &'a Dir,
    modes: Modes,
    wrote: &'a (dyn Fn(u64) + Sync),
    /// Whether something (a umask, a default ACL) takes bits away from what is new; found out with
    /// the first directory.
    masked: Option<bool>,
    top: Top,
    open: HashMap<String, Dir>,
}

impl<'a> Place<'a> {
    /// Prepares to fill `into`; `wrote` is told of every length written.
    pub(super) fn new(
        into: &'a Dir,
        options: &Options<'_>,
        wrote: &'a (dyn Fn(u64) + Sync),
    ) -> Self {
        let (modes, top) = (options.modes, Top::of(options));
        Self { into, modes, wrote, masked: None, top, open: HashMap::new() }
    }

    /// The same place for another thread.
    pub(super) fn again(&self) -> Self {
        let Self { into, modes, wrote, masked, .. } = *self;
        Self { into, modes, wrote, masked, top: self.top.clone(), open: HashMap::new() }
    }

    /// The directory that is being filled.
    pub(super) fn root(&self) -> &'a Dir {
        self.into
    }

    /// Tells whether what lies in the folder `top` has been put one level higher.
    pub(super) fn has_lifted(&self, top: &str) -> bool {
        matches!(&self.top, Top::Lifted(lifted) if lifted == top)
    }

    /// Puts everything where the archive has it; directories may be moved after this.
    pub(super) fn settle(&mut self) -> Result<(), FsError> {
        self.open.clear();
        if let Top::Lifted(top) = std::mem::replace(&mut self.top, Top::Settled) {
            top::settle(self.into, &top)?;
        }
        Ok(())
    }

    /// Takes notice of an entry that is no directory before it is made.
    pub(super) fn meet(&mut self, path: &RelPath) -> Result<(), FsError> {
        if self.top.meet(path) { self.settle() } else { Ok(()) }
    }

    /// The opened directory in which `spot` lies, and its name there.
    fn holder<'p>(&mut self, spot: &'p str) -> Result<(&Dir, &'p str), FsError> {
        let Some((parent, name)) = spot.rsplit_once('/') else {
            return Ok((self.into, spot));
        };
        if !self.open.contains_key(parent) {
            if self.open.len() >= HELD_OPEN {
                self.open.clear();
            }
            self.open.insert(parent.to_owned(), self.into.dir(parent)?);
        }
        Ok((self.open.get(parent).unwrap_or(self.into), name))
    }

    /// Makes the directories `paths`, each after those that lead to it.
    pub(super) fn make_dirs(&mut self, paths: &[RelPath]) -> Result<(), FsError> {
        for path in paths {
            if self.top.meet_directory(path) {
                self.settle()?;
            }
            let Some(spot) = self.top.spot(path.as_str()) else { continue };
            let known = self.masked;
            let (holder, name) = self.holder(spot)?;
            holder.make_dir(name, 0o755)?;
            let masked = match known {
                Some(masked) => masked,
                None => holder.meta(name)?.is_none_or(|meta| meta.mode & 0o777 != 0o755),
            };
            if masked {
                holder.set_mode(name, 0o755)?;
            }
            self.masked = Some(masked);
        }
        Ok(())
    }

    /// Gives the directory `path` of the finished tree its last mode. Many are still open.
    pub(super) fn set_mode(&self, path: &RelPath, mode: u32) -> Result<(), FsError> {
        match self.open.get(path.as_str()) {
            Some(open) => open.set_mode("", mode),
            None => self.into.set_mode(path, mode),
        }
    }

    /// Makes the file `path`, which must not exist.
    pub(super) fn create<'p>(
        &mut self,
        path: &'p RelPath,
        executable: bool,
    ) -> Result<Output<'p>, FsError>
    where
        'a: 'p,
    {
        let mode = self.modes.of_file(path, executable);
        self.meet(path)?;
        let (masked, into, wrote) = (self.masked.unwrap_or(true), self.into, self.wrote);
        let (holder, name) = self.holder(self.top.spot(path.as_str()).unwrap_or_default())?;
        let file = holder.create_file(name, mode)?;
        if masked {
            holder.set_mode(name, mode)?;
        }
        Ok(Output { file, hash: sha2::Sha256::new(), size: 0, into, path, wrote })
    }

    /// Makes the file `path` with the content and the time of `from`, a file made before.
    pub(super) fn copy(
        &mut self,
        from: &RelPath,
        path: &RelPath,
        executable: bool,
    ) -> Result<(), FsError> {
        let fail = |error| FsError::new("copy", self.into.path_of(from), error);
        self.meet(path)?;
        let mut source = self.into.open_file(self.top.spot(from.as_str()).unwrap_or_default())?;
        let modified = source.metadata().map_err(fail)?.mtime();
        let mut copy = self.create(path, executable)?.file;
        let fail = |error| FsError::new("copy", self.into.path_of(from), error);
        let length = std::io::copy(&mut source, &mut copy).map_err(fail)?;
        set_modified(&copy, modified).map_err(fail)?;
        (self.wrote)(length);
        Ok(())
    }
}

impl Modes {
    /// The permission bits that the file `path` gets on disk.
    fn of_file(self, path: &RelPath, executable: bool) -> u32 {
        match (self.keeps_write(path), executable) {
            (true, true) => 0o755,
            (true, false) => 0o644,
            (false, true) => 0o555,
            (false, false) => 0o444,
        }
    }

    /// Whether the owner may write to `path`. While an archive is read nobody knows yet whether its
    /// top folder will be taken away, so the second part of a path counts, too.
    pub(super) fn keeps_write(self, path: &RelPath) -> bool {
        match self {
            Self::AsPacked => true,
            Self::ReadOnly => false,
            Self::ReadOnlyBut(folder) => path.as_str().split('/').take(2).any(|one| one == folder),
        }
    }
}

/// A new file on its way to disk.
pub(super) struct Output<'a> {
    file: File,
    hash: sha2::Sha256,
    size: u64,
    into: &'a Dir,
    path: &'a RelPath,
    wrote: &'a (dyn Fn(u64) + Sync),
}

impl Output<'_> {
    /// Appends `bytes`, in one call where the system takes them.
    pub(super) fn write(&mut self, bytes: &[u8]) -> Result<(), FsError> {
        self.file.write_all(bytes).map_err(|error| self.fail("write", error))?;
        self.hash.update(bytes);
        self.size += bytes.len() as u64;
        Ok(())
    }

    fn fail(&self, verb: &'static str, error: std::io::Error) -> FsError {
        FsError::new(verb, self.into.path_of(self.path), error)
    }

    /// Ends the file: its time of change is set (seconds since 1970), its digest returned.
    pub(super) fn finish(self, modified: i64) -> Result<Sha256, ArchiveError> {
        set_modified(&self.file, modified).map_err(|error| self.fail("set the time of", error))?;
        (self.wrote)(self.size);
        Ok(Sha256(self.hash.finalize().into()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::archive::{Links, Strip};
    use crate::config;

    fn options(limits: &config::Archive, modes: Modes) -> Options<'_> {
        Options { limits, links: Links::Contained, modes, strip: Strip::Nothing }
    }

    #[test]
    fn one_folder_keeps_the_write_bits_of_its_owner() {
        let modes = Modes::ReadOnlyBut("usr");
        for (path, file, script) in [
            ("usr/share/x", 0o644, 0o755),
            ("top/usr/x", 0o644, 0o755),
            ("bin/x", 0o444, 0o555),
            ("a/b/usr/x", 0o444, 0o555),
            ("usrs/x", 0o444, 0o555),
        ] {
            let path = RelPath::parse(path).unwrap();
            assert_eq!([modes.of_file(&path, false), modes.of_file(&path, true)], [file, script]);
        }
    }

    #[test]
    fn files_are_new_have_their_mode_and_are_hashed() {
        let temp = tempfile::tempdir().unwrap();
        let into = Dir::open(temp.path()).unwrap();
        let path = |text| RelPath::parse(text).unwrap();
        let (sum, nothing) = (std::sync::atomic::AtomicU64::new(0), Sha256([0; 32]));
        let wrote = |bytes| {
            sum.fetch_add(bytes, std::sync::atomic::Ordering::Relaxed);
        };
        let limits = config::Archive::default();
        let mut place = Place::new(&into, &options(&limits, Modes::ReadOnly), &wrote);
        // As under a umask that takes bits away.
        place.masked = Some(true);
        place.make_dirs(&[path("d"), path("d/e")]).unwrap();
        for executable in [false, true] {
            let file = path(if executable { "d/e/tool" } else { "d/e/file" });
            let mut output = place.create(&file, executable).unwrap();
            output.write(b"te").unwrap();
            output.write(b"xt").unwrap();
            assert_ne!(output.finish(-5).unwrap(), nothing);
            let mode = into.meta(&file).unwrap().unwrap().mode;
            assert_eq!(mode, if executable { 0o555 } else { 0o444 });
            assert!(place.create(&file, executable).is_err(), "never over another file");
        }
        place.copy(&path("d/e/tool"), &path("copy"), true).unwrap();
        assert_eq!(into.read("copy", 10).unwrap(), b"text");
        let time = into.open_file("copy").unwrap().metadata().unwrap().mtime();
        assert_eq!(time, -5);
        assert_eq!(into.meta("d/e").unwrap().unwrap().mode, 0o755);
        assert_eq!(sum.into_inner(), 12);
    }

    #[test]
    fn a_link_that_stands_in_the_way_is_not_followed() {
        let temp = tempfile::tempdir().unwrap();
        let outer = Dir::open(temp.path()).unwrap();
        outer.make_dir("into", 0o755).unwrap();
        let into = outer.dir("into").unwrap();
        let limits = config::Archive::default();
        let mut place = Place::new(&into, &options(&limits, Modes::AsPacked), &|_| {});
        into.make_link("door", "..").unwrap();
        into.make_link("file", "../new").unwrap();
        for name in ["door/x", "file"] {
            assert!(place.create(&RelPath::parse(name).unwrap(), false).is_err(), "{name}");
        }
        assert_eq!(outer.names().unwrap(), ["into"]);
    }
}
