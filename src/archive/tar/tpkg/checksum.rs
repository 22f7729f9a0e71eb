//! `checksum.xml`: the digests of the inner archive before it was compressed.

use super::TpkgFault;
use crate::archive::digests::Algorithm;
use roxmltree::{Document, Node};

/// The most checksums that are read: each known algorithm several times.
const MOST: usize = 16;

/// Reads the list; there is at least one in it.
pub(super) fn read(bytes: &[u8]) -> Result<Vec<(Algorithm, String)>, TpkgFault> {
    let broken = |text: &str| TpkgFault::Checksums(text.to_owned());
    let text = std::str::from_utf8(bytes).map_err(|_| broken("is no UTF-8"))?;
    let document = Document::parse(text).map_err(|error| {
        let error: String = error.to_string().chars().take(200).collect();
        TpkgFault::Checksums(format!("is no XML: {}", error.escape_debug()))
    })?;
    let root = document.root_element();
    if !root.has_tag_name("tpkg_checksums") {
        return Err(broken("has no `tpkg_checksums`"));
    }
    let mut list = Vec::new();
    for checksum in root.children().filter(|child| child.has_tag_name("checksum")) {
        let name = text_of(&checksum, "algorithm")?;
        let algorithm = Algorithm::named(name).ok_or_else(|| {
            let name: String = name.chars().take(40).collect();
            TpkgFault::Algorithm(name.escape_debug().to_string())
        })?;
        let digest = text_of(&checksum, "digest")?;
        if !digest.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Err(broken("has a digest that is no row of hexadecimal digits"));
        }
        list.push((algorithm, digest.to_ascii_lowercase()));
        if list.len() > MOST {
            return Err(broken("has too many checksums"));
        }
    }
    if list.is_empty() { Err(TpkgFault::NoChecksum) } else { Ok(list) }
}

fn text_of<'a>(checksum: &Node<'a, '_>, name: &str) -> Result<&'a str, TpkgFault> {
    let child = checksum.children().find(|child| child.has_tag_name(name));
    let text = child.and_then(|child| child.text()).map(str::trim);
    let text = text.filter(|text| !text.is_empty());
    text.ok_or_else(|| TpkgFault::Checksums(format!("has a checksum without `{name}`")))
}
