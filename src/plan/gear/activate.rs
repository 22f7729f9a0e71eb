//! Putting a deployment to use that is kept.

use super::rolling::{Rolling, Rotation, refuse_child};
use super::run::plan_for;
use crate::db::InversePart;
use crate::error::Exit;
use crate::facts::DeployFacts;
use crate::gear::deployment::Deployment;
use crate::plan::{Plan, Refusal};
use crate::sys::clock::Moment;

/// What undoes a deployment or an activation: that of what is in use now.
pub(super) fn add_inverse(plan: &mut Plan, facts: &DeployFacts) {
    if let Some(deployment) = facts.live.clone() {
        let name = facts.gear.identity.name.clone();
        plan.inverse.parts.push(InversePart::ActivateDeployment { name, deployment });
    }
}

/// Plans putting the deployment called `name` to use again, which was in use before.
pub(in crate::plan) fn activate_again(
    facts: &DeployFacts,
    (name, at): (&str, Moment),
) -> Result<Plan, Refusal> {
    let gear = &facts.gear.identity.name;
    let mut all = facts.deployments.iter();
    let chosen = all.find(|one| one.name == name).ok_or_else(|| {
        let text = format!("the gear `{gear}` does not keep what it used before");
        Refusal::new(Exit::Conflict, text)
            .hint(format!("`cart gear configure {gear} --keep-deployments 2` keeps one more"))
    })?;
    activate(facts, (chosen, at), Rotation::Told)
}

/// Plans putting a deployment to use that is kept.
pub fn activate(
    facts: &DeployFacts,
    (chosen, at): (&Deployment, Moment),
    rotation: Rotation,
) -> Result<Plan, Refusal> {
    refuse_child(&facts.gear)?;
    let rolling = Rolling::new(facts, &chosen.name, (chosen.metadata.hot_deploy, rotation))?;
    let mut plan = plan_for(&facts.gear, "activate a deployment of");
    let uses =
        |one: &DeployFacts| one.live.as_ref() == Some(&chosen.name) && one.gear.processes > 0;
    if uses(facts) && facts.children.iter().all(uses) {
        plan.summary.push(format!("deployment {} is in use", chosen.metadata.id));
        return Ok(plan);
    }
    plan.summary.push(format!("deployment {}", chosen.metadata.id));
    rolling.announce(&mut plan);
    rolling.stop_head(&mut plan);
    rolling.distribute(&mut plan);
    rolling.head().show(&mut plan);
    rolling.activate(&mut plan, at);
    add_inverse(&mut plan, facts);
    Ok(plan)
}
