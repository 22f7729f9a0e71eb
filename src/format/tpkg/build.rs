//! What a source directory becomes when a package is built of it: the parts that need no disk.
//!
//! Strict where the original is when it builds, and so that it reads the package as it was meant:
//! scalars that YAML types otherwise are put in quotes, and modes that it would take for others are
//! written so that it does not.

use super::crypt::{CryptError, Passphrase, encrypt};
use super::cx::{Edit, Purpose};
use super::file_metadata::{self, Line};
use super::{MANIFESTS, Read, read_metadata, table};
use crate::format::error::ManifestError;
use crate::format::{Format, Tree, externals, yaml};
use crate::package::digest::Sha256;
use crate::package::note::Notes;
use crate::package::tpkg::{Encryption, Place, TpkgContent, TpkgFile};
use std::collections::BTreeMap;
use std::io::{Read as Source, Write};

/// The version of tpkg whose format this is; it stands in what is built, as `tpkg` does it.
pub const TPKG_VERSION: &str = "2.3.6";

/// The members of digests, which only what was built has.
pub const DIGESTS: [&str; 3] = file_metadata::NAMES;

/// A package that is to be built.
#[derive(Debug)]
pub struct Blueprint {
    /// `NAME-VERSION[-PACKAGEVERSION][-OS][-ARCH]`: the file's name without its ending.
    pub stem: String,
    /// Members that are not as they lie in the source directory, by their paths in the tree.
    pub made: Vec<(&'static str, Vec<u8>)>,
    /// The files that have to be encrypted, by their paths in the tree; with any of them a
    /// passphrase is needed.
    pub encrypted: BTreeMap<String, Encryption>,
    /// The files that their author has to have encrypted, by their paths in the tree.
    pub precrypted: Vec<String>,
}

impl Blueprint {
    /// Tells whether a member of the source directory has no place in the package: what is made
    /// anew.
    pub fn replaces(&self, path: &str) -> bool {
        DIGESTS.contains(&path) || self.made.iter().any(|(name, _)| *name == path)
    }
}

/// Encrypts the member at `path` with the digest `digest`.
pub fn encrypt_member(
    (path, digest): (&str, &Sha256),
    (how, passphrase): (&Encryption, &Passphrase),
    plain: &mut dyn Source,
    packed: &mut dyn Write,
) -> Result<(), CryptError> {
    encrypt((how.cipher, passphrase), passphrase.salt(path, digest), plain, packed)
}

/// Reads the source directory `tree`.
pub fn blueprint(tree: &dyn Tree, notes: &mut Notes) -> Result<Blueprint, ManifestError> {
    let found = super::Tpkg.manifest_in(tree);
    let name =
        MANIFESTS.into_iter().find(|name| found.as_ref().is_some_and(|it| it.as_str() == *name));
    let Some(name) = name else {
        return Err(ManifestError::Malformed {
            text: "neither `tpkg.yml` nor `tpkg.xml` is there".into(),
            remedy: "write a `tpkg.yml` at the top of the directory".into(),
        });
    };
    let Read { metadata, purpose, kept } =
        read_metadata(tree, name, Purpose::Build(Vec::new()), notes)?;
    if !kept.is_empty() {
        let unknown: Vec<String> =
            kept.keys().take(10).map(|key| format!("`{}`", super::cx::shown(key))).collect();
        return Err(ManifestError::Malformed {
            text: format!("`{name}` has elements that tpkg does not know: {}", unknown.join(", ")),
            remedy: "correct or remove them".into(),
        });
    }
    externals::check(&metadata.externals, tree.table(), "")?;
    let digests = file_metadata::Digests::new();
    let files = table::table(tree, (name, &metadata.files), &digests, notes)?;
    table::scripts(tree, notes);
    let edits = match purpose {
        Purpose::Build(edits) => edits,
        Purpose::Install => Vec::new(),
    };
    let bytes = tree.read(name, yaml::LONGEST)?.unwrap_or_default();
    let text = String::from_utf8_lossy(&bytes).into_owned();
    let manifest = completed(name, edited(&text, edits), metadata.built_by.as_deref(), notes);
    let file_name = metadata.file_name();
    check_written(name, (&manifest, &file_name))?;
    let stem = file_name.trim_end_matches(".tpkg").to_owned();
    let digests = file_metadata::write(&lines(tree, &files));
    let made = vec![(name, manifest.into_bytes()), (file_metadata::BIN, digests)];
    let (mut encrypted, mut precrypted) = (BTreeMap::new(), Vec::new());
    for file in &files {
        match &file.encrypt {
            Some(how) if how.precrypt => precrypted.push(file.path_in_tree()),
            Some(how) => drop(encrypted.insert(file.path_in_tree(), how.clone())),
            None => {}
        }
    }
    Ok(Blueprint { stem, made, encrypted, precrypted })
}

/// Makes sure that what was written is read again as what was meant.
fn check_written(name: &str, (manifest, meant): (&str, &str)) -> Result<(), ManifestError> {
    let tree = Alone::new(name, manifest.as_bytes());
    let read = read_metadata(&tree, name, Purpose::Install, &mut Notes::default());
    let read = read.map(|read| read.metadata.file_name());
    if read.as_deref().ok() == Some(meant) {
        return Ok(());
    }
    let read = read.unwrap_or_else(|error| error.to_string());
    Err(ManifestError::Malformed {
        text: format!("`{name}` would be read otherwise than it is meant (`{read}`)"),
        remedy: "put the values of `name`, `version` and `package_version` in quotes".into(),
    })
}

/// A tree of one file.
pub(super) struct Alone<'a> {
    bytes: &'a [u8],
    table: crate::package::file_table::FileTable,
}

