//! A further gear of a scaled application: the web framework and what extends it, with the deployment
//! that the head uses.

use super::configure::{
    Wanted, add_cartridge, assign, claims, new_cartridge, new_endpoints, packages,
};
use super::externals::add_coming;
use super::frontend::{Ports, host_of};
use super::scene::Scene;
use crate::config::Gears as Settings;
use crate::db::{
    Change, GearEndpointRow, GearRole, GearRow, InversePart, NewEndpoint, NewGear, Reservation,
};
use crate::error::Exit;
use crate::facts::{DeployFacts, Externals, Gear, Host, Seat};
use crate::gear::deployment;
use crate::gear::identity::Identity;
use crate::gear::state::State;
use crate::package::ident::{GearName, HostName};
use crate::plan::{Plan, Refusal, Resource};
use crate::step::copy_deployment::CopyDeployment;
use crate::step::drop_deployments::DropDeployments;
use crate::step::make_gear::{App, MakeGear};
use crate::step::make_user::MakeUser;
use crate::step::record_deployment::Event;
use crate::sys::clock::Moment;
use crate::sys::path::RelPath;

/// What all new gears of an application have in common.
pub(super) struct Brood<'a> {
    /// The head, with the deployment that it uses.
    pub(super) head: &'a DeployFacts,
    /// The cartridges that each of them gets.
    pub(super) wanted: &'a [Wanted],
    /// The settings for gears.
    pub(super) settings: &'a Settings,
    /// The host.
    pub(super) host: &'a Host,
    /// The externals of the host.
    pub(super) externals: &'a Externals,
    /// When they were asked for.
    pub(super) made: Moment,
}

