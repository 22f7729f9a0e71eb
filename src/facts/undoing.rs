//! Facts for undoing a transaction.

use super::deployments::DeployFacts;
use super::externals::Externals;
use super::gears::{Gear, MOST_PORTS, Outside, home_size};
use super::members::MemberFacts;
use super::packages::{Installed, library};
use super::tpkg::{WayBack, is_tpkg, way_back};
use super::variables::Variables;
use crate::config::Config;
use crate::db::{
    ChangedVariable, Db, ExternalRow, Hold, HoldsOf, Inverse, InversePart, PackageRow, TxnRow,
};
use crate::error::{Exit, Failure};
use crate::gear::deployment::live_name;
use crate::gear::identity::Identity;
use crate::gear::variables::Place;
use crate::layout::Layout;
use crate::package::ident::{EnvName, GearName};
use crate::sys::clock::Moment;
use crate::sys::fs::{Dir, Kind};
use crate::sys::path::RelPath;
use serde::Deserialize;
use serde_json::Value;
use std::collections::BTreeSet;
use std::ffi::OsString;

/// A tree that a transaction took away, and where it belongs; relative to the state directory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stashed {
    /// Where it waits.
    pub from: RelPath,
    /// Where it belongs.
    pub to: RelPath,
}

/// The home of a gear as a transaction has kept it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeptHome {
    /// The gear's name.
    pub gear: String,
    /// Where it waits, relative to the state directory.
    pub path: RelPath,
    /// The deployment that it shows.
    pub live: Option<String>,
    /// Whether the gear ran meanwhile: its data is then of no moment in particular.
    pub was_running: bool,
    /// The files among the gear's data that were written since, those above the first few counted
    /// alone.
    pub newer: Newer,
}

/// Files that were written since a moment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Newer {
    /// The first few, below the home.
    pub some: Vec<String>,
    /// How many there are.
    pub count: usize,
}

/// Everything that undoing may know.
#[derive(Clone, Debug, PartialEq)]
pub struct UndoFacts {
    /// The transaction.
    pub row: TxnRow,
    /// What undoing it asks for.
    pub inverse: Inverse,
    /// The transaction that has undone it already, where one has.
    pub undone_by: Option<i64>,
    /// The packages that it installed and that are still there.
    pub installed: Vec<Installed>,
    /// The packages that it removed.
    pub removed: Vec<Installed>,
    /// The trees that it took away and that still wait.
    pub stashed: Vec<Stashed>,
    /// The living gears that the inverse speaks of, with the bytes in their homes.
    pub gears: Vec<(Gear, u64)>,
    /// The gears that it destroyed.
    pub destroyed: Vec<Gear>,
    /// The front end, where there is one.
    pub outside: Option<Outside>,
    /// The variables of those gears whose variables it changed.
    pub variables: Vec<(GearName, Variables)>,
    /// What there is to know of the living gears whose cartridges it changed.
    pub members: Vec<MemberFacts>,
    /// The installed packages in whose places the cartridges have them that it removed.
    pub returning: Vec<Installed>,
    /// Whether it has told something that still holds.
    pub has_told: bool,
    /// What it did to holds.
    pub holds: HoldsOf,
    /// What is held now.
    pub held: Vec<Hold>,
    /// The homes that it has kept, of gears that it has upgraded.
    pub kept_homes: Vec<KeptHome>,
    /// The externals of this host.
    pub externals: Externals,
    /// What it has taken back from externals.
    pub withdrawn: Vec<ExternalRow>,
    /// What it did to packages of tpkg.
    pub tpkgs: Option<WayBack>,
    /// What there is to know of the living gears to which it has deployed something.
    pub deployed: Vec<DeployFacts>,
    /// When this was looked at.
    pub now: Moment,
}

