//! `cart gear control`.

use super::found;
use crate::cli::app::App;
use crate::cli::change::{ChangeArgs, carry_out};
use crate::error::{Context, Exit, Failure};
use crate::gear::action::Action;
use crate::package::ident::GearName;
use crate::plan::gear;
use clap::Args;
use clap::builder::{PossibleValuesParser, TypedValueParser};

const EXAMPLES: &str = "\
Examples:
  cart gear control blog build
  cart gear control blog pre-snapshot mysql";

/// The arguments of `cart gear control`.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub struct ControlArgs {
    /// The gear
    #[arg(value_name = "NAME", value_parser = GearName::parse)]
    pub name: GearName,
    /// What `bin/control` is told
    #[arg(value_name = "ACTION", hide_possible_values = true, value_parser = actions())]
    pub action: Action,
    /// The folder of one cartridge; all of them without it
    #[arg(value_name = "CARTRIDGE")]
    pub cartridge: Option<String>,
    /// How the change is to be made.
    #[command(flatten)]
    pub change: ChangeArgs,
}

fn actions() -> impl TypedValueParser<Value = Action> {
    let words = PossibleValuesParser::new(Action::ALL.iter().map(|action| action.as_str()));
    words.try_map(|word| Action::parse(&word).ok_or("no such action"))
}

/// Calls one action of a gear's cartridges, with the hooks of its application.
pub fn run(args: &ControlArgs, app: &mut App) -> Result<Exit, Failure> {
    let db = found::changing(app, &args.name)?;
    carry_out(app, &db, &args.change, &|| {
        let gear = found::gear(app, &db, &args.name)?;
        Ok(gear::control(&gear, args.action, args.cartridge.as_deref())?)
    })
    .doing(|| format!("cannot run `control {}` in the gear `{}`", args.action, args.name))
}
