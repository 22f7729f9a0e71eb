//! Gears that go, and come back.

use super::frontend::add_disconnection;
use super::locking::{lock, unlock};
use super::run::{add_start, add_stop, listening};
use crate::db::{Change, ExternalRow, InversePart};
use crate::error::Exit;
use crate::facts::{Externals, Gear, UndoFacts};
use crate::gear::state::State;
use crate::package::external::Action;
use crate::package::ident::GearName;
use crate::plan::externals::{add_again, add_withdrawn};
use crate::plan::install::below;
use crate::plan::{Consent, Plan, Refusal, Resource};
use crate::step::control::Strictness;
use crate::step::run_script::{RunScript, Script};
use crate::step::stash_trees::StashTrees;
use crate::sys::path::RelPath;

/// Whether cartridges are told that their gear goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Farewell {
    /// They are not: the seed's rule.
    Silent,
    /// `teardown` of each runs first.
    Teardown,
}

/// Plans the destruction of a gear; `bytes` is the size of its home, which waits in the stash.
pub fn destroy(
    gear: &Gear,
    farewell: Farewell,
    bytes: u64,
    externals: &Externals,
) -> Result<Plan, Refusal> {
    let name = &gear.identity.name;
    let mut plan = Plan::new(format!("destroy the gear `{name}`"));
    plan.resources.insert(Resource::Gear(name.clone()));
    plan.inverse.parts.push(InversePart::RestoreGear {
        name: name.clone(),
        started: gear.state == Some(State::Started),
    });
    add_disconnection(&mut plan, gear);
    let started = gear.state == Some(State::Started);
    if started || gear.processes > 0 || gear.is_kept {
        add_stop(&mut plan, &gear.identity, Strictness::MayFail);
    }
    if farewell == Farewell::Teardown {
        for (cartridge, package) in gear.identity.cartridges.iter().zip(&gear.packages) {
            if package.parts.teardown {
                unlock(&mut plan, &gear.identity, package);
                plan.step(RunScript {
                    gear: gear.identity.clone(),
                    dir: cartridge.dir.clone(),
                    script: Script::Teardown,
                });
                // The gear may come back from the stash, and then as it should be.
                lock(&mut plan, &gear.identity, package);
                plan.irreversible.push(format!("what `teardown` of `{}` does", cartridge.dir));
            }
        }
    }
    add_withdrawn(&mut plan, &gear.externals, externals, Action::Remove)?;
    plan.step(StashTrees { trees: vec![below("gears", &gear_path(name)?)?] });
    plan.records.push(Change::DestroyGear { id: gear.row.id });
    plan.keeps = Some(bytes);
    plan.consent = plan.consent.max(match farewell {
        Farewell::Silent => Consent::Courtesy,
        Farewell::Teardown => Consent::Needed,
    });
    plan.summary.push(format!("its data ({bytes} bytes) waits in the stash, for `cart undo`"));
    Ok(plan)
}

/// Adds to `plan` what brings a destroyed gear back from the stash.
pub(in crate::plan) fn add_restored(
    plan: &mut Plan,
    (gear, started): (&Gear, bool),
    facts: &UndoFacts,
) -> Result<(), Refusal> {
    let name = &gear.identity.name;
    plan.resources.insert(Resource::Gear(name.clone()));
    plan.records.push(Change::RestoreGear { id: gear.row.id });
    let of_gear = |row: &&ExternalRow| row.asker.gear.as_ref() == Some(&gear.identity.uuid);
    add_again(plan, facts.withdrawn.iter().filter(of_gear), &facts.externals)?;
    if started {
        add_start(plan, &gear.identity, listening(gear), &[]);
    }
    plan.inverse.parts.push(InversePart::DestroyGear { name: name.clone() });
    plan.summary.push(format!("the gear `{name}` comes back with its data"));
    Ok(())
}

fn gear_path(name: &GearName) -> Result<RelPath, Refusal> {
    RelPath::parse(name.as_str())
        .map_err(|error| Refusal::new(Exit::Failed, format!("the gear's name {error}")))
}