/// Reads everything that undoing transaction `txn` may know; nothing when there is none.
pub fn undoing(
    db: &Db,
    (layout, config): (&Layout, &Config),
    txn: i64,
) -> Result<Option<UndoFacts>, Failure> {
    let Some(row) = db.transaction(txn)? else { return Ok(None) };
    let mut inverse: Inverse =
        serde_json::from_str(&row.inverse).map_err(|error| damaged(txn, &error))?;
    inverse.parts.extend(asked_for(db, &inverse, txn)?);
    let mut gears = Vec::new();
    for name in inverse.parts.iter().filter_map(gear_of) {
        if let Some(gear) = Gear::read(db, layout, name.as_str())? {
            gears.push((gear, home_size(layout, name)));
        }
    }
    // The ports that are given back are looked for where those of the first gear begin.
    let slot = gears.first().map_or(0, |(gear, _): &(Gear, u64)| gear.row.slot);
    let exposes = |part: &InversePart| matches!(part, InversePart::ExposeGear { .. });
    let wanted = if inverse.parts.iter().any(exposes) { MOST_PORTS } else { 0 };
    let outside = Outside::look(db, config, slot, wanted)?;
    let mut variables = Vec::new();
    for part in &inverse.parts {
        if let InversePart::Variables { name, .. } = part
            && db.gear(name.as_str())?.is_some()
        {
            variables.push((name.clone(), Variables::read(db, layout, name)?));
        }
    }
    let destroyed = db.gears_destroyed_by(txn)?.into_iter();
    Ok(Some(UndoFacts {
        undone_by: db.undone_by(txn)?,
        installed: with_manifests(db, &db.packages_installed_by(txn)?)?,
        removed: removed(db, txn)?,
        stashed: stashed(db, layout, txn)?,
        gears,
        outside,
        destroyed: destroyed
            .map(|row| Gear::of_row(db, layout, row))
            .collect::<Result<Vec<_>, _>>()?,
        variables,
        members: members(db, (layout, config), &inverse)?,
        returning: returning(db, &inverse)?,
        has_told: db.has_told(txn)?,
        holds: db.holds_of(txn)?,
        held: db.holds()?,
        kept_homes: kept_homes(db, layout, &row)?,
        externals: Externals::look(layout, config),
        withdrawn: db.externals_withdrawn_by(txn)?,
        tpkgs: way_back((db, layout), txn)?,
        deployed: deployed((db, layout), &inverse)?,
        now: Moment::now(),
        row,
        inverse,
    }))
}

fn members(
    db: &Db,
    (layout, config): (&Layout, &Config),
    inverse: &Inverse,
) -> Result<Vec<MemberFacts>, Failure> {
    let mut found: Vec<MemberFacts> = Vec::new();
    for part in &inverse.parts {
        let (InversePart::RemoveCartridges { name, .. }
        | InversePart::ReturnCartridge { name, .. }
        | InversePart::RollBackGear { name, .. }) = part
        else {
            continue;
        };
        if found.iter().any(|one| one.gear.identity.name == *name) {
            continue;
        }
        if let Some(gear) = Gear::read(db, layout, name.as_str())? {
            let nothing = (&BTreeSet::new(), &BTreeSet::new());
            found.push(MemberFacts::of(db, (layout, config), gear, nothing)?);
        }
    }
    Ok(found)
}

fn deployed((db, layout): (&Db, &Layout), inverse: &Inverse) -> Result<Vec<DeployFacts>, Failure> {
    let mut found = Vec::new();
    for part in &inverse.parts {
        if let InversePart::ActivateDeployment { name, .. }
        | InversePart::HomeAsBefore { name }
        | InversePart::UpdateCluster { name } = part
            && let Some(gear) = Gear::read(db, layout, name.as_str())?
        {
            found.push(DeployFacts::of_app(db, layout, gear)?);
        }
    }
    Ok(found)
}

fn returning(db: &Db, inverse: &Inverse) -> Result<Vec<Installed>, Failure> {
    let returned = inverse.parts.iter().flat_map(|part| match part {
        InversePart::ReturnCartridge { cartridge, .. } => vec![cartridge.dir.clone()],
        InversePart::RollBackGear { cartridges, .. } => {
            cartridges.iter().map(|one| one.dir.clone()).collect()
        }
        _ => Vec::new(),
    });
    // A cartridge's folder has the name of its package.
    Ok(library(db, &returned.collect())?)
}

