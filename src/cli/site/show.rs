//! `cart site show`.

use super::named::find;
use crate::cli::app::App;
use crate::db::{Db, DeployedSite};
use crate::error::{Exit, Failure};
use crate::package::ubos::site_file::{self, Telling, to_json};
use crate::ui::report::Form;
use clap::Args;
use serde_json::Value as Json;

const EXAMPLES: &str = "\
Examples:
  cart site show blog.example.org
  cart site show blog.example.org --json";

/// The arguments of `cart site show`.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub struct ShowArgs {
    /// The site: its host name, its identifier or the beginning of that
    #[arg(value_name = "SITE")]
    pub site: String,
}

/// Shows a site.
pub fn run(args: &ShowArgs, app: &mut App) -> Result<Exit, Failure> {
    let db = app.reading()?;
    let sites = db.as_ref().map(Db::sites).transpose()?.unwrap_or_default();
    let site = find(&sites, &args.site)?;
    let Some(one) = db.map(|db| db.site(&site.id)).transpose()?.flatten() else {
        return Err(Failure::new(Exit::NotFound, "the site is not there any more"));
    };
    if app.form() == Form::Json {
        app.printer().json(&shown(&one));
        return Ok(Exit::Done);
    }
    for line in lines(&one) {
        app.printer().data(&line);
    }
    Ok(Exit::Done)
}

/// The site as a site file has it, without what is secret: the values of its points are those that
/// it was deployed with.
pub(super) fn shown(one: &DeployedSite) -> Json {
    let mut site = one.new.site.clone();
    for app in &mut site.apps {
        app.points.clear();
        for package in one.new.packages.iter().filter(|package| package.appconfig == app.id) {
            let installable = &package.installable;
            let mut points = package.points.clone();
            points.retain(|name, _| !is_secret(one, installable.name.as_str(), name.as_str()));
            if !points.is_empty() {
                app.points.insert(installable.name.clone(), points);
            }
        }
    }
    to_json(&site, Telling::Open)
}

fn is_secret(one: &DeployedSite, package: &str, point: &str) -> bool {
    use crate::package::ubos::point::PointKind;
    let packages = one.new.packages.iter().map(|package| &package.installable);
    let mut named = packages.filter(|installable| installable.name.as_str() == package);
    named.any(|installable| {
        let mut points = installable.manifest.points.iter();
        points.any(|known| {
            let hidden = known.private || known.internal || known.kind == PointKind::Password;
            known.name.as_str() == point && hidden
        })
    })
}

fn lines(one: &DeployedSite) -> Vec<String> {
    let site = &one.new.site;
    let tls = if site.tls.is_some() { " (TLS)" } else { "" };
    let mut lines = vec![format!("{}{tls} ({}) :", site.called(), site.id)];
    for app in &site.apps {
        let context = app.context.as_ref().map_or("<default>", |context| {
            if context.is_root() { "<root>" } else { context.as_str() }
        });
        let default = if app.is_default { " default" } else { "" };
        lines.push(format!("    {context}{default} ({}) : {}", app.id, app.app));
        for package in one.new.packages.iter().filter(|package| package.appconfig == app.id) {
            let name = &package.installable.name;
            lines.push(format!("        {name}"));
            for (point, value) in &package.points {
                if !is_secret(one, name.as_str(), point.as_str()) {
                    lines.push(format!("            {point} : {}", site_file::shown(value)));
                }
            }
        }
    }
    lines
}
