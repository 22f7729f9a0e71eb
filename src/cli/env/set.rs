//! `cart env set`.

use super::change;
use crate::cli::app::App;
use crate::cli::change::ChangeArgs;
use crate::cli::gear::env::assignment;
use crate::error::{Exit, Failure};
use crate::plan::domain::DomainRequest;
use clap::Args;

const EXAMPLES: &str = "\
Examples:
  cart env set http_proxy=http://proxy.example.org:3128
  cart env set COLOUR=blue --dry-run";

/// The arguments of `cart env set`.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub struct SetArgs {
    /// Names and values
    #[arg(required = true, value_name = "NAME=VALUE", value_parser = assignment)]
    pub variables: Vec<(String, String)>,
    /// How the change is to be made.
    #[command(flatten)]
    pub change: ChangeArgs,
}

/// Sets variables of all gears.
pub fn run(args: &SetArgs, app: &mut App) -> Result<Exit, Failure> {
    let ask = DomainRequest { set: args.variables.clone(), unset: Vec::new() };
    change(app, &ask, &args.change)
}
