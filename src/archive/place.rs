//! Putting files and directories into the tree that is being filled.
//!
//! Every file is made anew (`O_EXCL`, no link followed, nothing above the root reachable) with its
//! final mode in the same call, hashed while it is written, and never opened again for writing; or
//! it is a new name of a file of an older tree that was found the same.

mod output;

use super::older::{Shelf, Twin};
use super::top::{self, Top};
use super::{Modes, Options};
use crate::error::FsError;
use crate::sys::fs::{Dir, Kind, Meta, Time, set_modified};
use crate::sys::host;
use crate::sys::path::RelPath;
use output::{Body, Output};
use sha2::Digest;
use std::collections::HashMap;
use std::fs::File;
use std::os::unix::fs::MetadataExt;

/// How many parent directories are held open; archives come in order of directory.
const HELD_OPEN: usize = 32;
/// The longest file by which an older tree is found, in bytes.
const LONGEST_CLUE: u64 = 1 << 20;

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
    shelf: Shelf<'a>,
    /// Who owns what is new here, once somebody has asked.
    owner: Option<(u32, u32)>,
    scratch: Vec<u8>,
}

impl<'a> Place<'a> {
    /// Prepares to fill `into`; `wrote` is told of every length written.
    pub(super) fn new(
        into: &'a Dir,
        options: &Options<'a>,
        wrote: &'a (dyn Fn(u64) + Sync),
    ) -> Self {
        Self {
            into,
            modes: options.modes,
            wrote,
            masked: None,
            top: Top::of(options),
            open: HashMap::new(),
            shelf: Shelf::new(options.older),
            owner: None,
            scratch: Vec::new(),
        }
    }

    /// The same place for another thread.
    pub(super) fn again(&self) -> Self {
        Self {
            into: self.into,
            modes: self.modes,
            wrote: self.wrote,
            masked: self.masked,
            top: self.top.clone(),
            open: HashMap::new(),
            shelf: self.shelf.again(),
            owner: self.owner,
            scratch: Vec::new(),
        }
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

    /// Begins the file `path` of `size` bytes, which must not exist.
    pub(super) fn create<'p>(
        &'p mut self,
        path: &'p RelPath,
        mode: u32,
        size: u64,
    ) -> Result<Output<'p, 'a>, FsError> {
        let mode = self.modes.of_file(path, mode);
        self.meet(path)?;
        let body = match self.twin(path, mode, size)? {
            Some(twin) => Body::Same(twin),
            None => Body::New(self.new_file(path, mode)?),
        };
        Ok(Output { place: self, path, mode, body: Some(body), hash: sha2::Sha256::new(), size: 0 })
    }

    fn new_file(&mut self, path: &RelPath, mode: u32) -> Result<File, FsError> {
        let masked = self.masked.unwrap_or(true);
        let (holder, name) = self.holder_of(path)?;
        let file = holder.create_file(name, mode)?;
        if masked {
            holder.set_mode(name, mode)?;
        }
        Ok(file)
    }

