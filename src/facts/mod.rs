//! Facts: everything that a plan may know about this host, read once.

mod checks;
mod deployments;
mod externals;
mod gears;
mod holds;
mod integrity;
mod members;
mod outdated;
mod packages;
mod providers;
mod scaling;
pub mod shims;
pub mod site;
pub mod tpkg;
mod undoing;
mod upgrades;
mod variables;

pub use checks::{Checked, checked};
pub use deployments::{DeployFacts, Revision, revision, revision_in};
pub use externals::{Externals, Program};
pub use gears::{
    Gear, GearFacts, Host, MOST_PORTS, Occupied, Outside, Seat, Servers, home_size, new_uuid,
    obstacle, seats, taken_hosts, told,
};
pub use holds::{VendorAndName, hold_called, holds_in_gear, line};
pub use integrity::{Finding, check_gear, check_package, strays};
pub use members::{MemberFacts, folders_size};
pub use outdated::{Offer, OldCartridge, Standing, Verdict, Whence, old_cartridges, standings};
pub use packages::{Chosen, Found, Installed, find, library, newest, table, ways_back};
pub use providers::{Provider, provider};
pub use scaling::ScaleFacts;
pub use undoing::{KeptHome, Newer, Stashed, UndoFacts, undoing};
pub use upgrades::{Extension, UpgradeFacts};
pub use variables::{Variables, add_pending, publisher, shared};
