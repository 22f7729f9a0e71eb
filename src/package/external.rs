//! Externals: what a package asks the host's configuration management for (seed on externals).
//!
//! Owns the names and the ways in which data are given; one shape for all three formats. What is
//! still to be read or run lies in the package's tree and is resolved once, when it is installed.

use super::digest::Sha256;
use super::ident::{FormatName, IdentError};
use crate::sys::path::RelPath;
use sha2::Digest;
use std::fmt;
use std::path::PathBuf;

/// The longest name, in bytes: that of a file.
const LONGEST: usize = 255;
/// The most bytes that one external is given.
pub const MOST_DATA: u64 = 1 << 20;
/// The most externals that one package may ask for.
pub const MOST: usize = 250;

/// The name of an external, which is that of an executable file: one component of a path.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
#[serde(transparent)]
pub struct ExternalName(String);

impl ExternalName {
    /// Checks `text`: no slash, no control character, no point at its beginning.
    pub fn parse(text: &str) -> Result<Self, IdentError> {
        let fine = !text.is_empty()
            && text.len() <= LONGEST
            && !text.starts_with('.')
            && !text.contains('/')
            && !text.chars().any(char::is_control);
        if fine {
            return Ok(Self(text.to_owned()));
        }
        let shown: String = text.chars().take(80).collect();
        Err(IdentError::Invalid {
            what: "external",
            text: shown.escape_debug().to_string(),
            rule: "the name of a file, without `/`, control characters or a `.` at its beginning, \
                   at most 255 bytes",
        })
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ExternalName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl<'de> serde::Deserialize<'de> for ExternalName {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = String::deserialize(from)?;
        Self::parse(&text).map_err(serde::de::Error::custom)
    }
}

/// What an external is given on its standard input.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ExternalData {
    /// Nothing.
    #[default]
    None,
    /// These bytes (`data`).
    Inline(#[serde(with = "bytes")] Vec<u8>),
    /// The content of this file of the package (`datafile`).
    File(RelPath),
    /// What this executable of the package prints (`datascript`).
    Script(RelPath),
}

/// One entry of a package's list of externals.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct External {
    /// Which external is called.
    pub name: ExternalName,
    /// What it is given.
    #[serde(default)]
    pub data: ExternalData,
    /// Whether the package cannot do without its success.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub strict: bool,
}

impl External {
    /// An entry that is not strict.
    pub fn new(name: ExternalName, data: ExternalData) -> Self {
        Self { name, data, strict: false }
    }
}

/// Who asks for externals, and the names under which they are called.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Asker {
    /// The package's format.
    pub format: FormatName,
    /// Its vendor; empty where the format has none.
    pub vendor: String,
    /// Its name, for all its versions: what was asked for is found again by it after an upgrade.
    pub name: String,
    /// The identifier of the gear, or of the app with accessories at a site, that it is in; nothing
    /// for what is installed on the host itself.
    pub gear: Option<String>,
    /// What `TPKG_HOME` says: the base, or the gear's home.
    pub home: String,
    /// What the external gets as its first argument: the package's file name, or
    /// `vendor-name-version-packageversion`.
    pub file: String,
}

impl Asker {
    /// One name for all versions of the package where it is: by this, an external can keep together
    /// what belongs together although `file` changes (`CART_EXTERNAL_KEY`).
    pub fn key(&self) -> String {
        let Self { format, vendor, name, gear, home, .. } = self;
        let place = gear.as_deref().unwrap_or(home);
        let key = format!("{}:{vendor}-{name}@{place}", format.as_str());
        if key.len() <= LONGEST && !key.chars().any(char::is_control) {
            return key;
        }
        Sha256(sha2::Sha256::digest(key.as_bytes()).into()).to_string()
    }
}

/// What is being done to the package: what `TPKG_ACTION` says, in both halves of an upgrade the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Action {
    /// It comes.
    Install,
    /// Another version of it comes in its place, or comes back.
    Upgrade,
    /// It goes.
    Remove,
}

impl Action {
    /// What `TPKG_ACTION` says.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Install => "install",
            Self::Upgrade => "upgrade",
            Self::Remove => "remove",
        }
    }

    /// What is done when it is put back.
    #[must_use]
    pub fn inverse(self) -> Self {
        match self {
            Self::Install => Self::Remove,
            Self::Upgrade => Self::Upgrade,
            Self::Remove => Self::Install,
        }
    }
}

