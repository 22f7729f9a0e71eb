//! A deployment on its way: the parts of the life cycle of both seeds, on the gear's own files.
//!
//! The same order as a transaction of `cart` (`plan::gear::deploy`), by the gear's own rights.

use super::super::{Call, Refused};
use super::FAILED;
use super::before::Deploying;
use super::place::{Order, Place};
use super::{Spare, stop_all};
use crate::gear::dependencies;
use crate::gear::deployment::{self, Deployment, FOLDER, Metadata, PARTS};
use crate::gear::state::{self, State};
use crate::sys::clock::Moment;
use crate::sys::fs::Dir;
use crate::sys::random;
use crate::sys::tree::{self, Modes};

/// A deployment on its way.
pub(super) struct Work<'a> {
    pub(super) place: &'a Place,
    /// The name of its directory.
    pub(super) name: String,
    /// Whether the application goes on running meanwhile.
    pub(super) is_hot: bool,
}

/// Makes the folder of a new deployment; gives its name.
pub(super) fn create(place: &Place) -> Result<String, Refused> {
    let mut made = Moment::now();
    let mut name = deployment::directory_name(made);
    while place.home.has(format!("{FOLDER}/{name}"))? {
        made.0 += 1;
        name = deployment::directory_name(made);
    }
    for part in PARTS {
        place.home.make_dirs(format!("{FOLDER}/{name}/{part}"), 0o750)?;
    }
    let metadata = Metadata { git_ref: "master".into(), ..Metadata::default() };
    deployment::write_metadata(&place.home, &name, &metadata)?;
    Ok(name)
}

/// Removes what is kept no longer, but never what is in use, nor `new`.
pub(super) fn prune(place: &Place, new: &str) -> Result<(), Refused> {
    let home = &place.home;
    let live = deployment::live_name(home, "repo").ok();
    let all = deployment::all(home)?;
    let keep = deployment::DeploySettings::read(home).keep;
    for name in deployment::surplus(&all, live.as_deref(), (0, keep)) {
        if Some(&name) == live.as_ref() || name == new {
            continue;
        }
        let id = deployment::read_metadata(home, &name).id;
        if !id.is_empty() {
            home.remove_file(deployment::link_by_id(&id))?;
        }
        tree::remove(home, format!("{FOLDER}/{name}"))?;
    }
    Ok(())
}

/// The deployment that was made last and never put to use; nothing where what is in use is newer.
pub(super) fn latest(place: &Place) -> Result<Option<String>, Refused> {
    let live = deployment::live_name(&place.home, "repo").ok();
    let is_new = |one: &Deployment| {
        one.metadata.activations.is_empty() && live.as_ref().is_none_or(|live| one.name > *live)
    };
    let mut all = deployment::all(&place.home)?;
    all.retain(is_new);
    Ok(all.pop().map(|one| one.name))
}

/// The deployment that is found by the identifier `id`.
pub(super) fn by_id(place: &Place, id: &str) -> Result<String, Refused> {
    let found = deployment::all(&place.home)?
        .into_iter()
        .find(|one| !id.is_empty() && one.metadata.id == id && linked(place, one));
    found.map(|one| one.name).ok_or_else(|| {
        Refused::new(FAILED, format!("Deployment id {} is invalid", id.escape_debug()))
            .hint("`gear deployments` lists them")
    })
}

fn linked(place: &Place, one: &Deployment) -> bool {
    place.home.has(deployment::link_by_id(&one.metadata.id)).is_ok_and(|has| has)
}

