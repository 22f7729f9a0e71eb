//! Who a gear is and what lives in it, as steps and plans carry it.

use crate::package::ident::{GearName, ShortName};
use crate::package::version::Version;
use crate::sys::path::RelPath;

/// A gear, as far as its scripts and files need it.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Identity {
    /// Its name.
    pub name: GearName,
    /// Its identifier, also the name of its account.
    pub uuid: String,
    /// Its own user and group; nothing where it runs as the user of `cart`.
    pub owner: Option<(u32, u32)>,
    /// Whether the host has an account for that user, so that nobody else can have its number.
    pub account: bool,
    /// How its processes are kept apart from the host.
    pub sandbox: Sandbox,
    /// Its cartridges, in the order of configuring.
    pub cartridges: Vec<Cartridge>,
}

/// How a gear's processes are kept apart from the host; decided when it is created.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Sandbox {
    /// Limits and, as root, a user of its own; the files are those of the host.
    Plain,
    /// The same, and a view of `/usr/bin` that has the commands of cartridges, too.
    Namespaces,
}

impl Sandbox {
    /// The word that stands in the database and in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Plain => "plain",
            Self::Namespaces => "namespaces",
        }
    }

    /// Reads the word; an unknown one means the least.
    pub fn parse(text: &str) -> Self {
        if text == "namespaces" { Self::Namespaces } else { Self::Plain }
    }
}

/// A cartridge in a gear.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Cartridge {
    /// Its folder in the gear.
    pub dir: String,
    /// The prefix of its variables.
    pub short_name: ShortName,
    /// The software version that it runs.
    pub software: Version,
    /// Its identifier: `vendor:name:software:package`.
    pub ident: String,
    /// The directory of its package below the library.
    pub place: RelPath,
    /// Whether it is the primary cartridge.
    pub is_primary: bool,
}

impl Identity {
    /// The gear's home, relative to the state directory.
    pub fn home(&self) -> String {
        format!("gears/{}", self.name)
    }

    /// The primary cartridge, where there is one.
    pub fn primary(&self) -> Option<&Cartridge> {
        self.cartridges.iter().find(|cartridge| cartridge.is_primary)
    }

    /// The cartridge in the folder `dir`.
    pub fn cartridge(&self, dir: &str) -> Option<&Cartridge> {
        self.cartridges.iter().find(|cartridge| cartridge.dir == dir)
    }

    /// The secondaries in their order, then the primary: the order of starting.
    pub fn starting_order(&self) -> impl Iterator<Item = &Cartridge> {
        let secondaries = self.cartridges.iter().filter(|cartridge| !cartridge.is_primary);
        secondaries.chain(self.primary())
    }
}
