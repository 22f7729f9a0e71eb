//! Upgrading the cartridges of a gear: it has happened to all of them, or to none.

use super::configure::new_cartridge;
use super::externals::add_upgraded;
use super::frontend::add_rerouting;
use super::itinerary::{Entry, Kind, Refresh, as_the_original, itinerary};
use super::locking::{lock, unlock};
use super::moved::{Moved, moved};
use super::run::{add_actions, add_stop_by, plan_for};
use crate::db::{Change, InversePart, NewCartridge};
use crate::facts::{Extension, Gear, UpgradeFacts};
use crate::gear::action::Action;
use crate::gear::identity::{Cartridge, Identity};
use crate::gear::state::State;
use crate::plan::{Consent, CutOff, Plan, Refusal, Resource};
use crate::step::await_endpoints::{AwaitEndpoints, Silence};
use crate::step::clear_rewritten::ClearRewritten;
use crate::step::control::Strictness;
use crate::step::drop_variables::DropVariables;
use crate::step::endpoints::ClaimEndpoints;
use crate::step::keep_home::KeepHome;
use crate::step::overlay_cartridge::{OverlayCartridge, Source};
use crate::step::render_templates::{Pass, RenderTemplates};
use crate::step::run_extension::RunExtension;
use crate::step::run_script::{RunScript, Script};
use crate::step::set_state::{Initiator, SetState};
use crate::step::stash_gear::StashGear;
use crate::step::upgrade_files::{Phase, UpgradeFiles};
use crate::step::upgrade_script::UpgradeScript;
use std::path::PathBuf;

/// This program's release, by which an extension says for what it was written.
const RELEASE: &str = env!("CARGO_PKG_VERSION");

/// Plans the upgrade of a gear; nothing when it has the newest releases.
pub fn upgrade(facts: &UpgradeFacts, refresh: Refresh) -> Result<Plan, Refusal> {
    let gear = &facts.members.gear;
    let mut plan = plan_for(gear, "upgrade");
    let (entries, notes) = itinerary(facts, refresh);
    if entries.is_empty() {
        plan.summary.extend(notes);
        let name = &gear.identity.name;
        plan.summary.push(format!(
            "the gear `{name}` is up to date with the library; `--fetch` looks for newer releases elsewhere"
        ));
        return Ok(plan);
    }
    plan.warnings.extend(notes);
    let identity = upgraded(&gear.identity, &entries);
    let stops = entries.iter().any(|one| one.kind == Kind::Incompatible);
    describe(&mut plan, gear, &entries);
    for one in &entries {
        for package in [&one.old, &one.new.package] {
            let name = format!("{}-{}", package.vendor, package.name);
            plan.resources.insert(Resource::PackageInUse(name));
        }
    }
    let begins = Phase::Begins {
        itinerary: as_the_original(&entries).to_string(),
        state: gear.state.map_or("stopped", State::as_str).to_owned(),
    };
    plan.step(UpgradeFiles { gear: gear.identity.clone(), phase: begins });
    let extension = extension(&mut plan, facts);
    add_extension(&mut plan, gear, (extension.before, &entries));
    let runs = gear.state == Some(State::Started) || gear.processes > 0;
    if stops && runs {
        add_stop_by(&mut plan, &gear.identity, (Initiator::System, Strictness::MayFail));
    }
    if stops || gear.processes == 0 {
        plan.step(StashGear { gear: gear.identity.clone() });
    } else {
        plan.step(KeepHome { gear: gear.identity.clone() });
    }
    let moved = moved(&facts.members, &entries)?;
    for one in &entries {
        add_upgraded(&mut plan, (gear, &one.new), &identity, &facts.members.externals)?;
        match one.kind {
            Kind::Compatible => add_compatible(&mut plan, facts, (&identity, one)),
            Kind::Incompatible => add_incompatible(&mut plan, facts, (&identity, one, &moved)),
        }
        let part = one.cartridge.dir.clone();
        plan.step(UpgradeFiles { gear: identity.clone(), phase: Phase::Done(part) });
    }
    let packages = gear.packages.iter().map(|old| {
        let new = entries.iter().find(|one| one.old.name == old.name);
        new.map_or_else(|| old.clone(), |one| one.new.package.clone())
    });
    let becomes = Gear {
        identity: identity.clone(),
        packages: packages.collect(),
        endpoints: moved.rows(gear),
        ..gear.clone()
    };
    if stops {
        add_rerouting(&mut plan, &becomes, facts.members.outside.as_ref())?;
    }
    add_extension(&mut plan, gear, (extension.after, &entries));
    if stops && gear.state == Some(State::Started) {
        add_restart(&mut plan, &becomes, facts);
    }
    plan.step(UpgradeFiles { gear: identity.clone(), phase: Phase::Over });
    record(&mut plan, facts, (&entries, &identity, moved));
    plan.cut_off = CutOff::GoOn;
    if stops {
        plan.consent = Consent::Courtesy;
    }
    Ok(plan)
}

