//! What is installed of all that packages need, here and with the host's own package manager.

use crate::db::{Db, PackageRow};
use crate::error::Failure;
use crate::facts::tpkg::installed::tpkg_packages_named;
use crate::package::Package;
use crate::package::ident::FormatName;
use crate::package::tpkg::requirement::Candidate as Compared;
use crate::package::tpkg::{Requirement, RequirementKind};
use crate::sys::{fs, process};
use std::collections::BTreeSet;
use std::path::Path;

/// A package that may be what somebody needs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Candidate {
    /// Its row, where it is installed.
    pub id: Option<i64>,
    /// Its name.
    pub name: String,
    /// Of which kind it is.
    pub kind: RequirementKind,
    /// Its version.
    pub version: String,
    /// The release of its packaging.
    pub package_version: Option<String>,
}

impl Candidate {
    /// Tells whether it is what `requirement` means.
    pub fn meets(&self, requirement: &Requirement) -> bool {
        requirement.is_met_by(&Compared {
            name: &self.name,
            kind: self.kind,
            version: &self.version,
            package_version: self.package_version.as_deref(),
        })
    }

    /// The installed package of `row`.
    pub fn of_row(row: &PackageRow) -> Self {
        // What is recorded of a tpkg package is `VERSION-PACKAGEVERSION`.
        let packaging = row.package_version.strip_prefix(&row.version);
        let packaging = packaging.and_then(|rest| rest.strip_prefix('-'));
        Self {
            id: Some(row.id),
            name: row.name.clone(),
            kind: RequirementKind::Tpkg,
            version: row.version.clone(),
            package_version: packaging.map(str::to_owned),
        }
    }
}

/// What is installed of all that a transaction speaks of, and who speaks of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Needs {
    /// What is installed: packages of this format, and of the host's own system.
    pub installed: Vec<Candidate>,
    /// What installed packages need: the package's id and name, and what.
    pub dependents: Vec<(i64, String, Requirement)>,
    /// What is in the way of installed packages.
    pub clashes: Vec<(i64, String, Requirement)>,
}

/// The name by which messages call the package of `row`.
pub fn tpkg_title(row: &PackageRow) -> String {
    format!("{}-{}", row.name, row.package_version)
}

/// Looks up what the `requirements` of packages that come speak of, and who speaks of the packages
/// called `changing`, which come or go.
pub(super) fn needs(
    (db, root): (&Db, Option<&Path>),
    requirements: &[&Requirement],
    changing: &BTreeSet<String>,
) -> Result<Needs, Failure> {
    let mut found = Needs::default();
    let mut names = changing.clone();
    for name in changing {
        for (id, clash, requirement) in db.needing(name)? {
            let Some(row) = db.package(id)? else { continue };
            let one = (id, tpkg_title(&row), requirement);
            if clash { found.clashes.push(one) } else { found.dependents.push(one) }
        }
    }
    let mut native = BTreeSet::new();
    for one in requirements {
        match one.kind {
            RequirementKind::Tpkg => names.insert(one.name.clone()),
            RequirementKind::Native => native.insert(one.name.clone()),
        };
    }
    for name in &names {
        found.installed.extend(tpkg_packages_named(db, name)?.iter().map(Candidate::of_row));
    }
    for name in &native {
        found.installed.extend(of_the_system(root, name));
    }
    Ok(found)
}

/// Where hosts have the database of rpm (Fedora and SUSE; others).
const RPM: [&str; 2] = ["usr/lib/sysimage/rpm", "var/lib/rpm"];

/// The package of the host's own system called `name`, where it is installed.
pub fn of_the_system(root: Option<&Path>, name: &str) -> Option<Candidate> {
    let below = |path: &str| root.unwrap_or(Path::new("/")).join(path);
    let candidate = |version: &str| {
        let (version, package_version) = split(version);
        Candidate {
            id: None,
            name: name.to_owned(),
            kind: RequirementKind::Native,
            version,
            package_version,
        }
    };
    if fs::kind_of(&below("var/lib/dpkg/status")).is_some() {
        let folder = below("var/lib/dpkg").display().to_string();
        let format = "--showformat=${db:Status-Status} ${Version}\n";
        let words = [&format!("--admindir={folder}"), format, "--show", "--", name];
        let text = ask("/usr/bin/dpkg-query", &words)?;
        let versions = text.lines().filter_map(|line| line.strip_prefix("installed "));
        return versions.map(candidate).next();
    }
    // With `--root` rpm would want to change its root directory, which only root can.
    let place = if root.is_some() {
        let mut places = RPM.iter().map(|path| below(path));
        Some(places.find(|path| fs::kind_of(path).is_some())?.display().to_string())
    } else {
        None
    };
    let mut words: Vec<&str> = place.iter().flat_map(|place| ["--dbpath", place]).collect();
    words.extend(["-q", "--qf", "%{VERSION}-%{RELEASE}\n", "--", name]);
    let text = ask("/usr/bin/rpm", &words)?;
    text.lines().map(candidate).next()
}

