//! What deployments and activations have in common: the gear, what is put to use in it, and the parts
//! of the seeds' life cycle.

use super::run::{add_end_by, add_wait, listening};
use crate::error::Exit;
use crate::facts::{DeployFacts, Gear};
use crate::gear::action::Action;
use crate::gear::deployment;
use crate::gear::identity::{Cartridge, Identity};
use crate::gear::state::State;
use crate::package::Package;
use crate::plan::{Plan, Refusal};
use crate::step::await_endpoints::{AwaitEndpoints, Silence};
use crate::step::control::{Control, Strictness};
use crate::step::dependency_dirs::DependencyDirs;
use crate::step::drop_deployments::DropDeployments;
use crate::step::end_processes::Manner;
use crate::step::record_deployment::{Event, RecordDeployment};
use crate::step::run_phase::{Phase, RunPhase};
use crate::step::run_script::{RunScript, Script};
use crate::step::set_state::{Initiator, SetState};
use crate::step::show_deployment::ShowDeployment;
use crate::sys::clock::Moment;

/// What is needed again and again while the plan is made.
pub(super) struct Scene<'a> {
    pub(super) facts: &'a DeployFacts,
    pub(super) gear: &'a Identity,
    pub(super) primary: &'a Cartridge,
    /// The deployment's name.
    pub(super) name: String,
    /// Whether the application goes on running meanwhile.
    pub(super) is_hot: bool,
    /// The web proxy, which goes on running in any case.
    pub(super) proxy: Option<&'a Cartridge>,
}

impl<'a> Scene<'a> {
    pub(super) fn new(
        facts: &'a DeployFacts,
        name: String,
        wants_hot: bool,
    ) -> Result<Self, Refusal> {
        let gear = &facts.gear.identity;
        let pairs = gear.cartridges.iter().zip(&facts.gear.packages);
        let is_framework = |(cartridge, package): &(&Cartridge, &Package)| {
            let software = package.software(&cartridge.software);
            cartridge.is_primary && software.is_some_and(|one| one.is("web_framework"))
        };
        let mut pairs = pairs.filter(is_framework);
        let Some((primary, _)) = pairs.next() else {
            let text = format!("the gear `{}` has no web framework to deploy to", gear.name);
            return Err(Refusal::new(Exit::Conflict, text)
                .hint("its primary cartridge needs `web_framework` among its categories"));
        };
        let runs = facts.gear.state == Some(State::Started) && facts.gear.processes > 0;
        let proxy = proxy_of(&facts.gear).filter(|_| runs);
        Ok(Self { facts, gear, primary, name, is_hot: wants_hot && runs, proxy })
    }

    fn control(&self, cartridge: &Cartridge, action: Action) -> Control {
        Control {
            gear: self.gear.clone(),
            dir: cartridge.dir.clone(),
            action,
            strictness: Strictness::MustSucceed,
        }
    }

    /// A phase of the primary cartridge; one of the build of a hot deployment knows where that is.
    pub(super) fn phase(&self, phase: Phase, when: When) -> RunPhase {
        let is_apart = self.is_hot && when == When::Building;
        RunPhase {
            gear: self.gear.clone(),
            dir: self.primary.dir.clone(),
            phase,
            deployment: is_apart.then(|| self.name.clone()),
        }
    }

    pub(super) fn state(&self, state: State, initiator: Initiator) -> SetState {
        SetState { gear: self.gear.clone(), state, initiator }
    }

    pub(super) fn record(&self, event: Event) -> RecordDeployment {
        RecordDeployment { gear: self.gear.clone(), deployment: self.name.clone(), event }
    }

    /// Stops what runs, for a while.
    pub(super) fn stop(&self, plan: &mut Plan) {
        let gear = &self.facts.gear;
        let runs = gear.processes > 0 || gear.state == Some(State::Started);
        if !runs || self.is_hot {
            return;
        }
        plan.step(self.state(State::Stopped, Initiator::System));
        if self.proxy.is_none() {
            add_end_by(plan, self.gear, (Manner::ForTheNext, Strictness::MustSucceed));
            return;
        }
        let mut order: Vec<&Cartridge> = self.gear.starting_order().collect();
        order.reverse();
        for cartridge in order.into_iter().filter(|one| !self.is_the_proxy(one)) {
            plan.step(self.control(cartridge, Action::Stop));
        }
    }

    /// Starts again what [`Self::stop`] has stopped.
    pub(super) fn resume(&self, plan: &mut Plan) {
        plan.step(self.state(State::Started, Initiator::System));
        for cartridge in self.gear.starting_order().filter(|one| !self.is_the_proxy(one)) {
            plan.step(self.control(cartridge, Action::Start));
        }
        add_wait(plan, self.gear, listening(&self.facts.gear));
    }

