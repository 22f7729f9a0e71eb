//! Restoring a gear from a snapshot (the guide, Backing Up and Restoring), and making a new one of it.

use super::child::unborn;
use super::configure::Wanted;
use super::deploy::{DeployRequest, build};
use super::locking::lock;
use super::rolling::{Rolling, Rotation, refuse_child};
use super::run::{add_actions, add_start, add_stop_by, add_wait, listening, plan_for};
use super::scene::{Scene, When};
use super::snapshot::{add_rest, runs};
use crate::db::{Change, GearEndpointRow, GearRow, InversePart};
use crate::error::Exit;
use crate::facts::DeployFacts;
use crate::gear::action::Action;
use crate::gear::deployment::{DeploySettings, Deployment, directory_name};
use crate::gear::identity::Identity;
use crate::gear::snapshot::{Origin, Part};
use crate::gear::state::State;
use crate::gear::variables::{Place, Taken, check_user};
use crate::package::Package;
use crate::package::ident::EnvName;
use crate::plan::install::below;
use crate::plan::{Consent, Plan, Refusal};
use crate::step::AnyStep;
use crate::step::control::Strictness;
use crate::step::place_trees::{PlaceTrees, Placing};
use crate::step::restore_home::RestoreHome;
use crate::step::run_phase::Phase;
use crate::step::set_state::{Initiator, SetState};
use crate::step::show_deployment::ShowDeployment;
use crate::step::stash_gear::StashGear;
use crate::step::stash_trees::StashTrees;
use crate::step::write_variable::WriteVariable;
use crate::sys::clock::Moment;
use crate::sys::path::RelPath;
use std::collections::BTreeSet;
use std::ffi::OsString;

/// What a gear gets of a snapshot.
#[derive(Clone, Debug, PartialEq)]
pub struct Restored {
    /// Where it lies as in a home, relative to the state directory.
    pub from: RelPath,
    /// The parts.
    pub parts: Vec<Part>,
    /// The deployment in it that was in use.
    pub deployment: Option<Deployment>,
    /// What is built of its repository, where it has no deployment (as the oldest ones).
    pub build: Option<DeployRequest>,
    /// When it was asked for.
    pub made: Moment,
    /// What there is to say.
    pub warnings: Vec<String>,
}

impl Restored {
    /// The deployment that a web framework is to see afterwards.
    fn shown(&self) -> Option<String> {
        let built = self.build.as_ref().map(|build| directory_name(build.made));
        self.deployment.as_ref().map(|one| one.name.clone()).or(built)
    }
}

/// Plans a restore; `bytes` is the size of the gear's home, of which a copy is kept.
///
/// Of a scaled application that is its head; its other gears get the deployment that it gets.
pub fn restore(facts: &DeployFacts, ask: &Restored, bytes: u64) -> Result<Plan, Refusal> {
    let gear = &facts.gear;
    refuse_child(gear)?;
    let mut plan = plan_for(gear, "restore");
    plan.warnings.extend(ask.warnings.iter().cloned());
    let what: Vec<_> = ask.parts.iter().map(|part| part.as_str()).collect();
    plan.summary.push(format!("it gets its {} of the snapshot", what.join(", ")));
    let runs = runs(gear);
    if runs {
        add_stop_by(&mut plan, &gear.identity, (Initiator::System, Strictness::MustSucceed));
    }
    plan.step(StashGear { gear: gear.identity.clone() });
    add(&mut plan, (facts, ask), if runs { After::GoesOn } else { After::Rests })?;
    plan.inverse.parts.push(InversePart::HomeAsBefore { name: gear.identity.name.clone() });
    plan.keeps = Some(bytes);
    plan.consent = plan.consent.max(Consent::Courtesy);
    Ok(plan)
}

/// The other gears of a scaled application, which follow their head to the deployment `name`. What they
/// have under that name has to be the same.
fn followers<'a>(
    facts: &'a DeployFacts,
    name: &str,
    restored: Option<&Deployment>,
) -> Result<Option<Rolling<'a>>, Refusal> {
    if facts.children.is_empty() {
        return Ok(None);
    }
    let what = |one: &Deployment| (one.metadata.id.clone(), one.metadata.checksum.clone());
    for child in &facts.children {
        let mut own = child.deployments.iter().filter(|one| one.name == name);
        if own.any(|one| restored.is_some_and(|restored| what(restored) != what(one))) {
            let (gear, app) = (&child.gear.identity.name, &facts.gear.row.app);
            let text = format!("the gear `{gear}` has another deployment called {name}");
            return Err(Refusal::new(Exit::Conflict, text)
                .hint(format!("scale it down to one first: `cart gear scale {app} 1`")));
        }
    }
    Rolling::new(facts, name, (false, Rotation::Told)).map(Some)
}

/// What becomes of the gear afterwards.
#[derive(Clone, Copy, PartialEq, Eq)]
enum After {
    /// It is started, as it ran before.
    GoesOn,
    /// It is started, as it is new.
    IsNew,
    /// It does not run, as before.
    Rests,
}

