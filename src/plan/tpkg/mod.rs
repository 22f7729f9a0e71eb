//! Packages of the format tpkg: what coming, upgrading and going means on a host.
//!
//! One transaction for all of them. Each package runs through the order of the original: scripts
//! and externals of what goes, then scripts, externals and files of what comes. But no file of an
//! old release goes before its successor is in place, so there is no moment without the program.

mod cron;
mod files;
pub mod import;
mod init;
mod leaving;
mod needs;
mod scripts;
pub mod services;
pub mod solve;
pub mod undo;
pub mod wish;

use super::externals::{self, Asking};
use super::install::in_library;
use super::upgrade::Downgrade;
use super::{Consent, Plan, Refusal, Resource, hold};
use crate::db::{Change, ExternalRow, InversePart, NewPackage, NewPlaced, Placed};
use crate::error::Exit;
use crate::facts::Externals;
use crate::facts::tpkg::{Arriving, Candidate, InstalledTpkg, TpkgFacts};
use crate::gather::Arrival;
use crate::package::external::{Action, Asker};
use crate::package::file_table::{Content, Entry, FileTable};
use crate::package::tpkg::{RequirementKind, Tpkg, version};
use crate::step::AnyStep;
use crate::step::place_files::{Act, PlaceFiles, What};
use crate::step::place_trees::{PlaceTrees, Placing};
use crate::step::stash_trees::StashTrees;
use crate::sys::path::RelPath;
use std::cmp::Ordering;
use std::collections::BTreeSet;

/// A package that comes, and those of its name that go for it.
#[derive(Clone, Debug)]
pub struct Coming<'a> {
    /// The package.
    pub arrival: &'a Arrival,
    /// The places that it wants.
    pub places: &'a Arriving,
    /// What it takes the place of: nothing when it is only installed.
    pub replaces: Vec<&'a InstalledTpkg>,
}

/// What a transaction does with packages of this format.
#[derive(Clone, Debug)]
pub struct TpkgAsk<'a> {
    /// What comes.
    pub coming: Vec<Coming<'a>>,
    /// What goes and is not replaced, in the order of removing.
    pub leaving: Vec<&'a InstalledTpkg>,
    /// Everything else that there is to know.
    pub facts: &'a TpkgFacts,
    /// Which externals there are.
    pub externals: &'a Externals,
    /// How far it may go.
    pub liberties: Liberties,
}

/// What somebody has allowed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Liberties {
    /// Files that belong to no package may be taken over.
    pub foreign: Foreign,
    /// What becomes of services of packages that go.
    pub services: Services,
    /// Whether an older release may take the place of a newer one.
    pub downgrade: Downgrade,
    /// Installed packages beside which one that comes cannot be.
    pub conflicts: Conflicts,
}

/// Installed packages beside which a package that comes cannot be.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Conflicts {
    /// They are in the way.
    #[default]
    Refused,
    /// They leave: whoever asks has put them among those.
    Removed,
}

/// Files that belong to no package, where a package wants to put one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Foreign {
    /// They are in the way.
    #[default]
    Refused,
    /// The package takes their place.
    Replaced,
}

/// Services of packages that go.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Services {
    /// Their init scripts stop them.
    #[default]
    Stopped,
    /// They are left alone.
    LeftAlone,
}

/// What becomes of one package, in the making.
struct Part {
    acts: Vec<Act>,
    placed: Vec<Placed>,
}

/// Plans what `ask` asks for.
pub fn change(ask: &TpkgAsk<'_>) -> Result<Plan, Refusal> {
    let mut plan = Plan::new(title(ask));
    plan.resources.insert(Resource::HostFiles);
    for gone in ask.leaving.iter().chain(ask.coming.iter().flat_map(|one| &one.replaces)) {
        if let Some(hold) = &gone.hold {
            return Err(hold::refuse_removal(hold));
        }
    }
    for one in &ask.coming {
        refuse_older(ask, one)?;
    }
    needs::check(ask)?;
    files::refuse_clashes(ask)?;
    if ask.liberties.services == Services::Stopped {
        services::stop(&mut plan, ask.facts.services.iter());
    }
    for gone in &ask.leaving {
        plan.resources.insert(resource(&gone.row.name));
        remove(&mut plan, ask, gone)?;
    }
    let trees = ask.coming.iter().map(|one| {
        let to = in_library(&one.arrival.new.place)?;
        Ok(Placing { from: one.arrival.from.clone(), to })
    });
    let trees = trees.collect::<Result<Vec<_>, Refusal>>()?;
    if !trees.is_empty() {
        plan.step(PlaceTrees { trees });
    }
    for one in in_order(ask) {
        plan.resources.insert(resource(one.arrival.new.package.name.as_str()));
        bring(&mut plan, ask, one)?;
    }
    stash(&mut plan, ask)?;
    keep(&mut plan, ask);
    if !ask.leaving.is_empty() || !plan.irreversible.is_empty() {
        plan.consent = Consent::Courtesy;
    }
    Ok(plan)
}

