//! Why a tree or a manifest is no package.

use super::place::Place;
use crate::error::{Explain, FsError};
use crate::package::note::{Level, Note};
use std::fmt::Write;

/// One thing that is wrong at one place of a file, with the remedy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// Where.
    pub place: Place,
    /// What, and what to write instead.
    pub text: String,
}

/// Why nothing can be installed from a tree or a manifest.
#[derive(Debug, thiserror::Error)]
pub enum ManifestError {
    /// The tree lacks what every package of its format has.
    #[error("malformed package: {text}")]
    Malformed {
        /// What is missing.
        text: String,
        /// The remedy.
        remedy: String,
    },
    /// A file of the package cannot be read.
    #[error(transparent)]
    Read(#[from] FsError),
    /// The manifest says something that cannot be accepted; all of it, joined.
    #[error("{}", joined(file, faults))]
    Invalid {
        /// The file, relative to the tree.
        file: String,
        /// What is wrong in it, never empty.
        faults: Vec<Fault>,
    },
}

fn joined(file: &str, faults: &[Fault]) -> String {
    let mut all = String::new();
    for fault in faults {
        let separator = if all.is_empty() { "" } else { "; " };
        // Writing to a string cannot fail.
        let _ = write!(all, "{separator}{file}:{}: {}", fault.place, fault.text);
    }
    all
}

impl ManifestError {
    /// The same as notes, for `cart lint`.
    pub(super) fn notes(&self) -> Vec<Note> {
        let note = |file: &str, place: Option<Place>, text: String| Note {
            level: Level::Error,
            file: file.to_owned(),
            line: place.map(|place| place.line),
            column: place.map(|place| place.column),
            text,
        };
        match self {
            Self::Malformed { text, remedy } => {
                vec![note(".", None, format!("{text}: {remedy}"))]
            }
            Self::Read(error) => {
                vec![note(".", None, format!("{error}: {}", error.source))]
            }
            Self::Invalid { file, faults } => faults
                .iter()
                .map(|fault| note(file, Some(fault.place), fault.text.clone()))
                .collect(),
        }
    }
}

impl Explain for ManifestError {
    fn hint(&self) -> Option<String> {
        match self {
            Self::Malformed { remedy, .. } => Some(remedy.clone()),
            Self::Read(error) => error.hint(),
            Self::Invalid { .. } => {
                Some("`cart lint` shows everything at once; cart-manifest(5) and cart-tpkg(5) have the rules".into())
            }
        }
    }
}
