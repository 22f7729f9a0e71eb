//! Packages of tpkg, made in memory as tpkg makes them: a tar in a tar, with its checksum.

use sha2::Digest;
use std::fmt::Write;

/// A package in the making.
#[derive(Clone)]
pub(crate) struct Tpkg {
    name: String,
    version: String,
    yml: String,
    files: String,
    entries: Vec<(String, u32, Entry)>,
}

#[derive(Clone)]
enum Entry {
    File(Vec<u8>),
    Folder,
    Link(String),
}

impl Tpkg {
    pub(crate) fn new(name: &str, version: &str) -> Self {
        let (name, version) = (name.to_owned(), version.to_owned());
        let entries = vec![(String::new(), 0o755, Entry::Folder)];
        Self { name, version, yml: String::new(), files: String::new(), entries }
    }

    /// Adds an element to the metadata.
    pub(crate) fn says(mut self, yml: &str) -> Self {
        writeln!(self.yml, "{yml}").expect("memory takes everything");
        self
    }

    /// Adds an entry to `files:`; `what` is what follows the path, indented by two.
    pub(crate) fn of(mut self, path: &str, what: &str) -> Self {
        writeln!(self.files, "  - path: {path}\n{what}").expect("memory takes everything");
        self
    }

    pub(crate) fn file(self, path: &str, text: &str) -> Self {
        self.with_mode(path, text, 0o644)
    }

    pub(crate) fn script(self, path: &str, text: &str) -> Self {
        self.with_mode(path, &format!("#!/bin/bash\n{text}\n"), 0o755)
    }

    pub(crate) fn with_mode(mut self, path: &str, text: &str, mode: u32) -> Self {
        self.folders_to(path);
        self.entries.push((path.to_owned(), mode, Entry::File(text.as_bytes().to_vec())));
        self
    }

    pub(crate) fn link(mut self, path: &str, target: &str) -> Self {
        self.folders_to(path);
        self.entries.push((path.to_owned(), 0o777, Entry::Link(target.to_owned())));
        self
    }

    fn folders_to(&mut self, path: &str) {
        for (at, _) in path.match_indices('/') {
            let folder = &path[..at];
            if !self.entries.iter().any(|(known, ..)| known == folder) {
                self.entries.push((folder.to_owned(), 0o755, Entry::Folder));
            }
        }
    }

    /// What tpkg keeps of its metadata where it is installed, but for externals and files.
    pub(crate) fn resolved(&self, file_name: &str) -> String {
        let head = self.head();
        format!("--- !map:HashWithIndifferentAccess\n{head}filename: {file_name}\n")
    }

    fn head(&self) -> String {
        let (name, version) = (&self.name, &self.version);
        format!(
            "name: {name}\nversion: \"{version}\"\nmaintainer: somebody@example.org\n\
             description: A package for tests.\n"
        )
    }

    fn metadata(&self) -> String {
        let mut text = format!("{}{}", self.head(), self.yml);
        if !self.files.is_empty() {
            text += "files:\n files:\n";
            text += &self.files;
        }
        text
    }

    pub(crate) fn bytes(&self) -> Vec<u8> {
        let mut inner = tar::Builder::new(Vec::new());
        for (path, mode, entry) in &self.entries {
            let path = if path.is_empty() { "tpkg".to_owned() } else { format!("tpkg/{path}") };
            let mut header = tar::Header::new_gnu();
            header.set_mode(*mode);
            header.set_mtime(1_700_000_000);
            match entry {
                Entry::File(bytes) => {
                    header.set_size(bytes.len() as u64);
                    inner
                        .append_data(&mut header, path, bytes.as_slice())
                        .expect("memory takes everything");
                }
                Entry::Folder => {
                    header.set_entry_type(tar::EntryType::Directory);
                    header.set_size(0);
                    inner
                        .append_data(&mut header, format!("{path}/"), &[][..])
                        .expect("memory takes everything");
                }
                Entry::Link(target) => {
                    header.set_entry_type(tar::EntryType::Symlink);
                    header.set_size(0);
                    inner.append_link(&mut header, path, target).expect("memory takes everything");
                }
            }
        }
        let yml = self.metadata();
        let mut header = tar::Header::new_gnu();
        header.set_mode(0o644);
        header.set_size(yml.len() as u64);
        inner
            .append_data(&mut header, "tpkg/tpkg.yml", yml.as_bytes())
            .expect("memory takes everything");
        let inner = inner.into_inner().expect("memory takes everything");
        let digest = sha2::Sha256::digest(&inner);
        let digest = digest.iter().fold(String::new(), |text, byte| format!("{text}{byte:02X}"));
        let checksum = format!(
            "<tpkg_checksums><checksum><algorithm>SHA256</algorithm><digest>{digest}</digest>\
             </checksum></tpkg_checksums>"
        );
        let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        std::io::Write::write_all(&mut packed, &inner).expect("memory takes everything");
        let top = format!("{}-{}", self.name, self.version);
        let mut outer = tar::Builder::new(Vec::new());
        let mut header = tar::Header::new_gnu();
        header.set_entry_type(tar::EntryType::Directory);
        header.set_mode(0o755);
        header.set_size(0);
        outer
            .append_data(&mut header, format!("{top}/"), &[][..])
            .expect("memory takes everything");
        for (name, bytes) in [
            ("checksum.xml", checksum.into_bytes()),
            ("tpkg.tar.gz", packed.finish().expect("memory takes everything")),
        ] {
            let mut header = tar::Header::new_gnu();
            header.set_mode(0o644);
            header.set_size(bytes.len() as u64);
            outer
                .append_data(&mut header, format!("{top}/{name}"), bytes.as_slice())
                .expect("memory takes everything");
        }
        outer.into_inner().expect("memory takes everything")
    }

    /// What it has, by path, with modes and contents; folders and links have none.
    pub(crate) fn contents(&self) -> impl Iterator<Item = (&str, u32, Option<&[u8]>)> {
        self.entries.iter().map(|(path, mode, entry)| {
            let bytes = match entry {
                Entry::File(bytes) => Some(bytes.as_slice()),
                _ => None,
            };
            (path.as_str(), *mode, bytes)
        })
    }

    /// The name of its file.
    pub(crate) fn file_name(&self) -> String {
        format!("{}-{}.tpkg", self.name, self.version)
    }
}
