//! `cart env unset`.

use super::change;
use crate::cli::app::App;
use crate::cli::change::ChangeArgs;
use crate::error::{Exit, Failure};
use crate::plan::domain::DomainRequest;
use clap::Args;

const EXAMPLES: &str = "\
Examples:
  cart env unset http_proxy
  cart env unset COLOUR SIZE";

/// The arguments of `cart env unset`.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub struct UnsetArgs {
    /// The names; one that is not set is no error
    #[arg(required = true, value_name = "NAME")]
    pub names: Vec<String>,
    /// How the change is to be made.
    #[command(flatten)]
    pub change: ChangeArgs,
}

/// Removes variables of all gears.
pub fn run(args: &UnsetArgs, app: &mut App) -> Result<Exit, Failure> {
    let ask = DomainRequest { set: Vec::new(), unset: args.names.clone() };
    change(app, &ask, &args.change)
}
