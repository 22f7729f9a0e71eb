//! How provenance comes to be while a source is brought.

use crate::package::provenance::{Origin, Provenance, Trust};
use crate::source::digest::Checks;
use crate::source::locator::Source;

/// What is true of every source before its bytes are known.
pub(super) fn bare(source: &Source, kind: Origin, trust: Trust) -> Provenance {
    Provenance {
        source: source.to_string(),
        kind,
        final_url: None,
        md5: None,
        sha256: None,
        commit: None,
        length: None,
        trust,
    }
}

/// The trust in bytes of which all `checks` held.
pub(super) fn trust_in_bytes(origin: Origin, checks: &[Checks]) -> Trust {
    if checks.iter().any(|check| check.sha256.is_some()) {
        Trust::Sha256
    } else if checks.iter().any(|check| check.md5.is_some()) {
        Trust::Md5Only
    } else if origin == Origin::File {
        Trust::Local
    } else {
        Trust::Unverified
    }
}