/// The lock of all packages of that name.
fn resource(name: &str) -> Resource {
    Resource::Package(format!("tpkg-{name}"))
}

fn title(ask: &TpkgAsk<'_>) -> String {
    let (coming, leaving) = (ask.coming.as_slice(), ask.leaving.as_slice());
    let upgrade = coming.iter().all(|one| !one.replaces.is_empty());
    match (coming, leaving) {
        ([one], []) => {
            let title = one.arrival.new.package.title();
            let verb = if upgrade { "upgrade to" } else { "install" };
            format!("{verb} `{title}`")
        }
        ([], [one]) => format!("remove `{}`", one.package.title()),
        ([], many) => format!("remove {} packages", many.len()),
        (many, _) if upgrade => format!("upgrade {} packages", many.len()),
        (many, _) => format!("install {} packages", many.len()),
    }
}

/// What is particular to the format; every package here has it.
fn tpkg_of<'a>(one: &Coming<'a>) -> Result<&'a Tpkg, Refusal> {
    let package = &one.arrival.new.package;
    package.tpkg.as_deref().ok_or_else(|| {
        let text = format!("`{}` is no package of tpkg", package.title());
        Refusal::new(Exit::Failed, text)
    })
}

fn remove(plan: &mut Plan, ask: &TpkgAsk<'_>, gone: &InstalledTpkg) -> Result<(), Refusal> {
    scripts::of_leaving(plan, gone, (Action::Remove, "preremove"))?;
    externals::add_withdrawn(plan, asked(ask, gone), ask.externals, Action::Remove)?;
    let mut part = Part { acts: Vec::new(), placed: Vec::new() };
    leaving::take(plan, ask, (gone, &wanted(ask)), &mut part);
    if !part.acts.is_empty() {
        let package = gone.package.title();
        plan.step(PlaceFiles { package, tree: None, acts: part.acts });
    }
    scripts::of_leaving(plan, gone, (Action::Remove, "postremove"))?;
    plan.summary.push(format!("`{}` leaves", gone.package.title()));
    plan.records.push(Change::RemovePackage { id: gone.row.id });
    Ok(())
}

/// The places that packages want which come, and the folders that lead there.
fn wanted(ask: &TpkgAsk<'_>) -> BTreeSet<RelPath> {
    let mut wanted = BTreeSet::new();
    for spot in ask.coming.iter().flat_map(|one| &one.places.spots) {
        let mut next = Some(spot.path.clone());
        while let Some(path) = next.filter(|path| !wanted.contains(path)) {
            next = path.parent();
            wanted.insert(path);
        }
    }
    wanted
}

fn bring(plan: &mut Plan, ask: &TpkgAsk<'_>, one: &Coming<'_>) -> Result<(), Refusal> {
    let package = &one.arrival.new.package;
    let (title, tpkg) = (package.title(), tpkg_of(one)?);
    let action = if one.replaces.is_empty() { Action::Install } else { Action::Upgrade };
    for old in &one.replaces {
        scripts::of_leaving(plan, old, (action, "preremove"))?;
        scripts::of_leaving(plan, old, (action, "postremove"))?;
    }
    scripts::of_coming(plan, one, (action, "preinstall"))?;
    ask_externals(plan, ask, (one, tpkg), action)?;
    let mut part = files::place(plan, ask, one)?;
    init::link(plan, ask, (one, tpkg), &mut part)?;
    cron::link(plan, ask, (one, tpkg), &mut part)?;
    let stays: BTreeSet<RelPath> = part.placed.iter().map(|one| one.path.clone()).collect();
    for old in &one.replaces {
        leaving::take(plan, ask, (old, &stays), &mut part);
        plan.records.push(Change::RemovePackage { id: old.row.id });
    }
    let moved: BTreeSet<String> = part.acts.iter().filter_map(moved).collect();
    if !part.acts.is_empty() {
        let tree = Some(in_library(&one.arrival.new.place)?);
        plan.step(PlaceFiles { package: title.clone(), tree, acts: part.acts });
    }
    scripts::of_coming(plan, one, (action, "postinstall"))?;
    record(plan, one, (tpkg, part.placed, &moved));
    let count = tpkg.files.len();
    let source = &one.arrival.new.provenance.source;
    plan.summary.push(format!("`{title}` ({count} files) from {source}"));
    Ok(())
}

/// What a package that goes has asked for.
fn asked<'a>(ask: &TpkgAsk<'a>, gone: &InstalledTpkg) -> &'a [ExternalRow] {
    ask.facts.asked.get(&gone.row.id).map_or(&[], Vec::as_slice)
}

