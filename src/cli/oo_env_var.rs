//! `oo-env-var-add` and `oo-env-var-remove`: the original's commands for an administrator, with
//! its options. They work on the `.env` of one gear.

use super::app::App;
use super::change::ChangeArgs;
use super::gear::env::{Target, change};
use crate::error::{Exit, Failure};
use crate::gear::variables::Place;
use crate::package::ident::GearName;
use crate::plan::gear::VariablesRequest;
use clap::Args;

const ADDING: &str = "\
Examples:
  cart oo-env-var-add --with-container-uuid g0123456789ab --with-key COLOUR --with-value blue
  cart oo-env-var-add --with-app-name blog --with-key COLOUR --with-value blue";

const REMOVING: &str = "\
Examples:
  cart oo-env-var-remove --with-container-uuid g0123456789ab --with-key COLOUR
  cart oo-env-var-remove --with-app-name blog --with-key COLOUR";

/// Which gear is meant: by its identifier or its name.
#[derive(Args, Clone, Debug)]
#[group(required = true, multiple = true)]
#[expect(clippy::struct_field_names, reason = "the original's options are called so")]
struct Container {
    /// The identifier of the gear
    #[arg(short = 'c', long, value_name = "UUID")]
    with_container_uuid: Option<String>,
    /// The name of the gear
    #[arg(long, value_name = "NAME")]
    with_container_name: Option<String>,
    /// The identifier of the application, the same as its gear's
    #[arg(short = 'a', long, value_name = "UUID")]
    with_app_uuid: Option<String>,
    /// The name of the application
    #[arg(long, value_name = "NAME")]
    with_app_name: Option<String>,
}

/// The arguments of `oo-env-var-add`.
#[derive(Args, Debug)]
#[command(after_help = ADDING)]
pub struct AddArgs {
    #[command(flatten)]
    container: Container,
    /// The namespace; accepted as the original does, and not needed
    #[arg(long, value_name = "NAMESPACE")]
    with_namespace: Option<String>,
    /// The variable
    #[arg(short = 'k', long, value_name = "KEY")]
    with_key: String,
    /// Its value
    #[arg(long, value_name = "VALUE", allow_hyphen_values = true)]
    with_value: String,
    /// How the change is to be made.
    #[command(flatten)]
    change: ChangeArgs,
}

/// The arguments of `oo-env-var-remove`.
#[derive(Args, Debug)]
#[command(after_help = REMOVING)]
pub struct RemoveArgs {
    #[command(flatten)]
    container: Container,
    /// The namespace; accepted as the original does, and not needed
    #[arg(long, value_name = "NAMESPACE")]
    with_namespace: Option<String>,
    /// The variable
    #[arg(short = 'k', long, value_name = "KEY")]
    with_key: String,
    /// How the change is to be made.
    #[command(flatten)]
    change: ChangeArgs,
}

/// Writes a variable into a gear's `.env`.
pub fn add(args: &AddArgs, app: &mut App) -> Result<Exit, Failure> {
    let set = vec![(args.with_key.clone(), args.with_value.clone())];
    let ask = VariablesRequest { place: Place::Platform, set, unset: Vec::new() };
    change(app, &Target::Gear(gear(app, &args.container)?), &ask, &args.change)
}

/// Removes a variable from a gear's `.env`.
pub fn remove(args: &RemoveArgs, app: &mut App) -> Result<Exit, Failure> {
    let unset = vec![args.with_key.clone()];
    let ask = VariablesRequest { place: Place::Platform, set: Vec::new(), unset };
    change(app, &Target::Gear(gear(app, &args.container)?), &ask, &args.change)
}

/// The one gear that all of what was given means.
fn gear(app: &App, asked: &Container) -> Result<GearName, Failure> {
    let rows = app.reading()?.map(|db| db.gears()).transpose()?.unwrap_or_default();
    let uuids = [&asked.with_container_uuid, &asked.with_app_uuid];
    let names = [&asked.with_container_name, &asked.with_app_name];
    let fits = |wanted: &Option<String>, is: &str| wanted.as_ref().is_none_or(|word| word == is);
    let found = rows.iter().find(|row| {
        uuids.iter().all(|wanted| fits(wanted, &row.uuid))
            && names.iter().all(|wanted| fits(wanted, &row.name))
    });
    let missing = || {
        let words: Vec<&str> =
            uuids.into_iter().chain(names).flatten().map(String::as_str).collect();
        Failure::new(Exit::NotFound, format!("there is no gear `{}`", words.join("`, `")))
            .hint("`cart gear list` shows what there is")
    };
    let row = found.ok_or_else(missing)?;
    GearName::parse(&row.name).map_err(|_| missing())
}
