//! Keeps the application that is in use while its cartridge prepares for the next one: many take the
//! modules of the old version out of it (`pre-repo-archive`), and it has to be whole when the new one
//! fails.

use super::{Cx, Said, Step};
use crate::error::Failure;
use crate::gear::deployment;
use crate::gear::identity::Identity;

/// The name in the stash.
const COPY: &str = "repo";

/// The application that is in use.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct KeepRepo {
    /// The gear.
    pub gear: Identity,
    /// The name of the deployment's directory.
    pub deployment: String,
}

impl Step for KeepRepo {
    type Undo = ();

    fn describe(&self) -> String {
        format!("keep the application of the gear `{}` as it is", self.gear.name)
    }

    fn prepare(&self, cx: &Cx<'_>) -> Result<(), Failure> {
        let (home, stash) = (cx.state.dir(self.gear.home())?, cx.stash()?);
        Ok(deployment::keep_whole(&home, &self.deployment, (&stash, COPY))?)
    }

    fn apply(&self, _undo: &(), _cx: &Cx<'_>) -> Result<Said, Failure> {
        Ok(Said::default())
    }

    fn revert(&self, _undo: &(), cx: &Cx<'_>) -> Result<(), Failure> {
        if !cx.state.has(self.gear.home())? {
            return Ok(());
        }
        let (home, stash) = (cx.state.dir(self.gear.home())?, cx.room()?);
        Ok(deployment::make_whole(&home, &self.deployment, (&stash, COPY))?)
    }
}

#[cfg(test)]
pub(super) fn sample(world: &super::laws::World) -> KeepRepo {
    let gear = world.gear();
    let home = world.state.dir("gears/blog").unwrap();
    let deployment = deployment::live_name(&home, "repo").unwrap();
    let repo = format!("{}/{deployment}/repo", deployment::FOLDER);
    home.make_dirs(format!("{repo}/modules/one"), 0o755).unwrap();
    home.write_new(format!("{repo}/modules/one/file"), b"1", 0o640).unwrap();
    home.make_link(format!("{repo}/modules/link"), "one/file").unwrap();
    KeepRepo { gear, deployment }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gear::deployment::{FOLDER, live_name};
    use crate::step::laws::World;
    use crate::sys::tree;

    #[test]
    fn what_a_script_took_out_comes_back_and_the_rest_stays() {
        let world = World::new();
        let step = sample(&world);
        let cx = world.cx(1);
        step.prepare(&cx).unwrap();
        let home = world.state.dir("gears/blog").unwrap();
        let repo =
            home.dir(format!("{FOLDER}/{}/repo", live_name(&home, "repo").unwrap())).unwrap();
        tree::move_to(&repo, "modules", &home, "app-root/data/modules").unwrap();
        repo.write_new("modules", b"another thing", 0o644).unwrap();
        repo.write_new("more", b"stays", 0o644).unwrap();
        step.revert(&(), &cx).unwrap();
        step.revert(&(), &cx).unwrap();
        assert_eq!(repo.read("modules/one/file", 9).unwrap(), b"1");
        assert_eq!(repo.meta("modules/one/file").unwrap().unwrap().mode, 0o640);
        assert_eq!(repo.link_target("modules/link").unwrap().to_str(), Some("one/file"));
        assert!(repo.has("more").unwrap());
    }
}
