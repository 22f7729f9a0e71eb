//! The verbs that build and deploy.

use super::super::{Call, Refused};
use super::FAILED;
use super::activate::{refuse_other_gears, tell_outcome};
use super::asked::Asked;
use super::before::Deploying;
use super::place::{Order, Place};
use super::source::{Binary, Repository, Revision, reference, refuse_unless};
use super::work::{First, Work, create, latest};
use super::{Spare, stop_all};
use crate::gear::deployment::{self, DeploySettings, DeploymentType, FOLDER, is_name};
use crate::gear::state::{self, State};
use crate::sys::tree;
use std::io::Read;

/// The most that is read of what git tells of a push.
const LONGEST: u64 = 1 << 20;
/// The markers of the application's developer that matter here.
const HOT_DEPLOY: &str = "hot_deploy";
const FORCE_CLEAN_BUILD: &str = "force_clean_build";

/// What is asked of a build.
#[derive(Clone, Debug, Default)]
struct Wishes {
    reference: String,
    hot_deploy: bool,
    force_clean_build: bool,
}

/// `gear prereceive`: stops the gear and makes the folder of the deployment.
pub(super) fn prereceive(call: &mut Call<'_>, place: &Place, asked: &Asked) -> Result<u8, Refused> {
    refuse_unless(place, DeploymentType::Git)?;
    let reference = reference(place, None);
    let Pushed::Version(pushed) = pushed(place, asked, &reference)? else { return Ok(0) };
    let mut wishes = Wishes { reference, ..Wishes::default() };
    if let Some(new) = pushed {
        let repository = Repository::of(call, place)?;
        wishes.hot_deploy = repository.has_marker(&new, HOT_DEPLOY);
        wishes.force_clean_build = repository.has_marker(&new, FORCE_CLEAN_BUILD);
    }
    if let Some(builder) = place.first("ci_builder") {
        place.control(call, builder, Order::of("pre-receive"))?;
        return Ok(0);
    }
    refuse_other_gears(place, &asked.verb)?;
    let mut deploying = Deploying::begin(call, place, &asked.verb)?;
    match receive(call, place, &mut deploying, &wishes) {
        Ok(work) => deploying.wait(place, &work.name).map(|()| 0),
        Err(refused) => deploying.end(call, place, Err(refused)),
    }
}

/// `gear postreceive`: builds what `prereceive` has prepared for, and puts it to use.
pub(super) fn postreceive(
    call: &mut Call<'_>,
    place: &Place,
    asked: &Asked,
) -> Result<u8, Refused> {
    refuse_unless(place, DeploymentType::Git)?;
    if matches!(pushed(place, asked, &reference(place, None))?, Pushed::Nothing) {
        return Ok(0);
    }
    if let Some(builder) = place.first("ci_builder") {
        place.control(call, builder, Order::of("post-receive"))?;
        return Ok(0);
    }
    let mut deploying = Deploying::begin(call, place, &asked.verb)?;
    let name = match deploying.waiting() {
        Some(name) => Some(name.to_owned()).filter(|name| is_name(name)),
        None => latest(place)?,
    };
    let outcome = match name {
        None => Err(Refused::new(FAILED, "gear: there is no deployment to build")
            .hint("`gear prereceive` or `gear create-deployment-dir` makes one")),
        Some(name) => {
            let is_hot = deployment::read_metadata(&place.home, &name).hot_deploy;
            let is_hot = is_hot && deploying.was_started(place);
            let work = Work { place, name, is_hot };
            take_over(call, &mut deploying, &work)
        }
    };
    let status = if outcome.is_ok() { "success" } else { "failure" };
    let outcome = deploying.end(call, place, outcome);
    call.say("-------------------------")?;
    call.say(&format!("Git Post-Receive Result: {status}"))?;
    call.say(&format!("Deployment completed with status: {status}"))?;
    outcome.map(|()| 0)
}

/// `gear deploy [REF]`: both in one.
pub(super) fn deploy(call: &mut Call<'_>, place: &Place, asked: &Asked) -> Result<u8, Refused> {
    refuse_unless(place, DeploymentType::Git)?;
    let reference = reference(place, asked.word.as_deref());
    Repository::of(call, place)?.revision(&reference)?;
    if let Some(builder) = place.first("ci_builder") {
        place.control(call, builder, Order::of("pre-receive"))?;
        place.control(call, builder, Order::of("post-receive"))?;
        return Ok(0);
    }
    let wishes = Wishes {
        reference,
        hot_deploy: asked.has("hot-deploy"),
        force_clean_build: asked.has("force-clean-build"),
    };
    refuse_other_gears(place, &asked.verb)?;
    let mut deploying = Deploying::begin(call, place, &asked.verb)?;
    let mut made = None;
    let outcome = receive(call, place, &mut deploying, &wishes).and_then(|work| {
        made = Some(work.name.clone());
        take_over(call, &mut deploying, &work)
    });
    let outcome = deploying.end(call, place, outcome);
    forget_failed(place, made.filter(|_| outcome.is_err()))?;
    outcome.map(|()| 0)
}

