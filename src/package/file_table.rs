//! The files of a tree: what they are, how long, and the digest of each.

use super::digest::Sha256;
use crate::sys::path::RelPath;
use sha2::Digest;

/// One entry of a tree.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Entry {
    /// Its path in the tree.
    pub path: RelPath,
    /// The permission bits that it has in a gear: 0644 or 0755 style, never more.
    pub mode: u32,
    /// What it is.
    pub content: Content,
}

/// What an entry is.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum Content {
    /// A directory.
    Directory,
    /// A regular file (a hard link of an archive is one more file with the same content).
    File {
        /// Its length in bytes.
        size: u64,
        /// The digest of its bytes.
        sha256: Sha256,
    },
    /// A symbolic link, with its target as it is stored.
    Link(String),
}

/// The entries of a tree, sorted by path, each path once.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(transparent)]
pub struct FileTable(Vec<Entry>);

impl FileTable {
    /// Sorts `entries` into a table; of entries with the same path the last one stays.
    pub fn new(mut entries: Vec<Entry>) -> Self {
        entries.sort_by(|a, b| a.path.cmp(&b.path));
        entries.reverse();
        entries.dedup_by(|a, b| a.path == b.path);
        entries.reverse();
        Self(entries)
    }

    /// The entries in order of path.
    pub fn entries(&self) -> &[Entry] {
        &self.0
    }

    /// The entry at `path`.
    pub fn get(&self, path: &str) -> Option<&Entry> {
        let at = self.0.binary_search_by(|entry| entry.path.as_str().cmp(path)).ok()?;
        self.0.get(at)
    }

    /// The total length of the files, in bytes.
    pub fn size(&self) -> u64 {
        let length = |entry: &Entry| match entry.content {
            Content::File { size, .. } => size,
            _ => 0,
        };
        self.0.iter().map(length).sum()
    }

    /// The digest of the whole tree: paths, modes, kinds and contents, so that equal trees, and
    /// only they, have equal digests.
    pub fn digest(&self) -> Sha256 {
        let mut hash = sha2::Sha256::new();
        for entry in &self.0 {
            hash.update(entry.path.as_str().as_bytes());
            hash.update([0]);
            hash.update(entry.mode.to_le_bytes());
            match &entry.content {
                Content::Directory => hash.update(b"d"),
                Content::File { sha256, .. } => {
                    hash.update(b"f");
                    hash.update(sha256.0);
                }
                Content::Link(target) => {
                    hash.update(b"l");
                    hash.update((target.len() as u64).to_le_bytes());
                    hash.update(target.as_bytes());
                }
            }
        }
        Sha256(hash.finalize().into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(path: &str, mode: u32, byte: u8) -> Entry {
        let content = Content::File { size: 1, sha256: Sha256([byte; 32]) };
        Entry { path: RelPath::parse(path).unwrap(), mode, content }
    }

    #[test]
    fn the_digest_sees_names_modes_and_contents_but_not_order() {
        let table = |entries: &[Entry]| FileTable::new(entries.to_vec()).digest();
        let (a, b) = (file("a", 0o644, 1), file("b", 0o644, 2));
        let whole = table(&[a.clone(), b.clone()]);
        assert_eq!(whole, table(&[b.clone(), a.clone()]));
        assert_ne!(whole, table(&[a.clone(), file("b", 0o755, 2)]));
        assert_ne!(whole, table(&[a.clone(), file("c", 0o644, 2)]));
        assert_ne!(whole, table(&[a, file("b", 0o644, 3)]));
        assert_ne!(whole, table(&[b]));
    }

    #[test]
    fn the_last_of_two_entries_with_one_path_stays() {
        let table = FileTable::new(vec![file("a", 0o644, 1), file("a", 0o755, 2)]);
        assert_eq!(table.entries().len(), 1);
        assert_eq!(table.get("a").unwrap().mode, 0o755);
    }
}
