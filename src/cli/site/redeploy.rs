//! `cart site redeploy`.

use super::named::{Becoming, Scope, become_of, each, existing, wanted};
use crate::cli::app::App;
use crate::cli::change::ChangeArgs;
use crate::error::{Context, Exit, Failure};
use clap::Args;

const EXAMPLES: &str = "\
Examples:
  cart site redeploy blog.example.org
  cart site redeploy --all --dry-run";

/// The arguments of `cart site redeploy`.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub struct RedeployArgs {
    /// The sites: host names, identifiers or their beginnings
    #[arg(required_unless_present = "all", value_name = "SITE")]
    pub sites: Vec<String>,
    /// Every site
    #[arg(long, conflicts_with = "sites")]
    pub all: bool,
    /// How the change is to be made.
    #[command(flatten)]
    pub change: ChangeArgs,
}

/// Deploys sites again as they are, each in a transaction of its own.
pub fn run(args: &RedeployArgs, app: &mut App) -> Result<Exit, Failure> {
    let db = existing(app)?;
    let sites = wanted(&db, &args.sites, args.all)?;
    each(app, (&sites, Scope::of(args.sites.len())), &|app, site, teller| {
        become_of((app, &db), (&site.id, Becoming::site(site)), (&args.change, teller))
            .doing(|| format!("cannot redeploy the site `{}`", site.called()))
    })
}
