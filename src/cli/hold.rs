//! `cart hold`.

use super::change::{ChangeArgs, carry_out};
use super::package::{existing, missing};
use crate::cli::app::App;
use crate::db::Db;
use crate::error::{Context, Exit, Failure};
use crate::facts;
use crate::plan::hold::{Line, hold};
use clap::Args;

const EXAMPLES: &str = "\
Examples:
  cart hold static-web --reason 'the new one needs a newer perl'
  cart hold redhat-php other-mysql --reason 'until the audit is over' --dry-run";

/// The arguments of `cart hold`.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub struct HoldArgs {
    /// The packages: `name` or `vendor-name`
    #[arg(required = true, value_name = "NAME")]
    pub names: Vec<String>,
    /// Why, for whoever meets it
    #[arg(long, value_name = "TEXT")]
    pub reason: String,
    /// How the change is to be made.
    #[command(flatten)]
    pub change: ChangeArgs,
}

/// Keeps packages as they are, all in one transaction.
pub fn run(args: &HoldArgs, app: &mut App) -> Result<Exit, Failure> {
    let first = args.names.first().map(String::as_str).unwrap_or_default();
    let held = || {
        let db = existing(app, first)?;
        carry_out(app, &db, &args.change, &|| {
            let lines = lines(&db, &args.names)?;
            Ok(hold(&lines, &args.reason, &db.holds()?)?)
        })
    };
    held().doing(|| match args.names.as_slice() {
        [one] => format!("cannot hold `{one}`"),
        many => format!("cannot hold {} packages", many.len()),
    })
}

/// The installed packages that `names` mean, each once.
pub(super) fn lines(db: &Db, names: &[String]) -> Result<Vec<Line>, Failure> {
    let mut lines: Vec<Line> = Vec::new();
    for text in names {
        let Some((vendor, name)) = facts::line(db, text)? else {
            return Err(missing(text, &db.package_names()?));
        };
        lines.push(Line { vendor, name });
    }
    lines.sort();
    lines.dedup();
    Ok(lines)
}
