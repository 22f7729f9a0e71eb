//! Ends what still runs in a gear after its cartridges were told to stop.

use super::sandboxed;
use super::{Cx, Said, Step};
use crate::error::Failure;
use crate::gear::identity::Identity;
use crate::layout::Layout;
use crate::sandbox;
use crate::sys::checkpoint::checkpoint;
use crate::sys::process;
use std::time::Duration;

/// How long a process may take to heed SIGTERM.
const GRACE: Duration = Duration::from_secs(10);

/// How processes are ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Manner {
    /// They are told to end, and given some time.
    #[default]
    Gently,
    /// The same; what they run in stays, since something else will run in it at once.
    ForTheNext,
    /// They are killed. Nothing that they had in hand comes back, so only after a commit.
    AtOnce,
}

/// Ends the processes of a gear.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct EndProcesses {
    /// The gear.
    pub gear: Identity,
    /// How.
    #[serde(default)]
    pub manner: Manner,
}

impl EndProcesses {
    /// Ends every process of `gear`, and what they run in; gives their number.
    pub fn now(layout: &Layout, gear: &Identity) -> Result<usize, Failure> {
        let ended = Self::processes(layout, gear, GRACE)?;
        Self::supervisor(layout, gear)?;
        Ok(ended)
    }

    fn processes(layout: &Layout, gear: &Identity, grace: Duration) -> Result<usize, Failure> {
        Ok(process::end_all(|| sandboxed::living(layout, gear), grace)?)
    }

    fn supervisor(layout: &Layout, gear: &Identity) -> Result<(), Failure> {
        checkpoint("end_processes: before the supervisor");
        Ok(sandbox::end(&layout.running(), &gear.uuid)?)
    }
}

impl Step for EndProcesses {
    type Undo = ();

    fn describe(&self) -> String {
        match self.manner {
            Manner::Gently | Manner::ForTheNext => {
                format!("end what still runs in the gear `{}`", self.gear.name)
            }
            Manner::AtOnce => format!("kill what runs in the gear `{}`", self.gear.name),
        }
    }

    fn prepare(&self, _cx: &Cx<'_>) -> Result<(), Failure> {
        Ok(())
    }

    fn apply(&self, _undo: &(), cx: &Cx<'_>) -> Result<Said, Failure> {
        let mut said = Said::default();
        let grace = if self.manner == Manner::AtOnce { Duration::ZERO } else { GRACE };
        let ended = Self::processes(cx.layout, &self.gear, grace)?;
        if self.manner != Manner::ForTheNext {
            Self::supervisor(cx.layout, &self.gear)?;
        }
        match ended {
            _ if self.manner == Manner::AtOnce => {}
            0 => {}
            1 => said.warnings.push("1 process did not stop by itself and was ended".into()),
            many => {
                said.warnings
                    .push(format!("{many} processes did not stop by themselves and were ended"));
            }
        }
        Ok(said)
    }

    /// Nothing: strays have no inverse; what the cartridge runs is started again by the inverse of
    /// its `control stop`.
    fn revert(&self, _undo: &(), _cx: &Cx<'_>) -> Result<(), Failure> {
        Ok(())
    }

    fn is_undone_by_a_power_cut(&self) -> bool {
        true
    }
}

#[cfg(test)]
pub(super) fn sample(world: &super::laws::World) -> EndProcesses {
    EndProcesses { gear: world.gear(), manner: Manner::Gently }
}
