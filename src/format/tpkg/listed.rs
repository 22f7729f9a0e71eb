//! The section `files`: defaults, and what is said of single paths.

use super::cx::{Cx, shown};
use super::posix;
use crate::format::cartridge::fields;
use crate::format::place::Place as At;
use crate::format::yaml::{Node, Value};
use crate::package::tpkg::{Cipher, Crontab, Init, Place, Posix};
use crate::sys::path::{PathError, RelPath};

const FILES: &[&str] = &["file_defaults", "dir_defaults", "dirs_defaults", "files"];
const FILE: &[&str] = &["path", "config", "encrypt", "init", "crontab", "posix"];

/// The section as a whole.
#[derive(Debug, Default)]
pub(super) struct Files {
    pub(super) file_defaults: Posix,
    pub(super) dir_defaults: Posix,
    pub(super) listed: Vec<Listed>,
}

/// What is said of one path.
#[derive(Debug)]
pub(super) struct Listed {
    pub(super) spot: Spot,
    pub(super) at: At,
    pub(super) config: bool,
    pub(super) encrypt: Option<Encrypt>,
    pub(super) init: Option<Init>,
    pub(super) crontab: Option<Crontab>,
    pub(super) posix: Posix,
}

/// Where a path lies.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Spot {
    pub(super) place: Place,
    pub(super) path: RelPath,
}

impl Spot {
    /// Reads a path as the metadata write it: absolute ones lie below `/`, the others below the
    /// base.
    pub(super) fn parse(text: &str) -> Result<Self, PathError> {
        let (place, rest) = match text.strip_prefix('/') {
            Some(rest) => (Place::Root, rest.trim_start_matches('/')),
            None => (Place::Reloc, text),
        };
        RelPath::parse(rest).map(|path| Self { place, path })
    }

    /// The path as the metadata write it.
    pub(super) fn written(&self) -> String {
        match self.place {
            Place::Root => format!("/{}", self.path),
            Place::Reloc => self.path.to_string(),
        }
    }
}

/// That a file is encrypted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Encrypt {
    pub(super) cipher: Cipher,
    pub(super) precrypt: bool,
}

/// Reads the section.
pub(super) fn read(node: Option<&Node>, cx: &mut Cx<'_, '_>) -> Files {
    let Some(node) = node else { return Files::default() };
    if node.pairs().is_none() {
        cx.fault(node.place, format!("`files` is {}: write a mapping", node.kind()));
        return Files::default();
    }
    fields::unknown(node, &[FILES], "files.", cx.reading);
    if let Some(misspelt) = node.get("dirs_defaults") {
        let text = "`dirs_defaults` stands in tpkg's schema, but tpkg itself reads `dir_defaults`; \
                    both are taken here";
        cx.reading.warn(misspelt.place, text);
    }
    let dirs = node.get("dir_defaults").or_else(|| node.get("dirs_defaults"));
    Files {
        file_defaults: posix::defaults(node.get("file_defaults"), "file_defaults", cx),
        dir_defaults: posix::defaults(dirs, "dir_defaults", cx),
        listed: cx
            .mappings(node, "files")
            .into_iter()
            .filter_map(|item| listed(item, cx))
            .collect(),
    }
}

fn listed(item: &Node, cx: &mut Cx<'_, '_>) -> Option<Listed> {
    fields::unknown(item, &[FILE], "files.files.", cx.reading);
    // A path is a name of a file, whatever number it looks like.
    let path = item.get("path");
    let Some((node, text)) = path.and_then(|node| Some((node, node.text()?))) else {
        cx.fault(item.place, "an item of `files` has no `path`: add `path: …`");
        return None;
    };
    let spot = match Spot::parse(text) {
        Ok(spot) => spot,
        Err(error) => {
            cx.fault(node.place, format!("`path` `{}` {error}", shown(text)));
            return None;
        }
    };
    Some(Listed {
        spot,
        at: node.place,
        config: config(item, cx),
        encrypt: encrypt(item, cx),
        init: item.get("init").map(|node| init(node, cx)),
        crontab: item.get("crontab").map(|node| crontab(node, cx)),
        posix: posix::own(item, cx),
    })
}

