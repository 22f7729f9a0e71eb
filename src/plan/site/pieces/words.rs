//! From the words of a manifest to things, sources, places and owners: variables are replaced, and
//! whatever cannot be is met here, before anything is changed.

use super::Maker;
use crate::error::{Exit, Explain};
use crate::facts::site::Tree;
use crate::package::file_table::Content as InTree;
use crate::package::ubos::item::{ItemKind, ItemPath, Language, Mode, Owner, Source};
use crate::package::ubos::role::{Role, RoleName};
use crate::plan::Refusal;
use crate::site::unit::UnitName;
use crate::step::accounts::Who;
use crate::step::place_items::{Content, Source as From, Thing};
use crate::sys::path::RelPath;
use crate::template::ubos::Variables;
use std::collections::HashMap;
use std::path::{Path, PathBuf};

/// Where packages of the original have units.
const UNITS: &str = "usr/lib/systemd/system/";

/// Where the original has the code of packages.
const SHARE: &str = "/ubos/share/";

/// What a source has to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sort {
    File,
    Anything,
}

impl Maker<'_> {
    pub(super) fn thing(&self, kind: &ItemKind, name: &str) -> Result<Thing, Refusal> {
        let kept = None;
        Ok(match kind {
            ItemKind::File { content, mode, .. } => {
                let mode = match mode {
                    Mode::Bits(bits) => Some(*bits),
                    Mode::Preserve => None,
                };
                Thing::File { content: self.content(content, name)?, mode, kept }
            }
            ItemKind::Directory { mode, file_mode, .. } => {
                let mode = match mode {
                    Mode::Bits(bits) => *bits,
                    Mode::Preserve => 0o755,
                };
                let file_mode = file_mode.unwrap_or(Mode::Preserve);
                Thing::Folder { mode, inner_mode: Mode::Preserve, file_mode, kept }
            }
            ItemKind::Tree { source, mode, file_mode, .. } => Thing::Tree {
                source: self.source(source, name, Sort::Anything)?,
                mode: *mode,
                file_mode: *file_mode,
                kept,
            },
            ItemKind::Symlink { source, .. } => {
                let target = self.render(&source.of(name))?;
                let target = if target.starts_with('/') {
                    target
                } else {
                    self.part.code_path.join(target).display().to_string()
                };
                Thing::Link { target }
            }
            _ => Thing::Parent,
        })
    }

    pub(super) fn content(&self, content: &Source, name: &str) -> Result<Content, Refusal> {
        Ok(match content {
            Source::File(path) => Content::Copy(self.source(path, name, Sort::File)?),
            Source::Template(path, Language::Varsubst) => {
                let source = self.source(path, name, Sort::File)?;
                self.try_out(&source)?;
                Content::Varsubst(source)
            }
            Source::Template(path, Language::Perlscript) => {
                Content::Perl(self.source(path, name, Sort::File)?)
            }
            Source::Inline(..) => {
                let text = format!("`{}` has a text where a file should be", self.part.name());
                return Err(Refusal::new(Exit::Failed, text));
            }
        })
    }

    /// Renders a template before anything is changed, with something for what is not known yet.
    fn try_out(&self, source: &From) -> Result<(), Refusal> {
        let (From::Package(path), Some(tree)) = (source, self.tree) else { return Ok(()) };
        let Some(text) = tree.texts.get(self.in_tree(path).as_str()) else { return Ok(()) };
        let scopes = [&self.scope];
        let variables = Variables { scopes: &scopes, accounts: &self.facts.accounts };
        variables.render(text).map(drop).map_err(|error| {
            let name = self.part.name();
            let text = format!("the template `{path}` of `{name}` cannot be rendered: {error}");
            let refusal = Refusal::new(Exit::Conflict, text);
            match error.hint() {
                Some(hint) => refusal.hint(hint),
                None => refusal,
            }
        })
    }

    /// The text with its variables replaced.
    pub(in crate::plan::site) fn render(&self, text: &str) -> Result<String, Refusal> {
        let scopes = [&self.scope];
        let variables = Variables { scopes: &scopes, accounts: &self.facts.accounts };
        variables.render_text(text).map_err(|error| {
            let name = self.part.name();
            let shown: String = text.chars().take(80).collect();
            let shown = shown.escape_debug();
            let text = format!("`{shown}` of `{name}` cannot be resolved: {error}");
            Refusal::new(Exit::Conflict, text)
        })
    }

    /// The path in the package's tree of what lies at `path` in its folder of code.
    fn in_tree(&self, path: &RelPath) -> String {
        let code = &self.part.installable.code;
        if code.is_empty() { path.to_string() } else { format!("{code}/{path}") }
    }

    /// Where something lies that the manifest names as a source.
    pub(super) fn source(
        &self,
        path: &ItemPath,
        name: &str,
        wanted: Sort,
    ) -> Result<From, Refusal> {
        let text = self.render(&path.of(name))?;
        let code = self.part.code_path.display().to_string();
        let own = format!("{SHARE}{}/", self.part.name());
        let inside = match text.strip_prefix(&code) {
            _ if text.starts_with(&own) => text.strip_prefix(&own),
            Some("" | "/") => return Ok(From::Code),
            Some(rest) if rest.starts_with('/') => Some(rest.trim_start_matches('/')),
            _ if text.starts_with('/') => None,
            _ => Some(text.as_str()),
        };
        let Some(inside) = inside else { return Ok(From::Host(self.elsewhere(&text)?)) };
        let inside = RelPath::parse(inside.trim_end_matches('/')).map_err(|error| {
            let shown = text.escape_debug();
            Refusal::new(Exit::Conflict, format!("the source `{shown}` {error}"))
        })?;
        if let Some(tree) = self.tree {
            self.is_there(tree, &inside, wanted)?;
        }
        Ok(From::Package(inside))
    }

    /// What lies outside of the package's own code: anywhere on the host, or in another package of the
    /// site, where the original has that.
    fn elsewhere(&self, text: &str) -> Result<RelPath, Refusal> {
        let named = text.strip_prefix(SHARE).and_then(|rest| rest.split_once('/'));
        let Some((code, inside)) = named.and_then(|(name, rest)| Some((self.code_of(name)?, rest)))
        else {
            return self.absolute(text);
        };
        let file = code.join(inside).display().to_string();
        let root = self.facts.places.root.as_str();
        let below = file.strip_prefix(root).unwrap_or(&file).trim_start_matches('/');
        RelPath::parse(below).map_err(|error| {
            let shown = text.escape_debug();
            Refusal::new(Exit::Conflict, format!("the source `{shown}` {error}"))
        })
    }

    /// The folder of code of a package that the site has beside this one.
    fn code_of(&self, name: &str) -> Option<PathBuf> {
        let (place, installable) = if self.tree.is_some() {
            let mut all = self.facts.available.values();
            let one = all.find(|one| one.installable.name.as_str() == name)?;
            (&one.place, &one.installable)
        } else {
            let mut all = self.facts.old.as_ref()?.new.packages.iter();
            let one = all.find(|one| one.installable.name.as_str() == name)?;
            (&one.place, &one.installable)
        };
        let code = self.facts.library.join(place).join(&installable.code);
        // Without an ending slash, where the tree itself is the folder.
        Some(code.components().collect())
    }

    fn is_there(&self, tree: &Tree, inside: &RelPath, wanted: Sort) -> Result<(), Refusal> {
        let name = self.part.name();
        let entry = tree.table.get(&self.in_tree(inside));
        let wrong = |text: String| Err(Refusal::new(Exit::Conflict, text));
        match (entry.map(|entry| &entry.content), wanted) {
            (None, _) => wrong(format!("`{inside}` is not in the package `{name}`")),
            (Some(InTree::File { .. }), _) | (Some(_), Sort::Anything) => Ok(()),
            (Some(_), _) => wrong(format!("`{inside}` of `{name}` is no regular file")),
        }
    }

    /// The place that a manifest names: absolute, or in the folder of the role.
    pub(super) fn place(&self, role: &Role, name: &str) -> Result<RelPath, Refusal> {
        let text = self.render(name)?;
        if text.starts_with('/') {
            return self.absolute(&text);
        }
        match self.part.text(&format!("appconfig.{}.dir", role.name.as_str())) {
            Some(folder) if role.name.is_web() => self.absolute(&format!("{folder}/{text}")),
            _ => {
                let text = format!(
                    "`{}` of `{}` is no absolute path, and role `{}` has no folder",
                    text.escape_debug(),
                    self.part.name(),
                    role.name.as_str()
                );
                Err(Refusal::new(Exit::Conflict, text))
            }
        }
    }

    /// An absolute path as one below the root directory.
    pub(in crate::plan::site) fn absolute(&self, text: &str) -> Result<RelPath, Refusal> {
        let root = self.facts.places.root.as_str();
        let below = text.strip_prefix(root).filter(|rest| rest.starts_with('/')).unwrap_or(text);
        let parts: Vec<&str> = below.split('/').filter(|part| !part.is_empty()).collect();
        let shown = text.escape_debug();
        let path = RelPath::parse(&parts.join("/")).map_err(|error| {
            let text = format!("the path `{shown}` of `{}` {error}", self.part.name());
            Refusal::new(Exit::Conflict, text)
        })?;
        let place = Path::new(&format!("{root}/")).join(&path);
        if place.starts_with(&self.facts.state) {
            let text =
                format!("the path `{shown}` of `{}` is in the state of `cart`", self.part.name());
            return Err(Refusal::new(Exit::Conflict, text));
        }
        Ok(path)
    }

    pub(super) fn owner(&self, kind: &ItemKind) -> Result<Option<(Who, Who)>, Refusal> {
        let (ItemKind::File { owner, .. }
        | ItemKind::Directory { owner, .. }
        | ItemKind::Tree { owner, .. }
        | ItemKind::Symlink { owner, .. }) = kind
        else {
            return Ok(None);
        };
        match owner {
            Some(Owner { user, group }) => self.owner_of(&self.render(user)?, &self.render(group)?),
            None => self.owner_of("root", "root"),
        }
    }

    /// The file of a unit, or of its template, in the tree of the package: where its package has it
    /// for systemd, or anywhere in its sources.
    pub(super) fn unit_file(&self, name: &UnitName) -> Option<PathBuf> {
        let file = name.file();
        let entries = self.tree?.table.entries();
        let files = entries.iter().filter(|entry| matches!(entry.content, InTree::File { .. }));
        let named = files.filter(|entry| entry.path.name() == file);
        let best =
            named.min_by_key(|entry| (!entry.path.as_str().starts_with(UNITS), entry.path.clone()));
        best.map(|entry| self.facts.library.join(&self.part.place).join(&entry.path))
    }

    /// Whose a database is that is a file: the web server's, who runs the app, where there is one.
    pub(super) fn owner_of_file(&self, role: &Role) -> Result<Option<(Who, Who)>, Refusal> {
        if role.name != RoleName::Sqlite {
            return Ok(None);
        }
        if !self.facts.has_web_server {
            return self.owner_of("root", "root");
        }
        let name = |variable| self.part.text(variable).unwrap_or("http");
        self.owner_of(name("apache2.uname"), name("apache2.gname"))
    }

    /// A user and a group, by number where the host has them; nothing where `cart` may give nothing
    /// away. What it does not have may come while the transaction runs, where externals are asked,
    /// and may be gone where something is only undone; else it is met here.
    pub(super) fn owner_of(&self, user: &str, group: &str) -> Result<Option<(Who, Who)>, Refusal> {
        if !self.facts.is_root {
            return Ok(None);
        }
        let facts = self.facts;
        let (web_user, web_group) = &facts.places.web;
        let find = |name: &str, web: &str, known: &HashMap<String, u32>| {
            let own = (name == "root").then_some(0).or_else(|| known.get(name).copied());
            // What the original calls the web server.
            own.or_else(|| known.get(web).copied().filter(|_| name == "http"))
                .or_else(|| name.parse().ok())
        };
        let unknown = |what: &str, name: &str| {
            let shown = name.escape_debug();
            let text = format!(
                "`{}` wants the {what} `{shown}`, which the host does not have",
                self.part.name()
            );
            Refusal::new(Exit::NotFound, text)
                .hint(format!("make the {what}, or change the manifest"))
        };
        let may_come = self.tree.is_none()
            || facts.available.values().any(|one| !one.installable.manifest.externals.is_empty());
        let who = |what: &str, name: &str, found: Option<u32>| match found {
            Some(id) => Ok(Who::Id(id)),
            None if may_come => Ok(Who::Name(name.to_owned())),
            None => Err(unknown(what, name)),
        };
        let uid = find(user, web_user, &facts.accounts.users);
        let gid = find(group, web_group, &facts.accounts.groups);
        Ok(Some((who("user", user, uid)?, who("group", group, gid)?)))
    }
}

/// A backup does not say what modes its data get.
pub(super) fn restored(kind: &ItemKind) -> (Mode, Mode) {
    match kind {
        ItemKind::Directory { mode, file_mode, .. } => {
            (*mode, file_mode.unwrap_or(Mode::Bits(0o644)))
        }
        _ => (Mode::Preserve, Mode::Preserve),
    }
}
