//! Deployments: a new version of an application is built and put to use, or one that is kept is put
//! to use again. The order is that of both seeds; whatever fails before the end, the gear goes on
//! with what it had.

use super::run::{add_stop_by, plan_for};
use crate::error::Exit;
use crate::facts::{DeployFacts, DeploymentType, Revision};
use crate::gear::action::Action;
use crate::gear::deployment::{self, Deployment, Metadata};
use crate::gear::identity::{Cartridge, Identity};
use crate::gear::state::State;
use crate::package::Package;
use crate::plan::{Plan, Refusal};
use crate::step::await_endpoints::{AwaitEndpoints, Silence};
use crate::step::control::{Control, Strictness};
use crate::step::dependency_dirs::DependencyDirs;
use crate::step::drop_deployments::DropDeployments;
use crate::step::make_deployment::MakeDeployment;
use crate::step::place_source::{PlaceSource, Source};
use crate::step::record_deployment::{Event, RecordDeployment};
use crate::step::run_phase::{Phase, RunPhase};
use crate::step::run_script::{RunScript, Script};
use crate::step::set_state::{Initiator, SetState};
use crate::step::show_deployment::ShowDeployment;
use crate::sys::clock::Moment;
use crate::sys::path::RelPath;

/// The marker of an application that goes on running while it is deployed.
const HOT_DEPLOY: &str = "hot_deploy";
/// The marker of one that wants no dependencies of earlier builds.
const FORCE_CLEAN_BUILD: &str = "force_clean_build";
/// How many digits of a commit are told.
const SHORT: usize = 7;

/// A deployment that is asked for.
#[derive(Clone, Debug, PartialEq)]
pub struct DeployRequest {
    /// What is to be deployed.
    pub origin: Origin,
    /// When it was asked for: names the deployment.
    pub made: Moment,
    /// The identifier that it gets.
    pub id: String,
}

/// Where a new version comes from.
#[derive(Clone, Debug, PartialEq)]
pub enum Origin {
    /// A commit of the gear's repository.
    Commit {
        /// The commit.
        revision: Revision,
        /// Where a push keeps its objects.
        incoming: Option<RelPath>,
        /// The trees of its submodules: path in the application, and place below the state.
        submodules: Vec<(RelPath, RelPath)>,
    },
    /// An unpacked tree of what was built elsewhere, relative to the state directory.
    Tree(RelPath),
}

/// What is needed again and again while the plan is made.
struct Scene<'a> {
    facts: &'a DeployFacts,
    gear: &'a Identity,
    primary: &'a Cartridge,
    /// The deployment's name.
    name: String,
    /// Whether the application goes on running meanwhile.
    is_hot: bool,
}