impl Work<'_> {
    pub(super) fn metadata(&self) -> Metadata {
        deployment::read_metadata(&self.place.home, &self.name)
    }

    /// Its folder, below the home.
    pub(super) fn folder(&self) -> String {
        format!("{FOLDER}/{}", self.name)
    }

    fn part(&self, part: &str) -> String {
        format!("{}/{part}", self.folder())
    }

    /// An action of the primary cartridge; while a hot deployment is built, it is found apart.
    pub(super) fn primary(&self, call: &mut Call<'_>, action: &str) -> Result<(), Refused> {
        let order = Order { seen: self.seen(), ..Order::of(action) };
        self.place.control(call, self.place.primary()?, order)
    }

    fn seen(&self) -> Option<&str> {
        let is_shown =
            deployment::live_name(&self.place.home, "repo").is_ok_and(|name| name == self.name);
        (!is_shown).then_some(&self.name)
    }

    /// Begins with the dependencies that the live deployment has gathered, unless they are unwanted.
    pub(super) fn take_dependencies(&self) -> Result<(), Refused> {
        if self.metadata().force_clean_build {
            return Ok(());
        }
        for part in ["dependencies", "build-dependencies"] {
            self.copy_live(part)?;
        }
        Ok(())
    }

    /// Copies a part of what the links show, where this deployment has nothing yet.
    pub(super) fn copy_live(&self, part: &str) -> Result<(), Refused> {
        let home = &self.place.home;
        let Ok(live) = deployment::live_name(home, part) else { return Ok(()) };
        let own = self.open(part)?;
        if live == self.name
            || !own.names()?.is_empty()
            || !home.has(format!("{FOLDER}/{live}/{part}"))?
        {
            return Ok(());
        }
        Ok(tree::copy_inside(&home.dir(format!("{FOLDER}/{live}/{part}"))?, &own, Modes::Kept)?)
    }

    /// A part of the deployment, made where it is missing.
    pub(super) fn open(&self, part: &str) -> Result<Dir, Refused> {
        let path = self.part(part);
        self.place.home.make_dirs(&path, 0o750)?;
        Ok(self.place.home.dir(&path)?)
    }

    /// Takes away what a part holds.
    pub(super) fn empty(&self, part: &str) -> Result<Dir, Refused> {
        let dir = self.open(part)?;
        for name in dir.names()? {
            tree::remove(&dir, &name)?;
        }
        Ok(dir)
    }

    /// Lets the gear see it.
    pub(super) fn show(&self, deploying: &mut Deploying) -> Result<(), Refused> {
        let home = &self.place.home;
        deploying.shows(self.place, &self.name)?;
        for part in PARTS {
            self.open(part)?;
        }
        deployment::show(home, &self.name, None)?;
        for cartridge in &self.place.cartridges {
            let managed = cartridge.managed(home);
            for (part, entries) in [
                ("dependencies", &managed.dependency_dirs),
                ("build-dependencies", &managed.build_dependency_dirs),
            ] {
                dependencies::survey(home, &cartridge.dir, part, entries)?.make(home, None)?;
            }
        }
        Ok(())
    }

    /// The build phase, after the source has come.
    pub(super) fn build(&self, call: &mut Call<'_>) -> Result<(), Refused> {
        state::write(&self.place.home, State::Building)?;
        let metadata = self.metadata();
        if metadata.force_clean_build {
            let text = "Force clean build enabled - cleaning dependencies";
            self.place.tell(call, text)?;
        }
        let commit = metadata.git_sha1.unwrap_or_default();
        let text = format!("Building git ref '{}', commit {commit}", metadata.git_ref);
        self.place.tell(call, &text)?;
        for action in ["update-configuration", "pre-build", "build"] {
            self.primary(call, action)?;
        }
        Ok(())
    }

    /// The hook `prepare`, then identifier and checksum.
    pub(super) fn prepare(&self, call: &mut Call<'_>) -> Result<(), Refused> {
        let home = &self.place.home;
        self.place.tell(call, "Preparing build for deployment")?;
        self.place.hook_alone(call, ("prepare", self.seen()))?;
        let mut metadata = self.metadata();
        if !metadata.id.is_empty() {
            home.remove_file(deployment::link_by_id(&metadata.id))?;
        }
        metadata.id = random::hex(4)?;
        metadata.checksum = Some(deployment::checksum(home, &self.name)?);
        deployment::write_metadata(home, &self.name, &metadata)?;
        home.make_link(deployment::link_by_id(&metadata.id), format!("../{}", self.name))?;
        self.place.tell(call, &format!("Deployment id is {}", metadata.id))
    }

    /// The deploy phase: from the stop of what runs to the hook `post_deploy`.
    pub(super) fn activate(
        &self,
        call: &mut Call<'_>,
        deploying: &mut Deploying,
        first: First,
    ) -> Result<(), Refused> {
        let (place, home) = (self.place, &self.place.home);
        place.tell(call, "Activating deployment")?;
        if !self.is_hot {
            deploying.stops(place)?;
            if state::read(home) == Some(State::Started) {
                stop_all(call, place, Spare::WebProxy)?;
            }
        }
        self.show(deploying)?;
        self.primary(call, "update-configuration")?;
        if !self.is_hot {
            for cartridge in place.starting_order().filter(|one| !one.is_primary) {
                place.control(call, cartridge, Order::of("start"))?;
            }
        }
        state::write(home, State::Deploying)?;
        self.primary(call, "deploy")?;
        state::write(home, State::Started)?;
        state::clear_stop_lock(home)?;
        if !self.is_hot {
            self.primary(call, "start")?;
        }
        self.primary(call, "post-deploy")?;
        if first == First::InThisGear {
            place.post_install(call, place.primary()?)?;
        }
        let mut metadata = self.metadata();
        #[expect(clippy::cast_precision_loss, reason = "exact for the next 285,000 years")]
        metadata.activations.push(Moment::now().0 as f64 / 1000.0);
        deployment::write_metadata(home, &self.name, &metadata)?;
        Ok(())
    }

    /// Removes what is kept no longer, after all else went well.
    pub(super) fn clean_up(&self) -> Result<(), Refused> {
        prune(self.place, &self.name)
    }
}

/// Whether it is the first deployment of a new gear, whose `post_install` is still to run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum First {
    InThisGear,
    No,
}
