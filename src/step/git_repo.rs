//! Gives a gear its repository, made from the package's template, and puts the application from it
//! into `app-root/runtime/repo`.

use super::{Cx, Said, Step};
use crate::error::{Exit, Failure};
use crate::gear::deployment;
use crate::gear::git::{self, BRANCH, Git};
use crate::gear::identity::Identity;
use crate::gear::owner::{self, Account};
use crate::sys::checkpoint::checkpoint;
use crate::sys::fs::Dir;
use crate::sys::host;
use crate::sys::path::RelPath;
use crate::sys::tree;
use std::path::Path;

/// The repository of a gear.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct GitRepo {
    /// The gear.
    pub gear: Identity,
    /// The bare repository made of the template, relative to the state directory.
    pub template: RelPath,
}

impl GitRepo {
    /// The repository, relative to the gear's home.
    fn repository(&self) -> String {
        format!("git/{}.git", self.gear.name)
    }

    /// Builds repository and application in `base`, which stands for the home: `git/X.git`, `repo`.
    fn build(&self, cx: &Cx<'_>, base: &Dir) -> Result<(), Failure> {
        let git = Git::find(None)?;
        let template = self.template.parent().unwrap_or_else(|| self.template.clone());
        let from = cx.state.dir(&template)?;
        base.make_dir("git", 0o755)?;
        let name = format!("{}.git", self.gear.name);
        git::import(&git, (&from, self.template.name()), (&base.dir("git")?, &name))?;
        git::add_hooks(&base.dir(self.repository())?, &host::this_program())?;
        base.make_dir("repo", 0o755)?;
        let bare = base.path_of(self.repository());
        let owner = self.gear.owner.map(|(uid, gid)| Account { uid, gid });
        let (git, repo) = (git.for_owner(owner), base.dir("repo")?);
        git.archive_into(&bare, BRANCH, &repo, &cx.config.archive)?;
        if let Some(account) = owner {
            owner::own_part(base, Path::new(&self.repository()), account)?;
            repo.set_owner("", account.uid, account.gid)?;
        }
        Ok(())
    }
}

impl Step for GitRepo {
    type Undo = ();

    fn describe(&self) -> String {
        format!("make the repository of the gear `{}` from the template", self.gear.name)
    }

    fn prepare(&self, cx: &Cx<'_>) -> Result<(), Failure> {
        let home = cx.state.dir(self.gear.home())?;
        let live = home.dir(deployment::live_repo(&home)?)?;
        for (is_taken, path) in [
            (home.has(self.repository())?, home.path_of(self.repository())),
            (!live.names()?.is_empty(), live.path().to_owned()),
        ] {
            if is_taken {
                let text = format!("`{}` is there already", path.display());
                return Err(Failure::new(Exit::Conflict, text)
                    .hint("`setup` and `install` must leave the application's place empty"));
            }
        }
        cx.room().map(drop)
    }

    fn apply(&self, _undo: &(), cx: &Cx<'_>) -> Result<Said, Failure> {
        let home = cx.state.dir(self.gear.home())?;
        if home.has(self.repository())? {
            return Ok(Said::default());
        }
        let stash = cx.stash()?;
        tree::remove(&stash, "home")?;
        stash.make_dir("home", 0o755)?;
        let base = stash.dir("home")?;
        checkpoint("git_repo: before it is built");
        self.build(cx, &base)?;
        let (application, live) = (base.dir("repo")?, home.dir(deployment::live_repo(&home)?)?);
        for name in application.names()? {
            checkpoint("git_repo: before a rename");
            tree::move_to(&application, &name, &live, &name)?;
        }
        // The repository comes last: where it is, everything is.
        checkpoint("git_repo: before the last rename");
        tree::move_to(&base, self.repository(), &home, self.repository())?;
        Ok(Said::default())
    }

    fn revert(&self, _undo: &(), cx: &Cx<'_>) -> Result<(), Failure> {
        if !cx.state.has(self.gear.home())? {
            return Ok(());
        }
        let home = cx.state.dir(self.gear.home())?;
        let stash = cx.stash()?;
        tree::remove(&stash, "gone")?;
        stash.make_dir("gone", 0o700)?;
        let gone = stash.dir("gone")?;
        if home.has(self.repository())? {
            tree::move_to(&home, self.repository(), &gone, "repository")?;
        }
        gone.make_dir("application", 0o700)?;
        let application = gone.dir("application")?;
        let live = home.dir(deployment::live_repo(&home)?)?;
        for name in live.names()? {
            tree::move_to(&live, &name, &application, &name)?;
            checkpoint("git_repo: put back");
        }
        Ok(())
    }
}

#[cfg(test)]
pub(super) fn sample(world: &super::laws::World) -> GitRepo {
    let gear = world.gear();
    world.state.make_dirs("template/public", 0o755).unwrap();
    world.state.write_new("template/public/page", b"text", 0o644).unwrap();
    world.state.write_new("template/.hidden", b"", 0o755).unwrap();
    let git = Git::find(None).unwrap();
    let bare = world.state.path_of("templates/x.git");
    git.from_template(&world.state.path_of("template"), &bare).unwrap();
    GitRepo { gear, template: RelPath::parse("templates/x.git").unwrap() }
}
