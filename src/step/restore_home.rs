//! Puts what comes out of a snapshot into a stopped gear: its data, its deployments and its repository,
//! each whole, in the place of what was there.

use super::{Cx, Said, Step};
use crate::error::Failure;
use crate::gear::identity::Identity;
use crate::gear::owner::{self, Account};
use crate::gear::snapshot::{Chosen, Exchange, Moved, Part};
use crate::sys::fs::Dir;
use crate::sys::path::RelPath;
use std::path::Path;

/// What a gear gets of a snapshot.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct RestoreHome {
    /// The gear.
    pub gear: Identity,
    /// Where the parts lie as in a home, relative to the state directory.
    pub from: RelPath,
    /// The parts.
    pub parts: Vec<Part>,
}

impl RestoreHome {
    fn own(&self, from: &Dir, path: &str) -> Result<(), Failure> {
        if let Some((uid, gid)) = self.gear.owner {
            owner::own_part(from, Path::new(path), Account { uid, gid })?;
        }
        Ok(())
    }
}

impl Step for RestoreHome {
    type Undo = Exchange;

    fn describe(&self) -> String {
        let what: Vec<_> = self.parts.iter().map(|part| part.as_str()).collect();
        format!("put back into the gear `{}`: {}", self.gear.name, what.join(", "))
    }

    fn prepare(&self, cx: &Cx<'_>) -> Result<Exchange, Failure> {
        cx.stash()?;
        let (home, from) = (cx.state.dir(self.gear.home())?, cx.state.dir(&self.from)?);
        let (parts, gear) = (self.parts.as_slice(), self.gear.name.as_str());
        Ok(Exchange::look(&home, &from, Chosen { parts, gear, data: Moved::Whole, stays: None })?)
    }

    fn apply(&self, exchange: &Exchange, cx: &Cx<'_>) -> Result<Said, Failure> {
        let (home, from) = (cx.state.dir(self.gear.home())?, cx.state.dir(&self.from)?);
        for path in exchange.new_paths() {
            if from.has(path)? {
                self.own(&from, path)?;
            }
        }
        exchange.carry_out(&home, &from, &cx.stash()?)?;
        Ok(Said::default())
    }

    /// What is new lies in the one place or in the other; what was there waits in the stash.
    fn revert(&self, exchange: &Exchange, cx: &Cx<'_>) -> Result<(), Failure> {
        if !cx.state.has(self.gear.home())? {
            return Ok(());
        }
        let home = cx.state.dir(self.gear.home())?;
        Ok(exchange.take_back(&home, (cx.state, self.from.as_str()), &cx.stash()?)?)
    }
}

#[cfg(test)]
pub(super) fn sample(world: &super::laws::World) -> RestoreHome {
    use crate::gear::deployment::FOLDER;
    let gear = world.gear();
    let home = world.state.dir("gears/blog").unwrap();
    home.write_new("app-root/data/page", b"old", 0o640).unwrap();
    home.make_dirs("git/blog.git/refs", 0o755).unwrap();
    world.state.make_dirs("staging/x/home/app-root/data/inner", 0o750).unwrap();
    let from = world.state.dir("staging/x/home").unwrap();
    from.write_new("app-root/data/inner/page", b"new", 0o600).unwrap();
    let live = crate::gear::deployment::live_name(&home, "repo").unwrap();
    for name in [live.as_str(), "2027-01-01_00-00-00.000", "by-id"] {
        from.make_dirs(format!("{FOLDER}/{name}/repo"), 0o750).unwrap();
    }
    from.make_dirs("git/blog.git/objects", 0o755).unwrap();
    let parts = vec![Part::Data, Part::Deployments, Part::Repository];
    RestoreHome { gear, from: RelPath::parse("staging/x/home").unwrap(), parts }
}
