//! The places that a package wants, and what is there.

use crate::db::{Db, Holder, Placed, PlacedKind, Role};
use crate::error::Failure;
use crate::package::Package;
use crate::package::digest::Sha256;
use crate::package::tpkg::{Place, TpkgContent, TpkgFile};
use crate::sys::folders::Folders;
use crate::sys::fs::{Dir, Kind, Meta};
use crate::sys::in_root::InRoot;
use crate::sys::path::RelPath;
use sha2::Digest;
use std::collections::{BTreeMap, BTreeSet};
use std::io::Read;

/// The longest crontab that a package may bring.
const LONGEST_CRONTAB: u64 = 1 << 20;

/// What is at a place of the host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct There {
    /// What kind of thing.
    pub kind: Kind,
    /// Its mode.
    pub mode: u32,
    /// Its owner.
    pub uid: u32,
    /// Its group.
    pub gid: u32,
    /// The digest of a file, where somebody needs to know.
    pub sha256: Option<Sha256>,
}

/// A place that a package wants.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Spot {
    /// Where, below the root directory; no component but the last can be a link.
    pub path: RelPath,
    /// What is there.
    pub there: Option<There>,
    /// To which packages it belongs.
    pub holders: Vec<Holder>,
}

/// A package of this format that comes, and the places that it wants.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Arriving {
    /// Its base: an absolute path, as scripts see it.
    pub base: String,
    /// Where each of its files belongs, in their order.
    pub spots: Vec<Spot>,
    /// The place beside each config file for its new release, with what is there.
    pub beside: Vec<Option<Spot>>,
    /// The folders that lead to these places and are missing, the upper ones first; the package
    /// itself says nothing of them.
    pub missing: Vec<RelPath>,
    /// The folders that lead there and are no spots themselves, but were made for other packages, as
    /// those have them: this one holds them from now on, too.
    pub shared: Vec<Placed>,
    /// The lines for users' crontabs, by path in the tree.
    pub texts: BTreeMap<String, String>,
}

/// Looks at the places that `package` wants below `base`: as scripts see it, and relative to `root`.
pub(super) fn arriving(
    (db, root): (&Db, &Dir),
    (package, tree): (&Package, &Dir),
    (shown, base): (String, &RelPath),
) -> Result<Arriving, Failure> {
    let files = package.tpkg.as_ref().map_or(&[][..], |tpkg| &tpkg.files);
    let mut texts = BTreeMap::new();
    let (mut roads, mut folders) = (InRoot::new(root), Folders::new(root));
    let mut spots = Vec::with_capacity(files.len());
    let mut beside = Vec::with_capacity(files.len());
    for file in files {
        if file.crontab.as_ref().is_some_and(|crontab| crontab.user.is_some()) {
            let path = file.path_in_tree();
            let lines = tree.read(&path, LONGEST_CRONTAB)?;
            texts.insert(path, String::from_utf8_lossy(&lines).into_owned());
        }
        // A link that leads to a folder is the folder.
        let path = match file.content {
            TpkgContent::Directory => roads.folder(&wanted(file, base))?,
            _ => roads.place(&wanted(file, base))?,
        };
        let holders = db.holders(&path)?;
        // A file is read where it may be the administrator's.
        let reads = file.config || holders.iter().any(|holder| holder.role == Role::Config);
        let there = look(&mut folders, &path, reads)?;
        let is_file = there.as_ref().is_some_and(|there| there.kind != Kind::Directory);
        beside.push(if reads && is_file {
            let path = roads.place(&new_release(&path))?;
            let (holders, there) = (db.holders(&path)?, look(&mut folders, &path, false)?);
            Some(Spot { path, there, holders })
        } else {
            None
        });
        spots.push(Spot { path, there, holders });
    }
    let (missing, there) = leading(&mut folders, &spots, (files, &roads.place(base)?))?;
    let shared = there.iter().map(|path| held(db, path)).collect::<Result<Vec<_>, _>>()?;
    let shared = shared.into_iter().flatten().collect();
    Ok(Arriving { base: shown, spots, beside, missing, shared, texts })
}

fn wanted(file: &TpkgFile, base: &RelPath) -> RelPath {
    match file.place {
        Place::Reloc => base.join(&file.path),
        Place::Root => file.path.clone(),
    }
}

/// Where the new release of a changed config file comes to lie.
fn new_release(path: &RelPath) -> RelPath {
    RelPath::parse(&format!("{path}.tpkgnew")).unwrap_or_else(|_| path.clone())
}

/// What is at `path`.
pub(super) fn look(
    folders: &mut Folders<'_>,
    path: &RelPath,
    reads: bool,
) -> Result<Option<There>, Failure> {
    let Some(Meta { kind, mode, uid, gid, .. }) = folders.meta(path.as_str())? else {
        return Ok(None);
    };
    let sha256 = match kind {
        Kind::File if reads => {
            let (dir, name) = folders.at(path.as_str())?;
            Some(digest(dir, name)?)
        }
        _ => None,
    };
    Ok(Some(There { kind, mode, uid, gid, sha256 }))
}

/// The digest of a file.
pub(crate) fn digest(dir: &Dir, name: &str) -> Result<Sha256, Failure> {
    let mut file = dir.open_file(name)?;
    let (mut hash, mut buffer) = (sha2::Sha256::new(), vec![0; 64 << 10]);
    loop {
        let count = file
            .read(&mut buffer)
            .map_err(|error| crate::error::FsError::new("read", dir.path_of(name), error))?;
        let Some(bytes) = buffer.get(..count).filter(|bytes| !bytes.is_empty()) else { break };
        hash.update(bytes);
    }
    Ok(Sha256(hash.finalize().into()))
}

/// The folders that lead to `spots` and are no spot themselves, the upper ones first: those that are
/// missing, and those that are there.
fn leading(
    folders: &mut Folders<'_>,
    spots: &[Spot],
    (files, base): (&[TpkgFile], &RelPath),
) -> Result<(Vec<RelPath>, Vec<RelPath>), Failure> {
    let known: BTreeSet<&RelPath> = spots
        .iter()
        .zip(files)
        .filter(|(_, file)| file.content == TpkgContent::Directory)
        .map(|(spot, _)| &spot.path)
        .collect();
    let mut looked: BTreeSet<RelPath> = BTreeSet::new();
    let uses_base = files.iter().any(|file| file.place == Place::Reloc);
    let base = Some(base.clone()).filter(|_| uses_base);
    for path in spots.iter().map(|spot| spot.path.parent()).chain([base]) {
        let mut next = path;
        while let Some(folder) = next.filter(|folder| !looked.contains(folder)) {
            next = folder.parent();
            looked.insert(folder);
        }
    }
    let (mut missing, mut there) = (Vec::new(), Vec::new());
    for folder in looked.into_iter().filter(|folder| !known.contains(folder)) {
        let is_there = folders.meta(folder.as_str())?.is_some();
        if is_there { there.push(folder) } else { missing.push(folder) }
    }
    Ok((missing, there))
}

/// A folder as a package has it that it was made for.
fn held(db: &Db, path: &RelPath) -> Result<Option<Placed>, Failure> {
    let holders = db.holders(path)?;
    let Some(holder) = holders.iter().find(|holder| holder.kind == PlacedKind::Directory) else {
        return Ok(None);
    };
    Ok(db.placed_at(holder.package, path)?)
}
