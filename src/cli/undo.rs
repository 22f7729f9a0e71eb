//! `cart undo`.

use super::change::{ChangeArgs, carry_out, put_back};
use crate::cli::app::App;
use crate::db::TxnState;
use crate::error::{Exit, Failure};
use crate::facts;
use crate::plan::undo::undo;
use clap::Args;

const EXAMPLES: &str = "\
Examples:
  cart undo 41
  cart undo 41 --dry-run";

/// The arguments of `cart undo`.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub struct UndoArgs {
    /// The transaction, as `cart history` numbers them
    #[arg(value_name = "ID")]
    pub id: i64,
    /// How the change is to be made.
    #[command(flatten)]
    pub change: ChangeArgs,
}

/// Undoes a transaction: puts back one that is held, makes the inverse of one that has happened.
pub fn run(args: &UndoArgs, app: &mut App) -> Result<Exit, Failure> {
    let unknown = || {
        Failure::new(Exit::NotFound, format!("there is no transaction {}", args.id))
            .hint("`cart history` lists them")
    };
    app.reading()?.ok_or_else(unknown)?;
    let db = app.changing()?;
    let row = db.transaction(args.id)?.ok_or_else(unknown)?;
    if row.state == TxnState::Held {
        return put_back(app, &db, &row, &args.change);
    }
    carry_out(app, &db, &args.change, &|| {
        let facts =
            facts::undoing(&db, (app.layout(), app.config()?), args.id)?.ok_or_else(unknown)?;
        Ok(undo(&facts)?)
    })
}
