//! Fields that several types of items share: places, sources, modes, owners, retention.

use super::fields;
use crate::format::json::Node;
use crate::format::place::Place;
use crate::format::reading::Reading;
use crate::package::ubos::item::{ItemPath, Language, Mode, Names, Owner, Source};
use crate::package::ubos::name::Bucket;
use crate::package::ubos::role::RoleName;

/// The longest place or source.
const LONGEST: usize = 4096;

/// `name` or `names`.
pub(super) fn names(role: RoleName, node: &Node, reading: &mut Reading) -> Option<Names> {
    match (node.get("name"), node.get("names")) {
        (Some(_), Some(both)) => {
            reading.fault(both.place, "has `name` and `names`: keep one of them");
            None
        }
        (Some(value), None) => {
            let name = fields::needed(node, "name", reading)?;
            place_of(role, name, value.place, reading).then(|| Names::One(name.to_owned()))
        }
        (None, Some(value)) => {
            let mut names = Vec::new();
            for item in fields::list(node, "names", reading) {
                let Some(name) = item.text() else {
                    let text = format!("an item of `names` is {}: write a text", item.kind());
                    reading.fault(item.place, text);
                    continue;
                };
                // The official mediawiki names a file twice.
                if names.iter().any(|other| other == name) {
                    let text = format!("`{}` stands in `names` twice", fields::shown(name));
                    reading.warn(item.place, text + ": keep one of them");
                } else if place_of(role, name, item.place, reading) {
                    names.push(name.to_owned());
                }
            }
            if value.items().is_some_and(<[Node]>::is_empty) {
                reading.fault(value.place, "`names` is empty: write at least one");
            }
            Some(Names::Many(names))
        }
        (None, None) => {
            reading.fault(node.place, "an item needs `name` or `names`: add one of them");
            None
        }
    }
}

/// Tells whether an item can lie at `name`; what is wrong is left in `reading`.
fn place_of(role: RoleName, name: &str, place: Place, reading: &mut Reading) -> bool {
    if !clean("name", name, place, reading) {
        return false;
    }
    // What begins with a variable may be absolute once that is known.
    if !role.is_web() && !name.starts_with('/') && !name.starts_with("${") {
        let text = format!(
            "`{}` is relative, but role `{}` has no folder that it could begin in: begin it with \
             `/` or `${{appconfig.datadir}}/`",
            fields::shown(name),
            role.as_str()
        );
        reading.fault(place, text);
        return false;
    }
    true
}

/// Tells whether a path neither climbs nor has control characters.
fn clean(key: &str, path: &str, place: Place, reading: &mut Reading) -> bool {
    let fault = if path.is_empty() {
        "is empty: write it"
    } else if path.split('/').any(|part| part == "..") {
        "climbs with `..`: write where it leads"
    } else if path.chars().any(char::is_control) {
        "has a control character: remove it"
    } else if path.len() > LONGEST {
        "is longer than any path: shorten it"
    } else {
        return true;
    };
    reading.fault(place, format!("`{key}` `{}` {fault}", fields::shown(path)));
    false
}

/// A path in the package, which must be there.
pub(super) fn source(node: &Node, reading: &mut Reading) -> Option<ItemPath> {
    fields::needed(node, "source", reading)?;
    path("source", node, reading)
}

fn path(key: &str, node: &Node, reading: &mut Reading) -> Option<ItemPath> {
    let text = fields::needed(node, key, reading)?;
    let place = node.get(key)?.place;
    clean(key, text, place, reading).then(|| ItemPath(text.to_owned()))
}

/// `source`, or `template` with `templatelang`.
pub(super) fn content(node: &Node, reading: &mut Reading) -> Option<Source> {
    match (node.get("source"), node.get("template")) {
        (Some(_), Some(both)) => {
            reading.fault(both.place, "has `source` and `template`: keep one of them");
            None
        }
        (None, None) => {
            reading.fault(node.place, "an item needs `source` or `template`: add one of them");
            None
        }
        (Some(_), None) => {
            if let Some(language) = node.get("templatelang") {
                let text = "`templatelang` needs `template` instead of `source`";
                reading.fault(language.place, text);
            }
            source(node, reading).map(Source::File)
        }
        (None, Some(_)) => {
            let path = path("template", node, reading);
            let language = language(node, reading);
            Some(Source::Template(path?, language?))
        }
    }
}

/// `templatelang`, which must be there.
pub(super) fn language(node: &Node, reading: &mut Reading) -> Option<Language> {
    match fields::needed(node, "templatelang", reading)? {
        "varsubst" => Some(Language::Varsubst),
        "perlscript" => Some(Language::Perlscript),
        other => {
            let place = node.get("templatelang")?.place;
            let text = format!(
                "`templatelang` is `{}`: write `varsubst` or `perlscript`",
                fields::shown(other)
            );
            reading.fault(place, text);
            None
        }
    }
}

/// The mode that `key` says.
pub(super) fn mode(node: &Node, key: &str, reading: &mut Reading) -> Option<Mode> {
    let text = fields::text(node, key, reading)?;
    let mode = Mode::parse(text);
    if mode.is_none() {
        let place = node.get(key)?.place;
        let text = format!(
            "`{key}` is `{}`: write three or four octal digits, or `preserve`",
            fields::shown(text)
        );
        reading.fault(place, text);
    }
    mode
}

/// `uname` with `gname`.
pub(super) fn owner(node: &Node, reading: &mut Reading) -> Option<Owner> {
    let both = (node.get("uname").is_some(), node.get("gname").is_some());
    if matches!(both, (true, false) | (false, true)) {
        let missing = if both.0 { "gname" } else { "uname" };
        let text = format!("has only one of `uname` and `gname`: add `{missing}`");
        reading.fault(node.place, text);
    }
    let mut account = |key: &str| {
        let text = fields::text(node, key, reading)?;
        // What a variable becomes is checked when it is known.
        let fine = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        if !text.contains("${") && (text.is_empty() || !text.chars().all(fine)) {
            let place = node.get(key)?.place;
            let text = format!(
                "`{key}` is `{}`: write lower-case letters, digits and `-`",
                fields::shown(text)
            );
            reading.fault(place, text);
        }
        Some(text.to_owned())
    };
    let (user, group) = (account("uname"), account("gname"));
    Some(Owner { user: user?, group: group? })
}

/// `retentionpolicy` with `retentionbucket`.
pub(super) fn keep(node: &Node, reading: &mut Reading) -> Option<Bucket> {
    let (policy, bucket) = (node.get("retentionpolicy"), node.get("retentionbucket"));
    match (policy, bucket) {
        (Some(policy), None) => {
            let text = "`retentionpolicy` needs `retentionbucket`: add the name under which the \
                        data are kept";
            reading.fault(policy.place, text);
        }
        (None, Some(bucket)) => {
            let text = "`retentionbucket` needs `\"retentionpolicy\" : \"keep\"`: add it";
            reading.fault(bucket.place, text);
        }
        _ => {}
    }
    if let Some(text) = fields::text(node, "retentionpolicy", reading)
        && text != "keep"
    {
        let place = policy.map_or(node.place, |policy| policy.place);
        let text = format!("`retentionpolicy` is `{}`: write `keep`", fields::shown(text));
        reading.fault(place, text);
    }
    fields::parsed(node, "retentionbucket", Bucket::parse, reading)
}
