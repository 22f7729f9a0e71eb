//! A package for tests.

use super::ident::{FormatName, Name, ShortName, Vendor};
use super::version::Version;
use super::{Package, Parts, Software};

/// A small cartridge called `name`, of version 1.
pub(crate) fn package(name: &str) -> Package {
    let version = Version::parse("1").unwrap();
    let software = Software::new(version.clone(), name.into());
    Package {
        format: FormatName::Cartridge,
        vendor: Vendor::parse("test").unwrap(),
        name: Name::parse(name).unwrap(),
        short_name: ShortName::parse("TEST").unwrap(),
        package_version: version.clone(),
        compatible_versions: Vec::new(),
        version,
        software: vec![software],
        source_url: None,
        source_md5: None,
        externals: Vec::new(),
        managed: super::managed::Managed::default(),
        parts: Parts::default(),
        tpkg: None,
        ubos: None,
        extra: serde_json::Map::new(),
    }
}
