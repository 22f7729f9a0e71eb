//! Whose package a manifest is of, before anything else is known of it.

use super::fields::Fields;
use super::names;
use crate::format::reading::Reading;
use crate::format::yaml;
use crate::package::ident::{FormatName, Name, Vendor};
use crate::package::note::Notes;

/// The package that all its versions share.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Line {
    /// Its format.
    pub format: FormatName,
    /// Its vendor.
    pub vendor: Vendor,
    /// Its name.
    pub name: Name,
}

/// Reads whose package `manifest` is of; nothing where it does not say it as it should, which
/// whoever reads the package will complain of.
pub fn line_of(manifest: &[u8]) -> Option<Line> {
    let mut notes = Notes::default();
    let mut reading = Reading::new("manifest.yml", &mut notes);
    let root = yaml::parse(manifest, &mut reading).ok()??;
    root.pairs()?;
    let names::Names { name, vendor, .. } = names::read(&Fields::of(&root), &mut reading)?;
    Some(Line { format: FormatName::Cartridge, vendor, name })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_manifest_tells_whose_package_it_is_of() {
        let text = b"Name: PHP\nCartridge-Short-Name: PHP\nCartridge-Vendor: red hat\n";
        let line = line_of(text).unwrap();
        assert_eq!((line.vendor.as_str(), line.name.as_str()), ("redhat", "php"));
        for other in [&b""[..], b"- a\n", b"Name: php\n", b"\xff\xfe", b"Name: ../x\n"] {
            assert_eq!(line_of(other), None);
        }
    }
}
