//! Putting a deployment to use that is kept.

use super::run::plan_for;
use super::scene::Scene;
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
    activate(facts, (chosen, at))
}

/// Plans putting a deployment to use that is kept.
pub fn activate(facts: &DeployFacts, (chosen, at): (&Deployment, Moment)) -> Result<Plan, Refusal> {
    let scene = Scene::new(facts, chosen.name.clone(), chosen.metadata.hot_deploy)?;
    let mut plan = plan_for(&facts.gear, "activate a deployment of");
    if facts.live.as_ref() == Some(&chosen.name) && facts.gear.processes > 0 {
        plan.summary.push(format!("deployment {} is in use", chosen.metadata.id));
        return Ok(plan);
    }
    plan.summary.push(format!("deployment {}", chosen.metadata.id));
    scene.stop(&mut plan);
    scene.show(&mut plan);
    scene.activate(&mut plan, at);
    add_inverse(&mut plan, facts);
    Ok(plan)
}
