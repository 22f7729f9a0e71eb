//! Undoing what brought packages of this format or took them away: every file as it was before, with
//! the scripts and externals that the opposite has.

use super::{needs, resource, scripts, services};
use crate::db::{Change, Placed, Role};
use crate::error::Exit;
use crate::facts::Externals;
use crate::facts::tpkg::{Back, InstalledTpkg, StepBack, There, WayBack};
use crate::package::external::{Action, Asker};
use crate::plan::externals::{add_again, add_put_back, add_withdrawn};
use crate::plan::install::in_library;
use crate::plan::{Plan, Refusal, Resource, hold};
use crate::step::accounts::Who;
use crate::step::place_files::{Act, Owned, PlaceFiles, What};
use crate::step::stash_trees::StashTrees;
use crate::sys::fs::Kind;
use crate::sys::path::RelPath;
use std::collections::BTreeSet;

/// Adds what undoes transaction `txn`, whose trees are back in the library by then.
pub fn add_undone(
    plan: &mut Plan,
    way: &WayBack,
    (txn, externals): (i64, &Externals),
) -> Result<(), Refusal> {
    refuse(way)?;
    plan.resources.insert(Resource::HostFiles);
    let leaves = |name: &str| way.facts.leaving.iter().any(|one| one.row.name == name);
    services::stop(plan, way.facts.services.iter());
    let mut left: Vec<&StepBack> = way.steps.iter().collect();
    for old in way.facts.leaving.iter().rev() {
        go(plan, (way, old, &mut left), (txn, externals))?;
    }
    for one in way.back.iter().filter(|one| !leaves(&one.row.name)) {
        scripts::of_leaving(plan, one, (Action::Install, "preinstall"))?;
        let own = |row: &&_| belongs(row, one);
        add_again(plan, way.withdrawn.iter().filter(own), externals)?;
        let title = one.package.title();
        files(plan, (way, &mut left), (&title, &title));
        scripts::of_leaving(plan, one, (Action::Install, "postinstall"))?;
    }
    while let Some(title) = left.first().map(|step| step.package.clone()) {
        files(plan, (way, &mut left), (&title, &title));
    }
    for one in &way.back {
        plan.resources.insert(resource(&one.row.name));
        plan.records.push(Change::RestorePackage { id: one.row.id });
        plan.summary.push(format!("`{}` comes back", one.package.title()));
    }
    let trees = way.facts.leaving.iter().map(|one| in_library(&one.place));
    let trees = trees.collect::<Result<Vec<RelPath>, _>>()?;
    if !trees.is_empty() {
        plan.step(StashTrees { trees });
    }
    keep(plan, way.facts.leaving.iter());
    Ok(())
}

/// Adds what takes `old` away, for what comes back in its place, where something does.
fn go<'a>(
    plan: &mut Plan,
    (way, old, left): (&'a WayBack, &InstalledTpkg, &mut Vec<&'a StepBack>),
    (txn, externals): (i64, &Externals),
) -> Result<(), Refusal> {
    let back: Vec<&InstalledTpkg> =
        way.back.iter().filter(|one| one.row.name == old.row.name).collect();
    let action = if back.is_empty() { Action::Remove } else { Action::Upgrade };
    plan.resources.insert(resource(&old.row.name));
    scripts::of_leaving(plan, old, (action, "preremove"))?;
    if back.is_empty() {
        let rows = way.facts.asked.get(&old.row.id).map_or(&[][..], Vec::as_slice);
        add_withdrawn(plan, rows, externals, action)?;
        let title = old.package.title();
        files(plan, (way, left), (&title, &title));
        scripts::of_leaving(plan, old, (action, "postremove"))?;
    } else {
        scripts::of_leaving(plan, old, (action, "postremove"))?;
        exchange(plan, (way, old, &back), (txn, externals))?;
        // What comes names the step, so that this can be undone in its turn.
        let comes = back.first().map_or_else(String::new, |one| one.package.title());
        files(plan, (way, left), (&old.package.title(), &comes));
        for one in &back {
            scripts::of_leaving(plan, one, (action, "postinstall"))?;
        }
    }
    plan.records.push(Change::RemovePackage { id: old.row.id });
    plan.summary.push(format!("`{}` leaves", old.package.title()));
    Ok(())
}

/// Keeps what goes, so that it can come back.
pub(super) fn keep<'a>(plan: &mut Plan, going: impl Iterator<Item = &'a InstalledTpkg>) {
    let bytes = |one: &InstalledTpkg| {
        let placed = one.files.iter().filter_map(|file| file.placed.size);
        one.row.size + placed.sum::<u64>()
    };
    let bytes: u64 = going.map(bytes).sum();
    plan.keeps = Some(plan.keeps.unwrap_or_default() + bytes);
    plan.inverse.parts.push(crate::db::InversePart::Tpkgs);
}

fn belongs(row: &crate::db::ExternalRow, one: &InstalledTpkg) -> bool {
    row.asker.gear.is_none()
        && row.asker.format == one.package.format
        && row.asker.name == one.row.name
        && row.asker.home == one.home.base
}

