//! Runs one phase of a build or deployment: an action of the primary cartridge, then the hook of the
//! application's developer (`prepare` is a hook alone).

use super::end_processes::EndProcesses;
use super::{Cx, Said, Step, sandboxed, script};
use crate::error::Failure;
use crate::gear::action::Action;
use crate::gear::deployment::{self, FOLDER};
use crate::gear::identity::Identity;
use crate::sys::checkpoint::checkpoint;
use crate::sys::fs::Dir;
use std::path::PathBuf;

/// A phase of a build or deployment.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct RunPhase {
    /// The gear.
    pub gear: Identity,
    /// The cartridge's folder.
    pub dir: String,
    /// What is to be done.
    pub phase: Phase,
    /// The deployment that is built while the gear still sees, and runs, another one.
    pub deployment: Option<String>,
}

/// What is done in a phase.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// An action of `bin/control`, and its hook.
    Control(Action),
    /// The hook `prepare`.
    Prepare,
}

impl Phase {
    fn word(self) -> &'static str {
        match self {
            Self::Control(action) => action.as_str(),
            Self::Prepare => "prepare",
        }
    }
}

impl RunPhase {
    fn repo(&self, home: &Dir) -> Result<PathBuf, Failure> {
        match &self.deployment {
            Some(name) => Ok(PathBuf::from(format!("{FOLDER}/{name}/repo"))),
            None => Ok(deployment::live_repo(home)?),
        }
    }

    /// Where scripts find what is being built, while the links show what runs.
    fn variables(&self, home: &Dir) -> Vec<(String, String)> {
        let Some(name) = &self.deployment else { return Vec::new() };
        deployment::variables(home, name)
    }
}

impl Step for RunPhase {
    /// What ran in the gear before.
    type Undo = Vec<u32>;

    fn describe(&self) -> String {
        match self.phase {
            Phase::Control(action) => format!("{action} `{}` of `{}`", self.dir, self.gear.name),
            Phase::Prepare => format!("run the hook `prepare` of the gear `{}`", self.gear.name),
        }
    }

    fn prepare(&self, cx: &Cx<'_>) -> Result<Vec<u32>, Failure> {
        Ok(sandboxed::living(cx.layout, &self.gear)?)
    }

    fn apply(&self, _before: &Vec<u32>, cx: &Cx<'_>) -> Result<Said, Failure> {
        let home = cx.state.dir(self.gear.home())?;
        let (repo, more) = (self.repo(&home)?, self.variables(&home));
        let of = (&self.gear, self.dir.as_str());
        checkpoint("run_phase: before the scripts");
        let said = match self.phase {
            Phase::Control(action) if home.has(format!("{}/bin/control", self.dir))? => {
                script::control_with(cx, (&home, &repo), of, (action, &more))?
            }
            phase => script::hook_alone(cx, (&home, &repo), of, (phase.word(), &more))?,
        };
        checkpoint("run_phase: after the scripts");
        Ok(said)
    }

    /// What it has done to the deployment goes with that. Where nothing ran before, what it has left
    /// running is ended.
    fn revert(&self, before: &Vec<u32>, cx: &Cx<'_>) -> Result<(), Failure> {
        if before.is_empty() && cx.state.has(self.gear.home())? {
            EndProcesses::now(cx.layout, &self.gear)?;
        }
        Ok(())
    }

    fn runs_scripts(&self) -> bool {
        true
    }

    fn is_undone_by_a_power_cut(&self) -> bool {
        true
    }
}

#[cfg(test)]
pub(super) fn sample(world: &super::laws::World) -> RunPhase {
    let gear = world.gear();
    world.script("gears/blog/mock/bin/control", "#!/bin/bash\nexit 0\n");
    RunPhase { gear, dir: "mock".into(), phase: Phase::Control(Action::Build), deployment: None }
}
