//! The source of a deployment: what a commit of the gear's repository holds, or an unpacked tree that
//! was built elsewhere.

use crate::error::Failure;
use crate::gear::deployment::PARTS;
use crate::gear::git::Git;
use crate::gear::identity::Identity;
use crate::gear::owner::{self, Account};
use crate::step::Cx;
use crate::sys::fs::{Dir, Kind};
use crate::sys::path::RelPath;
use crate::sys::tree;

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

impl Source {
    /// Puts it into the parts of a deployment, `place`, that are there and empty. All of it is the
    /// gear's.
    pub(super) fn put(&self, cx: &Cx<'_>, gear: &Identity, place: &Dir) -> Result<(), Failure> {
        let owner = gear.owner.map(|(uid, gid)| Account { uid, gid });
        match self {
            Self::Commit { id, incoming, submodules } => {
                let bare = cx.state.path_of(gear.home()).join(format!("git/{}.git", gear.name));
                let incoming = incoming.as_ref();
                let incoming = incoming.map(|folder| bare.join("objects").join(folder.as_path()));
                let git = Git::find(None)?.with_incoming(incoming).for_owner(owner);
                let repo = place.dir("repo")?;
                git.archive_into(&bare, id, &repo, &cx.config.archive)?;
                for (path, from) in submodules {
                    // Git leaves an empty folder in its place.
                    repo.remove_dir_if_empty(path)?;
                    if let Some(parent) = path.parent() {
                        repo.make_dirs(&parent, 0o755)?;
                    }
                    tree::move_to(cx.state, from, &repo, path)?;
                }
                // Folders that lead to them are new, too.
                if let Some(owner) = owner.filter(|_| !submodules.is_empty()) {
                    owner::own_all(&repo, owner)?;
                }
            }
            Self::Tree(from) => {
                let from = cx.state.dir(from)?;
                for part in PARTS {
                    if from.meta(part)?.is_some_and(|meta| meta.kind == Kind::Directory) {
                        let (from, into) = (from.dir(part)?, place.dir(part)?);
                        for name in from.names()? {
                            tree::move_to(&from, &name, &into, &name)?;
                        }
                        if let Some(owner) = owner {
                            owner::own_all(&into, owner)?;
                        }
                    }
                }
            }
        }
        Ok(())
    }
}
