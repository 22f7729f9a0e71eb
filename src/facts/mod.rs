//! Facts: everything that a plan may know about this host, read once.

mod gears;
mod integrity;
mod packages;
pub mod shims;
mod undoing;
mod variables;

pub use gears::{
    Gear, GearFacts, Host, MOST_PORTS, Occupied, Outside, home_size, new_uuid, obstacle,
};
pub use integrity::{Finding, check_gear, check_package, strays};
pub use packages::{Chosen, Found, Installed, find, library, newest, table};
pub use undoing::{Stashed, UndoFacts, undoing};
pub use variables::{Variables, add_pending, publisher, shared};
