//! A snapshot that somebody gives, put in order: so that all that is left is to let its parts change
//! places with those of a gear.
//!
//! It was unpacked under the rules for all archives, into a folder of nobody else's; nothing of a gear
//! is touched here.

use super::{Exclusions, Origin, Part, Transform};
use crate::error::{Context, Exit, Failure};
use crate::gear::deployment::{self, Deployment, FOLDER, PARTS, is_name};
use crate::gear::git::{self, Git};
use crate::package::ident::GearName;
use crate::sys::fs::{Dir, Kind};
use crate::sys::path::RelPath;
use crate::sys::{host, tree};
use std::path::{Path, PathBuf};

/// Where what is nobody's any more goes.
const DATA: &str = "app-root/data";

/// What a snapshot is to become a part of.
#[derive(Debug)]
pub struct Shape<'a> {
    /// What the gear's cartridges leave out: the folder of each, and its patterns.
    pub exclusions: &'a [(String, Vec<String>)],
    /// What they call things otherwise.
    pub transforms: &'a [Transform],
}

/// An unpacked snapshot of one gear.
#[derive(Debug)]
pub struct Unpacked {
    /// The folder at its top: the identifier of the gear that it was made of.
    top: String,
    /// That gear.
    pub origin: Origin,
}

/// What there is in it for a gear.
#[derive(Clone, Debug, Default)]
pub struct Arranged {
    /// Which parts there are.
    pub parts: Vec<Part>,
    /// The deployments in it, the oldest first.
    pub deployments: Vec<Deployment>,
    /// The name of the one that was in use.
    pub current: Option<String>,
}

fn refused(text: impl Into<String>) -> Failure {
    Failure::new(Exit::Integrity, text)
}

impl Unpacked {
    /// What was unpacked into `raw`.
    ///
    /// # Errors
    ///
    /// Fails where that is no snapshot of one gear.
    pub fn look(raw: &Dir) -> Result<Self, Failure> {
        let names = raw.names()?;
        let top = match names.as_slice() {
            [one] => one.to_str().map(str::to_owned),
            _ => None,
        };
        let Some(top) = top.filter(|top| is_directory(raw, top).unwrap_or(false)) else {
            return Err(not_one(names.len()));
        };
        let home = raw.dir(&top)?;
        let origin = Origin::read(&home)?;
        data_of(&home, &origin)?;
        Ok(Self { top, origin })
    }

    /// Moves what a gear of `shape` gets out of `raw` into the empty folder `home`, under the names
    /// that it has there. What comes of `git` is for [`take_repository`].
    ///
    /// # Errors
    ///
    /// Fails where transforms lead elsewhere than to what is restored, or two files to one name.
    pub fn arrange(
        &self,
        (raw, home): (&Dir, &Dir),
        shape: &Shape<'_>,
    ) -> Result<Arranged, Failure> {
        for folder in ["app-root", "git"] {
            home.make_dir(folder, 0o755)?;
        }
        let raw = raw.dir(&self.top)?;
        let arranging = Arranging { raw: &raw, home, top: &self.top, shape };
        arranging.take(&self.origin)?;
        let mut without = Exclusions::fixed();
        for (folder, patterns) in shape.exclusions {
            without.add(home, folder, patterns);
        }
        prune(home, "", &without)?;
        let mut parts = Vec::new();
        if is_directory(home, DATA)? {
            parts.push(Part::Data);
        }
        let current = order_deployments(home)?;
        let deployments = if home.has(FOLDER)? { deployment::all(home)? } else { Vec::new() };
        if !deployments.is_empty() {
            parts.push(Part::Deployments);
        }
        Ok(Arranged { parts, deployments, current })
    }
}

fn not_one(many: usize) -> Failure {
    let text = match many {
        0 => "the snapshot is empty",
        1 => "this is no snapshot of a gear: there is no folder at its top",
        _ => "this is no snapshot of one gear: there is more than one folder at its top",
    };
    refused(text)
}

