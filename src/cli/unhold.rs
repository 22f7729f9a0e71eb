//! `cart unhold`.

use super::change::{ChangeArgs, carry_out};
use super::hold::lines;
use super::package::existing;
use crate::cli::app::App;
use crate::db::{Db, Hold};
use crate::error::{Context, Exit, Failure};
use crate::facts;
use crate::plan::hold::unhold;
use clap::Args;

const EXAMPLES: &str = "\
Examples:
  cart unhold static-web
  cart unhold redhat-php other-mysql --dry-run";

/// The arguments of `cart unhold`.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub struct UnholdArgs {
    /// The packages: `name` or `vendor-name`
    #[arg(required = true, value_name = "NAME")]
    pub names: Vec<String>,
    /// How the change is to be made.
    #[command(flatten)]
    pub change: ChangeArgs,
}

/// Lets packages go, all in one transaction.
pub fn run(args: &UnholdArgs, app: &mut App) -> Result<Exit, Failure> {
    let first = args.names.first().map(String::as_str).unwrap_or_default();
    let released = || {
        let db = existing(app, first)?;
        carry_out(app, &db, &args.change, &|| Ok(unhold(&holds(&db, &args.names)?)))
    };
    released().doing(|| match args.names.as_slice() {
        [one] => format!("cannot let `{one}` go"),
        many => format!("cannot let {} packages go", many.len()),
    })
}

/// The holds that `names` mean, each once. A package that nobody holds has none.
fn holds(db: &Db, names: &[String]) -> Result<Vec<Hold>, Failure> {
    let mut holds: Vec<Hold> = Vec::new();
    for text in names {
        let hold = match facts::hold_called(db, text)? {
            Some(hold) => Some(hold),
            // With a version in it, or no name at all.
            None => lines(db, std::slice::from_ref(text))?
                .first()
                .map_or(Ok(None), |line| db.hold_on(&line.vendor, &line.name))?,
        };
        holds.extend(hold.filter(|one| !holds.iter().any(|other| other.id == one.id)));
    }
    Ok(holds)
}
