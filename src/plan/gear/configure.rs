//! Cartridges that come into a gear: their order, their endpoints and their steps.

use super::frontend::Ports;
use super::locking::{lock, unlock};
use crate::db::{NewCartridge, NewEndpoint};
use crate::error::Exit;
use crate::gear::endpoints::{self, Assigned};
use crate::gear::identity::{Cartridge, Identity};
use crate::package::version::Version;
use crate::package::{Package, Software};
use crate::plan::install::below;
use crate::plan::{Plan, Refusal};
use crate::step::check_cartridge::CheckCartridge;
use crate::step::dependency_dirs::DependencyDirs;
use crate::step::endpoints::{Claim, ClaimEndpoints};
use crate::step::git_repo::GitRepo;
use crate::step::place_cartridge::PlaceCartridge;
use crate::step::render_templates::{Pass, RenderTemplates};
use crate::step::run_script::{RunScript, Script};
use crate::sys::path::RelPath;
use std::collections::BTreeSet;

/// A cartridge that a new gear gets.
#[derive(Clone, Debug, PartialEq)]
pub struct Wanted {
    /// What its manifest says.
    pub package: Package,
    /// Its directory below the library.
    pub place: RelPath,
    /// The software version that is asked for; the default one otherwise.
    pub software: Option<Version>,
}

impl Wanted {
    pub(super) fn version(&self) -> &Version {
        self.software.as_ref().unwrap_or(&self.package.version)
    }

    pub(super) fn software(&self) -> &Software {
        self.package.software(self.version()).unwrap_or_else(|| self.package.default_software())
    }

    /// Tells whether it can be asked for by this name.
    pub(super) fn has_feature(&self, feature: &str) -> bool {
        self.package.has_feature(self.software(), feature)
    }

    /// The cartridge that comes of it, a secondary one.
    pub(super) fn cartridge(&self) -> Cartridge {
        Cartridge {
            dir: self.package.name.to_string(),
            short_name: self.package.short_name.clone(),
            software: self.version().clone(),
            ident: self.package.ident(self.version()),
            place: self.place.clone(),
            is_primary: false,
        }
    }
}

/// What each cartridge was given: the folder, and its endpoints with their addresses.
pub(super) type Given<'a> = Vec<(&'a Wanted, Vec<Assigned<'a>>)>;

/// One address for each name of an address, over all cartridges.
pub(super) fn assign<'a>(
    wanted: &'a [Wanted],
    taken_hosts: &BTreeSet<u8>,
    slot: u32,
) -> Result<Given<'a>, Refusal> {
    let mut taken = taken_hosts.clone();
    let mut given = Vec::new();
    for one in wanted {
        let assigned =
            endpoints::assign(&one.software().endpoints, &taken, slot).map_err(|error| {
                let text = format!("`{}`: {error}", one.package.title());
                Refusal::new(Exit::Conflict, text)
                    .hint("`ss -ltnp` shows what listens on its ports on all addresses")
            })?;
        taken.extend(assigned.iter().map(|at| at.host));
        given.push((one, assigned));
    }
    Ok(given)
}

pub(super) fn claims(one: &Wanted, assigned: &[Assigned<'_>], public: &Ports) -> Vec<Claim> {
    let short_name = one.package.short_name.as_str();
    let variables = |at: &Assigned<'_>| {
        let mut all = at.variables(short_name);
        let port = public.get(&port_variable(one, at));
        if let (Some(port), Some(name)) = (port, &at.endpoint.public_port_name) {
            all.push((endpoints::variable(short_name, name), port.to_string()));
        }
        all
    };
    let claim = |at: &Assigned<'_>| Claim {
        address: at.address,
        ports: at.ports().collect(),
        variables: variables(at),
    };
    assigned.iter().map(claim).collect()
}

pub(super) fn add_cartridge(
    plan: &mut Plan,
    one: &Wanted,
    gear: &Identity,
    claims: Vec<Claim>,
) -> Result<(), Refusal> {
    let dir = one.package.name.to_string();
    let parts = one.package.parts;
    let at = |script| RunScript { gear: gear.clone(), dir: dir.clone(), script };
    let render = |pass| RenderTemplates {
        gear: gear.clone(),
        dir: dir.clone(),
        patterns: one.package.managed.processed_templates.clone(),
        pass,
    };
    plan.step(PlaceCartridge { gear: gear.clone(), dir: dir.clone(), usr: parts.usr });
    if !claims.is_empty() {
        plan.step(ClaimEndpoints { gear: gear.clone(), dir: dir.clone(), claims });
    }
    unlock(plan, gear, &one.package);
    let managed = &one.package.managed;
    if !(managed.dependency_dirs.is_empty() && managed.build_dependency_dirs.is_empty()) {
        plan.step(DependencyDirs {
            gear: gear.clone(),
            dir: dir.clone(),
            run: managed.dependency_dirs.clone(),
            build: managed.build_dependency_dirs.clone(),
        });
    }
    plan.step(render(Pass::Env));
    if parts.setup {
        plan.step(at(Script::Setup));
    }
    plan.step(render(Pass::Processed));
    if parts.install {
        plan.step(at(Script::Install));
    }
    if one.software().is("web_framework") && parts.template.is_some() {
        let repository = crate::library::template_repository(one.place.as_str());
        let repository = RelPath::parse(&repository)
            .map_err(|error| Refusal::new(Exit::Failed, format!("the template's name {error}")))?;
        plan.step(GitRepo { gear: gear.clone(), template: below("templates", &repository)? });
    }
    lock(plan, gear, &one.package);
    plan.step(CheckCartridge { gear: gear.clone(), dir });
    Ok(())
}

pub(super) fn packages(wanted: &[Wanted]) -> Vec<Package> {
    wanted.iter().map(|one| one.package.clone()).collect()
}

pub(super) fn new_cartridge(one: &Wanted, gear: &Identity) -> NewCartridge {
    let dir = one.package.name.to_string();
    let is_primary = gear.primary().is_some_and(|primary| primary.dir == dir);
    NewCartridge { place: one.place.clone(), software: one.version().clone(), dir, is_primary }
}

pub(super) fn new_endpoints(assigned: &Given<'_>, public: &Ports) -> Vec<NewEndpoint> {
    let row = |one: &Wanted, at: &Assigned<'_>| NewEndpoint {
        dir: one.package.name.to_string(),
        name: port_variable(one, at),
        address: at.address,
        port: at.endpoint.port,
        public_port: public.get(&port_variable(one, at)).copied(),
        protocols: at.endpoint.protocols.clone(),
    };
    assigned.iter().flat_map(|(one, given)| given.iter().map(|at| row(one, at))).collect()
}

pub(super) fn port_variable(one: &Wanted, at: &Assigned<'_>) -> String {
    endpoints::variable(one.package.short_name.as_str(), &at.endpoint.port_name)
}
