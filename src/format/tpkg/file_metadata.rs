//! `file_metadata.bin`, of old `.yml` or `.xml`: the digests of the files before some of them were
//! encrypted.
//!
//! Nothing depends on it but to tell a wrong passphrase; what cannot be read costs a warning, as
//! packages without it are packages, too.

use super::listed::Spot;
use super::marshal::{self, Value};
use crate::format::Tree;
use crate::format::reading::Reading;
use crate::format::yaml::{self, Node};
use crate::package::digest::Sha256;
use crate::package::note::Notes;
use crate::package::tpkg::Place;
use crate::sys::path::RelPath;
use roxmltree::{Document, ParsingOptions};
use std::collections::BTreeMap;

/// The member that packages of today have.
pub(super) const BIN: &str = "file_metadata.bin";
const YML: &str = "file_metadata.yml";
const XML: &str = "file_metadata.xml";
/// Every name that it ever had.
pub(super) const NAMES: [&str; 3] = [BIN, YML, XML];
/// The longest file; one of 100,000 entries has 20 MiB.
const LONGEST: u64 = 64 << 20;

/// The digests of files, by where they are installed.
pub(super) type Digests = BTreeMap<Spot, Sha256>;

/// Reads what `tree` has.
pub(super) fn read(tree: &dyn Tree, notes: &mut Notes) -> Digests {
    for (name, parse) in
        [(BIN, of_bin as fn(&[u8]) -> Result<Digests, String>), (YML, of_yml), (XML, of_xml)]
    {
        match tree.read(name, LONGEST) {
            Ok(None) => {}
            Ok(Some(bytes)) => match parse(&bytes) {
                Ok(digests) => return digests,
                Err(why) => {
                    notes.warn(name, format!("{why}; the digests in it are not used"));
                    return Digests::new();
                }
            },
            Err(error) => {
                notes.warn(name, format!("cannot be read and is not used: {error}"));
                return Digests::new();
            }
        }
    }
    Digests::new()
}

fn spot(path: &str, relocatable: bool) -> Option<Spot> {
    let place = if relocatable { Place::Reloc } else { Place::Root };
    let path = RelPath::parse(path.trim_start_matches('/')).ok()?;
    Some(Spot { place, path })
}

fn of_bin(bytes: &[u8]) -> Result<Digests, String> {
    let all = marshal::read(bytes).map_err(|fault| fault.to_string())?;
    let files = all.get("files").ok_or("has no list of files")?;
    Ok(files.items().iter().filter_map(of_value).collect())
}

fn of_value(file: &Value) -> Option<(Spot, Sha256)> {
    let relocatable = file.get("relocatable").is_some_and(Value::is_true);
    let spot = spot(file.get("path")?.text()?, relocatable)?;
    Some((spot, digest_of(file)?))
}

/// The digest of a file as it is when it is decrypted.
pub(super) fn digest_of(file: &Value) -> Option<Sha256> {
    let checksum = file.get("checksum")?;
    if checksum.get("algorithm")?.text()? != "SHA256" {
        return None;
    }
    // In the record of an installed package the decrypted file's is the second one.
    let digests = checksum.get("digests")?.items();
    let plain = digests.iter().find(|one| !one.get("encrypted").is_some_and(Value::is_true))?;
    Sha256::parse(plain.get("value")?.text()?).ok()
}

fn of_yml(bytes: &[u8]) -> Result<Digests, String> {
    let mut unused = Notes::default();
    let mut reading = Reading::new(YML, &mut unused);
    let root = yaml::parse(bytes, &mut reading).map_err(|fault| fault.text)?;
    let root = root.ok_or("is empty")?;
    let files = key(&root, "files").ok_or("has no list of files")?;
    let yaml::Value::Sequence(files) = &files.value else {
        return Err("has no list of files".into());
    };
    Ok(files.iter().filter_map(of_node).collect())
}

/// The value of a key that may be a symbol of Ruby.
fn key<'a>(node: &'a Node, name: &str) -> Option<&'a Node> {
    node.get(name).or_else(|| node.get(&format!(":{name}")))
}

fn of_node(file: &Node) -> Option<(Spot, Sha256)> {
    let relocatable = key(file, "relocatable").and_then(Node::truth) == Some(true);
    let spot = spot(key(file, "path")?.text()?, relocatable)?;
    let checksum = key(file, "checksum")?;
    if key(checksum, "algorithm")?.text()? != "SHA256" {
        return None;
    }
    let yaml::Value::Sequence(digests) = &key(checksum, "digests")?.value else { return None };
    let is_plain = |one: &&Node| key(one, "encrypted").and_then(Node::truth) != Some(true);
    let plain = digests.iter().find(is_plain)?;
    Some((spot, Sha256::parse(key(plain, "value")?.text()?).ok()?))
}