impl<'a> Alone<'a> {
    pub(super) fn new(name: &str, bytes: &'a [u8]) -> Self {
        use crate::package::file_table::{Content, Entry, FileTable};
        let content = Content::File { size: bytes.len() as u64, sha256: Sha256([0; 32]) };
        let path = crate::sys::path::RelPath::parse(name);
        let entries = path.map(|path| Entry { path, mode: 0o644, content }).into_iter().collect();
        Self { bytes, table: FileTable::new(entries) }
    }
}

impl Tree for Alone<'_> {
    fn table(&self) -> &crate::package::file_table::FileTable {
        &self.table
    }

    fn read(&self, _: &str, _: u64) -> Result<Option<Vec<u8>>, crate::error::FsError> {
        Ok(Some(self.bytes.to_vec()))
    }

    fn head(&self, _: &str, _: u64) -> Result<Option<Vec<u8>>, crate::error::FsError> {
        Ok(Some(self.bytes.to_vec()))
    }
}

/// Makes the edits, from the last one up, so that places stay true.
fn edited(text: &str, mut edits: Vec<Edit>) -> String {
    edits.sort_by_key(|edit| std::cmp::Reverse(edit.place));
    edits.dedup();
    let mut lines: Vec<String> = text.split_inclusive('\n').map(str::to_owned).collect();
    for Edit { place, old, new } in edits {
        let Some(line) = lines.get_mut(place.line - 1) else { continue };
        let Some((at, _)) = line.char_indices().nth(place.column - 1) else { continue };
        let (before, rest) = line.split_at(at);
        let spellings = [old.clone(), format!("\"{old}\""), format!("'{old}'")];
        let found = spellings.iter().find_map(|spelling| rest.strip_prefix(spelling.as_str()));
        if let Some(after) = found {
            *line = format!("{before}{new}{after}");
        }
    }
    lines.concat()
}

/// Adds which version built it, where nothing is said.
fn completed(name: &str, text: String, built_by: Option<&str>, notes: &mut Notes) -> String {
    match built_by {
        Some(TPKG_VERSION) => return text,
        Some(other) => {
            let other = super::cx::shown(other);
            notes.warn(name, format!("says `tpkg_version: {other}`; it stays so"));
            return text;
        }
        None => {}
    }
    if name == MANIFESTS[1] {
        let element = format!("<tpkg_version>{TPKG_VERSION}</tpkg_version>");
        return match text.rfind("</tpkg") {
            Some(at) => {
                let (before, after) = text.split_at(at);
                format!("{before}{element}{after}")
            }
            None => text,
        };
    }
    // After an end of the document would begin another one.
    let text = text.trim_end().trim_end_matches("\n...").trim_end().to_owned();
    format!("{text}\ntpkg_version: {TPKG_VERSION}\n")
}

