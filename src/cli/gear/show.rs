//! `cart gear show`.

use super::found;
use super::offered::Offered;
use super::told::Told;
use crate::cli::app::App;
use crate::db::{GearEndpointRow, GearRole, GearRow, Hold, ToldRow};
use crate::error::{Exit, Failure};
use crate::facts::{self, Gear};
use crate::gear::endpoints;
use crate::gear::identity::Cartridge;
use crate::gear::state::State;
use crate::package::Package;
use crate::package::endpoint::{Endpoint, WebPath};
use crate::package::ident::GearName;
use crate::sys::clock::Moment;
use crate::sys::fs::{self, Dir, Kind};
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
    /// The repository that one pushes to, where it has one.
    repository: Option<String>,
    user: Option<u32>,
    sandbox: String,
    created: String,
    processes: usize,
    dns: Option<String>,
    url: Option<String>,
    /// The application that it belongs to.
    app: String,
    /// What it is in a scaled application.
    role: Option<&'static str>,
    cartridges: Vec<ShownCartridge>,
    endpoints: Vec<ShownEndpoint>,
}

#[derive(Serialize)]
struct Answer<'a> {
    #[serde(flatten)]
    gear: &'a Shown,
    /// The other gears of the scaled application whose head this is.
    gears: &'a [String],
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
    offers: Vec<Offered>,
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
    /// Where the front end shows it.
    routes: Vec<String>,
}

impl Shown {
    pub(super) fn new(app: &App, gear: Gear, told: &[ToldRow]) -> Self {
        let home = app.layout().gears().join(&gear.row.name);
        let folder = Dir::open(&home).ok();
        let cartridge = |(one, package): (&Cartridge, &Package)| ShownCartridge {
            name: package.name.to_string(),
            vendor: package.vendor.to_string(),
            version: one.software.to_string(),
            package_version: package.package_version.to_string(),
            primary: one.is_primary,
            path: home.join(&one.dir).display().to_string(),
            offers: Offered::by((one, package), told, folder.as_ref()),
            told: Told::by(&one.dir, told),
        };
        let url = url(app, &gear.row);
        let repository = home.join(format!("git/{}.git", gear.row.name));
        let has_repository = fs::kind_of(&repository) == Some(Kind::Directory);
        let endpoints = gear.endpoints.iter();
        let endpoints = endpoints.map(|row| endpoint(row, &gear, url.as_deref())).collect();
        Self {
            state: gear.state.map_or("unknown", State::as_str),
            cartridges: gear
                .identity
                .cartridges
                .iter()
                .zip(&gear.packages)
                .map(cartridge)
                .collect(),
            endpoints,
            url,
            dns: gear.row.dns,
            app: gear.row.app,
            role: gear.row.role.map(GearRole::as_str),
            home: home.display().to_string(),
            repository: has_repository.then(|| repository.display().to_string()),
            name: gear.row.name,
            uuid: gear.row.uuid,
            user: gear.row.uid,
            sandbox: gear.identity.sandbox.as_str().into(),
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

fn endpoint(row: &GearEndpointRow, gear: &Gear, front: Option<&str>) -> ShownEndpoint {
    let GearEndpointRow { dir, name, address, port, public_port, protocols } = row.clone();
    let url = protocols
        .iter()
        .find(|protocol| ["http", "https"].contains(&protocol.as_str()))
        .map(|protocol| format!("{protocol}://{address}:{port}/"));
    let routes = front.map(|front| routes(row, gear, front)).unwrap_or_default();
    ShownEndpoint { name, cartridge: dir, address, port, public_port, protocols, url, routes }
}

/// The addresses below that of the gear, `front`, at which the front end shows an endpoint.
fn routes(row: &GearEndpointRow, gear: &Gear, front: &str) -> Vec<String> {
    let mut pairs = gear.identity.cartridges.iter().zip(&gear.packages);
    let Some((cartridge, package)) = pairs.find(|(one, _)| one.dir == row.dir) else {
        return Vec::new();
    };
    let software =
        package.software(&cartridge.software).unwrap_or_else(|| package.default_software());
    let is_it = |one: &&Endpoint| {
        endpoints::variable(cartridge.short_name.as_str(), &one.port_name) == row.name
    };
    let has_root = cartridge.is_primary || software.is("web_proxy");
    let mappings = software.endpoints.iter().find(is_it).map(|one| one.mappings.as_slice());
    let paths = mappings.unwrap_or_default().iter();
    let paths = paths.filter_map(|one| WebPath::parse(&one.frontend));
    let paths = paths.filter(|path| has_root || !path.is_root());
    paths.map(|path| format!("{}{}", front.trim_end_matches('/'), path.shown())).collect()
}

/// Where the front end is asked for a gear that it knows.
fn url(app: &App, gear: &GearRow) -> Option<String> {
    let host = gear.dns.as_ref()?;
    let settings = &app.config().ok()?.frontend;
    let servers = [("nginx", settings.nginx.http_port), ("apache", settings.apache.http_port)];
    let folder = app.layout().frontend();
    let knows = |(server, _): &(&str, u16)| {
        fs::kind_of(&folder.join(server).join(format!("{}.conf", gear.name))).is_some()
    };
    let (_, port) = servers.into_iter().find(knows)?;
    Some(if port == 80 { format!("http://{host}/") } else { format!("http://{host}:{port}/") })
}

/// Shows what a gear is made of.
pub fn run(args: &ShowArgs, app: &mut App) -> Result<Exit, Failure> {
    let (db, gear) = found::reading(app, &args.name)?;
    let told = db.told_by_gear(&gear.row.uuid)?;
    let held = facts::holds_in_gear(&db, gear.row.id)?;
    let gears: Vec<String> =
        gear.children(&db, app.layout())?.into_iter().map(|one| one.row.name).collect();
    let shown = Shown::new(app, gear, &told);
    if app.form() == Form::Json {
        app.printer().json(&Answer { gear: &shown, gears: &gears, held: &held });
        return Ok(Exit::Done);
    }
    let mut table = Table::headless();
    table.row(["Gear", &shown.name]);
    table.row(["State", shown.state]);
    if let Some(role) = shown.role {
        table.row(["Application", &format!("{}, scaled ({role})", shown.app)]);
    }
    if !gears.is_empty() {
        table.row(["Other gears", &gears.join(", ")]);
    }
    table.row(["Processes", &shown.processes.to_string()]);
    table.row(["Home", &shown.home]);
    if let Some(repository) = &shown.repository {
        table.row(["Repository", repository]);
    }
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
        for offered in &one.offers {
            table.row(["Data", &offered.text()]);
        }
        for (title, text) in one.told.rows(&one.offers) {
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
        for route in &one.routes {
            table.row(["", &format!("shown at {route}")]);
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
