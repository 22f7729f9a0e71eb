//! Runs one of a cartridge's own scripts: `setup`, `install`, `post_install`, `teardown`.

use super::script::{self, Call};
use super::{Cx, Said, Step};
use crate::error::Failure;
use crate::gear::identity::Identity;
use crate::sandbox::{CommandLine, Leftovers};
use crate::sys::checkpoint::checkpoint;

/// A script of the guide.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Script {
    /// `bin/setup --version V`.
    Setup,
    /// `bin/install --version V`.
    Install,
    /// `bin/post_install --version V`, also spelt `post-install`.
    PostInstall,
    /// `bin/teardown`.
    Teardown,
}

impl Script {
    /// The spellings of its name, the original program's first.
    fn names(self) -> &'static [&'static str] {
        match self {
            Self::Setup => &["setup"],
            Self::Install => &["install"],
            Self::PostInstall => &["post_install", "post-install"],
            Self::Teardown => &["teardown"],
        }
    }

    fn takes_version(self) -> bool {
        self != Self::Teardown
    }
}

/// A script of a cartridge in a gear.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct RunScript {
    /// The gear.
    pub gear: Identity,
    /// The cartridge's folder.
    pub dir: String,
    /// Which script.
    pub script: Script,
}

impl RunScript {
    fn run(&self, cx: &Cx<'_>, script: Script) -> Result<Said, Failure> {
        let home = cx.state.dir(self.gear.home())?;
        for name in script.names() {
            let path = format!("{}/bin/{name}", self.dir);
            if !home.has(&path)? {
                continue;
            }
            let mut arguments = Vec::new();
            if let (true, Some(cartridge)) =
                (script.takes_version(), self.gear.cartridge(&self.dir))
            {
                arguments = vec!["--version".to_owned(), cartridge.software.to_string()];
            }
            let limit = cx.config.scripts.install_timeout;
            let call = Call {
                gear: &self.gear,
                dir: &self.dir,
                name,
                line: CommandLine::of(&home.path_of(&path), arguments)?,
                seconds: limit,
                leftovers: Leftovers::End,
            };
            return script::run(cx, &home, &call);
        }
        Ok(Said::default())
    }
}

impl Step for RunScript {
    type Undo = ();

    fn describe(&self) -> String {
        let name = self.script.names().first().copied().unwrap_or_default();
        format!("run `bin/{name}` of `{}`", self.dir)
    }

    fn prepare(&self, _cx: &Cx<'_>) -> Result<(), Failure> {
        Ok(())
    }

    fn apply(&self, _undo: &(), cx: &Cx<'_>) -> Result<Said, Failure> {
        checkpoint("run_script: before the script");
        let said = self.run(cx, self.script)?;
        checkpoint("run_script: after the script");
        Ok(said)
    }

    /// The gear's tree is put back as a whole; `teardown` takes back what `setup` did elsewhere.
    /// A cartridge that is half set up often cannot tear itself down, so its failure is not ours.
    fn revert(&self, _undo: &(), cx: &Cx<'_>) -> Result<(), Failure> {
        if self.script == Script::Setup && cx.state.has(self.gear.home())? {
            drop(self.run(cx, Script::Teardown));
        }
        Ok(())
    }

    fn runs_scripts(&self) -> bool {
        true
    }
}

#[cfg(test)]
pub(super) fn sample(world: &super::laws::World) -> RunScript {
    let gear = world.gear();
    world
        .script("gears/blog/mock/bin/setup", "#!/bin/bash\ntouch \"$OPENSHIFT_DATA_DIR/set-up\"\n");
    let undoing = "#!/bin/bash\nrm -f \"$OPENSHIFT_DATA_DIR/set-up\"\n";
    world.script("gears/blog/mock/bin/teardown", undoing);
    RunScript { gear, dir: "mock".into(), script: Script::Setup }
}
