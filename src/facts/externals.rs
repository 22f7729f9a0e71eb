//! Facts about externals: which there are on this host, and how each of them is to be reached.

use crate::config::{Config, ExternalMode};
use crate::db::ExternalRow;
use crate::layout::Layout;
use crate::package::external::{ExternalName, Way};
use crate::package::ident::GearName;
use crate::sandbox;
use crate::sys::fs::{Dir, Kind};
use crate::sys::host;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// What there is to know of externals.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Externals {
    programs: BTreeMap<String, Program>,
    config: Config,
    chain: Vec<String>,
    gears: PathBuf,
}

/// A file that an external's name leads to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Program {
    /// Where it lies.
    pub path: PathBuf,
    /// Whether it came with the binary.
    pub is_shipped: bool,
    /// Why it is not called, where it is not.
    pub fault: Option<&'static str>,
}

impl Externals {
    /// Looks into the folders: the administrator's, those of tpkg, then what the binary brings. The
    /// first file of a name counts, whatever is wrong with it.
    pub fn look(layout: &Layout, config: &Config) -> Self {
        let mut programs = BTreeMap::new();
        let [administrators, tpkg, shipped] = layout.externals();
        for folder in [administrators, tpkg] {
            for (name, fault) in files(&folder) {
                let path = folder.join(&name);
                programs.entry(name).or_insert(Program { path, is_shipped: false, fault });
            }
        }
        for name in sandbox::shipped_externals() {
            let path = shipped.join(name);
            let program = Program { path, is_shipped: true, fault: None };
            programs.entry(name.to_owned()).or_insert(program);
        }
        Self { programs, config: config.clone(), chain: sandbox::chain(), gears: layout.gears() }
    }

    /// How the external is reached for what comes now.
    pub fn way(&self, name: &ExternalName) -> Way {
        match self.config.external(name.as_str()).mode.unwrap_or_default() {
            ExternalMode::Request => Way::Request,
            ExternalMode::Exec => self.exec(name).unwrap_or(Way::Missing),
        }
    }

    /// How the external is reached that was asked for `row`: as it was then, as long as that goes.
    pub fn way_of(&self, row: &ExternalRow) -> Way {
        match row.mode.as_str() {
            "request" => Way::Request,
            // Nobody was asked, so nobody has to be told.
            "missing" => Way::Missing,
            _ => self.exec(&row.name).unwrap_or_else(|| self.way(&row.name)),
        }
    }

    fn exec(&self, name: &ExternalName) -> Option<Way> {
        let program = self.programs.get(name.as_str()).filter(|one| one.fault.is_none())?;
        Some(Way::Exec(program.path.clone()))
    }

    /// What `TPKG_HOME` says to the externals of a gear's cartridges.
    pub fn home_of(&self, gear: &GearName) -> String {
        self.gears.join(gear.as_str()).display().to_string()
    }

    /// The file that the name leads to.
    pub fn program(&self, name: &ExternalName) -> Option<&Program> {
        self.programs.get(name.as_str())
    }

    /// Whether the external's failure fails the transaction; `demanded` is what the package says.
    pub fn is_strict(&self, name: &ExternalName, demanded: bool) -> bool {
        demanded || self.config.external(name.as_str()).strict.unwrap_or(false)
    }

    /// Whether a package that asks for the external may do without it.
    pub fn may_be_missing(&self, name: &ExternalName) -> bool {
        self.config.external(name.as_str()).allow_missing.unwrap_or(false)
    }

    /// Tells whether the external waits for this very `cart`, which a tool has called that it runs.
    pub fn is_waiting(&self, name: &ExternalName) -> bool {
        self.chain.iter().any(|one| one == name.as_str())
    }
}

/// The names in a folder, with what keeps each from being called.
fn files(folder: &Path) -> Vec<(String, Option<&'static str>)> {
    let Ok(dir) = Dir::open(folder) else { return Vec::new() };
    let mut found = Vec::new();
    for name in dir.names().unwrap_or_default() {
        let Some(name) = name.to_str().and_then(|name| ExternalName::parse(name).ok()) else {
            continue;
        };
        let fault = fault(&dir, &name);
        found.push((name.as_str().to_owned(), fault));
    }
    found
}

fn fault(dir: &Dir, name: &ExternalName) -> Option<&'static str> {
    let real = crate::sys::fs::resolve(&dir.path_of(name.as_str())).ok();
    let meta = real
        .as_ref()
        .and_then(|real| Dir::open(real.parent()?).ok()?.meta(real.file_name()?).ok().flatten());
    match meta {
        Some(meta) if meta.kind != Kind::File => Some("is no file"),
        Some(meta) if meta.mode & 0o111 == 0 => Some("is not executable"),
        Some(meta) if meta.mode & 0o002 != 0 => Some("may be changed by anybody"),
        Some(meta) if meta.uid != 0 && meta.uid != host::user_id() => {
            Some("belongs to another user")
        }
        Some(_) => None,
        None => Some("cannot be read"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Rule;

    fn name(text: &str) -> ExternalName {
        ExternalName::parse(text).unwrap()
    }

    #[test]
    fn the_first_folder_counts_and_the_settings_decide() {
        let temp = tempfile::tempdir().unwrap();
        let layout = Layout::below(temp.path());
        let [first, second, _] = layout.externals();
        let put = |folder: &Path, name: &str, mode| {
            Dir::create(folder, 0o755).unwrap().put_file(name, b"#!/bin/sh\n", mode).unwrap();
        };
        put(&first, "nfs", 0o755);
        put(&second, "nfs", 0o755);
        put(&second, "sysctl-of-old", 0o755);
        put(&first, "odd", 0o644);
        put(&second, "odd", 0o755);
        put(&first, "open", 0o757);
        let mut config = Config::default();
        let found = Externals::look(&layout, &config);
        assert_eq!(found.way(&name("nfs")), Way::Exec(first.join("nfs")));
        assert_eq!(found.way(&name("sysctl-of-old")), Way::Exec(second.join("sysctl-of-old")));
        assert_eq!(found.way(&name("odd")), Way::Missing, "not silently another one");
        assert_eq!(found.program(&name("odd")).unwrap().fault, Some("is not executable"));
        assert_eq!(found.way(&name("open")), Way::Missing);
        assert_eq!(found.way(&name("nobody")), Way::Missing);
        assert!(!found.is_strict(&name("nfs"), false) && found.is_strict(&name("nfs"), true));

        let rule = Rule { mode: Some(ExternalMode::Request), ..Rule::default() };
        config.externals.insert("nfs".into(), rule);
        config.externals.insert("*".into(), Rule { strict: Some(true), ..Rule::default() });
        let found = Externals::look(&layout, &config);
        assert_eq!(found.way(&name("nfs")), Way::Request);
        assert!(found.is_strict(&name("nfs"), false));
        assert!(!found.may_be_missing(&name("nfs")));
    }
}
