//! `cart gear env`: the variables of one gear.

pub mod list;
pub mod set;
pub mod show_origin;
pub mod unset;

use crate::cli::app::App;
use crate::cli::change::{ChangeArgs, carry_out};
use crate::cli::gear::found;
use crate::error::{Context, Exit, Failure};
use crate::facts::Variables;
use crate::gear::variables::Place;
use crate::package::ident::GearName;
use crate::plan::gear::{VariablesRequest, variables};
use clap::{Args, Subcommand};

const EXAMPLES: &str = "\
Examples:
  cart gear env set blog COLOUR=blue
  cart gear env list blog
  cart gear env show-origin blog";

/// The arguments of `cart gear env`.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub struct EnvArgs {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// List the variables that users have set
    #[command(visible_alias = "ls")]
    List(list::ListArgs),
    /// Set variables of a gear
    ///
    /// They win over those of cartridges, and never over the platform's, but for
    /// `OPENSHIFT_SECRET_TOKEN`. A gear has at most 50, with names of 128 and values of 512 bytes.
    /// Whatever runs in the gear sees them when it is started again.
    Set(set::SetArgs),
    /// Remove variables that users have set
    Unset(unset::UnsetArgs),
    /// Show every variable of a gear with the place that it comes from
    ShowOrigin(show_origin::ShowOriginArgs),
}

/// Runs the command on variables that was asked for.
pub fn run(args: &EnvArgs, app: &mut App) -> Result<Exit, Failure> {
    match &args.command {
        Command::List(args) => list::run(args, app),
        Command::Set(args) => set::run(args, app),
        Command::Unset(args) => unset::run(args, app),
        Command::ShowOrigin(args) => show_origin::run(args, app),
    }
}

/// Whose variables are meant.
#[derive(Args, Clone, Copy, Debug)]
pub(super) struct PlaceArgs {
    /// Work on the platform's own variables, in the gear's .env
    #[arg(long)]
    platform: bool,
}

impl From<PlaceArgs> for Place {
    fn from(args: PlaceArgs) -> Self {
        if args.platform { Self::Platform } else { Self::User }
    }
}

/// Changes variables of the gear called `name`.
pub(in crate::cli) fn change(
    app: &App,
    name: &GearName,
    ask: &VariablesRequest,
    options: &ChangeArgs,
) -> Result<Exit, Failure> {
    let db = found::changing(app, name)?;
    let limit = app.config()?.gears.max_user_variables;
    carry_out(app, &db, options, &|| {
        let gear = found::gear(app, &db, name)?;
        let now = Variables::read(&db, app.layout(), name)?;
        Ok(variables(&gear, ask, &now, limit)?)
    })
    .doing(|| format!("cannot change variables of the gear `{name}`"))
}

/// Takes `NAME=VALUE` apart; the value may have `=` in it.
pub(in crate::cli) fn assignment(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) => Ok((name.to_owned(), value.to_owned())),
        None => Err("it is not `NAME=VALUE`".to_owned()),
    }
}
