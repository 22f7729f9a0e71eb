//! Changes shared places file by file: what a tpkg package puts below its base and `/`, and what it
//! takes away again (DESIGN, 5: two kinds of place).
//!
//! Each new file comes into its place by one rename, over the old one where there is one, so there
//! is no moment without a program. The old one has a second name in the stash before; what goes is
//! moved there. Folders that are there already are never changed. What has come into a place since
//! the plan was made is nobody's to overwrite: the step fails, and what it did is put back.

mod moving;

use super::accounts::{Accounts, Kind as AccountKind, Who};
use super::{Cx, Said, Step};
use crate::error::{Exit, Failure};
use crate::package::digest::Sha256;
use crate::sys::checkpoint::checkpoint;
use crate::sys::folders::Folders;
use crate::sys::fs::{Dir, Kind, Meta};
use crate::sys::host;
use crate::sys::path::RelPath;
use crate::sys::tree;
use moving::{Taken, Way};
use sha2::Digest;
use std::path::Path;

/// The longest text that is compared with what was there.
const LONGEST_TEXT: u64 = 4 << 20;

/// Files that change together.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct PlaceFiles {
    /// What messages call the package.
    pub package: String,
    /// The package's tree, relative to the state directory; files leave it for their places.
    pub tree: Option<RelPath>,
    /// What changes, in order. Folders come before what is put into them, and go after it.
    pub acts: Vec<Act>,
}

/// One change; paths are below the root directory and lead through no links.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Act {
    /// A folder comes, where there is none.
    Folder {
        /// Where.
        path: RelPath,
        /// Owner and mode.
        posix: Owned,
    },
    /// A file or link comes.
    Put {
        /// Where.
        path: RelPath,
        /// What.
        what: What,
        /// Owner and mode; the mode of a link is no one's business.
        posix: Owned,
        /// Whether it takes the place of a file or link.
        over: bool,
    },
    /// A file or link goes.
    Take {
        /// Where.
        path: RelPath,
    },
    /// A folder goes, where nothing is left in it.
    DropFolder {
        /// Where.
        path: RelPath,
    },
}

/// What is put somewhere.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum What {
    /// A file or link of the package's tree.
    Tree(String),
    /// A link that leads there.
    Link(String),
    /// A file with this text; what was there must have had this digest, where one is given.
    Text(String, Option<Sha256>),
}

/// Owner, group and mode.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Owned {
    /// The owner.
    pub owner: Who,
    /// The group.
    pub group: Who,
    /// The mode.
    pub mode: u32,
}

/// What putting back needs of each act.
#[derive(Debug, serde::Serialize, serde::Deserialize)]
pub struct Before {
    was: Vec<Was>,
    notes: Vec<String>,
}

/// What one act found.
#[derive(Debug, serde::Serialize, serde::Deserialize)]
enum Was {
    /// Whether the folder was there; its owner and group to be.
    #[serde(rename = "f")]
    Folder(bool, u32, u32),
    /// The mode in the tree, owner and group to be.
    #[serde(rename = "p")]
    Put(u32, u32, u32),
    /// Nothing to know.
    #[serde(rename = "t")]
    Take,
    /// Mode, owner and group of the folder; nothing where it is not there.
    #[serde(rename = "d")]
    Drop(Option<(u32, u32, u32)>),
}

/// Both sides, opened.
struct Sides<'a> {
    state: Folders<'a>,
    host: Folders<'a>,
    /// Old things, by the number of their act: `old` in the stash.
    old: Dir,
    /// What is made here, by the number of its act: `new` in the stash.
    new: Dir,
}

/// The root directory of the host.
pub(super) fn root(cx: &Cx<'_>) -> Result<Dir, Failure> {
    Ok(Dir::open(cx.layout.root().unwrap_or(Path::new("/")))?)
}

impl PlaceFiles {
    /// Where the file of an act waits, relative to the state directory.
    fn source(&self, cx: &Cx<'_>, (number, what): (usize, &What)) -> String {
        match (what, &self.tree) {
            (What::Tree(path), Some(tree)) => format!("{tree}/{path}"),
            _ => cx.stash_path(&format!("new/{number}")),
        }
    }

    fn beside(cx: &Cx<'_>, number: usize) -> String {
        format!(".cart-{}-{}-{number}", cx.transaction, cx.number)
    }

    fn count(&self, wanted: impl Fn(&Act) -> bool) -> usize {
        self.acts.iter().filter(|act| wanted(act)).count()
    }
}

impl Step for PlaceFiles {
    type Undo = Before;

