//! Which cartridges of a gear are to become other releases, and how (the guide, Upgrade Itinerary):
//! of each the newest release in the library that still has its software version.

use super::configure::Wanted;
use crate::facts::{Installed, UpgradeFacts};
use crate::gear::identity::Cartridge;
use crate::package::Package;
use serde_json::{Value, json};

/// How a cartridge becomes another release.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// The new release names the old one in `Compatible-Versions`: the gear goes on running.
    Compatible,
    /// The gear is stopped for it, and `setup` runs again.
    Incompatible,
}

/// Whether cartridges are renewed that have the newest release (the original's
/// `ignore_cartridge_version`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refresh {
    /// They are left alone.
    Outdated,
    /// They are, as by an incompatible upgrade.
    All,
}

/// One cartridge on the itinerary.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Entry {
    /// The cartridge as it is.
    pub(super) cartridge: Cartridge,
    /// Its package.
    pub(super) old: Package,
    /// What it becomes.
    pub(super) new: Wanted,
    /// How.
    pub(super) kind: Kind,
}

/// The cartridges that are to become other releases, in the order of starting, and what there is to
/// say of the others.
pub(super) fn itinerary(facts: &UpgradeFacts, refresh: Refresh) -> (Vec<Entry>, Vec<String>) {
    let gear = &facts.members.gear;
    let (mut entries, mut notes) = (Vec::new(), Vec::new());
    for cartridge in gear.identity.starting_order() {
        let mut pairs = gear.identity.cartridges.iter().zip(&gear.packages);
        let Some((_, old)) = pairs.find(|(one, _)| one.dir == cartridge.dir) else { continue };
        let dir = &cartridge.dir;
        let Some(newest) = newest(&facts.members.installed, old, cartridge) else {
            notes.push(format!(
                "`{dir}`: no installed release has the software version {}",
                cartridge.software
            ));
            continue;
        };
        let (was, becomes) = (&old.package_version, &newest.package.package_version);
        let kind = match refresh {
            Refresh::Outdated if becomes == was => {
                if newest.place != cartridge.place {
                    notes.push(format!(
                        "`{dir}`: there is another build of {was}; `--force` puts it in"
                    ));
                }
                continue;
            }
            Refresh::Outdated if newest.package.compatible_versions.contains(was) => {
                Kind::Compatible
            }
            Refresh::Outdated | Refresh::All => Kind::Incompatible,
        };
        if let Some(hold) = &newest.hold {
            notes.push(format!("`{dir}` is held: {}", hold.reason));
            continue;
        }
        let new = Wanted {
            package: newest.package.clone(),
            place: newest.place.clone(),
            software: Some(cartridge.software.clone()),
        };
        entries.push(Entry { cartridge: cartridge.clone(), old: old.clone(), new, kind });
    }
    (entries, notes)
}

/// The newest installed release of a gear's cartridge, never an older one than it has.
fn newest<'a>(
    installed: &'a [Installed],
    old: &Package,
    cartridge: &Cartridge,
) -> Option<&'a Installed> {
    let same = |one: &&Installed| {
        let package = &one.package;
        (package.format, &package.vendor, &package.name) == (old.format, &old.vendor, &old.name)
            && package.software(&cartridge.software).is_some()
            && package.package_version >= old.package_version
    };
    installed.iter().filter(same).max_by(|one, other| {
        let (a, b) = (&one.package.package_version, &other.package.package_version);
        a.partial_cmp(b).unwrap_or(std::cmp::Ordering::Equal).then(one.row.id.cmp(&other.row.id))
    })
}

/// The itinerary as the original writes it into the gear (node specification, 12).
pub(super) fn as_the_original(entries: &[Entry]) -> Value {
    let entry = |one: &Entry| {
        let kind = match one.kind {
            Kind::Compatible => "compatible",
            Kind::Incompatible => "incompatible",
        };
        let name = format!("{}-{}", one.new.package.name, one.cartridge.software);
        (name, json!({ "upgrade_type": kind, "upgrade_data": {} }))
    };
    let all: serde_json::Map<String, Value> = entries.iter().map(entry).collect();
    let has_incompatible = entries.iter().any(|one| one.kind == Kind::Incompatible);
    json!({ "entries": all, "has_incompatible": has_incompatible })
}