/// From the externals of what leaves to those of what comes back, after its `preinstall`.
fn exchange(
    plan: &mut Plan,
    (way, old, back): (&WayBack, &InstalledTpkg, &[&InstalledTpkg]),
    (txn, externals): (i64, &Externals),
) -> Result<(), Refusal> {
    for one in back {
        scripts::of_leaving(plan, one, (Action::Upgrade, "preinstall"))?;
    }
    let Some(one) = back.first() else { return Ok(()) };
    let was = Asker {
        format: one.package.format,
        vendor: String::new(),
        name: one.row.name.clone(),
        gear: None,
        home: one.home.base.clone(),
        file: one.home.file_name.clone(),
    };
    let now = way.facts.asked.get(&old.row.id).map_or(&[][..], Vec::as_slice);
    let withdrawn: Vec<_> = way.withdrawn.iter().filter(|row| belongs(row, one)).cloned().collect();
    add_put_back(plan, &was, (now, &withdrawn, txn), externals)
}

fn refuse(way: &WayBack) -> Result<(), Refusal> {
    let conflict = |text: String| Err(Refusal::new(Exit::Conflict, text));
    if let Some(lost) = way.lost.first() {
        return conflict(format!("`{lost}` is not installed any more"))
            .map_err(|refusal| refusal.hint("undo what was done to it since, first"));
    }
    if let Some(hold) = way.facts.leaving.iter().find_map(|one| one.hold.as_ref()) {
        return Err(hold::refuse_removal(hold));
    }
    needs::check_back(way)?;
    for (path, back, there) in way.steps.iter().flat_map(|step| &step.acts) {
        match back {
            Back::Take(Some(text)) | Back::Return { text: Some(text), .. }
                if there.as_ref().and_then(|there| there.sha256.as_ref()) != Some(text) =>
            {
                return conflict(format!("`/{path}` was changed since"));
            }
            Back::Return { over: false, posix: Some(_), .. }
                if is_taken(way, path, there.as_ref()) =>
            {
                return conflict(format!("`/{path}` is taken by something else now"));
            }
            Back::Return { over: true, posix: None, .. } => {
                return conflict(format!("what was at `/{path}` is not kept any more"));
            }
            _ => {}
        }
    }
    Ok(())
}

/// Tells whether a place is taken that has to be free. What an earlier change of the way back frees is
/// not.
fn is_taken(way: &WayBack, path: &RelPath, there: Option<&There>) -> bool {
    let acts = || way.steps.iter().flat_map(|step| &step.acts);
    let frees = acts()
        .any(|(other, back, _)| other == path && matches!(back, Back::Take(_) | Back::DropFolder));
    there.is_some() && !frees
}

/// Adds what puts the files of the step back that called its package `was`, as a step of `title`.
fn files(
    plan: &mut Plan,
    (way, left): (&WayBack, &mut Vec<&StepBack>),
    (was, title): (&str, &str),
) {
    let Some(at) = left.iter().position(|step| step.package == was) else { return };
    let step = left.remove(at);
    let mut stays = BTreeSet::new();
    let mut acts = Vec::new();
    for (path, back, there) in &step.acts {
        if is_edited(way, path, there.as_ref()) {
            if stays.insert(path) {
                plan.warnings.push(format!("`/{path}` was changed, and stays"));
            }
            continue;
        }
        acts.extend(act(path, back, there.as_ref()));
    }
    if !acts.is_empty() {
        let (package, tree) = (title.to_owned(), Some(step.stash.clone()));
        plan.step(PlaceFiles { package, tree, acts });
    }
}

fn act(path: &RelPath, back: &Back, there: Option<&There>) -> Option<Act> {
    let path = path.clone();
    let owned = |(mode, uid, gid): (u32, u32, u32)| Owned {
        owner: Who::Id(uid),
        group: Who::Id(gid),
        mode,
    };
    match back {
        Back::DropFolder => Some(Act::DropFolder { path }),
        Back::Folder(mode, uid, gid) => {
            Some(Act::Folder { path, posix: owned((*mode, *uid, *gid)) })
        }
        Back::Take(_) => there.map(|_| Act::Take { path }),
        Back::Return { name, posix, over, .. } => {
            let posix = owned((*posix)?);
            let over = *over && there.is_some();
            Some(Act::Put { path, what: What::Tree(name.clone()), posix, over })
        }
    }
}

/// Tells whether the administrator has changed a config file since it was put there.
fn is_edited(way: &WayBack, path: &RelPath, there: Option<&There>) -> bool {
    let Some(there) = there.filter(|there| there.kind == Kind::File) else { return false };
    let config = |one: &Placed| one.path == *path && one.role == Role::Config;
    let files = way.facts.leaving.iter().flat_map(|one| &one.files);
    let mut own = files.filter(|file| config(&file.placed));
    own.any(|file| {
        let now = file.there.as_ref().and_then(|there| there.sha256);
        now.is_some() && now != file.placed.sha256 && there.kind == Kind::File
    })
}

/// Adds what lets go what was taken over from tpkg: it stays on the host, as it is.
pub fn add_let_go(plan: &mut Plan, way: &WayBack) -> Result<(), Refusal> {
    refuse(way)?;
    plan.resources.insert(Resource::HostFiles);
    let mut trees = Vec::new();
    for one in &way.facts.leaving {
        plan.resources.insert(resource(&one.row.name));
        for row in way.facts.asked.get(&one.row.id).into_iter().flatten() {
            let answer = row.answer.clone();
            plan.records.push(Change::WithdrawExternal { key: row.key.clone(), answer });
        }
        trees.push(in_library(&one.place)?);
        plan.records.push(Change::RemovePackage { id: one.row.id });
        plan.summary.push(format!("`{}` is tpkg's alone again", one.package.title()));
    }
    if !trees.is_empty() {
        plan.step(StashTrees { trees });
    }
    Ok(())
}
