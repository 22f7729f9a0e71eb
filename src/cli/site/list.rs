//! `cart site list`.

use super::show::shown;
use crate::cli::app::App;
use crate::error::{Exit, Failure};
use crate::ui::report::Form;
use crate::ui::table::Table;
use clap::Args;
use serde::Serialize;
use serde_json::{Map, Value as Json};

const EXAMPLES: &str = "\
Examples:
  cart site list
  cart site list --json";

/// The arguments of `cart site list`.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub struct ListArgs {}

#[derive(Serialize)]
struct Answer {
    /// By their identifiers, each as a site file has it.
    sites: Map<String, Json>,
}

/// Lists the sites.
pub fn run(_args: &ListArgs, app: &mut App) -> Result<Exit, Failure> {
    let mut sites = Vec::new();
    if let Some(db) = app.reading()? {
        for site in db.sites()? {
            sites.extend(db.site(&site.id)?);
        }
    }
    if app.form() == Form::Json {
        let all = sites.iter().map(|one| (one.new.site.id.to_string(), shown(one)));
        app.printer().json(&Answer { sites: all.collect() });
        return Ok(Exit::Done);
    }
    let mut table = Table::new(["SITE", "TLS", "ID", "APPS"]);
    for one in &sites {
        let site = &one.new.site;
        let apps: Vec<String> = site.apps.iter().map(|app| app.app.to_string()).collect();
        let tls = if site.tls.is_some() { "yes" } else { "no" };
        let name = site.called();
        table.row([name.as_str(), tls, site.id.as_str(), &apps.join(", ")]);
    }
    app.printer().table(&table);
    Ok(Exit::Done)
}
