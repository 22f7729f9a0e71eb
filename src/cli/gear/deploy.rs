//! `cart gear deploy`.

use super::found;
use crate::cli::app::App;
use crate::cli::change::{ChangeArgs, carry_out_aloud};
use crate::error::{Context, Exit, Failure};
use crate::facts::{DeployFacts, Revision, revision};
use crate::package::ident::GearName;
use crate::plan::gear::{DeployRequest, Origin, deploy};
use crate::sys::clock::Moment;
use crate::sys::path::RelPath;
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

/// What is to be deployed: a name of the repository's, or the commit that it is to mean.
#[derive(Clone, Debug)]
pub(super) struct Wish {
    /// The commit, where that is known already.
    pub(super) commit: Option<String>,
    /// The name under which it is deployed.
    pub(super) name: String,
    /// Where a push keeps its objects.
    pub(super) incoming: Option<RelPath>,
}

/// Builds a new version of the application, and puts it to use.
pub fn run(args: &DeployArgs, app: &mut App) -> Result<Exit, Failure> {
    let wish = |branch: &str| Wish {
        commit: None,
        name: args.git_ref.clone().unwrap_or_else(|| branch.to_owned()),
        incoming: None,
    };
    deploy_wish(app, (&args.name, &args.change), &wish)
        .doing(|| format!("cannot deploy to the gear `{}`", args.name))
}

/// Deploys what `wish` says, which is told the gear's deployment branch.
pub(super) fn deploy_wish(
    app: &App,
    (name, change): (&GearName, &ChangeArgs),
    wish: &dyn Fn(&str) -> Wish,
) -> Result<Exit, Failure> {
    let db = found::changing(app, name)?;
    let (made, id) = (Moment::now(), random::hex(4)?);
    carry_out_aloud(app, &db, change, &|| {
        let facts = DeployFacts::of(app.layout(), found::gear(app, &db, name)?)?;
        let wish = wish(&facts.settings.branch);
        let revision = look(app, &facts, &wish)?;
        let origin = Origin::Commit(revision, wish.incoming);
        Ok(deploy(&facts, &DeployRequest { origin, made, id: id.clone() })?)
    })
}

fn look(app: &App, facts: &DeployFacts, wish: &Wish) -> Result<Revision, Failure> {
    let gear = &facts.gear.identity.name;
    if !facts.has_repository {
        let text = format!("the gear `{gear}` has no repository");
        return Err(Failure::new(Exit::Conflict, text)
            .hint("a web framework with a `template` gives its gears one"));
    }
    let asked = wish.commit.as_ref().unwrap_or(&wish.name);
    let found = revision(app.layout(), &facts.gear, (asked, wish.incoming.as_ref()))?;
    let found = found.ok_or_else(|| {
        let text =
            format!("the repository of the gear `{gear}` has no commit `{}`", asked.escape_debug());
        Failure::new(Exit::NotFound, text).hint("push it first, or name another: `--ref REF`")
    })?;
    Ok(Revision { name: wish.name.clone(), ..found })
}
