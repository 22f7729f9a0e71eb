//! What the front end serves of a gear, and public ports.

use super::configure::{Given, port_variable};
use crate::config::Gears as Settings;
use crate::db::{Change, InversePart, Reservation};
use crate::error::{Exit, Explain};
use crate::facts::{Gear, Outside};
use crate::gear::endpoints::{self, EndpointError};
use crate::gear::frontend::{Frontend, Part, RouteError, routes};
use crate::gear::identity::Identity;
use crate::package::Package;
use crate::package::ident::{GearName, HostName};
use crate::plan::{Plan, Refusal, Resource};
use crate::step::connect_frontend::ConnectFrontend;
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

/// Gives the next free public port to each endpoint that wants one.
pub(super) fn give_ports(
    assigned: &Given<'_>,
    outside: Option<&Outside>,
) -> Result<Ports, Refusal> {
    let wanting = assigned.iter().flat_map(|(one, given)| given.iter().map(move |at| (one, at)));
    let wanting = wanting.filter(|(_, at)| at.endpoint.public_port_name.is_some());
    choose(wanting.map(|(one, at)| port_variable(one, at)), outside)
}

fn choose(
    wanting: impl Iterator<Item = String>,
    outside: Option<&Outside>,
) -> Result<Ports, Refusal> {
    let Some(Outside { free_ports, range: (first, last) }) = outside else {
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

/// Adds what shows a gear to the outside; without a front end, where to reach it instead.
pub(super) fn add_connection(
    plan: &mut Plan,
    (name, host): (&GearName, &HostName),
    parts: &[Part<'_>],
    outside: Option<&Outside>,
) -> Result<(), Refusal> {
    let (frontend, notes) = routes(name, host, parts).map_err(|error: RouteError| {
        let refusal = Refusal::new(error.exit(), error.to_string());
        error.hint().into_iter().fold(refusal, Refusal::hint)
    })?;
    plan.warnings.extend(notes);
    if frontend.is_empty() {
        return Ok(());
    }
    if outside.is_some() {
        plan.step(ConnectFrontend { frontend });
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

/// Adds what takes a connected gear off the front end.
pub(super) fn add_disconnection(plan: &mut Plan, gear: &Gear) {
    let Some(host) = gear.host().filter(|_| gear.connected) else { return };
    let gear = gear.identity.name.clone();
    let frontend = Frontend { gear: gear.clone(), host, routes: Vec::new(), forwards: Vec::new() };
    plan.step(ConnectFrontend { frontend });
    plan.inverse.parts.push(InversePart::ConnectFrontend { name: gear });
}

/// Adds to `plan` what connects a gear again that was connected before.
pub(in crate::plan) fn add_reconnection(plan: &mut Plan, gear: &Gear) -> Result<(), Refusal> {
    let Some(host) = gear.host() else { return Ok(()) };
    add_connection(plan, (&gear.identity.name, &host), &parts(gear), Some(&NOWHERE))
}

/// Adds what serves a gear whose cartridges change: `gear` is what it will be, without the public
/// ports of those that leave.
pub(super) fn add_rerouting(
    plan: &mut Plan,
    gear: &Gear,
    outside: Option<&Outside>,
) -> Result<(), Refusal> {
    let Some(host) = gear.host() else { return Ok(()) };
    let name = &gear.identity.name;
    let parts = parts(gear);
    if parts.iter().any(|part| part.public_port.is_some() || !part.endpoint.mappings.is_empty()) {
        let served = gear.connected.then_some(&NOWHERE).or(outside);
        return add_connection(plan, (name, &host), &parts, served);
    }
    if gear.connected {
        let (routes, forwards) = (Vec::new(), Vec::new());
        let frontend = Frontend { gear: name.clone(), host, routes, forwards };
        plan.step(ConnectFrontend { frontend });
    }
    Ok(())
}

/// A front end that has no ports to give.
static NOWHERE: Outside = Outside { free_ports: Vec::new(), range: (0, 0) };

/// Plans giving a gear public ports; nothing when it has them.
pub fn expose(gear: &Gear, outside: Option<&Outside>) -> Result<Plan, Refusal> {
    let name = &gear.identity.name;
    let mut plan = Plan::new(format!("expose the gear `{name}`"));
    plan.resources.insert(Resource::Gear(name.clone()));
    if gear.endpoints.iter().any(|row| row.public_port.is_some()) {
        plan.summary.push(format!("the gear `{name}` is exposed"));
        return Ok(plan);
    }
    let parts = parts(gear);
    let wanting = parts.iter().filter(|part| part.endpoint.public_port_name.is_some());
    let variable = |part: &&Part<'_>| variables(gear, part).map(|(private, _)| private);
    let ports = choose(wanting.filter_map(|part| variable(&part)), outside)?;
    reserve(&mut plan, &ports, &gear.identity.uuid);
    let mut exposed = parts.clone();
    for part in &mut exposed {
        let Some((private, Some(public))) = variables(gear, part) else { continue };
        part.public_port = ports.get(&private).copied();
        let Some(port) = part.public_port else { continue };
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
    add_connection(&mut plan, (name, &host), &exposed, outside)?;
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
    let exposed = gear.endpoints.iter().filter(|row| row.public_port.is_some());
    let ports: Vec<_> = exposed.map(|row| (row.name.clone(), None)).collect();
    let (Some(host), false) = (gear.host(), ports.is_empty()) else {
        plan.summary.push(format!("the gear `{name}` is not exposed"));
        return Ok(plan);
    };
    let mut parts = parts(gear);
    for part in &mut parts {
        part.public_port = None;
    }
    let (frontend, _) = routes(name, &host, &parts)
        .map_err(|error| Refusal::new(error.exit(), error.to_string()))?;
    plan.step(ConnectFrontend { frontend });
    let variables = parts.iter().filter_map(|part| variables(gear, part)?.1).collect();
    plan.step(crate::step::drop_variables::DropVariables {
        gear: gear.identity.clone(),
        names: variables,
    });
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
