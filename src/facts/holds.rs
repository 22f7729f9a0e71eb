//! Facts about packages that are held.

use crate::db::{Db, DbError, Hold};
use crate::error::{Exit, Failure};
use std::collections::BTreeSet;

/// The vendor and the name that the versions of a package share.
pub type VendorAndName = (String, String);

/// The package that `text` means, whichever version of it: `name`, `vendor-name`, either with
/// `-version`. Packages of different vendors are a conflict; nothing when none has that name.
pub fn line(db: &Db, text: &str) -> Result<Option<VendorAndName>, Failure> {
    let found = super::find(db, text)?.into_iter();
    the_only(text, found.map(|one| (one.row.vendor, one.row.name)).collect())
}

/// The hold that `text` names: `name` or `vendor-name`, installed or not.
pub fn hold_called(db: &Db, text: &str) -> Result<Option<Hold>, Failure> {
    let called = |hold: &Hold| {
        hold.name == text
            || text.strip_prefix(hold.vendor.as_str()) == Some(&format!("-{}", hold.name))
    };
    let holds: Vec<Hold> = db.holds()?.into_iter().filter(called).collect();
    let names = holds.iter().map(|one| (one.vendor.clone(), one.name.clone()));
    let wanted = the_only(text, names.collect())?;
    Ok(holds
        .into_iter()
        .find(|one| wanted.as_ref().is_some_and(|(vendor, _)| *vendor == one.vendor)))
}

/// The holds on packages that the gear with the id `gear` is made from: upgrades leave those alone.
pub fn holds_in_gear(db: &Db, gear: i64) -> Result<Vec<Hold>, DbError> {
    let mut found = Vec::new();
    for cartridge in db.gear_cartridges(gear)? {
        if let Some(row) = db.package(cartridge.package)? {
            found.extend(db.hold_on(&row.vendor, &row.name)?);
        }
    }
    Ok(found)
}

fn the_only(text: &str, names: BTreeSet<VendorAndName>) -> Result<Option<VendorAndName>, Failure> {
    if names.len() > 1 {
        let names: Vec<_> =
            names.iter().map(|(vendor, name)| format!("`{vendor}-{name}`")).collect();
        let text = format!("`{text}` could be any of {}", names.join(", "));
        return Err(Failure::new(Exit::Conflict, text).hint("name the vendor, too"));
    }
    Ok(names.into_iter().next())
}
