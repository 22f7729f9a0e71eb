//! Whether what a package has put on the host is still as it was put there.

use super::all::root;
use super::spots::look;
use crate::db::{Db, PackageRow, Placed, PlacedKind, Role};
use crate::error::Failure;
use crate::facts::integrity::Finding;
use crate::layout::Layout;
use crate::sys::folders::Folders;
use crate::sys::fs::{Dir, Kind};
use crate::sys::host;
use std::collections::HashMap;

/// The longest list of accounts that is read.
const LONGEST: u64 = 64 << 20;

/// Numbers by name.
type Ids = HashMap<String, u32>;

/// Compares what the package of `row` has put on the host with what is there. The content of a
/// config file is the administrator's, and so is that of the new release beside it.
pub fn check_placed(db: &Db, layout: &Layout, row: &PackageRow) -> Result<Vec<Finding>, Failure> {
    let root = root(layout)?;
    let owner = super::needs::tpkg_title(row);
    let (users, groups) = (ids(&root, "etc/passwd")?, ids(&root, "etc/group")?);
    let mut folders = Folders::new(&root);
    let mut found = Vec::new();
    for placed in db.placed(row.id)? {
        if placed.kind == PlacedKind::Lines {
            continue;
        }
        for what in differences(&mut folders, &placed, (&users, &groups))? {
            let path = root.path_of(placed.path.as_path()).display().to_string();
            found.push(Finding { owner: owner.clone(), path, what });
        }
    }
    Ok(found)
}

fn differences(
    folders: &mut Folders<'_>,
    placed: &Placed,
    (users, groups): (&Ids, &Ids),
) -> Result<Vec<&'static str>, Failure> {
    let is_edited = matches!(placed.role, Role::Config | Role::Beside);
    let reads = placed.sha256.is_some() && !is_edited;
    let Some(there) = look(folders, &placed.path, reads)? else {
        // Whoever has merged the new release of a config file throws it away.
        return Ok(if placed.role == Role::Beside { Vec::new() } else { vec!["missing"] });
    };
    let kind = match placed.kind {
        PlacedKind::Directory => Kind::Directory,
        PlacedKind::Link => Kind::Link,
        PlacedKind::File | PlacedKind::Lines => Kind::File,
    };
    if there.kind != kind {
        return Ok(vec!["kind"]);
    }
    let mut found = Vec::new();
    match kind {
        Kind::Link => {
            let (dir, name) = folders.at(placed.path.as_str())?;
            let target = dir.link_target(name)?;
            if placed.target.as_deref().is_some_and(|own| target.to_str() != Some(own)) {
                found.push("target");
            }
            return Ok(found);
        }
        Kind::File if reads && there.sha256 != placed.sha256 => found.push("content"),
        _ => {}
    }
    if there.mode != placed.mode {
        found.push("mode");
    }
    // Where everything belongs to one user, packages have no say in it.
    if host::is_root() {
        let is = |text: &str, ids: &Ids, id: u32| number(text, ids) == id;
        if !is(&placed.owner, users, there.uid) {
            found.push("owner");
        }
        if !is(&placed.group, groups, there.gid) {
            found.push("group");
        }
    }
    Ok(found)
}

/// The number of an owner; root's where nobody has the name, as when it was installed.
fn number(text: &str, ids: &Ids) -> u32 {
    text.parse().ok().or_else(|| ids.get(text).copied()).unwrap_or_default()
}

fn ids(root: &Dir, path: &str) -> Result<Ids, Failure> {
    let bytes = match root.read(path, LONGEST) {
        Err(error) if error.is_not_found() => return Ok(Ids::new()),
        other => other?,
    };
    let text = String::from_utf8_lossy(&bytes).into_owned();
    let account = |line: &str| {
        let mut fields = line.split(':');
        Some((fields.next()?.to_owned(), fields.nth(1)?.parse().ok()?))
    };
    Ok(text.lines().filter_map(account).collect())
}