/// Version and packaging of `[EPOCH:]VERSION[-PACKAGING]`.
fn split(text: &str) -> (String, Option<String>) {
    let text = text.split_once(':').map_or(text, |(_, rest)| rest);
    match text.rsplit_once('-') {
        Some((version, packaging)) => (version.to_owned(), Some(packaging.to_owned())),
        None => (text.to_owned(), None),
    }
}

fn ask(program: &str, words: &[&str]) -> Option<String> {
    let mut command = process::command(Path::new(program));
    process::own_session(&mut command);
    let output = command.env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin").args(words).output().ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).into_owned())
}

/// The packages of `leaving`, those that need one of them, and so on; who needs goes first.
pub fn with_dependents(db: &Db, leaving: &[PackageRow]) -> Result<Vec<PackageRow>, Failure> {
    let mut all: Vec<PackageRow> = leaving.to_vec();
    let mut next = 0;
    while let Some(row) = all.get(next).cloned() {
        next += 1;
        let own = Candidate::of_row(&row);
        for (id, clash, requirement) in db.needing(&row.name)? {
            let is_new = !clash && own.meets(&requirement) && all.iter().all(|one| one.id != id);
            if is_new && let Some(dependent) = db.package(id)? {
                all.push(dependent);
            }
        }
    }
    Ok(all)
}

/// The packages of `leaving`, and what they need that nobody else does, and so on.
pub fn with_prerequisites(db: &Db, leaving: &[PackageRow]) -> Result<Vec<PackageRow>, Failure> {
    let mut all: Vec<PackageRow> = leaving.to_vec();
    let mut next = 0;
    while let Some(row) = all.get(next).cloned() {
        next += 1;
        let (needs, _) = db.needs_of(row.id)?;
        for need in needs.iter().filter(|need| need.kind == RequirementKind::Tpkg) {
            for other in tpkg_packages_named(db, &need.name)? {
                let known = all.iter().any(|one| one.id == other.id);
                if known || !Candidate::of_row(&other).meets(need) {
                    continue;
                }
                let users = db.needing(&other.name)?;
                let mut users = users.iter().filter(|(_, clash, _)| !clash);
                if users.all(|(id, ..)| all.iter().any(|one| one.id == *id)) {
                    all.push(other);
                }
            }
        }
    }
    Ok(all)
}

/// The installed packages beside which one of `coming` cannot be, whoever of both says so; those that
/// need others of them first.
pub fn in_conflict(db: &Db, coming: &[&Package]) -> Result<Vec<PackageRow>, Failure> {
    let mut found: Vec<PackageRow> = Vec::new();
    let own: BTreeSet<&str> = coming.iter().map(|one| one.name.as_str()).collect();
    for package in coming {
        let Some(tpkg) = &package.tpkg else { continue };
        let mut add = |row: PackageRow| {
            let known = found.iter().any(|one| one.id == row.id);
            // A release of what comes is replaced, or stays beside it.
            if !known && !own.contains(row.name.as_str()) {
                found.push(row);
            }
        };
        for clash in tpkg.conflicts.iter().filter(|one| one.kind == RequirementKind::Tpkg) {
            let rows = tpkg_packages_named(db, &clash.name)?.into_iter();
            rows.filter(|row| Candidate::of_row(row).meets(clash)).for_each(&mut add);
        }
        let candidate = Candidate {
            id: None,
            name: package.name.to_string(),
            kind: RequirementKind::Tpkg,
            version: package.version.to_string(),
            package_version: tpkg.package_version.as_ref().map(ToString::to_string),
        };
        for (id, clash, requirement) in db.needing(package.name.as_str())? {
            if clash && candidate.meets(&requirement) {
                db.package(id)?.into_iter().for_each(&mut add);
            }
        }
    }
    dependents_first(db, found)
}

/// Puts who needs before whom it needs; a circle stays in the order in which it came.
pub fn dependents_first(db: &Db, rows: Vec<PackageRow>) -> Result<Vec<PackageRow>, Failure> {
    let mut needs = Vec::new();
    for row in &rows {
        let (own, _) = db.needs_of(row.id)?;
        let names = own.into_iter().filter(|one| one.kind == RequirementKind::Tpkg);
        needs.push(names.map(|one| one.name).collect::<BTreeSet<_>>());
    }
    let mut left: Vec<(PackageRow, BTreeSet<String>)> = rows.into_iter().zip(needs).collect();
    let mut ordered = Vec::new();
    while !left.is_empty() {
        let free = left.iter().position(|(row, _)| {
            !left.iter().any(|(other, needs)| other.id != row.id && needs.contains(&row.name))
        });
        ordered.push(left.remove(free.unwrap_or(0)).0);
    }
    Ok(ordered)
}

/// Tells whether `row` is of this format.
pub fn is_tpkg(row: &PackageRow) -> bool {
    row.format == FormatName::Tpkg.as_str()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_of_the_system_are_taken_apart() {
        assert_eq!(split("1:2.3-4+deb12u1"), ("2.3".into(), Some("4+deb12u1".into())));
        assert_eq!(split("2.3"), ("2.3".into(), None));
        assert_eq!(split("1.0-rc1-2"), ("1.0-rc1".into(), Some("2".into())));
    }
}
