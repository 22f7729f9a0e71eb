//! Makes the directories that a cartridge keeps with each deployment, and its links to them.

use super::{Cx, Said, Step};
use crate::error::Failure;
use crate::gear::dependencies::{self, Survey};
use crate::gear::identity::Identity;
use crate::gear::owner::Account;

/// The entries of one cartridge: pairs of a link and a directory's name.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct DependencyDirs {
    /// The gear.
    pub gear: Identity,
    /// The cartridge's folder.
    pub dir: String,
    /// Those of `dependency_dirs`.
    pub run: Vec<(String, String)>,
    /// Those of `build_dependency_dirs`.
    pub build: Vec<(String, String)>,
}

impl Step for DependencyDirs {
    type Undo = [Survey; 2];

    fn describe(&self) -> String {
        format!("make the dependency directories of `{}`", self.dir)
    }

    fn prepare(&self, cx: &Cx<'_>) -> Result<[Survey; 2], Failure> {
        let home = cx.state.dir(self.gear.home())?;
        Ok([
            dependencies::survey(&home, &self.dir, "build-dependencies", &self.build)?,
            dependencies::survey(&home, &self.dir, "dependencies", &self.run)?,
        ])
    }

    fn apply(&self, found: &[Survey; 2], cx: &Cx<'_>) -> Result<Said, Failure> {
        let home = cx.state.dir(self.gear.home())?;
        let account = self.gear.owner.map(|(uid, gid)| Account { uid, gid });
        let mut said = Said::default();
        for survey in found {
            survey.make(&home, account)?;
            let notes = survey.notes.iter();
            said.warnings.extend(notes.map(|note| format!("`{}`: {note}", self.dir)));
        }
        Ok(said)
    }

    fn revert(&self, found: &[Survey; 2], cx: &Cx<'_>) -> Result<(), Failure> {
        if cx.state.has(self.gear.home())? {
            let home = cx.state.dir(self.gear.home())?;
            for survey in found.iter().rev() {
                survey.unmake(&home)?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
pub(super) fn sample(world: &super::laws::World) -> DependencyDirs {
    let pair = |link: &str, name: &str| (link.to_owned(), name.to_owned());
    DependencyDirs {
        gear: world.gear(),
        dir: "mock".into(),
        run: vec![pair("lib", "lib"), pair("a/b", "deep"), pair("~/.npm", "~/.npm")],
        build: vec![pair("~/.m2", "~/.m2"), pair("a/c", "c")],
    }
}
