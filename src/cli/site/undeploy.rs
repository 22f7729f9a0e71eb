//! `cart site undeploy`.

use super::named::{Becoming, Scope, become_of, each, existing, wanted};
use crate::cli::app::App;
use crate::cli::change::ChangeArgs;
use crate::error::{Context, Exit, Failure};
use crate::plan::site::Farewell;
use clap::Args;

const EXAMPLES: &str = "\
Examples:
  cart site undeploy blog.example.org
  cart site undeploy --all --yes";

/// The arguments of `cart site undeploy`.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub struct UndeployArgs {
    /// The sites: host names, identifiers or their beginnings
    #[arg(required_unless_present = "all", value_name = "SITE")]
    pub sites: Vec<String>,
    /// Every site
    #[arg(long, conflicts_with = "sites")]
    pub all: bool,
    /// Leave out the packages' scripts, where one of them cannot succeed
    #[arg(long)]
    pub skip_scripts: bool,
    /// How the change is to be made.
    #[command(flatten)]
    pub change: ChangeArgs,
}

/// Undeploys sites, each in a transaction of its own.
pub fn run(args: &UndeployArgs, app: &mut App) -> Result<Exit, Failure> {
    let db = existing(app)?;
    let farewell = if args.skip_scripts { Farewell::Unasked } else { Farewell::Asked };
    let becoming = Becoming { farewell, ..Becoming::default() };
    let sites = wanted(&db, &args.sites, args.all)?;
    each(app, (&sites, Scope::of(args.sites.len())), &|app, site, teller| {
        become_of((app, &db), (&site.id, becoming), (&args.change, teller))
            .doing(|| format!("cannot undeploy the site `{}`", site.called()))
    })
}