/// The extension that is to run: one that was written for another release of this program is not.
fn extension(plan: &mut Plan, facts: &UpgradeFacts) -> Extension {
    let extension = facts.extension.clone();
    if extension.before.is_none() && extension.after.is_none() {
        return extension;
    }
    match &extension.version {
        Some(version) if version == RELEASE => extension,
        other => {
            let version = other.as_deref().unwrap_or("nothing").escape_debug();
            plan.warnings.push(format!(
                "the upgrade extension is left out: its `version` says {version}, and this is {RELEASE}"
            ));
            Extension::default()
        }
    }
}

fn add_extension(plan: &mut Plan, gear: &Gear, (program, entries): (Option<PathBuf>, &[Entry])) {
    let Some(program) = program else { return };
    plan.irreversible.push(format!("what `{}` does", program.display()));
    let itinerary = as_the_original(entries).to_string();
    plan.step(RunExtension { gear: gear.identity.clone(), program, itinerary });
}

/// The gear with the releases that come.
fn upgraded(gear: &Identity, entries: &[Entry]) -> Identity {
    let cartridge = |old: &Cartridge| {
        let Some(one) = entries.iter().find(|one| one.cartridge.dir == old.dir) else {
            return old.clone();
        };
        Cartridge { is_primary: old.is_primary, ..one.new.cartridge() }
    };
    Identity { cartridges: gear.cartridges.iter().map(cartridge).collect(), ..gear.clone() }
}

fn describe(plan: &mut Plan, gear: &Gear, entries: &[Entry]) {
    for one in entries {
        let (was, becomes) = (&one.old.package_version, &one.new.package.package_version);
        let how = match one.kind {
            Kind::Compatible => "compatible: the gear goes on running",
            Kind::Incompatible if gear.processes > 0 => "incompatible: the gear stops for it",
            Kind::Incompatible => "incompatible: `setup` runs again",
        };
        plan.summary.push(format!("`{}` {was} → {becomes}, {how}", one.cartridge.dir));
        plan.irreversible.push(format!(
            "what `upgrade` of `{}` does beyond the gear's files",
            one.cartridge.dir
        ));
    }
}

/// What every upgrade of a cartridge begins with: its files are opened, and the new ones laid over.
fn add_overlay(
    plan: &mut Plan,
    facts: &UpgradeFacts,
    (identity, one, without): (&Identity, &Entry, Vec<String>),
) {
    let dir = &one.cartridge.dir;
    plan.step(OverlayCartridge {
        gear: identity.clone(),
        dir: dir.clone(),
        leaving: one.cartridge.place.clone(),
        source: Source::Package { usr: one.new.package.parts.usr, without },
        configured: facts.configured(dir),
    });
    unlock(plan, identity, &one.new.package);
}

