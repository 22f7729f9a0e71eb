//! Back to the releases that a gear had before an upgrade: their files, variables and endpoints. The
//! gear's data stays as it is, unless what was kept of it is wanted instead.

use super::configure::Wanted;
use super::externals::add_former;
use super::frontend::add_rerouting;
use super::locking::{lock, unlock};
use super::moved::{as_new, variables};
use super::run::{add_actions, add_stop_by, add_wait, listening, plan_for};
use super::upgrade::as_it_is;
use crate::db::{Change, ExternalRow, GearEndpointRow, InversePart, NewCartridge, NewEndpoint};
use crate::error::Exit;
use crate::facts::{Gear, Installed, MemberFacts};
use crate::gear::action::Action;
use crate::gear::endpoints::{self, Assigned};
use crate::gear::identity::{Cartridge, Identity};
use crate::gear::state::State;
use crate::package::Package;
use crate::plan::install::below;
use crate::plan::{Consent, Plan, Refusal, Resource};
use crate::step::control::Strictness;
use crate::step::drop_variables::DropVariables;
use crate::step::endpoints::{Claim, ClaimEndpoints};
use crate::step::overlay_cartridge::{OverlayCartridge, Source};
use crate::step::place_trees::{PlaceTrees, Placing};
use crate::step::set_state::{Initiator, SetState};
use crate::step::stash_gear::StashGear;
use crate::step::stash_trees::StashTrees;
use crate::step::upgrade_files::{Phase, UpgradeFiles};
use crate::sys::clock::Moment;
use crate::sys::path::RelPath;

/// What becomes of a gear's data.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Data {
    /// It stays as it is now.
    Stays,
    /// It becomes what it was before the upgrade.
    AsKept,
}

/// What a gear is to become again.
#[derive(Clone, Debug, PartialEq)]
pub struct RollBack<'a> {
    /// The cartridges that were upgraded, as they were.
    pub cartridges: &'a [NewCartridge],
    /// The endpoints that went with the upgrade.
    pub endpoints: &'a [NewEndpoint],
    /// The home as the upgrade has kept it, relative to the state directory.
    pub kept: &'a RelPath,
    /// The transaction that keeps it.
    pub keeper: i64,
    /// The installed packages in whose places the old releases have theirs.
    pub returning: &'a [Installed],
    /// What becomes of the data.
    pub data: Data,
    /// What the upgrade has taken back from externals.
    pub withdrawn: &'a [ExternalRow],
}

/// A cartridge, as it is and as it becomes again.
struct Back {
    now: Cartridge,
    present: Package,
    was: Wanted,
}

/// Plans the way back; `bytes` is the size of the home, of which a copy is kept in turn.
pub fn roll_back(facts: &MemberFacts, ask: &RollBack<'_>, bytes: u64) -> Result<Plan, Refusal> {
    let gear = &facts.gear;
    let mut plan = plan_for(gear, "roll back");
    let all = backs(gear, ask)?;
    let identity = former(&gear.identity, &all);
    let runs = gear.state == Some(State::Started) || gear.processes > 0;
    if runs {
        add_stop_by(&mut plan, &gear.identity, (Initiator::System, Strictness::MayFail));
    }
    if ask.data == Data::Stays {
        plan.step(StashGear { gear: gear.identity.clone() });
    }
    for one in &all {
        let withdrawn = (ask.withdrawn, ask.keeper);
        add_former(&mut plan, (gear, &one.was), withdrawn, &facts.externals)?;
    }
    let rows = rows(gear, &all, ask.endpoints);
    match ask.data {
        Data::Stays => add_files(&mut plan, gear, (&identity, &all, ask))?,
        Data::AsKept => add_home(&mut plan, gear, ask)?,
    }
    let packages = gear.packages.iter().map(|now| {
        let back = all.iter().find(|one| one.present.name == now.name);
        back.map_or_else(|| now.clone(), |one| one.was.package.clone())
    });
    let becomes = Gear {
        identity: identity.clone(),
        packages: packages.collect(),
        endpoints: rows.clone(),
        ..gear.clone()
    };
    add_rerouting(&mut plan, &becomes, facts.outside.as_ref())?;
    if gear.state == Some(State::Started) {
        let state = State::Started;
        plan.step(SetState { gear: identity.clone(), state, initiator: Initiator::System });
        add_actions(&mut plan, &identity, (Action::Start, Strictness::MustSucceed));
        add_wait(&mut plan, &identity, listening(&becomes));
    }
    let stays = |row: &&GearEndpointRow| rows.iter().any(|other| other.name == row.name);
    let gone: Vec<&GearEndpointRow> = gear.endpoints.iter().filter(|row| !stays(row)).collect();
    plan.inverse.parts.push(InversePart::RollBackGear {
        name: gear.identity.name.clone(),
        cartridges: all.iter().map(|one| as_it_is(&one.now)).collect(),
        endpoints: gone.iter().filter_map(|row| as_new(row)).collect(),
    });
    plan.records.push(Change::UpgradeCartridges {
        gear: gear.row.id,
        cartridges: ask.cartridges.to_vec(),
        gone: gone.iter().map(|row| row.name.clone()).collect(),
        endpoints: ask.endpoints.to_vec(),
    });
    plan.keeps = Some(bytes);
    plan.consent = plan.consent.max(Consent::Courtesy);
    for one in &all {
        let (now, was) = (&one.present.package_version, &one.was.package.package_version);
        plan.summary.push(format!("`{}` {now} → {was}", one.now.dir));
        for package in [&one.present, &one.was.package] {
            let name = format!("{}-{}", package.vendor, package.name);
            plan.resources.insert(Resource::PackageInUse(name));
        }
    }
    Ok(plan)
}

