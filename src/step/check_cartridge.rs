//! Looks whether a cartridge that was set up keeps to the guide: no new folders in the gear's home,
//! no variable of the platform replaced or removed.

use super::{Cx, Said, Step};
use crate::error::{Exit, Failure};
use crate::gear::environ;
use crate::gear::identity::Identity;
use crate::gear::registry;

/// What every home has that is not hidden.
const OF_EVERY_HOME: [&str; 4] = ["app-root", "app-deployments", "git", registry::FOLDER];

/// Variables that every gear has from its beginning.
const OF_EVERY_GEAR: [&str; 5] = [
    "HOME",
    "OPENSHIFT_APP_NAME",
    "OPENSHIFT_DATA_DIR",
    "OPENSHIFT_GEAR_UUID",
    "OPENSHIFT_HOMEDIR",
];

/// A cartridge that has just been set up.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct CheckCartridge {
    /// The gear.
    pub gear: Identity,
    /// The cartridge's folder.
    pub dir: String,
}

impl Step for CheckCartridge {
    type Undo = ();

    fn describe(&self) -> String {
        format!("check what `{}` has made of the gear", self.dir)
    }

    fn prepare(&self, _cx: &Cx<'_>) -> Result<(), Failure> {
        Ok(())
    }

    fn apply(&self, _undo: &(), cx: &Cx<'_>) -> Result<Said, Failure> {
        let home = cx.state.dir(self.gear.home())?;
        let mut new = Vec::new();
        for name in home.names()? {
            let name = name.to_string_lossy().into_owned();
            let known = name.starts_with('.')
                || OF_EVERY_HOME.contains(&name.as_str())
                || self.gear.cartridge(&name).is_some();
            if !known {
                new.push(format!("`{}`", name.escape_debug()));
            }
        }
        let broken = |text: String, hint: &str| Err(Failure::new(Exit::Failed, text).hint(hint));
        if !new.is_empty() {
            let text = format!("`{}` has made {} in the gear's home", self.dir, new.join(", "));
            return broken(
                text,
                "a cartridge may make hidden files there alone (the guide, Locking)",
            );
        }
        let replaced = environ::overridden(&home, &self.dir);
        if !replaced.is_empty() {
            let names = replaced.join(", ");
            let text = format!("`{}` replaces variables of the platform: {names}", self.dir);
            return broken(text, "the cartridge's `env/` must use names of its own");
        }
        let mut gone = Vec::new();
        for name in OF_EVERY_GEAR {
            if !home.has(format!(".env/{name}"))? {
                gone.push(name);
            }
        }
        if !gone.is_empty() {
            let text = format!(
                "`{}` has removed variables of the platform: {}",
                self.dir,
                gone.join(", ")
            );
            return broken(text, "a cartridge may not touch `.env` in the gear's home");
        }
        Ok(Said::default())
    }

    fn revert(&self, _undo: &(), _cx: &Cx<'_>) -> Result<(), Failure> {
        Ok(())
    }
}

#[cfg(test)]
pub(super) fn sample(world: &super::laws::World) -> CheckCartridge {
    CheckCartridge { gear: world.gear(), dir: "mock".into() }
}
