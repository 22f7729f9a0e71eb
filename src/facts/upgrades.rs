//! Facts for upgrading a gear.

use super::gears::{Gear, home_size};
use super::members::MemberFacts;
use super::packages::library;
use crate::config::Config;
use crate::db::Db;
use crate::error::Failure;
use crate::layout::Layout;
use crate::sys::clock::Moment;
use crate::sys::fs::{Dir, Kind};
use crate::sys::net;
use std::collections::BTreeSet;
use std::net::Ipv4Addr;
use std::path::PathBuf;

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
    /// What the administrator has put beside upgrades.
    pub extension: Extension,
}

/// The gear upgrade extension (the guide, OpenShift Upgrades): executables in `upgrade/` of the
/// settings, and the release of this program for which they were written.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Extension {
    /// `pre-upgrade`, where it is there and executable.
    pub before: Option<PathBuf>,
    /// `post-upgrade`.
    pub after: Option<PathBuf>,
    /// What stands in `version`.
    pub version: Option<String>,
}

impl Extension {
    /// Looks for it.
    fn look(layout: &Layout) -> Self {
        let folder = layout.upgrade_extension();
        let Ok(dir) = Dir::open(&folder) else { return Self::default() };
        let program = |name: &str| {
            let meta = dir.meta(name).ok().flatten()?;
            (meta.kind == Kind::File && meta.mode & 0o111 != 0).then(|| folder.join(name))
        };
        let version = dir.read("version", 256).ok();
        Self {
            before: program("pre-upgrade"),
            after: program("post-upgrade"),
            version: version.map(|text| String::from_utf8_lossy(&text).trim().to_owned()),
        }
    }
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
        Ok(Self {
            configured,
            extension: Extension::look(layout),
            answering: answering(&gear),
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

/// Where the gear listens right now.
pub(super) fn answering(gear: &Gear) -> Vec<(Ipv4Addr, u16)> {
    let places = gear.endpoints.iter();
    let places = places.filter_map(|row| Some((row.address.parse().ok()?, row.port)));
    places.filter(|(at, port): &(Ipv4Addr, u16)| net::listens((*at).into(), *port)).collect()
}
