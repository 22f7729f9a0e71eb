//! `cart remove`.

use super::change::{ChangeArgs, carry_out};
use super::package::{existing, the_one};
use super::tpkg::{self, Job, Reach};
use crate::cli::app::App;
use crate::error::{Exit, Failure};
use crate::facts;
use crate::facts::tpkg::is_tpkg;
use crate::plan::remove::remove;
use crate::plan::tpkg::{Liberties, Services};
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
    /// Remove tpkg packages that need one of these, too
    #[arg(long, visible_alias = "rd")]
    pub dependents: bool,
    /// Remove what no other tpkg package needs any more, too
    #[arg(long, visible_alias = "rp")]
    pub prerequisites: bool,
    /// Do not stop the services of tpkg packages
    #[arg(long)]
    pub skip_remove_stop: bool,
    /// How the change is to be made.
    #[command(flatten)]
    pub change: ChangeArgs,
}

/// Removes packages that no gear uses, all in one transaction.
pub fn run(args: &RemoveArgs, app: &mut App) -> Result<Exit, Failure> {
    let first = args.packages.first().map(String::as_str).unwrap_or_default();
    let db = existing(app, first)?;
    let reach = Reach { dependents: args.dependents, prerequisites: args.prerequisites };
    let services = if args.skip_remove_stop { Services::LeftAlone } else { Services::Stopped };
    let liberties = Liberties { services, ..Liberties::default() };
    carry_out(app, &db, &args.change, &|| {
        let rows = args.packages.iter().map(|text| the_one(Some(&db), text));
        let rows = rows.collect::<Result<Vec<_>, _>>()?;
        let tpkgs = tpkg::leaving(&db, &rows, reach)?;
        let others = rows.iter().filter(|row| !is_tpkg(row));
        let ids: Vec<i64> = others.clone().map(|row| row.id).collect();
        let names: BTreeSet<String> = others.map(|row| row.name.clone()).collect();
        let mut leaving = facts::library(&db, &names)?;
        leaving.retain(|one| ids.contains(&one.row.id));
        let job =
            Job { coming: &[], leaving: &tpkgs, base: app.config()?.tpkg.base.clone(), liberties };
        match (ids.is_empty(), tpkgs.is_empty()) {
            (_, true) => Ok(remove(&leaving)?),
            (true, false) => tpkg::plan(app, &db, &job),
            (false, false) => {
                let mut plan = remove(&leaving)?;
                plan.merge(tpkg::plan(app, &db, &job)?);
                Ok(plan)
            }
        }
    })
}
