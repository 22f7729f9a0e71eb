//! What the front end serves of a gear, and public ports.

use super::configure::{Given, Wanted, port_variable};
use super::create::Exposure;
use crate::config::Gears as Settings;
use crate::db::{Change, InversePart, Reservation};
use crate::error::{Exit, Explain};
use crate::facts::{Gear, Outside, Servers};
use crate::gear::endpoints::{self, EndpointError};
use crate::gear::frontend::{Frontend, Part, RouteError, routes};
use crate::gear::identity::Identity;
use crate::package::Package;
use crate::package::endpoint::Endpoint;
use crate::package::ident::{GearName, HostName};
use crate::plan::{Plan, Refusal, Resource};
use crate::step::connect_frontend::{ConnectFrontend, Httpd};
use crate::step::endpoints::{Claim, ClaimEndpoints};
use std::collections::BTreeMap;

/// The public ports that endpoints get, by the variable of their private port.
pub(super) type Ports = BTreeMap<String, u16>;

/// The name under which a gear is asked for, as it was given, or of the gear's own name.
pub(super) fn host_of(
    name: &GearName,
    given: Option<&HostName>,
    settings: &Settings,
) -> Result<HostName, Refusal> {
    if let Some(host) = given {
        return Ok(host.clone());
    }
    let Settings { namespace, domain, .. } = settings;
    HostName::parse(&format!("{name}-{namespace}.{domain}")).map_err(|error| {
        Refusal::new(Exit::Usage, error.to_string())
            .hint("`gears.domain` and `gears.namespace` in cart-config(5) are parts of it")
    })
}

/// Gives the next free public port to each endpoint that gets one: in a gear that is shown to the
/// outside all that have a name for it, else those alone that are public at once.
pub(super) fn give_ports<'a>(
    plan: &mut Plan,
    wanted: impl Iterator<Item = &'a Wanted>,
    (exposure, outside): (Exposure, Option<&Outside>),
) -> Result<Ports, Refusal> {
    let gets_one = |at: &&Endpoint| {
        let named = exposure == Exposure::Public && at.public_port_name.is_some();
        named || at.is_public_at_once()
    };
    let names = |one: &'a Wanted| {
        let short = one.package.short_name.as_str();
        let all = one.software().endpoints.iter().filter(gets_one);
        all.map(move |at| endpoints::variable(short, &at.port_name)).collect::<Vec<_>>()
    };
    let wanting: Vec<String> = wanted.flat_map(names).collect();
    if wanting.is_empty() && exposure == Exposure::Private {
        return Ok(Ports::new());
    }
    if exposure == Exposure::Private && !outside.is_some_and(|outside| outside.servers.nginx) {
        plan.warnings.push(format!(
            "no public port for {}: no nginx passes one on (`frontend.nginx` in cart-config(5))",
            wanting.join(", ")
        ));
        return Ok(Ports::new());
    }
    let ports = choose(wanting.into_iter(), outside)?;
    for (name, port) in &ports {
        plan.summary.push(format!("{name} is reached by port {port}"));
    }
    Ok(ports)
}

fn choose(
    wanting: impl Iterator<Item = String>,
    outside: Option<&Outside>,
) -> Result<Ports, Refusal> {
    let outside = outside.filter(|outside| outside.servers.nginx);
    let Some(Outside { free_ports, range: (first, last), .. }) = outside else {
        let text = "there is no front end that could pass a public port on";
        return Err(Refusal::new(Exit::Refused, text)
            .hint("set `frontend.nginx.enabled`, see cart-config(5)"));
    };
    let mut free = free_ports.iter();
    let none = || {
        let error = EndpointError::NoPort { first: *first, last: *last };
        let refusal = Refusal::new(error.exit(), error.to_string());
        error.hint().into_iter().fold(refusal, Refusal::hint)
    };
    let ports = wanting.map(|name| Ok((name, *free.next().ok_or_else(none)?)));
    let ports = ports.collect::<Result<Ports, Refusal>>()?;
    if ports.is_empty() {
        let text = "none of its cartridges has an endpoint with a `Public-Port-Name`";
        return Err(Refusal::new(Exit::Conflict, text));
    }
    Ok(ports)
}

