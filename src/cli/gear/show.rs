//! `cart gear show`.

use super::found;
use super::told::Told;
use crate::cli::app::App;
use crate::db::{GearEndpointRow, GearRow, Hold, ToldRow};
use crate::error::{Exit, Failure};
use crate::facts::{self, Gear};
use crate::gear::identity::Cartridge;
use crate::gear::state::State;
use crate::package::Package;
use crate::package::ident::GearName;
use crate::sys::clock::Moment;
use crate::sys::fs;
use crate::ui::report::Form;
use crate::ui::table::Table;
use clap::Args;
use serde::Serialize;

const EXAMPLES: &str = "\
Examples:
  cart gear show blog
  cart gear show blog --json";

/// The arguments of `cart gear show`.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub struct ShowArgs {
    /// The gear
    #[arg(value_name = "NAME", value_parser = GearName::parse)]
    pub name: GearName,
}

/// A gear in an answer.
#[derive(Serialize)]
pub(super) struct Shown {
    pub(super) name: String,
    pub(super) state: &'static str,
    uuid: String,
    home: String,
    user: Option<u32>,
    sandbox: String,
    created: String,
    processes: usize,
    dns: Option<String>,
    url: Option<String>,
    cartridges: Vec<ShownCartridge>,
    endpoints: Vec<ShownEndpoint>,
}

#[derive(Serialize)]
struct Answer<'a> {
    #[serde(flatten)]
    gear: &'a Shown,
    held: &'a [Hold],
}

#[derive(Serialize)]
struct ShownCartridge {
    name: String,
    vendor: String,
    version: String,
    package_version: String,
    primary: bool,
    path: String,
    #[serde(flatten)]
    told: Told,
}

#[derive(Serialize)]
struct ShownEndpoint {
    name: String,
    cartridge: String,
    address: String,
    port: u16,
    public_port: Option<u16>,
    protocols: Vec<String>,
    url: Option<String>,
}

impl Shown {
    pub(super) fn new(app: &App, gear: Gear, told: &[ToldRow]) -> Self {
        let home = app.layout().gears().join(&gear.row.name);
        let cartridge = |(one, package): (&Cartridge, &Package)| ShownCartridge {
            name: package.name.to_string(),
            vendor: package.vendor.to_string(),
            version: one.software.to_string(),
            package_version: package.package_version.to_string(),
            primary: one.is_primary,
            path: home.join(&one.dir).display().to_string(),
            told: Told::by(&one.dir, told),
        };
        Self {
            state: gear.state.map_or("unknown", State::as_str),
            cartridges: gear
                .identity
                .cartridges
                .iter()
                .zip(&gear.packages)
                .map(cartridge)
                .collect(),
            endpoints: gear.endpoints.into_iter().map(endpoint).collect(),
            url: url(app, &gear.row),
            dns: gear.row.dns,
            home: home.display().to_string(),
            name: gear.row.name,
            uuid: gear.row.uuid,
            user: gear.row.uid,
            sandbox: gear.row.sandbox,
            created: Moment(gear.row.created).rfc3339(),
            processes: gear.processes,
        }
    }

    pub(super) fn titles(&self) -> String {
        let titles = self.cartridges.iter().map(|one| format!("{}-{}", one.name, one.version));
        titles.collect::<Vec<_>>().join(", ")
    }

    pub(super) fn addresses(&self) -> String {
        let all = self.endpoints.iter().map(|one| format!("{}:{}", one.address, one.port));
        all.collect::<Vec<_>>().join(", ")
    }
}

fn endpoint(row: GearEndpointRow) -> ShownEndpoint {
    let GearEndpointRow { dir, name, address, port, public_port, protocols } = row;
    let url = protocols
        .iter()
        .find(|protocol| ["http", "https"].contains(&protocol.as_str()))
        .map(|protocol| format!("{protocol}://{address}:{port}/"));
    ShownEndpoint { name, cartridge: dir, address, port, public_port, protocols, url }
}

/// Where the front end is asked for a gear that it knows.
fn url(app: &App, gear: &GearRow) -> Option<String> {
    let host = gear.dns.as_ref()?;
    let file = app.layout().frontend().join("nginx").join(format!("{}.conf", gear.name));
    fs::kind_of(&file)?;
    let port = app.config().ok()?.frontend.nginx.http_port;
    Some(if port == 80 { format!("http://{host}/") } else { format!("http://{host}:{port}/") })
}

/// Shows what a gear is made of.
pub fn run(args: &ShowArgs, app: &mut App) -> Result<Exit, Failure> {
    let (db, gear) = found::reading(app, &args.name)?;
    let told = db.told_by_gear(&gear.row.uuid)?;
    let held = facts::holds_in_gear(&db, gear.row.id)?;
    let shown = Shown::new(app, gear, &told);
    if app.form() == Form::Json {
        app.printer().json(&Answer { gear: &shown, held: &held });
        return Ok(Exit::Done);
    }
    let mut table = Table::headless();
    table.row(["Gear", &shown.name]);
    table.row(["State", shown.state]);
    table.row(["Processes", &shown.processes.to_string()]);
    table.row(["Home", &shown.home]);
    table.row(["Identifier", &shown.uuid]);
    if let Some(user) = shown.user {
        table.row(["User", &user.to_string()]);
    }
    table.row(["Sandbox", &shown.sandbox]);
    table.row(["Created", &shown.created]);
    for one in &shown.cartridges {
        let role = if one.primary { ", primary" } else { "" };
        let text =
            format!("{}-{}-{} ({}{role})", one.vendor, one.name, one.version, one.package_version);
        table.row(["Cartridge", &text]);
        for (title, text) in one.told.rows() {
            table.row([title, &text]);
        }
    }
    for one in &held {
        table.row(["Held", &format!("{}-{}: {}", one.vendor, one.name, one.reason)]);
    }
    for one in &shown.endpoints {
        let protocols = one.protocols.join(", ");
        let text = format!("{} = {}:{} ({protocols})", one.name, one.address, one.port);
        table.row(["Endpoint", &text]);
        if let (Some(port), Some(host)) = (one.public_port, &shown.dns) {
            table.row(["", &format!("from outside: {host}:{port}")]);
        }
    }
    match (&shown.dns, &shown.url) {
        (_, Some(url)) => table.row(["URL", url]),
        (Some(host), None) => table.row(["Host", &format!("{host} (no front end serves it)")]),
        (None, None) => {}
    }
    app.printer().table(&table);
    Ok(Exit::Done)
}
