//! `cart gear deployments`.

use super::found;
use crate::cli::app::App;
use crate::error::{Exit, Failure};
use crate::facts::DeployFacts;
use crate::gear::deployment::{Deployment, FOLDER};
use crate::package::ident::GearName;
use crate::sys::clock::Moment;
use crate::sys::fs::Dir;
use crate::sys::tree;
use crate::ui::format;
use crate::ui::report::Form;
use crate::ui::table::Table;
use clap::Args;
use serde::Serialize;

const EXAMPLES: &str = "\
Examples:
  cart gear deployments blog
  cart gear deployments blog --json";

/// The arguments of `cart gear deployments`.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub struct DeploymentsArgs {
    /// The gear
    #[arg(value_name = "NAME", value_parser = GearName::parse)]
    pub name: GearName,
}

#[derive(Serialize)]
struct Answer {
    gear: String,
    deployments: Vec<Shown>,
}

#[derive(Serialize)]
struct Shown {
    id: String,
    /// Its directory's name: when it was made, in UTC.
    made: String,
    #[serde(rename = "ref")]
    git_ref: String,
    sha1: Option<String>,
    checksum: Option<String>,
    hot_deploy: bool,
    force_clean_build: bool,
    /// Seconds since 1970.
    activations: Vec<f64>,
    size: u64,
    active: bool,
}

impl Shown {
    fn new(home: &Dir, one: Deployment, active: bool) -> Self {
        let size = tree::size(home, format!("{FOLDER}/{}", one.name)).unwrap_or_default();
        let metadata = one.metadata;
        Self {
            id: metadata.id,
            made: one.name,
            git_ref: metadata.git_ref,
            sha1: metadata.git_sha1,
            checksum: metadata.checksum,
            hot_deploy: metadata.hot_deploy,
            force_clean_build: metadata.force_clean_build,
            activations: metadata.activations,
            size,
            active,
        }
    }
}

/// Lists the deployments that a gear keeps.
pub fn run(args: &DeploymentsArgs, app: &mut App) -> Result<Exit, Failure> {
    let (_db, gear) = found::reading(app, &args.name)?;
    let home = Dir::open(&app.layout().gears().join(args.name.as_str()))?;
    let facts = DeployFacts::of(app.layout(), gear)?;
    let live = facts.live;
    let show = |one: Deployment| {
        let active = live.as_ref() == Some(&one.name);
        Shown::new(&home, one, active)
    };
    let deployments: Vec<Shown> = facts.deployments.into_iter().map(show).collect();
    if app.form() == Form::Json {
        app.printer().json(&Answer { gear: args.name.to_string(), deployments });
        return Ok(Exit::Done);
    }
    let mut table = Table::new(["ID", "REF", "COMMIT", "MADE", "ACTIVATED", "SIZE", "ACTIVE"]);
    for one in &deployments {
        let last = one.activations.iter().copied().reduce(f64::max);
        #[expect(
            clippy::cast_possible_truncation,
            reason = "a time that is out of range is shown as the nearest one"
        )]
        let last = last.map(|time| app.printer().moment(Moment((time * 1000.0) as i64)));
        table.row([
            one.id.as_str(),
            &one.git_ref,
            one.sha1.as_deref().unwrap_or("-"),
            &one.made,
            last.as_deref().unwrap_or("-"),
            &format::size(one.size),
            if one.active { "yes" } else { "" },
        ]);
    }
    app.printer().table(&table);
    Ok(Exit::Done)
}