    /// The opened directory in which the entry `path` lies, and its name there.
    fn holder_of<'p>(&mut self, path: &'p RelPath) -> Result<(&Dir, &'p str), FsError> {
        let spot = self.top.spot(path.as_str()).unwrap_or_default();
        self.holder(spot)
    }

    /// The file of the older tree that `path` may turn out to be.
    fn twin(&mut self, path: &RelPath, mode: u32, size: u64) -> Result<Option<Twin>, FsError> {
        let Some(spot) = self.top.spot(path.as_str()) else { return Ok(None) };
        // What its owner may write to is shared only where gears are somebody else: those of an
        // ordinary user run as the owner, and a change would be one of both trees.
        let is_shared = mode & 0o200 == 0 || host::is_root();
        if !is_shared || self.shelf.holder(spot).is_none() {
            return Ok(None);
        }
        let (uid, gid) = match self.owner {
            Some(owner) => owner,
            None => self.into.meta("")?.map_or((0, 0), |meta| (meta.uid, meta.gid)),
        };
        self.owner = Some((uid, gid));
        // When it was changed is not asked of a twin.
        let changed = Time { seconds: 0, nanoseconds: 0 };
        let like = Meta { kind: Kind::File, mode, size, uid, gid, links: 1, changed };
        Ok(self.shelf.twin(spot, like))
    }

    /// Gives the older file that was found the same the new name `path`; tells whether it could.
    fn link(&mut self, path: &RelPath) -> Result<bool, FsError> {
        let mut shelf = std::mem::replace(&mut self.shelf, Shelf::new(None));
        let Some(spot) = self.top.spot(path.as_str()) else { return Ok(false) };
        let (Some((from, old_name)), (into, name)) = (shelf.holder(spot), self.holder(spot)?)
        else {
            return Ok(false);
        };
        match from.make_hard_link(old_name, into, name) {
            Ok(()) => {
                self.shelf = shelf;
                Ok(true)
            }
            Err(error) if error.is_already_there() => Err(error),
            // On another filesystem, or one without links, the next one would fail as well; a file
            // that has as many names as it can have is rare enough.
            Err(_) => Ok(false),
        }
    }

    /// Shows the finished file `path` to whoever finds the older tree by it.
    fn show(&mut self, path: &RelPath) -> Result<(), FsError> {
        let Some(spot) = self.top.spot(path.as_str()) else { return Ok(()) };
        if let Some(older) = self.shelf.wanting(spot) {
            let (holder, name) = self.holder(spot)?;
            // What is too long to be a clue is none, and will be told of by whoever reads it.
            older.tell(&holder.read(name, LONGEST_CLUE).unwrap_or_default());
        }
        Ok(())
    }

    /// Makes the file `path` with the content and the time of `from`, a file made before.
    pub(super) fn copy(
        &mut self,
        from: &RelPath,
        path: &RelPath,
        mode: u32,
    ) -> Result<(), FsError> {
        let fail = |error| FsError::new("copy", self.into.path_of(from), error);
        self.meet(path)?;
        let mut source = self.into.open_file(self.top.spot(from.as_str()).unwrap_or_default())?;
        let modified = source.metadata().map_err(fail)?.mtime();
        let mut copy = self.new_file(path, self.modes.of_file(path, mode))?;
        let fail = |error| FsError::new("copy", self.into.path_of(from), error);
        let length = std::io::copy(&mut source, &mut copy).map_err(fail)?;
        set_modified(&copy, modified).map_err(fail)?;
        (self.wrote)(length);
        Ok(())
    }
}

impl Modes {
    /// The permission bits that the table has of a file that was packed with `mode`.
    pub(super) fn recorded(self, mode: u32) -> u32 {
        match self {
            Self::Exact | Self::Kept | Self::ExactReadOnly => mode & 0o777 | 0o400,
            _ if mode & 0o100 != 0 => 0o755,
            _ => 0o644,
        }
    }

    /// The permission bits that the file `path`, packed with `mode`, gets on disk.
    fn of_file(self, path: &RelPath, mode: u32) -> u32 {
        let write = if self.keeps_write(path) { 0o777 } else { 0o555 };
        self.recorded(mode) & write
    }

    /// Whether the owner may write to `path`. While an archive is read nobody knows yet whether its
    /// top folder will be taken away, so the second part of a path counts, too.
    pub(super) fn keeps_write(self, path: &RelPath) -> bool {
        match self {
            Self::AsPacked | Self::Exact | Self::Kept => true,
            Self::ReadOnly | Self::ExactReadOnly => false,
            Self::ReadOnlyBut(folder) => path.as_str().split('/').take(2).any(|one| one == folder),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::archive::{Links, Strip};
    use crate::config;
    use crate::package::digest::Sha256;

    fn options(limits: &config::Archive, modes: Modes) -> Options<'_> {
        Options { limits, links: Links::Contained, modes, strip: Strip::Nothing, older: None }
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
            assert_eq!([0o600, 0o4711].map(|mode| modes.of_file(&path, mode)), [file, script]);
        }
    }

    #[test]
    fn exact_modes_lose_what_gives_rights_and_nothing_else() {
        let path = RelPath::parse("x").unwrap();
        for (packed, mode, read_only) in [
            (0o600, 0o600, 0o400),
            (0o4755, 0o755, 0o555),
            (0o2070, 0o470, 0o450),
            (0, 0o400, 0o400),
        ] {
            assert_eq!(Modes::Exact.recorded(packed), mode);
            assert_eq!(Modes::Exact.of_file(&path, packed), mode);
            assert_eq!(Modes::ExactReadOnly.of_file(&path, packed), read_only);
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
            let packed = if executable { 0o755 } else { 0o644 };
            let mut output = place.create(&file, packed, 4).unwrap();
            output.write(b"te").unwrap();
            output.write(b"xt").unwrap();
            assert_ne!(output.finish(-5).unwrap(), nothing);
            let mode = into.meta(&file).unwrap().unwrap().mode;
            assert_eq!(mode, if executable { 0o555 } else { 0o444 });
            assert!(place.create(&file, packed, 4).is_err(), "never over another file");
        }
        place.copy(&path("d/e/tool"), &path("copy"), 0o755).unwrap();
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
            assert!(place.create(&RelPath::parse(name).unwrap(), 0o644, 0).is_err(), "{name}");
        }
        assert_eq!(outer.names().unwrap(), ["into"]);
    }
}
