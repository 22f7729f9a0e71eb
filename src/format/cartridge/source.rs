//! `Source-Url` and `Source-Md5`: where a manifest says that its package comes from.

use super::fields::{self, Fields};
use super::names;
use crate::format::error::ManifestError;
use crate::format::reading::Reading;
use crate::format::yaml;
use crate::package::digest::Md5;
use crate::package::note::Notes;

/// Where a manifest that came by itself says that the package is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ManifestSource {
    /// `Source-Url` as it stands there; a relative one is meant from the manifest's own place.
    pub url: String,
    /// `Source-Md5`.
    pub md5: Option<Md5>,
    /// `Name` in lower case, for messages; nothing where it is missing or not valid.
    pub name: Option<String>,
}

/// Reads where the package is from a manifest given by path or URL, which must say it.
pub fn source_of(manifest: &[u8]) -> Result<ManifestSource, ManifestError> {
    let mut notes = Notes::default();
    let mut reading = Reading::new("manifest.yml", &mut notes);
    let root = match yaml::parse(manifest, &mut reading) {
        Ok(root) => root,
        Err(fault) => {
            reading.fault(fault.place, fault.text);
            return reading.finish(None);
        }
    };
    let Some(root) = root.filter(|root| root.pairs().is_some()) else {
        let text = "is no manifest: a mapping with `Source-Url` is expected";
        reading.fault(crate::format::place::Place::START, text);
        return reading.finish(None);
    };
    let fields = Fields::of(&root);
    if fields::text(&fields, "Source-Url", &mut reading).is_none() {
        let text = "`Source-Url` is a required element of a manifest that comes by itself: add \
                    it, or give the package's own directory or archive";
        reading.fault(root.place, text);
    }
    // A relative one has a meaning here: beside the manifest.
    let url = match fields::text(&fields, "Source-Url", &mut reading) {
        Some(relative) if is_relative(&relative) => Some(relative),
        _ => url(&fields, &mut reading),
    };
    let md5 = md5(&fields, &mut reading);
    let name = names::name(&fields, &mut reading).map(|name| name.to_string());
    reading.finish(url.map(|url| ManifestSource { url, md5, name }))
}

/// Reads `Source-Url`; one that is no URL is a fault.
pub(super) fn url(fields: &Fields, reading: &mut Reading) -> Option<String> {
    let url = fields::text(fields, "Source-Url", reading)?;
    if is_url(&url) {
        return Some(url);
    }
    let place = fields.get("Source-Url").map_or(fields.place, |node| node.place);
    let shown: String = url.chars().take(80).collect();
    let text = format!(
        "`Source-Url` `{}` is not valid: write `scheme://…` without white space",
        shown.escape_debug()
    );
    reading.fault(place, text);
    None
}

/// Tells whether a text is a relative reference: no scheme, no white space, no option.
fn is_relative(text: &str) -> bool {
    !text.contains(|c: char| c.is_whitespace() || c == ':') && !text.starts_with('-')
}

/// Tells whether a text is an absolute URL, or git's short form of an SSH address.
fn is_url(text: &str) -> bool {
    let clean = |part: &str| !part.is_empty() && !part.contains(char::is_whitespace);
    let in_scheme = |c: char| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.');
    let Some((before, after)) = text.split_once(':') else { return false };
    let scheme = before.starts_with(|c: char| c.is_ascii_alphabetic())
        && before.chars().all(in_scheme)
        && clean(after);
    let ssh = before.split_once('@').is_some_and(|(user, host)| clean(user) && clean(host));
    scheme || (ssh && clean(after) && !before.starts_with('-'))
}

/// Reads `Source-Md5`, in either case; what is no digest is a fault.
pub(super) fn md5(fields: &Fields, reading: &mut Reading) -> Option<Md5> {
    let text = fields::text(fields, "Source-Md5", reading)?;
    let place = fields.get("Source-Md5").map_or(fields.place, |node| node.place);
    let md5 = Md5::parse(&text).ok();
    if md5.is_none() {
        let text = "`Source-Md5` is not valid: write 32 hexadecimal digits, or leave it out";
        reading.fault(place, text);
    }
    md5
}
