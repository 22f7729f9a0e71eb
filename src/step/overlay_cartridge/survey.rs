//! What laying one release over another comes to in a gear: which files come, go, change or stay.

use super::super::instance::HOME;
use super::super::same_files::is_same;
use super::Act;
use crate::error::Failure;
use crate::sys::clock::Moment;
use crate::sys::fs::{Dir, Kind, Meta};
use crate::sys::tree::{self, Modes};
use std::collections::BTreeSet;

/// Where the cartridge's code lies: a user's change there does not survive an upgrade.
const CODE: [&str; 6] = ["bin", "hooks", "lib", "metadata", "env", "usr"];

/// What becomes of what is found.
#[derive(Clone, Copy)]
pub(super) enum Taste {
    /// What was changed after this moment is the user's, and stays.
    Careful(Moment),
    /// Everything becomes what it was.
    AsKept,
}

/// One cartridge of a gear, and what is to be laid over it.
pub(super) struct Survey<'a> {
    pub(super) home: &'a Dir,
    /// Stands for the home; what comes lies in it under the same paths.
    pub(super) base: &'a Dir,
    /// What comes, too, and is in the gear already, just as it is.
    pub(super) same: BTreeSet<String>,
    /// The tree of the release that goes.
    pub(super) goes: &'a Dir,
    /// The cartridge's folder.
    pub(super) dir: &'a str,
    pub(super) taste: Taste,
}

impl Survey<'_> {
    /// The acts in order, and what the user should know.
    pub(super) fn make(&self) -> Result<(Vec<Act>, Vec<String>), Failure> {
        let (mut acts, mut notes) = (Vec::new(), Vec::new());
        let mut coming = self.same.clone();
        for (path, meta) in below(self.base, self.dir)? {
            acts.extend(self.comes(&path, meta, &mut notes)?);
            coming.insert(path);
        }
        let mut folders = Vec::new();
        for (path, meta) in self.leaving()? {
            if coming.contains(&path) {
                continue;
            }
            let Some(now) = self.home.meta(&path)? else { continue };
            match (now.kind, meta.kind) {
                (Kind::Directory, Kind::Directory) => {
                    folders.push(Act::DropFolder(path, now.mode, now.uid, now.gid));
                }
                (Kind::File | Kind::Link, _) if self.is_shipped(&path, now)? => {
                    acts.push(Act::Remove(path));
                }
                _ => {
                    notes.push(format!("`{path}` is of the old release and was changed: it stays"));
                }
            }
        }
        acts.extend(folders.into_iter().rev());
        Ok((acts, notes))
    }

    fn comes(
        &self,
        path: &str,
        meta: Meta,
        notes: &mut Vec<String>,
    ) -> Result<Option<Act>, Failure> {
        let Some(now) = self.home.meta(path)? else {
            return Ok(Some(match meta.kind {
                Kind::Directory => Act::MakeFolder(path.to_owned()),
                _ => Act::Create(path.to_owned()),
            }));
        };
        if (now.kind == Kind::Directory) != (meta.kind == Kind::Directory) {
            notes.push(format!(
                "`{path}` is a folder in one release and a file in the other: it stays as it is"
            ));
            return Ok(None);
        }
        let same = meta.kind == Kind::Directory
            || (now.mode == meta.mode && is_same((self.home, path, now), (self.base, path, meta))?);
        if same {
            return Ok(None);
        }
        if self.is_users(path, now)? {
            notes.push(format!("`{path}` was changed and stays; the new one is `{path}.cart-new`"));
            return Ok(Some(Act::Beside(path.to_owned())));
        }
        Ok(Some(Act::Replace(path.to_owned())))
    }

    /// Everything of the release that goes, as it lies in a gear; where all becomes what it was, also
    /// what was made of it there.
    fn leaving(&self) -> Result<Vec<(String, Meta)>, Failure> {
        let mut all = Vec::new();
        for (path, meta) in below(self.goes, "")? {
            if path != "usr" && !path.starts_with("usr/") {
                if let (Taste::AsKept, Some(rendered)) = (self.taste, path.strip_suffix(".erb")) {
                    all.push((format!("{}/{rendered}", self.dir), meta));
                }
                all.push((format!("{}/{path}", self.dir), meta));
            }
        }
        // A link of ours in every gear.
        if let Some(meta) = self.home.meta(format!("{}/usr", self.dir))? {
            all.push((format!("{}/usr", self.dir), meta));
        }
        if matches!(self.taste, Taste::AsKept) {
            let env = format!("{}/env", self.dir);
            all.extend(below(self.home, &env)?);
        }
        all.sort_by(|one, other| one.0.cmp(&other.0));
        all.dedup_by(|one, other| one.0 == other.0);
        Ok(all)
    }

    /// Whether what lies at `path` is what the release that goes has there.
    fn is_shipped(&self, path: &str, now: Meta) -> Result<bool, Failure> {
        if matches!(self.taste, Taste::AsKept) || now.kind == Kind::Link {
            return Ok(true);
        }
        let inner = self.inner(path);
        match self.goes.meta(inner)? {
            Some(meta) => is_same((self.home, path, now), (self.goes, inner, meta)),
            None => Ok(false),
        }
    }

    /// Whether the user has changed the file at `path` since the cartridge was set up.
    fn is_users(&self, path: &str, now: Meta) -> Result<bool, Failure> {
        let Taste::Careful(configured) = self.taste else { return Ok(false) };
        let inner = self.inner(path);
        let is_code = inner.split('/').next().is_some_and(|top| CODE.contains(&top));
        let is_later = now.changed.seconds > configured.0.div_euclid(1000);
        Ok(now.kind == Kind::File && !is_code && is_later && !self.is_shipped(path, now)?)
    }

    fn inner<'p>(&self, path: &'p str) -> &'p str {
        path.strip_prefix(self.dir).and_then(|rest| rest.strip_prefix('/')).unwrap_or(path)
    }
}

