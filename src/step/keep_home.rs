//! Keeps a copy of the home of a gear that goes on running while its cartridges are upgraded. It
//! is put back thing by thing: what did not change is not touched, and neither is what the gear's
//! processes have in hand, for they would not know.

use super::{Cx, Said, Step, sandboxed};
use crate::error::Failure;
use crate::gear::identity::Identity;
use crate::sys::checkpoint::checkpoint;
use crate::sys::fs::{Dir, Kind, Meta};
use crate::sys::process;
use crate::sys::tree::{self, Modes};
use std::collections::BTreeSet;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

/// The home of a running gear.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct KeepHome {
    /// The gear.
    pub gear: Identity,
}

/// Whether there is a copy.
#[derive(Debug, serde::Serialize, serde::Deserialize)]
pub struct Kept {
    copied: bool,
}

/// The copy's name in the stash.
pub const COPY: &str = "home";

/// Folders of logs, of what belongs to a run, and of what is temporary: they go on.
const RUNNING: [&str; 6] = ["log", "logs", "run", "pid", "tmp", ".tmp"];

impl KeepHome {
    /// What processes of the gear write, below its home: where the file lies right in the home or in
    /// a cartridge's folder the file, else its folder with everything in it.
    fn in_hand(&self, cx: &Cx<'_>, home: &Dir) -> Result<BTreeSet<PathBuf>, Failure> {
        let written = process::written_by(&sandboxed::living(cx.layout, &self.gear)?)?;
        let inside = written.iter().filter_map(|path| path.strip_prefix(home.path()).ok());
        let place = |path: &Path| match path.components().count() {
            0..=2 => path.to_owned(),
            _ => path.parent().unwrap_or(path).to_owned(),
        };
        Ok(inside.map(place).collect())
    }
}

/// Puts what is kept in `kept` back into `now`, both at `folder` below the home.
fn put_back(
    kept: &Dir,
    now: &Dir,
    (folder, in_hand): (&Path, &BTreeSet<PathBuf>),
) -> Result<(), Failure> {
    let names: BTreeSet<OsString> = kept.names()?.into_iter().chain(now.names()?).collect();
    for name in names {
        let path = folder.join(&name);
        let is_running = RUNNING.iter().any(|running| name == *running)
            || [".pid", ".log", ".lock", ".sock"].iter().any(|end| ends_with(&name, end));
        if in_hand.contains(&path) || (is_running && folder != Path::new("")) || name == ".tmp" {
            continue;
        }
        checkpoint("keep_home: before something is put back");
        match (kept.meta(&name)?, now.meta(&name)?) {
            // Sockets, pipes and devices are not kept.
            (_, Some(meta)) if meta.kind == Kind::Other => {}
            (None, Some(_)) => tree::remove(now, &name)?,
            (Some(was), Some(is)) if (was.kind, is.kind) == (Kind::Directory, Kind::Directory) => {
                let (inner_kept, inner_now) = (kept.dir(&name)?, now.dir(&name)?);
                put_back(&inner_kept, &inner_now, (&path, in_hand))?;
                restore(kept, now, &name, was)?;
            }
            (Some(was), Some(is)) => {
                let same = (was.kind, was.mode, was.size, was.uid, was.gid)
                    == (is.kind, is.mode, is.size, is.uid, is.gid)
                    && kept.changed(&name)? == now.changed(&name)?;
                if !same {
                    replace(kept, now, &name, is)?;
                }
            }
            (Some(_), None) => tree::copy(kept, &name, now, &name, Modes::Kept)?,
            (None, None) => {}
        }
    }
    Ok(())
}

fn ends_with(name: &OsString, end: &str) -> bool {
    name.as_encoded_bytes().ends_with(end.as_bytes())
}

/// Gives a folder its mode, owner and time again.
fn restore(kept: &Dir, now: &Dir, name: &OsString, was: Meta) -> Result<(), Failure> {
    if crate::sys::host::is_root() {
        now.set_owner(name, was.uid, was.gid)?;
    }
    now.set_mode(name, was.mode)?;
    if let Some(time) = kept.changed(name)? {
        now.set_changed(name, time)?;
    }
    Ok(())
}

/// Puts the kept thing in the place of another one; a file is replaced in one step.
fn replace(kept: &Dir, now: &Dir, name: &OsString, is: Meta) -> Result<(), Failure> {
    let mut beside = name.clone();
    beside.push(".cart-old");
    tree::remove(now, &beside)?;
    tree::copy(kept, name, now, &beside, Modes::Kept)?;
    if is.kind == Kind::Directory {
        tree::remove(now, name)?;
    }
    Ok(now.rename(&beside, now, name)?)
}

impl Step for KeepHome {
    type Undo = Kept;

    fn describe(&self) -> String {
        format!("keep a copy of the gear `{}`, which goes on running", self.gear.name)
    }

    /// A home that is larger than `stash_limit`, or than half of what is free, is not copied.
    fn prepare(&self, cx: &Cx<'_>) -> Result<Kept, Failure> {
        let stash = cx.stash()?;
        let size = tree::size(cx.state, self.gear.home())?;
        let copied = size <= cx.config.stash_limit && size <= stash.free_bytes()? / 2;
        tree::remove(&stash, COPY)?;
        if copied {
            tree::copy(cx.state, self.gear.home(), &stash, COPY, Modes::Kept)?;
        }
        Ok(Kept { copied })
    }

    fn apply(&self, kept: &Kept, _cx: &Cx<'_>) -> Result<Said, Failure> {
        let mut said = Said::default();
        if !kept.copied {
            said.warnings.push(format!(
                "the gear `{}` is too large to be copied: what scripts do to its files beyond those \
                 of the packages cannot be undone",
                self.gear.name
            ));
        }
        Ok(said)
    }

    fn revert(&self, kept: &Kept, cx: &Cx<'_>) -> Result<(), Failure> {
        let stash = cx.stash()?;
        if !kept.copied || !stash.has(COPY)? || !cx.state.has(self.gear.home())? {
            return Ok(());
        }
        let home = cx.state.dir(self.gear.home())?;
        let (kept, in_hand) = (stash.dir(COPY)?, self.in_hand(cx, &home)?);
        let locked = home.meta("")?.map(|meta| meta.mode);
        // An ordinary user's home is locked by its mode.
        if let (Some(mode), None) = (locked, self.gear.owner) {
            home.set_mode("", mode | 0o200)?;
        }
        put_back(&kept, &home, (Path::new(""), &in_hand))?;
        if let Some(was) = stash.meta(COPY)? {
            home.set_mode("", was.mode)?;
        }
        match stash.changed(COPY)? {
            Some(time) => Ok(home.set_changed("", time)?),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
pub(super) fn sample(world: &super::laws::World) -> KeepHome {
    KeepHome { gear: world.gear() }
}