/// What `gear prereceive` and `postreceive` are told.
enum Pushed {
    /// Nothing that is to be deployed.
    Nothing,
    /// A version that is; its commit, where that was told.
    Version(Option<String>),
}

/// What was pushed to `reference`. With `--init` it does not matter.
fn pushed(place: &Place, asked: &Asked, reference: &str) -> Result<Pushed, Refused> {
    if asked.has("init") {
        return Ok(Pushed::Version(None));
    }
    let mut told = String::new();
    let read = std::io::stdin().lock().take(LONGEST).read_to_string(&mut told);
    read.map_err(|error| Refused::new(FAILED, format!("gear: the input: {error}")))?;
    let name = format!("refs/heads/{reference}");
    let new = told.lines().find_map(|line| {
        let mut words = line.split_whitespace().skip(1);
        let new = words.next()?;
        (words.next()? == name).then(|| new.to_owned())
    });
    Ok(match new.filter(|_| DeploySettings::read(&place.home).auto_deploy) {
        Some(new) => Pushed::Version(Some(new)),
        None => Pushed::Nothing,
    })
}

/// The first half: the gear stops, and there is a folder that knows what it is for.
fn receive<'a>(
    call: &mut Call<'_>,
    place: &'a Place,
    deploying: &mut Deploying,
    wishes: &Wishes,
) -> Result<Work<'a>, Refused> {
    let is_hot = wishes.hot_deploy && deploying.was_started(place);
    if !is_hot {
        deploying.stops(place)?;
        stop_all(call, place, Spare::WebProxy)?;
    }
    deploying.keeps_whole(place)?;
    place.control(call, place.primary()?, Order::of("pre-receive"))?;
    let name = create(place)?;
    let mut metadata = deployment::read_metadata(&place.home, &name);
    metadata.git_ref.clone_from(&wishes.reference);
    metadata.hot_deploy = wishes.hot_deploy;
    metadata.force_clean_build = wishes.force_clean_build;
    deployment::write_metadata(&place.home, &name, &metadata)?;
    Ok(Work { place, name, is_hot })
}

/// The second half: source, build, preparation, activation.
fn take_over(
    call: &mut Call<'_>,
    deploying: &mut Deploying,
    work: &Work<'_>,
) -> Result<(), Refused> {
    let place = work.place;
    // The application may have been scaled since `gear prereceive`.
    refuse_other_gears(place, "deploy")?;
    place.control(call, place.primary()?, Order::of("pre-repo-archive"))?;
    let repository = Repository::of(call, place)?;
    let revision = repository.revision(&work.metadata().git_ref)?;
    write_commit(work, &revision)?;
    work.take_dependencies()?;
    repository.copy(&revision, work)?;
    if !work.is_hot {
        work.show(deploying)?;
    }
    work.build(call)?;
    work.prepare(call)?;
    work.activate(call, deploying, First::No)?;
    work.clean_up()
}

fn write_commit(work: &Work<'_>, revision: &Revision) -> Result<(), Refused> {
    let mut metadata = work.metadata();
    metadata.git_sha1 = Some(revision.short());
    Ok(deployment::write_metadata(&work.place.home, &work.name, &metadata)?)
}

/// Removes the deployment that failed.
fn forget_failed(place: &Place, name: Option<String>) -> Result<(), Refused> {
    let Some(name) = name else { return Ok(()) };
    let id = deployment::read_metadata(&place.home, &name).id;
    if !id.is_empty() {
        place.home.remove_file(deployment::link_by_id(&id))?;
    }
    Ok(tree::remove(&place.home, format!("{FOLDER}/{name}"))?)
}

/// `gear build [REF]`: the build phase alone. A builder's working copy is built where it is.
pub(super) fn build(call: &mut Call<'_>, place: &Place, asked: &Asked) -> Result<u8, Refused> {
    let live = deployment::live_name(&place.home, "repo")?;
    let own = place.home.path_of(format!("{FOLDER}/{live}/repo/.git"));
    let is_builders = place.home.has(format!("{FOLDER}/{live}/repo/.git"))?;
    let (repository, reference) = if is_builders {
        (Repository::at(own)?, call.text("GIT_BRANCH").unwrap_or_default())
    } else {
        (Repository::of(call, place)?, reference(place, asked.word.as_deref()))
    };
    let revision = repository.revision(&reference)?;
    let was = state::read(&place.home);
    let mut deploying = Deploying::begin(call, place, &asked.verb)?;
    let name = if is_builders { Some(live) } else { latest(place)? };
    let is_new = name.is_none();
    let name = match name {
        Some(name) => name,
        None => create(place)?,
    };
    let work = Work { place, name: name.clone(), is_hot: false };
    let source = Some(&repository).filter(|_| !is_builders);
    let outcome = build_alone(call, (&work, &mut deploying), (&repository, &revision), source);
    let outcome = outcome.and_then(|()| leave_as(place, was));
    let outcome = deploying.end(call, place, outcome);
    forget_failed(place, Some(name).filter(|_| is_new && outcome.is_err()))?;
    outcome.map(|()| 0)
}

