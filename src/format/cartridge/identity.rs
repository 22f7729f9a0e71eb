//! Whose package a manifest is of, before anything else is known of it.

use super::fields::Fields;
use super::names;
use super::versions;
use crate::format::reading::Reading;
use crate::format::yaml;
use crate::package::ident::{FormatName, Name, Vendor};
use crate::package::note::Notes;
use crate::package::version::Version;

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

/// One version of a package.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Release {
    /// Whose package it is of.
    pub line: Line,
    /// Its own version (`Cartridge-Version`).
    pub version: Version,
    /// The versions from which an upgrade to it needs no restart (`Compatible-Versions`).
    pub compatible: Vec<Version>,
}

/// Reads whose package `manifest` is of.
pub fn line_of(manifest: &[u8]) -> Option<Line> {
    release_of(manifest).map(|release| release.line)
}

/// Reads of which version of which package `manifest` is; nothing where it does not say it as it
/// should, which whoever reads the package will complain of.
pub fn release_of(manifest: &[u8]) -> Option<Release> {
    let mut notes = Notes::default();
    let mut reading = Reading::new("manifest.yml", &mut notes);
    let root = yaml::parse(manifest, &mut reading).ok()??;
    root.pairs()?;
    let fields = Fields::of(&root);
    let names::Names { name, vendor, .. } = names::read(&fields, &mut reading)?;
    let version = versions::packaging(&fields, &mut reading);
    let compatible = versions::compatible(&fields, &mut reading);
    let line = Line { format: FormatName::Cartridge, vendor, name };
    Some(Release { line, version, compatible })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_manifest_tells_whose_package_it_is_of() {
        let text = b"Name: PHP\nCartridge-Short-Name: PHP\nCartridge-Vendor: red hat\n";
        let line = line_of(text).unwrap();
        assert_eq!((line.vendor.as_str(), line.name.as_str()), ("redhat", "php"));
        let text = [text.as_slice(), b"Cartridge-Version: '1.10'\nCompatible-Versions: ['1.9']\n"];
        let release = release_of(&text.concat()).unwrap();
        assert_eq!((release.version.as_str(), release.compatible[0].as_str()), ("1.10", "1.9"));
        for other in [&b""[..], b"- a\n", b"Name: php\n", b"\xff\xfe", b"Name: ../x\n"] {
            assert_eq!(line_of(other), None);
        }
    }
}
