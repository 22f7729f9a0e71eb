//! Deployments: a new version of an application is built and put to use. The order is that of both seeds; whatever fails before the end, the gear goes on
//! with what it had.

use super::activate::add_inverse;
use super::rolling::{Rolling, Rotation, refuse_child};
use super::run::plan_for;
use super::scene::{Scene, When};
use crate::error::Exit;
use crate::facts::{DeployFacts, Revision};
use crate::gear::action::Action;
use crate::gear::deployment::{self, DeploymentType, Metadata};
use crate::gear::state::State;
use crate::plan::{Plan, Refusal};
use crate::step::keep_repo::KeepRepo;
use crate::step::make_deployment::{MakeDeployment, Source};
use crate::step::record_deployment::Event;
use crate::step::run_phase::Phase;
use crate::step::set_state::Initiator;
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
    /// Whether a web proxy is told.
    pub rotation: Rotation,
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

/// Plans the deployment of a new version: the default life cycle.
pub fn deploy(facts: &DeployFacts, ask: &DeployRequest) -> Result<Plan, Refusal> {
    let is_of_git = matches!(ask.origin, Origin::Commit { .. });
    let kind = if is_of_git { DeploymentType::Git } else { DeploymentType::Binary };
    refuse_type(facts, kind)?;
    refuse_child(&facts.gear)?;
    let metadata = metadata(ask);
    let name = deployment::directory_name(ask.made);
    if facts.deployments.iter().any(|one| one.name == name) {
        let text = format!("there is a deployment of the same millisecond, {name}");
        return Err(Refusal::new(Exit::Conflict, text).hint("try again"));
    }
    let rolling = Rolling::new(facts, &name, (metadata.hot_deploy, ask.rotation))?;
    let scene = rolling.head();
    let mut plan = plan_for(&facts.gear, "deploy to");
    describe(&mut plan, scene, ask);
    rolling.announce(&mut plan);
    rolling.stop_head(&mut plan);
    plan.step(scene.state(State::Building, Initiator::System));
    if is_of_git {
        if let Some(deployment) = facts.live.clone() {
            plan.step(KeepRepo { gear: scene.gear.clone(), deployment });
        }
        for action in [Action::PreReceive, Action::PreRepoArchive] {
            plan.step(scene.phase(Phase::Control(action), When::Receiving));
        }
    }
    let begins_clean = metadata.force_clean_build || !is_of_git;
    let from = facts.live.clone().filter(|_| !begins_clean);
    build(&mut plan, scene, (ask, from));
    rolling.distribute(&mut plan);
    if scene.is_hot {
        scene.show(&mut plan);
    }
    rolling.activate(&mut plan, ask.made);
    add_inverse(&mut plan, facts);
    plan.irreversible.push("what scripts of the build do elsewhere than in the deployment".into());
    Ok(plan)
}

/// Adds what makes the new deployment, which begins with the dependencies of `from`, and builds it.
pub(super) fn build(
    plan: &mut Plan,
    scene: &Scene<'_>,
    (ask, from): (&DeployRequest, Option<String>),
) {
    let building = |phase| scene.phase(phase, When::Building);
    let (gear, name) = (scene.gear.clone(), scene.name.clone());
    let source = source(&ask.origin);
    plan.step(MakeDeployment { gear, name, from, source, metadata: metadata(ask) });
    scene.prune(plan);
    if !scene.is_hot {
        scene.show(plan);
    }
    if matches!(ask.origin, Origin::Commit { .. }) {
        for action in [Action::UpdateConfiguration, Action::PreBuild, Action::Build] {
            plan.step(building(Phase::Control(action)));
        }
    }
    plan.step(building(Phase::Prepare));
    plan.step(scene.record(Event::Prepared));
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
