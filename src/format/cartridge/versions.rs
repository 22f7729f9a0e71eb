//! The versions that a manifest names: of the packaging and of the software.

use super::fields::{self, Fields};
use crate::format::place::Place;
use crate::format::reading::Reading;
use crate::format::yaml::Node;
use crate::package::version::Version;

/// The most software versions in one package; real cartridges have at most five.
const MOST: usize = 64;

/// The software versions of a package.
pub(super) struct Versions {
    /// The one that is used when none is asked for.
    pub(super) default: Version,
    /// All of them, each once, in the manifest's order.
    pub(super) all: Vec<Version>,
}

/// Reads `Version` and `Versions`: the list, and the default where the list lacks it.
pub(super) fn software(fields: &Fields, reading: &mut Reading) -> Option<Versions> {
    let default = fields::required(fields, "Version", reading);
    let listed = fields::list(fields, "Versions", reading);
    let mut all = Vec::new();
    for (text, node) in &listed {
        let version = version("Versions", text, node.place, reading);
        all.extend(version.filter(|version| !all.contains(version) && all.len() < MOST));
        advise_quotes(node, reading);
    }
    if listed.len() > MOST {
        reading.fault(fields.place, format!("`Versions` has more than {MOST} items"));
    }
    let (text, place) = default?;
    let default = version("Version", &text, place, reading)?;
    if let Some(node) = fields.get("Version") {
        advise_quotes(node, reading);
    }
    if !all.contains(&default) {
        if !all.is_empty() {
            let text = format!("`Version` {default} is not among `Versions`, and added to them");
            reading.warn(place, format!("{text}: add it there"));
        }
        all.push(default.clone());
    }
    Some(Versions { default, all })
}

fn version(key: &str, text: &str, place: Place, reading: &mut Reading) -> Option<Version> {
    match Version::parse(text) {
        Ok(version) => Some(version),
        Err(error) => {
            reading.fault(place, format!("`{key}`: {error}"));
            None
        }
    }
}

/// Reads `Cartridge-Version`; what is no dotted number becomes 0.0.0, as in the original.
pub(super) fn packaging(fields: &Fields, reading: &mut Reading) -> Version {
    let Some(text) = fields::text(fields, "Cartridge-Version", reading) else {
        let text = "`Cartridge-Version` is missing and taken as 0.0.0: without it nothing tells \
                    an upgrade from a repetition";
        reading.warn(fields.place, text);
        return Version::unknown();
    };
    let Some(node) = fields.get("Cartridge-Version") else { return Version::unknown() };
    advise_quotes(node, reading);
    dotted("Cartridge-Version", &text, node, reading)
}

/// Reads `Compatible-Versions`.
pub(super) fn compatible(fields: &Fields, reading: &mut Reading) -> Vec<Version> {
    let key = "Compatible-Versions";
    if fields.get(key).is_none() {
        let text = "`Compatible-Versions` is missing: name the releases from which an upgrade \
                    needs no restart";
        reading.advise(fields.place, text);
    }
    let mut releases = Vec::new();
    for (text, node) in fields::list(fields, key, reading) {
        advise_quotes(node, reading);
        releases.push(dotted(key, &text, node, reading));
    }
    releases
}

fn dotted(key: &str, text: &str, node: &Node, reading: &mut Reading) -> Version {
    let numbers = text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    let version = Version::parse(text).ok().filter(|_| numbers);
    version.unwrap_or_else(|| {
        let shown: String = text.chars().take(80).collect();
        let text =
            format!("`{key}` `{}` is no number.number… and taken as 0.0.0", shown.escape_debug());
        reading.warn(node.place, text);
        Version::unknown()
    })
}

/// Advises to quote a version of which another reader would make a number.
pub(super) fn advise_quotes(node: &Node, reading: &mut Reading) {
    if let Some(text) = node.text().filter(|_| node.looks_like_fraction()) {
        let text = format!(
            "the version {text} stands without quotes: write '{text}', or other \
                            readers take it for a number (and 5.10 for 5.1)"
        );
        reading.advise(node.place, text);
    }
}
