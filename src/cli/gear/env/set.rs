//! `cart gear env set`.

use super::{PlaceArgs, assignment, change};
use crate::cli::app::App;
use crate::cli::change::ChangeArgs;
use crate::error::{Exit, Failure};
use crate::package::ident::GearName;
use crate::plan::gear::VariablesRequest;
use clap::Args;

const EXAMPLES: &str = "\
Examples:
  cart gear env set blog COLOUR=blue SIZE=10
  cart gear env set blog --platform OPENSHIFT_KEEP_DEPLOYMENTS=3";

/// The arguments of `cart gear env set`.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub struct SetArgs {
    /// The gear
    #[arg(value_name = "GEAR", value_parser = GearName::parse)]
    pub gear: GearName,
    /// Names and values
    #[arg(required = true, value_name = "NAME=VALUE", value_parser = assignment)]
    pub variables: Vec<(String, String)>,
    #[command(flatten)]
    place: PlaceArgs,
    /// How the change is to be made.
    #[command(flatten)]
    pub change: ChangeArgs,
}

/// Sets variables of a gear.
pub fn run(args: &SetArgs, app: &mut App) -> Result<Exit, Failure> {
    let set = args.variables.clone();
    let ask = VariablesRequest { place: args.place.into(), set, unset: Vec::new() };
    change(app, &args.gear, &ask, &args.change)
}
