//! `cart site update`.

use super::named::{Becoming, Scope, become_of, each, existing, wanted};
use crate::cli::app::App;
use crate::cli::change::ChangeArgs;
use crate::db::Db;
use crate::error::{Context, Exit, Failure};
use crate::facts::site::newest_app;
use crate::package::ubos::name::SiteId;
use clap::Args;

const EXAMPLES: &str = "\
Examples:
  cart site update
  cart site update blog.example.org --dry-run";

/// The arguments of `cart site update`.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub struct UpdateArgs {
    /// The sites: host names, identifiers or their beginnings [default: all]
    #[arg(value_name = "SITE")]
    pub sites: Vec<String>,
    /// How the change is to be made.
    #[command(flatten)]
    pub change: ChangeArgs,
}

/// Deploys sites again whose packages have other releases, each in a transaction of its own.
pub fn run(args: &UpdateArgs, app: &mut App) -> Result<Exit, Failure> {
    let db = existing(app)?;
    let mut sites = Vec::new();
    for site in wanted(&db, &args.sites, args.sites.is_empty())? {
        if !outdated(&db, &site.id)?.is_empty() {
            sites.push(site);
        }
    }
    if sites.is_empty() {
        app.printer().talk("every site has the newest releases that the library has");
    }
    each(app, (&sites, Scope::Many), &|app, site, teller| {
        become_of((app, &db), (&site.id, Becoming::site(site)), (&args.change, teller))
            .doing(|| format!("cannot update the site `{}`", site.called()))
    })
}

/// The packages of a site of which the library has another release that counts as the newest.
pub(super) fn outdated(db: &Db, id: &SiteId) -> Result<Vec<String>, Failure> {
    let Some(site) = db.site(id)? else { return Ok(Vec::new()) };
    let mut found = Vec::new();
    for package in site.new.packages {
        let newest = newest_app(db, &package.installable.name)?;
        if newest.is_some_and(|newest| newest.place != package.place) {
            found.push(package.installable.name.to_string());
        }
    }
    Ok(found)
}
