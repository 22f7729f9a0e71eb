//! `cart gear scale`.

use super::found;
use crate::cli::app::App;
use crate::cli::change::{ChangeArgs, carry_out_aloud, write_sdk};
use crate::error::{Context, Exit, Failure};
use crate::facts::{self, Gear, ScaleFacts, Seat};
use crate::package::ident::GearName;
use crate::plan::gear::{ScaleRequest, refuse_child, scale};
use crate::sys::clock::Moment;
use clap::Args;
use std::collections::BTreeSet;

const EXAMPLES: &str = "\
Examples:
  cart gear scale shop 4
  cart gear scale shop 1 --dry-run";

/// The arguments of `cart gear scale`.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub struct ScaleArgs {
    /// The application, or its first gear, which is called the same
    #[arg(value_name = "APP", value_parser = GearName::parse)]
    pub name: GearName,
    /// How many gears serve it, the first one among them
    #[arg(value_name = "N", value_parser = clap::value_parser!(u16).range(1..=100))]
    pub gears: u16,
    /// How the change is to be made.
    #[command(flatten)]
    pub change: ChangeArgs,
}

/// Changes how many gears an application has.
pub fn run(args: &ScaleArgs, app: &mut App) -> Result<Exit, Failure> {
    scale_app(args, app).doing(|| format!("cannot scale the application `{}`", args.name))
}

fn scale_app(args: &ScaleArgs, app: &App) -> Result<Exit, Failure> {
    let db = found::changing(app, &args.name)?;
    let head = found::gear(app, &db, &args.name)?;
    refuse_child(&head)?;
    let now = head.children(&db, app.layout())?.len() + 1;
    let gears = usize::from(args.gears);
    let uuids = (now..gears).map(|_| facts::new_uuid()).collect::<Result<_, _>>()?;
    let ask = ScaleRequest { gears, uuids, made: Moment::now() };
    if !args.change.dry_run {
        write_sdk(app)?;
    }
    let config = app.config()?;
    carry_out_aloud(app, &db, &args.change, &|| {
        let head = found::gear(app, &db, &args.name)?;
        let seats = seats(app, &db, (&head, ask.uuids.len()))?;
        let facts = ScaleFacts::of(&db, (app.layout(), config), (head, seats))?;
        Ok(scale(&ask, &facts, &config.gears)?)
    })
}

/// Places for `count` new gears, whose addresses have the head's ports free.
fn seats(
    app: &App,
    db: &crate::db::Db,
    (head, count): (&Gear, usize),
) -> Result<Vec<Seat>, Failure> {
    let software = head.packages.iter().flat_map(|package| &package.software);
    let endpoints: Vec<_> = software.flat_map(|one| &one.endpoints).collect();
    let ports: BTreeSet<u16> = endpoints
        .iter()
        .flat_map(|one| std::iter::once(one.port).chain(one.websocket_port))
        .collect();
    let places = (app.layout(), &app.config()?.gears);
    let wanted = (&ports, endpoints.len());
    facts::seats(Some(db), places, (&head.identity.name, None, count), wanted)
}
