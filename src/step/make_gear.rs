//! Makes the home of a gear, whole, in the stash, and renames it into place.

use super::end_processes::EndProcesses;
use super::{Cx, Said, Step, sandboxed};
use crate::db::GearRole;
use crate::error::{Exit, Failure};
use crate::gear::home::{self, NewGear};
use crate::gear::identity::Identity;
use crate::gear::owner::{self, Account};
use crate::gear::registry;
use crate::package::ident::{GearName, HostName};
use crate::sandbox;
use crate::sys::checkpoint::checkpoint;
use crate::sys::clock::Moment;
use crate::sys::fs::Dir;
use crate::sys::tree;

/// What all gears of an application have alike and only its first one knows: the host name may have been
/// chosen, and the secret was drawn. One that they did not share would make sessions that one gear has
/// signed worth nothing in the next.
const ALIKE: [&str; 2] = ["OPENSHIFT_APP_DNS", "OPENSHIFT_SECRET_TOKEN"];

/// The longest value of those.
const LONGEST: u64 = 4096;

/// A new gear's home.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct MakeGear {
    /// The gear.
    pub identity: Identity,
    /// The domain below which it gets its host name.
    pub domain: String,
    /// Its host name, where it is not made of its name, namespace and domain.
    #[serde(default)]
    pub dns: Option<HostName>,
    /// The namespace of its application.
    pub namespace: String,
    /// What `OPENSHIFT_GEAR_MEMORY_MB` says.
    pub memory_mb: u64,
    /// When it was asked for; names its first deployment.
    pub made: Moment,
    /// The application that it belongs to; one of its own where none is said.
    #[serde(default)]
    pub app: Option<App>,
    /// What it is in a scaled application.
    #[serde(default)]
    pub role: Option<GearRole>,
}

/// An application: gears that hear of each other's events.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct App {
    /// Its name.
    pub name: GearName,
    /// Its identifier: that of its first gear.
    pub uuid: String,
}

impl App {
    /// The variables that tell a gear of its application, where they are not those of the gear.
    fn variables(&self, gear: &NewGear) -> [(&'static str, String); 3] {
        let host = format!("{}-{}.{}", self.name, gear.namespace, gear.domain);
        [
            ("OPENSHIFT_APP_NAME", self.name.to_string()),
            ("OPENSHIFT_APP_UUID", self.uuid.clone()),
            ("OPENSHIFT_APP_DNS", host),
        ]
    }

    /// Gives the home `built` what the application's first gear has, where there still is one.
    fn share(&self, cx: &Cx<'_>, built: &Dir) -> Result<(), Failure> {
        for name in ALIKE {
            let first = format!("gears/{}/.env/{name}", self.name);
            if cx.state.has(&first)? {
                let value = cx.state.read(&first, LONGEST)?;
                built.put_file(format!(".env/{name}"), &value, 0o644)?;
            }
        }
        Ok(())
    }
}

impl Step for MakeGear {
    type Undo = ();

    fn describe(&self) -> String {
        format!("make the home of the gear `{}`", self.identity.name)
    }

    fn prepare(&self, cx: &Cx<'_>) -> Result<(), Failure> {
        let path = self.identity.home();
        if cx.state.has(&path)? {
            let text = format!("`{}` exists already", cx.state.path_of(&path).display());
            return Err(Failure::new(Exit::Conflict, text).hint("move it away"));
        }
        cx.room().map(drop)
    }

    fn apply(&self, _undo: &(), cx: &Cx<'_>) -> Result<Said, Failure> {
        let path = self.identity.home();
        if cx.state.has(&path)? {
            return Ok(Said::default());
        }
        cx.state.make_dirs("gears", 0o755)?;
        let stash = cx.stash()?;
        tree::remove(&stash, "home")?;
        stash.make_dir("home", 0o750)?;
        let built = stash.dir("home")?;
        checkpoint("make_gear: before the home is built");
        let new = NewGear {
            name: self.identity.name.clone(),
            app_name: self.identity.name.to_string(),
            made: self.made,
            uuid: self.identity.uuid.clone(),
            domain: self.domain.clone(),
            dns: self.dns.clone(),
            namespace: self.namespace.clone(),
            memory_mb: self.memory_mb,
            home: cx.state.path_of(&path),
        };
        home::build(&built, &new)?;
        if let Some(app) = self.app.as_ref().filter(|app| app.name != self.identity.name) {
            for (name, value) in app.variables(&new) {
                built.put_file(format!(".env/{name}"), value.as_bytes(), 0o644)?;
            }
            app.share(cx, &built)?;
        }
        match self.role {
            // The home itself is locked when the proxy's gears are written down.
            Some(GearRole::Head) => built.make_dir(registry::FOLDER, 0o755)?,
            // Its host name begins with that, and a proxy knows it by it (node specification, 9).
            Some(GearRole::Web) => {
                let name = self.identity.uuid.as_bytes();
                built.put_file(".env/OPENSHIFT_GEAR_NAME", name, 0o644)?;
            }
            None => {}
        }
        if let Some(primary) = self.identity.primary() {
            let value = format!("{}/", new.home.join(&primary.dir).display());
            let file = ".env/OPENSHIFT_PRIMARY_CARTRIDGE_DIR";
            built.put_file(file, value.as_bytes(), 0o644)?;
        }
        if let Some((uid, gid)) = self.identity.owner {
            owner::own(&built, Account { uid, gid })?;
        }
        checkpoint("make_gear: before the rename");
        tree::move_to(&stash, "home", cx.state, &path)?;
        // Its scripts come after its files, which take as long.
        sandbox::expect(&sandboxed::confinement(cx.layout, cx.config, &self.identity));
        Ok(Said::default())
    }

    fn revert(&self, _undo: &(), cx: &Cx<'_>) -> Result<(), Failure> {
        let path = self.identity.home();
        // Whatever its scripts left running would write into a home that is going.
        EndProcesses::now(cx.layout, &self.identity)?;
        if cx.state.has(&path)? {
            let stash = cx.stash()?;
            tree::remove(&stash, "gone")?;
            tree::move_to(cx.state, &path, &stash, "gone")?;
        }
        Ok(())
    }
}

#[cfg(test)]
pub(super) fn sample(world: &super::laws::World) -> MakeGear {
    let mut identity = world.gear();
    tree::remove(&world.state, identity.home()).unwrap();
    identity.cartridges.clear();
    MakeGear {
        identity,
        domain: "localhost".into(),
        dns: None,
        namespace: "local".into(),
        memory_mb: 512,
        made: Moment(0),
        app: Some(App { name: GearName::parse("shop").unwrap(), uuid: "g0123456789ab".into() }),
        role: Some(GearRole::Head),
    }
}
