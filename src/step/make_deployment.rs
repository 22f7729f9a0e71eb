//! Makes a new deployment: the application's source, and the dependencies that the last one has
//! gathered.

mod source;

pub use source::Source;

use super::{Cx, Said, Step};
use crate::error::Failure;
use crate::gear::deployment::{self, FOLDER, Metadata, PARTS};
use crate::gear::identity::Identity;
use crate::sys::checkpoint::checkpoint;
use crate::sys::fs::{Dir, Kind};
use crate::sys::lanes;
use crate::sys::tree::{self, Modes};

/// A new deployment.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct MakeDeployment {
    /// The gear.
    pub gear: Identity,
    /// The name of its directory.
    pub name: String,
    /// The deployment whose dependencies it begins with; nothing for a clean build.
    pub from: Option<String>,
    /// Where the application comes from.
    pub source: Source,
    /// What it says of itself.
    pub metadata: Metadata,
}

impl MakeDeployment {
    fn place(&self) -> String {
        format!("{FOLDER}/{}", self.name)
    }

    /// Builds it in `base`, which stands for the home.
    fn build(&self, cx: &Cx<'_>, base: &Dir) -> Result<(), Failure> {
        let place = self.place();
        base.make_dirs(FOLDER, 0o750)?;
        base.make_dir(&place, 0o750)?;
        base.set_mode(&place, 0o750)?;
        let new = base.dir(&place)?;
        let kept = self.kept(cx)?;
        for part in PARTS {
            if !kept.iter().any(|(known, _)| *known == part) {
                new.make_dir(part, 0o750)?;
            }
        }
        // What unpacks the source waits for git most of the time.
        let (source, dependencies) = lanes::both(
            || self.source.put(cx, &self.gear, &new),
            || {
                kept.iter()
                    .try_for_each(|(part, old)| tree::copy(old, part, &new, part, Modes::Kept))
            },
        );
        source?;
        dependencies?;
        deployment::write_metadata(base, &self.name, &self.metadata)?;
        let Some((uid, gid)) = self.gear.owner else { return Ok(()) };
        // What is in the parts was made the gear's, or has been.
        for name in PARTS.into_iter().chain(["metadata.json", ""]) {
            new.set_owner(name, uid, gid)?;
        }
        Ok(())
    }

    /// The parts that it begins with, and the deployment that has them.
    fn kept(&self, cx: &Cx<'_>) -> Result<Vec<(&'static str, Dir)>, Failure> {
        let Some(from) = &self.from else { return Ok(Vec::new()) };
        let home = cx.state.dir(self.gear.home())?;
        let mut kept = Vec::new();
        for part in PARTS.into_iter().filter(|part| *part != "repo") {
            if is_directory(&home, &format!("{FOLDER}/{from}/{part}"))? {
                kept.push((part, home.dir(format!("{FOLDER}/{from}"))?));
            }
        }
        Ok(kept)
    }
}

fn is_directory(home: &Dir, path: &str) -> Result<bool, Failure> {
    Ok(home.meta(path)?.is_some_and(|meta| meta.kind == Kind::Directory))
}

impl Step for MakeDeployment {
    type Undo = ();

    fn describe(&self) -> String {
        let from = match &self.source {
            Source::Commit { id, .. } => format!("commit {}", id.get(..7).unwrap_or(id)),
            Source::Tree(_) => "the archive".to_owned(),
        };
        let (id, gear) = (&self.metadata.id, &self.gear.name);
        format!("make the deployment {id} of {from} in the gear `{gear}`")
    }

    fn prepare(&self, cx: &Cx<'_>) -> Result<(), Failure> {
        cx.room().map(drop)
    }

    fn apply(&self, _undo: &(), cx: &Cx<'_>) -> Result<Said, Failure> {
        let home = cx.state.dir(self.gear.home())?;
        if home.has(format!("{}/metadata.json", self.place()))? {
            return Ok(Said::default());
        }
        // A script that has guessed where it will be may have put something there.
        tree::remove(&home, self.place())?;
        let room = cx.room()?;
        tree::remove(&room, "home")?;
        room.make_dir("home", 0o755)?;
        let base = room.dir("home")?;
        checkpoint("make_deployment: before it is built");
        self.build(cx, &base)?;
        checkpoint("make_deployment: before it comes into its place");
        tree::move_to(&base, self.place(), &home, self.place())?;
        home.begin_to_sync_filesystem();
        checkpoint("make_deployment: it is in its place");
        Ok(Said::default())
    }

    fn revert(&self, _undo: &(), cx: &Cx<'_>) -> Result<(), Failure> {
        if !cx.state.has(self.gear.home())? {
            return Ok(());
        }
        let home = cx.state.dir(self.gear.home())?;
        if home.has(self.place())? {
            let room = cx.room()?;
            tree::remove(&room, "gone")?;
            checkpoint("make_deployment: before it goes");
            tree::move_to(&home, self.place(), &room, "gone")?;
        }
        Ok(())
    }
}

#[cfg(test)]
pub(super) fn sample(world: &super::laws::World) -> MakeDeployment {
    let gear = world.gear();
    let home = world.state.dir("gears/blog").unwrap();
    let from = deployment::live_name(&home, "repo").unwrap();
    home.make_dirs(format!("{FOLDER}/{from}/dependencies/lib"), 0o755).unwrap();
    home.write_new(format!("{FOLDER}/{from}/dependencies/lib/one"), b"1", 0o644).unwrap();
    world.state.make_dirs("template/public", 0o755).unwrap();
    world.state.write_new("template/public/page", b"text", 0o644).unwrap();
    world.state.write_new("template/.hidden", b"", 0o755).unwrap();
    let git = crate::gear::git::Git::find(None).unwrap();
    let bare = world.state.path_of("gears/blog/git/blog.git");
    git.from_template(&world.state.path_of("template"), &bare).unwrap();
    let id = git.commit(&bare, "master").unwrap().unwrap();
    let source = Source::Commit { id, incoming: None, submodules: Vec::new() };
    let metadata = Metadata { id: "0123abcd".into(), ..Metadata::default() };
    MakeDeployment {
        gear,
        name: "2027-01-01_00-00-00.000".into(),
        from: Some(from),
        source,
        metadata,
    }
}
