//! Whether what is on the disk is what the database speaks of.

use super::packages::table;
use crate::db::{Db, GearRow, PackageRow};
use crate::error::{Failure, FsError};
use crate::layout::Layout;
use crate::library;
use crate::sys::fs::{Dir, Kind};
use std::collections::BTreeSet;

/// Something that is not as it was recorded.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Finding {
    /// The package, the gear, or `cartwright` itself.
    pub owner: String,
    /// The path.
    pub path: String,
    /// What is different: `missing`, `content`, `mode`, `kind`, `target`, `extra`, `stray`,
    /// `database`.
    pub what: &'static str,
}

/// Compares an installed package's tree with its record, by content.
pub fn check_package(db: &Db, layout: &Layout, row: &PackageRow) -> Result<Vec<Finding>, Failure> {
    let owner = format!("{}-{}-{}", row.vendor, row.name, row.version);
    let path = layout.library().join(&row.place);
    let tree = match Dir::open(&path) {
        Ok(tree) => tree,
        Err(error) if error.is_not_found() => {
            let path = path.display().to_string();
            return Ok(vec![Finding { owner, path, what: "missing" }]);
        }
        Err(error) => return Err(error.into()),
    };
    let differences = library::verify(&tree, &table(db, row.id)?)?.into_iter();
    let found = differences.map(|one| Finding {
        owner: owner.clone(),
        path: tree.path_of(&one.path).display().to_string(),
        what: one.what,
    });
    Ok(found.collect())
}

/// Looks whether a gear's home is there, with its cartridges, each linked to its package.
pub fn check_gear(db: &Db, layout: &Layout, row: &GearRow) -> Result<Vec<Finding>, Failure> {
    let owner = format!("gear {}", row.name);
    let path = layout.gears().join(&row.name);
    let mut found = Vec::new();
    let mut add = |path: &std::path::Path, what| {
        let path = path.display().to_string();
        found.push(Finding { owner: owner.clone(), path, what });
    };
    let Ok(home) = Dir::open(&path) else {
        add(&path, "missing");
        return Ok(found);
    };
    for cartridge in db.gear_cartridges(row.id)? {
        let instance = home.path_of(&cartridge.dir);
        if home.meta(&cartridge.dir)?.is_none_or(|meta| meta.kind != Kind::Directory) {
            add(&instance, "missing");
            continue;
        }
        let manifest = db.manifest(cartridge.package)?;
        let Some(package) = db.package(cartridge.package)?.filter(|_| manifest.parts.usr) else {
            continue;
        };
        let usr = format!("{}/usr", cartridge.dir);
        let expected = layout.library().join(package.place).join("usr");
        if home.link_target(&usr).ok().as_ref() != Some(&expected) {
            add(&home.path_of(&usr), "target");
        }
    }
    Ok(found)
}

/// Looks for trees that no record speaks of, and for damage to the database itself.
pub fn strays(db: &Db, layout: &Layout) -> Result<Vec<Finding>, Failure> {
    let mut found: Vec<Finding> = db
        .complaints()?
        .into_iter()
        .map(|text| Finding { owner: "cartwright".into(), path: text, what: "database" })
        .collect();
    let places: BTreeSet<String> = db.packages()?.into_iter().map(|row| row.place).collect();
    let Ok(state) = Dir::open(layout.state()) else { return Ok(found) };
    let busy = busy(db)?;
    let mut stray = |path: std::path::PathBuf| {
        let inside = path.strip_prefix(layout.state()).unwrap_or(&path).to_string_lossy();
        if busy.iter().any(|words| words.contains(&*inside)) {
            return;
        }
        let path = path.display().to_string();
        found.push(Finding { owner: "cartwright".into(), path, what: "stray" });
    };
    for place in folders(&state, "library", 3)? {
        if !places.contains(&place) {
            stray(layout.library().join(place));
        }
    }
    let repositories: BTreeSet<String> =
        places.iter().map(|place| library::template_repository(place)).collect();
    for name in folders(&state, "templates", 1)? {
        if !repositories.contains(&name) {
            stray(layout.templates().join(name));
        }
    }
    let gears: BTreeSet<String> = db.gears()?.into_iter().map(|row| row.name).collect();
    for name in folders(&state, "gears", 1)? {
        if !gears.contains(&name) {
            stray(layout.gears().join(name));
        }
    }
    let kept = db.keeping()?.into_iter().map(|(id, ..)| id);
    let unfinished = db.unfinished()?.into_iter().map(|row| row.id);
    let needed: BTreeSet<String> = kept.chain(unfinished).map(|id| id.to_string()).collect();
    for name in folders(&state, "stash", 1)? {
        if !needed.contains(&name) {
            stray(layout.stash().join(name));
        }
    }
    Ok(found)
}

/// What unfinished transactions are about: their steps, and the homes of the gears that they lock.
fn busy(db: &Db) -> Result<Vec<String>, Failure> {
    let mut words = Vec::new();
    for row in db.unfinished()? {
        words.extend(db.steps(row.id)?.into_iter().map(|step| step.step));
        let locked = db.resources(row.id)?.into_iter();
        words.extend(
            locked.filter_map(|name| Some(format!("gears/{}", name.strip_prefix("gear ")?))),
        );
    }
    Ok(words)
}

/// The paths that lie `depth` levels below `folder`, relative to it.
fn folders(state: &Dir, folder: &str, depth: usize) -> Result<Vec<String>, FsError> {
    if !state.has(folder)? {
        return Ok(Vec::new());
    }
    let root = state.dir(folder)?;
    let mut level = vec![String::new()];
    for _ in 0..depth {
        let mut next = Vec::new();
        for path in level {
            let dir = if path.is_empty() { root.again()? } else { root.dir(&path)? };
            for name in dir.names()? {
                let name = name.to_string_lossy().into_owned();
                next.push(if path.is_empty() { name } else { format!("{path}/{name}") });
            }
        }
        level = next;
    }
    Ok(level)
}
