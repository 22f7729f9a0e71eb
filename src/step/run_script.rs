//! Runs one of a cartridge's own scripts: `setup`, `install`, `post_install`, `teardown`.

use super::deliver_event::Hook;
use super::script::{self, Call};
use super::{Cx, Said, Step};
use crate::error::Failure;
use crate::gear::identity::Identity;
use crate::sandbox::{CommandLine, Leftovers};
use crate::sys::checkpoint::checkpoint;
use crate::sys::fs::{Dir, Kind};

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
        run(cx, (&self.gear, &self.dir), script)
    }
}

/// Runs a script of the cartridge in the folder `dir`, where there is one.
pub(super) fn run(
    cx: &Cx<'_>,
    (gear, dir): (&Identity, &str),
    script: Script,
) -> Result<Said, Failure> {
    let home = cx.state.dir(gear.home())?;
    for name in script.names() {
        let path = format!("{dir}/bin/{name}");
        if !home.has(&path)? {
            continue;
        }
        let mut arguments = Vec::new();
        if let (true, Some(cartridge)) = (script.takes_version(), gear.cartridge(dir)) {
            arguments = vec!["--version".to_owned(), cartridge.software.to_string()];
        }
        let call = Call {
            gear,
            dir,
            folder: dir,
            name,
            line: CommandLine::of(&home.path_of(&path), arguments)?,
            seconds: cx.config.scripts.install_timeout,
            leftovers: Leftovers::End,
        };
        return script::run(cx, &home, &call);
    }
    Ok(Said::default())
}

/// How a hook is called: `hooks/NAME GEAR NAMESPACE IDENTIFIER [PUBLISHED]` (the guide, Cartridge
/// Events). Most that manifests name do not exist, in silence.
pub(super) fn hook_call<'a>(
    cx: &Cx<'_>,
    home: &Dir,
    (hook, published): (&'a Hook, Option<String>),
) -> Result<Option<Call<'a>>, Failure> {
    let path = hook.path();
    if !home.meta(&path)?.is_some_and(|meta| meta.kind == Kind::File) {
        return Ok(None);
    }
    let namespace = home.read(".env/OPENSHIFT_NAMESPACE", 256).unwrap_or_default();
    let namespace = String::from_utf8_lossy(&namespace).trim_end().to_owned();
    let gear = &hook.gear;
    let mut arguments = vec![gear.name.to_string(), namespace, gear.uuid.clone()];
    arguments.extend(published);
    Ok(Some(Call {
        gear,
        dir: &hook.dir,
        folder: &hook.dir,
        name: &hook.name,
        line: CommandLine::of(&home.path_of(&path), arguments)?,
        seconds: cx.config.scripts.control_timeout,
        leftovers: Leftovers::End,
    }))
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
