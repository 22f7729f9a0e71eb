//! A new gear.

use super::build::add_build;
use super::child::{Brood, new_gear};
use super::configure::{
    Given, Wanted, add_cartridge, assign, claims, new_cartridge, new_endpoints, packages,
    port_variable,
};
use super::events::{Member, add_dispatch};
use super::externals::add_coming;
use super::frontend::{add_connection, give_ports, host_of, new_parts, note_httpd, reserve};
use super::order::{in_configuring_order, note_groups};
use super::registered::{add_update, is_replicated, refuse_proxy_apart, scalable};
use super::run::add_start;
use crate::config::Gears as Settings;
use crate::db::{Change, GearEndpointRow, GearRole, InversePart, NewGear, Reservation};
use crate::error::Exit;
use crate::facts::{DeployFacts, Gear, GearFacts};
use crate::gather::Arrival;
use crate::gear::deployment::{self, DeploySettings};
use crate::gear::identity::Identity;
use crate::gear::state::State;
use crate::package::ident::{GearName, HostName};
use crate::plan::install::add_packages;
use crate::plan::{Plan, Refusal, Resource};
use crate::step::make_gear::{App, MakeGear};
use crate::step::make_user::MakeUser;
use crate::sys::clock::Moment;
use crate::sys::path::RelPath;

/// What is asked for: a new gear.
#[derive(Clone, Debug, PartialEq)]
pub struct CreateRequest {
    /// Its name.
    pub name: GearName,
    /// Its identifier, drawn once: planning again must give the same plan.
    pub uuid: String,
    /// When it was asked for.
    pub made: Moment,
    /// The application that it joins; one of its own, of its name, where none is said.
    pub app: Option<GearName>,
    /// Its cartridges, as they were named.
    pub cartridges: Vec<Wanted>,
    /// The packages that come into the library with it.
    pub arrived: Vec<Arrival>,
    /// Whether it is started.
    pub start: bool,
    /// The name under which it is asked for, where it is not its own.
    pub dns: Option<HostName>,
    /// Whether its endpoints get public ports.
    pub exposure: Exposure,
    /// Whether further gears can be added to it.
    pub growth: Growth,
}

/// Whether the number of an application's gears can change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Growth {
    /// It is one.
    Single,
    /// It can; these are the identifiers of those that come at once.
    Scaled(Vec<String>),
}

/// Whether the endpoints of a gear get public ports.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exposure {
    /// They are reached on this host and by the routes alone.
    Private,
    /// Those with a `Public-Port-Name` get one.
    Public,
}

