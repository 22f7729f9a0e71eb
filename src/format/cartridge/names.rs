//! The names of a cartridge: its own, its vendor's, and the prefix of its variables.
//!
//! Upper case is accepted with a warning and becomes lower case, because the guide writes it so
//! while the original refuses it; a folder of a gear bears the lower-case name.

use super::fields::{self, Fields};
use crate::format::place::Place;
use crate::format::reading::Reading;
use crate::package::ident::{IdentError, Name, ShortName, Vendor};

/// The checked names.
pub(super) struct Names {
    /// `Name`.
    pub(super) name: Name,
    /// `Cartridge-Short-Name`.
    pub(super) short_name: ShortName,
    /// `Cartridge-Vendor`.
    pub(super) vendor: Vendor,
}

/// Reads the names; what is wrong with any of them is said.
pub(super) fn read(fields: &Fields, reading: &mut Reading) -> Option<Names> {
    let name = lower(fields, "Name", reading)
        .and_then(|(text, place)| checked(Name::parse(&text), place, reading));
    let short_name = short_name(fields, reading);
    let vendor = vendor(fields, reading);
    Some(Names { name: name?, short_name: short_name?, vendor: vendor? })
}

/// Reads `Name` alone, for a manifest that only leads to a package.
pub(super) fn name(fields: &Fields, reading: &mut Reading) -> Option<Name> {
    fields.get("Name")?;
    let (text, _) = lower(fields, "Name", reading)?;
    Name::parse(&text).ok()
}

fn lower(fields: &Fields, key: &str, reading: &mut Reading) -> Option<(String, Place)> {
    let (text, place) = fields::required(fields, key, reading)?;
    let lower = text.to_ascii_lowercase();
    if lower != text {
        let shown: String = lower.chars().take(80).collect();
        let text = format!("`{key}` has upper-case letters; taken as `{}`", shown.escape_debug());
        reading.warn(place, format!("{text}: write it so"));
    }
    Some((lower, place))
}

/// The vendor loses white space, as in the original's identifiers.
fn vendor(fields: &Fields, reading: &mut Reading) -> Option<Vendor> {
    let (text, place) = lower(fields, "Cartridge-Vendor", reading)?;
    let joined: String = text.split_whitespace().collect();
    if joined != text {
        let shown: String = joined.chars().take(80).collect();
        let text =
            format!("`Cartridge-Vendor` has white space; taken as `{}`", shown.escape_debug());
        reading.warn(place, format!("{text}: write it so"));
    }
    checked(Vendor::parse(&joined), place, reading)
}

fn short_name(fields: &Fields, reading: &mut Reading) -> Option<ShortName> {
    let (text, place) = fields::required(fields, "Cartridge-Short-Name", reading)?;
    checked(ShortName::parse(&text.to_ascii_uppercase()), place, reading)
}

fn checked<T>(result: Result<T, IdentError>, place: Place, reading: &mut Reading) -> Option<T> {
    result.map_err(|error| reading.fault(place, error.to_string())).ok()
}
