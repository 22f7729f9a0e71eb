//! Gives a cartridge its addresses and ports: tried by a real bind, written as variables.

use super::files::{self, Before, NewFile};
use super::{Cx, Said, Step};
use crate::error::{Exit, Failure};
use crate::gear::endpoints::{self, Assigned};
use crate::gear::identity::Identity;

/// The endpoints of a cartridge.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct ClaimEndpoints {
    /// The gear.
    pub gear: Identity,
    /// The cartridge's folder.
    pub dir: String,
    /// What was chosen for it.
    pub endpoints: Vec<Assigned>,
}

impl ClaimEndpoints {
    fn files(&self) -> Vec<NewFile> {
        let variables = self.endpoints.iter().flat_map(Assigned::variables);
        // Platform variables: root's where the gear has a user of its own, readable by its group.
        let owner = self.gear.owner.map(|(_, gid)| (0, gid));
        variables
            .map(|(name, value)| NewFile {
                path: format!("{}/.env/{name}", self.gear.home()),
                bytes: value.into_bytes(),
                mode: 0o644,
                owner,
            })
            .collect()
    }
}

impl Step for ClaimEndpoints {
    type Undo = Vec<Before>;

    fn describe(&self) -> String {
        let at: Vec<_> =
            self.endpoints.iter().map(|one| format!("{}:{}", one.address, one.port)).collect();
        format!("reserve {} for `{}`", at.join(", "), self.dir)
    }

    fn prepare(&self, cx: &Cx<'_>) -> Result<Vec<Before>, Failure> {
        for one in &self.endpoints {
            if !endpoints::is_bindable(one.address, &[one.port]) {
                let text = format!(
                    "{} ({}:{}) is in use",
                    one.port_variable, one.address, one.port
                );
                return Err(Failure::new(Exit::Conflict, text)
                    .hint("`ss -ltnp` shows what listens there; stop it, then try again"));
            }
        }
        files::look(cx, &self.files())
    }

    fn apply(&self, _before: &Vec<Before>, cx: &Cx<'_>) -> Result<Said, Failure> {
        files::write(cx, &self.files())?;
        Ok(Said::default())
    }

    fn revert(&self, before: &Vec<Before>, cx: &Cx<'_>) -> Result<(), Failure> {
        files::put_back(cx, &self.files(), before)
    }
}

#[cfg(test)]
pub(super) fn sample(world: &super::laws::World) -> ClaimEndpoints {
    let gear = world.gear();
    // One variable exists already, one does not.
    world.state.write_new("gears/blog/.env/OPENSHIFT_MOCK_IP", b"127.0.0.9", 0o640).unwrap();
    let endpoints = vec![Assigned {
        ip_variable: "OPENSHIFT_MOCK_IP".into(),
        address: std::net::Ipv4Addr::new(127, 0, 1, 1),
        port_variable: "OPENSHIFT_MOCK_PORT".into(),
        port: 8080,
        websocket: None,
    }];
    ClaimEndpoints { gear, dir: "mock".into(), endpoints }
}
