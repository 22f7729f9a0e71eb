//! What a snapshot leaves out, and a restore does not bring.
//!
//! A pattern is anchored at the gear's home; one that finds nothing there, at its cartridge (node
//! specification, 0). It excludes what it names with everything below, as `tar` does.

use crate::gear::globs::normalised;
use crate::gear::globs::pattern::{Part, alternatives, parts_of};
use crate::sys::fs::{Dir, Kind};
use std::collections::BTreeSet;

/// What is never in a snapshot: what is private to a gear's run or identity, and what deployments hold
/// anyway (node specification, 11; the seed's list is a part of it).
const FIXED: [&str; 15] = [
    ".tmp",
    ".ssh",
    ".sandbox",
    "*/conf.d/openshift.conf",
    "*/run/httpd.pid",
    "haproxy*/run/stats",
    "app-root/runtime/.state",
    "app-root/runtime/.preupgrade_state",
    "app-root/runtime/.upgrade_itinerary",
    "app-root/runtime/.upgrade_complete*",
    "app-root/runtime/repo",
    "app-root/runtime/dependencies",
    "app-root/runtime/build-dependencies",
    "app-root/data/.bash_history",
    // What verbs inside a gear keep for going back.
    "app-deployments/.before*",
];
/// The names that the search for one pattern may look at.
const MOST_LOOKS: usize = 1 << 20;

/// Paths below a gear's home that are left out.
#[derive(Clone, Debug, Default)]
pub struct Exclusions(Vec<Vec<Part>>);

impl Exclusions {
    /// What every snapshot leaves out.
    pub fn fixed() -> Self {
        Self(FIXED.iter().flat_map(|pattern| compiled(pattern, pattern)).collect())
    }

    /// Adds the patterns of the cartridge in `folder` of `home`.
    pub fn add(&mut self, home: &Dir, folder: &str, patterns: &[String]) {
        for pattern in patterns.iter().map(|pattern| pattern.trim()) {
            if let Some(path) = pattern.strip_prefix("~/") {
                self.0.extend(normalised(path).iter().flat_map(|path| compiled(path, pattern)));
                continue;
            }
            let of_home = normalised(pattern).map(|path| compiled(&path, pattern));
            let of_home = of_home.filter(|all| all.iter().any(|parts| exists(home, parts)));
            let of_folder = || {
                let path = normalised(&format!("{folder}/{pattern}"));
                path.map(|path| compiled(&path, pattern))
            };
            if !pattern.is_empty() {
                self.0.extend(of_home.or_else(of_folder).unwrap_or_default());
            }
        }
    }

    /// Tells whether `path` is excluded; whatever lies below it is, too.
    pub fn has(&self, path: &str) -> bool {
        let names: Vec<&str> = path.split('/').collect();
        self.0.iter().any(|parts| fits(parts, &names))
    }
}

/// The pattern `path`, which was written as `text`: only a `*` makes anything in it special.
fn compiled(path: &str, text: &str) -> Vec<Vec<Part>> {
    if text.contains('*') {
        return alternatives(path).iter().map(|path| parts_of(path)).collect();
    }
    vec![path.split('/').map(|name| Part::Exact(name.to_owned())).collect()]
}

/// Follows all the ways through the pattern side by side: one by one they could be too many.
fn fits(parts: &[Part], names: &[&str]) -> bool {
    let mut at: BTreeSet<usize> = BTreeSet::new();
    let reach = |at: &mut BTreeSet<usize>, mut place: usize| {
        while at.insert(place) && parts.get(place) == Some(&Part::Deep) {
            place += 1;
        }
    };
    reach(&mut at, 0);
    for name in names {
        let mut next = BTreeSet::new();
        for place in at {
            match parts.get(place) {
                Some(Part::Deep) => reach(&mut next, place),
                Some(part) if part.matches(name) => reach(&mut next, place + 1),
                _ => {}
            }
        }
        at = next;
    }
    at.contains(&parts.len())
}