fn of_xml(bytes: &[u8]) -> Result<Digests, String> {
    let text = std::str::from_utf8(bytes).map_err(|_| "is not UTF-8")?;
    if text.contains("<!ENTITY") {
        return Err("declares an entity".into());
    }
    let options = ParsingOptions { allow_dtd: true, ..Default::default() };
    let document = Document::parse_with_options(text, options)
        .map_err(|error| format!("is no XML: {}", error.to_string().escape_debug()))?;
    let files = document.root_element().children().filter(|node| node.has_tag_name("file"));
    let child = |node: &roxmltree::Node<'_, '_>, name: &'static str| {
        let found = node.children().find(|child| child.has_tag_name(name));
        found.and_then(|child| child.text().map(|text| text.trim().to_owned()))
    };
    let read = |file: roxmltree::Node<'_, '_>| {
        let relocatable = file.attribute("relocatable") == Some("true");
        let spot = spot(&child(&file, "path")?, relocatable)?;
        let checksum = file.children().find(|node| node.has_tag_name("checksum"))?;
        if child(&checksum, "algorithm")? != "SHA256" {
            return None;
        }
        let plain = checksum.children().find(|node| {
            node.has_tag_name("digest") && node.attribute("encrypted") != Some("true")
        })?;
        Some((spot, Sha256::parse(plain.text()?.trim()).ok()?))
    };
    Ok(files.filter_map(read).collect())
}

/// One file, directory or link for [`write()`].
pub(super) struct Line {
    /// Where it is installed, a directory with `/` at its end.
    pub(super) path: String,
    pub(super) relocatable: bool,
    pub(super) config: bool,
    /// Its digest, where it is a file.
    pub(super) sha256: Option<Sha256>,
}

/// Writes [`BIN`] as the original does.
pub(super) fn write(lines: &[Line]) -> Vec<u8> {
    let text = |text: &str| Value::Text(text.as_bytes().into());
    let line = |line: &Line| {
        let mut pairs = vec![
            (text("path"), text(&line.path)),
            (text("relocatable"), Value::Bool(line.relocatable)),
        ];
        if let Some(sha256) = &line.sha256 {
            let digest = Value::Map(vec![(text("value"), text(&sha256.to_string()))]);
            let checksum = vec![
                (text("algorithm"), text("SHA256")),
                (text("digests"), Value::List(vec![digest])),
            ];
            pairs.push((text("checksum"), Value::Map(checksum)));
        }
        if line.config {
            pairs.push((text("config"), Value::Bool(true)));
        }
        Value::Map(pairs)
    };
    let files = Value::List(lines.iter().map(line).collect());
    marshal::write(&Value::Map(vec![(text("files"), files)]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::format::sample::Sample;

    const DIGEST: &str = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

    #[test]
    fn all_three_forms_say_the_same() {
        let bin = write(&[
            Line { path: "/".into(), relocatable: false, config: false, sha256: None },
            Line {
                path: "/etc/x".into(),
                relocatable: false,
                config: true,
                sha256: Sha256::parse(DIGEST).ok(),
            },
        ]);
        let yml = format!(
            "files:\n- path: /\n  relocatable: false\n- :path: /etc/x\n  relocatable: false\n  \
             checksum:\n    algorithm: SHA256\n    digests:\n    - encrypted: true\n      value: \
             {}\n    - value: {DIGEST}\n",
            "0".repeat(64)
        );
        let xml = format!(
            "<files package_file=\"a.tpkg\"><file relocatable=\"false\"><path>/etc/x</path>\
             <checksum><algorithm>SHA256</algorithm><digest>{DIGEST}</digest></checksum></file>\
             </files>"
        );
        let expected = Digests::from([(
            Spot { place: Place::Root, path: RelPath::parse("etc/x").unwrap() },
            Sha256::parse(DIGEST).unwrap(),
        )]);
        for (name, bytes) in [(BIN, &bin[..]), (YML, yml.as_bytes()), (XML, xml.as_bytes())] {
            let mut notes = Notes::default();
            assert_eq!(read(&Sample::new(&[(name, bytes)]), &mut notes), expected, "{name}");
            assert!(notes.as_slice().is_empty());
        }
    }

    #[test]
    fn what_is_not_what_it_says_costs_a_warning() {
        for (name, bytes) in [
            (BIN, &b"\x04\x08o:\x0bObject\0"[..]),
            (BIN, b"--- {}"),
            (BIN, b"\x04\x08{\0"),
            (YML, b"- a\n"),
            (XML, b"<!DOCTYPE a [<!ENTITY b 'c'>]><files/>"),
        ] {
            let mut notes = Notes::default();
            assert!(read(&Sample::new(&[(name, bytes)]), &mut notes).is_empty());
            assert_eq!(notes.as_slice().len(), 1, "{name}");
        }
    }
}
