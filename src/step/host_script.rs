//! Runs a script of a tpkg package on the host: `preinstall` and its like. They are made for the
//! host and need it, so they are not confined, and have no inverse; plans say both.

use super::{Cx, Said, Step};
use crate::error::{Exit, Failure};
use crate::package::external::Action;
use crate::sandbox::{self, Capture, CommandLine, Leftovers, Outcome, Script, Status, Time};
use crate::sys::checkpoint::checkpoint;
use crate::sys::host;
use crate::sys::interrupt;
use crate::sys::path::RelPath;
use crate::sys::process::Limits;
use std::collections::BTreeMap;
use std::ffi::OsString;
use std::time::Duration;

/// How long a process of it may take to heed SIGTERM once time is up.
const GRACE: Duration = Duration::from_secs(5);
/// How many of its last lines a failure shows.
const TAIL: usize = 10;

/// A script at the top of a package's tree.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct HostScript {
    /// What messages call the package.
    pub package: String,
    /// The package's tree, relative to the state directory; the script runs in it.
    pub tree: RelPath,
    /// The script below that tree, or an absolute path of the host.
    pub script: String,
    /// What it is called with.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub arguments: Vec<String>,
    /// The package's base: `TPKG_HOME`.
    pub base: String,
    /// What is being done: `TPKG_ACTION`.
    pub action: Action,
    /// What its failure means.
    pub failure: OnFailure,
}

/// What the failure of a script means. In the original `preinstall` and `preremove` end everything,
/// and the others are a warning.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum OnFailure {
    /// The transaction fails.
    Fail,
    /// It is told.
    Warn,
}

impl HostScript {
    fn name(&self) -> &str {
        self.script.rsplit('/').next().unwrap_or(&self.script)
    }

    fn environment(&self) -> BTreeMap<String, OsString> {
        let own = [
            (
                "PATH",
                OsString::from("/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"),
            ),
            ("HOME", host::variable_os("HOME").unwrap_or_else(|| "/".into())),
            ("LANG", host::variable_os("LANG").unwrap_or_else(|| "C.UTF-8".into())),
            ("TPKG_HOME", self.base.clone().into()),
            ("TPKG_ACTION", self.action.as_str().into()),
        ];
        own.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
    }

    fn run(&self, cx: &Cx<'_>) -> Result<Outcome, Failure> {
        let folder = cx.state.path_of(&self.tree);
        let (log, name) = cx.log(self.name())?;
        let mut marks = cx.marks();
        marks.push(("CART_STEP".into(), cx.number.to_owned()));
        marks.push(("CART_ATTEMPT".into(), cx.attempt.to_string()));
        let seconds = cx.config.scripts.install_timeout;
        Ok(sandbox::run(&Script {
            line: &CommandLine::of(&folder.join(&self.script), &self.arguments)?,
            folder: &folder,
            env: &self.environment(),
            marks: &marks,
            user: None,
            confinement: None,
            limits: Limits::default(),
            time: Time { limit: Duration::from_secs(seconds), grace: GRACE },
            // What an init script starts is meant to live.
            leftovers: if self.arguments.is_empty() { Leftovers::End } else { Leftovers::Keep },
            capture: Capture { folder: &log, name: &name, keep: cx.config.scripts.max_output },
        })?)
    }

    /// What the script has to answer for.
    fn failed(&self, outcome: &Outcome) -> Failure {
        let how = match outcome.status {
            Status::Exited(status) => format!("exited with status {status}"),
            Status::Signalled(signal) => format!("was ended by signal {signal}"),
            Status::TimedOut => "was not over in time, and was ended".to_owned(),
            Status::Flooded => "printed without end, and was ended".to_owned(),
            Status::Interrupted => "was interrupted".to_owned(),
        };
        let text = format!("`{}` of `{}` {how}", self.name(), self.package);
        let mut failure = Failure::new(Exit::Failed, text);
        let said = outcome.stderr.text.lines().chain(outcome.stdout.text.lines());
        let said: Vec<String> = said.map(|line| line.escape_debug().to_string()).collect();
        failure.causes.extend(said.iter().rev().take(TAIL).rev().cloned());
        failure
    }
}

impl Step for HostScript {
    type Undo = ();

    fn describe(&self) -> String {
        let words = std::iter::once(self.name()).chain(self.arguments.iter().map(String::as_str));
        let words = words.collect::<Vec<_>>().join(" ");
        format!("run `{words}` of `{}` on the host, unconfined", self.package)
    }

    fn prepare(&self, _cx: &Cx<'_>) -> Result<(), Failure> {
        Ok(())
    }

    fn apply(&self, _undo: &(), cx: &Cx<'_>) -> Result<Said, Failure> {
        checkpoint("host_script: before it runs");
        let outcome = match self.run(cx) {
            Err(failure) if self.failure == OnFailure::Warn => {
                let warnings = vec![super::script::one_line(&failure)];
                return Ok(Said { warnings, ..Said::default() });
            }
            other => other?,
        };
        checkpoint("host_script: after it has run");
        if outcome.status == Status::Interrupted {
            interrupt::check()?;
        }
        let printed = outcome.stdout.text.lines().map(|line| line.escape_debug().to_string());
        let mut said = Said { messages: printed.collect(), ..Said::default() };
        if outcome.is_success() {
            return Ok(said);
        }
        let failure = self.failed(&outcome);
        match self.failure {
            OnFailure::Fail => Err(failure),
            OnFailure::Warn => {
                said.warnings.push(super::script::one_line(&failure));
                Ok(said)
            }
        }
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
pub(super) fn sample(world: &super::laws::World) -> HostScript {
    let tree = "library/tpkg/tpkg-a/1-000000000000";
    world.tree(tree);
    world.script(
        &format!("{tree}/preinstall"),
        "#!/bin/bash\n[[ $TPKG_HOME == /opt/tpkg && $TPKG_ACTION == install && -e preinstall ]]\n",
    );
    HostScript {
        package: "a-1".into(),
        tree: RelPath::parse(tree).unwrap(),
        script: "preinstall".into(),
        arguments: Vec::new(),
        base: "/opt/tpkg".into(),
        action: Action::Install,
        failure: OnFailure::Fail,
    }
}
