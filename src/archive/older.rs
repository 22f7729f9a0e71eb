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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::archive::{Kind, Links, Modes, Options, Strip, import, unpack_stream, unpack_zip};
    use crate::config;
    use crate::package::file_table::{Content, FileTable};
    use crate::progress::Nobody;
    use std::io::Write;

    const CLUE: &str = "m/clue";

    struct World {
        _temp: tempfile::TempDir,
        older: Dir,
        around: Dir,
    }

    /// An older tree in which these files have these contents, without write bits.
    fn world(files: &[(&str, &[u8])]) -> World {
        let temp = tempfile::tempdir().unwrap();
        let around = Dir::open(temp.path()).unwrap();
        around.make_dir("older", 0o755).unwrap();
        let older = around.dir("older").unwrap();
        put(&older, files);
        World { _temp: temp, older, around }
    }

    fn put(dir: &Dir, files: &[(&str, &[u8])]) {
        for (path, bytes) in files {
            if let Some((folder, _)) = path.rsplit_once('/') {
                dir.make_dirs(folder, 0o755).unwrap();
            }
            dir.write_new(path, bytes, 0o444).unwrap();
            dir.set_mode(path, 0o444).unwrap();
        }
    }

    impl World {
        /// Fills a new directory `name` while the older tree is found by `find`.
        fn fill(
            &self,
            name: &str,
            find: Find<'_>,
            fill: impl FnOnce(&Dir, &Options<'_>) -> FileTable,
        ) -> (Dir, FileTable) {
            self.around.make_dir(name, 0o755).unwrap();
            let into = self.around.dir(name).unwrap();
            let (limits, older) = (config::Archive::default(), Older::new(CLUE, find));
            let options = Options {
                limits: &limits,
                links: Links::Contained,
                modes: Modes::ReadOnly,
                strip: Strip::SingleTop,
                older: Some(&older),
            };
            let table = fill(&into, &options);
            (into, table)
        }

        fn is_linked(&self, into: &Dir, path: &str) -> bool {
            let inode = |dir: &Dir| dir.open_file(path).unwrap().metadata().unwrap().ino();
            inode(&self.older) == inode(into)
        }
    }

    fn tar(files: &[(&str, &[u8])]) -> Vec<u8> {
        let mut archive = ::tar::Builder::new(Vec::new());
        for (path, bytes) in files {
            let mut header = ::tar::Header::new_ustar();
            header.set_size(bytes.len() as u64);
            header.set_mode(0o644);
            archive.append_data(&mut header, format!("top/{path}"), *bytes).unwrap();
        }
        archive.into_inner().unwrap()
    }

    fn zip(files: &[(&str, &[u8])]) -> std::fs::File {
        let mut archive = ::zip::ZipWriter::new(tempfile::tempfile().unwrap());
        for (path, bytes) in files {
            let options = ::zip::write::SimpleFileOptions::default().unix_permissions(0o644);
            archive.start_file(format!("top/{path}"), options).unwrap();
            archive.write_all(bytes).unwrap();
        }
        archive.finish().unwrap()
    }

    #[test]
    fn the_tree_is_the_same_whatever_the_older_one_holds() {
        let long: Vec<u8> = (0..700_000u32).map(|n| n.to_le_bytes()[n as usize % 3]).collect();
        let mut late = long.clone();
        late[699_999] ^= 1;
        let mut early = long.clone();
        early[0] ^= 1;
        let new: &[(&str, &[u8])] = &[
            (CLUE, b"clue"),
            ("a/empty", b""),
            ("a/same", b"text"),
            ("a/other", b"text"),
            ("a/longer", b"text"),
            ("a/mode", b"text"),
            ("a/link", b"text"),
            ("b/long", &long),
            ("b/late", &long),
            ("b/early", &long),
            ("c/new", b"text"),
        ];
        let old: &[(&str, &[u8])] = &[
            (CLUE, b"old clue"),
            ("a/empty", b""),
            ("a/same", b"text"),
            ("a/other", b"texT"),
            ("a/longer", b"text and more"),
            ("a/mode", b"text"),
            ("b/long", &long),
            ("b/late", &late),
            ("b/early", &early),
        ];
        let linked = ["a/empty", "a/same", "b/long"];
        let world = world(old);
        world.older.set_mode("a/mode", 0o555).unwrap();
        world.older.make_link("a/link", "same").unwrap();
        let find = |clue: &[u8]| (clue == b"clue").then(|| world.older.again().unwrap());
        let from = tempfile::tempdir().unwrap();
        let from = Dir::open(from.path()).unwrap();
        // In order of name: what comes before the clue cannot be linked.
        put(&from, new);
        let tables: Vec<FileTable> = ["tar", "zip", "directory", "none"]
            .map(|how| {
                let (into, table) = world.fill(how, &find, |into, options| match how {
                    "tar" => {
                        let packed = tar(new);
                        unpack_stream(Kind::Tar, &mut &packed[..], into, options, &Nobody).unwrap()
                    }
                    "zip" => unpack_zip(&zip(new), into, options, &Nobody).unwrap(),
                    "directory" => {
                        options.older.unwrap().tell(b"clue");
                        import(&from, into, options, &Nobody).unwrap()
                    }
                    _ => {
                        options.older.unwrap().is(None);
                        import(&from, into, options, &Nobody).unwrap()
                    }
                });
                for (path, bytes) in new {
                    assert!(into.read(path, 1 << 20).unwrap() == *bytes, "{how}: {path}");
                    assert_eq!(into.meta(path).unwrap().unwrap().mode, 0o444, "{how}: {path}");
                    if !matches!(*path, "a/link" | "c/new") {
                        let expected = how != "none" && linked.contains(path);
                        assert_eq!(world.is_linked(&into, path), expected, "{how}: {path}");
                    }
                }
                table
            })
            .to_vec();
        assert!(tables.iter().all(|table| *table == tables[0]));
        let digest = |path: &str| match &tables[0].get(path).unwrap().content {
            Content::File { sha256, .. } => *sha256,
            other => panic!("{other:?}"),
        };
        assert_eq!(digest("a/same"), digest("c/new"), "hashed, linked or not");
        // Nothing was written through a second name.
        for (path, bytes) in old {
            assert!(world.older.read(path, 1 << 20).unwrap() == *bytes, "{path}");
        }
    }

    #[test]
    fn an_older_tree_that_goes_away_costs_nothing_but_time() {
        let files: &[(&str, &[u8])] = &[("a/same", b"text")];
        let world = world(files);
        let gone = world.around.dir("older").unwrap();
        world.around.rename("older", &world.around, "elsewhere").unwrap();
        crate::sys::tree::remove(&world.around, "elsewhere").unwrap();
        let (into, _) = world.fill("new", &|_| None, |into, options| {
            options.older.unwrap().is(Some(gone));
            unpack_stream(Kind::Tar, &mut &tar(files)[..], into, options, &Nobody).unwrap()
        });
        assert_eq!(into.read("a/same", 9).unwrap(), b"text");
    }
}
