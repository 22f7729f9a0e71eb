//! Runs `bin/upgrade` of a cartridge, where it has one: with the software version, the cartridge
//! version that it leaves and the one that it comes to (the guide, Cartridge Upgrade Script).
//!
//! It runs at least once: where an upgrade was cut off in it, it runs again and knows it by
//! `CART_ATTEMPT`.

use super::script::{self, Call};
use super::{Cx, Said, Step};
use crate::error::Failure;
use crate::gear::identity::Identity;
use crate::package::version::Version;
use crate::sandbox::{CommandLine, Leftovers};
use crate::sys::checkpoint::checkpoint;
use crate::sys::fs::Kind;

/// The upgrade script of a cartridge in a gear.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct UpgradeScript {
    /// The gear.
    pub gear: Identity,
    /// The cartridge's folder.
    pub dir: String,
    /// The cartridge version that it leaves.
    pub from: Version,
    /// The cartridge version that it comes to.
    pub to: Version,
}

impl Step for UpgradeScript {
    type Undo = ();

    fn describe(&self) -> String {
        format!("run `bin/upgrade` of `{}` from {} to {}", self.dir, self.from, self.to)
    }

    fn prepare(&self, _cx: &Cx<'_>) -> Result<(), Failure> {
        Ok(())
    }

    fn apply(&self, _undo: &(), cx: &Cx<'_>) -> Result<Said, Failure> {
        let home = cx.state.dir(self.gear.home())?;
        let path = format!("{}/bin/upgrade", self.dir);
        let meta = home.meta(&path)?;
        // One that may not be executed is skipped, as in the original.
        if !meta.is_some_and(|meta| meta.kind == Kind::File && meta.mode & 0o111 != 0) {
            return Ok(Said::default());
        }
        let software = self.gear.cartridge(&self.dir).map(|one| one.software.to_string());
        let arguments = [software.unwrap_or_default(), self.from.to_string(), self.to.to_string()];
        let call = Call {
            gear: &self.gear,
            dir: &self.dir,
            folder: &self.dir,
            name: "upgrade",
            line: CommandLine::of(&home.path_of(&path), arguments)?,
            seconds: cx.config.scripts.install_timeout,
            leftovers: Leftovers::End,
        };
        checkpoint("upgrade_script: before the script");
        let said = script::run(cx, &home, &call)?;
        checkpoint("upgrade_script: after the script");
        Ok(said)
    }

    /// The gear's files are put back as they were; a script has no other inverse.
    fn revert(&self, _undo: &(), _cx: &Cx<'_>) -> Result<(), Failure> {
        Ok(())
    }

    fn runs_scripts(&self) -> bool {
        true
    }
}

#[cfg(test)]
pub(super) fn sample(world: &super::laws::World) -> UpgradeScript {
    let gear = world.gear();
    // Its effects are taken back by the step that keeps the home.
    world.script("gears/blog/mock/bin/upgrade", "#!/bin/bash\n[[ $* == '1 1 2' ]]\n");
    let version = |text| Version::parse(text).unwrap();
    UpgradeScript { gear, dir: "mock".into(), from: version("1"), to: version("2") }
}