pub(super) fn reserve(plan: &mut Plan, ports: &Ports, uuid: &str) {
    let reservation = |port: &u16| Reservation {
        kind: "public-port".into(),
        value: port.to_string(),
        gear: uuid.to_owned(),
    };
    plan.reservations.extend(ports.values().map(reservation));
}

/// The parts of a gear that is being made.
pub(super) fn new_parts<'a>(
    gear: &'a Identity,
    assigned: &'a Given<'a>,
    ports: &Ports,
) -> Vec<Part<'a>> {
    let proxied = assigned.iter().any(|(one, _)| one.software().is("web_proxy"));
    let mut found = Vec::new();
    for ((one, given), cartridge) in assigned.iter().zip(&gear.cartridges) {
        let is_proxy = one.software().is("web_proxy");
        found.extend(given.iter().map(|at| Part {
            cartridge: &cartridge.dir,
            has_root: is_proxy || (cartridge.is_primary && !proxied),
            endpoint: at.endpoint,
            address: at.address,
            public_port: ports.get(&port_variable(one, at)).copied(),
        }));
    }
    found
}

/// The parts of a gear that is there.
fn parts(gear: &Gear) -> Vec<Part<'_>> {
    let software = |package: &'_ Package, index: usize| {
        let version = gear.identity.cartridges.get(index).map(|one| &one.software);
        version.and_then(|version| package.software(version)).is_some_and(|one| one.is("web_proxy"))
    };
    let is_proxy: Vec<bool> =
        gear.packages.iter().enumerate().map(|(index, one)| software(one, index)).collect();
    let proxied = is_proxy.contains(&true);
    let mut found = Vec::new();
    for ((cartridge, package), is_proxy) in
        gear.identity.cartridges.iter().zip(&gear.packages).zip(is_proxy)
    {
        let software =
            package.software(&cartridge.software).unwrap_or_else(|| package.default_software());
        for endpoint in &software.endpoints {
            let name = endpoints::variable(cartridge.short_name.as_str(), &endpoint.port_name);
            let mut rows = gear.endpoints.iter();
            let row = rows.find(|row| row.dir == cartridge.dir && row.name == name);
            let Some((row, address)) = row.and_then(|row| Some((row, row.address.parse().ok()?)))
            else {
                continue;
            };
            found.push(Part {
                cartridge: &cartridge.dir,
                has_root: is_proxy || (cartridge.is_primary && !proxied),
                endpoint,
                address,
                public_port: row.public_port,
            });
        }
    }
    found
}

/// A gear that is to be shown: who it is, its packages in the order of its cartridges, and the name
/// under which it is asked for.
pub(super) type Shown<'a> = (&'a Identity, &'a [Package], &'a HostName);

/// The cartridges that have settings for an Apache.
fn httpd((gear, packages, _): Shown<'_>) -> Option<Httpd> {
    let pairs = gear.cartridges.iter().zip(packages).filter(|(_, package)| package.parts.httpd);
    let dirs: Vec<String> = pairs.map(|(cartridge, _)| cartridge.dir.clone()).collect();
    (!dirs.is_empty()).then(|| Httpd { gear: gear.clone(), dirs })
}

/// Says which settings for an Apache nobody serves.
pub(super) fn note_httpd(plan: &mut Plan, wanted: &[Wanted], outside: Option<&Outside>) {
    if outside.is_some_and(|outside| outside.servers.apache) {
        return;
    }
    for one in wanted.iter().filter(|one| one.package.parts.httpd) {
        let title = one.package.title();
        plan.warnings.push(format!(
            "`{title}` has settings for an Apache (`httpd.d`), which no front end serves \
             (`frontend.apache` in cart-config(5))"
        ));
    }
}

