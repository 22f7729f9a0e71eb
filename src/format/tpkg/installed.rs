//! What tpkg itself has recorded of an installed package: `installed/metadata/NAME/tpkg.yml` and
//! `file_metadata.bin` (specification, 1.1 and 2).
//!
//! The record is another program's, and as little to be trusted as a package: paths that leave their
//! place are no paths.

use super::MANIFESTS;
use super::build::Alone;
use super::cx::Purpose;
use super::file_metadata::digest_of;
use super::marshal::{self, Value};
use super::read_metadata;
use crate::format::ManifestError;
use crate::package::digest::Sha256;
use crate::package::external::External;
use crate::package::note::Notes;
use crate::package::tpkg::Place;
use crate::sys::path::RelPath;
use std::collections::BTreeMap;

/// What was recorded of one file, as far as something was.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Recorded {
    /// Its owner.
    pub uid: Option<u32>,
    /// Its group.
    pub gid: Option<u32>,
    /// Its mode, without the bits of its kind.
    pub mode: Option<u32>,
    /// The digest of what was put there, decrypted where it was encrypted.
    pub sha256: Option<Sha256>,
}

/// What was recorded of files, by where they are installed.
pub type Records = BTreeMap<(Place, RelPath), Recorded>;

/// Reads a `file_metadata.bin`; says in words what is wrong with it.
pub fn records(bytes: &[u8]) -> Result<Records, String> {
    let all = marshal::read(bytes).map_err(|fault| fault.to_string())?;
    let files = all.get("files").ok_or("has no list of files")?;
    Ok(files.items().iter().filter_map(record).collect())
}

fn record(file: &Value) -> Option<((Place, RelPath), Recorded)> {
    let relocatable = file.get("relocatable").is_some_and(Value::is_true);
    let place = if relocatable { Place::Reloc } else { Place::Root };
    let path = file.get("path")?.text()?.trim_matches('/');
    let path = RelPath::parse(path).ok()?;
    let number = |key: &str| match file.get(key) {
        Some(Value::Int(number)) => u32::try_from(*number).ok(),
        _ => None,
    };
    // The whole mode, in octal digits: `100644`.
    let mode = file.get("perms").and_then(Value::text);
    let mode = mode.and_then(|text| u32::from_str_radix(text, 8).ok()).map(|mode| mode & 0o7777);
    let sha256 = digest_of(file);
    Some(((place, path), Recorded { uid: number("uid"), gid: number("gid"), mode, sha256 }))
}

/// Reads from a stored `tpkg.yml` what externals were asked for, with the data that they were given.
pub fn externals(yml: &[u8], notes: &mut Notes) -> Result<Vec<External>, ManifestError> {
    let name = MANIFESTS[0];
    let read = read_metadata(&Alone::new(name, yml), name, Purpose::Install, notes)?;
    Ok(read.metadata.externals)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::package::external::ExternalData;

    fn text(text: &str) -> Value {
        Value::Text(text.as_bytes().into())
    }

    fn map(pairs: &[(&str, Value)]) -> Value {
        Value::Map(pairs.iter().map(|(key, value)| (text(key), value.clone())).collect())
    }

    fn file(path: &str, relocatable: bool, more: &[(&str, Value)]) -> Value {
        let mut pairs = vec![("path", text(path)), ("relocatable", Value::Bool(relocatable))];
        pairs.extend_from_slice(more);
        map(&pairs)
    }

    #[test]
    fn owners_modes_and_the_digest_of_what_was_decrypted() {
        let (packed, plain) = ("0".repeat(64), "a".repeat(64));
        let digests = Value::List(vec![
            map(&[("encrypted", Value::Bool(true)), ("value", text(&packed))]),
            map(&[("decrypted", Value::Bool(true)), ("value", text(&plain))]),
        ]);
        let checksum = map(&[("algorithm", text("SHA256")), ("digests", digests)]);
        let owned = [
            ("uid", Value::Int(7)),
            ("gid", Value::Int(8)),
            ("perms", text("104755")),
            ("checksum", checksum),
        ];
        let files = Value::List(vec![
            file("/", false, &[]),
            file("bin/", true, &[("uid", Value::Int(-1)), ("perms", text("what"))]),
            file("../../etc/shadow", true, &[]),
            file("/etc/x", false, &owned),
        ]);
        let bytes = marshal::write(&map(&[("package_file", text("a.tpkg")), ("files", files)]));
        let records = records(&bytes).unwrap();
        let at = |place, path: &str| records.get(&(place, RelPath::parse(path).unwrap()));
        assert_eq!(records.len(), 2, "{records:?}");
        assert_eq!(at(Place::Reloc, "bin"), Some(&Recorded::default()));
        let expected = Recorded {
            uid: Some(7),
            gid: Some(8),
            mode: Some(0o4755),
            sha256: Sha256::parse(&plain).ok(),
        };
        assert_eq!(at(Place::Root, "etc/x"), Some(&expected));
    }

    #[test]
    fn names_of_ruby_s_classes_are_passed_over() {
        // `{"files" => [C:HashWithIndifferentAccess {"path" => "x", "relocatable" => true}]}`
        let mut bytes =
            b"\x04\x08{\x06\"\x0afiles[\x06C:\x1eHashWithIndifferentAccess{\x07".to_vec();
        bytes.extend_from_slice(b"\"\x09path\"\x06x\"\x10relocatableT");
        let records = records(&bytes).unwrap();
        assert!(records.contains_key(&(Place::Reloc, RelPath::parse("x").unwrap())));
        assert!(super::records(b"\x04\x08o:\x0bObject\0").is_err());
    }

    #[test]
    fn data_are_those_that_were_given() {
        let yml = "--- !map:HashWithIndifferentAccess\nname: a\nversion: \"1\"\nfilename: a-1.tpkg\n\
                   externals:\n- !map:HashWithIndifferentAccess\n  name: sysctl\n  data: |\n    \
                   shmmax=9\n- name: user\n  data: myuser\n- name: bare\n";
        let found = externals(yml.as_bytes(), &mut Notes::default()).unwrap();
        let data: Vec<_> = found.iter().map(|one| one.data.clone()).collect();
        let inline = |text: &str| ExternalData::Inline(text.as_bytes().to_vec());
        assert_eq!(data, [inline("shmmax=9\n"), inline("myuser"), ExternalData::None]);
        assert!(externals(b"- no\n- mapping\n", &mut Notes::default()).is_err());
    }
}
