//! Facts about packages of the format tpkg: what is where on the host, to whom it belongs, and what
//! the host is like.

mod all;
mod check;
mod host;
mod installed;
mod needs;
mod old_base;
mod old_files;
mod query;
mod services;
mod spots;
mod way_back;

pub use all::{TpkgFacts, Turn, Wanted, root, tpkg_facts};
pub use check::check_placed;
pub(crate) use host::UNITS;
pub use host::{TpkgHost, tpkg_host};
pub use installed::{InstalledTpkg, OnDisk, installed_tpkg, tpkg_packages_named};
pub use needs::{
    Candidate, Needs, dependents_first, in_conflict, is_tpkg, of_the_system, tpkg_title,
    with_dependents, with_prerequisites,
};
pub use old_base::{Fit, OldBase, OldEntry, Settled, old_base, settled};
pub use query::{TpkgInfo, tpkg_info};
pub use services::{InitScript, Services, services};
pub use spots::{Arriving, Spot, There};
pub use way_back::{Back, StepBack, WayBack, way_back};