    fn is_the_proxy(&self, cartridge: &Cartridge) -> bool {
        self.proxy.is_some_and(|proxy| proxy.dir == cartridge.dir)
    }

    pub(super) fn show(&self, plan: &mut Plan) {
        plan.step(ShowDeployment { gear: self.gear.clone(), deployment: self.name.clone() });
        for (cartridge, package) in self.gear.cartridges.iter().zip(&self.facts.gear.packages) {
            let managed = &package.managed;
            if !(managed.dependency_dirs.is_empty() && managed.build_dependency_dirs.is_empty()) {
                plan.step(DependencyDirs {
                    gear: self.gear.clone(),
                    dir: cartridge.dir.clone(),
                    run: managed.dependency_dirs.clone(),
                    build: managed.build_dependency_dirs.clone(),
                });
            }
        }
    }

    /// The deploy phase, from `update-configuration` until the secondaries run.
    pub(super) fn begin(&self, plan: &mut Plan) {
        plan.step(self.phase(Phase::Control(Action::UpdateConfiguration), When::Deploying));
        if self.is_hot {
            return;
        }
        let secondaries = self.gear.starting_order().filter(|one| !one.is_primary);
        for cartridge in secondaries.filter(|one| !self.is_the_proxy(one)) {
            plan.step(self.control(cartridge, Action::Start));
        }
    }

    /// The deploy phase, whole.
    pub(super) fn activate(&self, plan: &mut Plan, at: Moment) {
        self.begin(plan);
        self.finish(plan, at);
    }

    /// The deploy phase, from `deploy` to `post-deploy`.
    pub(super) fn finish(&self, plan: &mut Plan, at: Moment) {
        let of = |action| self.phase(Phase::Control(action), When::Deploying);
        plan.step(self.state(State::Deploying, Initiator::System));
        plan.step(of(Action::Deploy));
        plan.step(self.state(State::Started, Initiator::User));
        if !self.is_hot {
            plan.step(self.control(self.primary, Action::Start));
            self.wait(plan);
        }
        plan.step(of(Action::PostDeploy));
        self.first_time(plan);
        plan.step(self.record(Event::Activated(at)));
    }

    /// It has to listen where it listened before; elsewhere silence is told.
    pub(super) fn wait(&self, plan: &mut Plan) {
        let listened = &self.facts.answering;
        let (endpoints, silence) = if listened.is_empty() {
            (listening(&self.facts.gear), Silence::IsWarning)
        } else {
            (listened.clone(), Silence::IsFailure)
        };
        if !endpoints.is_empty() {
            plan.step(AwaitEndpoints { gear: self.gear.clone(), endpoints, silence });
        }
    }

    /// What was never started gets its `post_install` after this, its first start.
    fn first_time(&self, plan: &mut Plan) {
        if self.facts.gear.state != Some(State::New) {
            return;
        }
        for (cartridge, package) in self.gear.cartridges.iter().zip(&self.facts.gear.packages) {
            if package.parts.post_install {
                plan.step(RunScript {
                    gear: self.gear.clone(),
                    dir: cartridge.dir.clone(),
                    script: Script::PostInstall,
                });
            }
        }
    }

    /// Removes the oldest until, with the new one, as many are there as are kept. The one that is in
    /// use has to wait for the end.
    pub(super) fn prune(&self, plan: &mut Plan) {
        let live = self.facts.live.as_ref();
        let counts = (1, self.facts.settings.keep);
        let surplus =
            deployment::surplus(&self.facts.deployments, live.map(String::as_str), counts);
        let (now, after): (Vec<_>, Vec<_>) =
            surplus.into_iter().partition(|name| Some(name) != live);
        let drop = |deployments| DropDeployments { gear: self.gear.clone(), deployments };
        if !now.is_empty() {
            plan.step(drop(now));
        }
        if !after.is_empty() {
            plan.after.push(drop(after).into());
        }
    }
}

/// The gear's web proxy, where it has one.
pub(super) fn proxy_of(gear: &Gear) -> Option<&Cartridge> {
    let mut pairs = gear.identity.cartridges.iter().zip(&gear.packages);
    let is_proxy = |(cartridge, package): &(&Cartridge, &Package)| {
        package.software(&cartridge.software).is_some_and(|one| one.is("web_proxy"))
    };
    pairs.find(is_proxy).map(|(cartridge, _)| cartridge)
}

/// Which part of the life cycle a phase belongs to.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum When {
    /// There is nothing of the new deployment yet, so scripts find the one in use.
    Receiving,
    /// It is built.
    Building,
    /// It is put to use.
    Deploying,
}