/// Adds everything from `pre-restore` on.
fn add(
    plan: &mut Plan,
    (facts, ask): (&DeployFacts, &Restored),
    after: After,
) -> Result<(), Refusal> {
    let gear = &facts.gear.identity;
    let shown = ask.shown();
    // A gear without a web framework has deployments, too, but nothing happens in them. Everything in
    // it is stopped, a proxy too.
    let scene = shown.as_ref().and_then(|name| Scene::new(facts, name.clone(), false).ok());
    let scene = scene.map(|scene| Scene { proxy: None, ..scene });
    let rolling = match &shown {
        Some(name) => followers(facts, name, ask.deployment.as_ref())?,
        None => None,
    };
    let has_repository = ask.parts.contains(&Part::Repository);
    if let Some(scene) = scene.as_ref().filter(|_| has_repository) {
        plan.step(scene.phase(Phase::Control(Action::PreReceive), When::Receiving));
    }
    add_actions(plan, gear, (Action::PreRestore, Strictness::MustSucceed));
    let (from, parts) = (ask.from.clone(), ask.parts.clone());
    plan.step(RestoreHome { gear: gear.clone(), from, parts });
    match (&scene, &ask.deployment) {
        (Some(scene), Some(_)) => scene.show(plan),
        (None, Some(one)) => {
            plan.step(ShowDeployment { gear: gear.clone(), deployment: one.name.clone() });
        }
        (_, None) => {}
    }
    for package in facts.gear.packages.iter().filter(|one| !one.managed.locked_files.is_empty()) {
        lock(plan, gear, package);
    }
    add_actions(plan, gear, (Action::PostRestore, Strictness::MustSucceed));
    if let (Some(scene), Some(request)) = (&scene, &ask.build) {
        plan.step(scene.state(State::Building, Initiator::System));
        plan.step(scene.phase(Phase::Control(Action::PreRepoArchive), When::Receiving));
        build(plan, scene, (request, None));
    }
    if let Some(rolling) = &rolling {
        rolling.announce(plan);
        rolling.distribute(plan);
    }
    add_use(plan, (facts, ask, scene.as_ref()), after);
    match (rolling, after) {
        (Some(rolling), After::Rests) => rolling.follow_at_rest(plan, ask.made),
        (Some(rolling), After::GoesOn | After::IsNew) => rolling.follow(plan, ask.made),
        (None, _) => {}
    }
    Ok(())
}

/// Adds what puts to use in the gear what is there now.
fn add_use(
    plan: &mut Plan,
    (facts, ask, scene): (&DeployFacts, &Restored, Option<&Scene<'_>>),
    after: After,
) {
    let gear = &facts.gear.identity;
    match (scene, after) {
        (Some(scene), After::GoesOn | After::IsNew) => scene.activate(plan, ask.made),
        (Some(scene), After::Rests) => {
            plan.step(scene.phase(Phase::Control(Action::UpdateConfiguration), When::Deploying));
            if ask.build.is_some() {
                plan.step(
                    scene.state(facts.gear.state.unwrap_or(State::Stopped), Initiator::System),
                );
            }
            add_rest(plan, gear);
        }
        (None, After::GoesOn) => {
            let state = State::Started;
            plan.step(SetState { gear: gear.clone(), state, initiator: Initiator::System });
            add_actions(plan, gear, (Action::Start, Strictness::MustSucceed));
            add_wait(plan, gear, listening(&facts.gear));
        }
        (None, After::IsNew) => {
            add_start(plan, gear, listening(&facts.gear), &facts.gear.packages);
        }
        (None, After::Rests) => add_rest(plan, gear),
    }
}

/// What its user had in the gear that a snapshot was made of.
#[derive(Clone, Copy, Debug)]
pub struct User<'a> {
    /// That gear.
    pub origin: &'a Origin,
    /// How many variables a user may have.
    pub limit: usize,
}

/// Adds to the plan of a new gear, made of the cartridges `wanted`, what makes it the one that the
/// snapshot was taken of; it is started.
pub fn restore_as(
    mut plan: Plan,
    (wanted, ask): (&[Wanted], &Restored),
    user: User<'_>,
) -> Result<Plan, Refusal> {
    let facts = newborn(&plan, wanted, ask)
        .ok_or_else(|| Refusal::new(Exit::Failed, "the plan of a new gear makes no gear"))?;
    if ask.build.is_some() && !facts.children.is_empty() {
        let text = "the snapshot has no deployment that several gears could share";
        return Err(Refusal::new(Exit::Conflict, text).hint(
            "make the application with `cart gear create --scale`, and push the repository",
        ));
    }
    plan.title = format!("{} of a snapshot", plan.title);
    plan.warnings.extend(ask.warnings.iter().cloned());
    for (place, name, value) in variables(&mut plan, user) {
        // The gears of a scaled application share what users have set, and how they are deployed.
        let all = std::iter::once(&facts).chain(&facts.children);
        for gear in all.map(|one| one.gear.identity.clone()) {
            let (name, value) = (name.clone(), Some(value.clone()));
            plan.step(WriteVariable { gear, place, name, value });
        }
    }
    add(&mut plan, (&facts, ask), After::IsNew)?;
    Ok(plan)
}

