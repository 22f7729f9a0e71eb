//! Whether a package is what another one asks for, and whether it runs on a host.

use super::{Requirement, RequirementKind, fnmatch, version};
use regex_lite::{Regex, RegexBuilder};
use std::cmp::Ordering;
use std::fmt;

/// The most memory that the pattern of a package may take, in bytes.
const LARGEST_PATTERN: usize = 64 << 10;

/// What a requirement is compared with.
#[derive(Clone, Copy, Debug)]
pub struct Candidate<'a> {
    /// Its name.
    pub name: &'a str,
    /// Of which kind it is.
    pub kind: RequirementKind,
    /// Its version.
    pub version: &'a str,
    /// The release of its packaging.
    pub package_version: Option<&'a str>,
}

impl Requirement {
    /// Any release of the tpkg package `name`.
    pub fn any_of(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            kind: RequirementKind::Tpkg,
            minimum_version: None,
            maximum_version: None,
            minimum_package_version: None,
            maximum_package_version: None,
            allowed_versions: None,
        }
    }

    /// Tells whether `candidate` is what is meant. Bounds on the package version count only for a
    /// version that is equal to the bound on the version itself, as in the original.
    pub fn is_met_by(&self, candidate: &Candidate<'_>) -> bool {
        if candidate.name != self.name || candidate.kind != self.kind {
            return false;
        }
        let Candidate { version, package_version, .. } = *candidate;
        let full = package_version.map(|packaging| format!("{version}-{packaging}"));
        let full = full.as_deref().unwrap_or(version);
        let allowed = self.allowed_versions.as_deref();
        if allowed.is_some_and(|pattern| !fnmatch::matches(pattern, full)) {
            return false;
        }
        let packaging = package_version.unwrap_or_default();
        let minimum = (self.minimum_version.as_deref(), self.minimum_package_version.as_deref());
        let maximum = (self.maximum_version.as_deref(), self.maximum_package_version.as_deref());
        within((version, packaging), minimum, Ordering::Less)
            && within((version, packaging), maximum, Ordering::Greater)
    }
}

/// In words, as messages say it.
impl fmt::Display for Requirement {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        let with = |version: &Option<String>, packaging: &Option<String>| {
            version.as_ref().map(|version| match packaging {
                Some(packaging) => format!("{version}-{packaging}"),
                None => version.clone(),
            })
        };
        let minimum = with(&self.minimum_version, &self.minimum_package_version);
        let maximum = with(&self.maximum_version, &self.maximum_package_version);
        let bounds = [
            minimum.map(|text| format!("at least {text}")),
            maximum.map(|text| format!("at most {text}")),
            self.allowed_versions.as_ref().map(|text| format!("of version {text}")),
        ];
        let bounds: Vec<String> = bounds.into_iter().flatten().collect();
        write!(to, "`{}`", self.name.escape_debug())?;
        if !bounds.is_empty() {
            write!(to, " ({})", bounds.join(", ").escape_debug())?;
        }
        match self.kind {
            RequirementKind::Tpkg => Ok(()),
            RequirementKind::Native => to.write_str(", a package of the system"),
        }
    }
}

/// Tells whether version and package version keep to a bound, which `beyond` leads over.
fn within(
    (version, packaging): (&str, &str),
    (bound, package_bound): (Option<&str>, Option<&str>),
    beyond: Ordering,
) -> bool {
    let Some(bound) = bound else { return true };
    match version::compare(version, bound) {
        order if order == beyond => false,
        Ordering::Equal => {
            package_bound.is_none_or(|bound| version::compare(packaging, bound) != beyond)
        }
        _ => true,
    }
}

/// Tells whether one of `wanted` is `actual` (`Debian-12`, `x86_64`), or a regular expression that
/// is found in it: `Debian` means every Debian, and `RedHat-1` also `RedHat-10`, as in the
/// original. Nothing wanted means anything.
pub fn runs_on(wanted: &[String], actual: &str) -> bool {
    wanted.is_empty()
        || wanted.iter().any(|one| {
            one == actual || pattern(one).is_some_and(|pattern| pattern.is_match(actual))
        })
}

/// The regular expression `text`; nothing where it is none.
fn pattern(text: &str) -> Option<Regex> {
    RegexBuilder::new(text).size_limit(LARGEST_PATTERN).build().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn requirement() -> Requirement {
        Requirement::any_of("a")
    }

    fn candidate<'a>(version: &'a str, package_version: &'a str) -> Candidate<'a> {
        let package_version = Some(package_version).filter(|text| !text.is_empty());
        Candidate { name: "a", kind: RequirementKind::Tpkg, version, package_version }
    }

    #[test]
    fn bounds_hold_at_both_ends() {
        let both = Requirement {
            minimum_version: Some("1.2".into()),
            maximum_version: Some("1.10".into()),
            ..requirement()
        };
        for (version, met) in
            [("1.1", false), ("1.2", true), ("1.9", true), ("1.10.0", true), ("1.11", false)]
        {
            assert_eq!(both.is_met_by(&candidate(version, "")), met, "{version}");
        }
        assert!(requirement().is_met_by(&candidate("7", "1")), "without bounds");
        let native = Candidate { kind: RequirementKind::Native, ..candidate("1.2", "") };
        assert!(!both.is_met_by(&native));
        assert!(!both.is_met_by(&Candidate { name: "b", ..candidate("1.2", "") }));
    }

    #[test]
    fn package_versions_count_at_the_bound_alone() {
        let at = Requirement {
            minimum_version: Some("1".into()),
            minimum_package_version: Some("3".into()),
            maximum_version: Some("2".into()),
            maximum_package_version: Some("5".into()),
            ..requirement()
        };
        for (version, packaging, met) in [
            ("1.0", "2", false),
            ("1.0", "3", true),
            ("1.0", "9", true),
            ("1.5", "1", true),
            ("2", "5", true),
            ("2", "6", false),
            ("2", "", true),
            ("1", "", false),
        ] {
            assert_eq!(at.is_met_by(&candidate(version, packaging)), met, "{version} {packaging}");
        }
        let only = Requirement { minimum_package_version: Some("3".into()), ..requirement() };
        assert!(only.is_met_by(&candidate("1", "2")), "without a bound on the version");
    }

    #[test]
    fn allowed_versions_match_the_version_with_its_package_version() {
        let allowed = Requirement { allowed_versions: Some("1.*-2".into()), ..requirement() };
        assert!(allowed.is_met_by(&candidate("1.7", "2")));
        assert!(!allowed.is_met_by(&candidate("1.7", "3")));
        assert!(!allowed.is_met_by(&candidate("1.7", "")));
    }

    #[test]
    fn a_system_is_named_exactly_or_found_by_a_pattern() {
        let any = |list: &[&str]| list.iter().map(|&one| one.to_owned()).collect::<Vec<_>>();
        for (wanted, met) in [
            (any(&[]), true),
            (any(&["Debian-12"]), true),
            (any(&["Debian"]), true),
            (any(&["Debian-1"]), true),
            (any(&["RedHat-5", "Deb.*-12"]), true),
            (any(&["RedHat-5", "CentOS-5"]), false),
            (any(&["Debian-12("]), false),
            (any(&["^Debian-11$"]), false),
        ] {
            assert_eq!(runs_on(&wanted, "Debian-12"), met, "{wanted:?}");
        }
        assert!(!runs_on(&any(&["((a{99}){99}){99}"]), "Debian-12"), "too large a pattern is none");
    }
}
