//! More gears for an application, or fewer.

use super::add::present;
use super::child::Brood;
use super::configure::Wanted;
use super::destroy::{Farewell, destroy};
use super::events::{Member, add_dispatch};
use super::registered::{add_update, is_replicated, scalable};
use super::run::plan_for;
use super::scene::Scene;
use crate::config::Gears as Settings;
use crate::db::{GearRole, InversePart};
use crate::error::Exit;
use crate::facts::{DeployFacts, Gear, ScaleFacts};
use crate::gear::state::State;
use crate::gear::variables::Place;
use crate::package::ident::GearName;
use crate::plan::{Plan, Refusal, Resource};
use crate::step::copy_deployment::CopyDeployment;
use crate::step::record_deployment::Event;
use crate::step::write_variable::WriteVariable;
use crate::sys::clock::Moment;

/// How many gears an application is to have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScaleRequest {
    /// How many of them serve it, the head among them.
    pub gears: usize,
    /// The identifiers of new ones, drawn once.
    pub uuids: Vec<String>,
    /// When it was asked for.
    pub made: Moment,
}

/// Plans the change of the number of an application's gears.
pub fn scale(ask: &ScaleRequest, facts: &ScaleFacts, settings: &Settings) -> Result<Plan, Refusal> {
    let head = &facts.head.gear;
    let wanted = present(head);
    refuse(ask, (head, &wanted))?;
    let mut plan = plan_for(head, &format!("give {} gears to", ask.gears));
    let now = facts.head.children.len() + 1;
    let locks =
        facts.head.children.iter().map(|one| Resource::Gear(one.gear.identity.name.clone()));
    plan.resources.extend(locks);
    match ask.gears.checked_sub(now) {
        Some(0) => {
            let noun = if now == 1 { "gear" } else { "gears" };
            plan.summary.push(format!("it has {now} {noun}"));
        }
        Some(more) => grow(&mut plan, ask, (facts, &wanted, settings), more)?,
        None => shrink(&mut plan, ask, facts)?,
    }
    Ok(plan)
}

fn refuse(ask: &ScaleRequest, (head, wanted): (&Gear, &[Wanted])) -> Result<(), Refusal> {
    let name = &head.identity.name;
    match head.row.role {
        Some(GearRole::Head) => {}
        Some(GearRole::Web) => return super::refuse_child(head),
        None => {
            let text = format!("the gear `{name}` was not made to be scaled");
            return Err(Refusal::new(Exit::Conflict, text)
                .hint("`cart gear create NAME CARTRIDGE… --scale` makes one that is"));
        }
    }
    let (least, most) = scalable(wanted)?;
    if (least..=most).contains(&ask.gears) {
        return Ok(());
    }
    let text = format!("`{name}` has at least {least} and at most {most} gears, not {}", ask.gears);
    Err(Refusal::new(Exit::Usage, text).hint("`Scaling` in the manifest of its framework says so"))
}

fn grow(
    plan: &mut Plan,
    ask: &ScaleRequest,
    (facts, wanted, settings): (&ScaleFacts, &[Wanted], &Settings),
    more: usize,
) -> Result<(), Refusal> {
    let wanted: Vec<Wanted> = wanted.iter().filter(|one| is_replicated(one)).cloned().collect();
    let brood = Brood {
        head: &facts.head,
        wanted: &wanted,
        settings,
        host: &facts.host,
        externals: &facts.externals,
        made: ask.made,
    };
    let name = facts.head.gear.identity.name.clone();
    plan.inverse.parts.push(InversePart::UpdateCluster { name });
    let mut made: Vec<DeployFacts> = Vec::new();
    for (seat, uuid) in facts.seats.iter().zip(&ask.uuids).take(more) {
        let child = brood.make(plan, (seat, uuid))?;
        for (place, all) in [(Place::User, &facts.variables), (Place::Platform, &facts.settings)] {
            for (name, value) in all {
                let (gear, value) = (child.gear.identity.clone(), Some(value.clone()));
                plan.step(WriteVariable { gear, place, name: name.clone(), value });
            }
        }
        made.push(child);
    }
    let mut members: Vec<Member<'_>> = facts.application.iter().map(Member::from).collect();
    members.extend(made.iter().map(|one| Member::from(&one.gear)));
    add_dispatch(plan, &members, &facts.told);
    for child in &made {
        brood.put_to_use(plan, child)?;
    }
    let head = &facts.head;
    let all = std::iter::once(head).chain(&head.children).chain(&made);
    let all: Vec<&Gear> = all.map(|one| &one.gear).collect();
    add_update(plan, (&head.gear, &all))
}

fn shrink(plan: &mut Plan, ask: &ScaleRequest, facts: &ScaleFacts) -> Result<(), Refusal> {
    let head = &facts.head;
    let (staying, leaving) = head.children.split_at(ask.gears.saturating_sub(1));
    let all: Vec<&Gear> = std::iter::once(head).chain(staying).map(|one| &one.gear).collect();
    add_update(plan, (&head.gear, &all))?;
    let sizes = facts.sizes.get(staying.len()..).unwrap_or_default();
    for (child, bytes) in leaving.iter().zip(sizes) {
        plan.merge(destroy(&child.gear, Farewell::Silent, *bytes, &facts.externals)?);
    }
    let name = head.gear.identity.name.clone();
    plan.inverse.parts.push(InversePart::UpdateCluster { name });
    Ok(())
}

/// Adds what gives a gear that comes back from the stash the deployment that its application uses now,
/// and starts it where it ran.
pub(in crate::plan) fn add_deployed(
    plan: &mut Plan,
    (head, gear): (&DeployFacts, &Gear),
    (started, now): (bool, Moment),
) -> Result<(), Refusal> {
    let Some(live) = &head.live else { return Ok(()) };
    let child = DeployFacts {
        gear: gear.clone(),
        deployments: Vec::new(),
        live: None,
        settings: head.settings.clone(),
        answering: Vec::new(),
        has_repository: false,
        children: Vec::new(),
    };
    let scene = Scene::new(&child, live.clone(), false)?;
    plan.step(CopyDeployment {
        from: head.gear.identity.clone(),
        gear: gear.identity.clone(),
        name: live.clone(),
    });
    plan.step(scene.record(Event::Prepared));
    scene.show(plan);
    if started && head.gear.state == Some(State::Started) {
        scene.activate(plan, now);
    }
    Ok(())
}

/// Adds what tells the proxy of the gears that there are when some of them have gone, and others have
/// come back.
pub(in crate::plan) fn add_cluster(
    plan: &mut Plan,
    head: &DeployFacts,
    (gone, back): (&[&GearName], &[&Gear]),
) -> Result<(), Refusal> {
    let staying = head.children.iter().map(|one| &one.gear);
    let staying = staying.filter(|one| !gone.contains(&&one.identity.name));
    let all = std::iter::once(&head.gear).chain(staying).chain(back.iter().copied());
    let all: Vec<&Gear> = all.collect();
    let name = head.gear.identity.name.clone();
    plan.resources.insert(Resource::Gear(name.clone()));
    plan.inverse.parts.push(InversePart::UpdateCluster { name });
    add_update(plan, (&head.gear, &all))
}
