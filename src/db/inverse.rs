//! What undoing a transaction asks for, as the journal keeps it.

use crate::package::ident::GearName;

/// What undoing a transaction asks for: parts, in the order in which they are to be undone.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Inverse {
    /// The parts.
    pub parts: Vec<InversePart>,
}

/// One part of undoing.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(tag = "part", rename_all = "snake_case")]
pub enum InversePart {
    /// Remove the packages that the transaction installed.
    RemovePackages,
    /// Bring the packages back that the transaction removed.
    RestorePackages,
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
}
