//! `cart gear env show-origin`.

use crate::cli::app::App;
use crate::cli::gear::found;
use crate::error::{Exit, Failure};
use crate::facts;
use crate::gear::environ::Origin;
use crate::gear::environment::{self, Host};
use crate::package::ident::GearName;
use crate::sys::fs::Dir;
use crate::ui::report::Form;
use crate::ui::table::Table;
use clap::Args;
use serde::Serialize;

const EXAMPLES: &str = "\
Examples:
  cart gear env show-origin blog
  cart gear env show-origin blog --cartridge php --json";

/// The arguments of `cart gear env show-origin`.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub struct ShowOriginArgs {
    /// The gear
    #[arg(value_name = "GEAR", value_parser = GearName::parse)]
    pub gear: GearName,
    /// As the scripts of this cartridge, by its folder, see them
    #[arg(long, value_name = "FOLDER")]
    pub cartridge: Option<String>,
}

#[derive(Serialize)]
struct Answer<'a> {
    gear: &'a GearName,
    variables: Vec<Variable>,
}

#[derive(Serialize)]
struct Variable {
    name: String,
    value: String,
    origin: Option<Origin>,
}

/// Shows the variables of a gear as its scripts get them, each with the file that it comes from.
pub fn run(args: &ShowOriginArgs, app: &mut App) -> Result<Exit, Failure> {
    let (db, gear) = found::reading(app, &args.gear)?;
    let dir = args.cartridge.as_deref();
    if let Some(dir) = dir.filter(|dir| gear.identity.cartridge(dir).is_none()) {
        let text = format!("the gear `{}` has no cartridge in `{dir}`", args.gear);
        let folders = gear.identity.cartridges.iter().map(|one| one.dir.as_str());
        let hint = format!("it has `{}`", folders.collect::<Vec<_>>().join("`, `"));
        return Err(Failure::new(Exit::NotFound, text).hint(hint));
    }
    let home = Dir::open(&app.layout().gears().join(args.gear.as_str()))?;
    let shared = facts::shared(&db)?;
    let host = Host { layout: app.layout(), config: app.config()?, shared: &shared };
    let mut loaded = environment::of(host, &home, &gear.identity, dir);
    loaded.notes.iter().for_each(|note| app.printer().warn(note));
    let one = |(name, value): (String, std::ffi::OsString)| Variable {
        origin: loaded.origins.remove(&name),
        value: value.to_string_lossy().into_owned(),
        name,
    };
    let answer =
        Answer { gear: &args.gear, variables: loaded.variables.into_iter().map(one).collect() };
    if app.form() == Form::Json {
        app.printer().json(&answer);
        return Ok(Exit::Done);
    }
    let mut table = Table::new(["NAME", "ORIGIN", "VALUE"]);
    for Variable { name, value, origin } in &answer.variables {
        let origin = origin.as_ref().map(ToString::to_string).unwrap_or_default();
        table.row([name, &origin, value]);
    }
    app.printer().table(&table);
    Ok(Exit::Done)
}
