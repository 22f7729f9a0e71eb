//! `cart gear exec`.

use crate::cli::app::App;
use crate::error::{Exit, Failure};
use crate::package::ident::GearName;
use clap::Args;
use std::ffi::OsString;

const EXAMPLES: &str = "\
Examples:
  cart gear exec blog -- env
  cart gear exec blog -- bash -c 'ls \"$OPENSHIFT_DATA_DIR\"'";

/// The arguments of `cart gear exec`.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub struct ExecArgs {
    /// The gear
    #[arg(value_name = "NAME", value_parser = GearName::parse)]
    pub name: GearName,
    /// The command and its arguments
    #[arg(last = true, required = true, value_name = "CMD")]
    pub command: Vec<OsString>,
}

/// Runs a command as the gear, in its environment.
pub fn run(_args: &ExecArgs, _app: &mut App) -> Result<Exit, Failure> {
    crate::cli::pending()
}
