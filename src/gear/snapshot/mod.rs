//! Snapshots: what of a gear's home goes into an archive, and under which names it comes out again.
//!
//! The archive is that of the original (node specification, 11): `./<identifier>/…`, every file of the
//! home but what is excluded. What is read here may have been written by a gear or by anybody who has
//! made an archive, so names are judged and links are never followed.

mod arrange;
mod exchange;
mod exclude;
mod origin;
mod transform;
mod write;

pub use arrange::{Arranged, Shape, Unpacked, take_repository};
pub use exchange::{Chosen, Exchange, Moved};
pub use exclude::Exclusions;
pub use origin::{CartridgeOf, Origin};
pub use transform::{Transform, TransformError};
pub use write::{Written, write};

/// A part of a home that a restore brings back.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize,
)]
#[serde(rename_all = "snake_case")]
pub enum Part {
    /// `app-root/data`.
    Data,
    /// What lies in `app-deployments`.
    Deployments,
    /// The repository.
    Repository,
}

impl Part {
    /// What it is called.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Data => "data",
            Self::Deployments => "deployments",
            Self::Repository => "repository",
        }
    }
}
