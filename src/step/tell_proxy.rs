//! Calls an action of a web proxy, without the hooks of the application's developer: those belong to
//! its web framework.

use super::{Cx, Said, Step, proxy};
use crate::error::Failure;
use crate::gear::action::Action;
use crate::gear::identity::Identity;
use crate::sys::checkpoint::checkpoint;

/// An action that has no inverse, because the proxy only takes note.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct TellProxy {
    /// The gear with the proxy.
    pub gear: Identity,
    /// The proxy's folder.
    pub dir: String,
    /// The action.
    pub action: Action,
}

impl Step for TellProxy {
    type Undo = ();

    fn describe(&self) -> String {
        format!("{} `{}` of the gear `{}`", self.action, self.dir, self.gear.name)
    }

    fn prepare(&self, _cx: &Cx<'_>) -> Result<(), Failure> {
        Ok(())
    }

    fn apply(&self, _undo: &(), cx: &Cx<'_>) -> Result<Said, Failure> {
        let home = cx.state.dir(self.gear.home())?;
        checkpoint("tell_proxy: before it is told");
        proxy::tell(cx, &home, (&self.gear, &self.dir), (self.action, &[]))
    }

    fn revert(&self, _undo: &(), _cx: &Cx<'_>) -> Result<(), Failure> {
        Ok(())
    }

    fn runs_scripts(&self) -> bool {
        true
    }
}

#[cfg(test)]
pub(super) fn sample(world: &super::laws::World) -> TellProxy {
    let gear = world.gear();
    world.script("gears/blog/mock/bin/control", "#!/bin/bash\nexit 0\n");
    TellProxy { gear, dir: "mock".into(), action: Action::Deploy }
}
