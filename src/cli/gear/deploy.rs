//! `cart gear deploy`.

use super::found;
use super::submodules::Submodules;
use super::unpacked::Unpacked;
use crate::cli::app::App;
use crate::cli::change::{ChangeArgs, carry_out_aloud};
use crate::error::{Context, Exit, Failure};
use crate::facts::{DeployFacts, Revision, revision};
use crate::gear::action::Action;
use crate::gear::deployment::DeploymentType;
use crate::package::ident::GearName;
use crate::plan::gear::{
    DeployRequest, Origin, Rotation, builder, deploy, hand_over, refuse_child, refuse_type,
};
use crate::sys::clock::Moment;
use crate::sys::interrupt;
use crate::sys::path::RelPath;
use crate::sys::random;
use clap::Args;

const EXAMPLES: &str = "\
Examples:
  cart gear deploy blog
  cart gear deploy blog --ref v1.2
  cart gear deploy blog --archive https://example.org/blog.tar.gz";

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
    /// An archive of what was built elsewhere, with the folder `repo`: a file or a URL
    #[arg(long, value_name = "FILE|URL", conflicts_with = "git_ref")]
    pub archive: Option<String>,
    /// The same from standard input
    #[arg(long, conflicts_with_all = ["git_ref", "archive"])]
    pub binary: bool,
    /// Do not tell the web proxy of a scaled application of gears that are stopped meanwhile
    #[arg(long)]
    pub no_rotation: bool,
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
    /// Whether a web proxy is told.
    pub(super) rotation: Rotation,
}

/// Builds a new version of the application, and puts it to use.
pub fn run(args: &DeployArgs, app: &mut App) -> Result<Exit, Failure> {
    run_one(args, app).doing(|| format!("cannot deploy to the gear `{}`", args.name))
}

/// What `--no-rotation` means.
pub(super) fn rotation(is_off: bool) -> Rotation {
    if is_off { Rotation::Silent } else { Rotation::Told }
}

fn run_one(args: &DeployArgs, app: &App) -> Result<Exit, Failure> {
    if args.binary || args.archive.is_some() {
        return deploy_archive(args, app);
    }
    let wish = |branch: &str| Wish {
        commit: None,
        name: args.git_ref.clone().unwrap_or_else(|| branch.to_owned()),
        incoming: None,
        rotation: rotation(args.no_rotation),
    };
    let (db, gear) = found::reading(app, &args.name)?;
    drop(db);
    refuse_child(&gear)?;
    if builder(&gear).is_some() {
        if args.git_ref.is_some() {
            let text = "the gear has a builder, which chooses what it builds";
            return Err(Failure::new(Exit::Conflict, text).hint("leave `--ref` out"));
        }
        let actions = [Action::PreReceive, Action::PostReceive];
        return give_to_builder(app, (&args.name, &args.change), &actions);
    }
    deploy_wish(app, (&args.name, &args.change), &wish)
}

/// Hands the work over to the gear's builder.
pub(super) fn give_to_builder(
    app: &App,
    (name, change): (&GearName, &ChangeArgs),
    actions: &[Action],
) -> Result<Exit, Failure> {
    let db = found::changing(app, name)?;
    carry_out_aloud(app, &db, change, &|| {
        let gear = found::gear(app, &db, name)?;
        let cartridge = builder(&gear).ok_or_else(|| {
            Failure::new(Exit::Conflict, format!("the gear `{name}` has no builder any more"))
        })?;
        Ok(hand_over(&gear, cartridge, actions))
    })
}

/// Deploys what was built elsewhere.
fn deploy_archive(args: &DeployArgs, app: &App) -> Result<Exit, Failure> {
    let db = found::changing(app, &args.name)?;
    interrupt::watch_or_fail()?;
    // What is refused anyway need not be fetched.
    let facts = DeployFacts::of(app.layout(), found::gear(app, &db, &args.name)?)?;
    refuse_type(&facts, DeploymentType::Binary)?;
    let unpacked = match &args.archive {
        Some(word) => Unpacked::of(app, word)?,
        None => Unpacked::of_input(app)?,
    };
    let place = unpacked.place(app)?;
    let (made, id) = (Moment::now(), random::hex(4)?);
    carry_out_aloud(app, &db, &args.change, &|| {
        let gear = found::gear(app, &db, &args.name)?;
        let facts = DeployFacts::of_app(&db, app.layout(), gear)?;
        let (origin, id) = (Origin::Tree(place.clone()), id.clone());
        let rotation = rotation(args.no_rotation);
        Ok(deploy(&facts, &DeployRequest { origin, made, id, rotation })?)
    })
}

/// Deploys what `wish` says, which is told the gear's deployment branch.
pub(super) fn deploy_wish(
    app: &App,
    (name, change): (&GearName, &ChangeArgs),
    wish: &dyn Fn(&str) -> Wish,
) -> Result<Exit, Failure> {
    let db = found::changing(app, name)?;
    interrupt::watch_or_fail()?;
    let (made, id) = (Moment::now(), random::hex(4)?);
    let facts = DeployFacts::of(app.layout(), found::gear(app, &db, name)?)?;
    refuse_type(&facts, DeploymentType::Git)?;
    let wish = wish(&facts.settings.branch);
    let first = look(app, &facts, &wish)?;
    let fetched = Submodules::fetch(app, &first.submodules)?;
    let submodules = fetched.places(app)?;
    // What is meant stays so, whoever moves the branch meanwhile.
    let wish = Wish { commit: Some(first.commit), ..wish };
    carry_out_aloud(app, &db, change, &|| {
        let facts = DeployFacts::of_app(&db, app.layout(), found::gear(app, &db, name)?)?;
        let revision = look(app, &facts, &wish)?;
        let (incoming, submodules) = (wish.incoming.clone(), submodules.clone());
        let origin = Origin::Commit { revision, incoming, submodules };
        let (id, rotation) = (id.clone(), wish.rotation);
        Ok(deploy(&facts, &DeployRequest { origin, made, id, rotation })?)
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
