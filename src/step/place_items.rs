//! Puts what an app or accessory has at a site into place: files, rendered where they are templates,
//! folders, trees and links, each with the owner and mode that its manifest says.
//!
//! Everything is made in the stash while the step prepares, and comes into its place by one move:
//! *while it is in the stash, its place was not touched.* What a place has already is nobody's to
//! overwrite, unless it is data that a folder of this deployment has got back.

mod making;

pub(super) use making::Maker;
pub use making::Source;

use super::accounts::Who;
use super::place_files::root;
use super::site_variables::Values;
use super::{Cx, Said, Step, host_move, site_variables};
use crate::error::{Exit, Failure, FsError};
use crate::package::ubos::item::Mode;
use crate::sys::checkpoint::checkpoint;
use crate::sys::folders::Folders;
use crate::sys::fs::{Dir, Result as FsResult};
use crate::sys::host;
use crate::sys::path::RelPath;
use crate::sys::tree;

/// Things that come together.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct PlaceItems {
    /// What messages call the package.
    pub package: String,
    /// Its folder of code, relative to the state.
    pub code: RelPath,
    /// Its variables: the files that [`super::site_variables`] has written.
    pub variables: RelPath,
    /// What comes, in order.
    pub acts: Vec<Placing>,
}

/// One thing that comes, below the root directory; the path leads through no links.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Placing {
    /// Where.
    pub path: RelPath,
    /// What.
    pub what: Thing,
    /// User and group; whoever runs `cart` where nothing is said.
    pub owner: Option<(Who, Who)>,
}

/// A thing to be made.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Thing {
    /// A folder for others, unless it is there already.
    Parent,
    /// A folder.
    Folder {
        /// Its mode.
        mode: u32,
        /// The mode of folders in its data.
        #[serde(default = "preserved")]
        inner_mode: Mode,
        /// The mode of files in its data.
        file_mode: Mode,
        /// Under which number its data wait.
        kept: Option<u32>,
    },
    /// A file.
    File {
        /// What is in it.
        content: Content,
        /// Its mode; nothing for that of its source.
        mode: Option<u32>,
        /// Under which number its data wait.
        kept: Option<u32>,
    },
    /// A copy of a tree, or of a file.
    Tree {
        /// What is copied.
        source: Source,
        /// The mode of folders.
        mode: Mode,
        /// The mode of files.
        file_mode: Mode,
        /// Under which number its data wait.
        kept: Option<u32>,
    },
    /// A link.
    Link {
        /// Where it leads.
        target: String,
    },
}

/// What is in a file.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Content {
    /// A file as it is.
    Copy(Source),
    /// A file whose variables are replaced.
    Varsubst(Source),
    /// The value of a Perl script.
    Perl(Source),
    /// The value of a variable.
    Value(String),
}

/// What putting back needs of one act.
#[derive(Debug, serde::Serialize, serde::Deserialize)]
pub struct Was {
    /// Whether something was there.
    there: bool,
}

struct Rooms {
    new: Dir,
    old: Dir,
}

impl Rooms {
    fn open(cx: &Cx<'_>) -> Result<Self, Failure> {
        let room = cx.room()?;
        for name in ["new", "old"] {
            room.make_dirs(name, 0o700)?;
        }
        Ok(Self { new: room.dir("new")?, old: room.dir("old")? })
    }
}

/// What was written down before folders had it.
fn preserved() -> Mode {
    Mode::Preserve
}

/// Makes the folder `path`, where it is missing, with its mode and owner.
pub(super) fn make_folder(
    host: &mut Folders<'_>,
    path: &RelPath,
    (mode, owner): (u32, Option<(u32, u32)>),
) -> FsResult<()> {
    let (dir, name) = host.at(path.as_str())?;
    match dir.make_dir(name, 0o700) {
        Err(error) if error.is_already_there() => return Ok(()),
        other => other?,
    }
    if let (true, Some((uid, gid))) = (host::is_root(), owner) {
        dir.set_owner(name, uid, gid)?;
    }
    dir.set_mode(name, mode)
}

