//! `cart external ack`.

use super::meant;
use crate::cli::app::App;
use crate::cli::change::{ChangeArgs, carry_out};
use crate::error::{Context, Exit, Failure};
use crate::plan::requests::{Request, acknowledge, answered};
use clap::{Args, ValueEnum};

const EXAMPLES: &str = "\
Examples:
  cart external ack 41-3 41-4
  cart external ack 41-3 --action remove
  cart external ack 41-5 --failed 'no such mount'";

/// The arguments of `cart external ack`.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub struct AckArgs {
    /// The requests, by their keys
    #[arg(required = true, value_name = "KEY")]
    pub keys: Vec<String>,
    /// What was done; refused where something else is wanted by now
    #[arg(long, value_name = "WHAT", value_enum)]
    pub action: Option<Wanted>,
    /// It could not be done, and why
    #[arg(long, value_name = "TEXT")]
    pub failed: Option<String>,
    /// How the change is to be made.
    #[command(flatten)]
    pub change: ChangeArgs,
}

/// What a request asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Wanted {
    /// To bring it about
    Install,
    /// To take it back
    Remove,
}

/// Writes down what a tool says of requests.
pub fn run(args: &AckArgs, app: &mut App) -> Result<Exit, Failure> {
    let first = args.keys.first().map_or("", String::as_str);
    if !app.has_database() {
        return Err(super::missing(first));
    }
    let db = app.changing()?;
    carry_out(app, &db, &args.change, &|| {
        let requests = meant(&db, &args.keys, |row| row.mode == "request")?;
        refuse(args, &requests)?;
        Ok(acknowledge(&requests, &answered(args.failed.as_deref())))
    })
    .doing(|| "cannot acknowledge requests".into())
}

fn refuse(args: &AckArgs, requests: &[Request]) -> Result<(), Failure> {
    for request in requests {
        let row = &request.row;
        if !args.keys.contains(&row.key) {
            // A name would acknowledge what the tool has never seen.
            let text = format!("`{}` is the name of an external", row.name.as_str().escape_debug());
            return Err(Failure::new(Exit::Usage, text).hint("acknowledge requests by their keys"));
        }
        let wanted = if row.withdrawn_by.is_some() { Wanted::Remove } else { Wanted::Install };
        if args.action.is_some_and(|done| done != wanted) {
            let text = format!("the request {} asks for something else by now", row.key);
            return Err(Failure::new(Exit::Conflict, text)
                .hint("`cart external list` shows what is wanted"));
        }
    }
    Ok(())
}
