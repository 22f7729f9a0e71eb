//! Metadata of tpkg packages: nothing panics, whichever of the files is hostile.
#![no_main]

use cartwright::error::FsError;
use cartwright::format::{Tree, lint, read};
use cartwright::package::digest::Sha256;
use cartwright::package::file_table::{Content, Entry, FileTable};
use cartwright::package::note::Notes;
use cartwright::sys::path::RelPath;

const MANIFEST: &[u8] = b"name: a\nversion: '1'\nfiles:\n  files:\n  - {path: f, encrypt: true}\n";

/// A tree in memory: a sound package with one hostile file.
struct Memory<'a> {
    table: FileTable,
    hostile: (&'static str, &'a [u8]),
}

impl Tree for Memory<'_> {
    fn table(&self) -> &FileTable {
        &self.table
    }

    fn read(&self, path: &str, limit: u64) -> Result<Option<Vec<u8>>, FsError> {
        let bytes = match path {
            path if path == self.hostile.0 => self.hostile.1,
            "tpkg.yml" => MANIFEST,
            _ => return Ok(None),
        };
        Ok(Some(bytes.to_vec()).filter(|bytes| bytes.len() as u64 <= limit))
    }

    fn head(&self, path: &str, length: u64) -> Result<Option<Vec<u8>>, FsError> {
        let cut = |mut bytes: Vec<u8>| {
            bytes.truncate(usize::try_from(length).unwrap());
            bytes
        };
        Ok(self.read(path, u64::MAX)?.map(cut))
    }
}

libfuzzer_sys::fuzz_target!(|input: (u8, &[u8])| {
    let names = ["file_metadata.bin", "tpkg.yml", "tpkg.xml", "file_metadata.xml"];
    let name = names[usize::from(input.0) % names.len()];
    let paths: Vec<&str> = match name {
        "tpkg.yml" | "tpkg.xml" => vec![name, "reloc", "reloc/f"],
        name => vec!["tpkg.yml", name, "reloc", "reloc/f"],
    };
    let entry = |path: &&str| {
        let file = Content::File { size: 1, sha256: Sha256([0; 32]) };
        let content = if *path == "reloc" { Content::Directory } else { file };
        Entry { path: RelPath::parse(path).unwrap(), mode: 0o644, content }
    };
    let table = FileTable::new(paths.iter().map(entry).collect());
    let tree = Memory { table, hostile: (name, input.1) };
    let _either = read(&tree, &mut Notes::default());
    let _notes = lint(&tree);
});
