//! `cart remove`.

use super::change::{ChangeArgs, carry_out};
use super::package::{existing, the_one};
use crate::cli::app::App;
use crate::error::{Exit, Failure};
use crate::facts;
use crate::plan::remove::remove;
use clap::Args;
use std::collections::BTreeSet;

const EXAMPLES: &str = "\
Examples:
  cart remove static-web
  cart remove redhat-diy-0.1 static-web --dry-run";

/// The arguments of `cart remove`.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub struct RemoveArgs {
    /// The packages
    #[arg(required = true, value_name = "PACKAGE")]
    pub packages: Vec<String>,
    /// How the change is to be made.
    #[command(flatten)]
    pub change: ChangeArgs,
}

/// Removes packages that no gear uses, all in one transaction.
pub fn run(args: &RemoveArgs, app: &mut App) -> Result<Exit, Failure> {
    let first = args.packages.first().map(String::as_str).unwrap_or_default();
    let db = existing(app, first)?;
    carry_out(app, &db, &args.change, &|| {
        let mut ids = Vec::new();
        let mut names = BTreeSet::new();
        for text in &args.packages {
            let row = the_one(Some(&db), text)?;
            ids.push(row.id);
            names.insert(row.name);
        }
        let mut leaving = facts::library(&db, &names)?;
        leaving.retain(|one| ids.contains(&one.row.id));
        Ok(remove(&leaving)?)
    })
}