fn leave_as(place: &Place, state: Option<State>) -> Result<(), Refused> {
    match state {
        Some(state) => Ok(state::write(&place.home, state)?),
        None => Ok(()),
    }
}

/// Builds `work`; its source is copied from `source`.
fn build_alone(
    call: &mut Call<'_>,
    (work, deploying): (&Work<'_>, &mut Deploying),
    (repository, revision): (&Repository, &Revision),
    source: Option<&Repository>,
) -> Result<(), Refused> {
    let mut metadata = work.metadata();
    metadata.git_ref.clone_from(&revision.name);
    metadata.git_sha1 = Some(revision.short());
    metadata.hot_deploy = repository.has_marker(&revision.commit, HOT_DEPLOY);
    metadata.force_clean_build = repository.has_marker(&revision.commit, FORCE_CLEAN_BUILD);
    deployment::write_metadata(&work.place.home, &work.name, &metadata)?;
    if metadata.force_clean_build {
        work.empty("dependencies")?;
        work.empty("build-dependencies")?;
    }
    work.take_dependencies()?;
    if let Some(source) = source {
        source.copy(revision, work)?;
    }
    work.show(deploying)?;
    work.build(call)
}

/// `gear prepare FILE`: makes a deployment of what was built elsewhere.
pub(super) fn prepare(call: &mut Call<'_>, place: &Place, asked: &Asked) -> Result<u8, Refused> {
    let file = asked.named("a deployment artifact file to prepare")?;
    let archive = Binary::open(place, Some(file))?;
    let deploying = Deploying::begin(call, place, &asked.verb)?;
    let work = Work { place, name: create(place)?, is_hot: false };
    let outcome = archive.unpack(&work).and_then(|()| work.prepare(call));
    let outcome = outcome.and_then(|()| work.clean_up());
    let outcome = deploying.end(call, place, outcome);
    forget_failed(place, Some(work.name).filter(|_| outcome.is_err()))?;
    outcome.map(|()| 0)
}

/// `gear binary-deploy [FILE]`: puts to use what was built elsewhere.
pub(super) fn binary_deploy(
    call: &mut Call<'_>,
    place: &Place,
    asked: &Asked,
) -> Result<u8, Refused> {
    refuse_unless(place, DeploymentType::Binary)?;
    let archive = Binary::open(place, asked.word.as_deref())?;
    call.say("Starting deploy for binary artifact")?;
    refuse_other_gears(place, &asked.verb)?;
    let mut deploying = Deploying::begin(call, place, &asked.verb)?;
    let wishes = Wishes {
        reference: reference(place, None),
        hot_deploy: asked.has("hot-deploy"),
        force_clean_build: false,
    };
    let mut made = None;
    let outcome = receive(call, place, &mut deploying, &wishes).and_then(|work| {
        made = Some(work.name.clone());
        archive.unpack(&work)?;
        put_to_use(call, &mut deploying, &work)
    });
    let outcome = deploying.end(call, place, outcome);
    tell_outcome(call, &outcome)?;
    forget_failed(place, made.filter(|_| outcome.is_err()))?;
    outcome.map(|()| 0)
}

fn put_to_use(
    call: &mut Call<'_>,
    deploying: &mut Deploying,
    work: &Work<'_>,
) -> Result<(), Refused> {
    work.prepare(call)?;
    work.activate(call, deploying, First::No)?;
    work.clean_up()
}

/// `gear remotedeploy`: puts to use what a builder has built: what the links show, where the folder
/// that is named has nothing of its own.
pub(super) fn remotedeploy(
    call: &mut Call<'_>,
    place: &Place,
    asked: &Asked,
) -> Result<u8, Refused> {
    let name = match &asked.deployment {
        Some(name) => name.clone(),
        None => deployment::live_name(&place.home, "repo")?,
    };
    if !is_name(&name) || !place.home.has(format!("{FOLDER}/{name}"))? {
        let text = format!("gear: there is no deployment `{}`", name.escape_debug());
        return Err(Refused::new(FAILED, text));
    }
    refuse_other_gears(place, &asked.verb)?;
    let mut deploying = Deploying::begin(call, place, &asked.verb)?;
    let is_hot = deployment::read_metadata(&place.home, &name).hot_deploy;
    let is_hot = is_hot && deploying.was_started(place);
    let work = Work { place, name, is_hot };
    let outcome = ["repo", "dependencies", "build-dependencies"]
        .into_iter()
        .try_for_each(|part| work.copy_live(part))
        .and_then(|()| put_to_use(call, &mut deploying, &work));
    deploying.end(call, place, outcome).map(|()| 0)
}
