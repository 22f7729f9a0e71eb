//! What a format reads from.

use crate::error::FsError;
use crate::package::file_table::{Content, FileTable};
use crate::sys::fs::Dir;
use std::io::Read;

/// A package's files: their table, and their bytes on demand.
pub trait Tree {
    /// What there is.
    fn table(&self) -> &FileTable;
    /// Reads the regular file at `path`, at most `limit` bytes; a longer one is an error, and
    /// nothing comes back when there is no such file in the table.
    fn read(&self, path: &str, limit: u64) -> Result<Option<Vec<u8>>, FsError>;
    /// Reads the first `length` bytes of the regular file at `path`, or all there are; nothing when
    /// there is no such file in the table.
    fn head(&self, path: &str, length: u64) -> Result<Option<Vec<u8>>, FsError>;
    /// What its source calls it, for formats whose packages need not say their names themselves.
    fn called(&self) -> Called<'_> {
        Called::default()
    }
}

/// What the source of a tree calls it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Called<'a> {
    /// The name that somebody gave it for good.
    pub given: Option<&'a str>,
    /// The name of its folder, repository or archive.
    pub name: Option<&'a str>,
    /// The version that it was asked for.
    pub version: Option<&'a str>,
}

/// A tree with what its source calls it.
#[derive(Clone, Copy, Debug)]
pub struct Named<'a> {
    /// The tree.
    pub tree: Unpacked<'a>,
    /// Its names.
    pub called: Called<'a>,
}

impl Tree for Named<'_> {
    fn table(&self) -> &FileTable {
        self.tree.table()
    }

    fn read(&self, path: &str, limit: u64) -> Result<Option<Vec<u8>>, FsError> {
        self.tree.read(path, limit)
    }

    fn head(&self, path: &str, length: u64) -> Result<Option<Vec<u8>>, FsError> {
        self.tree.head(path, length)
    }

    fn called(&self) -> Called<'_> {
        self.called
    }
}

/// A tree on disk.
#[derive(Clone, Copy, Debug)]
pub struct Unpacked<'a> {
    /// Its directory.
    pub dir: &'a Dir,
    /// What is in it.
    pub table: &'a FileTable,
}

impl Unpacked<'_> {
    fn has_file(&self, path: &str) -> bool {
        let entry = self.table.get(path);
        entry.is_some_and(|entry| matches!(entry.content, Content::File { .. }))
    }
}

impl Tree for Unpacked<'_> {
    fn table(&self) -> &FileTable {
        self.table
    }

    fn read(&self, path: &str, limit: u64) -> Result<Option<Vec<u8>>, FsError> {
        if !self.has_file(path) {
            return Ok(None);
        }
        self.dir.read(path, limit).map(Some)
    }

    fn head(&self, path: &str, length: u64) -> Result<Option<Vec<u8>>, FsError> {
        if !self.has_file(path) {
            return Ok(None);
        }
        let file = self.dir.open_file(path)?;
        let mut bytes = Vec::new();
        file.take(length)
            .read_to_end(&mut bytes)
            .map_err(|error| FsError::new("read", self.dir.path_of(path), error))?;
        Ok(Some(bytes))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::package::digest::Sha256;
    use crate::package::file_table::Entry;
    use crate::sys::path::RelPath;

    #[test]
    fn only_regular_files_of_the_table_are_read() {
        let temp = tempfile::tempdir().unwrap();
        let dir = Dir::open(temp.path()).unwrap();
        dir.write_new("a", b"12345", 0o644).unwrap();
        dir.write_new("unlisted", b"x", 0o644).unwrap();
        dir.make_link("link", "a").unwrap();
        let entry = |path: &str, content| Entry {
            path: RelPath::parse(path).unwrap(),
            mode: 0o644,
            content,
        };
        let file = Content::File { size: 5, sha256: Sha256([0; 32]) };
        let table =
            FileTable::new(vec![entry("a", file), entry("link", Content::Link("a".into()))]);
        let tree = Unpacked { dir: &dir, table: &table };
        assert_eq!(tree.read("a", 5).unwrap().unwrap(), b"12345");
        assert!(tree.read("a", 4).is_err(), "a longer file is no shorter one");
        assert_eq!(tree.head("a", 2).unwrap().unwrap(), b"12");
        assert_eq!(tree.head("a", 20).unwrap().unwrap(), b"12345");
        for absent in ["link", "unlisted", "b"] {
            assert_eq!(tree.read(absent, 9).unwrap(), None);
            assert_eq!(tree.head(absent, 9).unwrap(), None);
        }
    }
}
