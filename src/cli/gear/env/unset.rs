//! `cart gear env unset`.

use super::{AppArgs, PlaceArgs, change};
use crate::cli::app::App;
use crate::cli::change::ChangeArgs;
use crate::error::{Exit, Failure};
use crate::plan::gear::VariablesRequest;
use clap::Args;

const EXAMPLES: &str = "\
Examples:
  cart gear env unset blog COLOUR
  cart gear env unset --app blog COLOUR
  cart gear env unset blog --platform OLD_NAME";

/// The arguments of `cart gear env unset`.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub struct UnsetArgs {
    /// The gear, unless `--app` is given, then the names; one that is not set is no error
    #[arg(required = true, value_name = "GEAR NAME")]
    pub words: Vec<String>,
    #[command(flatten)]
    app: AppArgs,
    #[command(flatten)]
    place: PlaceArgs,
    /// How the change is to be made.
    #[command(flatten)]
    pub change: ChangeArgs,
}

/// Removes variables of a gear.
pub fn run(args: &UnsetArgs, app: &mut App) -> Result<Exit, Failure> {
    let (target, names) = args.app.target(&args.words)?;
    let unset = names.to_vec();
    let ask = VariablesRequest { place: args.place.into(), set: Vec::new(), unset };
    change(app, &target, &ask, &args.change)
}
