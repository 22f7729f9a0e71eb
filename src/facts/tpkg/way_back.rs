//! What undoing a transaction needs to know that packages of this format came in or went in: what it
//! changed file by file, what waits in its stash, and what has become of the places since.

use super::all::{TpkgFacts, asked, root};
use super::host::TpkgHost;
use super::installed::{InstalledTpkg, installed_tpkg};
use super::needs::{is_tpkg, needs, tpkg_title};
use super::services::services;
use super::spots::{There, look};
use crate::db::{Db, ExternalRow};
use crate::error::{Exit, Failure};
use crate::layout::Layout;
use crate::package::digest::Sha256;
use crate::sys::folders::Folders;
use crate::sys::fs::Dir;
use crate::sys::path::RelPath;
use serde::Deserialize;
use serde_json::Value;
use sha2::Digest;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// Everything that there is to know.
#[derive(Clone, Debug, PartialEq)]
pub struct WayBack {
    /// The packages that the transaction removed.
    pub back: Vec<InstalledTpkg>,
    /// Those that it installed and that are gone meanwhile.
    pub lost: Vec<String>,
    /// What it did file by file, the latest step first.
    pub steps: Vec<StepBack>,
    /// What leaves (those that it installed), who needs whom, and what was asked of externals.
    pub facts: TpkgFacts,
    /// What it has taken back from externals.
    pub withdrawn: Vec<ExternalRow>,
}

/// One step that placed files, the other way round.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StepBack {
    /// What the step called its package.
    pub package: String,
    /// Where what it took away waits, relative to the state directory.
    pub stash: RelPath,
    /// What puts everything back, in order.
    pub acts: Vec<(RelPath, Back, Option<There>)>,
}

/// What puts one place back, with its owner, group and mode where something comes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Back {
    /// A folder goes, where nothing is left in it.
    DropFolder,
    /// A folder comes.
    Folder(u32, u32, u32),
    /// What came goes; a text goes only where it is still this one.
    Take(Option<Sha256>),
    /// What was there comes back, from under this name in the stash.
    Return {
        /// The name.
        name: String,
        /// Mode, owner and group; nothing where the stash has it no more.
        posix: Option<(u32, u32, u32)>,
        /// Whether something took its place.
        over: bool,
        /// The text that took its place.
        text: Option<Sha256>,
    },
}

