//! The database of tpkg itself, below a base: what it says is installed, and what of it is there.
//!
//! It is another program's: read, believed as far as a package is, and never changed.

use super::all::{below, inside, root};
use super::host::{TpkgHost, tpkg_host};
use super::installed::tpkg_packages_named;
use super::needs::tpkg_title;
use super::old_files::{Places, Seen, taken};
use crate::db::{Db, Placed};
use crate::error::{Exit, Failure};
use crate::format::tpkg::installed::{self, Records};
use crate::layout::Layout;
use crate::package::Package;
use crate::package::external::{ExternalData, ExternalName};
use crate::package::note::Notes;
use crate::sys::folders::Folders;
use crate::sys::fs::{Dir, Kind};
use crate::sys::in_root::InRoot;
use crate::sys::path::RelPath;
use crate::sys::process;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// Where tpkg keeps its database, below the base.
const DATABASE: &str = "var/tpkg";
/// The longest record that is read.
const LONGEST: u64 = 64 << 20;

/// A base with a database of tpkg.
#[derive(Debug)]
pub struct OldBase {
    /// The base as scripts see it.
    pub shown: String,
    /// The same, relative to the root directory.
    inside: RelPath,
    /// What is installed, by file name.
    pub entries: Vec<OldEntry>,
    /// What lies there and is no package, in words.
    pub odd: Vec<String>,
}

/// An installed package, as tpkg keeps it.
#[derive(Debug)]
pub struct OldEntry {
    /// The name of its file, by which scripts and externals know it.
    pub file_name: String,
    /// The copy of the package.
    pub archive: PathBuf,
    yml: Option<Vec<u8>>,
    bin: Option<Vec<u8>>,
}

/// A package of such a database that can be taken over.
#[derive(Clone, Debug, PartialEq)]
pub struct Settled {
    /// What it has put on the host.
    pub placed: Vec<Placed>,
    /// What it has asked externals for, with the data that they were given.
    pub externals: Vec<(ExternalName, Vec<u8>)>,
    /// The files that are not there any more.
    pub missing: usize,
}

/// What externals were asked for.
type Asked = Vec<(ExternalName, Vec<u8>)>;

/// What becomes of an entry.
#[derive(Clone, Debug, PartialEq)]
pub enum Fit {
    /// It can be taken over.
    New(Box<Settled>),
    /// It is here already.
    Known,
    /// It cannot be taken over, for this reason.
    Refused(String),
}

/// Reads the database below `base`, an absolute path below the root directory.
pub fn old_base(layout: &Layout, base: &Path) -> Result<OldBase, Failure> {
    let root = root(layout)?;
    let shown = below(layout, base);
    let inside = InRoot::new(&root).folder(&inside(layout, &shown)?)?;
    let missing = || {
        let text = format!("`{}` has no database of tpkg", shown.display());
        Failure::new(Exit::NotFound, text).hint("name the base, such as `/opt/tpkg`")
    };
    let path = format!("{inside}/{DATABASE}");
    let is_there = root.meta(format!("{path}/installed"))?;
    if is_there.is_none_or(|meta| meta.kind != Kind::Directory) {
        return Err(missing());
    }
    let database = root.dir(&path)?;
    refuse_running(&database)?;
    let mut old = OldBase {
        shown: shown.display().to_string(),
        inside,
        entries: Vec::new(),
        odd: Vec::new(),
    };
    let installed = database.dir("installed")?;
    let mut names = installed.names()?;
    names.sort();
    for name in names {
        match name.to_str() {
            Some("metadata") => {}
            Some(text) if is_package(text) => old.entries.push(entry(&installed, text)?),
            _ => {
                let name = name.to_string_lossy();
                old.odd.push(format!("`{}` is no package, and stays there", name.escape_debug()));
            }
        }
    }
    Ok(old)
}

fn is_package(name: &str) -> bool {
    name.strip_suffix(".tpkg").is_some()
        && !name.starts_with('.')
        && !name.chars().any(char::is_control)
}

fn entry(installed: &Dir, name: &str) -> Result<OldEntry, Failure> {
    let stem = name.strip_suffix(".tpkg").unwrap_or(name);
    let read = |file: &str| match installed.read(format!("metadata/{stem}/{file}"), LONGEST) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if error.is_not_found() => Ok(None),
        Err(error) => Err(Failure::from(error)),
    };
    Ok(OldEntry {
        file_name: name.to_owned(),
        archive: installed.path_of(name),
        yml: read("tpkg.yml")?,
        bin: read("file_metadata.bin")?,
    })
}

