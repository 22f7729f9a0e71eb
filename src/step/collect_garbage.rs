//! Makes a gear's repository small: `git prune` and `git gc`. It runs after a commit alone, since
//! nothing that it throws away can be reached, and nothing brings it back.

use super::script::{self, Call};
use super::{Cx, Said, Step};
use crate::error::Failure;
use crate::gear::git::Git;
use crate::gear::identity::Identity;
use crate::sandbox::{CommandLine, Leftovers};
use crate::sys::fs::{self, Kind};
use crate::sys::host;
use std::path::Path;

/// Where git is.
const PLACES: [&str; 3] = ["/usr/bin/git", "/usr/local/bin/git", "/bin/git"];

/// The repository of a gear.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct CollectGarbage {
    /// The gear.
    pub gear: Identity,
}

impl Step for CollectGarbage {
    type Undo = ();

    fn describe(&self) -> String {
        format!("collect the garbage in the repository of the gear `{}`", self.gear.name)
    }

    fn prepare(&self, _cx: &Cx<'_>) -> Result<(), Failure> {
        Ok(())
    }

    /// As the gear, in its sandbox: a repository that the gear can write can make git run anything.
    fn apply(&self, _undo: &(), cx: &Cx<'_>) -> Result<Said, Failure> {
        let home = cx.state.dir(self.gear.home())?;
        let repository = format!("git/{}.git", self.gear.name);
        let git = PLACES.iter().map(Path::new).find(|path| {
            fs::kind_of(path).is_some_and(|kind| matches!(kind, Kind::File | Kind::Link))
        });
        let (Some(cartridge), Some(git)) = (self.gear.primary(), git) else {
            return Ok(Said::default());
        };
        if !home.has(format!("{repository}/HEAD"))? {
            return Ok(Said::default());
        }
        if self.gear.owner.is_some()
            && home.meta(&repository)?.is_some_and(|meta| meta.uid == host::user_id())
        {
            let git = Git::find(None)?;
            return Ok(git
                .collect_garbage(&home.path_of(&repository))
                .map(|()| Said::default())?);
        }
        let place = home.path_of(&repository).into_os_string();
        for words in [&["prune"][..], &["gc", "--quiet", "--aggressive"]] {
            let options = [std::ffi::OsString::from("--git-dir"), place.clone()];
            let words = options.into_iter().chain(words.iter().map(Into::into));
            let call = Call {
                gear: &self.gear,
                dir: &cartridge.dir,
                folder: &cartridge.dir,
                name: "git-gc",
                line: CommandLine::of(git, words)?,
                seconds: cx.config.scripts.install_timeout,
                leftovers: Leftovers::End,
            };
            script::run(cx, &home, &call)?;
        }
        Ok(Said::default())
    }

    fn revert(&self, _undo: &(), _cx: &Cx<'_>) -> Result<(), Failure> {
        Ok(())
    }
}

#[cfg(test)]
pub(super) fn sample(world: &super::laws::World) -> CollectGarbage {
    CollectGarbage { gear: world.gear() }
}
