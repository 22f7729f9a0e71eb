//! Makes a thing in the stash as it will be at its place.

use super::{Content, Placing, Thing};
use crate::error::{Exit, Failure};
use crate::package::ubos::chosen::Chosen;
use crate::package::ubos::item::Mode;
use crate::step::accounts::Who;
use crate::step::site_variables::{self, Values};
use crate::step::take_items::kept_folder;
use crate::step::{Cx, ubos_run};
use crate::sys::fs::{Dir, Kind};
use crate::sys::host;
use crate::sys::path::RelPath;
use crate::sys::tree::{self, Modes};
use crate::template::ubos::{Accounts, Scope, Variables};
use std::cell::RefCell;
use std::path::Path;

/// The longest file that is rendered, in bytes.
const LONGEST: u64 = 64 << 20;

/// Where something lies that is copied or rendered.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// In the package's folder of code.
    Package(RelPath),
    /// The package's folder of code itself.
    Code,
    /// On the host, below the root directory.
    Host(RelPath),
}

impl Source {
    fn shown(&self) -> String {
        match self {
            Self::Package(path) => path.as_str().escape_debug().to_string(),
            Self::Code => ".".into(),
            Self::Host(path) => format!("/{}", path.as_str().escape_debug()),
        }
    }
}

/// The accounts of the host, for the functions of templates.
struct OfHost<'a> {
    root: &'a Dir,
    users: RefCell<crate::step::accounts::Accounts>,
    groups: RefCell<crate::step::accounts::Accounts>,
}

impl<'a> OfHost<'a> {
    fn new(root: &'a Dir) -> Self {
        use crate::step::accounts::{Accounts as Known, Kind as Of};
        let known = |kind| RefCell::new(Known::below(None, kind));
        Self { root, users: known(Of::Users), groups: known(Of::Groups) }
    }
}

impl Accounts for OfHost<'_> {
    fn uid(&self, name: &str) -> Option<u32> {
        let who = crate::step::accounts::Who::parse(name);
        self.users.borrow_mut().id(self.root, &who).ok()?
    }
    fn gid(&self, name: &str) -> Option<u32> {
        let who = crate::step::accounts::Who::parse(name);
        self.groups.borrow_mut().id(self.root, &who).ok()?
    }
}

/// What things are made with.
pub(in crate::step) struct Maker<'a> {
    package: &'a str,
    code: &'a RelPath,
    cx: &'a Cx<'a>,
    root: &'a Dir,
    values: &'a Values,
    scope: Scope,
    accounts: OfHost<'a>,
}