impl<'a> Scene<'a> {
    fn new(facts: &'a DeployFacts, name: String, wants_hot: bool) -> Result<Self, Refusal> {
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
        Ok(Self { facts, gear, primary, name, is_hot: wants_hot && runs })
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
    fn phase(&self, phase: Phase, when: When) -> RunPhase {
        let is_apart = self.is_hot && when == When::Building;
        RunPhase {
            gear: self.gear.clone(),
            dir: self.primary.dir.clone(),
            phase,
            deployment: is_apart.then(|| self.name.clone()),
        }
    }

    fn state(&self, state: State, initiator: Initiator) -> SetState {
        SetState { gear: self.gear.clone(), state, initiator }
    }

    fn record(&self, event: Event) -> RecordDeployment {
        RecordDeployment { gear: self.gear.clone(), deployment: self.name.clone(), event }
    }

    /// Stops what runs, for a while.
    fn stop(&self, plan: &mut Plan) {
        let gear = &self.facts.gear;
        let runs = gear.processes > 0 || gear.state == Some(State::Started);
        if runs && !self.is_hot {
            add_stop_by(plan, self.gear, (Initiator::System, Strictness::MustSucceed));
        }
    }

    fn show(&self, plan: &mut Plan) {
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

    /// The deploy phase: from `update-configuration` to `post-deploy`.
    fn activate(&self, plan: &mut Plan, at: Moment) {
        let of = |action| self.phase(Phase::Control(action), When::Deploying);
        plan.step(of(Action::UpdateConfiguration));
        if !self.is_hot {
            for cartridge in self.gear.starting_order().filter(|one| !one.is_primary) {
                plan.step(self.control(cartridge, Action::Start));
            }
        }
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
    fn wait(&self, plan: &mut Plan) {
        let listened = &self.facts.answering;
        let (endpoints, silence) = if listened.is_empty() {
            (super::run::listening(&self.facts.gear), Silence::IsWarning)
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
    fn prune(&self, plan: &mut Plan) {
        let surplus = surplus(self.facts);
        let live = self.facts.live.as_ref();
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

#[derive(Clone, Copy, PartialEq, Eq)]
enum When {
    Building,
    Deploying,
}

/// The names of the deployments that are too many once there is one more: those that were activated
/// longest ago. What never was is the newest (node specification, 9), unless it is older than what is
/// in use: the first deployment of a gear was made with it.
fn surplus(facts: &DeployFacts) -> Vec<String> {
    let age = |one: &Deployment| match one.last_activation() {
        None if facts.live.as_ref().is_some_and(|live| one.name <= *live) => 0.0,
        None => f64::INFINITY,
        Some(time) => time,
    };
    let mut all: Vec<&Deployment> = facts.deployments.iter().collect();
    all.sort_by(|one, other| age(one).total_cmp(&age(other)).then(one.name.cmp(&other.name)));
    let many = (all.len() + 1).saturating_sub(facts.settings.keep);
    all.into_iter().take(many).map(|one| one.name.clone()).collect()
}

/// Plans the deployment of a new version: the default life cycle.
pub fn deploy(facts: &DeployFacts, ask: &DeployRequest) -> Result<Plan, Refusal> {
    let is_of_git = matches!(ask.origin, Origin::Commit { .. });
    let kind = if is_of_git { DeploymentType::Git } else { DeploymentType::Binary };
    refuse_type(facts, kind)?;
    let metadata = metadata(ask);
    let name = deployment::directory_name(ask.made);
    if facts.deployments.iter().any(|one| one.name == name) {
        let text = format!("there is a deployment of the same millisecond, {name}");
        return Err(Refusal::new(Exit::Conflict, text).hint("try again"));
    }
    let scene = Scene::new(facts, name, metadata.hot_deploy)?;
    let mut plan = plan_for(&facts.gear, "deploy to");
    describe(&mut plan, &scene, ask);
    scene.stop(&mut plan);
    plan.step(scene.state(State::Building, Initiator::System));
    let building = |phase| scene.phase(phase, When::Building);
    if is_of_git {
        plan.step(building(Phase::Control(Action::PreReceive)));
        plan.step(building(Phase::Control(Action::PreRepoArchive)));
    }
    let begins_clean = metadata.force_clean_build || !is_of_git;
    plan.step(MakeDeployment {
        gear: scene.gear.clone(),
        name: scene.name.clone(),
        from: facts.live.clone().filter(|_| !begins_clean),
        metadata,
    });
    scene.prune(&mut plan);
    plan.step(PlaceSource {
        gear: scene.gear.clone(),
        deployment: scene.name.clone(),
        source: source(&ask.origin),
    });
    if !scene.is_hot {
        scene.show(&mut plan);
    }
    if is_of_git {
        for action in [Action::UpdateConfiguration, Action::PreBuild, Action::Build] {
            plan.step(building(Phase::Control(action)));
        }
    }
    plan.step(building(Phase::Prepare));
    plan.step(scene.record(Event::Prepared));
    if scene.is_hot {
        scene.show(&mut plan);
    }
    scene.activate(&mut plan, ask.made);
    plan.irreversible.push("what scripts of the build do elsewhere than in the deployment".into());
    Ok(plan)
}

fn source(origin: &Origin) -> Source {
    match origin {
        Origin::Commit { revision, incoming, submodules } => Source::Commit {
            id: revision.commit.clone(),
            incoming: incoming.clone(),
            submodules: submodules.clone(),
        },
        Origin::Tree(tree) => Source::Tree(tree.clone()),
    }
}

/// What the new deployment says of itself: markers are those of the pushed revision.
fn metadata(ask: &DeployRequest) -> Metadata {
    let id = ask.id.clone();
    match &ask.origin {
        Origin::Tree(_) => Metadata { git_ref: "master".into(), id, ..Metadata::default() },
        Origin::Commit { revision, .. } => {
            let has = |marker: &str| revision.markers.iter().any(|one| one == marker);
            Metadata {
                git_ref: revision.name.clone(),
                git_sha1: Some(revision.commit.chars().take(SHORT).collect()),
                id,
                hot_deploy: has(HOT_DEPLOY),
                force_clean_build: has(FORCE_CLEAN_BUILD),
                ..Metadata::default()
            }
        }
    }
}

/// Refuses what comes from elsewhere than the gear is deployed from.
pub fn refuse_type(facts: &DeployFacts, kind: DeploymentType) -> Result<(), Refusal> {
    if facts.settings.kind == kind {
        return Ok(());
    }
    let name = &facts.gear.identity.name;
    let (from, other) = match kind {
        DeploymentType::Git => ("archives", "git"),
        DeploymentType::Binary => ("its repository", "binary"),
    };
    let text = format!("the gear `{name}` is deployed from {from}");
    Err(Refusal::new(Exit::Conflict, text)
        .hint(format!("`cart gear configure {name} --deployment-type {other}` changes that")))
}

fn describe(plan: &mut Plan, scene: &Scene<'_>, ask: &DeployRequest) {
    let what = match &ask.origin {
        Origin::Commit { revision, .. } => {
            let commit: String = revision.commit.chars().take(SHORT).collect();
            format!("deployment {} of `{}` ({commit})", ask.id, revision.name)
        }
        Origin::Tree(_) => format!("deployment {} of an archive", ask.id),
    };
    plan.summary.push(what);
    if scene.is_hot {
        plan.summary.push("the application goes on running (`hot_deploy`)".into());
    }
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
    Ok(plan)
}
