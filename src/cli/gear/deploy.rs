//! `cart gear deploy`.

use super::found;
use crate::cli::app::App;
use crate::cli::change::{ChangeArgs, carry_out};
use crate::error::{Context, Exit, Failure};
use crate::facts::{DeployFacts, revision};
use crate::package::ident::GearName;
use crate::plan::gear::{DeployRequest, Origin, deploy};
use crate::sys::clock::Moment;
use crate::sys::random;
use clap::Args;

const EXAMPLES: &str = "\
Examples:
  cart gear deploy blog
  cart gear deploy blog --ref v1.2";

/// The arguments of `cart gear deploy`.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub struct DeployArgs {
    /// The gear
    #[arg(value_name = "NAME", value_parser = GearName::parse)]
    pub name: GearName,
    /// The branch, tag or commit of the gear's repository; else its deployment branch
    #[arg(long = "ref", value_name = "REF")]
    pub git_ref: Option<String>,
    /// How the change is to be made.
    #[command(flatten)]
    pub change: ChangeArgs,
}

/// Builds a new version of the application, and puts it to use.
pub fn run(args: &DeployArgs, app: &mut App) -> Result<Exit, Failure> {
    let db = found::changing(app, &args.name)?;
    let (made, id) = (Moment::now(), random::hex(4)?);
    carry_out(app, &db, &args.change, &|| {
        let facts = DeployFacts::of(app.layout(), found::gear(app, &db, &args.name)?)?;
        let name = args.git_ref.clone().unwrap_or_else(|| facts.settings.branch.clone());
        let origin = Origin::Commit(commit(app, &facts, &name)?, None);
        Ok(deploy(&facts, &DeployRequest { origin, made, id: id.clone() })?)
    })
    .doing(|| format!("cannot deploy to the gear `{}`", args.name))
}

fn commit(app: &App, facts: &DeployFacts, name: &str) -> Result<crate::facts::Revision, Failure> {
    let gear = &facts.gear.identity.name;
    if !facts.has_repository {
        let text = format!("the gear `{gear}` has no repository");
        return Err(Failure::new(Exit::Conflict, text)
            .hint("a web framework with a `template` gives its gears one"));
    }
    revision(app.layout(), &facts.gear, (name, None))?.ok_or_else(|| {
        let text =
            format!("the repository of the gear `{gear}` has no commit `{}`", name.escape_debug());
        Failure::new(Exit::NotFound, text).hint("push it first, or name another: `--ref REF`")
    })
}
