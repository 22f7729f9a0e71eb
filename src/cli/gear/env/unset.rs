//! `cart gear env unset`.

use super::{PlaceArgs, change};
use crate::cli::app::App;
use crate::cli::change::ChangeArgs;
use crate::error::{Exit, Failure};
use crate::package::ident::GearName;
use crate::plan::gear::VariablesRequest;
use clap::Args;

const EXAMPLES: &str = "\
Examples:
  cart gear env unset blog COLOUR
  cart gear env unset blog --platform OLD_NAME";

/// The arguments of `cart gear env unset`.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub struct UnsetArgs {
    /// The gear
    #[arg(value_name = "GEAR", value_parser = GearName::parse)]
    pub gear: GearName,
    /// The names; one that is not set is no error
    #[arg(required = true, value_name = "NAME")]
    pub names: Vec<String>,
    #[command(flatten)]
    place: PlaceArgs,
    /// How the change is to be made.
    #[command(flatten)]
    pub change: ChangeArgs,
}

/// Removes variables of a gear.
pub fn run(args: &UnsetArgs, app: &mut App) -> Result<Exit, Failure> {
    let unset = args.names.clone();
    let ask = VariablesRequest { place: args.place.into(), set: Vec::new(), unset };
    change(app, &args.gear, &ask, &args.change)
}
