//! Facts for upgrading a gear.

use super::gears::{Gear, home_size};
use super::members::MemberFacts;
use super::packages::library;
use crate::config::Config;
use crate::db::Db;
use crate::error::Failure;
use crate::layout::Layout;
use crate::sys::clock::Moment;
use crate::sys::net;
use std::collections::BTreeSet;
use std::net::Ipv4Addr;

/// Everything that the upgrade of a gear may know.
#[derive(Clone, Debug, PartialEq)]
pub struct UpgradeFacts {
    /// The gear, its application, and the installed packages called as its cartridges are.
    pub members: MemberFacts,
    /// When each cartridge was set up last, by its folder.
    pub configured: Vec<(String, Moment)>,
    /// Where it listens right now.
    pub answering: Vec<(Ipv4Addr, u16)>,
    /// The bytes in its home.
    pub bytes: u64,
}

impl UpgradeFacts {
    /// Reads them.
    pub fn of(db: &Db, (layout, config): (&Layout, &Config), gear: Gear) -> Result<Self, Failure> {
        let names: BTreeSet<String> =
            gear.identity.cartridges.iter().map(|one| one.dir.clone()).collect();
        let mut ports = BTreeSet::new();
        for one in library(db, &names)? {
            for endpoint in one.package.software.iter().flat_map(|software| &software.endpoints) {
                ports.insert(endpoint.port);
                ports.extend(endpoint.websocket_port);
            }
        }
        let rows = db.gear_cartridges(gear.row.id)?.into_iter();
        let configured = rows.map(|row| (row.dir, Moment(row.configured))).collect();
        let places = gear.endpoints.iter();
        let places = places.filter_map(|row| Some((row.address.parse().ok()?, row.port)));
        let answering =
            places.filter(|(at, port): &(Ipv4Addr, u16)| net::listens((*at).into(), *port));
        Ok(Self {
            configured,
            answering: answering.collect(),
            bytes: home_size(layout, &gear.identity.name),
            members: MemberFacts::of(db, (layout, config), gear, (&ports, &names))?,
        })
    }

    /// When the cartridge in the folder `dir` was set up last.
    pub fn configured(&self, dir: &str) -> Moment {
        let mut all = self.configured.iter();
        all.find(|(of, _)| of == dir).map_or(Moment(0), |(_, moment)| *moment)
    }
}
