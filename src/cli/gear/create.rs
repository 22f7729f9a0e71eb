//! `cart gear create`.

use super::resolve::{Resolved, resolve};
use crate::cli::app::App;
use crate::cli::change::{ChangeArgs, carry_out, write_sdk};
use crate::cli::request::database;
use crate::db::Db;
use crate::error::{Context, Exit, Failure};
use crate::facts::{self, Externals, Gear, GearFacts, Host, MOST_PORTS, Occupied, Outside};
use crate::package::ident::{GearName, HostName};
use crate::plan::gear::{CreateRequest, Exposure, Growth, create, scalable};
use crate::sys::clock::Moment;
use crate::sys::host;
use clap::Args;
use std::collections::BTreeSet;

const EXAMPLES: &str = "\
Examples:
  cart gear create blog static-web --start
  cart gear create app perl-app https://example.org/diy.tar.gz
  cart gear create shop php-5.4 haproxy --scale --start";

/// The arguments of `cart gear create`.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
#[expect(clippy::struct_excessive_bools, reason = "each is a switch on the command line")]
pub struct CreateArgs {
    /// The gear's name: lower-case letters, digits and `-`
    #[arg(value_name = "NAME", value_parser = GearName::parse)]
    pub name: GearName,
    /// The cartridges: names or features of the library or the index, paths, URLs
    #[arg(required = true, value_name = "CARTRIDGE")]
    pub cartridges: Vec<String>,
    /// The application that it belongs to, with other gears; else one of its own, called NAME
    #[arg(long, value_name = "APP", value_parser = GearName::parse)]
    pub app: Option<GearName>,
    /// Start it, too
    #[arg(long)]
    pub start: bool,
    /// The host name under which it is asked for, instead of NAME-namespace.domain
    #[arg(long, value_name = "HOST", value_parser = HostName::parse)]
    pub dns: Option<HostName>,
    /// Give its endpoints public ports, which nginx passes on
    #[arg(long)]
    pub expose: bool,
    /// Make it fit for `cart gear scale`, with a web proxy before it
    #[arg(long, conflicts_with_all = ["app", "dns"])]
    pub scale: bool,
    /// Make accounts on the host although `--root` is given
    #[arg(long)]
    pub host_users: bool,
    /// How the change is to be made.
    #[command(flatten)]
    pub change: ChangeArgs,
}

/// Makes a gear, all in one transaction.
pub fn run(args: &CreateArgs, app: &mut App) -> Result<Exit, Failure> {
    create_gear(args, app).doing(|| format!("cannot create the gear `{}`", args.name))
}

fn create_gear(args: &CreateArgs, app: &App) -> Result<Exit, Failure> {
    refuse_unreachable(app)?;
    crate::sys::interrupt::watch_or_fail()?;
    let db = database(app, args.change.dry_run)?;
    let mut resolved = resolve(app, &db, &args.cartridges, &[])?;
    if args.scale {
        resolved.add_proxy(app, &db)?;
    }
    let growth = if args.scale { scaled(&resolved)? } else { Growth::Single };
    let needs = Needs::of(&resolved);
    let ask = CreateRequest {
        name: args.name.clone(),
        uuid: facts::new_uuid()?,
        made: Moment::now(),
        app: args.app.clone(),
        cartridges: resolved.wanted,
        arrived: resolved.arrived,
        start: args.start,
        dns: args.dns.clone(),
        growth,
        exposure: if args.expose { Exposure::Public } else { Exposure::Private },
    };
    if !args.change.dry_run {
        // Before the host is looked at: whether its view can have the commands is tried with them.
        write_sdk(app)?;
    }
    let config = app.config()?;
    carry_out(app, &db, &args.change, &|| {
        let facts = needs.look_for(&ask, (app, &db), args.host_users)?;
        Ok(create(&ask, &facts, &config.gears)?)
    })
}

/// The gears that a scaled application begins with, which get their identifiers now.
pub(super) fn scaled(resolved: &Resolved) -> Result<Growth, Failure> {
    let (least, _) = scalable(&resolved.wanted)?;
    let uuids = (1..least).map(|_| facts::new_uuid()).collect::<Result<_, _>>()?;
    Ok(Growth::Scaled(uuids))
}

/// What the cartridges of a new gear need to be known of the host.
pub(super) struct Needs {
    ports: BTreeSet<u16>,
    addresses: usize,
    names: BTreeSet<String>,
}

impl Needs {
    pub(super) fn of(resolved: &Resolved) -> Self {
        let (ports, names) = (resolved.ports(), resolved.names());
        Self { ports, addresses: resolved.addresses(), names }
    }

    /// Looks at the host for the gears that `ask` makes.
    pub(super) fn look_for(
        &self,
        ask: &CreateRequest,
        (app, db): (&App, &Db),
        host_users: bool,
    ) -> Result<GearFacts, Failure> {
        let config = app.config()?;
        let (name, layout) = (&ask.name, app.layout());
        let application = ask.app.as_ref().unwrap_or(name).as_str();
        let application = Gear::of_app(db, layout, application)?;
        let wanted = (&self.ports, self.addresses);
        let occupied = Occupied::look(Some(db), (layout, &config.gears), name, wanted)?;
        let seats = match &ask.growth {
            Growth::Single => Vec::new(),
            Growth::Scaled(uuids) => {
                let many = (name, Some(occupied.slot), uuids.len());
                facts::seats(Some(db), (layout, &config.gears), many, wanted)?
            }
        };
        Ok(GearFacts {
            host: Host::look(layout, host_users),
            outside: Outside::look(db, config, occupied.slot, MOST_PORTS)?,
            occupied,
            installed: facts::library(db, &self.names)?,
            told: facts::told(db, &application)?,
            application,
            externals: Externals::look(layout, config),
            seats,
        })
    }
}

/// As root, gears have users of their own, who must be able to pass to their homes.
pub(super) fn refuse_unreachable(app: &App) -> Result<(), Failure> {
    match facts::obstacle(app.layout()).filter(|_| host::is_root()) {
        None => Ok(()),
        Some(path) => {
            let path = path.display();
            let text = format!("the users of gears cannot pass through `{path}`");
            Err(Failure::new(Exit::Refused, text).hint(format!("`chmod o+x {path}`")))
        }
    }
}
