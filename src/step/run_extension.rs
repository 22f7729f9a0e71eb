//! Runs what the administrator has put beside the upgrades of gears: `upgrade/pre-upgrade` and
//! `upgrade/post-upgrade` in the settings. They run as the one who upgrades, not as the gear.

use super::{Cx, Said, Step};
use crate::error::{Exit, Failure};
use crate::gear::identity::Identity;
use crate::sandbox::{self, Capture, CommandLine, Leftovers, Script, Status, Time};
use crate::sys::checkpoint::checkpoint;
use crate::sys::interrupt;
use crate::sys::process::Limits;
use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

/// How long a process of it may take to heed SIGTERM once time is up.
const GRACE: Duration = Duration::from_secs(5);
/// How many of its last lines a failure shows.
const TAIL: usize = 10;

/// An executable of the administrator's, for one gear.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct RunExtension {
    /// The gear.
    pub gear: Identity,
    /// The executable.
    pub program: PathBuf,
    /// The itinerary as the original writes it, JSON.
    pub itinerary: String,
}

impl RunExtension {
    fn name(&self) -> String {
        self.program.file_name().unwrap_or_default().to_string_lossy().into_owned()
    }

    fn environment(&self, cx: &Cx<'_>) -> BTreeMap<String, OsString> {
        let home = cx.state.path_of(self.gear.home());
        let own = [
            ("PATH", OsString::from("/usr/sbin:/usr/bin:/sbin:/bin")),
            ("CART_GEAR", self.gear.name.to_string().into()),
            ("CART_GEAR_UUID", self.gear.uuid.clone().into()),
            ("CART_GEAR_HOME", home.into()),
            ("CART_ITINERARY", self.itinerary.clone().into()),
        ];
        own.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
    }
}

impl Step for RunExtension {
    type Undo = ();

    fn describe(&self) -> String {
        format!("run the extension `{}` for the gear `{}`", self.name(), self.gear.name)
    }

    fn prepare(&self, _cx: &Cx<'_>) -> Result<(), Failure> {
        Ok(())
    }

    fn apply(&self, _undo: &(), cx: &Cx<'_>) -> Result<Said, Failure> {
        let home = cx.state.path_of(self.gear.home());
        let (log, name) = cx.log(&self.name())?;
        let marks = cx.marks();
        checkpoint("run_extension: before it runs");
        let seconds = cx.config.scripts.install_timeout;
        let outcome = sandbox::run(&Script {
            line: &CommandLine::of(&self.program, [self.gear.name.as_str()])?,
            folder: &home,
            env: &self.environment(cx),
            marks: &marks,
            user: None,
            confinement: None,
            limits: Limits::default(),
            time: Time { limit: Duration::from_secs(seconds), grace: GRACE },
            leftovers: Leftovers::End,
            capture: Capture { folder: &log, name: &name, keep: cx.config.scripts.max_output },
        })?;
        checkpoint("run_extension: after it has run");
        if outcome.status == Status::Interrupted {
            interrupt::check()?;
        }
        if outcome.is_success() {
            return Ok(Said::default());
        }
        let mut failure =
            Failure::new(Exit::Failed, format!("`{}` did not succeed", self.program.display()));
        let said = outcome.stderr.text.lines().chain(outcome.stdout.text.lines());
        let said: Vec<String> = said.map(|line| line.escape_debug().to_string()).collect();
        failure.causes.extend(said.iter().rev().take(TAIL).rev().cloned());
        Err(failure)
    }

    /// It has no inverse; the plan says so.
    fn revert(&self, _undo: &(), _cx: &Cx<'_>) -> Result<(), Failure> {
        Ok(())
    }

    fn runs_scripts(&self) -> bool {
        true
    }
}

#[cfg(test)]
pub(super) fn sample(world: &super::laws::World) -> RunExtension {
    let gear = world.gear();
    world
        .script("lib-extension", "#!/bin/bash\n[[ $1 == \"$CART_GEAR\" && -n $CART_ITINERARY ]]\n");
    RunExtension { gear, program: world.state.path_of("lib-extension"), itinerary: "{}".into() }
}
