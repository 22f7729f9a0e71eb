//! An older tree of the same package, whose files are linked where they are needed again.
//!
//! Whether a file is the same is decided by its bytes, read beside the new ones while those come.
//! No record is believed: what somebody has changed on the disk since is simply another file, and
//! is written anew. The two names of a linked file have one owner, mode and time of change.

use crate::sys::fs::{Dir, Meta};
use std::collections::HashMap;
use std::fs::File;
use std::io::{Read, Seek, Take};
use std::os::unix::fs::MetadataExt;
use std::sync::OnceLock;

/// How many directories of the older tree are held open.
const HELD_OPEN: usize = 32;
/// How many bytes are compared at a time.
const PIECE: usize = 64 << 10;

/// Finds an older tree by the content of the clue.
type Find<'a> = &'a (dyn Fn(&[u8]) -> Option<Dir> + Sync);

/// An older tree of the package that is unpacked, known from the start or found on the way.
pub struct Older<'a> {
    tree: OnceLock<Option<Dir>>,
    clue: &'static str,
    find: Find<'a>,
}

impl<'a> Older<'a> {
    /// The tree that `find` finds, given the content of the file `clue` of the new tree.
    pub fn new(clue: &'static str, find: Find<'a>) -> Self {
        Self { tree: OnceLock::new(), clue, find }
    }

    /// Looks for the tree by the content of the clue, unless that was done already.
    pub fn tell(&self, content: &[u8]) {
        self.tree.get_or_init(|| (self.find)(content));
    }

    /// Says what the tree is, or that there is none.
    pub fn is(&self, tree: Option<Dir>) {
        self.tree.get_or_init(|| tree);
    }

    /// Tells whether the file at `path` of the finished tree would help.
    pub(super) fn wants(&self, path: &str) -> bool {
        path == self.clue && self.tree.get().is_none()
    }

    fn tree(&self) -> Option<&Dir> {
        self.tree.get()?.as_ref()
    }
}

impl std::fmt::Debug for Older<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Older").field("tree", &self.tree.get()).finish_non_exhaustive()
    }
}

/// One thread's view of the older tree.
pub(super) struct Shelf<'a> {
    older: Option<&'a Older<'a>>,
    /// By path; nothing where the older tree has no such directory.
    open: HashMap<String, Option<Dir>>,
}

impl<'a> Shelf<'a> {
    pub(super) fn new(older: Option<&'a Older<'a>>) -> Self {
        Self { older, open: HashMap::new() }
    }

    /// The same for another thread.
    pub(super) fn again(&self) -> Self {
        Self::new(self.older)
    }

    /// Who wants to see the file at `path` of the finished tree.
    pub(super) fn wanting(&self, path: &str) -> Option<&'a Older<'a>> {
        self.older.filter(|older| older.wants(path))
    }

    /// The opened directory of the older tree in which `path` would lie, and its name there.
    pub(super) fn holder<'p>(&mut self, path: &'p str) -> Option<(&Dir, &'p str)> {
        let tree = self.older?.tree()?;
        let Some((parent, name)) = path.rsplit_once('/') else { return Some((tree, path)) };
        if !self.open.contains_key(parent) {
            if self.open.len() >= HELD_OPEN {
                self.open.clear();
            }
            self.open.insert(parent.to_owned(), tree.dir(parent).ok());
        }
        Some((self.open.get(parent)?.as_ref()?, name))
    }

    /// The older file at `path`, if it may be the same as a new one that would be `like` this.
    pub(super) fn twin(&mut self, path: &str, like: Meta) -> Option<Twin> {
        let (holder, name) = self.holder(path)?;
        let file = holder.open_file(name).ok()?;
        let meta = file.metadata().ok()?;
        let fits = meta.is_file()
            && meta.size() == like.size
            && meta.mode() & 0o7777 == like.mode
            && (meta.uid(), meta.gid()) == (like.uid, like.gid);
        fits.then_some(Twin { file, size: like.size, same: 0 })
    }
}

/// An older file, compared with a new one while that comes.
pub(super) struct Twin {
    file: File,
    size: u64,
    /// How many bytes from the beginning are known to be the same.
    same: u64,
}

impl Twin {
    /// Tells whether the new file goes on as this one does; after a no it has to be written.
    pub(super) fn goes_on_with(&mut self, bytes: &[u8], scratch: &mut Vec<u8>) -> bool {
        scratch.resize(PIECE, 0);
        for piece in bytes.chunks(PIECE) {
            let Some(room) = scratch.get_mut(..piece.len()) else { return false };
            if self.file.read_exact(room).is_err() || room != piece {
                return false;
            }
        }
        self.same += bytes.len() as u64;
        true
    }

    /// Tells whether all of it was found the same.
    pub(super) fn is_whole(&self) -> bool {
        self.same == self.size
    }

    /// What is known to be the same, to be read from its beginning.
    pub(super) fn into_same(mut self) -> std::io::Result<Take<File>> {
        self.file.rewind()?;
        Ok(self.file.take(self.same))
    }
}
