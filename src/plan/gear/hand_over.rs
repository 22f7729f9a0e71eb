//! Builder cartridges: a push is handed over to them, and the platform does nothing else.

use super::run::plan_for;
use crate::facts::Gear;
use crate::gear::action::Action;
use crate::gear::identity::Cartridge;
use crate::package::Package;
use crate::plan::Plan;
use crate::step::run_phase::{Phase, RunPhase};

/// The cartridge that builds instead of the platform (the guide, Builder Cartridge Lifecycle).
pub fn builder(gear: &Gear) -> Option<&Cartridge> {
    let mut pairs = gear.identity.cartridges.iter().zip(&gear.packages);
    let is_builder = |(cartridge, package): &(&Cartridge, &Package)| {
        let software = package.software(&cartridge.software);
        software.is_some_and(|one| one.is("ci_builder"))
    };
    pairs.find(is_builder).map(|(cartridge, _)| cartridge)
}

/// Plans handing a push over to the gear's builder, which is told `actions`. The platform does nothing
/// else.
pub fn hand_over(gear: &Gear, builder: &Cartridge, actions: &[Action]) -> Plan {
    let mut plan = plan_for(gear, "let the builder work for");
    for action in actions {
        plan.step(RunPhase {
            gear: gear.identity.clone(),
            dir: builder.dir.clone(),
            phase: Phase::Control(*action),
            deployment: None,
        });
    }
    plan.irreversible.push(format!("what the builder `{}` does", builder.dir));
    plan
}
