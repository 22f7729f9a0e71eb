//! Runs a script of a tpkg package on the host: `preinstall` and its like. They are made for the
//! host and need it, so they are not confined, and have no inverse; plans say both.

use super::host_call::{self, HostCall};
use super::{Cx, Said, Step};
use crate::error::Failure;
use crate::package::external::Action;
use crate::sandbox::{CommandLine, Outcome, Status};
use crate::sys::checkpoint::checkpoint;
use crate::sys::interrupt;
use crate::sys::path::RelPath;

/// A script at the top of a package's tree.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct HostScript {
    /// What messages call the package.
    pub package: String,
    /// The package's tree, relative to the state directory; the script runs in it.
    pub tree: RelPath,
    /// The script below that tree.
    pub script: String,
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
    fn run(&self, cx: &Cx<'_>) -> Result<Outcome, Failure> {
        let folder = cx.state.path_of(&self.tree);
        let call = HostCall {
            name: &self.script,
            line: &CommandLine::of(&folder.join(&self.script), [""; 0])?,
            folder: &folder,
            base: &self.base,
            action: Some(self.action),
            seconds: cx.config.scripts.install_timeout,
        };
        host_call::run(cx, &call)
    }

    /// The exit status by which the original tells that this script has failed; the package has come
    /// or gone all the same.
    fn status(&self) -> u8 {
        match self.script.as_str() {
            "postinstall" => 2,
            "postremove" => 3,
            _ => 0,
        }
    }
}

impl Step for HostScript {
    type Undo = ();

    fn describe(&self) -> String {
        format!("run `{}` of `{}` on the host, unconfined", self.script, self.package)
    }

    fn prepare(&self, _cx: &Cx<'_>) -> Result<(), Failure> {
        Ok(())
    }

    fn apply(&self, _undo: &(), cx: &Cx<'_>) -> Result<Said, Failure> {
        checkpoint("host_script: before it runs");
        let outcome = match self.run(cx) {
            Err(failure) if self.failure == OnFailure::Warn => {
                let warnings = vec![failure.one_line()];
                return Ok(Said { warnings, status: self.status(), ..Said::default() });
            }
            other => other?,
        };
        checkpoint("host_script: after it has run");
        if outcome.status == Status::Interrupted {
            interrupt::check()?;
        }
        let mut said = Said { messages: host_call::printed(&outcome), ..Said::default() };
        if outcome.is_success() {
            return Ok(said);
        }
        let what = format!("`{}` of `{}`", self.script, self.package);
        let failure = host_call::failed(&what, &outcome);
        match self.failure {
            OnFailure::Fail => Err(failure),
            OnFailure::Warn => {
                said.warnings.push(failure.one_line());
                said.status = self.status();
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
        base: "/opt/tpkg".into(),
        action: Action::Install,
        failure: OnFailure::Fail,
    }
}