/// Plans a new gear.
pub fn create(
    ask: &CreateRequest,
    facts: &GearFacts,
    settings: &Settings,
) -> Result<Plan, Refusal> {
    refuse_name(&ask.name, facts, settings)?;
    let app = app(ask, facts)?;
    let wanted = in_configuring_order(&ask.cartridges)?;
    refuse_growth(ask, &wanted, settings)?;
    refuse_proxy_apart((app.name.as_str(), &facts.application), &wanted)?;
    let identity = identity(ask, facts, &wanted);
    let host = host_of(&ask.name, ask.dns.as_ref(), settings)?;
    if facts.occupied.hosts.contains(host.as_str()) {
        let text = format!("another gear is asked for as `{host}`");
        return Err(Refusal::new(Exit::Conflict, text).hint("give it another name with `--dns`"));
    }
    let mut plan = Plan::new(format!("create the gear `{}`", ask.name));
    plan.inverse.parts.push(InversePart::DestroyGear { name: ask.name.clone() });
    plan.resources.insert(Resource::Gear(ask.name.clone()));
    for one in &wanted {
        let name = format!("{}-{}", one.package.vendor, one.package.name);
        plan.resources.insert(Resource::PackageInUse(name));
    }
    add_packages(&mut plan, &ask.arrived, &facts.installed)?;
    plan.reservations.push(Reservation {
        kind: "slot".into(),
        value: facts.occupied.slot.to_string(),
        gear: identity.uuid.clone(),
    });
    if identity.owner.is_none() && facts.occupied.gears > 0 {
        plan.warnings
            .push("gears of one user share it: their scripts can see and signal each other".into());
    }
    add_home(&mut plan, &identity, (facts, ask, &app, &host), settings);
    let assigned = assign(&wanted, &facts.occupied.taken_hosts, facts.occupied.slot)?;
    let ports = give_ports(&mut plan, wanted.iter(), (ask.exposure, facts.outside.as_ref()))?;
    reserve(&mut plan, &ports, &identity.uuid);
    for (one, given) in &assigned {
        add_coming(&mut plan, (&identity, one), &facts.externals)?;
        add_cartridge(&mut plan, one, &identity, claims(one, given, &ports))?;
    }
    let packages = packages(&wanted);
    add_build(&mut plan, &identity, &packages);
    if ask.start {
        let listening =
            new_endpoints(&assigned, &ports).iter().map(|row| (row.address, row.port)).collect();
        add_start(&mut plan, &identity, listening, &packages);
    }
    let mut members: Vec<Member<'_>> = facts.application.iter().map(Member::from).collect();
    members.push(Member { gear: &identity, packages: &packages });
    add_dispatch(&mut plan, &members, &facts.told);
    note_groups(&mut plan, &wanted);
    note_httpd(&mut plan, &wanted, facts.outside.as_ref());
    let parts = new_parts(&identity, &assigned, &ports);
    let shown = (&identity, &*packages, &host);
    add_connection(&mut plan, shown, &parts, facts.outside.as_ref())?;
    plan.records.push(Change::AddGear(Box::new(NewGear {
        name: ask.name.clone(),
        uuid: identity.uuid.clone(),
        slot: facts.occupied.slot,
        owner: identity.owner,
        account: facts.host.accounts,
        sandbox: identity.sandbox.as_str().into(),
        cartridges: wanted.iter().map(|one| new_cartridge(one, &identity)).collect(),
        endpoints: new_endpoints(&assigned, &ports),
        app: app.name.clone(),
        dns: Some(host.to_string()),
        role: ask.role(),
    })));
    describe(&mut plan, &identity, &assigned);
    if let Growth::Scaled(uuids) = &ask.growth {
        let slot = facts.occupied.slot;
        let head = new_gear(
            (identity, packages),
            (slot, &host, ask.name.as_str(), GearRole::Head),
            new_endpoints(&assigned, &ports).iter().map(GearEndpointRow::from).collect(),
        );
        add_gears(&mut plan, (ask, uuids), (facts, &wanted, settings), head)?;
    }
    Ok(plan)
}

impl CreateRequest {
    fn role(&self) -> Option<GearRole> {
        (self.growth != Growth::Single).then_some(GearRole::Head)
    }
}

/// Web proxies take the names of gears apart at `-`, as the original's have none.
fn refuse_growth(
    ask: &CreateRequest,
    wanted: &[Wanted],
    settings: &Settings,
) -> Result<(), Refusal> {
    if ask.growth == Growth::Single {
        return Ok(());
    }
    scalable(wanted)?;
    let names = [("name", ask.name.as_str()), ("namespace", settings.namespace.as_str())];
    match names.into_iter().find(|(_, name)| name.contains('-')) {
        None => Ok(()),
        Some((what, name)) => {
            let text = format!("the {what} `{name}` of a scaled application has a `-` in it");
            Err(Refusal::new(Exit::Usage, text).hint("web proxies take host names apart there"))
        }
    }
}

