//! Puts the application's source into a deployment: what a commit of the gear's repository holds, or
//! an unpacked tree that was built elsewhere.

use super::{Cx, Said, Step};
use crate::error::{Exit, Failure};
use crate::gear::deployment::{FOLDER, PARTS};
use crate::gear::git::Git;
use crate::gear::identity::Identity;
use crate::gear::owner::{self, Account};
use crate::sys::checkpoint::checkpoint;
use crate::sys::fs::{Dir, Kind};
use crate::sys::path::RelPath;
use crate::sys::tree;
use std::path::Path;

/// The source of a deployment.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct PlaceSource {
    /// The gear.
    pub gear: Identity,
    /// The deployment that gets it.
    pub deployment: String,
    /// Where it comes from.
    pub source: Source,
}

/// Where an application comes from.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// The gear's repository.
    Commit {
        /// The commit.
        id: String,
        /// The folder below the repository's `objects` in which a push has put its objects, until it
        /// is accepted.
        incoming: Option<RelPath>,
        /// The trees of its submodules: path in the application, and place below the state.
        #[serde(default)]
        submodules: Vec<(RelPath, RelPath)>,
    },
    /// A tree with `repo`, `dependencies` and `build-dependencies`, relative to the state directory.
    Tree(RelPath),
}

impl PlaceSource {
    fn place(&self, part: &str) -> String {
        format!("{FOLDER}/{}/{part}", self.deployment)
    }

    /// Builds it in the empty directory `base`, which stands for the deployment.
    fn build(&self, cx: &Cx<'_>, home: &Dir, base: &Dir) -> Result<(), Failure> {
        match &self.source {
            Source::Commit { id, incoming, submodules } => {
                let bare = home.path_of(format!("git/{}.git", self.gear.name));
                let incoming = incoming.as_ref();
                let incoming = incoming.map(|folder| bare.join("objects").join(folder.as_path()));
                let git = Git::find(None)?.with_incoming(incoming);
                base.make_dir("repo", 0o750)?;
                let repo = base.dir("repo")?;
                git.archive_into(&bare, id, &repo, &cx.config.archive)?;
                for (path, from) in submodules {
                    // Git leaves an empty folder in its place.
                    repo.remove_dir_if_empty(path)?;
                    if let Some(parent) = path.parent() {
                        repo.make_dirs(&parent, 0o755)?;
                    }
                    tree::move_to(cx.state, from, &repo, path)?;
                }
            }
            Source::Tree(from) => {
                let from = cx.state.dir(from)?;
                for part in PARTS {
                    if from.meta(part)?.is_some_and(|meta| meta.kind == Kind::Directory) {
                        tree::move_to(&from, part, base, part)?;
                    }
                }
            }
        }
        if let Some((uid, gid)) = self.gear.owner {
            for part in PARTS.into_iter().filter(|part| base.has(part).is_ok_and(|has| has)) {
                owner::own_part(base, Path::new(part), Account { uid, gid })?;
            }
        }
        Ok(())
    }
}

impl Step for PlaceSource {
    type Undo = ();

    fn describe(&self) -> String {
        let from = match &self.source {
            Source::Commit { id, .. } => format!("commit {}", id.get(..7).unwrap_or(id)),
            Source::Tree(_) => "the archive".to_owned(),
        };
        format!("copy the application of {from} into the gear `{}`", self.gear.name)
    }

    fn prepare(&self, cx: &Cx<'_>) -> Result<(), Failure> {
        cx.room().map(drop)
    }

    fn apply(&self, _undo: &(), cx: &Cx<'_>) -> Result<Said, Failure> {
        let home = cx.state.dir(self.gear.home())?;
        let live = home.dir(self.place("repo"))?;
        if !live.names()?.is_empty() {
            // Only a run that was cut off between two renames leaves it so, and is put back.
            return Ok(Said::default());
        }
        let room = cx.room()?;
        tree::remove(&room, "new")?;
        room.make_dir("new", 0o755)?;
        let base = room.dir("new")?;
        checkpoint("place_source: before it is copied");
        self.build(cx, &home, &base)?;
        for part in PARTS {
            if !base.has(part)? {
                continue;
            }
            let (built, live) = (base.dir(part)?, home.dir(self.place(part))?);
            for name in built.names()? {
                checkpoint("place_source: before a rename");
                if live.has(&name)? {
                    let text = format!("`{}` is there already", live.path_of(&name).display());
                    return Err(Failure::new(Exit::Conflict, text));
                }
                tree::move_to(&built, &name, &live, &name)?;
            }
        }
        Ok(Said::default())
    }

    fn revert(&self, _undo: &(), cx: &Cx<'_>) -> Result<(), Failure> {
        if !cx.state.has(self.gear.home())? {
            return Ok(());
        }
        let home = cx.state.dir(self.gear.home())?;
        if !home.has(self.place("repo"))? {
            return Ok(());
        }
        let room = cx.room()?;
        tree::remove(&room, "gone")?;
        room.make_dir("gone", 0o700)?;
        let (gone, live) = (room.dir("gone")?, home.dir(self.place("repo"))?);
        for name in live.names()? {
            checkpoint("place_source: before something goes");
            tree::move_to(&live, &name, &gone, &name)?;
        }
        Ok(())
    }
}

#[cfg(test)]
pub(super) fn sample(world: &super::laws::World) -> PlaceSource {
    let gear = world.gear();
    world.state.make_dirs("template/public", 0o755).unwrap();
    world.state.write_new("template/public/page", b"text", 0o644).unwrap();
    world.state.write_new("template/.hidden", b"", 0o755).unwrap();
    let git = Git::find(None).unwrap();
    let bare = world.state.path_of("gears/blog/git/blog.git");
    git.from_template(&world.state.path_of("template"), &bare).unwrap();
    let id = git.commit(&bare, "master").unwrap().unwrap();
    let home = world.state.dir("gears/blog").unwrap();
    let deployment = crate::gear::deployment::live_name(&home, "repo").unwrap();
    PlaceSource {
        gear,
        deployment,
        source: Source::Commit { id, incoming: None, submodules: Vec::new() },
    }
}
