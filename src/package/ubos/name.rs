//! Names in manifests and site files that become paths, keys or names of units.

use crate::package::ident::{IdentError, ident, invalid};
use std::fmt;

/// The longest name: that of a file with some room for endings.
const LONGEST: usize = 200;

macro_rules! name {
    ($(#[$doc:meta])* $name:ident, $what:literal, $rule:literal, $fine:expr) => {
        ident!($(#[$doc])* $name, |text| {
            let fine: fn(&str) -> bool = $fine;
            let is_fine = !text.is_empty() && text.len() <= LONGEST && fine(text);
            if is_fine { Ok(()) } else { Err(invalid($what, text, $rule)) }
        });
    };
}

/// Tells whether every character is a lower-case letter, a digit or in `more`.
fn of(text: &str, more: &str) -> bool {
    text.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || more.contains(c))
}

name!(
    /// The name of a UBOS package: `[-a-z0-9_.]+`, and neither `.` nor `..`, since it becomes a
    /// folder.
    PackageName,
    "package",
    "lower-case letters, digits, `-`, `_` and `.`, at most 200, and not points alone",
    |text| of(text, "-_.") && text.chars().any(|c| c != '.')
);
name!(
    /// The name of a customization point: `[a-z][_a-z0-9]*`.
    PointName,
    "customization point",
    "lower-case letters, digits and `_`, beginning with a letter, at most 200",
    |text| of(text, "_") && text.starts_with(|c: char| c.is_ascii_lowercase())
);
name!(
    /// A retention bucket: `[_a-zA-Z0-9]+`; the name under which data are kept in a backup.
    Bucket,
    "retention bucket",
    "letters, digits and `_`, at most 200",
    |text| of(&text.to_ascii_lowercase(), "_")
);
name!(
    /// A package of the distribution, or a module of Apache or PHP: `[-_a-z0-9]+`. Never an option:
    /// it does not begin with `-`.
    HostName,
    "package or module",
    "lower-case letters, digits, `-` and `_`, not beginning with `-`, at most 200",
    |text| of(text, "-_") && !text.starts_with('-')
);
name!(
    /// A key of `wellknown`: `[-_.a-zA-Z0-9]+`, and neither `.` nor `..`, since it becomes a file.
    WellKnownName,
    "wellknown entry",
    "letters, digits, `-`, `_` and `.`, at most 200, and not points alone",
    |text| of(&text.to_ascii_lowercase(), "-_.") && text.chars().any(|c| c != '.')
);
name!(
    /// What a database, port or unit is called in a manifest: it becomes a part of a variable's
    /// name, so it has no space, `}`, `/` or control character.
    ItemName,
    "name",
    "letters, digits, `-`, `_`, `.`, `@` and `:`, at most 200",
    |text| of(&text.to_ascii_lowercase(), "-_.@:") && !text.starts_with('-')
);
name!(
    /// The identifier of a site: `s` and 40 hexadecimal digits.
    SiteId,
    "siteid",
    "`s` and 40 lower-case hexadecimal digits",
    |text| identifier(text, 's')
);
name!(
    /// The identifier of an app with its accessories at a site: `a` and 40 hexadecimal digits.
    AppConfigId,
    "appconfigid",
    "`a` and 40 lower-case hexadecimal digits",
    |text| identifier(text, 'a')
);

fn identifier(text: &str, first: char) -> bool {
    let hex = |c: char| c.is_ascii_digit() || ('a'..='f').contains(&c);
    text.strip_prefix(first).is_some_and(|rest| rest.len() == 40 && rest.chars().all(hex))
}

/// A path below a host name: empty for the root, else `/` and segments of `[-_.a-zA-Z0-9]`, none of
/// them points alone. Manifests allow several segments of fewer characters, site files one.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
#[serde(transparent)]
pub struct Context(String);

impl Context {
    /// What a manifest says: `^(/[-a-z0-9]+)*$`.
    pub fn in_manifest(text: &str) -> Result<Self, IdentError> {
        let rule = "nothing, or `/` with lower-case letters, digits and `-`, once or several times";
        Self::checked(text, rule, |part| of(part, "-"))
    }

    /// What a site file says: one segment at most.
    pub fn in_site(text: &str) -> Result<Self, IdentError> {
        let rule = "nothing, or one `/` with letters, digits, `-`, `_` and `.` behind it";
        let one = text.matches('/').count() <= 1;
        Self::checked(text, rule, |part| one && of(&part.to_ascii_lowercase(), "-_."))
    }

    fn checked(
        text: &str,
        rule: &'static str,
        fine: impl Fn(&str) -> bool,
    ) -> Result<Self, IdentError> {
        let mut parts = text.split('/');
        let empty = parts.next() == Some("");
        let part = |part: &str| part.chars().any(|c| c != '.') && fine(part);
        if empty && text.len() <= LONGEST && parts.all(part) {
            return Ok(Self(text.to_owned()));
        }
        let text: String = text.chars().take(80).collect();
        Err(IdentError::Invalid { what: "context", text: text.escape_debug().to_string(), rule })
    }

    /// The context as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Tells whether it is the whole site.
    pub fn is_root(&self) -> bool {
        self.0.is_empty()
    }
}

impl<'de> serde::Deserialize<'de> for Context {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = String::deserialize(from)?;
        let read = Self::in_manifest(&text).or_else(|_| Self::in_site(&text));
        read.map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_follow_the_originals_rules_and_are_never_a_way_out() {
        for good in ["wollmilchsau-one", "a.b", "_x", "0"] {
            assert!(PackageName::parse(good).is_ok(), "{good}");
        }
        for bad in ["", ".", "..", "a/b", "A", "a b", "é", &"x".repeat(201)] {
            assert!(PackageName::parse(bad).is_err(), "{bad}");
            assert!(WellKnownName::parse(&bad.replace('A', "/")).is_err(), "{bad}");
        }
        assert!(PointName::parse("string1").is_ok());
        assert!(PointName::parse("1string").is_err());
        assert!(PointName::parse("a-b").is_err());
        assert!(Bucket::parse("x86_64").is_ok());
        assert!(Bucket::parse("a-b").is_err());
        assert!(HostName::parse("mod_wsgi").is_ok());
        assert!(HostName::parse("--purge").is_err());
        assert!(ItemName::parse("smtp-server@mail").is_ok());
        assert!(ItemName::parse("a}b").is_err());
        assert!(SiteId::parse(&format!("s{}", "0f".repeat(20))).is_ok());
        assert!(SiteId::parse(&format!("a{}", "0f".repeat(20))).is_err());
        assert!(AppConfigId::parse(&format!("a{}", "0F".repeat(20))).is_err());
    }

    #[test]
    fn contexts_of_manifests_and_sites_differ() {
        for good in ["", "/a", "/a-1/b"] {
            assert!(Context::in_manifest(good).is_ok(), "{good}");
        }
        for bad in ["/", "a", "/A", "/a/", "//", "/a_b"] {
            assert!(Context::in_manifest(bad).is_err(), "{bad}");
        }
        for good in ["", "/A_b.c"] {
            assert!(Context::in_site(good).is_ok(), "{good}");
        }
        for bad in ["/", "/a/b", "/..", "/.", "a", "/a b"] {
            assert!(Context::in_site(bad).is_err(), "{bad}");
        }
    }
}