    fn describe(&self) -> String {
        let name = &self.package;
        let files =
            |count: usize| if count == 1 { "1 file".into() } else { format!("{count} files") };
        let comes = self.count(|act| matches!(act, Act::Put { .. }));
        let goes = self.count(|act| matches!(act, Act::Take { .. }));
        match (comes, goes) {
            (comes, 0) => format!("put {} of `{name}` into place", files(comes)),
            (0, goes) => format!("take {} of `{name}` away", files(goes)),
            (comes, goes) => {
                format!("put {} of `{name}` into place and take {} away", files(comes), files(goes))
            }
        }
    }

    fn prepare(&self, cx: &Cx<'_>) -> Result<Before, Failure> {
        let root = root(cx)?;
        let mut sides = Sides::open(cx, &root)?;
        let mut ids = Ids::new(cx);
        let mut was = Vec::with_capacity(self.acts.len());
        let mut keeps = false;
        for (number, act) in self.acts.iter().enumerate() {
            was.push(match act {
                Act::Folder { path, posix } => {
                    let there = sides.host.meta(path.as_str())?.is_some();
                    let (uid, gid) = ids.of(&root, posix)?;
                    Was::Folder(there, uid, gid)
                }
                Act::Put { path, what, posix, over } => {
                    let source = self.source(cx, (number, what));
                    sides.make(number, what)?;
                    let (uid, gid) = ids.of(&root, posix)?;
                    let Some(meta) = sides.state.meta(&source)? else {
                        return Err(gone(cx, &source));
                    };
                    if let What::Text(_, Some(expected)) = what {
                        sides.expect(path, expected)?;
                    }
                    if *over {
                        sides.keep(path, number)?;
                        keeps = true;
                    }
                    Was::Put(meta.mode, uid, gid)
                }
                Act::Take { .. } => Was::Take,
                Act::DropFolder { path } => Was::Drop(
                    sides.host.meta(path.as_str())?.map(|meta| (meta.mode, meta.uid, meta.gid)),
                ),
            });
        }
        if keeps {
            // Asked for, so that it is durable before anything changes.
            cx.stash()?;
        }
        Ok(Before { was, notes: ids.notes })
    }

    fn apply(&self, before: &Before, cx: &Cx<'_>) -> Result<Said, Failure> {
        let root = root(cx)?;
        let mut sides = Sides::open(cx, &root)?;
        for (number, (act, was)) in self.acts.iter().zip(&before.was).enumerate() {
            checkpoint("place_files: before a change");
            match (act, was) {
                (Act::Folder { path, posix }, Was::Folder(false, uid, gid)) => {
                    sides.make_folder(path, (posix.mode, *uid, *gid))?;
                }
                (Act::Put { path, what, posix, over }, Was::Put(_, uid, gid)) => {
                    let from = self.source(cx, (number, what));
                    let in_tree = sides.settle(&from, (posix.mode, *uid, *gid))?;
                    if *over && in_tree {
                        sides.keep_once(path, number)?;
                    }
                    checkpoint("place_files: before a file takes its place");
                    let beside = Self::beside(cx, number);
                    let way = Way { from: &from, to: path.as_str(), beside: &beside };
                    let taken = if *over { Taken::Yes } else { Taken::No };
                    if in_tree {
                        moving::place(way, (&mut sides.state, &mut sides.host), taken)
                    } else {
                        moving::place_copy(way, &mut sides.host, taken)
                    }
                    .map_err(|error| in_the_way(error, &root, path))?;
                }
                (Act::Take { path }, _) => sides.take(path, number)?,
                (Act::DropFolder { path }, _) => {
                    sides.drop_folder(path)?;
                }
                _ => {}
            }
        }
        sides.host.sync_beyond(cx.state)?;
        checkpoint("place_files: everything has changed");
        Ok(Said { warnings: before.notes.clone(), ..Said::default() })
    }

    fn revert(&self, before: &Before, cx: &Cx<'_>) -> Result<(), Failure> {
        let root = root(cx)?;
        let mut sides = Sides::open(cx, &root)?;
        for (number, (act, was)) in self.acts.iter().zip(&before.was).enumerate().rev() {
            checkpoint("place_files: before a change is put back");
            match (act, was) {
                (Act::Folder { path, .. }, Was::Folder(false, ..)) => {
                    sides.drop_folder(path)?;
                }
                (Act::Put { path, what, .. }, Was::Put(mode, ..)) => {
                    let from = self.source(cx, (number, what));
                    let beside = Self::beside(cx, number);
                    let way = Way { from: &from, to: path.as_str(), beside: &beside };
                    if sides.state.reaches(&from)? {
                        moving::take_back(way, (&mut sides.state, &mut sides.host))?;
                        sides.unsettle(&from, *mode)?;
                    }
                    sides.bring_back(path, number)?;
                }
                (Act::Take { path }, _) => sides.bring_back(path, number)?,
                (Act::DropFolder { path }, Was::Drop(Some(posix))) => {
                    sides.make_folder(path, *posix)?;
                }
                _ => {}
            }
        }
        sides.host.sync_beyond(cx.state)?;
        Ok(())
    }
}

