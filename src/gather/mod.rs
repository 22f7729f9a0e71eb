//! From what the user asked for to an unpacked, verified, understood package in private staging.
//!
//! [`gatherer::Gatherer`] joins the three modules below it: a source is opened, its bytes go
//! through the archive reader while they arrive, every expected digest must hold, and the format
//! reader says what the tree is. Nothing leaves staging before all of that; a refusal discards
//! staging whole. Here, and only here, a manifest's `Source-Url` is followed.

mod arrival;
mod backup;
mod bytes;
pub mod error;
pub mod gatherer;
mod into;
mod lint;
mod manifest;
mod one;
mod plain;
mod provenance;
pub mod request;
mod snapshot;
pub mod staging;
mod tpkg_source;
mod trees;
mod ubos;
mod upstream;

#[cfg(test)]
pub(crate) use arrival::sample;
pub use arrival::{Arrival, arrive};
pub use backup::open_backup;
pub use error::{GatherError, GatherFailure};
pub use gatherer::{Gathered, Gatherer};
pub use into::Fetched;
pub use lint::lint;
pub use request::{Content, Request, What};
pub use snapshot::{Contents, Snapshot};
pub use staging::{Staging, sweep};
pub use tpkg_source::OfSource;
pub use upstream::{Known, Offered, Upstream};
