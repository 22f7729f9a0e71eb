//! Trees for the tests of this module.

use super::tree::Tree;
use crate::error::FsError;
use crate::package::digest::Sha256;
use crate::package::file_table::{Content, Entry, FileTable};
use crate::sys::path::RelPath;
use std::collections::HashMap;

/// A tree in memory.
pub(super) struct Sample {
    table: FileTable,
    files: HashMap<String, Vec<u8>>,
}

impl Sample {
    /// A tree of `files`: a path ending in `/` is an empty directory, `path -> target` a link, and
    /// what lies in `bin/` or `hooks/` is executable.
    pub(super) fn new(files: &[(&str, &[u8])]) -> Self {
        let mut entries = Vec::new();
        let mut contents = HashMap::new();
        for (path, bytes) in files {
            let executable = path.starts_with("bin/") || path.starts_with("hooks/");
            let (path, content) = match path.split_once(" -> ") {
                Some((path, target)) => (path, Content::Link(target.to_owned())),
                None if path.ends_with('/') => (*path, Content::Directory),
                None => {
                    contents.insert((*path).to_owned(), bytes.to_vec());
                    let sha256 = Sha256([0; 32]);
                    (*path, Content::File { size: bytes.len() as u64, sha256 })
                }
            };
            let mode = if executable || content == Content::Directory { 0o755 } else { 0o644 };
            let path = RelPath::parse(path).unwrap();
            let mut parent = path.parent();
            while let Some(directory) = parent {
                parent = directory.parent();
                entries.push(Entry { path: directory, mode: 0o755, content: Content::Directory });
            }
            entries.push(Entry { path, mode, content });
        }
        Self { table: FileTable::new(entries), files: contents }
    }

    /// A cartridge with the manifest `manifest` and the scripts that every cartridge should have.
    pub(super) fn cartridge(manifest: &[u8], more: &[(&str, &[u8])]) -> Self {
        let script: &[u8] = b"#!/bin/bash\nexit 0\n";
        let mut files = vec![
            ("metadata/manifest.yml", manifest),
            ("bin/control", script),
            ("bin/setup", script),
            ("env/OPENSHIFT_MOCK_X", b"1"),
        ];
        files.extend_from_slice(more);
        Self::new(&files)
    }
}

impl Tree for Sample {
    fn table(&self) -> &FileTable {
        &self.table
    }

    fn read(&self, path: &str, _limit: u64) -> Result<Option<Vec<u8>>, FsError> {
        Ok(self.files.get(path).cloned())
    }

    fn head(&self, path: &str, length: u64) -> Result<Option<Vec<u8>>, FsError> {
        let length = usize::try_from(length).unwrap();
        let head = |bytes: &Vec<u8>| bytes[..bytes.len().min(length)].to_vec();
        Ok(self.files.get(path).map(head))
    }
}