fn is_directory(dir: &Dir, path: &str) -> Result<bool, Failure> {
    Ok(dir.meta(path)?.is_some_and(|meta| meta.kind == Kind::Directory))
}

/// Where the data of an unpacked snapshot lie. The first generation of gears had them in a folder of
/// their own name.
fn data_of(home: &Dir, origin: &Origin) -> Result<String, Failure> {
    let older = origin.name.as_ref().map(|name| format!("{name}/data"));
    let older = older.filter(|path| RelPath::parse(path).is_ok());
    for path in std::iter::once(DATA.to_owned()).chain(older) {
        if is_directory(home, &path)? {
            return Ok(path);
        }
    }
    Err(refused("this is no snapshot of a gear: it has no folder `app-root/data`"))
}

struct Arranging<'a> {
    raw: &'a Dir,
    home: &'a Dir,
    top: &'a str,
    shape: &'a Shape<'a>,
}

impl Arranging<'_> {
    /// Takes the parts that are restored out of the unpacked archive.
    fn take(&self, origin: &Origin) -> Result<(), Failure> {
        let data = data_of(self.raw, origin)?;
        for (path, becomes) in [(data.as_str(), DATA), (FOLDER, FOLDER), ("git", "git")] {
            if !is_directory(self.raw, path)? {
                continue;
            }
            if !self.shape.transforms.is_empty() {
                self.renamed(path, path, becomes)?;
            } else if becomes == "git" {
                tree::remove(self.home, "git")?;
                self.raw.rename(path, self.home, "git")?;
            } else {
                self.raw.rename(path, self.home, becomes)?;
            }
        }
        Ok(())
    }

    /// Takes what lies at `path` under the names that the transforms give; `part` is where it comes
    /// from, `becomes` where it belongs.
    fn renamed(&self, path: &str, part: &str, becomes: &str) -> Result<(), Failure> {
        let Some(meta) = self.raw.meta(path)? else { return Ok(()) };
        let own = path.strip_prefix(part).unwrap_or_default();
        let is_folder = meta.kind == Kind::Directory;
        let slash = if is_folder { "/" } else { "" };
        let name = format!("./{}/{becomes}{own}{slash}", self.top);
        let all = self.shape.transforms;
        let goal = goal(&all.iter().fold(name, |name, one| one.name(&name)), path)?;
        let taken = |goal: &RelPath| {
            let text = format!("the restore transforms give two files the name `{goal}`");
            Failure::new(Exit::Conflict, text)
        };
        if is_folder {
            self.home.make_dirs(&goal, 0o755)?;
            for name in self.raw.dir(path)?.names()? {
                // What was unpacked has clean names.
                self.renamed(&format!("{path}/{}", name.to_string_lossy()), part, becomes)?;
            }
            return Ok(self.home.set_mode(&goal, meta.mode)?);
        }
        if self.home.has(&goal)? {
            return Err(taken(&goal));
        }
        if let Some(parent) = goal.parent() {
            self.home.make_dirs(&parent, 0o755)?;
        }
        if meta.kind == Kind::Link {
            let target = self.raw.link_target(path)?.to_string_lossy().into_owned();
            let target = all.iter().fold(target, |target, one| one.target(&target));
            return Ok(self.home.make_link(&goal, target)?);
        }
        Ok(self.raw.rename(path, self.home, &goal)?)
    }
}

