//! What a package that tpkg itself has installed has on the host, file by file.

use super::host::TpkgHost;
use super::old_base::{Fit, Settled};
use super::spots::look;
use crate::db::{Placed, PlacedKind, Role};
use crate::error::Failure;
use crate::format::tpkg::installed::{Recorded, Records};
use crate::package::Package;
use crate::package::external::ExternalName;
use crate::package::tpkg::{Place, TpkgContent, TpkgFile};
use crate::sys::folders::Folders;
use crate::sys::fs::{Dir, Kind};
use crate::sys::in_root::InRoot;
use crate::sys::path::RelPath;
use std::collections::BTreeSet;
use std::path::Path;

/// Where cron looks for crontabs of the system.
const CRON_D: &str = "etc/cron.d";

/// Where the files of a package are, in their order.
#[derive(Debug)]
pub(super) struct Places {
    paths: Vec<RelPath>,
    /// Those that are no folders.
    things: Vec<RelPath>,
    /// Where new releases of config files would lie.
    beside: Vec<RelPath>,
}

/// A package, with what was found of it.
pub(super) struct Seen {
    pub(super) places: Places,
    pub(super) records: Records,
    pub(super) asked: Vec<(ExternalName, Vec<u8>)>,
}

impl Places {
    pub(super) fn find(
        roads: &mut InRoot<'_>,
        (root, base): (&Dir, &RelPath),
        package: &Package,
    ) -> Result<Self, Failure> {
        let mut found = Self { paths: Vec::new(), things: Vec::new(), beside: Vec::new() };
        for file in files(package) {
            let wanted = match file.place {
                Place::Reloc => base.join(&file.path),
                Place::Root => file.path.clone(),
            };
            let path = match file.content {
                TpkgContent::Directory => roads.folder(&wanted)?,
                _ => roads.place(&wanted)?,
            };
            if file.content != TpkgContent::Directory {
                found.things.push(path.clone());
            }
            let beside = file.config.then(|| RelPath::parse(&format!("{path}.tpkgnew")));
            if let Some(Ok(beside)) = beside
                && root.has(&beside)?
            {
                found.beside.push(beside);
            }
            found.paths.push(path);
        }
        Ok(found)
    }

    /// Everything that is not a folder.
    pub(super) fn things(&self) -> &[RelPath] {
        &self.things
    }

    /// Everything.
    pub(super) fn all(&self) -> impl Iterator<Item = &RelPath> {
        self.paths.iter().chain(&self.beside)
    }
}

fn files(package: &Package) -> &[TpkgFile] {
    package.tpkg.as_ref().map_or(&[], |tpkg| &tpkg.files)
}

