//! The package model: what any of the formats says, as pure data.
//!
//! Parsing happens at the edge (`format/`), into these types; from here on there are no loose
//! strings where a choice is meant. What a format says and no type here holds goes to
//! [`Package::extra`] and is shown, never dropped silently.

pub mod digest;
pub mod endpoint;
pub mod external;
pub mod features;
pub mod file_table;
pub mod ident;
pub mod managed;
pub mod note;
pub mod provenance;
#[cfg(test)]
pub(crate) mod sample;
pub mod submodules;
pub mod tpkg;
pub mod ubos;
pub mod version;

use digest::Md5;
use endpoint::Endpoint;
use external::External;
use ident::{FormatName, Name, ShortName, Vendor};
use managed::Managed;
use tpkg::Tpkg;
use ubos::Installable;
use version::Version;

/// A package, as its manifest describes it.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Package {
    /// Which format it was written in.
    pub format: FormatName,
    /// Who distributes it; `tpkg` or `ubos` for packages of those formats, which have no vendors.
    pub vendor: Vendor,
    /// Its name: of a cartridge lower case, the name of its folder in a gear.
    pub name: Name,
    /// The prefix of its variables, upper case.
    pub short_name: ShortName,
    /// The release of the packaging (`Cartridge-Version`; of a tpkg package `VERSION-PACKAGEVERSION`).
    pub package_version: Version,
    /// The releases from which an upgrade needs no restart, compared as text.
    pub compatible_versions: Vec<Version>,
    /// The software version that is used when none is asked for.
    pub version: Version,
    /// Every software version in it, with what is true for that version; never empty, and one of
    /// them is `version`.
    pub software: Vec<Software>,
    /// Where the manifest says that the package comes from.
    pub source_url: Option<String>,
    /// What MD5 the manifest says that the archive has.
    pub source_md5: Option<Md5>,
    /// What it asks the host's configuration management for, in the order in which it is asked.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub externals: Vec<External>,
    /// The managed files.
    pub managed: Managed,
    /// Which of the conventional files the tree has.
    pub parts: Parts,
    /// What is particular to the format tpkg; there for every package of it, and for no other.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tpkg: Option<Box<Tpkg>>,
    /// What is particular to UBOS; there for every package of that format, and for no other.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ubos: Option<Box<Installable>>,
    /// Everything else that the manifest says, as JSON.
    pub extra: serde_json::Map<String, serde_json::Value>,
}

/// What a package is in one of its software versions (overrides applied).
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Software {
    /// The version, in the manifest's own text.
    pub version: Version,
    /// What people call it.
    pub display_name: String,
    /// What it is for, in a sentence or more.
    pub description: String,
    /// The licence's name.
    pub license: String,
    /// Its website.
    pub website: String,
    /// What it is: `web_framework`, `plugin`, `service`, `web_proxy`, `ci_builder`, `database`, ….
    pub categories: Vec<String>,
    /// Features that it provides, by which it can be asked for.
    pub provides: Vec<String>,
    /// Where it listens.
    pub endpoints: Vec<Endpoint>,
    /// Whether a first build is wanted when a gear is made.
    pub install_build_required: bool,
    /// Control actions beyond the usual ones; only `threaddump` is known.
    pub additional_control_actions: Vec<String>,
    /// The order in which cartridges are configured: at each place the names or categories that
    /// may stand there (the official phpmyadmin has `[[mysql, mariadb], [phpmyadmin]]`).
    #[serde(default)]
    pub configure_order: Vec<Vec<String>>,
    /// What the overrides of this version say beyond these fields, as JSON; each element replaces
    /// the one of the same name in [`Package::extra`].
    #[serde(default)]
    pub extra: serde_json::Map<String, serde_json::Value>,
}

/// Which conventional files a package's tree has, each decided once, at installation.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[expect(clippy::struct_excessive_bools, reason = "a checklist of independent files")]
pub struct Parts {
    /// `bin/control`.
    pub control: bool,
    /// `bin/setup`.
    pub setup: bool,
    /// `bin/install`.
    pub install: bool,
    /// `bin/post_install` or `bin/post-install`.
    pub post_install: bool,
    /// `bin/teardown`.
    pub teardown: bool,
    /// `usr`.
    pub usr: bool,
    /// `httpd.d`: settings for an Apache.
    #[serde(default)]
    pub httpd: bool,
    /// The source of the first repository.
    pub template: Option<Template>,
}

/// Where a package keeps the application that a new gear begins with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum Template {
    /// `template/`, a directory.
    Directory,
    /// `template.git/`, a bare repository.
    Repository,
    /// `usr/template/`, a directory.
    UsrDirectory,
    /// `usr/template.git/`, a bare repository.
    UsrRepository,
}

impl Template {
    /// The places, in the order in which the original looks (node specification, 4.4).
    pub const PLACES: [(Self, &'static str); 4] = [
        (Self::Directory, "template"),
        (Self::Repository, "template.git"),
        (Self::UsrDirectory, "usr/template"),
        (Self::UsrRepository, "usr/template.git"),
    ];

    /// Its path in the package's tree.
    pub fn path(self) -> &'static str {
        Self::PLACES.iter().find(|(place, _)| *place == self).map_or("template", |(_, path)| path)
    }
}

impl Package {
    /// What is true for the software version `version`; nothing when the package lacks it.
    pub fn software(&self, version: &Version) -> Option<&Software> {
        self.software.iter().find(|software| software.version == *version)
    }

    /// What is true for the default software version.
    pub fn default_software(&self) -> &Software {
        // `software` is never empty and holds `version` (the reader's invariant); the first one
        // stands in for a stored record that a person has edited.
        self.software(&self.version).unwrap_or(&self.software[0])
    }

    /// The identifier of one software version: `vendor:name:software:package`.
    pub fn ident(&self, software: &Version) -> String {
        format!("{}:{}:{software}:{}", self.vendor, self.name, self.package_version)
    }

    /// The name by which messages call the package: `vendor-name-version`, or of a tpkg package,
    /// which has no vendor, the name of its file without the ending.
    pub fn title(&self) -> String {
        if let Some(tpkg) = &self.tpkg {
            return tpkg.file_name.trim_end_matches(".tpkg").to_owned();
        }
        format!("{}-{}-{}", self.vendor, self.name, self.version)
    }
}

impl Software {
    /// A version of which no more is known than what people call it.
    pub fn new(version: Version, display_name: String) -> Self {
        Self {
            version,
            display_name,
            description: String::new(),
            license: String::new(),
            website: String::new(),
            categories: Vec::new(),
            provides: Vec::new(),
            endpoints: Vec::new(),
            install_build_required: false,
            additional_control_actions: Vec::new(),
            configure_order: Vec::new(),
            extra: serde_json::Map::new(),
        }
    }

    /// Tells whether the category is among its categories.
    pub fn is(&self, category: &str) -> bool {
        self.categories.iter().any(|own| own == category)
    }
}