/// How an external is reached on this host.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Way {
    /// This program is run.
    Exec(PathBuf),
    /// The request is put where a tool of configuration management finds it.
    Request,
    /// There is nobody to ask, which was allowed.
    Missing,
}

impl Way {
    /// The word for it, in the database and in answers.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Exec(_) => "exec",
            Self::Request => "request",
            Self::Missing => "missing",
        }
    }
}

/// What is the same and what is not in two lists, by their indices.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Compared {
    /// Old ones that are asked for no more, in their order.
    pub gone: Vec<usize>,
    /// Old ones with the new ones that they are, byte for byte.
    pub kept: Vec<(usize, usize)>,
    /// New ones, in their order.
    pub new: Vec<usize>,
}

/// Compares what was asked for with what is asked for now: names with resolved data. The same may be
/// asked for several times.
pub fn compare(old: &[(&str, &[u8])], new: &[(&str, &[u8])]) -> Compared {
    let mut compared = Compared::default();
    let mut left: Vec<Option<&(&str, &[u8])>> = new.iter().map(Some).collect();
    for (index, one) in old.iter().enumerate() {
        match left.iter().position(|other| *other == Some(one)) {
            Some(at) => {
                if let Some(taken) = left.get_mut(at) {
                    *taken = None;
                }
                compared.kept.push((index, at));
            }
            None => compared.gone.push(index),
        }
    }
    let new = left.iter().enumerate().filter(|(_, one)| one.is_some());
    compared.new = new.map(|(index, _)| index).collect();
    compared
}

/// Bytes as they stand in JSON: a text where they are one, else a list of numbers.
pub mod bytes {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Written {
        Text(String),
        Bytes(Vec<u8>),
    }

    /// Writes `bytes`.
    pub fn serialize<S: Serializer>(bytes: &[u8], to: S) -> Result<S::Ok, S::Error> {
        match std::str::from_utf8(bytes) {
            Ok(text) => to.serialize_str(text),
            Err(_) => bytes.serialize(to),
        }
    }

    /// Reads what [`serialize`] has written.
    pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<u8>, D::Error> {
        Ok(match Written::deserialize(from)? {
            Written::Text(text) => text.into_bytes(),
            Written::Bytes(bytes) => bytes,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_one_component_of_a_path() {
        for good in ["user", "systemd-unit", "odd name", "$(touch x)", "a.b", "-x"] {
            assert!(ExternalName::parse(good).is_ok(), "{good}");
        }
        for bad in ["", ".", "..", ".hidden", "a/b", "/etc/passwd", "a\nb", "a\0", &"x".repeat(256)]
        {
            let error = ExternalName::parse(bad).unwrap_err().to_string();
            assert!(!error.contains('\n'), "{bad:?}");
        }
    }

    #[test]
    fn what_stays_the_same_is_found_however_often_it_is_asked_for() {
        let list = |text: &'static str| -> Vec<(&str, &[u8])> {
            text.split(' ')
                .filter_map(|one| one.split_once('='))
                .map(|(a, b)| (a, b.as_bytes()))
                .collect()
        };
        let compared = compare(&list("u=a n=x u=a s=1"), &list("s=2 u=a n=x g=g"));
        assert_eq!(compared.gone, [2, 3]);
        assert_eq!(compared.kept, [(0, 1), (1, 2)]);
        assert_eq!(compared.new, [0, 3]);
        let same = list("u=a u=a");
        let compared = compare(&same, &same);
        assert_eq!((compared.gone.len(), compared.kept.len(), compared.new.len()), (0, 2, 0));
    }

    #[test]
    fn data_of_any_bytes_survive_json() {
        let name = ExternalName::parse("user").unwrap();
        for data in [
            ExternalData::None,
            ExternalData::Inline(Vec::new()),
            ExternalData::Inline(b"my\nuser".to_vec()),
            ExternalData::Inline(vec![0, 255, 10]),
            ExternalData::File(RelPath::parse("./nfs").unwrap()),
            ExternalData::Script(RelPath::parse("calc").unwrap()),
        ] {
            let one = External::new(name.clone(), data);
            let text = serde_json::to_string(&one).unwrap();
            assert_eq!(serde_json::from_str::<External>(&text).unwrap(), one, "{text}");
        }
        let text = serde_json::to_string(&ExternalData::Inline(b"x".to_vec())).unwrap();
        assert_eq!(text, r#"{"inline":"x"}"#);
    }
}