/// What undoes the changes of variables that scripts of the transaction have asked for, which
/// nobody knew of when it was planned. A gear that goes altogether needs none of it.
fn asked_for(db: &Db, inverse: &Inverse, txn: i64) -> Result<Vec<InversePart>, Failure> {
    let mut parts = Vec::new();
    for step in db.steps(txn)?.iter().rev().filter(|step| step.number.contains('.')) {
        let body: Value = serde_json::from_str(&step.step).map_err(|error| damaged(txn, &error))?;
        if body.get("kind").and_then(Value::as_str) != Some("write_variable") {
            continue;
        }
        let asked = Asked::deserialize(&body).map_err(|error| damaged(txn, &error))?;
        let goes = |part: &InversePart| matches!(part, InversePart::DestroyGear { name } if *name == asked.gear.name);
        if inverse.parts.iter().any(goes) {
            continue;
        }
        let was = serde_json::from_str(step.undo.as_deref().unwrap_or("null"));
        let was = was.map_err(|error| damaged(txn, &error))?;
        let folder = asked.place.folder().to_owned();
        let changed = vec![ChangedVariable { name: asked.name, was, became: asked.value }];
        parts.push(InversePart::Variables { name: asked.gear.name, folder, changed });
    }
    Ok(parts)
}

/// The step that changes a variable, as the journal keeps it.
#[derive(serde::Deserialize)]
struct Asked {
    gear: Identity,
    place: Place,
    name: EnvName,
    value: Option<OsString>,
}

fn gear_of(part: &InversePart) -> Option<&GearName> {
    match part {
        InversePart::RemovePackages
        | InversePart::RestorePackages
        | InversePart::Tpkgs
        | InversePart::LetGo
        | InversePart::Withdraw
        | InversePart::RestoreTold
        | InversePart::Holds
        | InversePart::SiteDeployment { .. }
        | InversePart::HostLinks { .. }
        | InversePart::Services { .. }
        | InversePart::Unit { .. } => None,
        InversePart::DestroyGear { name }
        | InversePart::RemoveCartridges { name, .. }
        | InversePart::ReturnCartridge { name, .. }
        | InversePart::RollBackGear { name, .. }
        | InversePart::RestoreGear { name, .. }
        | InversePart::HomeAsBefore { name }
        | InversePart::ConnectFrontend { name }
        | InversePart::ExposeGear { name }
        | InversePart::UnexposeGear { name }
        | InversePart::ActivateDeployment { name, .. }
        | InversePart::UpdateCluster { name }
        | InversePart::StartGear { name }
        | InversePart::StopGear { name }
        | InversePart::Variables { name, .. } => Some(name),
    }
}

fn with_manifests(db: &Db, rows: &[PackageRow]) -> Result<Vec<Installed>, Failure> {
    let rows: Vec<&PackageRow> = rows.iter().filter(|row| !is_tpkg(row)).collect();
    let names = rows.iter().map(|row| row.name.clone()).collect();
    let mut all = library(db, &names)?;
    all.retain(|one| rows.iter().any(|row| row.id == one.row.id));
    Ok(all)
}

fn removed(db: &Db, txn: i64) -> Result<Vec<Installed>, Failure> {
    let mut removed = Vec::new();
    for row in db.packages_removed_by(txn)?.into_iter().filter(|row| !is_tpkg(row)) {
        let place = RelPath::parse(&row.place).map_err(|error| damaged(txn, &error))?;
        let package = db.manifest(row.id)?;
        removed.push(Installed { row, place, package, used_by: Vec::new(), hold: None });
    }
    Ok(removed)
}

/// The step by which a cartridge left, as the journal keeps it.
#[derive(serde::Deserialize)]
struct Left {
    gear: Identity,
    dir: String,
}

