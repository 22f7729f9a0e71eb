//! Writes a backup of sites or apps: one archive, in a place of the user's. It appears whole, durable, in
//! one rename, or not at all; what lies there already is never replaced.

use super::{Cx, Said, Step};
use crate::archive::Zipper;
use crate::error::{Context, Exit, Failure};
use crate::site::backup::{FILE_TYPE, FOLDERS, Place, Text};
use crate::sys::checkpoint::checkpoint;
use crate::sys::clock::Moment;
use crate::sys::fs::{Dir, Kind, kind_of};
use crate::sys::path::RelPath;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// A backup to be written.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct WriteBackup {
    /// The archive; an absolute path in a folder that is there.
    pub to: PathBuf,
    /// When it was begun, `YYYYMMDD-HHMMSS`.
    pub started: String,
    /// The texts, each with the file that has it, relative to the state. (They hold secrets, which a plan
    /// may not.)
    pub texts: Vec<(Text, String)>,
    /// The data, each with where it lies: absolute, a file or a tree. What is not there is left out, as
    /// an app may never have made it.
    pub kept: Vec<(Place, PathBuf)>,
}

/// The file in the stash by which the archive is known again.
const OURS: &str = "ours";
/// The time of texts and folders: the first that a zip can have, so that the same backup is the same file.
const WHEN: Moment = Moment(315_532_800_000);
/// The longest text.
const LONGEST: u64 = 64 << 20;

impl WriteBackup {
    fn folder(&self) -> Result<(Dir, &str), Failure> {
        let name = self.to.file_name().and_then(|name| name.to_str());
        if let (Some(parent), Some(name)) =
            (self.to.parent().filter(|_| self.to.is_absolute()), name)
        {
            return Ok((Dir::open(parent)?, name));
        }
        let text = format!("`{}` is no place for a backup", self.to.display());
        Err(Failure::new(Exit::Usage, text))
    }

    fn write(&self, cx: &Cx<'_>, folder: &Dir, name: &str) -> Result<u64, Failure> {
        let mut zip = Zipper::new(folder.create_file(name, 0o600)?);
        let failed = || format!("cannot write the backup `{}`", self.to.display());
        let text = |zip: &mut Zipper<_>, what: &Text, bytes: &[u8]| {
            zip.text(&what.path()?, bytes, WHEN).doing(failed)
        };
        text(&mut zip, &Text::Type, format!("{FILE_TYPE}\n").as_bytes())?;
        text(&mut zip, &Text::Start, format!("{}\n", self.started).as_bytes())?;
        let mut made = BTreeSet::new();
        for name in FOLDERS {
            if let Ok(path) = RelPath::parse(name) {
                zip.folder(&path, WHEN).doing(failed)?;
            }
        }
        for (what, file) in &self.texts {
            text(&mut zip, what, &cx.state.read(file, LONGEST)?)?;
        }
        for (place, from) in &self.kept {
            for path in place.folders()? {
                if made.insert(path.clone()) {
                    zip.folder(&path, WHEN).doing(failed)?;
                }
            }
            let (Some(parent), Some(name)) = (from.parent(), from.file_name()) else { continue };
            if kind_of(parent) == Some(Kind::Directory) {
                zip.tree(&place.path()?, &Dir::open(parent)?, Path::new(name)).doing(failed)?;
            }
        }
        let (file, left_out) = zip.finish().doing(failed)?;
        file.sync_all()
            .map_err(|error| Failure::new(Exit::Failed, format!("{}: {error}", failed())))?;
        Ok(left_out)
    }
}

impl Step for WriteBackup {
    type Undo = ();

    fn describe(&self) -> String {
        format!("write the backup `{}`", self.to.display())
    }

    fn prepare(&self, _cx: &Cx<'_>) -> Result<(), Failure> {
        let (folder, name) = self.folder()?;
        if folder.has(name)? {
            let text = format!("`{}` is there already", self.to.display());
            return Err(Failure::new(Exit::Conflict, text).hint("name another file"));
        }
        Ok(())
    }

    fn apply(&self, _undo: &(), cx: &Cx<'_>) -> Result<Said, Failure> {
        let (folder, name) = self.folder()?;
        let making = beside(cx, name);
        folder.remove_file(&making)?;
        remove_ours(cx, &folder, name)?;
        checkpoint("write_backup: before");
        let left_out = self.write(cx, &folder, &making)?;
        checkpoint("write_backup: it is written");
        cx.room()?.put_file(OURS, traits_of(&folder, &making)?.as_bytes(), 0o600)?;
        folder.rename_new(&making, &folder, name)?;
        folder.sync()?;
        checkpoint("write_backup: it is there");
        let mut said = Said::default();
        if left_out > 0 {
            said.warnings.push(format!("{left_out} sockets and pipes are not in the backup"));
        }
        Ok(said)
    }

    fn revert(&self, _undo: &(), cx: &Cx<'_>) -> Result<(), Failure> {
        let (folder, name) = self.folder()?;
        folder.remove_file(beside(cx, name))?;
        remove_ours(cx, &folder, name)
    }
}

/// The name of the archive in the making, beside its place.
fn beside(cx: &Cx<'_>, name: &str) -> String {
    format!(".{name}.cart-{}-{}", cx.transaction, cx.number)
}

/// Removes the archive if it is the one that this step has put there: somebody else's that has come
/// meanwhile stays.
fn remove_ours(cx: &Cx<'_>, folder: &Dir, name: &str) -> Result<(), Failure> {
    let room = cx.room()?;
    let ours = if room.has(OURS)? { room.read(OURS, LONGEST)? } else { Vec::new() };
    if folder.has(name)? && traits_of(folder, name)?.as_bytes() == ours {
        folder.remove_file(name)?;
    }
    Ok(())
}

/// Length and time of change of a file, by which it is known again.
fn traits_of(folder: &Dir, name: &str) -> Result<String, Failure> {
    let size = folder.meta(name)?.map(|meta| meta.size);
    Ok(format!("{size:?} {:?}", folder.changed(name)?))
}

#[cfg(test)]
pub(super) fn sample(world: &super::laws::World) -> WriteBackup {
    use crate::package::ubos::name::{AppConfigId, Bucket, PackageName};
    use crate::package::ubos::role::RoleName;
    world.tree("library/data");
    world.state.write_new("staging/app.json", b"{}", 0o600).unwrap();
    let app = AppConfigId::parse(&format!("a{}", "1".repeat(40))).unwrap();
    let place = Place {
        app: app.clone(),
        package: PackageName::parse("wiki").unwrap(),
        role: RoleName::Apache2,
        bucket: Bucket::parse("data").unwrap(),
    };
    WriteBackup {
        to: world.state.path_of("a.ubos-backup"),
        started: "20261121-180000".into(),
        texts: vec![(Text::App(app), "staging/app.json".into())],
        kept: vec![(place, world.state.path_of("library/data"))],
    }
}
