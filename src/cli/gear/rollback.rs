//! `cart gear rollback`.

use super::found;
use crate::cli::app::App;
use crate::cli::change::{ChangeArgs, carry_out};
use crate::db::{Db, Inverse, InversePart, TxnState};
use crate::error::{Context, Exit, Failure};
use crate::facts;
use crate::package::ident::GearName;
use crate::plan::gear::Data;
use crate::plan::undo::undo_with;
use clap::Args;

const EXAMPLES: &str = "\
Examples:
  cart gear rollback blog --dry-run
  cart gear rollback blog --with-data";

/// The arguments of `cart gear rollback`.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub struct RollbackArgs {
    /// The gear
    #[arg(value_name = "NAME", value_parser = GearName::parse)]
    pub name: GearName,
    /// Bring the data back, too, as it was before the upgrade: what is newer is lost
    #[arg(long)]
    pub with_data: bool,
    /// How the change is to be made.
    #[command(flatten)]
    pub change: ChangeArgs,
}

/// Brings back the releases that a gear had before its last upgrade.
pub fn run(args: &RollbackArgs, app: &mut App) -> Result<Exit, Failure> {
    roll_back(args, app).doing(|| format!("cannot roll back the gear `{}`", args.name))
}

fn roll_back(args: &RollbackArgs, app: &App) -> Result<Exit, Failure> {
    let db = found::changing(app, &args.name)?;
    let data = if args.with_data { Data::AsKept } else { Data::Stays };
    let txn = last_upgrade(&db, &args.name)?;
    carry_out(app, &db, &args.change, &|| {
        let known = facts::undoing(&db, (app.layout(), app.config()?), txn)?;
        Ok(undo_with(&known.ok_or_else(|| none(&args.name))?, data)?)
    })
}

fn none(name: &GearName) -> Failure {
    Failure::new(Exit::NotFound, format!("no upgrade of the gear `{name}` can be taken back"))
        .hint("`cart history` shows what has been done")
}

/// The last upgrade of the gear that has happened and was not undone.
fn last_upgrade(db: &Db, name: &GearName) -> Result<i64, Failure> {
    for row in db.transactions(u32::MAX)? {
        let happened = matches!(row.state, TxnState::Finished | TxnState::Committed);
        if !happened || row.undoes.is_some() {
            continue;
        }
        let Ok(inverse) = serde_json::from_str::<Inverse>(&row.inverse) else { continue };
        let is_it = |part: &InversePart| matches!(part, InversePart::RollBackGear { name: of, .. } if of == name);
        // An upgrade that was undone is over and done with, as its undoing is.
        if inverse.parts.iter().any(is_it) && db.undone_by(row.id)?.is_none() {
            return Ok(row.id);
        }
    }
    Err(none(name))
}
