//! Which endpoints of a gear come and go with other releases of its cartridges; one that both
//! releases have keeps its address.

use super::itinerary::{Entry, Kind};
use crate::db::{GearEndpointRow, NewEndpoint};
use crate::error::Exit;
use crate::facts::{Gear, MemberFacts};
use crate::gear::endpoints::{self, Assigned};
use crate::package::endpoint::Endpoint;
use crate::plan::Refusal;
use crate::step::endpoints::Claim;
use std::net::Ipv4Addr;

/// What comes and goes.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Moved {
    /// The variables of the private ports that go.
    pub(super) gone: Vec<String>,
    /// The endpoints that come.
    pub(super) new: Vec<NewEndpoint>,
    /// What the gear is told of those that come, by cartridge.
    claims: Vec<(String, Claim)>,
    /// The variables that go with the endpoints, by cartridge.
    dropped: Vec<(String, String)>,
}

impl Moved {
    pub(super) fn claims(&self, dir: &str) -> Vec<Claim> {
        let own = self.claims.iter().filter(|(of, _)| of == dir);
        own.map(|(_, claim)| claim.clone()).collect()
    }

    pub(super) fn dropped(&self, dir: &str) -> Vec<String> {
        let own = self.dropped.iter().filter(|(of, _)| of == dir);
        own.map(|(_, name)| name.clone()).collect()
    }

    /// The endpoints as they will be.
    pub(super) fn rows(&self, gear: &Gear) -> Vec<GearEndpointRow> {
        let stays = |row: &&GearEndpointRow| !self.gone.contains(&row.name);
        let new = self.new.iter().map(GearEndpointRow::from);
        gear.endpoints.iter().filter(stays).cloned().chain(new).collect()
    }

    /// Those that go, as they are; a public port does not come back by itself.
    pub(super) fn gone_rows(&self, gear: &Gear) -> Vec<NewEndpoint> {
        let goes = |row: &&GearEndpointRow| self.gone.contains(&row.name);
        gear.endpoints.iter().filter(goes).filter_map(as_new).collect()
    }
}

/// A row as it would be added anew.
pub(super) fn as_new(row: &GearEndpointRow) -> Option<NewEndpoint> {
    Some(NewEndpoint {
        dir: row.dir.clone(),
        name: row.name.clone(),
        address: row.address.parse().ok()?,
        port: row.port,
        public_port: None,
        protocols: row.protocols.clone(),
    })
}

/// The variables that tell of an endpoint.
pub(super) fn variables(short_name: &str, one: &Endpoint) -> Vec<String> {
    let own = [Some(&one.ip_name), Some(&one.port_name), one.websocket_port_name.as_ref()];
    let own = own.into_iter().chain([one.public_port_name.as_ref()]).flatten();
    own.map(|name| endpoints::variable(short_name, name)).collect()
}

/// What comes and goes with `entries`; a compatible release leaves endpoints as they are.
pub(super) fn moved(facts: &MemberFacts, entries: &[Entry]) -> Result<Moved, Refusal> {
    let mut moved = Moved::default();
    let mut taken = facts.taken_hosts.clone();
    for one in entries.iter().filter(|one| one.kind == Kind::Incompatible) {
        let (dir, short) = (&one.cartridge.dir, one.new.package.short_name.as_str());
        let rows: Vec<_> = facts.gear.endpoints.iter().filter(|row| row.dir == *dir).collect();
        let name_of = |endpoint: &Endpoint| endpoints::variable(short, &endpoint.port_name);
        let is_there = |endpoint: &Endpoint| {
            rows.iter().any(|row| row.name == name_of(endpoint) && row.port == endpoint.port)
        };
        let wanted = &one.new.software().endpoints;
        let (kept, new): (Vec<&Endpoint>, Vec<&Endpoint>) =
            wanted.iter().partition(|endpoint| is_there(endpoint));
        let kept_names: Vec<String> = kept.iter().map(|endpoint| name_of(endpoint)).collect();
        moved.gone.extend(
            rows.iter().map(|row| row.name.clone()).filter(|name| !kept_names.contains(name)),
        );
        let told: Vec<String> =
            wanted.iter().flat_map(|endpoint| variables(short, endpoint)).collect();
        let old = one.old.software(&one.cartridge.software);
        let old = old.into_iter().flat_map(|software| &software.endpoints);
        let untold = old.flat_map(|endpoint| variables(one.old.short_name.as_str(), endpoint));
        let mut untold: Vec<String> = untold.filter(|name| !told.contains(name)).collect();
        untold.sort();
        untold.dedup();
        moved.dropped.extend(untold.into_iter().map(|name| (dir.clone(), name)));
        let address_of = |endpoint: &Endpoint| -> Option<Ipv4Addr> {
            let same = kept.iter().find(|other| other.ip_name == endpoint.ip_name)?;
            rows.iter().find(|row| row.name == name_of(same))?.address.parse().ok()
        };
        let (beside, alone): (Vec<&Endpoint>, Vec<&Endpoint>) =
            new.into_iter().partition(|endpoint| address_of(endpoint).is_some());
        let alone: Vec<Endpoint> = alone.into_iter().cloned().collect();
        let assigned = endpoints::assign(&alone, &taken, facts.gear.row.slot)
            .map_err(|error| Refusal::new(Exit::Conflict, format!("`{dir}`: {error}")))?;
        taken.extend(assigned.iter().map(|at| at.host));
        let beside = beside.into_iter().filter_map(|endpoint| {
            Some(Assigned { endpoint, host: 0, address: address_of(endpoint)? })
        });
        for at in beside.chain(assigned) {
            moved.claims.push((
                dir.clone(),
                Claim {
                    address: at.address,
                    ports: at.ports().collect(),
                    variables: at.variables(short),
                },
            ));
            moved.new.push(NewEndpoint {
                dir: dir.clone(),
                name: name_of(at.endpoint),
                address: at.address,
                port: at.endpoint.port,
                public_port: None,
                protocols: at.endpoint.protocols.clone(),
            });
        }
    }
    Ok(moved)
}
