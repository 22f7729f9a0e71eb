//! The first build of a new gear, where its web framework wants one (`Install-Build-Required`; node
//! specification, 4.3 and 9): built when the gear is made, put to use when it is first started.

use super::run::add_wait;
use crate::gear::action::Action;
use crate::gear::identity::{Cartridge, Identity};
use crate::gear::state::State;
use crate::package::Package;
use crate::plan::Plan;
use crate::step::control::{Control, Strictness};
use crate::step::set_state::{Initiator, SetState};
use std::net::Ipv4Addr;

/// The primary cartridge of a gear whose application must be built before it can run; `packages`
/// are those of its cartridges, none when it has been started before.
pub(super) fn to_deploy<'a>(gear: &'a Identity, packages: &[Package]) -> Option<&'a Cartridge> {
    let mut pairs = gear.cartridges.iter().zip(packages);
    let (primary, package) = pairs.find(|(cartridge, _)| cartridge.is_primary)?;
    let software = package.software(&primary.software)?;
    let wanted = software.install_build_required && software.is("web_framework");
    wanted.then_some(primary)
}

fn action(gear: &Identity, cartridge: &Cartridge, action: Action) -> Control {
    Control {
        gear: gear.clone(),
        dir: cartridge.dir.clone(),
        action,
        strictness: Strictness::MustSucceed,
    }
}

fn state(gear: &Identity, state: State, initiator: Initiator) -> SetState {
    SetState { gear: gear.clone(), state, initiator }
}

/// Adds the build of a new gear.
pub(super) fn add_build(plan: &mut Plan, gear: &Identity, packages: &[Package]) {
    let Some(primary) = to_deploy(gear, packages) else { return };
    plan.step(state(gear, State::Building, Initiator::System));
    for phase in [Action::UpdateConfiguration, Action::PreBuild, Action::Build] {
        plan.step(action(gear, primary, phase));
    }
    plan.step(state(gear, State::New, Initiator::System));
    plan.summary.push(format!("`{}` builds the application first", primary.dir));
}

/// Adds the first start of a gear that was built: secondaries, `deploy`, the primary,
/// `post-deploy`.
pub(super) fn add_deployment(
    plan: &mut Plan,
    gear: &Identity,
    (primary, endpoints): (&Cartridge, Vec<(Ipv4Addr, u16)>),
) {
    plan.step(action(gear, primary, Action::UpdateConfiguration));
    plan.step(state(gear, State::Deploying, Initiator::User));
    for cartridge in gear.starting_order().filter(|one| !one.is_primary) {
        plan.step(action(gear, cartridge, Action::Start));
    }
    plan.step(action(gear, primary, Action::Deploy));
    plan.step(state(gear, State::Started, Initiator::User));
    plan.step(action(gear, primary, Action::Start));
    add_wait(plan, gear, endpoints);
    plan.step(action(gear, primary, Action::PostDeploy));
}