/// Before the files, so that accounts are there by then. What the old releases have asked for is
/// taken back just before, where it is not the same.
fn ask_externals(
    plan: &mut Plan,
    ask: &TpkgAsk<'_>,
    (one, tpkg): (&Coming<'_>, &Tpkg),
    action: Action,
) -> Result<(), Refusal> {
    let package = &one.arrival.new.package;
    let rows: Vec<ExternalRow> =
        one.replaces.iter().flat_map(|old| asked(ask, old)).cloned().collect();
    let asker = Asker {
        format: package.format,
        vendor: String::new(),
        name: package.name.to_string(),
        gear: None,
        home: one.places.base.clone(),
        file: tpkg.file_name.clone(),
    };
    let tree = in_library(&one.arrival.new.place)?;
    let asking = Asking { asker: &asker, externals: &package.externals, tree: &tree, gear: None };
    externals::add_changed(plan, (&asking, &rows), ask.externals, action)
}

/// Refuses a release that is older than what it would take the place of.
fn refuse_older(ask: &TpkgAsk<'_>, one: &Coming<'_>) -> Result<(), Refusal> {
    if ask.liberties.downgrade == Downgrade::Allowed {
        return Ok(());
    }
    let (package, tpkg) = (&one.arrival.new.package, tpkg_of(one)?);
    let packaging = tpkg.package_version.as_ref().map_or("", |version| version.as_str());
    for old in &one.replaces {
        let was = Candidate::of_row(&old.row);
        let newer = version::compare(&was.version, package.version.as_str()).then_with(|| {
            version::compare(was.package_version.as_deref().unwrap_or_default(), packaging)
        });
        if newer == Ordering::Greater {
            let title = old.package.title();
            let text = format!("`{}` is older than `{title}`, which is installed", package.title());
            return Err(Refusal::new(Exit::Refused, text).hint("allow it: `--allow-downgrade`"));
        }
    }
    Ok(())
}

/// What comes, whoever is needed before whoever needs; a circle is one group.
fn in_order<'a, 'b>(ask: &'b TpkgAsk<'a>) -> Vec<&'b Coming<'a>> {
    let mut left: Vec<&Coming<'_>> = ask.coming.iter().collect();
    let mut ordered = Vec::new();
    while !left.is_empty() {
        let free = left.iter().position(|one| {
            let needs = one.arrival.new.package.tpkg.iter().flat_map(|tpkg| &tpkg.dependencies);
            let mut needs = needs.filter(|need| need.kind == RequirementKind::Tpkg);
            needs.all(|need| {
                !left.iter().any(|other| {
                    !std::ptr::eq(*other, *one)
                        && other.arrival.new.package.name.as_str() == need.name
                })
            })
        });
        ordered.push(left.remove(free.unwrap_or(0)));
    }
    ordered
}

/// The path in the tree of what leaves it for its place.
fn moved(act: &Act) -> Option<String> {
    match act {
        Act::Put { what: What::Tree(path), .. } => Some(path.clone()),
        _ => None,
    }
}

/// The package, without what it has put elsewhere: rows of its own tell of that.
fn record(
    plan: &mut Plan,
    one: &Coming<'_>,
    (tpkg, placed, moved): (&Tpkg, Vec<Placed>, &BTreeSet<String>),
) {
    let new = &one.arrival.new;
    let mut package = new.package.clone();
    if let Some(tpkg) = &mut package.tpkg {
        // What starts and stops it is asked for by its path and number later.
        tpkg.files.retain(|file| file.init.is_some());
    }
    let stays = |entry: &&Entry| {
        matches!(entry.content, Content::Directory) || !moved.contains(entry.path.as_str())
    };
    let table = FileTable::new(new.table.entries().iter().filter(stays).cloned().collect());
    plan.records.push(Change::AddPackage(Box::new(NewPackage {
        package,
        place: new.place.clone(),
        table,
        provenance: new.provenance.clone(),
        notes: new.notes.clone(),
    })));
    plan.records.push(Change::Place(Box::new(NewPlaced {
        place: new.place.clone(),
        base: one.places.base.clone(),
        file_name: tpkg.file_name.clone(),
        files: placed,
        needs: tpkg.dependencies.clone(),
        clashes: tpkg.conflicts.clone(),
    })));
}

/// What goes, and what files have taken the places of, is kept for `undo`.
fn keep(plan: &mut Plan, ask: &TpkgAsk<'_>) {
    let takes = |act: &Act| matches!(act, Act::Put { over: true, .. });
    let places =
        |step: &AnyStep| matches!(step, AnyStep::PlaceFiles(step) if step.acts.iter().any(takes));
    if plan.steps.iter().any(places) || going(ask).next().is_some() {
        undo::keep(plan, going(ask));
    } else {
        plan.inverse.parts.push(InversePart::Tpkgs);
    }
}

/// Everything that goes, for good or for another release.
fn going<'a>(ask: &'a TpkgAsk<'_>) -> impl Iterator<Item = &'a InstalledTpkg> {
    ask.leaving.iter().chain(ask.coming.iter().flat_map(|one| &one.replaces)).copied()
}

/// The trees of what goes wait in the stash, with the files that were taken away before.
fn stash(plan: &mut Plan, ask: &TpkgAsk<'_>) -> Result<(), Refusal> {
    let trees = going(ask).map(|one| in_library(&one.place)).collect::<Result<Vec<_>, _>>()?;
    if !trees.is_empty() {
        plan.step(StashTrees { trees });
    }
    Ok(())
}
