//! `cart gear exec`.

use super::found;
use crate::cli::app::App;
use crate::cli::change::write_sdk;
use crate::error::{Exit, Failure};
use crate::facts;
use crate::gear::environment::{self, Host};
use crate::package::ident::GearName;
use crate::sandbox;
use crate::step::sandboxed;
use crate::sys::fs::Dir;
use clap::Args;
use std::ffi::OsString;

const EXAMPLES: &str = "\
Examples:
  cart gear exec blog -- env
  cart gear exec blog -- bash -c 'ls \"$OPENSHIFT_DATA_DIR\"'";

/// The arguments of `cart gear exec`.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub struct ExecArgs {
    /// The gear
    #[arg(value_name = "NAME", value_parser = GearName::parse)]
    pub name: GearName,
    /// The command and its arguments
    #[arg(last = true, required = true, value_name = "CMD")]
    pub command: Vec<OsString>,
}

/// Runs a command as the gear, in its environment, and answers with its exit status.
pub fn run(args: &ExecArgs, app: &mut App) -> Result<Exit, Failure> {
    hand_over(app, &args.name, (&args.command, Vec::new()))
}

/// Gives the terminal to a command in a gear; `more` are variables beyond the gear's own.
pub(super) fn hand_over(
    app: &mut App,
    name: &GearName,
    (command, more): (&[OsString], Vec<(String, OsString)>),
) -> Result<Exit, Failure> {
    let (db, gear) = found::reading(app, name)?;
    let shared = facts::shared(&db)?;
    write_sdk(app)?;
    let home = Dir::open(&app.layout().gears().join(name.as_str()))?;
    let host = Host { layout: app.layout(), config: app.config()?, shared: &shared };
    let mut loaded = environment::of(host, &home, &gear.identity, None);
    loaded.notes.iter().for_each(|note| app.printer().warn(note));
    loaded.variables.extend(more);
    let confinement = sandboxed::confinement(app.layout(), app.config()?, &gear.identity);
    let status = sandbox::hand_over(command, home.path(), &loaded.variables, &confinement)?;
    app.answer_with(status);
    Ok(Exit::Done)
}
