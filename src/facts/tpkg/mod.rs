//! Facts about packages of the format tpkg: what is where on the host, to whom it belongs, and what
//! the host is like.

mod host;
mod installed;
mod spots;

pub use host::{TpkgHost, tpkg_host};
pub use installed::{InstalledTpkg, OnDisk, installed_tpkg, tpkg_packages_named};
pub use spots::{Arriving, Spot, There, arriving};