fn backs(gear: &Gear, ask: &RollBack<'_>) -> Result<Vec<Back>, Refusal> {
    let back = |one: &NewCartridge| {
        let mut pairs = gear.identity.cartridges.iter().zip(&gear.packages);
        let Some((now, present)) = pairs.find(|(now, _)| now.dir == one.dir) else {
            let text = format!("the gear has no cartridge `{}` any more", one.dir);
            return Err(Refusal::new(Exit::Conflict, text));
        };
        let Some(old) = ask.returning.iter().find(|old| old.place == one.place) else {
            let text = format!("the old release of `{}` is not installed any more", one.dir);
            return Err(Refusal::new(Exit::Conflict, text)
                .hint("`cart history` shows what removed it; `cart undo` brings it back"));
        };
        let was = Wanted {
            package: old.package.clone(),
            place: one.place.clone(),
            software: Some(one.software.clone()),
        };
        Ok(Back { now: now.clone(), present: present.clone(), was })
    };
    ask.cartridges.iter().map(back).collect()
}

/// The gear with the releases that it had.
fn former(gear: &Identity, all: &[Back]) -> Identity {
    let cartridge = |now: &Cartridge| match all.iter().find(|one| one.now.dir == now.dir) {
        Some(one) => Cartridge { is_primary: now.is_primary, ..one.was.cartridge() },
        None => now.clone(),
    };
    Identity { cartridges: gear.cartridges.iter().map(cartridge).collect(), ..gear.clone() }
}

/// The endpoints as they will be.
fn rows(gear: &Gear, all: &[Back], returning: &[NewEndpoint]) -> Vec<GearEndpointRow> {
    let stays = |row: &&GearEndpointRow| {
        let Some(one) = all.iter().find(|one| one.now.dir == row.dir) else { return true };
        let short = one.was.package.short_name.as_str();
        let mut wanted = one.was.software().endpoints.iter();
        wanted.any(|endpoint| {
            endpoints::variable(short, &endpoint.port_name) == row.name && endpoint.port == row.port
        })
    };
    let new = returning.iter().map(|one| GearEndpointRow {
        dir: one.dir.clone(),
        name: one.name.clone(),
        address: one.address.to_string(),
        port: one.port,
        public_port: None,
        protocols: one.protocols.clone(),
    });
    gear.endpoints.iter().filter(stays).cloned().chain(new).collect()
}

/// Adds what brings files and variables back, and leaves data alone.
fn add_files(
    plan: &mut Plan,
    gear: &Gear,
    (identity, all, ask): (&Identity, &[Back], &RollBack<'_>),
) -> Result<(), Refusal> {
    for one in all {
        let dir = &one.now.dir;
        unlock(plan, &gear.identity, &one.present);
        let kept = RelPath::parse(&format!("{}/{dir}", ask.kept));
        let kept =
            kept.map_err(|error| Refusal::new(Exit::Failed, format!("the kept home {error}")))?;
        plan.step(OverlayCartridge {
            gear: identity.clone(),
            dir: dir.clone(),
            leaving: one.now.place.clone(),
            source: Source::Kept(kept),
            configured: Moment(0),
        });
        let (short, old) = (one.present.short_name.as_str(), one.was.package.short_name.as_str());
        let told = |package: &Package, short: &str| -> Vec<String> {
            let software = package.software(&one.now.software);
            let all = software.into_iter().flat_map(|software| &software.endpoints);
            all.flat_map(|endpoint| variables(short, endpoint)).collect()
        };
        let before = told(&one.was.package, old);
        let mut names = told(&one.present, short);
        names.retain(|name| !before.contains(name));
        names.sort();
        names.dedup();
        if !names.is_empty() {
            plan.step(DropVariables { gear: identity.clone(), names });
        }
        let claims: Vec<Claim> = one
            .was
            .software()
            .endpoints
            .iter()
            .filter_map(|endpoint| {
                let name = endpoints::variable(old, &endpoint.port_name);
                let mut own = ask.endpoints.iter().filter(|row| row.dir == *dir);
                let address = own.find(|row| row.name == name)?.address;
                let at = Assigned { endpoint, host: 0, address };
                Some(Claim { address, ports: at.ports().collect(), variables: at.variables(old) })
            })
            .collect();
        if !claims.is_empty() {
            plan.step(ClaimEndpoints { gear: identity.clone(), dir: dir.clone(), claims });
        }
        lock(plan, identity, &one.was.package);
    }
    Ok(())
}

/// Adds what puts the whole home in the place of the one that is there, data included.
fn add_home(plan: &mut Plan, gear: &Gear, ask: &RollBack<'_>) -> Result<(), Refusal> {
    let name = &gear.identity.name;
    let relative = RelPath::parse(name.as_str())
        .map_err(|error| Refusal::new(Exit::Failed, format!("the gear's name {error}")))?;
    let home = below("gears", &relative)?;
    plan.step(StashTrees { trees: vec![home.clone()] });
    plan.step(PlaceTrees { trees: vec![Placing { from: ask.kept.clone(), to: home }] });
    // The copy was made while the upgrade was going on, and tells of it.
    plan.step(UpgradeFiles { gear: gear.identity.clone(), phase: Phase::Over });
    plan.records.push(Change::ReleaseStash { txn: ask.keeper });
    plan.warnings.push("what was written into the gear since the upgrade is lost".into());
    Ok(())
}
