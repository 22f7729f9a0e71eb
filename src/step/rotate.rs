//! Takes a gear of a scaled application out of what its web proxy sends requests to, or back in.

use super::{Cx, Said, Step, proxy, sandboxed};
use crate::error::Failure;
use crate::gear::action::Action;
use crate::gear::identity::Identity;
use crate::sys::checkpoint::checkpoint;
use crate::sys::{interrupt, sockets};
use std::net::{IpAddr, Ipv4Addr};
use std::time::{Duration, Instant};

/// How long requests that are under way may take, before the gear is stopped all the same.
const PATIENCE: Duration = Duration::from_secs(5);
const GLANCE: Duration = Duration::from_millis(20);

/// A gear that is to get requests, or none.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Rotate {
    /// The gear with the proxy.
    pub gear: Identity,
    /// The proxy's folder.
    pub dir: String,
    /// The identifier of the gear that is meant.
    pub target: String,
    /// Where that one listens: what is under way there is waited for.
    pub endpoints: Vec<(Ipv4Addr, u16)>,
    /// Whether it gets requests.
    pub turn: Turn,
}

/// Whether a gear gets requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Turn {
    /// It does.
    In,
    /// It does not.
    Out,
}

impl Turn {
    fn back(self) -> Self {
        match self {
            Self::In => Self::Out,
            Self::Out => Self::In,
        }
    }
}

impl Rotate {
    fn turn(&self, cx: &Cx<'_>, turn: Turn) -> Result<Said, Failure> {
        let home = cx.state.dir(self.gear.home())?;
        let action = match turn {
            Turn::In => Action::EnableServer,
            Turn::Out => Action::DisableServer,
        };
        let words = std::slice::from_ref(&self.target);
        let said = proxy::tell(cx, &home, (&self.gear, &self.dir), (action, words))?;
        if turn == Turn::Out {
            self.drain()?;
        }
        Ok(said)
    }

    /// Waits for the requests that the gear is answering.
    fn drain(&self) -> Result<(), Failure> {
        let began = Instant::now();
        while self.is_busy() && began.elapsed() < PATIENCE {
            interrupt::check()?;
            std::thread::sleep(GLANCE);
        }
        Ok(())
    }

    fn is_busy(&self) -> bool {
        let is_its = |end: std::net::SocketAddr| {
            let mut all = self.endpoints.iter();
            all.any(|(at, port)| end.ip() == IpAddr::V4(*at) && end.port() == *port)
        };
        !self.endpoints.is_empty()
            && sockets::all()
                .iter()
                .any(|one| one.state == Some("ESTABLISHED") && is_its(one.remote))
    }
}

impl Step for Rotate {
    type Undo = ();

    fn describe(&self) -> String {
        let Self { gear, dir, target, .. } = self;
        match self.turn {
            Turn::In => format!(
                "let `{dir}` of the gear `{gear}` send requests to {target}",
                gear = gear.name
            ),
            Turn::Out => {
                format!("let `{dir}` of the gear `{gear}` send none to {target}", gear = gear.name)
            }
        }
    }

    fn prepare(&self, _cx: &Cx<'_>) -> Result<(), Failure> {
        Ok(())
    }

    fn apply(&self, _undo: &(), cx: &Cx<'_>) -> Result<Said, Failure> {
        checkpoint("rotate: before the proxy is told");
        self.turn(cx, self.turn)
    }

    fn revert(&self, _undo: &(), cx: &Cx<'_>) -> Result<(), Failure> {
        if !cx.state.has(self.gear.home())? || sandboxed::living(cx.layout, &self.gear)?.is_empty()
        {
            return Ok(());
        }
        if let Err(failure) = self.turn(cx, self.turn.back()) {
            proxy::was_not_told(cx, (&self.gear, &self.dir), &failure);
        }
        Ok(())
    }

    fn runs_scripts(&self) -> bool {
        true
    }
}

#[cfg(test)]
pub(super) fn sample(world: &super::laws::World) -> Rotate {
    let gear = world.gear();
    world.script("gears/blog/mock/bin/control", "#!/bin/bash\nexit 0\n");
    let (target, endpoints) = (gear.uuid.clone(), Vec::new());
    Rotate { gear, dir: "mock".into(), target, endpoints, turn: Turn::Out }
}