/// The folders whose times change with the acts.
pub(super) fn touched(acts: &[Act]) -> BTreeSet<String> {
    let mut folders = BTreeSet::new();
    for act in acts {
        let (Act::Create(path)
        | Act::Replace(path)
        | Act::Remove(path)
        | Act::MakeFolder(path)
        | Act::Beside(path)
        | Act::DropFolder(path, ..)) = act;
        if matches!(act, Act::DropFolder(..)) {
            folders.insert(path.clone());
        }
        folders.extend(path.rsplit_once('/').map(|(folder, _)| folder.to_owned()));
    }
    folders
}

/// Copies what belongs to either of the `releases` out of the folder that was `kept` into the
/// `stash`; gives the folder that stands for the home.
pub(super) fn stage_kept(
    kept: &Dir,
    stash: &Dir,
    dir: &str,
    releases: &[Dir; 2],
) -> Result<Dir, Failure> {
    tree::remove(stash, HOME)?;
    stash.make_dirs(format!("{HOME}/{dir}"), 0o755)?;
    let base = stash.dir(HOME)?;
    let into = base.dir(dir)?;
    for (path, meta) in below(kept, "")? {
        if path.starts_with("usr/") || !belongs(&path, releases)? {
            continue;
        }
        if meta.kind == Kind::Directory {
            into.make_dirs(&path, 0o755)?;
            into.set_mode(&path, meta.mode | 0o700)?;
            if crate::sys::host::is_root() {
                into.set_owner(&path, meta.uid, meta.gid)?;
            }
            continue;
        }
        if let Some((folder, _)) = path.rsplit_once('/') {
            into.make_dirs(folder, 0o755)?;
        }
        tree::copy(kept, &path, &into, &path, Modes::Kept)?;
    }
    Ok(base)
}

fn belongs(path: &str, releases: &[Dir; 2]) -> Result<bool, Failure> {
    if path == "env" || path.starts_with("env/") || path == "usr" {
        return Ok(true);
    }
    for release in releases {
        if release.has(path)? || release.has(format!("{path}.erb"))? {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Everything below `folder`, the folder itself left out, parents first.
fn below(dir: &Dir, folder: &str) -> Result<Vec<(String, Meta)>, Failure> {
    let mut all = Vec::new();
    let mut next = vec![folder.to_owned()];
    while let Some(folder) = next.pop() {
        let inner = if folder.is_empty() {
            dir.again()?
        } else {
            match dir.meta(&folder)? {
                Some(meta) if meta.kind == Kind::Directory => dir.dir(&folder)?,
                _ => continue,
            }
        };
        for name in inner.names()? {
            // Names that are no text cannot be in a package.
            let Some(name) = name.to_str() else { continue };
            let Some(meta) = inner.meta(name)? else { continue };
            let path = if folder.is_empty() { name.to_owned() } else { format!("{folder}/{name}") };
            if meta.kind == Kind::Directory {
                next.push(path.clone());
            }
            all.push((path, meta));
        }
    }
    all.sort_by(|one, other| one.0.cmp(&other.0));
    Ok(all)
}
