//! What is asked of the gatherer.

use crate::archive::{Links, Modes};
use crate::format::Line;
use crate::index;
use crate::source::digest::Checks;
use crate::source::locator::Source;
use std::fmt;

/// What a package is made from.
#[derive(Clone, Debug)]
pub enum What {
    /// Something that the user named.
    Source(Source),
    /// A package that the binary carries.
    Entry(&'static index::Entry),
}

/// What the tree has to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Content {
    /// A package of a known format.
    Package,
    /// Anything.
    Raw,
    /// A deployment of a gear: the folders at its top have their names for a reason.
    Deployment,
}

/// One thing to gather.
#[derive(Clone, Debug)]
pub struct Request {
    /// What.
    pub what: What,
    /// The digests that its archive must have.
    pub checks: Checks,
    /// What its tree has to be.
    pub content: Content,
    /// Whether links may point out of the tree.
    pub links: Links,
    /// Whether the files get write bits.
    pub modes: Modes,
    /// The package that it is another version of, where that is known before it comes.
    pub line: Option<Line>,
    /// What the package is to be called, where its format leaves that open.
    pub name: Option<String>,
}

impl Request {
    /// Asks for a package for the library: read-only (but `usr` for its owner), links inside, no digest expected.
    pub fn new(what: What) -> Self {
        Self {
            what,
            checks: Checks::default(),
            content: Content::Package,
            links: Links::Contained,
            // Cartridges copy configuration out of `usr` and change it afterwards.
            modes: Modes::ReadOnlyBut("usr"),
            line: None,
            name: None,
        }
    }
}

impl fmt::Display for What {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Source(source) => source.fmt(f),
            Self::Entry(entry) => f.write_str(entry.name),
        }
    }
}