/// The variables that the new gear takes over. Those that no user may set are left out, and told.
fn variables(plan: &mut Plan, user: User<'_>) -> Vec<(Place, EnvName, OsString)> {
    let mut all = Vec::new();
    let nobody = BTreeSet::new();
    let mut users = BTreeSet::new();
    for (name, value) in &user.origin.variables {
        let pair = (name.to_string(), value.to_string_lossy().into_owned());
        let taken = Taken { users: &users, platform: &nobody, limit: user.limit };
        match check_user(std::slice::from_ref(&pair), taken) {
            Ok(()) => all.push((Place::User, name.clone(), value.clone())),
            Err(error) => {
                plan.warnings.push(format!("the variable `{name}` is not taken over: {error}"));
                continue;
            }
        }
        users.insert(pair.0);
    }
    let settings = user.origin.settings.iter();
    all.extend(settings.map(|(name, value)| (Place::Platform, name.clone(), value.clone())));
    all
}

/// The gear that `plan` makes, as it will be, with its children where the plan makes such.
fn newborn(plan: &Plan, wanted: &[Wanted], ask: &Restored) -> Option<DeployFacts> {
    let made = plan.steps.iter().filter_map(|step| match step {
        AnyStep::MakeGear(step) => Some(&step.identity),
        _ => None,
    });
    let born: Option<Vec<DeployFacts>> = made.map(|one| birth(plan, wanted, one)).collect();
    let mut born = born?.into_iter();
    let head = born.next()?;
    let has_repository = ask.parts.contains(&Part::Repository);
    Some(DeployFacts { has_repository, children: born.collect(), ..head })
}

/// The gear `identity`, as it will be.
fn birth(plan: &Plan, wanted: &[Wanted], identity: &Identity) -> Option<DeployFacts> {
    let new = plan.records.iter().find_map(|change| match change {
        Change::AddGear(new) if new.uuid == identity.uuid => Some(new),
        _ => None,
    })?;
    let package = |place: &RelPath| -> Option<Package> {
        wanted.iter().find(|one| one.place == *place).map(|one| one.package.clone())
    };
    let packages: Option<Vec<Package>> =
        identity.cartridges.iter().map(|one| package(&one.place)).collect();
    let endpoints = new.endpoints.iter().map(GearEndpointRow::from).collect();
    let gear = unborn(GearRow::from(new.as_ref()), (identity.clone(), packages?), endpoints);
    Some(DeployFacts {
        gear,
        deployments: Vec::new(),
        live: None,
        settings: DeploySettings::default(),
        answering: Vec::new(),
        has_repository: false,
        children: Vec::new(),
    })
}

/// The home of a gear as a restore has kept it.
#[derive(Clone, Copy, Debug)]
pub(in crate::plan) struct Former<'a> {
    /// Where it waits, relative to the state directory.
    pub(in crate::plan) kept: &'a RelPath,
    /// The transaction that has kept it.
    pub(in crate::plan) keeper: i64,
    /// The deployment that it shows.
    pub(in crate::plan) live: Option<&'a str>,
    /// The length of the home that it has now, which is kept in turn.
    pub(in crate::plan) bytes: u64,
}

/// Plans putting the former home of a gear back. The other gears of a scaled application follow it, and
/// use from `at` on what it used then.
pub(in crate::plan) fn bring_back(
    facts: &DeployFacts,
    former: Former<'_>,
    at: Moment,
) -> Result<Plan, Refusal> {
    let gear = &facts.gear;
    let mut plan = plan_for(gear, "bring back the home of");
    let identity: &Identity = &gear.identity;
    let rolling = match former.live {
        Some(live) => followers(facts, live, None)?,
        None => None,
    };
    let runs = runs(gear);
    if runs {
        add_stop_by(&mut plan, identity, (Initiator::System, Strictness::MayFail));
    }
    let name = RelPath::parse(identity.name.as_str())
        .map_err(|error| Refusal::new(Exit::Failed, format!("the gear's name {error}")))?;
    let home = below("gears", &name)?;
    plan.step(StashTrees { trees: vec![home.clone()] });
    plan.step(PlaceTrees { trees: vec![Placing { from: former.kept.clone(), to: home }] });
    plan.records.push(Change::ReleaseStash { txn: former.keeper });
    if let Some(rolling) = &rolling {
        rolling.announce(&mut plan);
        rolling.distribute(&mut plan);
    }
    if runs {
        let state = State::Started;
        plan.step(SetState { gear: identity.clone(), state, initiator: Initiator::System });
        add_actions(&mut plan, identity, (Action::Start, Strictness::MustSucceed));
        add_wait(&mut plan, identity, listening(gear));
    }
    match rolling {
        Some(rolling) if runs => rolling.follow(&mut plan, at),
        Some(rolling) => rolling.follow_at_rest(&mut plan, at),
        None => {}
    }
    plan.warnings.push("what was written into the gear since the restore is lost".into());
    plan.inverse.parts.push(InversePart::HomeAsBefore { name: identity.name.clone() });
    plan.keeps = Some(former.bytes);
    plan.consent = plan.consent.max(Consent::Courtesy);
    Ok(plan)
}
