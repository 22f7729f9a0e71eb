//! What a package is called, and which release it is. A manifest says neither.
//!
//! In this order: what somebody gave for good; what a built package says of itself (`.PKGINFO`, the
//! name of its manifest); the plain assignments of a `PKGBUILD`, which is read and never run; the
//! name of the folder, repository or archive that it came from.

use super::{MANIFEST, MANIFESTS};
use crate::format::error::ManifestError;
use crate::format::tree::Tree;
use crate::package::ident::{FormatName, IdentError, Name, ShortName, Vendor};
use crate::package::managed::Managed;
use crate::package::note::Notes;
use crate::package::ubos::name::PackageName;
use crate::package::ubos::{Installable, Manifest};
use crate::package::version::Version;
use crate::package::{Package, Parts, Software};
use crate::sys::path::RelPath;

/// What describes how a package is built.
const PKGBUILD: &str = "PKGBUILD";
/// What describes a package that was built.
const PKGINFO: &str = ".PKGINFO";
/// The longest description of either kind.
const LONGEST: u64 = 1 << 20;

/// Name and release.
pub(super) struct Identity {
    pub(super) name: PackageName,
    version: Version,
    description: Option<String>,
}

/// What the package in `tree` is called; a choice that somebody may want otherwise goes to `notes`.
pub(super) fn of(
    tree: &dyn Tree,
    manifest: &RelPath,
    notes: &mut Notes,
) -> Result<Identity, ManifestError> {
    let called = tree.called();
    let text = |path: &str| -> Result<String, ManifestError> {
        let bytes = tree.head(path, LONGEST)?.unwrap_or_default();
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    };
    let (info, build) = (text(PKGINFO)?, text(PKGBUILD)?);
    let said = |info_key: &str, key: &str| of_info(&info, info_key).or_else(|| plain(&build, key));
    let own = called
        .given
        .map(str::to_owned)
        .or_else(|| said("pkgname", "pkgname"))
        .or_else(|| of_manifest(manifest));
    let name = match (&own, called.name) {
        (Some(name), _) => name.as_str(),
        (None, Some(name)) => name,
        (None, None) => return Err(nameless("it does not say what it is called")),
    };
    let name = PackageName::parse(name).map_err(|error| nameless(&error.to_string()))?;
    if own.is_none() {
        let text = format!("the package says no name, so it is called `{name}`, as its source is");
        notes.warn(MANIFEST, text);
    }
    let version = of_info(&info, "pkgver").or_else(|| of_build(&build));
    let version = version.or_else(|| called.version.map(str::to_owned));
    let version = version.and_then(|text| Version::parse(&text).ok());
    let version = match version {
        Some(version) => version,
        None => Version::parse("0").map_err(|error| nameless(&error.to_string()))?,
    };
    Ok(Identity { name, version, description: said("pkgdesc", "pkgdesc") })
}

fn nameless(why: &str) -> ManifestError {
    ManifestError::Malformed {
        text: format!("the package has no usable name: {why}"),
        remedy: "say `--name NAME`, or write `pkgname=NAME` into a `PKGBUILD` beside the manifest"
            .into(),
    }
}

/// The name of a manifest in the folder of built ones is that of the package.
fn of_manifest(manifest: &RelPath) -> Option<String> {
    let name = manifest.as_str().strip_prefix(MANIFESTS)?;
    name.strip_suffix(".json").map(str::to_owned)
}

/// The value of a line `key = value`.
fn of_info(text: &str, key: &str) -> Option<String> {
    text.lines().find_map(|line| {
        let (name, value) = line.split_once(" = ")?;
        (name == key).then(|| value.trim().to_owned())
    })
}

/// The release of a description for building: `pkgver-pkgrel`.
fn of_build(text: &str) -> Option<String> {
    let version = plain(text, "pkgver")?;
    Some(match plain(text, "pkgrel") {
        Some(release) => format!("{version}-{release}"),
        None => version,
    })
}

/// The value of an assignment at the beginning of a line, where it is a plain text: nothing in it
/// would be expanded by a shell. The last one counts.
fn plain(text: &str, key: &str) -> Option<String> {
    text.lines().rev().find_map(|line| {
        let value = line.strip_prefix(key)?.strip_prefix('=')?.trim_end();
        let value = match value.chars().next() {
            Some('\'') => value.strip_prefix('\'')?.split_once('\'')?.0,
            Some('"') => {
                let inner = value.strip_prefix('"')?.split_once('"')?.0;
                (!inner.contains(['$', '`', '\\'])).then_some(inner)?
            }
            _ => {
                let word = value.split([' ', '\t', '#', ';']).next()?;
                let odd = |c: char| "$`\\'\"(){}*?[]<>&|~".contains(c);
                (!word.contains(odd)).then_some(word)?
            }
        };
        (!value.is_empty()).then(|| value.to_owned())
    })
}

/// The package, whose code lies in the folder `code` of its tree.
pub(super) fn package(
    identity: Identity,
    (code, manifest): (String, Manifest),
) -> Result<Package, ManifestError> {
    let Identity { name, version, description } = identity;
    let odd = |error: IdentError| nameless(&error.to_string());
    let info = manifest.info("en_US").cloned().unwrap_or_default();
    let software = Software {
        description: info.tagline.or(description).unwrap_or_default(),
        ..Software::new(version.clone(), info.name.unwrap_or_else(|| name.to_string()))
    };
    Ok(Package {
        format: FormatName::Ubos,
        vendor: Vendor::parse(FormatName::Ubos.as_str()).map_err(odd)?,
        name: Name::of_ubos(&name).map_err(odd)?,
        short_name: short_name(&name).map_err(odd)?,
        package_version: version.clone(),
        compatible_versions: Vec::new(),
        version,
        software: vec![software],
        source_url: None,
        source_md5: None,
        externals: manifest.externals.clone(),
        managed: Managed::default(),
        parts: Parts::default(),
        tpkg: None,
        extra: manifest.extra.clone(),
        ubos: Some(Box::new(Installable { name, code, manifest })),
    })
}

/// A UBOS package never has variables of a gear; the model wants a prefix for them all the same.
fn short_name(name: &PackageName) -> Result<ShortName, IdentError> {
    let upper = name.as_str().chars().take(60).map(|c| c.to_ascii_uppercase());
    let fine: String = upper.map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect();
    ShortName::parse(&format!("U{fine}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_no_shell_would_expand_is_a_plain_text() {
        let text = "pkgname=$(basename $(pwd))\npkgver=0.1\n pkgrel=9\npkgrel=2 # later\n\
                    pkgdesc=\"An app\"\n_x='${a}'\ny=\"${a}\"\narch=('any')\n";
        let found = |key: &str| plain(text, key);
        assert_eq!(found("pkgname"), None, "it is never run");
        assert_eq!(found("pkgver").as_deref(), Some("0.1"));
        assert_eq!(found("pkgrel").as_deref(), Some("2"));
        assert_eq!(found("pkgdesc").as_deref(), Some("An app"));
        assert_eq!(found("_x").as_deref(), Some("${a}"));
        assert_eq!((found("y"), found("arch"), found("none")), (None, None, None));
        assert_eq!(of_build(text).as_deref(), Some("0.1-2"));
        assert_eq!(of_info("pkgname = x\npkgver = 1-2\n", "pkgver").as_deref(), Some("1-2"));
    }
}