fn add_compatible(plan: &mut Plan, facts: &UpgradeFacts, (identity, one): (&Identity, &Entry)) {
    let gear = &facts.members.gear.identity;
    unlock(plan, gear, &one.old);
    // What was rendered stays.
    let mut without = one.new.package.managed.processed_templates.clone();
    without.push("env/*.erb".into());
    add_overlay(plan, facts, (identity, one, without));
    add_script(plan, (identity, one));
    lock(plan, identity, &one.new.package);
}

fn add_incompatible(
    plan: &mut Plan,
    facts: &UpgradeFacts,
    (identity, one, moved): (&Identity, &Entry, &Moved),
) {
    let gear = &facts.members.gear.identity;
    let dir = &one.cartridge.dir;
    unlock(plan, gear, &one.old);
    plan.step(ClearRewritten {
        gear: gear.clone(),
        dir: dir.clone(),
        patterns: one.old.managed.setup_rewritten.clone(),
    });
    add_overlay(plan, facts, (identity, one, Vec::new()));
    let dropped = moved.dropped(dir);
    if !dropped.is_empty() {
        plan.step(DropVariables { gear: identity.clone(), names: dropped });
    }
    let claims = moved.claims(dir);
    if !claims.is_empty() {
        plan.step(ClaimEndpoints { gear: identity.clone(), dir: dir.clone(), claims });
    }
    let render = |pass| RenderTemplates {
        gear: identity.clone(),
        dir: dir.clone(),
        patterns: one.new.package.managed.processed_templates.clone(),
        pass,
    };
    plan.step(render(Pass::Env));
    if one.new.package.parts.setup {
        plan.step(RunScript { gear: identity.clone(), dir: dir.clone(), script: Script::Setup });
    }
    plan.step(render(Pass::Processed));
    add_script(plan, (identity, one));
    lock(plan, identity, &one.new.package);
}

fn add_script(plan: &mut Plan, (identity, one): (&Identity, &Entry)) {
    plan.step(UpgradeScript {
        gear: identity.clone(),
        dir: one.cartridge.dir.clone(),
        from: one.old.package_version.clone(),
        to: one.new.package.package_version.clone(),
    });
}

/// Starts the gear again; it has to listen where it listened before.
fn add_restart(plan: &mut Plan, becomes: &Gear, facts: &UpgradeFacts) {
    let identity = &becomes.identity;
    plan.step(SetState {
        gear: identity.clone(),
        state: State::Started,
        initiator: Initiator::System,
    });
    add_actions(plan, identity, (Action::Start, Strictness::MustSucceed));
    let stays = |(at, port): &&(std::net::Ipv4Addr, u16)| {
        let mut rows = becomes.endpoints.iter();
        rows.any(|row| row.address == at.to_string() && row.port == *port)
    };
    let endpoints: Vec<_> = facts.answering.iter().filter(stays).copied().collect();
    if !endpoints.is_empty() {
        plan.step(AwaitEndpoints {
            gear: identity.clone(),
            endpoints,
            silence: Silence::IsFailure,
        });
    }
}

fn record(
    plan: &mut Plan,
    facts: &UpgradeFacts,
    (entries, identity, moved): (&[Entry], &Identity, Moved),
) {
    let gear = &facts.members.gear;
    let name = gear.identity.name.clone();
    plan.inverse.parts.push(InversePart::RollBackGear {
        name,
        cartridges: entries.iter().map(|one| as_it_is(&one.cartridge)).collect(),
        endpoints: moved.gone_rows(gear),
    });
    plan.records.push(Change::UpgradeCartridges {
        gear: gear.row.id,
        cartridges: entries.iter().map(|one| new_cartridge(&one.new, identity)).collect(),
        gone: moved.gone,
        endpoints: moved.new,
    });
    plan.keeps = Some(facts.bytes);
}

/// A cartridge of a gear, as a row.
pub(super) fn as_it_is(cartridge: &Cartridge) -> NewCartridge {
    NewCartridge {
        place: cartridge.place.clone(),
        software: cartridge.software.clone(),
        dir: cartridge.dir.clone(),
        is_primary: cartridge.is_primary,
    }
}