impl Brood<'_> {
    /// Adds the making of a gear in that seat, and gives what it will be.
    pub(super) fn make(
        &self,
        plan: &mut Plan,
        (seat, uuid): (&Seat, &str),
    ) -> Result<DeployFacts, Refusal> {
        let head = &self.head.gear;
        let identity = self.identity(seat, uuid)?;
        let host = self.host_name(uuid)?;
        let name = identity.name.clone();
        plan.resources.insert(Resource::Gear(name.clone()));
        plan.inverse.parts.push(InversePart::DestroyGear { name: name.clone() });
        plan.reservations.push(Reservation {
            kind: "slot".into(),
            value: seat.slot.to_string(),
            gear: uuid.to_owned(),
        });
        self.add_home(plan, &identity, &host)?;
        let assigned = assign(self.wanted, &seat.taken_hosts, seat.slot)?;
        for (one, given) in &assigned {
            let package = &one.package;
            let name = format!("{}-{}", package.vendor, package.name);
            plan.resources.insert(Resource::PackageInUse(name));
            add_coming(plan, (&identity, one), self.externals)?;
            // The repository is the head's alone.
            let mut one = (*one).clone();
            one.package.parts.template = None;
            add_cartridge(plan, &one, &identity, claims(&one, given, &Ports::new()))?;
        }
        let endpoints = new_endpoints(&assigned, &Ports::new());
        plan.records.push(Change::AddGear(Box::new(NewGear {
            name,
            uuid: uuid.to_owned(),
            slot: seat.slot,
            owner: identity.owner,
            account: self.host.accounts,
            sandbox: identity.sandbox.as_str().into(),
            cartridges: self.wanted.iter().map(|one| new_cartridge(one, &identity)).collect(),
            endpoints: endpoints.clone(),
            app: GearName::parse(&head.row.app).map_err(|error| odd(&error))?,
            dns: Some(host.to_string()),
            role: Some(GearRole::Web),
        })));
        plan.summary.push(format!("gear `{}`", identity.name));
        Ok(self.facts(identity, (seat, &host), &endpoints))
    }

    fn identity(&self, seat: &Seat, uuid: &str) -> Result<Identity, Refusal> {
        let primary = self.head.gear.identity.primary().map(|one| one.dir.clone());
        let cartridges = self.wanted.iter().map(|one| {
            let mut cartridge = one.cartridge();
            cartridge.is_primary = Some(&cartridge.dir) == primary.as_ref();
            cartridge
        });
        Ok(Identity {
            name: GearName::parse(&seat.name).map_err(|error| {
                Refusal::new(Exit::Usage, format!("`{}` would be no name: {error}", seat.name))
                    .hint("give the application a shorter name")
            })?,
            uuid: uuid.to_owned(),
            owner: self.host.is_root.then_some((seat.slot, seat.slot)),
            account: self.host.accounts,
            sandbox: self.host.sandbox,
            cartridges: cartridges.collect(),
        })
    }

    /// A web proxy knows a gear by the first part of its host name, which is its identifier.
    fn host_name(&self, uuid: &str) -> Result<HostName, Refusal> {
        let name = GearName::parse(uuid).map_err(|error| odd(&error))?;
        host_of(&name, None, self.settings)
    }

    fn add_home(
        &self,
        plan: &mut Plan,
        identity: &Identity,
        host: &HostName,
    ) -> Result<(), Refusal> {
        if let (true, Some((uid, gid))) = (self.host.accounts, identity.owner) {
            plan.step(MakeUser {
                name: identity.uuid.clone(),
                uid,
                gid,
                home: RelPath::parse(&identity.home()).ok(),
            });
        }
        let head = &self.head.gear;
        let app = App {
            name: GearName::parse(&head.row.app).map_err(|error| odd(&error))?,
            uuid: head.row.uuid.clone(),
        };
        plan.step(MakeGear {
            identity: identity.clone(),
            domain: self.settings.domain.clone(),
            dns: Some(host.clone()),
            namespace: self.settings.namespace.clone(),
            memory_mb: self.settings.memory_mb(),
            made: self.made,
            app: Some(app),
            role: Some(GearRole::Web),
        });
        Ok(())
    }

    /// What is known of the gear once it is made.
    fn facts(
        &self,
        identity: Identity,
        (seat, host): (&Seat, &HostName),
        endpoints: &[NewEndpoint],
    ) -> DeployFacts {
        let head = self.head;
        let answers = |row: &GearEndpointRow| {
            let mut own = head.gear.endpoints.iter();
            let own = own.find(|one| (&one.dir, &one.name) == (&row.dir, &row.name));
            let at = own.and_then(|one| Some((one.address.parse().ok()?, one.port)));
            at.is_some_and(|at| head.answering.contains(&at))
        };
        let endpoints: Vec<_> = endpoints.iter().map(GearEndpointRow::from).collect();
        let answering = endpoints.iter().filter(|row| answers(row));
        let answering = answering.filter_map(|row| Some((row.address.parse().ok()?, row.port)));
        DeployFacts {
            deployments: Vec::new(),
            live: None,
            settings: head.settings.clone(),
            answering: answering.collect(),
            has_repository: false,
            children: Vec::new(),
            gear: new_gear(
                (identity, packages(self.wanted)),
                (seat.slot, host, &head.gear.row.app, GearRole::Web),
                endpoints,
            ),
        }
    }

    /// Adds what gives the gear the deployment that the head uses, in the place of its first one, and
    /// starts it where the head runs.
    pub(super) fn put_to_use(&self, plan: &mut Plan, child: &DeployFacts) -> Result<(), Refusal> {
        let Some(live) = &self.head.live else { return Ok(()) };
        let scene = Scene::new(child, live.clone(), false)?;
        let first = deployment::directory_name(self.made);
        if first != *live {
            plan.step(CopyDeployment {
                from: self.head.gear.identity.clone(),
                gear: child.gear.identity.clone(),
                name: live.clone(),
            });
            plan.step(scene.record(Event::Prepared));
            scene.show(plan);
            let deployments = vec![first];
            plan.step(DropDeployments { gear: child.gear.identity.clone(), deployments });
        }
        if self.head.gear.state == Some(State::Started) {
            scene.activate(plan, self.made);
        }
        Ok(())
    }
}

fn odd(error: &dyn std::error::Error) -> Refusal {
    Refusal::new(Exit::Failed, format!("the name of a new gear: {error}"))
}

/// A gear as it will be when it is made.
pub(super) fn new_gear(
    (identity, packages): (Identity, Vec<crate::package::Package>),
    (slot, host, app, role): (u32, &HostName, &str, GearRole),
    endpoints: Vec<GearEndpointRow>,
) -> Gear {
    let row = GearRow {
        id: 0,
        name: identity.name.to_string(),
        uuid: identity.uuid.clone(),
        slot,
        uid: identity.owner.map(|(uid, _)| uid),
        gid: identity.owner.map(|(_, gid)| gid),
        account: identity.account,
        sandbox: identity.sandbox.as_str().into(),
        created: 0,
        app: app.to_owned(),
        dns: Some(host.to_string()),
        role: Some(role),
    };
    unborn(row, (identity, packages), endpoints)
}

/// The same, by its row.
pub(super) fn unborn(
    row: GearRow,
    (identity, packages): (Identity, Vec<crate::package::Package>),
    endpoints: Vec<GearEndpointRow>,
) -> Gear {
    Gear {
        row,
        identity,
        packages,
        endpoints,
        state: Some(State::New),
        stop_locked: false,
        since: None,
        processes: 0,
        memory: 0,
        is_kept: false,
        limits: crate::sys::cgroup::Bounds::default(),
        connected: false,
        externals: Vec::new(),
    }
}
