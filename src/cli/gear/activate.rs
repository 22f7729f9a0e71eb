//! `cart gear activate`.

use super::deploy::rotation;
use super::found;
use crate::cli::app::App;
use crate::cli::change::{ChangeArgs, carry_out_aloud};
use crate::error::{Context, Exit, Failure};
use crate::facts::DeployFacts;
use crate::gear::deployment::Deployment;
use crate::package::ident::GearName;
use crate::plan::gear::{activate, refuse_child};
use crate::sys::clock::Moment;
use clap::Args;

const EXAMPLES: &str = "\
Examples:
  cart gear activate blog 1a2b3c4d
  cart gear activate blog --previous";

/// The arguments of `cart gear activate`.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub struct ActivateArgs {
    /// The gear
    #[arg(value_name = "NAME", value_parser = GearName::parse)]
    pub name: GearName,
    /// The deployment, or the beginning of its identifier
    #[arg(value_name = "ID", required_unless_present = "previous")]
    pub id: Option<String>,
    /// The deployment that was in use before the present one
    #[arg(long, conflicts_with = "id")]
    pub previous: bool,
    /// Do not tell the web proxy of a scaled application of gears that are stopped meanwhile
    #[arg(long)]
    pub no_rotation: bool,
    /// How the change is to be made.
    #[command(flatten)]
    pub change: ChangeArgs,
}

/// Puts a deployment to use that a gear keeps.
pub fn run(args: &ActivateArgs, app: &mut App) -> Result<Exit, Failure> {
    let db = found::changing(app, &args.name)?;
    let at = Moment::now();
    carry_out_aloud(app, &db, &args.change, &|| {
        let gear = found::gear(app, &db, &args.name)?;
        refuse_child(&gear)?;
        let facts = DeployFacts::of_app(&db, app.layout(), gear)?;
        let chosen = chosen(&facts, args)?;
        Ok(activate(&facts, (chosen, at), rotation(args.no_rotation))?)
    })
    .doing(|| format!("cannot activate a deployment of the gear `{}`", args.name))
}

fn chosen<'a>(facts: &'a DeployFacts, args: &ActivateArgs) -> Result<&'a Deployment, Failure> {
    let name = &args.name;
    match &args.id {
        Some(id) => facts.deployment(id).ok_or_else(|| missing(name, id)),
        None => facts.previous().ok_or_else(|| {
            let text = format!("the gear `{name}` keeps no other deployment than the present one");
            Failure::new(Exit::NotFound, text)
                .hint(format!("`cart gear configure {name} --keep-deployments 2` keeps one more"))
        }),
    }
}

/// There is no such deployment.
pub(super) fn missing(name: &GearName, id: &str) -> Failure {
    let text = format!("the gear `{name}` keeps no one deployment `{}`", id.escape_debug());
    Failure::new(Exit::NotFound, text)
        .hint(format!("`cart gear deployments {name}` shows what there is"))
}
