//! Makes sure, before a gear is started, that nobody else listens where it should.

use super::{Cx, Said, Step};
use crate::error::Failure;
use crate::gear::endpoints::{self, EndpointError};
use crate::gear::identity::Identity;
use std::net::Ipv4Addr;

/// The addresses that a gear is going to need.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct CheckEndpoints {
    /// The gear.
    pub gear: Identity,
    /// The variable that holds each port, the address and the port.
    pub endpoints: Vec<(String, Ipv4Addr, u16)>,
}

impl Step for CheckEndpoints {
    type Undo = ();

    fn describe(&self) -> String {
        format!("make sure that the addresses of the gear `{}` are free", self.gear.name)
    }

    fn prepare(&self, _cx: &Cx<'_>) -> Result<(), Failure> {
        let taken = |(name, address, port): &&(String, Ipv4Addr, u16)| {
            endpoints::check_bindable(*address, &[*port].into())
                .err()
                .map(|_| endpoints::taken(name, *address, *port))
        };
        let taken: Vec<String> = self.endpoints.iter().filter_map(|one| taken(&one)).collect();
        if taken.is_empty() { Ok(()) } else { Err(EndpointError::Taken(taken).into()) }
    }

    fn apply(&self, _undo: &(), _cx: &Cx<'_>) -> Result<Said, Failure> {
        Ok(Said::default())
    }

    fn revert(&self, _undo: &(), _cx: &Cx<'_>) -> Result<(), Failure> {
        Ok(())
    }
}

#[cfg(test)]
pub(super) fn sample(world: &super::laws::World) -> CheckEndpoints {
    let endpoints = vec![("OPENSHIFT_MOCK_PORT".to_owned(), Ipv4Addr::new(127, 0, 1, 2), 8080)];
    CheckEndpoints { gear: world.gear(), endpoints }
}

#[cfg(test)]
mod tests {
    use super::super::laws::World;
    use super::*;
    use crate::config::Config;
    use crate::layout::Layout;
    use crate::sys::fs::Dir;

    #[test]
    fn what_is_taken_is_named() {
        let temp = tempfile::tempdir().unwrap();
        let layout = Layout::below(temp.path());
        let state = Dir::create(layout.state(), 0o755).unwrap();
        let config = Config::default();
        let cx = Cx::new((&layout, &config, &state), 1, ("1", 1));
        let address = Ipv4Addr::new(127, 0, 1, 3);
        let held = std::net::TcpListener::bind((address, 0)).unwrap();
        let port = held.local_addr().unwrap().port();
        let endpoints = vec![("OPENSHIFT_MOCK_PORT".to_owned(), address, port)];
        let step = CheckEndpoints { gear: World::new().gear(), endpoints };
        let failure = step.prepare(&cx).unwrap_err();
        let expected = format!("OPENSHIFT_MOCK_PORT({port})=127.0.1.3");
        assert!(failure.summary.contains(&expected), "{}", failure.summary);
        let who = format!("process {}", std::process::id());
        assert!(failure.summary.contains(&who), "{}", failure.summary);
        drop(held);
        // A child that another test has just forked holds the socket until it is a program of its own.
        let is_free = || {
            std::thread::sleep(std::time::Duration::from_millis(10));
            step.prepare(&cx).is_ok()
        };
        assert!((0..1000).any(|_| is_free()), "nobody listens there any more");
    }
}
