//! Takes away what an app or accessory has at a site: files, links, and folders with everything in
//! them, whoever has made it.
//!
//! They wait in the stash. What has a retention bucket waits in a place that the new deployment
//! takes it from.

use super::place_files::root;
use super::{Cx, Said, Step, host_move};
use crate::error::Failure;
use crate::sys::checkpoint::checkpoint;
use crate::sys::folders::Folders;
use crate::sys::fs::Dir;
use crate::sys::path::RelPath;
use crate::sys::tree;

/// Things that leave together.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct TakeItems {
    /// What messages call the package.
    pub package: String,
    /// What leaves, in order; paths are below the root directory and lead through no links.
    pub acts: Vec<Taking>,
}

/// One thing that leaves.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Taking {
    /// A file, a link, or a folder with everything in it.
    Thing {
        /// Where it is.
        path: RelPath,
        /// Under which number its data wait for the new deployment, where they do.
        kept: Option<u32>,
    },
    /// A folder that was made to hold others, where nothing is left in it.
    Folder {
        /// Where it is.
        path: RelPath,
    },
}

/// What putting back needs of one act.
#[derive(Debug, serde::Serialize, serde::Deserialize)]
pub struct Was {
    /// Its mode, owner and group; nothing where it is not there.
    posix: Option<(u32, u32, u32)>,
}

/// The folder in the stash of the transaction in which data wait, relative to the state.
pub(super) fn kept_folder(cx: &Cx<'_>) -> String {
    format!("stash/{}/kept", cx.transaction)
}

/// Where things wait: in the step's own stash, and where data are found again.
fn stash(cx: &Cx<'_>) -> Result<(Dir, Dir), Failure> {
    let room = cx.room()?;
    room.make_dirs("old", 0o700)?;
    let kept = kept_folder(cx);
    cx.state.make_dirs(&kept, 0o700)?;
    Ok((room.dir("old")?, cx.state.dir(&kept)?))
}

impl Step for TakeItems {
    type Undo = Vec<Was>;

    fn describe(&self) -> String {
        let of = |act: &&Taking| matches!(act, Taking::Thing { .. });
        let name = self.package.escape_debug();
        match self.acts.iter().filter(of).count() {
            0 => format!("remove empty folders of `{name}`"),
            1 => format!("take 1 file or folder of `{name}` away"),
            count => format!("take {count} files and folders of `{name}` away"),
        }
    }

    fn prepare(&self, cx: &Cx<'_>) -> Result<Vec<Was>, Failure> {
        let root = root(cx)?;
        let mut host = Folders::new(&root);
        let mut was = Vec::with_capacity(self.acts.len());
        for act in &self.acts {
            let (Taking::Thing { path, .. } | Taking::Folder { path }) = act;
            let meta = host.meta(path.as_str())?;
            was.push(Was { posix: meta.map(|meta| (meta.mode, meta.uid, meta.gid)) });
        }
        // Asked for, so that it is durable before anything leaves.
        cx.stash()?;
        Ok(was)
    }

    fn apply(&self, _was: &Vec<Was>, cx: &Cx<'_>) -> Result<Said, Failure> {
        let root = root(cx)?;
        let mut host = Folders::new(&root);
        let (old, keep) = stash(cx)?;
        for (number, act) in self.acts.iter().enumerate() {
            checkpoint("take_items: before something leaves");
            match act {
                Taking::Thing { path, kept } => {
                    let (stash, name) = place(number, *kept, (&old, &keep));
                    if host.meta(path.as_str())?.is_some() {
                        host_move::away(host.at(path.as_str())?, (stash, &name))?;
                    }
                }
                Taking::Folder { path } => {
                    if host.meta(path.as_str())?.is_some() {
                        let (dir, name) = host.at(path.as_str())?;
                        dir.remove_dir_if_empty(name)?;
                    }
                }
            }
        }
        host.sync_beyond(cx.state)?;
        checkpoint("take_items: everything has left");
        Ok(Said::default())
    }

    fn revert(&self, was: &Vec<Was>, cx: &Cx<'_>) -> Result<(), Failure> {
        let root = root(cx)?;
        let mut host = Folders::new(&root);
        let (old, keep) = stash(cx)?;
        for (number, (act, was)) in self.acts.iter().zip(was).enumerate().rev() {
            checkpoint("take_items: before something comes back");
            match act {
                Taking::Thing { path, kept } => {
                    let (stash, name) = place(number, *kept, (&old, &keep));
                    if host.reaches(path.as_str())? {
                        let at = host.at(path.as_str())?;
                        let mode = was.posix.map(|(mode, ..)| mode);
                        host_move::back((stash, &name), at, mode)?;
                        tree::remove(at.0, format!("{}.cart-new", at.1))?;
                    }
                }
                Taking::Folder { path } => {
                    if let (Some((mode, uid, gid)), None) = (was.posix, host.meta(path.as_str())?) {
                        super::place_items::make_folder(&mut host, path, (mode, Some((uid, gid))))?;
                    }
                }
            }
        }
        host.sync_beyond(cx.state)?;
        Ok(())
    }
}

fn place<'a>(
    number: usize,
    kept: Option<u32>,
    (old, keep): (&'a Dir, &'a Dir),
) -> (&'a Dir, String) {
    match kept {
        Some(kept) => (keep, kept.to_string()),
        None => (old, number.to_string()),
    }
}

#[cfg(test)]
pub(super) fn sample(world: &super::laws::World) -> TakeItems {
    world.tree("items/folder");
    world.state.make_dirs("items/empty", 0o750).unwrap();
    world.state.write_new("items/file", b"x", 0o640).unwrap();
    world.state.write_new("items/kept", b"y", 0o600).unwrap();
    let at = |name: &str| {
        let path = world.state.path_of(format!("items/{name}"));
        let path = path.strip_prefix(world.layout.root().unwrap()).unwrap().to_owned();
        RelPath::parse(&path.to_string_lossy()).unwrap()
    };
    TakeItems {
        package: "mock".into(),
        acts: vec![
            Taking::Thing { path: at("file"), kept: None },
            Taking::Thing { path: at("folder"), kept: None },
            Taking::Thing { path: at("kept"), kept: Some(1) },
            Taking::Thing { path: at("missing"), kept: None },
            Taking::Folder { path: at("empty") },
        ],
    }
}
