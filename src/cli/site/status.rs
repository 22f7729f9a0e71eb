//! `cart site status`.

use super::named::find;
use super::update::outdated;
use crate::cli::app::App;
use crate::db::Db;
use crate::error::{Exit, Failure};
use crate::facts::site::{look, root_of, site_facts};
use crate::package::ubos::site::Site;
use crate::plan::site::{Points, SiteAsk, draft};
use crate::sys::clock::Moment;
use crate::ui::report::Form;
use crate::ui::table::Table;
use clap::Args;
use serde::Serialize;

const EXAMPLES: &str = "\
Examples:
  cart site status
  cart site status blog.example.org --json";

/// The arguments of `cart site status`.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub struct StatusArgs {
    /// The sites: host names, identifiers or their beginnings [default: all]
    #[arg(value_name = "SITE")]
    pub sites: Vec<String>,
}

#[derive(Serialize)]
struct Standing {
    site: String,
    siteid: String,
    state: &'static str,
    deployed: String,
    transaction: i64,
    missing: Vec<String>,
    outdated: Vec<String>,
}

#[derive(Serialize)]
struct Answer {
    sites: Vec<Standing>,
}

/// Tells how sites are doing.
pub fn run(args: &StatusArgs, app: &mut App) -> Result<Exit, Failure> {
    let mut sites = Vec::new();
    if let Some(db) = app.reading()? {
        let all = db.sites()?;
        let wanted: Vec<Site> = if args.sites.is_empty() {
            all
        } else {
            args.sites.iter().map(|name| find(&all, name)).collect::<Result<_, _>>()?
        };
        for site in &wanted {
            sites.extend(standing(app, &db, site)?);
        }
    } else if let Some(name) = args.sites.first() {
        find(&[], name)?;
    }
    let is_fine = sites.iter().all(|one| one.missing.is_empty());
    let exit = if is_fine { Exit::Done } else { Exit::Failed };
    if app.form() == Form::Json {
        app.printer().json(&Answer { sites });
        return Ok(exit);
    }
    let mut table = Table::new(["SITE", "STATE", "MISSING", "OUTDATED"]);
    for one in &sites {
        let missing = one.missing.join(", ");
        table.row([one.site.as_str(), one.state, &missing, &one.outdated.join(", ")]);
    }
    app.printer().table(&table);
    Ok(exit)
}

fn standing(app: &App, db: &Db, site: &Site) -> Result<Option<Standing>, Failure> {
    let facts = site_facts(db, (app.layout(), app.config()?), (&site.id, None), Moment::now())?;
    let Some(old) = &facts.old else { return Ok(None) };
    let kept = Points::new();
    let ask = SiteAsk::of_deployed((&site.id, &kept), &facts);
    let looked = look(&root_of(app.layout())?, &draft(&ask)?.paths())?;
    let gone = looked.spots.iter().filter(|(_, spot)| spot.there.is_none());
    let missing: Vec<String> = gone.map(|(path, _)| format!("/{path}")).collect();
    Ok(Some(Standing {
        site: site.called(),
        siteid: site.id.to_string(),
        state: if missing.is_empty() { "deployed" } else { "damaged" },
        deployed: old.at.rfc3339(),
        transaction: old.txn,
        missing,
        outdated: outdated(db, &site.id)?,
    }))
}
