//! Gives a cartridge its addresses and ports: tried by a real bind, written as variables.

use super::files::{self, Before, NewFile};
use super::{Cx, Said, Step};
use crate::error::Failure;
use crate::gear::endpoints::{self, EndpointError};
use crate::gear::identity::Identity;
use std::collections::BTreeSet;
use std::net::Ipv4Addr;

/// The endpoints of a cartridge.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct ClaimEndpoints {
    /// The gear.
    pub gear: Identity,
    /// The cartridge's folder.
    pub dir: String,
    /// What was chosen for it.
    pub claims: Vec<Claim>,
}

/// One address with its ports, and the variables that tell of them.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Claim {
    /// The address.
    pub address: Ipv4Addr,
    /// The ports.
    pub ports: BTreeSet<u16>,
    /// The variables, with their values.
    pub variables: Vec<(String, String)>,
}

impl Claim {
    /// Makes sure that all of its ports can be had; those that cannot are named.
    fn check(&self) -> Result<(), EndpointError> {
        let is_taken =
            |port: &&u16| endpoints::check_bindable(self.address, &[**port].into()).is_err();
        let named = |port: &u16| {
            let mut variables = self.variables.iter();
            let name = variables.find(|(_, value)| *value == port.to_string());
            endpoints::taken(name.map_or("", |(name, _)| name), self.address, *port)
        };
        let taken: Vec<String> = self.ports.iter().filter(is_taken).map(named).collect();
        if taken.is_empty() { Ok(()) } else { Err(EndpointError::Taken(taken)) }
    }
}

impl ClaimEndpoints {
    fn files(&self) -> Vec<NewFile> {
        let variables = self.claims.iter().flat_map(|claim| claim.variables.clone());
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
        let at: Vec<_> = self
            .claims
            .iter()
            .flat_map(|claim| claim.ports.iter().map(|port| format!("{}:{port}", claim.address)))
            .collect();
        if at.is_empty() {
            let all = self.claims.iter().flat_map(|claim| &claim.variables);
            let all: Vec<_> = all.map(|(name, value)| format!("{name}={value}")).collect();
            return format!("set {} for `{}`", all.join(", "), self.dir);
        }
        format!("reserve {} for `{}`", at.join(", "), self.dir)
    }

    fn prepare(&self, cx: &Cx<'_>) -> Result<Vec<Before>, Failure> {
        for claim in &self.claims {
            claim.check()?;
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
    let variables = [("OPENSHIFT_MOCK_IP", "127.0.1.1"), ("OPENSHIFT_MOCK_PORT", "8080")];
    let claim = Claim {
        address: Ipv4Addr::new(127, 0, 1, 1),
        ports: [8080].into(),
        variables: variables.map(|(name, value)| (name.into(), value.into())).to_vec(),
    };
    ClaimEndpoints { gear, dir: "mock".into(), claims: vec![claim] }
}