/// A tpkg that works on its database is not to be disturbed; one that has died has left its lock.
fn refuse_running(database: &Dir) -> Result<(), Failure> {
    let text = match database.read("lock/pid", 64) {
        Ok(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
        Err(error) if error.is_not_found() => return Ok(()),
        Err(error) => return Err(error.into()),
    };
    match text.trim().parse() {
        Ok(id) if process::is_alive(id) => {
            let text = format!("tpkg works on its database: process {id}");
            Err(Failure::new(Exit::Busy, text).hint("wait for it, or end it"))
        }
        _ => Ok(()),
    }
}

/// Finds out what becomes of each of `coming`, which were read from the copies of `old`.
pub fn settled(
    (db, layout): (&Db, &Layout),
    old: &OldBase,
    coming: &[(&OldEntry, &Package)],
) -> Result<Vec<Fit>, Failure> {
    let root = root(layout)?;
    let host = tpkg_host(&root, &BTreeSet::new())?;
    let (mut roads, mut seen) = (InRoot::new(&root), Vec::new());
    for (entry, package) in coming {
        let places = match Places::find(&mut roads, (&root, &old.inside), package) {
            Ok(places) => places,
            Err(failure) => {
                seen.push(Err(failure.summary));
                continue;
            }
        };
        seen.push(recorded(entry, package).map(|(records, asked)| Seen { places, records, asked }));
    }
    let claimed: BTreeSet<RelPath> =
        seen.iter().flatten().flat_map(|one| one.places.all()).cloned().collect();
    let mut folders = Folders::new(&root);
    let mut fits = Vec::new();
    for ((entry, package), seen) in coming.iter().zip(seen) {
        fits.push(match seen {
            _ if is_known(db, old, (entry, package))? => Fit::Known,
            Err(why) => Fit::Refused(why),
            Ok(seen) => match in_the_way(db, &seen.places)? {
                Some(why) => Fit::Refused(why),
                None => taken((&root, &mut folders), (package, seen), &host, &claimed)?,
            },
        });
    }
    Ok(fits)
}

/// What tpkg has recorded of its files, and what it has asked for.
fn recorded(entry: &OldEntry, package: &Package) -> Result<(Records, Asked), String> {
    let records = match &entry.bin {
        Some(bytes) => installed::records(bytes),
        // The oldest packages have none.
        None => Ok(Records::new()),
    };
    let records = records.map_err(|why| format!("its `file_metadata.bin` {why}"))?;
    let externals = match &entry.yml {
        Some(yml) => installed::externals(yml, &mut Notes::default())
            .map_err(|error| format!("its `tpkg.yml` cannot be read: {error}"))?,
        None => package.externals.clone(),
    };
    let asked = externals.into_iter().map(|one| match one.data {
        ExternalData::None => Ok((one.name, Vec::new())),
        ExternalData::Inline(data) => Ok((one.name, data)),
        ExternalData::File(_) | ExternalData::Script(_) => {
            Err(format!("there is no record of what the external `{}` was given", one.name))
        }
    });
    Ok((records, asked.collect::<Result<_, _>>()?))
}

fn is_known(
    db: &Db,
    old: &OldBase,
    (entry, package): (&OldEntry, &Package),
) -> Result<bool, Failure> {
    for row in tpkg_packages_named(db, package.name.as_str())? {
        let home = db.home(row.id)?;
        if home.is_some_and(|it| it.base == old.shown && it.file_name == entry.file_name) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// What belongs to a package of ours already cannot be taken over from another one.
fn in_the_way(db: &Db, places: &Places) -> Result<Option<String>, Failure> {
    for path in places.things() {
        if let Some(holder) = db.holders(path)?.first() {
            let row = db.package(holder.package)?;
            let owner = row.map(|row| tpkg_title(&row)).unwrap_or_default();
            return Ok(Some(format!("`/{path}` belongs to `{owner}`, which cart has installed")));
        }
    }
    Ok(None)
}

impl TpkgHost {
    /// The folders in which links start init scripts.
    pub(super) fn level_folders(&self) -> impl Iterator<Item = (&RelPath, &BTreeSet<String>)> {
        self.levels.values().map(|(folder, names)| (folder, names))
    }
}