/// Adds what shows a gear to the outside; without a front end, where to reach it instead.
pub(super) fn add_connection(
    plan: &mut Plan,
    shown: Shown<'_>,
    parts: &[Part<'_>],
    outside: Option<&Outside>,
) -> Result<(), Refusal> {
    let (gear, _, host) = shown;
    let (frontend, notes) = routes(&gear.name, host, parts).map_err(|error| refusal(&error))?;
    plan.warnings.extend(notes);
    let httpd = httpd(shown).filter(|_| outside.is_some_and(|outside| outside.servers.apache));
    if frontend.is_empty() && httpd.is_none() {
        return Ok(());
    }
    if outside.is_some() {
        plan.step(ConnectFrontend { frontend, httpd });
        return Ok(());
    }
    let direct: Vec<_> = parts
        .iter()
        .filter(|part| !part.endpoint.mappings.is_empty())
        .map(|part| format!("http://{}:{}/", part.address, part.endpoint.port))
        .collect();
    plan.summary.push(format!(
        "no front end serves `{host}` (`frontend` in cart-config(5)); on this host: {}",
        direct.join(", ")
    ));
    Ok(())
}

fn refusal(error: &RouteError) -> Refusal {
    let refusal = Refusal::new(error.exit(), error.to_string());
    error.hint().into_iter().fold(refusal, Refusal::hint)
}

/// Takes the gear off.
fn nothing(gear: GearName, host: HostName) -> ConnectFrontend {
    let frontend = Frontend { gear, host, routes: Vec::new(), forwards: Vec::new() };
    ConnectFrontend { frontend, httpd: None }
}

/// Adds what takes a connected gear off the front end.
pub(super) fn add_disconnection(plan: &mut Plan, gear: &Gear) {
    let Some(host) = gear.host().filter(|_| gear.connected) else { return };
    let name = gear.identity.name.clone();
    plan.step(nothing(name.clone(), host));
    plan.inverse.parts.push(InversePart::ConnectFrontend { name });
}

/// Adds to `plan` what connects a gear again that was connected before.
pub(in crate::plan) fn add_reconnection(plan: &mut Plan, gear: &Gear) -> Result<(), Refusal> {
    let Some(host) = gear.host() else { return Ok(()) };
    add_connection(plan, (&gear.identity, &gear.packages, &host), &parts(gear), Some(&NOWHERE))
}

/// Adds what serves a gear whose cartridges change: `gear` is what it will be, without the public
/// ports of those that leave.
pub(super) fn add_rerouting(
    plan: &mut Plan,
    gear: &Gear,
    outside: Option<&Outside>,
) -> Result<(), Refusal> {
    let Some(host) = gear.host() else { return Ok(()) };
    let shown = (&gear.identity, &*gear.packages, &host);
    let parts = parts(gear);
    let is_shown =
        |part: &Part<'_>| part.public_port.is_some() || !part.endpoint.mappings.is_empty();
    let apache = outside.is_some_and(|outside| outside.servers.apache);
    if parts.iter().any(is_shown) || apache && httpd(shown).is_some() {
        let served = outside.or(gear.connected.then_some(&NOWHERE));
        return add_connection(plan, shown, &parts, served);
    }
    if gear.connected {
        plan.step(nothing(gear.identity.name.clone(), host));
    }
    Ok(())
}

/// A front end that has no ports to give.
static NOWHERE: Outside = Outside {
    free_ports: Vec::new(),
    range: (0, 0),
    servers: Servers { nginx: true, apache: true },
};

/// Whether a gear has public ports that only those get which are exposed.
pub(super) fn exposure(gear: &Gear) -> Exposure {
    let by_choice =
        |part: &Part<'_>| part.public_port.is_some() && !part.endpoint.is_public_at_once();
    if parts(gear).iter().any(by_choice) { Exposure::Public } else { Exposure::Private }
}

/// Plans giving a gear public ports; nothing when it has them.
pub fn expose(gear: &Gear, outside: Option<&Outside>) -> Result<Plan, Refusal> {
    let name = &gear.identity.name;
    let mut plan = Plan::new(format!("expose the gear `{name}`"));
    plan.resources.insert(Resource::Gear(name.clone()));
    if exposure(gear) == Exposure::Public {
        plan.summary.push(format!("the gear `{name}` is exposed"));
        return Ok(plan);
    }
    let parts = parts(gear);
    let lacks =
        |part: &&Part<'_>| part.endpoint.public_port_name.is_some() && part.public_port.is_none();
    let wanting = parts.iter().filter(lacks);
    let variable = |part: &&Part<'_>| variables(gear, part).map(|(private, _)| private);
    let ports = choose(wanting.filter_map(|part| variable(&part)), outside)?;
    reserve(&mut plan, &ports, &gear.identity.uuid);
    let mut exposed = parts.clone();
    for part in &mut exposed {
        let Some((private, Some(public))) = variables(gear, part) else { continue };
        let Some(port) = ports.get(&private).copied() else { continue };
        part.public_port = Some(port);
        let variables = vec![(public, port.to_string())];
        let claim = Claim { address: part.address, ports: [].into(), variables };
        let dir = part.cartridge.to_owned();
        plan.step(ClaimEndpoints { gear: gear.identity.clone(), dir, claims: vec![claim] });
        plan.summary.push(format!("{private} is reached by port {port}"));
    }
    let Some(host) = gear.host() else {
        let text = format!("the gear `{name}` has no host name: an older cartwright made it");
        return Err(Refusal::new(Exit::Conflict, text).hint("create it anew"));
    };
    add_connection(&mut plan, (&gear.identity, &gear.packages, &host), &exposed, outside)?;
    plan.records.push(Change::SetPublicPorts {
        id: gear.row.id,
        uuid: gear.row.uuid.clone(),
        ports: ports.into_iter().map(|(name, port)| (name, Some(port))).collect(),
    });
    plan.inverse.parts.push(InversePart::UnexposeGear { name: name.clone() });
    Ok(plan)
}

/// Plans taking a gear's public ports away; nothing when it has none.
pub fn unexpose(gear: &Gear) -> Result<Plan, Refusal> {
    let name = &gear.identity.name;
    let mut plan = Plan::new(format!("unexpose the gear `{name}`"));
    plan.resources.insert(Resource::Gear(name.clone()));
    let mut parts = parts(gear);
    let is_exposed =
        |part: &Part<'_>| part.public_port.is_some() && !part.endpoint.is_public_at_once();
    let mut ports = Vec::new();
    let mut names = Vec::new();
    for part in parts.iter_mut().filter(|part| is_exposed(part)) {
        let Some((private, public)) = variables(gear, part) else { continue };
        ports.push((private, None));
        names.extend(public);
        part.public_port = None;
    }
    let (Some(host), false) = (gear.host(), ports.is_empty()) else {
        plan.summary.push(format!("the gear `{name}` is not exposed"));
        return Ok(plan);
    };
    let (frontend, _) = routes(name, &host, &parts).map_err(|error| refusal(&error))?;
    let httpd = httpd((&gear.identity, &gear.packages, &host));
    plan.step(ConnectFrontend { frontend, httpd });
    plan.step(crate::step::drop_variables::DropVariables { gear: gear.identity.clone(), names });
    let (id, uuid) = (gear.row.id, gear.row.uuid.clone());
    plan.records.push(Change::SetPublicPorts { id, uuid, ports });
    plan.inverse.parts.push(InversePart::ExposeGear { name: name.clone() });
    Ok(plan)
}

/// The variables of an endpoint's private and public port.
fn variables(gear: &Gear, part: &Part<'_>) -> Option<(String, Option<String>)> {
    let short = gear.identity.cartridge(part.cartridge)?.short_name.as_str();
    let public = part.endpoint.public_port_name.as_ref();
    let public = public.map(|name| endpoints::variable(short, name));
    Some((endpoints::variable(short, &part.endpoint.port_name), public))
}
