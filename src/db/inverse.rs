//! What undoing a transaction asks for, as the journal keeps it.

use super::{NewCartridge, NewEndpoint};
use crate::package::ident::{EnvName, GearName};
use crate::sys::path::RelPath;
use std::ffi::OsString;

/// What undoing a transaction asks for: parts, in the order in which they are to be undone.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Inverse {
    /// The parts.
    pub parts: Vec<InversePart>,
}

/// A symbolic link of the host, and what becomes of it.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct HostLink {
    /// Its path below the root directory.
    pub path: RelPath,
    /// Where it leads before; nothing when it is not there.
    pub was: Option<String>,
    /// Where it leads afterwards; nothing when it is gone.
    pub becomes: Option<String>,
}

/// One part of undoing.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(tag = "part", rename_all = "snake_case")]
pub enum InversePart {
    /// Remove the packages that the transaction installed.
    RemovePackages,
    /// Bring the packages back that the transaction removed.
    RestorePackages,
    /// Put what packages of tpkg have brought or taken back as it was before.
    Tpkgs,
    /// Leave packages to tpkg that were taken over from it.
    LetGo,
    /// Destroy the gear that the transaction created.
    DestroyGear {
        /// Its name.
        name: GearName,
    },
    /// Bring the gear back that the transaction destroyed, and start it where it was running.
    RestoreGear {
        /// Its name.
        name: GearName,
        /// Whether it was running.
        started: bool,
    },
    /// Remove the cartridges that the transaction added to a gear.
    RemoveCartridges {
        /// The gear.
        name: GearName,
        /// The cartridges' folders, in the order of removing.
        dirs: Vec<String>,
    },
    /// Bring a cartridge back that the transaction removed from a gear.
    ReturnCartridge {
        /// The gear.
        name: GearName,
        /// The cartridge.
        cartridge: NewCartridge,
        /// Where it listened.
        endpoints: Vec<NewEndpoint>,
    },
    /// Give the gear the releases of its cartridges again that it had before an upgrade.
    RollBackGear {
        /// Its name.
        name: GearName,
        /// The cartridges that were upgraded, as they were.
        cartridges: Vec<NewCartridge>,
        /// The endpoints that went.
        endpoints: Vec<NewEndpoint>,
    },
    /// Put the whole home of the gear back as the transaction has kept it.
    HomeAsBefore {
        /// Its name.
        name: GearName,
    },
    /// Show the gear to the outside again, which the transaction took off the front end.
    ConnectFrontend {
        /// Its name.
        name: GearName,
    },
    /// Give the gear public ports again, which the transaction took away.
    ExposeGear {
        /// Its name.
        name: GearName,
    },
    /// Take the public ports away that the transaction gave.
    UnexposeGear {
        /// Its name.
        name: GearName,
    },
    /// Put the deployment to use again that the gear used before.
    ActivateDeployment {
        /// The gear.
        name: GearName,
        /// The name of the deployment's directory.
        deployment: String,
    },
    /// Tell the web proxy of a scaled application of the gears that there are.
    UpdateCluster {
        /// The gear that has the proxy.
        name: GearName,
    },
    /// Start the gear that the transaction stopped.
    StartGear {
        /// Its name.
        name: GearName,
    },
    /// Stop the gear that the transaction started.
    StopGear {
        /// Its name.
        name: GearName,
    },
    /// Tell services of packages of tpkg the opposite of what they were told.
    Services {
        /// What they are to be told.
        tell: ServiceTurn,
        /// The services.
        services: Vec<ServiceCall>,
    },
    /// Withdraw what the transaction told: variables of the domain, data of cartridges.
    Withdraw,
    /// Let what the transaction withdrew hold again.
    RestoreTold,
    /// Give variables of a gear the values that they had.
    Variables {
        /// The gear.
        name: GearName,
        /// The folder of the files, below its home.
        folder: String,
        /// What was changed.
        changed: Vec<ChangedVariable>,
    },
    /// Let go what the transaction holds, and hold again what it let go.
    Holds,
    /// Nothing: what was deployed at a site is replaced by deploying it again.
    SiteDeployment {
        /// What people call the site.
        site: String,
    },
    /// Set links of the host back.
    HostLinks {
        /// The links.
        links: Vec<HostLink>,
    },
    /// Write, change back or remove the unit that starts the gears with the host.
    Unit {
        /// What it says before; nothing when it is not there.
        was: Option<String>,
        /// What it says afterwards; nothing when it is gone.
        becomes: Option<String>,
    },
}

/// A variable of a gear that was changed: the bytes of its file before and after; nothing stands
/// for no file.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct ChangedVariable {
    /// Its name.
    pub name: EnvName,
    /// Before.
    pub was: Option<OsString>,
    /// After.
    pub became: Option<OsString>,
}

/// What has an opposite of what services are told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ServiceTurn {
    /// Begin.
    Start,
    /// End.
    Stop,
}

/// A service of a package of tpkg.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct ServiceCall {
    /// What messages call its package.
    pub package: String,
    /// The name of its package.
    pub name: String,
    /// The package's base.
    pub base: String,
    /// The absolute path of its init script.
    pub script: String,
    /// When it is its turn.
    pub start: u32,
    /// Its unit, where systemd starts it.
    pub unit: Option<String>,
}