impl<'a> Maker<'a> {
    /// Makes things of `package`, whose folder of code is `code`, relative to the state.
    pub(in crate::step) fn new(
        (package, code): (&'a str, &'a RelPath),
        (cx, root): (&'a Cx<'a>, &'a Dir),
        values: &'a Values,
    ) -> Result<Self, Failure> {
        let scope = site_variables::scope(values)?;
        Ok(Self { package, code, cx, root, values, scope, accounts: OfHost::new(root) })
    }

    /// Makes what `act` says as `name` in `room`.
    pub(super) fn make(&self, act: &Placing, (room, name): (&Dir, &str)) -> Result<(), Failure> {
        let owner = self.owner(act)?;
        match &act.what {
            Thing::Parent => {}
            Thing::Folder { mode, inner_mode, file_mode, kept } => {
                room.make_dir(name, 0o700)?;
                self.bring_data(*kept, (room, name))?;
                settle_inside(&room.dir(name)?, owner, (*inner_mode, *file_mode))?;
                settle((room, Path::new(name)), owner, Some(*mode))?;
            }
            Thing::File { content, mode, kept } => {
                let own = self.file(content, (room, name))?;
                if let Some(kept) = self.kept(*kept)?
                    && kept.0.meta(&kept.1)?.is_some_and(|meta| meta.kind == Kind::File)
                {
                    tree::remove(room, name)?;
                    tree::copy(&kept.0, &kept.1, room, name, Modes::Kept)?;
                }
                settle((room, Path::new(name)), owner, Some(mode.unwrap_or(own)))?;
            }
            Thing::Tree { source, mode, file_mode, kept } => {
                let (dir, from) = self.at(source)?;
                tree::copy(&dir, &from, room, name, Modes::Writable)?;
                self.bring_data(*kept, (room, name))?;
                settle_tree(owner, (room, name), (*mode, *file_mode))?;
            }
            Thing::Link { target } => {
                room.make_link(name, target)?;
                settle((room, Path::new(name)), owner, None)?;
            }
        }
        Ok(())
    }

    /// Whose it becomes, by number: what asks for accounts has been asked by now.
    fn owner(&self, act: &Placing) -> Result<Option<(u32, u32)>, Failure> {
        let Some((user, group)) = act.owner.as_ref().filter(|_| host::is_root()) else {
            return Ok(None);
        };
        let unknown = |what: &str, who: &Who| {
            let who = who.to_string();
            let text = format!("the host has no {what} `{}`", who.escape_debug());
            Failure::new(Exit::NotFound, text).hint(format!("make the {what}"))
        };
        let uid = self.accounts.users.borrow_mut().id(self.root, user)?;
        let gid = self.accounts.groups.borrow_mut().id(self.root, group)?;
        let uid = uid.ok_or_else(|| unknown("user", user))?;
        Ok(Some((uid, gid.ok_or_else(|| unknown("group", group))?)))
    }

    /// Puts the data that waited into a folder; what is there has to give way.
    fn bring_data(&self, kept: Option<u32>, (room, name): (&Dir, &str)) -> Result<(), Failure> {
        let Some((dir, kept)) = self.kept(kept)? else { return Ok(()) };
        match (dir.meta(&kept)?, room.meta(name)?) {
            (Some(from), Some(to)) if from.kind == Kind::Directory && to.kind == from.kind => {
                overlay(&dir.dir(&kept)?, &room.dir(name)?)
            }
            (Some(_), _) => {
                tree::remove(room, name)?;
                Ok(tree::copy(&dir, &kept, room, name, Modes::Kept)?)
            }
            (None, _) => Ok(()),
        }
    }

    fn kept(&self, number: Option<u32>) -> Result<Option<(Dir, String)>, Failure> {
        let folder = kept_folder(self.cx);
        let Some(number) = number else { return Ok(None) };
        if !self.cx.state.has(format!("{folder}/{number}"))? {
            return Ok(None);
        }
        Ok(Some((self.cx.state.dir(&folder)?, number.to_string())))
    }

    /// Makes a file; gives the mode of its source.
    fn file(&self, content: &Content, (room, name): (&Dir, &str)) -> Result<u32, Failure> {
        let source = match content {
            Content::Copy(source) | Content::Varsubst(source) | Content::Perl(source) => source,
            Content::Value(_) => {
                room.put_file(name, &self.bytes(content)?, 0o600)?;
                return Ok(0o644);
            }
        };
        let (dir, from) = self.at(source)?;
        if let Content::Copy(_) = content {
            tree::copy(&dir, &from, room, name, Modes::Writable)?;
        } else {
            room.put_file(name, &self.bytes(content)?, 0o600)?;
        }
        Ok(dir.meta(&from)?.map_or(0o644, |meta| meta.mode | 0o200))
    }

    /// What is in a file.
    pub(in crate::step) fn bytes(&self, content: &Content) -> Result<Vec<u8>, Failure> {
        match content {
            Content::Copy(source) => self.read(source),
            Content::Varsubst(source) => {
                let text = self.read(source)?;
                let variables = Variables { scopes: &[&self.scope], accounts: &self.accounts };
                variables.render(&text).map_err(|error| {
                    let (template, package) = (source.shown(), self.package.escape_debug());
                    Failure::from(error).while_doing(format!(
                        "the template `{template}` of `{package}` cannot be rendered"
                    ))
                })
            }
            Content::Perl(source) => {
                let (dir, from) = self.at(source)?;
                let call = ubos_run::Template {
                    package: self.package,
                    source: &source.shown(),
                    file: &dir.path_of(&from),
                };
                ubos_run::render(&call, self.values, self.cx)
            }
            Content::Value(name) => self.value(name),
        }
    }

    fn value(&self, name: &str) -> Result<Vec<u8>, Failure> {
        let Some(value) = self.values.get(name) else {
            let text = format!("there is no variable `{}`", name.escape_debug());
            return Err(Failure::new(Exit::Failed, text));
        };
        Ok(match value {
            Chosen::Bytes(bytes) => bytes.clone(),
            Chosen::Plain(serde_json::Value::String(text)) => text.clone().into_bytes(),
            Chosen::Plain(serde_json::Value::Bool(truth)) => u8::from(*truth).to_string().into(),
            Chosen::Plain(serde_json::Value::Null) => Vec::new(),
            Chosen::Plain(other) => other.to_string().into_bytes(),
        })
    }

    fn read(&self, source: &Source) -> Result<Vec<u8>, Failure> {
        read_source(source, self.code, (self.cx.state, self.root))
    }

    fn at(&self, source: &Source) -> Result<(Dir, String), Failure> {
        place_of(source, self.code, (self.cx.state, self.root))
    }
}

/// The bytes of `source` of the package whose folder of code is `code`.
fn read_source(source: &Source, code: &RelPath, dirs: (&Dir, &Dir)) -> Result<Vec<u8>, Failure> {
    let (dir, name) = place_of(source, code, dirs)?;
    Ok(dir.read(&name, LONGEST)?)
}

fn place_of(
    source: &Source,
    code: &RelPath,
    (state, root): (&Dir, &Dir),
) -> Result<(Dir, String), Failure> {
    let (dir, path) = match source {
        Source::Package(path) => (state, code.join(path)),
        Source::Code => (state, code.clone()),
        Source::Host(path) => (root, path.clone()),
    };
    let parent = match path.parent() {
        Some(parent) => dir.dir(&parent)?,
        None => dir.again()?,
    };
    Ok((parent, path.name().to_owned()))
}

/// Copies everything in `from` into `to`; of two things of one name the one of `from` stays.
fn overlay(from: &Dir, to: &Dir) -> Result<(), Failure> {
    for name in from.names()? {
        let (new, old) = (from.meta(&name)?, to.meta(&name)?);
        let folders = |kind: Kind| kind == Kind::Directory;
        match (new, old) {
            (Some(new), Some(old)) if folders(new.kind) && folders(old.kind) => {
                overlay(&from.dir(&name)?, &to.dir(&name)?)?;
            }
            _ => {
                tree::remove(to, &name)?;
                tree::copy(from, &name, to, &name, Modes::Kept)?;
            }
        }
    }
    Ok(())
}

fn bits(mode: Mode, own: u32) -> u32 {
    match mode {
        Mode::Bits(bits) => bits,
        Mode::Preserve => own,
    }
}

/// Gives a copied tree, or file, its owner and modes.
fn settle_tree(
    owner: Option<(u32, u32)>,
    (room, name): (&Dir, &str),
    (mode, file_mode): (Mode, Mode),
) -> Result<(), Failure> {
    let Some(meta) = room.meta(name)? else { return Ok(()) };
    if meta.kind == Kind::Directory {
        settle_inside(&room.dir(name)?, owner, (mode, file_mode))?;
        return settle((room, Path::new(name)), owner, Some(bits(mode, meta.mode)));
    }
    settle((room, Path::new(name)), owner, Some(bits(file_mode, meta.mode)))
}

/// Gives everything in `dir` owner and modes.
fn settle_inside(dir: &Dir, owner: Option<(u32, u32)>, modes: (Mode, Mode)) -> Result<(), Failure> {
    let (mode, file_mode) = modes;
    for name in dir.names()? {
        let Some(meta) = dir.meta(&name)? else { continue };
        let wanted = match meta.kind {
            Kind::Directory => {
                settle_inside(&dir.dir(&name)?, owner, modes)?;
                Some(bits(mode, meta.mode))
            }
            Kind::File => Some(bits(file_mode, meta.mode)),
            _ => None,
        };
        let same_owner = owner.is_none_or(|owner| owner == (meta.uid, meta.gid));
        if same_owner && wanted.is_none_or(|mode| mode == meta.mode) {
            continue;
        }
        settle((dir, Path::new(&name)), owner, wanted)?;
    }
    Ok(())
}

/// Gives one thing owner and mode. Changing the owner takes special bits away, so the mode is last.
fn settle(
    (dir, name): (&Dir, &Path),
    owner: Option<(u32, u32)>,
    mode: Option<u32>,
) -> Result<(), Failure> {
    if let (true, Some((uid, gid))) = (host::is_root(), owner) {
        dir.set_owner(name, uid, gid)?;
    }
    if let Some(mode) = mode {
        dir.set_mode(name, mode)?;
    }
    Ok(())
}