impl<'a> Sides<'a> {
    fn open(cx: &'a Cx<'_>, root: &'a Dir) -> Result<Self, Failure> {
        let stash = cx.room()?;
        for name in ["old", "new"] {
            stash.make_dirs(name, 0o700)?;
        }
        let (old, new) = (stash.dir("old")?, stash.dir("new")?);
        Ok(Self { state: Folders::new(cx.state), host: Folders::new(root), old, new })
    }

    /// Makes what no tree has.
    fn make(&self, number: usize, what: &What) -> Result<(), Failure> {
        let name = number.to_string();
        match what {
            What::Tree(_) => return Ok(()),
            What::Link(target) => {
                self.new.remove_file(&name)?;
                self.new.make_link(&name, target)?;
            }
            What::Text(text, _) => self.new.put_file(&name, text.as_bytes(), 0o600)?,
        }
        Ok(())
    }

    /// Sees that a file is what the plan has seen.
    fn expect(&mut self, path: &RelPath, expected: &Sha256) -> Result<(), Failure> {
        let (dir, name) = self.host.at(path.as_str())?;
        let bytes = dir.read(name, LONGEST_TEXT)?;
        if Sha256(sha2::Sha256::digest(&bytes).into()) == *expected {
            return Ok(());
        }
        let text = format!("`{}` was changed meanwhile", dir.path_of(name).display());
        Err(Failure::new(Exit::Conflict, text).hint("try again"))
    }

    /// Gives what will be replaced a second name.
    fn keep(&mut self, path: &RelPath, number: usize) -> Result<(), Failure> {
        let name = number.to_string();
        tree::remove(&self.old, &name)?;
        if self.host.meta(path.as_str())?.is_some() {
            moving::keep(self.host.at(path.as_str())?, &self.old, &name)?;
        }
        Ok(())
    }

    /// The same, where going back has used up the second name.
    fn keep_once(&mut self, path: &RelPath, number: usize) -> Result<(), Failure> {
        if self.old.has(number.to_string())? { Ok(()) } else { self.keep(path, number) }
    }

    fn make_folder(
        &mut self,
        path: &RelPath,
        (mode, uid, gid): (u32, u32, u32),
    ) -> Result<(), Failure> {
        let (dir, name) = self.host.at(path.as_str())?;
        match dir.make_dir(name, 0o700) {
            Err(error) if error.is_already_there() => {}
            other => other?,
        }
        if host::is_root() {
            dir.set_owner(name, uid, gid)?;
        }
        dir.set_mode(name, mode)?;
        Ok(())
    }

    /// Gives a file that is about to take its place its owner and mode, and tells whether it is still
    /// in the tree. Changing the owner takes special bits away, so the mode comes last.
    fn settle(&mut self, from: &str, (mode, uid, gid): (u32, u32, u32)) -> Result<bool, Failure> {
        let Some(meta) = self.state.meta(from)? else { return Ok(false) };
        let (dir, name) = self.state.at(from)?;
        let moves = host::is_root() && (meta.uid, meta.gid) != (uid, gid);
        if moves {
            dir.set_owner(name, uid, gid)?;
        }
        if meta.kind == Kind::File && (moves || meta.mode != mode) {
            dir.set_mode(name, mode)?;
        }
        Ok(true)
    }

    fn unsettle(&mut self, from: &str, mode: u32) -> Result<(), Failure> {
        let Some(meta) = self.state.meta(from)? else { return Ok(()) };
        if meta.kind == Kind::File && meta.mode != mode {
            let (dir, name) = self.state.at(from)?;
            dir.set_mode(name, mode)?;
        }
        Ok(())
    }

    /// Removes a folder in which nothing is left.
    fn drop_folder(&mut self, path: &RelPath) -> Result<(), Failure> {
        if self.host.meta(path.as_str())?.is_some_and(|meta| is_folder(&meta)) {
            let (dir, name) = self.host.at(path.as_str())?;
            dir.remove_dir_if_empty(name)?;
        }
        Ok(())
    }