fn config(item: &Node, cx: &mut Cx<'_, '_>) -> bool {
    let Some(node) = item.get("config") else { return false };
    node.truth().unwrap_or_else(|| {
        cx.reading.warn(node.place, "`config` is neither `true` nor `false`; taken as `true`");
        true
    })
}

/// A mapping, or of old `true` or `precrypt`.
fn encrypt(item: &Node, cx: &mut Cx<'_, '_>) -> Option<Encrypt> {
    let node = item.get("encrypt")?;
    if node.pairs().is_none() {
        if node.truth() == Some(false) {
            return None;
        }
        let precrypt = node.text() == Some("precrypt");
        if !precrypt && node.truth() != Some(true) {
            cx.fault(node.place, "`encrypt` is neither `true` nor `precrypt` nor a mapping");
        }
        return Some(Encrypt { precrypt, ..Encrypt::default() });
    }
    fields::unknown(node, &[&["algorithm", "precrypt"]], "encrypt.", cx.reading);
    let precrypt = node.get("precrypt").is_some_and(|node| node.truth() != Some(false));
    let Some(name) = cx.text(node, "algorithm") else {
        return Some(Encrypt { precrypt, ..Encrypt::default() });
    };
    let Some(cipher) = Cipher::named(&name) else {
        let known = Cipher::ALL.map(Cipher::as_str).join("`, `");
        let text = format!("`algorithm` `{}` is not known: one of `{known}`", shown(&name));
        cx.fault(node.place, text);
        return None;
    };
    Some(Encrypt { cipher, precrypt })
}

/// Tells whether `node` has elements; one that is only `true` has none, and means the usual.
fn has_elements(node: &Node, key: &str, cx: &mut Cx<'_, '_>) -> bool {
    let mapping = node.pairs().is_some();
    if !mapping && node.truth() != Some(true) {
        cx.fault(node.place, format!("`{key}` is {}: write a mapping", node.kind()));
    }
    mapping
}

fn init(node: &Node, cx: &mut Cx<'_, '_>) -> Init {
    let mut found = Init::default();
    if !has_elements(node, "init", cx) {
        return found;
    }
    fields::unknown(node, &[&["start", "levels"]], "init.", cx.reading);
    if let Some(start) = node.get("start") {
        // The source's own text: it becomes a part of a file's name.
        let text = start.text().unwrap_or_default().trim();
        if text.is_empty() || text.len() > 3 || !text.bytes().all(|byte| byte.is_ascii_digit()) {
            cx.fault(start.place, format!("`start` `{}` is no number up to 999", shown(text)));
        }
        found.start = Some(text.to_owned());
    }
    found.levels = node.get("levels").map(|levels| run_levels(levels, cx));
    found
}

/// A list of letters or digits, or one text of them.
fn run_levels(node: &Node, cx: &mut Cx<'_, '_>) -> Vec<char> {
    let mut levels = Vec::new();
    let mut fits = true;
    match &node.value {
        Value::Sequence(items) => {
            for item in items {
                let mut chars = item.text().unwrap_or_default().trim().chars();
                levels.extend(chars.next());
                fits &= item.text().is_some() && chars.next().is_none();
            }
        }
        Value::Mapping(_) => fits = false,
        _ => levels.extend(node.text().unwrap_or_default().trim().chars()),
    }
    if !fits || levels.len() > 36 || !levels.iter().all(char::is_ascii_alphanumeric) {
        cx.fault(node.place, "`levels` are no run levels: write a list like `[2, 3, 4, 5]`");
    }
    levels
}

fn crontab(node: &Node, cx: &mut Cx<'_, '_>) -> Crontab {
    if !has_elements(node, "crontab", cx) {
        return Crontab::default();
    }
    fields::unknown(node, &[&["user"]], "crontab.", cx.reading);
    Crontab { user: posix::account(node, "user", cx) }
}
