//! What becomes of the files of a package that goes.

use super::{Part, TpkgAsk, cron};
use crate::db::{PlacedKind, Role};
use crate::facts::tpkg::{InstalledTpkg, OnDisk};
use crate::plan::Plan;
use crate::step::place_files::Act;
use crate::sys::fs::Kind;
use crate::sys::path::RelPath;
use std::collections::BTreeSet;

/// Adds what takes the files of `gone` away, but for the paths that stay: files first, then the
/// folders that are left empty, the deepest first.
pub(super) fn take(
    plan: &mut Plan,
    ask: &TpkgAsk<'_>,
    (gone, stays): (&InstalledTpkg, &BTreeSet<RelPath>),
    part: &mut Part,
) {
    let going: BTreeSet<i64> = super::going(ask).map(|one| one.row.id).collect();
    // Whoever goes in the same transaction keeps nothing from going.
    let is_shared = |file: &OnDisk| file.others.iter().any(|one| !going.contains(&one.package));
    let mut folders = Vec::new();
    for file in &gone.files {
        let path = &file.placed.path;
        // Lines of the old release go even where the new one has lines in the same crontab.
        if file.placed.kind != PlacedKind::Lines && stays.contains(path) {
            continue;
        }
        match file.placed.kind {
            PlacedKind::Directory => folders.push(file),
            PlacedKind::Lines => cron::withdraw(plan, ask, (gone, path), part),
            // A side-by-side release of the original shares it.
            PlacedKind::File | PlacedKind::Link if file.there.is_some() && is_shared(file) => {}
            PlacedKind::File | PlacedKind::Link => thing(plan, file, part),
        }
    }
    for folder in folders.iter().rev() {
        let is_folder = folder.there.as_ref().is_some_and(|there| there.kind == Kind::Directory);
        if is_folder && !is_shared(folder) {
            part.acts.push(Act::DropFolder { path: folder.placed.path.clone() });
        }
    }
}

fn thing(plan: &mut Plan, file: &OnDisk, part: &mut Part) {
    let path = &file.placed.path;
    let Some(there) = &file.there else {
        plan.warnings.push(format!("`/{path}` is gone already"));
        return;
    };
    if there.kind == Kind::Directory {
        plan.warnings.push(format!("`/{path}` is a folder now, and stays"));
        return;
    }
    let changed = file.placed.role == Role::Config
        && file.placed.kind == PlacedKind::File
        && there.sha256 != file.placed.sha256;
    if changed {
        plan.warnings.push(format!("`/{path}` was changed, and stays"));
        return;
    }
    part.acts.push(Act::Take { path: path.clone() });
}
