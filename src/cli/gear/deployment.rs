//! `cart gear deployment`: one deployment of a gear.

use super::activate::missing;
use super::found;
use crate::cli::app::App;
use crate::error::{Context, Exit, Failure};
use crate::facts::DeployFacts;
use crate::gear::deployment::save;
use crate::package::ident::GearName;
use crate::sys::fs::{self, Dir};
use crate::ui::format;
use crate::ui::report::Form;
use clap::{Args, Subcommand};
use serde::Serialize;
use std::path::{Path, PathBuf};

const EXAMPLES: &str = "\
Examples:
  cart gear deployment save blog 1a2b3c4d blog.tar.gz
  cart gear deployment save blog 1a2b /srv/blog-1.2.tar.gz --json";

/// The arguments of `cart gear deployment`.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub struct DeploymentArgs {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Save a deployment as an archive that can be deployed elsewhere
    ///
    /// `cart gear deploy --archive` takes it, in any gear of the same make.
    #[command(after_help = EXAMPLES)]
    Save(SaveArgs),
}

/// The arguments of `cart gear deployment save`.
#[derive(Args, Debug)]
pub struct SaveArgs {
    /// The gear
    #[arg(value_name = "NAME", value_parser = GearName::parse)]
    pub name: GearName,
    /// The deployment, or the beginning of its identifier
    #[arg(value_name = "ID")]
    pub id: String,
    /// The file to write, a .tar.gz; one of that name is replaced
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
}

#[derive(Serialize)]
struct Answer {
    gear: String,
    id: String,
    file: String,
    size: u64,
}

/// Runs the command on a deployment that was asked for.
pub fn run(args: &DeploymentArgs, app: &mut App) -> Result<Exit, Failure> {
    let Command::Save(args) = &args.command;
    save_one(args, app).doing(|| format!("cannot save a deployment of the gear `{}`", args.name))
}

fn save_one(args: &SaveArgs, app: &App) -> Result<Exit, Failure> {
    let (_db, gear) = found::reading(app, &args.name)?;
    let home = Dir::open(&app.layout().gears().join(args.name.as_str()))?;
    let facts = DeployFacts::of(app.layout(), gear)?;
    let one = facts.deployment(&args.id).ok_or_else(|| missing(&args.name, &args.id))?;
    let (Some(name), parent) = (args.file.file_name(), args.file.parent()) else {
        return Err(Failure::new(Exit::Usage, "that is no name of a file"));
    };
    let parent = parent.filter(|parent| !parent.as_os_str().is_empty());
    let folder = Dir::open(parent.unwrap_or(Path::new(".")))?;
    save(&home, &one.name, (&folder, name))?;
    let size = fs::length(&args.file).unwrap_or_default();
    let file = args.file.display().to_string();
    if app.form() == Form::Json {
        let (gear, id) = (args.name.to_string(), one.metadata.id.clone());
        app.printer().json(&Answer { gear, id, file, size });
    } else {
        app.printer().talk(&format!("{} in `{file}`", format::size(size)));
    }
    Ok(Exit::Done)
}