/// What becomes of a package; `claimed` is every path of all packages of the database.
pub(super) fn taken(
    (root, folders): (&Dir, &mut Folders<'_>),
    (package, seen): (&Package, Seen),
    host: &TpkgHost,
    claimed: &BTreeSet<RelPath>,
) -> Result<Fit, Failure> {
    let Seen { places, records, asked } = seen;
    let mut placed: Vec<Placed> = Vec::new();
    let mut missing = 0;
    for (file, path) in files(package).iter().zip(&places.paths) {
        let record = records.get(&(file.place, file.path.clone()));
        let there = look(folders, path, false)?;
        if file.content != TpkgContent::Directory {
            missing += usize::from(there.is_none());
            add(&mut placed, thing((file, path), record));
            starts(root, (file, path), host, &mut placed);
            continue;
        }
        let Some(there) = there.filter(|there| there.kind == Kind::Directory) else { continue };
        // What the host had before belongs to nobody; a folder in which all is of packages is theirs.
        if file.place == Place::Reloc || holds_only(root, path, claimed)? {
            let now = Recorded {
                uid: Some(there.uid),
                gid: Some(there.gid),
                mode: Some(there.mode),
                sha256: None,
            };
            let record = record.filter(|record| record.mode.is_some()).unwrap_or(&now);
            add(&mut placed, thing((file, path), Some(record)));
        }
    }
    for path in &places.beside {
        if let Some(there) = look(folders, path, false)?.filter(|there| there.kind == Kind::File) {
            add(
                &mut placed,
                Placed {
                    path: path.clone(),
                    kind: PlacedKind::File,
                    role: Role::Beside,
                    owner: there.uid.to_string(),
                    group: there.gid.to_string(),
                    mode: there.mode,
                    size: None,
                    sha256: None,
                    target: None,
                },
            );
        }
    }
    if missing > 0 && missing == places.things.len() {
        return Ok(Fit::Refused("none of its files is there".into()));
    }
    Ok(Fit::New(Box::new(Settled { placed, externals: asked, missing })))
}

/// One row for each path: packages of old say some twice, in two spellings.
fn add(placed: &mut Vec<Placed>, one: Placed) {
    match placed.binary_search_by(|other| other.path.cmp(&one.path)) {
        Ok(_) => {}
        Err(at) => placed.insert(at, one),
    }
}

fn thing((file, path): (&TpkgFile, &RelPath), record: Option<&Recorded>) -> Placed {
    let record = record.cloned().unwrap_or_default();
    let (kind, size, target, packed) = match &file.content {
        TpkgContent::Directory => (PlacedKind::Directory, None, None, None),
        TpkgContent::Link(target) => (PlacedKind::Link, None, Some(target.clone()), None),
        // An encrypted file has another length and digest than what came out of it.
        TpkgContent::File { .. } if file.encrypt.is_some() => (PlacedKind::File, None, None, None),
        TpkgContent::File { size, sha256 } => (PlacedKind::File, Some(*size), None, Some(*sha256)),
    };
    let id = |recorded: Option<u32>, said: Option<&str>| match (recorded, said) {
        (Some(id), _) => id.to_string(),
        (None, said) => said.unwrap_or("0").to_owned(),
    };
    Placed {
        path: path.clone(),
        kind,
        role: if file.config { Role::Config } else { Role::Own },
        owner: id(record.uid, file.owner()),
        group: id(record.gid, file.group()),
        mode: record.mode.unwrap_or(file.mode()),
        size,
        // A link is hashed through, by tpkg; it has no content of its own.
        sha256: if kind == PlacedKind::File { record.sha256.or(packed) } else { None },
        target,
    }
}

fn holds_only(root: &Dir, path: &RelPath, claimed: &BTreeSet<RelPath>) -> Result<bool, Failure> {
    for name in root.dir(path)?.names()? {
        let own = name.to_str().and_then(|name| RelPath::parse(&format!("{path}/{name}")).ok());
        if own.is_none_or(|own| !claimed.contains(&own)) {
            return Ok(false);
        }
    }
    Ok(true)
}

/// The links by which the host starts an init script, or cron finds a crontab.
fn starts(
    root: &Dir,
    (file, path): (&TpkgFile, &RelPath),
    host: &TpkgHost,
    placed: &mut Vec<Placed>,
) {
    let leads_there = |link: &RelPath| {
        let target = root.link_target(link).ok()?;
        // As scripts see it, or as a `chroot` does.
        let spellings = [root.path_of(path.as_path()), Path::new("/").join(path.as_path())];
        let ours = spellings.contains(&target);
        ours.then(|| target.display().to_string())
    };
    let mut links = Vec::new();
    if file.init.is_some() {
        for (folder, names) in host.level_folders() {
            let own = names.iter().filter(|name| name.starts_with('S'));
            links.extend(own.map(|name| (format!("{folder}/{name}"), Role::Init)));
        }
    }
    if file.crontab.as_ref().is_some_and(|crontab| crontab.user.is_none()) {
        links.extend(host.cron_d.iter().map(|name| (format!("{CRON_D}/{name}"), Role::Cron)));
    }
    for (link, role) in links {
        // Names that go on otherwise are not asked for their targets.
        let named = link.rsplit('/').next().is_some_and(|name| name.contains(path.name()));
        let Some(link) = RelPath::parse(&link).ok().filter(|_| named) else { continue };
        if let Some(target) = leads_there(&link) {
            add(placed, Placed::link(link, role, target));
        }
    }
}
