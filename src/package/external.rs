//! Externals: what a package asks the host's configuration management for (seed on externals).
//!
//! Owns the names and the ways in which data are given; one shape for all three formats. What is
//! still to be read or run lies in the package's tree and is resolved once, when it is installed.

use super::ident::IdentError;
use crate::sys::path::RelPath;
use std::fmt;

/// The longest name, in bytes: that of a file.
const LONGEST: usize = 255;
/// The most bytes that one external is given.
pub const MOST_DATA: u64 = 1 << 20;
/// The most externals that one package may ask for.
pub const MOST: usize = 1_000;

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
