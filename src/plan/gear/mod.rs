//! Gears: created, started, stopped, destroyed; each as one transaction.

mod add;
mod build;
mod configure;
mod control;
mod create;
mod destroy;
mod events;
mod externals;
mod frontend;
mod itinerary;
mod locking;
mod moved;
mod order;
mod remove;
mod roll_back;
mod run;
mod upgrade;
mod variables;

pub use add::{AddRequest, add, folder_of, present};
pub use configure::Wanted;
pub use control::{control, reload, restart, threaddump, tidy};
pub use create::{CreateRequest, Exposure, create};
pub(super) use destroy::add_restored;
pub use destroy::{Farewell, destroy};
pub(super) use externals::of as externals_of;
pub(super) use frontend::add_reconnection;
pub use frontend::{expose, unexpose};
pub use itinerary::Refresh;
pub use order::unmet as unmet_by;
pub(super) use remove::add_returned;
pub use remove::remove;
pub use roll_back::{Data, RollBack, roll_back};
pub use run::{boot, force_stop, halt, start, stop};
pub use upgrade::upgrade;
pub(super) use variables::put_back;
pub use variables::{VariablesRequest, variables, variables_of_app};