impl PlaceItems {
    /// Whether data that came back may lie at the place of an act: below a folder that got some.
    fn may_cover(&self, number: usize) -> bool {
        let Some(act) = self.acts.get(number) else { return false };
        self.acts.iter().take(number).any(|other| {
            let has_data = matches!(
                other.what,
                Thing::Folder { kept: Some(_), .. } | Thing::Tree { kept: Some(_), .. }
            );
            let below = act.path.as_str().strip_prefix(other.path.as_str());
            has_data && below.is_some_and(|rest| rest.starts_with('/'))
        })
    }

    fn place(
        &self,
        number: usize,
        (host, rooms): (&mut Folders<'_>, &Rooms),
    ) -> Result<(), Failure> {
        let Some(act) = self.acts.get(number) else { return Ok(()) };
        let name = number.to_string();
        if !rooms.new.has(&name)? {
            return Ok(());
        }
        if self.may_cover(number) && host.meta(act.path.as_str())?.is_some() {
            host_move::away(host.at(act.path.as_str())?, (&rooms.old, &name))?;
        }
        let (dir, file) = host.at(act.path.as_str())?;
        checkpoint("place_items: before something takes its place");
        tree::move_to(&rooms.new, &name, dir, file)
            .map_err(|error| in_the_way(error, &dir.path_of(file)))
    }

    fn take_back(
        &self,
        number: usize,
        (act, was): (&Placing, &Was),
        (host, rooms): (&mut Folders<'_>, &Rooms),
    ) -> FsResult<()> {
        if !host.reaches(act.path.as_str())? {
            return Ok(());
        }
        let name = number.to_string();
        let (dir, file) = host.at(act.path.as_str())?;
        tree::remove(dir, format!("{file}.cart-new"))?;
        if act.what == Thing::Parent {
            if !was.there && dir.has(file)? {
                dir.remove_dir_if_empty(file)?;
            }
            return Ok(());
        }
        let covers = rooms.old.has(&name)?;
        if rooms.new.has(&name)? {
            // Not placed, or cut off between the copy and the end of a move across filesystems. What may
            // be data that came back goes with the folder that they came with.
            if covers || !(was.there || self.may_cover(number)) {
                tree::remove(dir, file)?;
            }
        } else if dir.has(file)? {
            host_move::away((dir, file), (&rooms.new, &name))?;
        }
        host_move::back((&rooms.old, &name), (dir, file), None)
    }
}

impl Step for PlaceItems {
    type Undo = Vec<Was>;

    fn describe(&self) -> String {
        let count = self.acts.iter().filter(|act| act.what != Thing::Parent).count();
        let name = self.package.escape_debug();
        match count {
            0 => format!("make folders for `{name}`"),
            1 => format!("put 1 file or folder of `{name}` into place"),
            count => format!("put {count} files and folders of `{name}` into place"),
        }
    }

    fn prepare(&self, cx: &Cx<'_>) -> Result<Vec<Was>, Failure> {
        let root = root(cx)?;
        let mut host = Folders::new(&root);
        let rooms = Rooms::open(cx)?;
        let values: Values = site_variables::read(cx, &self.variables)?;
        let maker = Maker::new((&self.package, &self.code), (cx, &root), &values)?;
        let mut was = Vec::with_capacity(self.acts.len());
        for (number, act) in self.acts.iter().enumerate() {
            let there = host.meta(act.path.as_str())?;
            if let (Some(_), false) = (&there, act.what == Thing::Parent || self.may_cover(number))
            {
                return Err(taken(&root.path_of(&act.path)));
            }
            if act.what != Thing::Parent {
                let name = number.to_string();
                tree::remove(&rooms.new, &name)?;
                maker.make(act, (&rooms.new, &name))?;
            }
            was.push(Was { there: there.is_some() });
        }
        Ok(was)
    }

    fn apply(&self, _was: &Vec<Was>, cx: &Cx<'_>) -> Result<Said, Failure> {
        let root = root(cx)?;
        let mut host = Folders::new(&root);
        let rooms = Rooms::open(cx)?;
        for (number, act) in self.acts.iter().enumerate() {
            checkpoint("place_items: before a change");
            if act.what == Thing::Parent {
                make_folder(&mut host, &act.path, (0o755, None))?;
            } else {
                self.place(number, (&mut host, &rooms))?;
            }
        }
        host.sync_beyond(cx.state)?;
        checkpoint("place_items: everything is in place");
        Ok(Said::default())
    }

    fn revert(&self, was: &Vec<Was>, cx: &Cx<'_>) -> Result<(), Failure> {
        let root = root(cx)?;
        let mut host = Folders::new(&root);
        let rooms = Rooms::open(cx)?;
        for (number, both) in self.acts.iter().zip(was).enumerate().rev() {
            checkpoint("place_items: before a change is put back");
            self.take_back(number, both, (&mut host, &rooms))?;
        }
        host.sync_beyond(cx.state)?;
        Ok(())
    }
}

fn in_the_way(error: FsError, path: &std::path::Path) -> Failure {
    if error.is_already_there() { taken(path) } else { error.into() }
}

fn taken(path: &std::path::Path) -> Failure {
    let text =
        format!("`{}` is there already, and belongs to nothing at this site", path.display());
    Failure::new(Exit::Conflict, text).hint("look at it, move it away, then try again")
}

#[cfg(test)]
pub(super) fn sample(world: &super::laws::World) -> PlaceItems {
    use crate::package::ubos::chosen::Chosen;
    world.tree("library/ubos/ubos-mock/1-000000000000");
    world.state.set_mode("library/ubos/ubos-mock/1-000000000000", 0o755).unwrap();
    world.state.write_new("library/ubos/ubos-mock/1-000000000000/tmpl", b"<${a}>", 0o444).unwrap();
    world.state.make_dirs("sites/s1/new", 0o700).unwrap();
    world.state.make_dirs("items", 0o755).unwrap();
    let values: Values = [("a".to_owned(), Chosen::Plain("b".into()))].into();
    let values = serde_json::to_vec(&values).unwrap();
    world.state.write_new("sites/s1/new/mock.values", &values, 0o600).unwrap();
    // Data that came back: one of the files is in the way of an item.
    let kept = kept(world);
    kept.make_dirs("7/inner", 0o755).unwrap();
    kept.write_new("7/covered", b"old", 0o600).unwrap();
    let at = |name: &str| {
        let path = world.state.path_of(format!("items/{name}"));
        let path = path.strip_prefix(world.layout.root().unwrap()).unwrap().to_owned();
        RelPath::parse(&path.to_string_lossy()).unwrap()
    };
    let source = |path: &str| Source::Package(RelPath::parse(path).unwrap());
    let act = |name: &str, what| Placing { path: at(name), what, owner: None };
    let file = |content| Thing::File { content, mode: Some(0o1640), kept: None };
    PlaceItems {
        package: "mock".into(),
        code: RelPath::parse("library/ubos/ubos-mock/1-000000000000").unwrap(),
        variables: RelPath::parse("sites/s1/new/mock").unwrap(),
        acts: vec![
            act("a", Thing::Parent),
            act("a/file", file(Content::Varsubst(source("tmpl")))),
            act(
                "data",
                Thing::Folder {
                    mode: 0o750,
                    inner_mode: Mode::Bits(0o751),
                    file_mode: Mode::Preserve,
                    kept: Some(7),
                },
            ),
            act(
                "closed",
                Thing::Folder {
                    mode: 0o555,
                    inner_mode: Mode::Preserve,
                    file_mode: Mode::Preserve,
                    kept: None,
                },
            ),
            act("data/covered", file(Content::Value("a".into()))),
            act(
                "tree",
                Thing::Tree {
                    source: source("inner"),
                    mode: Mode::Bits(0o753),
                    file_mode: Mode::Bits(0o432),
                    kept: None,
                },
            ),
            act("link", Thing::Link { target: "/nowhere".into() }),
        ],
    }
}

#[cfg(test)]
fn kept(world: &super::laws::World) -> Dir {
    let folder = super::take_items::kept_folder(&world.cx(1));
    world.state.make_dirs(&folder, 0o700).unwrap();
    world.state.dir(&folder).unwrap()
}
