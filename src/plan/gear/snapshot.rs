//! A snapshot of a gear (the guide, Backing Up and Restoring): it is stopped, its cartridges lay out what
//! they want in it, its home is packed, and it is started again, whatever fails.

use super::rolling::{Rolling, Rotation, refuse_child};
use super::run::{add_actions, add_end, add_stop_by, add_wait, listening, plan_for};
use crate::db::GearRole;
use crate::facts::{DeployFacts, Gear};
use crate::gear::action::Action;
use crate::gear::identity::Identity;
use crate::gear::state::State;
use crate::plan::{Plan, Refusal};
use crate::step::control::Strictness;
use crate::step::set_state::{Initiator, SetState};
use crate::step::write_snapshot::WriteSnapshot;
use crate::sys::path::RelPath;

/// Plans a snapshot, which is written to `to`, relative to the state directory.
///
/// Of a scaled application that is its head; its proxy and the other gears go on serving.
pub fn snapshot(facts: &DeployFacts, to: &RelPath) -> Result<Plan, Refusal> {
    let gear = &facts.gear;
    refuse_child(gear)?;
    let mut plan = plan_for(gear, "take a snapshot of");
    let identity = &gear.identity;
    let runs = runs(gear);
    let rolling = serving(facts)?.filter(|_| runs);
    if let Some(rolling) = &rolling {
        rolling.stop_head(&mut plan);
    } else if runs {
        add_stop_by(&mut plan, identity, (Initiator::System, Strictness::MustSucceed));
    }
    add_actions(&mut plan, identity, (Action::PreSnapshot, Strictness::MustSucceed));
    plan.step(WriteSnapshot {
        gear: identity.clone(),
        exclusions: exclusions(gear),
        to: to.clone(),
    });
    add_actions(&mut plan, identity, (Action::PostSnapshot, Strictness::MustSucceed));
    if let Some(rolling) = &rolling {
        rolling.resume_head(&mut plan);
    } else if runs {
        let state = State::Started;
        plan.step(SetState { gear: identity.clone(), state, initiator: Initiator::System });
        add_actions(&mut plan, identity, (Action::Start, Strictness::MustSucceed));
        add_wait(&mut plan, identity, listening(gear));
    } else {
        add_rest(&mut plan, identity);
    }
    plan.irreversible.push("what `pre-snapshot` and `post-snapshot` do".into());
    Ok(plan)
}

/// The scaled application whose head the gear is.
fn serving(facts: &DeployFacts) -> Result<Option<Rolling<'_>>, Refusal> {
    if facts.gear.row.role != Some(GearRole::Head) {
        return Ok(None);
    }
    let live = facts.live.clone().unwrap_or_default();
    Rolling::new(facts, &live, (false, Rotation::Told)).map(Some)
}

/// Whether the gear runs, or should.
pub(super) fn runs(gear: &Gear) -> bool {
    gear.state == Some(State::Started) || gear.processes > 0
}

/// What the cartridges of a gear leave out of its snapshots.
fn exclusions(gear: &Gear) -> Vec<(String, Vec<String>)> {
    let pairs = gear.identity.cartridges.iter().zip(&gear.packages);
    let all = pairs.map(|(cartridge, package)| {
        (cartridge.dir.clone(), package.managed.snapshot_exclusions.clone())
    });
    all.filter(|(_, patterns)| !patterns.is_empty()).collect()
}

/// Ends what cartridges have begun in a gear that did not run: a database lays out its data, and reads
/// them, only while it runs.
pub(super) fn add_rest(plan: &mut Plan, gear: &Identity) {
    add_end(plan, gear, Strictness::MayFail);
}