/// The lines of `file_metadata.bin`, with the digests of the files before they are encrypted.
fn lines(tree: &dyn Tree, files: &[TpkgFile]) -> Vec<Line> {
    let line = |file: &TpkgFile| {
        let slash = if file.content == TpkgContent::Directory { "/" } else { "" };
        let root = if file.place == Place::Root { "/" } else { "" };
        Line {
            path: format!("{root}{}{slash}", file.path),
            relocatable: file.place == Place::Reloc,
            config: file.config,
            sha256: match file.content {
                TpkgContent::File { sha256, .. } => Some(sha256),
                _ => None,
            },
        }
    };
    let mut lines: Vec<Line> = files.iter().map(line).collect();
    if tree.table().get(Place::Root.folder()).is_some() {
        let at = lines.iter().position(|line| !line.relocatable).unwrap_or(lines.len());
        let top = Line { path: "/".into(), relocatable: false, config: false, sha256: None };
        lines.insert(at, top);
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::format::sample::Sample;

    const MINIMAL: &str = "name: a\nversion: 1.10\nmaintainer: m\ndescription: d\n";

    fn built(files: &[(&str, &[u8])]) -> Result<(Blueprint, String), String> {
        let mut notes = Notes::default();
        let built =
            blueprint(&Sample::new(files), &mut notes).map_err(|error| error.to_string())?;
        let manifest = String::from_utf8(built.made[0].1.clone()).unwrap();
        Ok((built, manifest))
    }

    #[test]
    fn case_7_each_required_field_is_demanded() {
        let fields = ["name: a\n", "version: '1'\n", "maintainer: m\n", "description: d\n"];
        for left_out in 0..fields.len() {
            let text: String = fields
                .iter()
                .enumerate()
                .filter(|(at, _)| *at != left_out)
                .map(|(_, field)| *field)
                .collect();
            let error = built(&[("tpkg.yml", text.as_bytes())]).unwrap_err();
            let name = fields[left_out].split(':').next().unwrap();
            assert!(error.contains(&format!("`{name}`")), "{error}");
        }
        assert!(built(&[("tpkg.yml", fields.concat().as_bytes())]).is_ok());
    }

    #[test]
    fn case_8_optional_fields_may_be_absent_and_unknown_ones_not_be_there() {
        let text = format!("{MINIMAL}nonsense: 1\n");
        assert!(built(&[("tpkg.yml", text.as_bytes())]).unwrap_err().contains("`nonsense`"));
        let text = "name: a\nversion: a1\nmaintainer: m\ndescription: d\n";
        assert!(built(&[("tpkg.yml", text.as_bytes())]).unwrap_err().contains("digit"));
    }

    #[test]
    fn case_9_what_is_listed_has_to_be_there() {
        let text = format!("{MINIMAL}files:\n  files:\n  - path: missing\n");
        assert!(built(&[("tpkg.yml", text.as_bytes())]).unwrap_err().contains("`missing`"));
    }

    #[test]
    fn case_17_the_version_of_tpkg_is_inserted_and_never_overwritten() {
        let (blueprint, manifest) = built(&[("tpkg.yml", MINIMAL.as_bytes())]).unwrap();
        assert_eq!(blueprint.stem, "a-1.10");
        assert!(manifest.ends_with("description: d\ntpkg_version: 2.3.6\n"), "{manifest}");
        let text = format!("{MINIMAL}tpkg_version: 1.0.0\n");
        assert!(!built(&[("tpkg.yml", text.as_bytes())]).unwrap().1.contains("2.3.6"));
        let text = format!("---\n{MINIMAL}...\n");
        assert!(built(&[("tpkg.yml", text.as_bytes())]).unwrap().1.ends_with("version: 2.3.6\n"));
        let xml = "<tpkg><name>a</name><version>1.10</version><maintainer>m</maintainer>\
                   <description>d</description></tpkg>";
        let (blueprint, manifest) = built(&[("tpkg.xml", xml.as_bytes())]).unwrap();
        assert_eq!(blueprint.stem, "a-1.10");
        assert!(manifest.contains("<tpkg_version>2.3.6</tpkg_version></tpkg>"));
    }

    #[test]
    fn what_others_would_read_otherwise_is_written_so_that_they_do_not() {
        let text = "name: a\nversion: 1.10 # ten\npackage_version: 010\nmaintainer: m\n\
                    description: d\ndependencies: [{name: b, minimum_version: 2.50}]\n\
                    files:\n  file_defaults: {posix: {perms: \"0640\"}}\n  files:\n  - path: é\n\
                    \x20   posix: {owner: root, perms: 644}\n  - {path: s, posix: {perms: 04755}}\n";
        let tree = [("tpkg.yml", text.as_bytes()), ("reloc/é", &b"x"[..]), ("reloc/s", b"x")];
        let (blueprint, manifest) = built(&tree).unwrap();
        assert_eq!(blueprint.stem, "a-1.10-010");
        for line in [
            "version: '1.10' # ten\n",
            "package_version: '010'\n",
            "minimum_version: '2.50'}",
            "{posix: {perms: 0640}}",
            "perms: 0644}",
            "perms: 4755}}",
        ] {
            assert!(manifest.contains(line), "{line} in {manifest}");
        }
    }

    #[test]
    fn digests_are_those_of_the_plain_files_with_the_original_s_spelling_of_paths() {
        let text = format!("{MINIMAL}files:\n  files:\n  - path: /etc/x\n    config: true\n");
        let tree = [("tpkg.yml", text.as_bytes()), ("root/etc/x", b"x"), ("reloc/d/", b"")];
        let (blueprint, _) = built(&tree).unwrap();
        let marshal = super::super::marshal::read(&blueprint.made[1].1).unwrap();
        let files = marshal.get("files").unwrap().items();
        let paths: Vec<_> = files.iter().map(|file| file.get("path").unwrap().text()).collect();
        assert_eq!(paths, [Some("d/"), Some("/"), Some("/etc/"), Some("/etc/x")]);
        assert!(files[3].get("config").unwrap().is_true() && files[3].get("checksum").is_some());
        assert!(files[2].get("checksum").is_none());
    }

    #[test]
    fn who_needs_a_passphrase_says_so() {
        let text = format!(
            "{MINIMAL}files:\n  files:\n  - path: s\n    encrypt: true\n  - path: p\n    encrypt: precrypt\n"
        );
        let tree = [("tpkg.yml", text.as_bytes()), ("reloc/s", &b"x"[..]), ("reloc/p", b"x")];
        let (blueprint, _) = built(&tree).unwrap();
        assert_eq!(blueprint.encrypted.keys().collect::<Vec<_>>(), ["reloc/s"]);
        assert_eq!(blueprint.precrypted, ["reloc/p"]);
    }
}