/// What the steps of the transaction took away, as far as it still waits in the stash.
fn stashed(db: &Db, layout: &Layout, txn: i64) -> Result<Vec<Stashed>, Failure> {
    let mut found = Vec::new();
    let Ok(state) = Dir::open(layout.state()) else { return Ok(found) };
    for step in db.steps(txn)? {
        let body: Value = serde_json::from_str(&step.step).map_err(|error| damaged(txn, &error))?;
        match body.get("kind").and_then(Value::as_str) {
            Some("stash_trees") => {}
            Some("remove_cartridge") => {
                let left = Left::deserialize(&body).map_err(|why| damaged(txn, &why))?;
                let parse = |path: &str| RelPath::parse(path).map_err(|error| damaged(txn, &error));
                let from = parse(&Layout::stashed_tree(txn, &step.number, 0))?;
                if state.has(&from)? {
                    found.push(Stashed {
                        from,
                        to: parse(&format!("{}/{}", left.gear.home(), left.dir))?,
                    });
                }
                continue;
            }
            _ => continue,
        }
        let trees = body.get("trees").and_then(Value::as_array).into_iter().flatten();
        for (index, to) in trees.filter_map(Value::as_str).enumerate() {
            let parse = |path: &str| RelPath::parse(path).map_err(|error| damaged(txn, &error));
            let from = parse(&Layout::stashed_tree(txn, &step.number, index))?;
            if state.has(&from)? {
                found.push(Stashed { from, to: parse(to)? });
            }
        }
    }
    Ok(found)
}

/// The homes that steps of the transaction have kept, and that still wait.
fn kept_homes(db: &Db, layout: &Layout, row: &TxnRow) -> Result<Vec<KeptHome>, Failure> {
    let (txn, mut found) = (row.id, Vec::new());
    let Ok(state) = Dir::open(layout.state()) else { return Ok(found) };
    for step in db.steps(txn)? {
        let body: Value = serde_json::from_str(&step.step).map_err(|error| damaged(txn, &error))?;
        let text = |value: Option<&Value>| value.and_then(Value::as_str).map(str::to_owned);
        let kind = text(body.get("kind")).unwrap_or_default();
        let (gear, path) = match kind.as_str() {
            "stash_gear" | "keep_home" => {
                let gear = text(body.get("gear").and_then(|gear| gear.get("name")));
                (gear, format!("stash/{txn}/{}/home", step.number))
            }
            "stash_trees" => {
                let tree = text(body.get("trees").and_then(|trees| trees.get(0)));
                let gear = tree.and_then(|tree| Some(tree.strip_prefix("gears/")?.to_owned()));
                (gear, Layout::stashed_tree(txn, &step.number, 0))
            }
            _ => continue,
        };
        let (Some(gear), true) = (gear, state.has(&path)?) else { continue };
        let path = RelPath::parse(&path).map_err(|error| damaged(txn, &error))?;
        let since = row.ended.unwrap_or(row.started).0.div_euclid(1000);
        let newer = newer(layout, &gear, since);
        let live = state.dir(&path).ok().and_then(|home| live_name(&home, "repo").ok());
        found.push(KeptHome { gear, path, live, was_running: kind == "keep_home", newer });
    }
    Ok(found)
}

/// How many names are shown of what is newer.
const SOME: usize = 10;

/// The files among a gear's data that were written after `since`, in seconds since 1970; what cannot
/// be read counts as nothing.
fn newer(layout: &Layout, gear: &str, since: i64) -> Newer {
    let mut newer = Newer::default();
    let Ok(home) = Dir::open(&layout.gears().join(gear)) else { return newer };
    let mut folders = vec!["app-root/data".to_owned()];
    while let Some(folder) = folders.pop() {
        let Ok(dir) = home.dir(&folder) else { continue };
        for name in dir.names().unwrap_or_default() {
            let path = format!("{folder}/{}", name.to_string_lossy());
            match dir.meta(&name) {
                Ok(Some(meta)) if meta.kind == Kind::Directory => folders.push(path),
                Ok(Some(meta)) if meta.changed.seconds > since => {
                    newer.count += 1;
                    if newer.some.len() < SOME {
                        newer.some.push(path);
                    }
                }
                _ => {}
            }
        }
    }
    newer.some.sort();
    newer
}

fn damaged(txn: i64, error: &dyn std::error::Error) -> Failure {
    let text = format!("the journal of transaction {txn} cannot be read: {error}");
    Failure::new(Exit::Failed, text).hint("it may come from another version of cartwright")
}