    fn take(&mut self, path: &RelPath, number: usize) -> Result<(), Failure> {
        let Some(meta) = self.host.meta(path.as_str())? else { return Ok(()) };
        let at = self.host.at(path.as_str())?;
        if is_folder(&meta) {
            let text = format!("`{}` is a folder now", at.0.path_of(at.1).display());
            return Err(Failure::new(Exit::Conflict, text).hint("look at it, then try again"));
        }
        let name = number.to_string();
        if self.old.has(&name)? {
            // Cut off between the copy and the end of a move across filesystems.
            at.0.remove_file(at.1)?;
            return Ok(());
        }
        Ok(moving::stash(at, &self.old, &name)?)
    }

    /// Brings back what was replaced or taken away. What is at its place is what was never touched.
    fn bring_back(&mut self, path: &RelPath, number: usize) -> Result<(), Failure> {
        let name = number.to_string();
        tree::remove(&self.old, format!("{name}.half"))?;
        if !self.old.has(&name)? {
            return Ok(());
        }
        if self.host.meta(path.as_str())?.is_some() {
            return Ok(tree::remove(&self.old, &name)?);
        }
        let (dir, file) = self.host.at(path.as_str())?;
        Ok(tree::move_to(&self.old, &name, dir, file)?)
    }
}

/// Owners by number, and what was not found.
struct Ids {
    users: Accounts,
    groups: Accounts,
    notes: Vec<String>,
}

impl Ids {
    fn new(cx: &Cx<'_>) -> Self {
        let accounts = |kind| Accounts::new(cx, kind);
        let (users, groups) = (accounts(AccountKind::Users), accounts(AccountKind::Groups));
        Self { users, groups, notes: Vec::new() }
    }

    fn of(&mut self, root: &Dir, posix: &Owned) -> Result<(u32, u32), Failure> {
        let uid = self.users.id(root, &posix.owner)?;
        let gid = self.groups.id(root, &posix.group)?;
        for (id, kind, who) in [(uid, "user", &posix.owner), (gid, "group", &posix.group)] {
            let who = who.to_string();
            let note = format!("no {kind} is called `{}`: root's", who.escape_debug());
            if id.is_none() && !self.notes.contains(&note) {
                self.notes.push(note);
            }
        }
        Ok((uid.unwrap_or_default(), gid.unwrap_or_default()))
    }
}

fn is_folder(meta: &Meta) -> bool {
    meta.kind == Kind::Directory
}

fn gone(cx: &Cx<'_>, path: &str) -> Failure {
    let text = format!("the file `{}` is gone", cx.state.path_of(path).display());
    Failure::new(Exit::Failed, text).hint("try again")
}

fn in_the_way(error: crate::error::FsError, root: &Dir, path: &RelPath) -> Failure {
    if !error.is_already_there() {
        return error.into();
    }
    let text = format!("`{}` has come into being meanwhile", root.path_of(path).display());
    Failure::new(Exit::Conflict, text).hint("look at it, then try again")
}

#[cfg(test)]
pub(super) fn sample(world: &super::laws::World) -> PlaceFiles {
    let place = world.state.path().strip_prefix(world.layout.root().unwrap()).unwrap();
    let path = |name: &str| RelPath::parse(&format!("{}/host/{name}", place.display())).unwrap();
    let tree = RelPath::parse("library/tpkg/tpkg-a/1-000000000000").unwrap();
    world.tree(&format!("{tree}/reloc"));
    world.state.set_mode(format!("{tree}/reloc/inner"), 0o755).unwrap();
    world.state.make_dirs("host/goes", 0o750).unwrap();
    for name in ["old", "goes/file", "crontab"] {
        world.state.write_new(format!("host/{name}"), name.as_bytes(), 0o640).unwrap();
    }
    let posix =
        |mode| Owned { owner: Who::Id(host::user_id()), group: Who::Id(host::group_id()), mode };
    let put = |name: &str, what: What, over| Act::Put {
        path: path(name),
        what,
        posix: posix(0o600),
        over,
    };
    let in_tree = |name: &str| What::Tree(format!("reloc/{name}"));
    let seen = Sha256(sha2::Sha256::digest(b"crontab").into());
    let acts = vec![
        Act::Folder { path: path("new"), posix: posix(0o711) },
        put("new/file", in_tree("inner/file"), false),
        put("old", in_tree("link"), true),
        put("S99x", What::Link("../x".into()), false),
        put("crontab", What::Text("* * * * * true\n".into(), Some(seen)), true),
        Act::Take { path: path("goes/file") },
        Act::DropFolder { path: path("goes") },
    ];
    PlaceFiles { package: "a-1".into(), tree: Some(tree), acts }
}

#[cfg(test)]
mod tests;
