//! A deployment in a scaled application: copied to every gear, and put to use in one batch of them
//! after the other, while the web proxy sends requests to the rest (the guide, Default Scaling Build
//! Lifecycle; node specification, 9).

use super::run::listening;
use super::scene::Scene;
use super::snapshot::runs;
use crate::error::Exit;
use crate::facts::{DeployFacts, Gear};
use crate::gear::action::Action;
use crate::plan::{Plan, Refusal, Resource};
use crate::step::copy_deployment::CopyDeployment;
use crate::step::record_deployment::Event;
use crate::step::rotate::{Rotate, Turn};
use crate::step::tell_proxy::TellProxy;
use crate::sys::clock::Moment;

/// One gear in so many is deployed to at a time, and at least one.
const BATCHES: usize = 5;

/// Whether the proxy is told of gears that are stopped for a while.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rotation {
    /// It is.
    Told,
    /// It finds out.
    Silent,
}

/// A scaled application, or a gear of its own.
pub(super) struct Rolling<'a> {
    head: Scene<'a>,
    children: Vec<Scene<'a>>,
    rotation: Rotation,
}

impl<'a> Rolling<'a> {
    /// `name` is the deployment's; the children are in the facts.
    pub(super) fn new(
        facts: &'a DeployFacts,
        name: &str,
        (wants_hot, rotation): (bool, Rotation),
    ) -> Result<Self, Refusal> {
        let scene = |facts| Scene::new(facts, name.to_owned(), wants_hot);
        Ok(Self {
            head: scene(facts)?,
            children: facts.children.iter().map(scene).collect::<Result<_, _>>()?,
            rotation,
        })
    }

    pub(super) fn head(&self) -> &Scene<'a> {
        &self.head
    }

    /// Adds the locks of all gears, and says what they are in for.
    pub(super) fn announce(&self, plan: &mut Plan) {
        let children = self.children.iter();
        plan.resources.extend(children.map(|one| Resource::Gear(one.gear.name.clone())));
        if !self.children.is_empty() {
            let names: Vec<_> =
                self.children.iter().map(|one| format!("`{}`", one.gear.name)).collect();
            plan.summary.push(format!("and its other gears: {}", names.join(", ")));
        }
    }

    /// Takes the head out of rotation and stops it, its proxy excepted.
    pub(super) fn stop_head(&self, plan: &mut Plan) {
        if !self.children.is_empty() {
            self.turn(plan, &self.head, Turn::Out);
        }
        self.head.stop(plan);
    }

    /// Copies the deployment to the gears that do not have it; those it is too many for let an old
    /// one go.
    pub(super) fn distribute(&self, plan: &mut Plan) {
        for child in &self.children {
            if child.facts.deployments.iter().any(|one| one.name == child.name) {
                continue;
            }
            child.prune(plan);
            plan.step(CopyDeployment {
                from: self.head.gear.clone(),
                gear: child.gear.clone(),
                name: child.name.clone(),
            });
            plan.step(child.record(Event::Prepared));
        }
    }

    /// The deploy phase, everywhere: the head's children come before its own part, but where they are
    /// one batch: nobody would serve then.
    pub(super) fn activate(&self, plan: &mut Plan, at: Moment) {
        self.head.begin(plan);
        self.tell_of_deployment(plan);
        let is_one_batch = self.batches().count() < 2;
        if is_one_batch {
            self.finish_head(plan, at);
        }
        self.roll(plan, at);
        if !is_one_batch {
            self.finish_head(plan, at);
        }
    }

    /// The same in the children alone, where the head runs with it already.
    pub(super) fn follow(&self, plan: &mut Plan, at: Moment) {
        self.tell_of_deployment(plan);
        self.roll(plan, at);
    }

    /// The same where the head does not run: children that do not either see it when they start.
    pub(super) fn follow_at_rest(&self, plan: &mut Plan, at: Moment) {
        for child in &self.children {
            if runs(&child.facts.gear) {
                put_to_use(plan, child, at);
            } else {
                child.show(plan);
            }
        }
    }

    /// The children that are stopped at the same time, one such batch after the other.
    pub(super) fn batches(&self) -> impl Iterator<Item = &[Scene<'a>]> {
        self.children.chunks(batch_size(self.children.len()))
    }

    fn tell_of_deployment(&self, plan: &mut Plan) {
        if let Some(proxy) = self.head.proxy.filter(|_| !self.children.is_empty()) {
            plan.step(TellProxy {
                gear: self.head.gear.clone(),
                dir: proxy.dir.clone(),
                action: Action::Deploy,
            });
        }
    }

    fn roll(&self, plan: &mut Plan, at: Moment) {
        for batch in self.batches() {
            for child in batch {
                self.turn(plan, child, Turn::Out);
            }
            for child in batch {
                put_to_use(plan, child, at);
            }
            for child in batch {
                self.turn(plan, child, Turn::In);
            }
        }
    }

    /// Starts the head again after [`Self::stop_head`], with what it saw before.
    pub(super) fn resume_head(&self, plan: &mut Plan) {
        self.head.resume(plan);
        self.turn_head_in(plan);
    }

    fn finish_head(&self, plan: &mut Plan, at: Moment) {
        self.head.finish(plan, at);
        self.turn_head_in(plan);
    }

    fn turn_head_in(&self, plan: &mut Plan) {
        if !self.children.is_empty() {
            self.turn(plan, &self.head, Turn::In);
        }
    }

    /// Tells the proxy of a gear, where it runs and the gear is stopped at all.
    pub(super) fn turn(&self, plan: &mut Plan, of: &Scene<'_>, turn: Turn) {
        let Some(proxy) = self.head.proxy else { return };
        if of.is_hot || self.rotation == Rotation::Silent {
            return;
        }
        plan.step(Rotate {
            gear: self.head.gear.clone(),
            dir: proxy.dir.clone(),
            target: of.gear.uuid.clone(),
            endpoints: listening_of_primary(&of.facts.gear),
            turn,
        });
    }
}

fn put_to_use(plan: &mut Plan, child: &Scene<'_>, at: Moment) {
    child.stop(plan);
    child.show(plan);
    child.begin(plan);
    child.finish(plan, at);
}

/// How many of so many children are deployed to at a time; the head counts with them.
fn batch_size(children: usize) -> usize {
    (children + 1).max(BATCHES) / BATCHES
}

fn listening_of_primary(gear: &Gear) -> Vec<(std::net::Ipv4Addr, u16)> {
    let primary = gear.identity.primary().map(|one| one.dir.clone());
    let mut own = gear.clone();
    own.endpoints.retain(|row| Some(&row.dir) == primary.as_ref());
    listening(&own)
}

/// Refuses a gear that has no deployments of its own.
pub fn refuse_child(gear: &Gear) -> Result<(), Refusal> {
    if gear.row.role != Some(crate::db::GearRole::Web) {
        return Ok(());
    }
    let (name, app) = (&gear.identity.name, &gear.row.app);
    let text = format!("the gear `{name}` is a part of the scaled application `{app}`");
    Err(Refusal::new(Exit::Conflict, text).hint(format!("say it to its head, the gear `{app}`")))
}

#[cfg(test)]
mod tests {
    use super::batch_size;

    #[test]
    fn one_gear_in_five_and_at_least_one_is_deployed_to_at_a_time() {
        let sizes: Vec<usize> = [0, 1, 4, 8, 9, 14, 99].into_iter().map(batch_size).collect();
        assert_eq!(sizes, [1, 1, 1, 1, 2, 3, 20]);
    }
}
