//! `cart gear env`: the variables of one gear.

pub mod list;
pub mod set;
pub mod show_origin;
pub mod unset;

use crate::cli::app::App;
use crate::cli::change::{ChangeArgs, carry_out};
use crate::cli::gear::found;
use crate::db::Db;
use crate::error::{Context, Exit, Failure};
use crate::facts::{Gear, Variables};
use crate::gear::variables::Place;
use crate::package::ident::GearName;
use crate::plan::gear::{VariablesRequest, variables, variables_of_app};
use clap::{Args, Subcommand};

const EXAMPLES: &str = "\
Examples:
  cart gear env set blog COLOUR=blue
  cart gear env set --app blog COLOUR=blue
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
    /// Set variables of a gear, or of every gear of an application
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

/// Which gears are meant.
#[derive(Args, Clone, Debug)]
pub(super) struct AppArgs {
    /// Every gear of this application, instead of one
    #[arg(long, value_name = "APP", value_parser = GearName::parse)]
    app: Option<GearName>,
}

/// One gear, or all of an application.
#[derive(Clone, Debug)]
pub(in crate::cli) enum Target {
    /// The gear of that name.
    Gear(GearName),
    /// The gears of the application of that name.
    App(GearName),
}

impl AppArgs {
    /// Whom the words of the command line mean, and what is left of them.
    fn target<'a>(&self, words: &'a [String]) -> Result<(Target, &'a [String]), Failure> {
        let missing = |what: &str| {
            Failure::new(Exit::Usage, format!("no {what} is given")).hint("`--help` shows examples")
        };
        let (target, rest) = match (&self.app, words.split_first()) {
            (Some(app), _) => (Target::App(app.clone()), words),
            (None, Some((first, rest))) => (Target::Gear(gear_name(first)?), rest),
            (None, None) => return Err(missing("gear")),
        };
        if rest.is_empty() { Err(missing("variable")) } else { Ok((target, rest)) }
    }
}

fn gear_name(word: &str) -> Result<GearName, Failure> {
    GearName::parse(word).map_err(|error| {
        let text = format!("`{}` is no gear's name: {error}", word.escape_debug());
        Failure::new(Exit::Usage, text).hint("the gear comes first, or `--app APP` instead")
    })
}

/// The gears of the application `name`, of which there is at least one.
fn gears_of(app: &App, db: Option<&Db>, name: &GearName) -> Result<Vec<Gear>, Failure> {
    let gears = db.map(|db| Gear::of_app(db, app.layout(), name.as_str())).transpose()?;
    gears.filter(|gears| !gears.is_empty()).ok_or_else(|| {
        let text = format!("there is no application `{name}`");
        Failure::new(Exit::NotFound, text).hint("`cart gear list` shows what there is")
    })
}

/// Changes variables of one gear, or of all of an application in one transaction.
pub(in crate::cli) fn change(
    app: &App,
    target: &Target,
    ask: &VariablesRequest,
    options: &ChangeArgs,
) -> Result<Exit, Failure> {
    let limit = app.config()?.gears.max_user_variables;
    match target {
        Target::Gear(name) => {
            let db = found::changing(app, name)?;
            carry_out(app, &db, options, &|| {
                let gear = found::gear(app, &db, name)?;
                let now = Variables::read(&db, app.layout(), name)?;
                let mut plan = variables(&gear, ask, &now, limit)?;
                // The gears of a scaled application have the same; what each has of its own stays.
                let is_shared = ask.place == Place::User || ask.is_of_deployments();
                for child in gear.children(&db, app.layout())?.iter().filter(|_| is_shared) {
                    let now = Variables::read(&db, app.layout(), &child.identity.name)?;
                    plan.merge(variables(child, ask, &now, limit)?);
                }
                Ok(plan)
            })
            .doing(|| format!("cannot change variables of the gear `{name}`"))
        }
        Target::App(name) => {
            gears_of(app, app.reading()?.as_ref(), name)?;
            let db = app.changing()?;
            carry_out(app, &db, options, &|| {
                let read = |gear: Gear| {
                    let now = Variables::read(&db, app.layout(), &gear.identity.name)?;
                    Ok((gear, now))
                };
                let gears = gears_of(app, Some(&db), name)?.into_iter().map(read);
                let gears = gears.collect::<Result<Vec<_>, Failure>>()?;
                Ok(variables_of_app(name, &gears, ask, limit)?)
            })
            .doing(|| format!("cannot change variables of the application `{name}`"))
        }
    }
}

/// Takes `NAME=VALUE` apart; the value may have `=` in it.
pub(in crate::cli) fn assignment(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) => Ok((name.to_owned(), value.to_owned())),
        None => Err("it is not `NAME=VALUE`".to_owned()),
    }
}
