//! Where a new version comes from: a revision of the gear's repository, or an archive.

use super::super::{Call, Refused};
use super::FAILED;
use super::place::Place;
use super::work::Work;
use crate::archive::{self, Kind, Links, Modes, Options, Strip};
use crate::config;
use crate::gear::deployment::{DeploySettings, DeploymentType, PARTS};
use crate::gear::git::Git;
use crate::progress::Nobody;
use crate::sys::fs::{self, Dir, Kind as FileKind};
use crate::sys::tree;
use std::fs::File;
use std::io::{Read, Seek};
use std::path::{Path, PathBuf};

/// Where applications say what they want of a deployment.
const MARKERS: &str = ".openshift/markers";
/// Where an archive is unpacked, in a deployment.
const ROOM: &str = ".unpacked";
/// How many digits of a commit are told.
const SHORT: usize = 7;

/// A commit that is to be deployed.
#[derive(Clone, Debug)]
pub(super) struct Revision {
    pub(super) name: String,
    pub(super) commit: String,
}

/// The gear's repository.
pub(super) struct Repository {
    git: Git,
    bare: PathBuf,
}

impl Repository {
    pub(super) fn of(call: &Call<'_>, place: &Place) -> Result<Self, Refused> {
        let app = call.text("OPENSHIFT_GEAR_NAME").unwrap_or_default();
        Ok(Self { git: Git::find(None)?, bare: place.home.path_of(format!("git/{app}.git")) })
    }

    /// One at another place: that of a builder.
    pub(super) fn at(bare: PathBuf) -> Result<Self, Refused> {
        Ok(Self { git: Git::find(None)?, bare })
    }

    /// The commit that `name` means.
    pub(super) fn revision(&self, name: &str) -> Result<Revision, Refused> {
        let invalid = || {
            let text = format!("Git ref {} is invalid", name.escape_debug());
            Refused::new(FAILED, text)
        };
        if fs::kind_of(&self.bare) != Some(FileKind::Directory) {
            return Err(Refused::new(FAILED, "gear: this gear has no repository"));
        }
        let commit = self.git.commit(&self.bare, name).map_err(|_| invalid())?;
        Ok(Revision { name: name.to_owned(), commit: commit.ok_or_else(invalid)? })
    }

    pub(super) fn has_marker(&self, revision: &str, marker: &str) -> bool {
        let names = self.git.names_in(&self.bare, revision, MARKERS);
        names.is_ok_and(|names| names.iter().any(|name| name == marker))
    }

    /// Copies the source into the deployment, in the place of what is there.
    pub(super) fn copy(&self, revision: &Revision, work: &Work<'_>) -> Result<(), Refused> {
        if let Some(module) = self.git.submodules(&self.bare, &revision.commit)?.first() {
            let path = module.path.escape_debug();
            let text = format!("gear: the submodule `{path}` cannot be fetched from inside a gear");
            return Err(Refused::new(FAILED, text)
                .hint("a push, or `cart gear deploy` on the host, follows submodules"));
        }
        let repo = work.empty("repo")?;
        let limits = config::Archive::default();
        self.git.archive_into(&self.bare, &revision.commit, &repo, &limits)?;
        Ok(())
    }
}

impl Revision {
    pub(super) fn short(&self) -> String {
        self.commit.chars().take(SHORT).collect()
    }
}

/// The branch, tag or commit that is meant: what is named, else the gear's deployment branch.
pub(super) fn reference(place: &Place, named: Option<&str>) -> String {
    let named = named.map(str::to_owned).filter(|name| !name.is_empty());
    named.unwrap_or_else(|| DeploySettings::read(&place.home).branch)
}

