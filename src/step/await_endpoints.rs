//! Waits until something listens where a started gear should. Many start scripts end well although
//! nothing runs (corpus, 0.1), so an exit status alone proves nothing.

use super::{Cx, Said, Step};
use crate::error::Failure;
use crate::gear::identity::Identity;
use crate::sys::interrupt;
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::time::{Duration, Instant};

/// How long a program may take until it listens; a Java server takes its time.
const PATIENCE: Duration = Duration::from_secs(10);
const GLANCE: Duration = Duration::from_millis(20);

/// Where a gear should be listening by now.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct AwaitEndpoints {
    /// The gear.
    pub gear: Identity,
    /// The addresses and ports of its endpoints.
    pub endpoints: Vec<(Ipv4Addr, u16)>,
}

impl Step for AwaitEndpoints {
    type Undo = ();

    fn describe(&self) -> String {
        format!("wait until the gear `{}` listens", self.gear.name)
    }

    fn prepare(&self, _cx: &Cx<'_>) -> Result<(), Failure> {
        Ok(())
    }

    /// Something that listens on one endpoint is enough: not every port is served from the start.
    /// Nothing at all is a warning, since what a gear is for may be not to listen yet.
    fn apply(&self, _undo: &(), _cx: &Cx<'_>) -> Result<Said, Failure> {
        let until = Instant::now() + PATIENCE;
        let listens = |(address, port): &(Ipv4Addr, u16)| {
            let at = SocketAddr::from((*address, *port));
            TcpStream::connect_timeout(&at, Duration::from_secs(1)).is_ok()
        };
        while !self.endpoints.iter().any(listens) {
            interrupt::check()?;
            if Instant::now() >= until {
                let at: Vec<_> =
                    self.endpoints.iter().map(|(at, port)| format!("{at}:{port}")).collect();
                let warning = format!(
                    "the gear `{}` was started, but nothing listens on {} after {} seconds: \
                     `cart gear logs {}` may say why",
                    self.gear.name,
                    at.join(", "),
                    PATIENCE.as_secs(),
                    self.gear.name
                );
                return Ok(Said { warnings: vec![warning], ..Said::default() });
            }
            std::thread::sleep(GLANCE);
        }
        Ok(Said::default())
    }

    fn revert(&self, _undo: &(), _cx: &Cx<'_>) -> Result<(), Failure> {
        Ok(())
    }
}

#[cfg(test)]
pub(super) fn sample(world: &super::laws::World) -> AwaitEndpoints {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    // It listens for as long as the tests run.
    std::mem::forget(listener);
    AwaitEndpoints { gear: world.gear(), endpoints: vec![(Ipv4Addr::LOCALHOST, port)] }
}
