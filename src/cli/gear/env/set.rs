//! `cart gear env set`.

use super::{AppArgs, PlaceArgs, assignment, change};
use crate::cli::app::App;
use crate::cli::change::ChangeArgs;
use crate::error::{Exit, Failure};
use crate::plan::gear::VariablesRequest;
use clap::Args;

const EXAMPLES: &str = "\
Examples:
  cart gear env set blog COLOUR=blue SIZE=10
  cart gear env set --app blog COLOUR=blue
  cart gear env set blog --platform OPENSHIFT_KEEP_DEPLOYMENTS=3";

/// The arguments of `cart gear env set`.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub struct SetArgs {
    /// The gear, unless `--app` is given, then names and values: NAME=VALUE
    #[arg(required = true, value_name = "GEAR NAME=VALUE")]
    pub words: Vec<String>,
    #[command(flatten)]
    app: AppArgs,
    #[command(flatten)]
    place: PlaceArgs,
    /// How the change is to be made.
    #[command(flatten)]
    pub change: ChangeArgs,
}

/// Sets variables of a gear.
pub fn run(args: &SetArgs, app: &mut App) -> Result<Exit, Failure> {
    let (target, rest) = args.app.target(&args.words)?;
    let pair = |word: &String| {
        assignment(word).map_err(|error| {
            let text = format!("`{}`: {error}", word.escape_debug());
            Failure::new(Exit::Usage, text).hint("`--help` shows examples")
        })
    };
    let set = rest.iter().map(pair).collect::<Result<Vec<_>, _>>()?;
    let ask = VariablesRequest { place: args.place.into(), set, unset: Vec::new() };
    change(app, &target, &ask, &args.change)
}
