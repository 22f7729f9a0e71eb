//! `cart gear remove`.

use super::found;
use crate::cli::app::App;
use crate::cli::change::{ChangeArgs, carry_out};
use crate::error::{Context, Exit, Failure};
use crate::facts::{Gear, MemberFacts, folders_size};
use crate::package::ident::GearName;
use crate::plan::gear::{folder_of, remove};
use clap::Args;
use std::collections::BTreeSet;

const EXAMPLES: &str = "\
Examples:
  cart gear remove blog cron-worker
  cart gear remove blog mysql --dry-run";

/// The arguments of `cart gear remove`.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub struct RemoveArgs {
    /// The gear
    #[arg(value_name = "NAME", value_parser = GearName::parse)]
    pub name: GearName,
    /// The cartridges, by their names
    #[arg(required = true, value_name = "CARTRIDGE")]
    pub cartridges: Vec<String>,
    /// How the change is to be made.
    #[command(flatten)]
    pub change: ChangeArgs,
}

/// Removes cartridges from a gear; their files wait in the stash, for `cart undo`.
pub fn run(args: &RemoveArgs, app: &mut App) -> Result<Exit, Failure> {
    let db = found::changing(app, &args.name)?;
    let config = app.config()?;
    carry_out(app, &db, &args.change, &|| {
        let gear = found::gear(app, &db, &args.name)?;
        let dirs = folders(&gear, &args.cartridges);
        let bytes = folders_size(app.layout(), args.name.as_str(), &dirs);
        let nothing = (&BTreeSet::new(), &BTreeSet::new());
        let facts = MemberFacts::of(&db, (app.layout(), config), gear, nothing)?;
        Ok(remove(&facts, &dirs, bytes)?)
    })
    .doing(|| format!("cannot remove from the gear `{}`", args.name))
}

/// The folders of the cartridges that the words name, each once; a word that names none stays.
fn folders(gear: &Gear, words: &[String]) -> Vec<String> {
    let mut dirs = Vec::new();
    for word in words {
        let dir = folder_of(gear, word).unwrap_or_else(|| word.clone());
        if !dirs.contains(&dir) {
            dirs.push(dir);
        }
    }
    dirs
}