/// Makes a repository of ours, the gear's, of the one that an arranged snapshot has: what it holds
/// counts, not its settings and hooks.
///
/// # Errors
///
/// Fails where git cannot use it, or there are several.
pub fn take_repository(
    home: &Dir,
    gear: &GearName,
    origin: &Origin,
) -> Result<Option<PathBuf>, Failure> {
    let folder = home.dir("git")?;
    let mut names: Vec<String> = Vec::new();
    for name in folder.names()? {
        let is_bare = Path::new(&name).extension().is_some_and(|end| end == "git");
        let Some(name) = name.to_str().filter(|_| is_bare) else { continue };
        if is_directory(&folder, name)? {
            names.push(name.to_owned());
        }
    }
    if names.len() > 1 {
        let known = [&origin.app, &origin.name]
            .map(|name| name.as_ref().map(|name| format!("{name}.git")).unwrap_or_default());
        names.retain(|name| known.contains(name));
    }
    let name = match names.as_slice() {
        [] => return Ok(None),
        [one] => one,
        _ => return Err(refused("the snapshot has several repositories")),
    };
    let own = format!("{gear}.git");
    tree::remove(home, "theirs")?;
    home.make_dir("theirs", 0o700)?;
    let theirs = home.dir("theirs")?;
    folder.rename(name, &theirs, name)?;
    tree::remove(&folder, &own)?;
    let git = Git::find(None)?;
    git::import(&git, (&theirs, name), (&folder, &own))
        .doing(|| "cannot use the repository in the snapshot".into())?;
    tree::remove(home, "theirs")?;
    let bare = folder.dir(&own)?;
    git::add_hooks(&bare, &host::this_program())?;
    Ok(Some(bare.path().to_owned()))
}

/// The path below the home of what is called `name` in the archive now, and was `path`.
fn goal(name: &str, path: &str) -> Result<RelPath, Failure> {
    // `tar --strip=2`: the dot, and the folder at the top.
    let below = name.splitn(3, '/').nth(2).unwrap_or_default();
    let goal = RelPath::parse(below).ok().filter(|goal| {
        [DATA, FOLDER, "git"].iter().any(|part| {
            let rest = goal.as_str().strip_prefix(part);
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        })
    });
    goal.ok_or_else(|| {
        let text = format!(
            "the restore transforms lead `{}` to `{}`, which no restore brings back",
            path.escape_debug(),
            below.escape_debug()
        );
        Failure::new(Exit::Conflict, text)
            .hint("only `app-root/data`, `app-deployments` and `git` are restored")
    })
}

/// Removes what is excluded.
fn prune(dir: &Dir, path: &str, without: &Exclusions) -> Result<(), Failure> {
    for name in dir.names()? {
        let shown = match path {
            "" => name.to_string_lossy().into_owned(),
            folder => format!("{folder}/{}", name.to_string_lossy()),
        };
        if without.has(&shown) {
            tree::remove(dir, &name)?;
        } else if dir.meta(&name)?.is_some_and(|meta| meta.kind == Kind::Directory) {
            prune(&dir.dir(&name)?, &shown, without)?;
        }
    }
    Ok(())
}

/// Makes deployments of what lies in the folder for them as this program wants them to be; gives the
/// name of the one that was in use.
fn order_deployments(home: &Dir) -> Result<Option<String>, Failure> {
    if !is_directory(home, FOLDER)? {
        return Ok(None);
    }
    let folder = home.dir(FOLDER)?;
    let is_link = folder.meta("current")?.is_some_and(|meta| meta.kind == Kind::Link);
    let current = if is_link { Some(folder.link_target("current")?) } else { None };
    for name in folder.names()? {
        let is_one = name.to_str().is_some_and(is_name);
        if !is_one || !is_directory(&folder, &name.to_string_lossy())? {
            tree::remove(&folder, &name)?;
        }
    }
    for name in folder.names()? {
        let one = folder.dir(&name)?;
        for part in PARTS {
            if !is_directory(&one, part)? {
                one.remove_file(part)?;
                one.make_dir(part, 0o750)?;
            }
        }
    }
    let all = deployment::all(home)?;
    folder.make_dir("by-id", 0o750)?;
    for one in all.iter().filter(|one| !one.metadata.id.is_empty()) {
        folder.make_link(format!("by-id/{}", one.metadata.id), format!("../{}", one.name))?;
    }
    let current = current.and_then(|target| {
        // The original's may be a whole path.
        let name = target.file_name()?.to_str()?.to_owned();
        all.iter().any(|one| one.name == name).then_some(name)
    });
    let last = || {
        let age = |one: &&Deployment| one.last_activation().unwrap_or(-1.0);
        all.iter().max_by(|one, other| age(one).total_cmp(&age(other))).map(|one| one.name.clone())
    };
    Ok(current.or_else(last))
}
