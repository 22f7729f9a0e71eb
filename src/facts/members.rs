//! Facts for changing which cartridges a gear has.

use super::externals::Externals;
use super::gears::{Gear, MOST_PORTS, Outside, taken_hosts, told};
use super::packages::{Installed, library};
use crate::config::Config;
use crate::db::{Db, ToldRow};
use crate::error::Failure;
use crate::layout::Layout;
use crate::sys::fs::Dir;
use crate::sys::tree;
use std::collections::BTreeSet;

/// Everything that a change of a gear's cartridges may know.
#[derive(Clone, Debug, PartialEq)]
pub struct MemberFacts {
    /// The gear.
    pub gear: Gear,
    /// The gears of its application, itself among them, the oldest first.
    pub application: Vec<Gear>,
    /// What the cartridges of the application have told.
    pub told: Vec<ToldRow>,
    /// The numbers of its addresses that are not free.
    pub taken_hosts: BTreeSet<u8>,
    /// The front end, where there is one.
    pub outside: Option<Outside>,
    /// The installed packages that are asked for.
    pub installed: Vec<Installed>,
    /// The externals of this host.
    pub externals: Externals,
}

impl MemberFacts {
    /// Reads them for `gear`, which is to get cartridges that listen on `ports` and come in packages
    /// called `names`.
    pub fn of(
        db: &Db,
        (layout, config): (&Layout, &Config),
        gear: Gear,
        (ports, names): (&BTreeSet<u16>, &BTreeSet<String>),
    ) -> Result<Self, Failure> {
        let application = gear.application(db, layout)?;
        Ok(Self {
            told: told(db, &application)?,
            application,
            taken_hosts: if ports.is_empty() { BTreeSet::new() } else { taken_hosts(&gear, ports) },
            outside: Outside::look(db, config, gear.row.slot, MOST_PORTS)?,
            installed: library(db, names)?,
            externals: Externals::look(layout, config),
            gear,
        })
    }
}

/// The bytes in the folders `dirs` of a gear; what cannot be read counts as nothing.
pub fn folders_size(layout: &Layout, gear: &str, dirs: &[String]) -> u64 {
    let Ok(home) = Dir::open(&layout.gears().join(gear)) else { return 0 };
    dirs.iter().map(|dir| tree::size(&home, dir.as_str()).unwrap_or_default()).sum()
}