/// Refuses what the gear is not deployed from.
pub(super) fn refuse_unless(place: &Place, kind: DeploymentType) -> Result<(), Refused> {
    if DeploySettings::read(&place.home).kind == kind {
        return Ok(());
    }
    let (has, off) = match kind {
        DeploymentType::Git => ("binary", "git-based"),
        DeploymentType::Binary => ("git", "binary"),
    };
    let text = format!("OPENSHIFT_DEPLOYMENT_TYPE is '{has}' - {off} deployments are disabled.");
    Err(Refused::new(FAILED, text))
}

/// An archive of what was built elsewhere.
pub(super) struct Binary(File);

impl Binary {
    /// The file that is named, else the input.
    pub(super) fn open(place: &Place, named: Option<&str>) -> Result<Self, Refused> {
        let Some(name) = named else { return Self::of_input(place) };
        let path = Path::new(name);
        if fs::kind_of(path).is_none() {
            let text = format!("File '{}' does not exist", name.escape_debug());
            return Err(Refused::new(FAILED, text));
        }
        Ok(Self(fs::open_for_reading(path)?))
    }

    /// What comes on standard input, kept in a file without a name.
    fn of_input(place: &Place) -> Result<Self, Refused> {
        let limit = config::Archive::default().max_total;
        let tmp = place.home.dir(".tmp")?;
        let name = format!(".gear-input-{}", std::process::id());
        tmp.remove_file(&name)?;
        let mut file = tmp.scratch_file(&name)?;
        let fail =
            |error: std::io::Error| Refused::new(FAILED, format!("gear: the input: {error}"));
        let mut input = std::io::stdin().lock().take(limit);
        std::io::copy(&mut input, &mut file).and_then(|_| file.rewind()).map_err(fail)?;
        Ok(Self(file))
    }

    /// Unpacks it into the empty deployment of `work`.
    pub(super) fn unpack(mut self, work: &Work<'_>) -> Result<(), Refused> {
        let fail =
            |error: std::io::Error| Refused::new(FAILED, format!("gear: the archive: {error}"));
        let mut head = Vec::new();
        let length = u64::try_from(archive::HEAD).unwrap_or(u64::MAX);
        (&self.0).take(length).read_to_end(&mut head).map_err(fail)?;
        self.0.rewind().map_err(fail)?;
        let limits = config::Archive::default();
        let (links, modes) = (Links::External, Modes::AsPacked);
        let options = Options { limits: &limits, links, modes, strip: Strip::Nothing, older: None };
        let whole = work.place.home.dir(work.folder())?;
        tree::remove(&whole, ROOM)?;
        whole.make_dir(ROOM, 0o750)?;
        let room = whole.dir(ROOM)?;
        match archive::detect(&head) {
            Some(Kind::Zip) => archive::unpack_zip(&self.0, &room, &options, &Nobody)?,
            Some(kind @ (Kind::Tar | Kind::TarGz)) => {
                archive::unpack_stream(kind, &mut self.0, &room, &options, &Nobody)?
            }
            _ => return Err(Refused::new(FAILED, "gear: this is no .tar, .tar.gz or .zip")),
        };
        check(&room)?;
        for part in PARTS {
            if room.has(part)? {
                tree::remove(&whole, part)?;
                tree::move_to(&room, part, &whole, part)?;
            }
        }
        Ok(tree::remove(&whole, ROOM)?)
    }
}

/// Refuses what is none of a deployment.
fn check(room: &Dir) -> Result<(), Refused> {
    if room.meta("repo")?.is_none_or(|meta| meta.kind != FileKind::Directory) {
        let text = "gear: the archive is none of a deployment: it has no folder `repo`";
        return Err(Refused::new(FAILED, text));
    }
    for name in room.names()? {
        let name = name.to_string_lossy();
        if !PARTS.contains(&&*name) && name != "metadata.json" {
            let name = name.escape_debug();
            let text = format!("gear: `{name}` in the archive is no part of a deployment");
            return Err(Refused::new(FAILED, text)
                .hint("only `repo`, `dependencies` and `build-dependencies` are"));
        }
    }
    Ok(())
}