/// Tells whether anything in `home` has that name; links are not followed.
fn exists(home: &Dir, parts: &[Part]) -> bool {
    home.again().is_ok_and(|top| found(&top, parts, &mut 0))
}

fn found(dir: &Dir, parts: &[Part], looks: &mut usize) -> bool {
    let Some((part, rest)) = parts.split_first() else { return true };
    let visit = |name: &str, rest: &[Part], looks: &mut usize| {
        let kind = dir.meta(name).ok().flatten().map(|meta| meta.kind);
        match kind {
            Some(_) if rest.is_empty() => true,
            Some(Kind::Directory) => dir.dir(name).is_ok_and(|inner| found(&inner, rest, looks)),
            _ => false,
        }
    };
    if let Part::Exact(name) = part {
        return visit(name, rest, looks);
    }
    if *part == Part::Deep && found(dir, rest, looks) {
        return true;
    }
    for name in dir.names().unwrap_or_default() {
        *looks += 1;
        let Some(name) = name.to_str().filter(|_| *looks <= MOST_LOOKS) else { continue };
        let deeper = if *part == Part::Deep { parts } else { rest };
        let is_folder =
            || dir.meta(name).ok().flatten().is_some_and(|meta| meta.kind == Kind::Directory);
        let goes = if *part == Part::Deep { is_folder() } else { part.matches(name) };
        if goes && visit(name, deeper, looks) {
            return true;
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_are_anchored_at_the_home_and_else_at_their_cartridge() {
        let temp = tempfile::tempdir().unwrap();
        let home = Dir::open(temp.path()).unwrap();
        for folder in ["php/logs/old", "app-root/data/cache/a", "app-root/logs", "php/app-root"] {
            home.make_dirs(folder, 0o755).unwrap();
        }
        home.write_new("app-root/data/cache/a/one.tmp", b"", 0o644).unwrap();
        let with = |patterns: &[&str]| {
            let mut all = Exclusions::default();
            let patterns: Vec<String> = patterns.iter().map(|one| (*one).to_owned()).collect();
            all.add(&home, "php", &patterns);
            all
        };
        // Something in the home has that name.
        assert!(with(&["app-root/logs"]).has("app-root/logs"));
        assert!(!with(&["app-root/logs"]).has("php/app-root/logs"));
        assert!(with(&["app-root/data/cache/*"]).has("app-root/data/cache/a"));
        assert!(with(&["app-root/**/*.tmp"]).has("app-root/data/cache/a/one.tmp"));
        // Nothing has.
        assert!(with(&["logs/*"]).has("php/logs/old"));
        assert!(with(&["logs/"]).has("php/logs"));
        assert!(with(&["later.pid"]).has("php/later.pid"));
        assert!(!with(&["later.pid"]).has("later.pid"));
        assert!(with(&["~/later.pid"]).has("later.pid"));
        // What leads out of the gear names nothing, and without `*` nothing is special.
        assert!(!with(&["../../etc", "~/../x", " ", "/"]).has("etc"));
        assert!(!with(&["l?gs"]).has("php/logs"));
        assert!(with(&["../app-root/logs"]).has("app-root/logs"));
    }

    #[test]
    fn a_pattern_of_many_ways_is_followed_in_no_time() {
        let many = parts_of(&format!("{}x", "**/*/".repeat(60)));
        let names = vec!["a"; 120];
        assert!(!fits(&many, &names));
        assert!(fits(&many, &[&names[..], &["x"]].concat()));
    }

    #[test]
    fn what_belongs_to_a_run_or_an_identity_is_never_in_a_snapshot() {
        let fixed = Exclusions::fixed();
        for path in [".ssh", "php/conf.d/openshift.conf", "haproxy-1.4/run/stats"] {
            assert!(fixed.has(path), "{path}");
        }
        assert!(fixed.has("app-root/runtime/.upgrade_complete_x"));
        for path in ["app-root/data", "app-root/runtime/data", ".env", "conf.d/openshift.conf"] {
            assert!(!fixed.has(path), "{path}");
        }
    }
}
