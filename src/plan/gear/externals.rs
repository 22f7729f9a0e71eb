//! What cartridges ask externals for: once for each gear that they are in, as they come into it, leave it
//! and are upgraded there. Bringing a cartridge into the library asks for nothing.

use super::configure::Wanted;
use crate::db::ExternalRow;
use crate::facts::{Externals, Gear};
use crate::gear::identity::Identity;
use crate::package::Package;
use crate::package::external::{Action, Asker};
use crate::package::version::Version;
use crate::plan::externals::{Asking, add_asked, add_changed, add_put_back};
use crate::plan::install::in_library;
use crate::plan::{Plan, Refusal};

/// As whom the cartridge asks that is `package` in its version `software`.
fn asker(gear: &Identity, (package, software): (&Package, &Version), known: &Externals) -> Asker {
    let Package { format, vendor, name, package_version, .. } = package;
    Asker {
        format: *format,
        vendor: vendor.to_string(),
        name: name.to_string(),
        gear: Some(gear.uuid.clone()),
        home: known.home_of(&gear.name),
        file: format!("{vendor}-{name}-{software}-{package_version}"),
    }
}

/// The rows of one cartridge.
pub(in crate::plan) fn of<'a>(
    rows: &'a [ExternalRow],
    package: &'a Package,
) -> impl Iterator<Item = &'a ExternalRow> {
    rows.iter().filter(|row| {
        row.asker.vendor == package.vendor.as_str() && row.asker.name == package.name.as_str()
    })
}

/// Adds what a cartridge asks for that comes into a gear. Its files follow, and find what they need.
pub(super) fn add_coming(
    plan: &mut Plan,
    (gear, one): (&Identity, &Wanted),
    known: &Externals,
) -> Result<(), Refusal> {
    if one.package.externals.is_empty() {
        return Ok(());
    }
    let asker = asker(gear, (&one.package, one.version()), known);
    let (tree, dir) = (in_library(&one.place)?, one.package.name.to_string());
    let asking = Asking {
        asker: &asker,
        externals: &one.package.externals,
        tree: &tree,
        gear: Some((gear, &dir)),
    };
    add_asked(plan, &asking, known, Action::Install)
}

/// Adds what turns what the old release has asked for into what `one` asks for.
pub(super) fn add_upgraded(
    plan: &mut Plan,
    (gear, one): (&Gear, &Wanted),
    identity: &Identity,
    known: &Externals,
) -> Result<(), Refusal> {
    let rows: Vec<ExternalRow> = of(&gear.externals, &one.package).cloned().collect();
    let asker = asker(identity, (&one.package, one.version()), known);
    let (tree, dir) = (in_library(&one.place)?, one.package.name.to_string());
    let asking = Asking {
        asker: &asker,
        externals: &one.package.externals,
        tree: &tree,
        gear: Some((identity, &dir)),
    };
    add_changed(plan, (&asking, &rows), known, Action::Upgrade)
}

/// Adds what brings back what `was` had asked for before transaction `txn`, which has taken `withdrawn`
/// back.
pub(super) fn add_former(
    plan: &mut Plan,
    (gear, was): (&Gear, &Wanted),
    (withdrawn, txn): (&[ExternalRow], i64),
    known: &Externals,
) -> Result<(), Refusal> {
    let own = |rows: &[ExternalRow]| -> Vec<ExternalRow> {
        let of_gear = |row: &&ExternalRow| row.asker.gear.as_ref() == Some(&gear.identity.uuid);
        of(rows, &was.package).filter(of_gear).cloned().collect()
    };
    let asker = asker(&gear.identity, (&was.package, was.version()), known);
    add_put_back(plan, &asker, (&own(&gear.externals), &own(withdrawn), txn), known)
}