/// Adds the gears that come at once, and tells the proxy of all of them.
fn add_gears(
    plan: &mut Plan,
    (ask, uuids): (&CreateRequest, &[String]),
    (facts, wanted, settings): (&GearFacts, &[Wanted], &Settings),
    mut head: Gear,
) -> Result<(), Refusal> {
    if ask.start {
        head.state = Some(State::Started);
    }
    let replicated: Vec<Wanted> = wanted.iter().filter(|one| is_replicated(one)).cloned().collect();
    let head = DeployFacts {
        gear: head,
        deployments: Vec::new(),
        live: Some(deployment::directory_name(ask.made)),
        settings: DeploySettings::default(),
        answering: Vec::new(),
        has_repository: false,
        children: Vec::new(),
    };
    let brood = Brood {
        head: &head,
        wanted: &replicated,
        settings,
        host: &facts.host,
        externals: &facts.externals,
        // A deployment is named by its time, and each gear begins with one of its own.
        made: Moment(ask.made.0 - 1),
    };
    let mut made = Vec::new();
    for (seat, uuid) in facts.seats.iter().zip(uuids) {
        made.push(brood.make(plan, (seat, uuid))?);
    }
    for child in &made {
        brood.put_to_use(plan, child)?;
    }
    let all: Vec<&Gear> = std::iter::once(&head).chain(&made).map(|one| &one.gear).collect();
    add_update(plan, (&head.gear, &all))
}

fn refuse_name(name: &GearName, facts: &GearFacts, settings: &Settings) -> Result<(), Refusal> {
    if settings.forbidden_names.iter().any(|forbidden| forbidden == name.as_str()) {
        let text = format!("no gear may be called `{name}` on this host");
        return Err(Refusal::new(Exit::Refused, text)
            .hint("choose another name; `forbidden_names` in cart-config(5) lists them"));
    }
    if facts.occupied.name_taken {
        let text = format!("the gear `{name}` exists already");
        return Err(Refusal::new(Exit::Conflict, text)
            .hint("choose another name, or destroy it first: `cart gear destroy NAME`"));
    }
    Ok(())
}

/// The application that the gear will belong to. One that is there must be named to be joined.
fn app(ask: &CreateRequest, facts: &GearFacts) -> Result<App, Refusal> {
    let name = ask.app.clone().unwrap_or_else(|| ask.name.clone());
    match facts.application.first() {
        Some(first) if ask.app.is_some() => Ok(App { name, uuid: first.row.uuid.clone() }),
        Some(first) => {
            let text = format!("`{name}` is an application already: that of `{}`", first.row.name);
            Err(Refusal::new(Exit::Conflict, text)
                .hint(format!("`--app {name}` makes the gear a part of it")))
        }
        None => Ok(App { name, uuid: ask.uuid.clone() }),
    }
}

fn identity(ask: &CreateRequest, facts: &GearFacts, wanted: &[Wanted]) -> Identity {
    let primary = wanted.iter().position(|one| one.software().is("web_framework")).unwrap_or(0);
    let cartridges = wanted.iter().enumerate().map(|(index, one)| {
        let mut cartridge = one.cartridge();
        cartridge.is_primary = index == primary;
        cartridge
    });
    let slot = facts.occupied.slot;
    Identity {
        name: ask.name.clone(),
        uuid: ask.uuid.clone(),
        owner: facts.host.is_root.then_some((slot, slot)),
        account: facts.host.accounts,
        sandbox: facts.host.sandbox,
        cartridges: cartridges.collect(),
    }
}

fn add_home(
    plan: &mut Plan,
    identity: &Identity,
    (facts, ask, app, host): (&GearFacts, &CreateRequest, &App, &HostName),
    settings: &Settings,
) {
    if let (true, Some((uid, gid))) = (facts.host.accounts, identity.owner) {
        plan.step(MakeUser {
            name: identity.uuid.clone(),
            uid,
            gid,
            home: RelPath::parse(&identity.home()).ok(),
        });
    }
    plan.step(MakeGear {
        identity: identity.clone(),
        domain: settings.domain.clone(),
        dns: Some(host.clone()),
        namespace: settings.namespace.clone(),
        memory_mb: settings.memory_mb(),
        made: ask.made,
        app: Some(app.clone()),
        role: ask.role(),
    });
}

fn describe(plan: &mut Plan, gear: &Identity, assigned: &Given<'_>) {
    for cartridge in &gear.cartridges {
        let role = if cartridge.is_primary { "primary" } else { "secondary" };
        plan.summary.push(format!("cartridge {} ({role})", cartridge.ident));
    }
    for (one, given) in assigned {
        for at in given {
            let (name, port) = (port_variable(one, at), at.endpoint.port);
            plan.summary.push(format!("{name} = {}:{port}", at.address));
        }
    }
}
