//! What a tpkg package says beyond what every package says, as pure data.
//!
//! Everything in it is checked where it is read (`format::tpkg`): paths stay below their place,
//! names are one component of a path, modes have no bits beyond 07777. Owners are names that the
//! host may not know yet: externals may make them.

pub mod fnmatch;
pub mod requirement;
pub mod version;

use super::digest::Sha256;
use super::version::Version;
use crate::sys::path::RelPath;
use serde::{Deserialize, Serialize};

/// What is particular to a package of the format tpkg.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tpkg {
    /// `NAME-VERSION[-PACKAGEVERSION][-OS][-ARCH].tpkg`, made of what the metadata says, whatever
    /// the file was called that it came from. Externals get it as their first argument.
    pub file_name: String,
    /// Who maintains it.
    pub maintainer: String,
    /// Where to report its bugs.
    pub bug_reporting: Option<String>,
    /// The release of the packaging; nothing where the metadata has none.
    pub package_version: Option<Version>,
    /// Which `tpkg` built it.
    pub built_by: Option<String>,
    /// On which systems it runs (`Debian-12`); empty for all.
    pub operating_systems: Vec<String>,
    /// On which hardware it runs (`x86_64`); empty for all.
    pub architectures: Vec<String>,
    /// What has to be installed before it.
    pub dependencies: Vec<Requirement>,
    /// What must not be installed beside it.
    pub conflicts: Vec<Requirement>,
    /// What it puts on the host, in order of place and path; directories come before what they
    /// hold.
    pub files: Vec<TpkgFile>,
    /// Which scripts it has.
    pub scripts: Scripts,
}

/// Another package that is needed, or that is in the way.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Requirement {
    /// Its name: a tpkg package's, or that of a package of the system.
    pub name: String,
    /// Which packages are meant.
    pub kind: RequirementKind,
    /// The lowest version that counts.
    pub minimum_version: Option<String>,
    /// The highest version that counts.
    pub maximum_version: Option<String>,
    /// The lowest package version; counts only for a version equal to `minimum_version`.
    pub minimum_package_version: Option<String>,
    /// The highest package version; counts only for a version equal to `maximum_version`.
    pub maximum_package_version: Option<String>,
    /// A pattern of `fnmatch` that `VERSION-PACKAGEVERSION` (or `VERSION`) must match.
    pub allowed_versions: Option<String>,
}

/// Which packages a [`Requirement`] is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RequirementKind {
    /// Packages of this format.
    Tpkg,
    /// Packages of the host's own system (dpkg, rpm).
    Native,
}

/// The scripts of a package, each an executable at the top of its tree.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[expect(clippy::struct_excessive_bools, reason = "a checklist of independent files")]
pub struct Scripts {
    /// `preinstall`
    pub preinstall: bool,
    /// `postinstall`
    pub postinstall: bool,
    /// `preremove`
    pub preremove: bool,
    /// `postremove`
    pub postremove: bool,
}

/// Below what a file is put.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Place {
    /// `reloc/`: below the base directory.
    Reloc,
    /// `root/`: below `/`.
    Root,
}

impl Place {
    /// The folder at the top of the package's tree.
    pub fn folder(self) -> &'static str {
        match self {
            Self::Reloc => "reloc",
            Self::Root => "root",
        }
    }
}

/// One file, directory or link that a package puts on the host.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TpkgFile {
    /// Below what it is put.
    pub place: Place,
    /// Where, relative to its place.
    pub path: RelPath,
    /// What it is.
    pub content: TpkgContent,
    /// What the metadata says of this path by itself.
    pub own: Posix,
    /// What the metadata says of all files, or of all directories.
    pub default: Posix,
    /// The permission bits that it was packed with, at most 0777: what the archive says of setuid,
    /// setgid and sticky bits counts for nothing, only what the metadata says does.
    pub packed_mode: u32,
    /// Whether it belongs to the administrator once it is there.
    pub config: bool,
    /// How it is encrypted.
    pub encrypt: Option<Encryption>,
    /// That it is an init script.
    pub init: Option<Init>,
    /// That it is a crontab.
    pub crontab: Option<Crontab>,
}

/// What a [`TpkgFile`] is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TpkgContent {
    /// A directory.
    Directory,
    /// A regular file.
    File {
        /// Its length in the package.
        size: u64,
        /// The digest of its bytes in the package, encrypted where it is.
        sha256: Sha256,
    },
    /// A symbolic link, with its target.
    Link(String),
}

/// Owner, group and mode, as far as somebody says something about them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Posix {
    /// The owner: a name, or digits for a number.
    pub owner: Option<String>,
    /// The group: a name, or digits for a number.
    pub group: Option<String>,
    /// The mode, at most 07777.
    pub perms: Option<u32>,
}

/// How a file is encrypted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Encryption {
    /// The cipher, as OpenSSL calls it.
    pub cipher: Cipher,
    /// Whether its author, not the building of the package, has encrypted it: then nobody knows the
    /// digest of what comes out.
    pub precrypt: bool,
    /// The digest of the file when it is decrypted, where the package publishes it: what tells a
    /// wrong passphrase.
    pub plain: Option<Sha256>,
}

