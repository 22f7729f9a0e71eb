//! Where variables come from, and those of the whole domain.

use serde::{Serialize, Serializer};
use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;

/// Where a variable comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// This file.
    File(PathBuf),
    /// `cart` itself: a default of every node, or what it says of the account.
    Cart,
    /// A variable of the whole domain, and who published it.
    Domain(String),
    /// Put together from others: the search paths.
    Computed,
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => write!(f, "{}", path.display()),
            Self::Cart => f.write_str("cart"),
            Self::Domain(publisher) => write!(f, "domain, from {publisher}"),
            Self::Computed => f.write_str("computed"),
        }
    }
}

impl Serialize for Origin {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// The variables of the whole domain, by name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Shared(pub BTreeMap<String, SharedVariable>);

/// A variable of the whole domain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SharedVariable {
    /// Its value.
    pub value: String,
    /// Who published it: a gear and the folder of its cartridge, or the administrator.
    pub publisher: String,
}

impl Shared {
    /// The bytes of all names and values.
    pub fn size(&self) -> usize {
        self.0.iter().map(|(name, one)| name.len() + one.value.len()).sum()
    }
}
