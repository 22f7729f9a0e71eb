//! Advice about the patterns of managed files: which of them have no effect in a gear.

use super::{about, shown};
use crate::format::cartridge::managed::PATH;
use crate::package::Package;
use crate::package::note::{Level, Note};

/// Beginnings of names in a gear's home that belong to the platform.
const RESERVED: &[&str] = &[".ssh", ".sandbox", ".tmp", ".env"];

/// Looks at the managed files of `package`.
pub(super) fn advice(package: &Package) -> Vec<Note> {
    let managed = &package.managed;
    let lists = [
        ("locked_files", &managed.locked_files),
        ("setup_rewritten", &managed.setup_rewritten),
        ("processed_templates", &managed.processed_templates),
        ("snapshot_exclusions", &managed.snapshot_exclusions),
    ];
    let mut notes = Vec::new();
    for (key, patterns) in lists {
        for pattern in patterns {
            let parts = in_gear(pattern, package.name.as_str());
            let fault = match &parts {
                None => Some("leads out of the gear and is left out"),
                Some(parts) if key == "locked_files" => locked(parts, package.name.as_str()),
                Some(_) => None,
            };
            if let Some(fault) = fault {
                let text = format!("`{}` of `{key}` {fault}: remove it", shown(pattern));
                notes.push(about(Level::Warning, PATH, text));
            }
        }
    }
    notes
}

/// The parts of the pattern's path from the gear's home; nothing when it leads out of the gear.
fn in_gear<'a>(pattern: &'a str, cartridge: &'a str) -> Option<Vec<&'a str>> {
    let (mut parts, rest) = match pattern.strip_prefix("~/") {
        Some(rest) => (Vec::new(), rest),
        None => (vec![cartridge], pattern),
    };
    for part in rest.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop()?;
            }
            _ => parts.push(part),
        }
    }
    Some(parts)
}

/// Why a locked file has no effect (guide, *Lock Configuration*).
fn locked(parts: &[&str], cartridge: &str) -> Option<&'static str> {
    let first = parts.first().copied().unwrap_or_default();
    if RESERVED.iter().any(|reserved| first.starts_with(reserved)) {
        return Some("is reserved for the platform and left out");
    }
    let fine = first.starts_with('.') || first == "app-root" || first == cartridge;
    if fine { None } else { Some("is no hidden file of the gear and left out") }
}
