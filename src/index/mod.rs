//! The default index: the cartridges that the binary brings with it.
//!
//! `build.rs` embeds `repo-index/`, so what is found here can be installed on a host without a
//! network. Entries are sorted by name, their files by path. Nothing here parses a manifest: the
//! few values of an [`Entry`] are there to find it by, and an entry is installed through the same
//! checks as any other package.

/// One package of the default index.
#[derive(Clone, Copy, Debug)]
pub struct Entry {
    /// Who distributes it.
    pub vendor: &'static str,
    /// Its name.
    pub name: &'static str,
    /// Its default software version.
    pub version: &'static str,
    /// The release of the packaging.
    pub package_version: &'static str,
    /// What people call it.
    pub display_name: &'static str,
    /// What it is for, in a sentence or more.
    pub description: &'static str,
    /// Its files; folders are implied by their paths.
    pub files: &'static [File],
}

/// One file of an entry.
#[derive(Clone, Copy, Debug)]
pub struct File {
    /// Its path in the package's tree, with `/` between the parts.
    pub path: &'static str,
    /// Its permission bits: 0644 or 0755.
    pub mode: u32,
    /// Its content.
    pub bytes: &'static [u8],
}

static ENTRIES: &[Entry] = include!(concat!(env!("OUT_DIR"), "/index.rs"));

/// All entries, sorted by name.
pub fn entries() -> &'static [Entry] {
    ENTRIES
}

/// The entry that `asked` means: `name`, `vendor-name`, and either of them followed by `-version`.
pub fn find(asked: &str) -> Option<&'static Entry> {
    ENTRIES.iter().find(|entry| entry.is_called(asked))
}

impl Entry {
    fn is_called(&self, asked: &str) -> bool {
        let of_vendor = asked.strip_prefix(self.vendor).and_then(|rest| rest.strip_prefix('-'));
        [Some(asked), of_vendor].into_iter().flatten().any(|asked| {
            let Some(rest) = asked.strip_prefix(self.name) else { return false };
            rest.is_empty() || rest.strip_prefix('-') == Some(self.version)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sys::fs::Dir;
    use std::path::Path;

    fn repo_index() -> Dir {
        Dir::open(&Path::new(env!("CARGO_MANIFEST_DIR")).join("repo-index")).unwrap()
    }

    /// The files of a folder as git would list them.
    fn listed(root: &Dir, folder: &str, found: &mut Vec<String>) {
        for name in root.dir(folder).unwrap().names().unwrap() {
            let path = format!("{folder}/{}", name.to_str().unwrap());
            if root.dir(path.as_str()).is_ok() {
                listed(root, &path, found);
            } else {
                found.push(path);
            }
        }
    }

    #[test]
    fn every_file_of_the_folder_is_embedded_byte_for_byte() {
        let root = repo_index();
        let mut on_disk = Vec::new();
        for name in root.names().unwrap() {
            listed(&root, name.to_str().unwrap(), &mut on_disk);
        }
        let mut embedded = Vec::new();
        for entry in entries() {
            for file in entry.files {
                let path = format!("{}/{}", entry.name, file.path);
                let bytes = root.read(path.as_str(), 1 << 20).unwrap();
                assert!(bytes == file.bytes, "{path} differs from what is embedded");
                embedded.push(path);
            }
        }
        on_disk.sort();
        embedded.sort();
        assert_eq!(on_disk, embedded);
        assert!(entries().len() >= 3, "the default index has at least three cartridges");
    }

    #[test]
    fn scripts_are_executable_and_nothing_else_of_a_manifest_is() {
        for entry in entries() {
            for file in entry.files {
                let script = file.bytes.starts_with(b"#!");
                assert_eq!(file.mode == 0o755, script, "{}/{}", entry.name, file.path);
            }
            for part in
                ["bin/control", "bin/setup", "metadata/manifest.yml", "README.md", "LICENSE"]
            {
                assert!(entry.files.iter().any(|file| file.path == part), "{} {part}", entry.name);
            }
        }
    }

    #[test]
    fn entries_and_files_are_sorted_and_unique() {
        assert!(entries().is_sorted_by(|a, b| a.name < b.name));
        for entry in entries() {
            assert!(entry.files.is_sorted_by(|a, b| a.path < b.path), "{}", entry.name);
        }
    }

    #[test]
    fn an_entry_is_found_by_every_way_to_name_it_and_by_nothing_else() {
        for asked in
            ["static-web", "static-web-1.0", "cartwright-static-web", "cartwright-static-web-1.0"]
        {
            assert_eq!(find(asked).map(|entry| entry.name), Some("static-web"), "{asked}");
        }
        for asked in
            ["", "static", "static-web-", "static-web-1", "static-web-1.0.0", "-static-web"]
        {
            assert!(find(asked).is_none(), "{asked}");
        }
    }
}
