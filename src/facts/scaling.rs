//! Facts for scaling an application.

use super::deployments::DeployFacts;
use super::externals::Externals;
use super::gears::{Gear, Host, Seat, home_size, told};
use super::variables::Variables;
use crate::config::Config;
use crate::db::{Db, ToldRow};
use crate::error::Failure;
use crate::gear::deployment::SETTINGS;
use crate::layout::Layout;
use crate::package::ident::EnvName;
use std::collections::BTreeMap;
use std::ffi::OsString;

/// Everything that a change of the number of an application's gears may know.
#[derive(Clone, Debug, PartialEq)]
pub struct ScaleFacts {
    /// The head, and its children.
    pub head: DeployFacts,
    /// The gears of the application, these among them, the oldest first.
    pub application: Vec<Gear>,
    /// What their cartridges have told.
    pub told: Vec<ToldRow>,
    /// The host.
    pub host: Host,
    /// Places for new gears, at least as many as are needed.
    pub seats: Vec<Seat>,
    /// The bytes in the homes of the children, in their order.
    pub sizes: Vec<u64>,
    /// What users have set in the head.
    pub variables: BTreeMap<EnvName, OsString>,
    /// How the head is deployed, where that differs from a new gear.
    pub settings: BTreeMap<EnvName, OsString>,
    /// The externals of this host.
    pub externals: Externals,
}

impl ScaleFacts {
    /// Reads them for the head `gear`; `accounts` of the host are made as for that one.
    pub fn of(
        db: &Db,
        (layout, config): (&Layout, &Config),
        (gear, seats): (Gear, Vec<Seat>),
    ) -> Result<Self, Failure> {
        let application = gear.application(db, layout)?;
        let accounts = gear.identity.account;
        let head = DeployFacts::of_app(db, layout, gear)?;
        let sizes = head.children.iter();
        let Variables { user: variables, mut platform, .. } =
            Variables::read(db, layout, &head.gear.identity.name)?;
        let differs = |name: &str, value: &OsString| {
            SETTINGS.iter().any(|(setting, usual)| *setting == name && value != usual)
        };
        platform.retain(|name, value| differs(name.as_str(), value));
        Ok(Self {
            told: told(db, &application)?,
            application,
            host: Host::look(layout, accounts),
            seats,
            variables,
            settings: platform,
            sizes: sizes.map(|one| home_size(layout, &one.gear.identity.name)).collect(),
            externals: Externals::look(layout, config),
            head,
        })
    }
}
