//! Writes what a gear is expected to be: its `.state`, and the lock that keeps a stopped one so.

use super::times::Times;
use super::{Cx, Said, Step};
use crate::error::Failure;
use crate::gear::identity::Identity;
use crate::gear::state::{self, State};
use crate::sys::checkpoint::checkpoint;

/// Who wants it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Initiator {
    /// The gear's user: a stop is for good, until the same user starts it.
    #[default]
    User,
    /// The system, for a while: the stop lock stays as it is.
    System,
}

/// The expected state of a gear. Started takes the stop lock away, stopped sets it (node
/// specification, 8.3); it is written before the scripts run, as the original does.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct SetState {
    /// The gear.
    pub gear: Identity,
    /// Its new state.
    pub state: State,
    /// Who wants it.
    #[serde(default)]
    pub initiator: Initiator,
}

/// What it was before.
#[derive(Debug, serde::Serialize, serde::Deserialize)]
pub struct Before {
    state: Option<State>,
    stop_lock: bool,
    /// When the files and their folder were last changed.
    #[serde(default)]
    times: Times,
}

impl Step for SetState {
    type Undo = Before;

    fn describe(&self) -> String {
        format!("mark the gear `{}` as {}", self.gear.name, self.state.as_str())
    }

    fn prepare(&self, cx: &Cx<'_>) -> Result<Before, Failure> {
        // A gear that comes back in the same transaction has no home yet when this is planned,
        // but has one when its turn comes.
        let home = cx.state.dir(self.gear.home())?;
        let times = Times::of(&home, state::FILES.map(str::to_owned))?;
        Ok(Before { state: state::read(&home), stop_lock: state::is_stop_locked(&home)?, times })
    }

    fn apply(&self, _before: &Before, cx: &Cx<'_>) -> Result<Said, Failure> {
        let home = cx.state.dir(self.gear.home())?;
        state::write(&home, self.state)?;
        checkpoint("set_state: between state and lock");
        match (self.initiator, self.state) {
            (Initiator::System, _) => {}
            (Initiator::User, State::Stopped) => state::set_stop_lock(&home)?,
            (Initiator::User, _) => state::clear_stop_lock(&home)?,
        }
        Ok(Said::default())
    }

    fn revert(&self, before: &Before, cx: &Cx<'_>) -> Result<(), Failure> {
        if !cx.state.has(self.gear.home())? {
            return Ok(());
        }
        let home = cx.state.dir(self.gear.home())?;
        if let Some(state) = before.state {
            state::write(&home, state)?;
        }
        let _: () = if before.stop_lock {
            state::set_stop_lock(&home)?;
        } else {
            state::clear_stop_lock(&home)?;
        };
        before.times.put_back(&home)
    }
}

#[cfg(test)]
pub(super) fn sample(world: &super::laws::World) -> SetState {
    SetState { gear: world.gear(), state: State::Stopped, initiator: Initiator::User }
}
