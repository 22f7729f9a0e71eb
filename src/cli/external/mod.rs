//! `cart external`: what packages ask the host's configuration management for.

pub mod ack;
pub mod check;
pub mod list;
pub mod run;

use super::app::App;
use crate::db::{Db, ExternalRow};
use crate::error::{Exit, Failure};
use crate::package::ident::GearName;
use crate::plan::requests::{Place, Request};
use clap::{Args, Subcommand};
use std::collections::BTreeMap;

const EXAMPLES: &str = "\
Examples:
  cart external list --json
  cart external check
  cart external run sysctl";

/// The arguments of `cart external`.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub struct ExternalArgs {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// List what packages ask externals for, with what came of it
    ///
    /// Each request has a key, the package and the gear that ask, the external, its data, when it was
    /// asked for and how it stands: `done`, `failed`, `waiting` for a tool to acknowledge it, or
    /// `missing`. Requests to be taken back that a tool has not acknowledged yet are listed as
    /// `remove`. See cart-externals(7).
    #[command(visible_alias = "ls")]
    List(list::ListArgs),
    /// Make requests once more that packages have made
    ///
    /// Calls the external with `install`, or puts the request into the spool again: after it has
    /// failed, or what it had made is gone. An external is expected to do nothing where nothing is to
    /// be done.
    Run(run::RunArgs),
    /// Tell what externals would change, and which are missing
    ///
    /// Asks the externals that come with cart with `--check`; of others it tells whether they are
    /// there. Nothing is changed. The exit status is 20 when something is not as it is asked for.
    Check(check::CheckArgs),
    /// Say that a tool has done what requests ask for
    ///
    /// For tools of configuration management that read `cart external list --json` or the spool.
    Ack(ack::AckArgs),
}

/// Runs the command on externals that was asked for.
pub fn run(args: &ExternalArgs, app: &mut App) -> Result<Exit, Failure> {
    match &args.command {
        Command::List(args) => list::run(args, app),
        Command::Run(args) => run::run(args, app),
        Command::Check(args) => check::run(args, app),
        Command::Ack(args) => ack::run(args, app),
    }
}

/// The requests that the words mean, keys or names of externals; all of them where there are none.
fn meant(
    db: &Db,
    words: &[String],
    fits: fn(&ExternalRow) -> bool,
) -> Result<Vec<Request>, Failure> {
    let places = places(db)?;
    let rows: Vec<ExternalRow> = db.externals()?.into_iter().filter(fits).collect();
    let is_meant = |row: &ExternalRow, word: &String| row.key == *word || row.name.as_str() == word;
    for word in words {
        if !rows.iter().any(|row| is_meant(row, word)) {
            return Err(missing(word));
        }
    }
    let chosen = rows
        .into_iter()
        .filter(|row| words.is_empty() || words.iter().any(|word| is_meant(row, word)));
    Ok(chosen
        .map(|row| {
            let place = row.asker.gear.as_ref().and_then(|uuid| places.get(uuid)).cloned();
            Request { row, place }
        })
        .collect())
}

fn missing(word: &str) -> Failure {
    let text =
        format!("there is no request `{}`, nor one to an external called so", word.escape_debug());
    Failure::new(Exit::NotFound, text).hint("`cart external list` shows what there is")
}

/// Gears by their identifiers, and sites by those of their apps.
fn places(db: &Db) -> Result<BTreeMap<String, Place>, Failure> {
    let gears = db.gears()?.into_iter();
    let gears = gears.filter_map(|row| Some((row.uuid, GearName::parse(&row.name).ok()?)));
    let mut places: BTreeMap<String, Place> =
        gears.map(|(uuid, name)| (uuid, Place::Gear(name))).collect();
    for site in db.sites()? {
        let place = Place::Site(site.id.clone(), site.called());
        places.extend(site.apps.iter().map(|app| (app.id.to_string(), place.clone())));
    }
    Ok(places)
}
