//! A directory to fill again and again, and the laws that hold whatever the bytes are.

use cartwright::archive::{ArchiveError, Links, Modes, Options, Strip, survey};
use cartwright::config;
use cartwright::package::digest::Sha256;
use cartwright::package::file_table::{Content, FileTable};
use cartwright::progress::Nobody;
use cartwright::sys::fs::Dir;
use cartwright::sys::path::RelPath;
use cartwright::sys::tree;
use sha2::Digest;
use std::path::Path;

/// Lets `unpack` fill a directory and checks what it did. Returns the table of what was accepted.
pub fn fill(
    unpack: impl FnOnce(&Dir, &Options<'_>) -> Result<FileTable, ArchiveError>,
) -> Option<FileTable> {
    let limits = config::Archive {
        max_total: 1 << 20,
        max_file: 1 << 20,
        max_entries: 200,
        ..config::Archive::default()
    };
    let (links, modes, strip) = (Links::Contained, Modes::AsPacked, Strip::Nothing);
    let options = Options { limits: &limits, links, modes, strip, older: None };
    let temp = tempfile::tempdir().unwrap();
    let outer = Dir::open(temp.path()).unwrap();
    outer.make_dir("into", 0o755).unwrap();
    let into = outer.dir("into").unwrap();
    let result = unpack(&into, &options);
    assert_eq!(outer.names().unwrap(), ["into"], "something is outside");
    match result {
        Ok(table) => {
            assert_eq!(table, survey(&into, &options, &Nobody).unwrap());
            tree::remove(&outer, "into").unwrap();
            Some(table)
        }
        Err(error) => {
            assert!(into.names().unwrap().is_empty(), "left behind after {error}");
            assert!(!error.to_string().chars().any(char::is_control));
            None
        }
    }
}

/// What another reader says is at `path` must be in the table.
pub fn same_file(table: &FileTable, path: &Path, bytes: &[u8]) {
    let digest = Sha256(sha2::Sha256::digest(bytes).into());
    let content = Content::File { size: bytes.len() as u64, sha256: digest };
    assert_eq!(content_at(table, path), Some(&content), "{path:?}");
}

/// What the table has at `path`.
pub fn content_at<'t>(table: &'t FileTable, path: &Path) -> Option<&'t Content> {
    let path = RelPath::parse(path.to_str()?).ok()?;
    table.get(path.as_str()).map(|entry| &entry.content)
}

/// How many entries of the table are no directories.
pub fn leaves(table: &FileTable) -> usize {
    table.entries().iter().filter(|entry| entry.content != Content::Directory).count()
}