/// A cipher of `openssl enc`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Cipher {
    /// `aes-128-cbc`
    #[serde(rename = "aes-128-cbc")]
    Aes128Cbc,
    /// `aes-192-cbc`
    #[serde(rename = "aes-192-cbc")]
    Aes192Cbc,
    /// `aes-256-cbc`, which is meant where nothing is said.
    #[default]
    #[serde(rename = "aes-256-cbc")]
    Aes256Cbc,
    /// `des-ede3-cbc`, also called `des3`.
    #[serde(rename = "des-ede3-cbc")]
    DesEde3Cbc,
}

impl Cipher {
    /// Every cipher.
    pub const ALL: [Self; 4] =
        [Self::Aes128Cbc, Self::Aes192Cbc, Self::Aes256Cbc, Self::DesEde3Cbc];

    /// Its name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Aes128Cbc => "aes-128-cbc",
            Self::Aes192Cbc => "aes-192-cbc",
            Self::Aes256Cbc => "aes-256-cbc",
            Self::DesEde3Cbc => "des-ede3-cbc",
        }
    }

    /// The cipher of that name, in the spellings that OpenSSL takes.
    pub fn named(name: &str) -> Option<Self> {
        let name = name.to_ascii_lowercase();
        match name.as_str() {
            "aes128" => Some(Self::Aes128Cbc),
            "aes192" => Some(Self::Aes192Cbc),
            "aes256" => Some(Self::Aes256Cbc),
            "des3" => Some(Self::DesEde3Cbc),
            name => Self::ALL.into_iter().find(|cipher| cipher.as_str() == name),
        }
    }
}

/// That a file is an init script.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Init {
    /// The two digits after the `S` of its links, as written; nothing for 99.
    pub start: Option<String>,
    /// The run levels, each a letter or digit; nothing for those that are usual on the host, an
    /// empty list for none at all.
    pub levels: Option<Vec<char>>,
}

/// That a file is a crontab.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Crontab {
    /// Into whose crontab its lines go (`ANY`: that of who installs it); nothing where it belongs
    /// into `/etc/cron.d`.
    pub user: Option<String>,
}

impl TpkgFile {
    /// Its path in the package's tree.
    pub fn path_in_tree(&self) -> String {
        format!("{}/{}", self.place.folder(), self.path)
    }

    /// The owner that the metadata wants, by itself or for all.
    pub fn owner(&self) -> Option<&str> {
        self.own.owner.as_deref().or(self.default.owner.as_deref())
    }

    /// The group that the metadata wants, by itself or for all.
    pub fn group(&self) -> Option<&str> {
        self.own.group.as_deref().or(self.default.group.as_deref())
    }

    /// The mode that it gets where nothing was before: its own, else that of all, else that of the
    /// archive for a file and 0755 for a directory. Links have none.
    pub fn mode(&self) -> u32 {
        let said = self.own.perms.or(self.default.perms);
        said.unwrap_or(match self.content {
            TpkgContent::Directory => 0o755,
            TpkgContent::File { .. } | TpkgContent::Link(_) => self.packed_mode,
        })
    }
}

impl Tpkg {
    /// `VERSION`, or `VERSION-PACKAGEVERSION` where there is one: what `allowed_versions` matches.
    pub fn full_version(&self, version: &Version) -> String {
        match &self.package_version {
            Some(packaging) => format!("{version}-{packaging}"),
            None => version.to_string(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(own: Option<u32>, all: Option<u32>, content: TpkgContent) -> TpkgFile {
        TpkgFile {
            place: Place::Reloc,
            path: RelPath::parse("bin/x").unwrap(),
            content,
            own: Posix { perms: own, ..Posix::default() },
            default: Posix { perms: all, owner: Some("mail".into()), ..Posix::default() },
            packed_mode: 0o640,
            config: false,
            encrypt: None,
            init: None,
            crontab: None,
        }
    }

    #[test]
    fn a_mode_of_its_own_comes_before_that_of_all_and_that_of_the_archive() {
        let content = || TpkgContent::File { size: 1, sha256: Sha256([0; 32]) };
        assert_eq!(file(Some(0o400), Some(0o444), content()).mode(), 0o400);
        assert_eq!(file(None, Some(0o444), content()).mode(), 0o444);
        assert_eq!(file(None, None, content()).mode(), 0o640);
        assert_eq!(file(None, None, TpkgContent::Directory).mode(), 0o755);
        let one = file(None, None, content());
        assert_eq!((one.owner(), one.group()), (Some("mail"), None));
        assert_eq!(one.path_in_tree(), "reloc/bin/x");
    }

    #[test]
    fn ciphers_keep_their_names_when_they_are_written_down() {
        for cipher in Cipher::ALL {
            assert_eq!(Cipher::named(cipher.as_str()), Some(cipher));
            let text = serde_json::to_string(&cipher).unwrap();
            assert_eq!(text, format!("\"{}\"", cipher.as_str()));
        }
        assert_eq!(Cipher::named("DES3"), Some(Cipher::DesEde3Cbc));
        assert_eq!(Cipher::named("rot13"), None);
    }
}