/// The step as the journal keeps it.
#[derive(Deserialize)]
struct Step {
    package: String,
    acts: Vec<Act>,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum Act {
    Folder { path: RelPath },
    Put { path: RelPath, what: Value, over: bool },
    Take { path: RelPath },
    DropFolder { path: RelPath },
}

#[derive(Deserialize)]
struct Undo {
    was: Vec<Was>,
}

#[derive(Deserialize)]
enum Was {
    #[serde(rename = "f")]
    Folder((bool, u32, u32)),
    #[serde(rename = "p")]
    Put(#[expect(dead_code, reason = "a shape of the journal")] (u32, u32, u32)),
    #[serde(rename = "t")]
    Take,
    #[serde(rename = "d")]
    Drop(Option<(u32, u32, u32)>),
}

/// Finds out what undoing transaction `txn` needs; nothing where no package of this format was in it.
pub fn way_back((db, layout): (&Db, &Layout), txn: i64) -> Result<Option<WayBack>, Failure> {
    let _snapshot = db.snapshot()?;
    let root = root(layout)?;
    let installed = |rows: Vec<_>| {
        let rows = rows.into_iter().filter(is_tpkg);
        rows.map(|row| installed_tpkg(db, &root, &row)).collect::<Result<Vec<_>, Failure>>()
    };
    let (leaving, back) =
        (installed(db.packages_installed_by(txn)?)?, installed(db.packages_removed_by(txn)?)?);
    let lost = db.packages_lost_of(txn)?.into_iter().filter(is_tpkg);
    let lost: Vec<String> = lost.map(|row| tpkg_title(&row)).collect();
    if leaving.is_empty() && back.is_empty() && lost.is_empty() {
        return Ok(None);
    }
    let all = || leaving.iter().chain(&back);
    let changing: BTreeSet<String> = all().map(|one| one.row.name.clone()).collect();
    let tpkgs = back.iter().filter_map(|one| one.package.tpkg.as_deref());
    let wanted: Vec<_> =
        tpkgs.flat_map(|tpkg| tpkg.dependencies.iter().chain(&tpkg.conflicts)).collect();
    let needs = needs((db, layout.root()), &wanted, &changing)?;
    let held = leaving.iter().map(|one| Ok((one.row.id, asked(db, one)?)));
    // Of what comes back as another release, the services are left alone.
    let returns = |name: &str| back.iter().any(|one| one.row.name == name);
    let goes = leaving.iter().filter(|one| !returns(&one.row.name));
    let services = goes.map(|one| services((db, layout), &one.row));
    let facts = TpkgFacts {
        services: services.collect::<Result<_, Failure>>()?,
        arriving: Vec::new(),
        replaced: Vec::new(),
        host: TpkgHost::default(),
        holders: BTreeMap::new(),
        needs,
        asked: held.collect::<Result<_, Failure>>()?,
        root: layout.root().map(Path::to_path_buf),
        leaving,
    };
    let withdrawn = db.externals_withdrawn_by(txn)?;
    let steps = steps((db, layout), &root, txn)?;
    Ok(Some(WayBack { back, lost, steps, facts, withdrawn }))
}

fn steps((db, layout): (&Db, &Layout), root: &Dir, txn: i64) -> Result<Vec<StepBack>, Failure> {
    let damaged = |error: &dyn std::error::Error| {
        let text = format!("the journal of transaction {txn} cannot be read: {error}");
        Failure::new(Exit::Failed, text)
    };
    let state = Dir::open(layout.state())?;
    let (mut found, mut folders) = (Vec::new(), Folders::new(root));
    for row in db.steps(txn)?.iter().rev() {
        let body: Value = serde_json::from_str(&row.step).map_err(|error| damaged(&error))?;
        if body.get("kind").and_then(Value::as_str) != Some("place_files") {
            continue;
        }
        let step = Step::deserialize(&body).map_err(|error| damaged(&error))?;
        let undo = row.undo.as_deref().unwrap_or("{\"was\":[]}");
        let undo: Undo = serde_json::from_str(undo).map_err(|error| damaged(&error))?;
        let stash = format!("stash/{txn}/{}/old", row.number);
        let stash = RelPath::parse(&stash).map_err(|error| damaged(&error))?;
        let mut acts = Vec::new();
        for (number, (act, was)) in step.acts.into_iter().zip(undo.was).enumerate().rev() {
            let Some((path, back)) = inverse(&state, &stash, (number, act, was))? else { continue };
            let reads = matches!(back, Back::Take(Some(_)) | Back::Return { text: Some(_), .. });
            let there = look(&mut folders, &path, reads)?;
            acts.push((path, back, there));
        }
        found.push(StepBack { package: step.package, stash, acts });
    }
    Ok(found)
}

/// The opposite of one change; nothing where it changed nothing.
fn inverse(
    state: &Dir,
    stash: &RelPath,
    (number, act, was): (usize, Act, Was),
) -> Result<Option<(RelPath, Back)>, Failure> {
    let kept = || -> Result<_, Failure> {
        let meta = state.meta(format!("{stash}/{number}"))?;
        Ok(meta.map(|meta| (meta.mode, meta.uid, meta.gid)))
    };
    let name = number.to_string();
    Ok(match (act, was) {
        (Act::Folder { path }, Was::Folder((false, ..))) => Some((path, Back::DropFolder)),
        (Act::Put { path, what, over }, Was::Put(..)) => {
            let text = what.get("text").and_then(|text| text.get(0)).and_then(Value::as_str);
            let text = text.map(|text| Sha256(sha2::Sha256::digest(text.as_bytes()).into()));
            let back = if over {
                Back::Return { name, posix: kept()?, over, text }
            } else {
                Back::Take(text)
            };
            Some((path, back))
        }
        (Act::Take { path }, Was::Take) => {
            // What was gone already then has nothing to come back.
            let posix = kept()?;
            Some((path, Back::Return { name, posix, over: false, text: None }))
        }
        (Act::DropFolder { path }, Was::Drop(Some((mode, uid, gid)))) => {
            Some((path, Back::Folder(mode, uid, gid)))
        }
        _ => None,
    })
}
