//! Variables and functions of UBOS templates (UBOS specification, 3).
//!
//! A text with `${name}` and `${function( name )}` is rendered from scopes, the nearest first:
//! package, appconfig, site, host. What a person has chosen is put in as it is and never looked
//! through for variables. What cannot be resolved is an error that names the variable and the line
//! of the template, and no value.

mod error;
mod functions;
mod points;
mod render;
mod scope;
mod scopes;
mod snapshot;

pub use error::{Fault, VariableError};
pub use functions::Accounts;
pub use points::{PointError, resolve as resolve_points};
pub use render::Variables;
pub use scope::{Scope, Taken, Value};
pub use scopes::{Places, app_scope, host_scope, package_scope, site_scope};
