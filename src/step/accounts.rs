//! Users and groups by name, as the host below the root directory knows them.

use super::Cx;
use crate::error::Failure;
use crate::sys::fs::Dir;
use crate::sys::{accounts, process};
use std::collections::HashMap;
use std::path::Path;

/// Who owns something: a number, or a name that may come into being while a transaction runs.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(untagged)]
pub enum Who {
    /// A number.
    Id(u32),
    /// A name.
    Name(String),
}

impl Who {
    /// Reads what a package says: digits are a number.
    pub fn parse(text: &str) -> Self {
        text.parse().map_or_else(|_| Self::Name(text.to_owned()), Self::Id)
    }
}

impl std::fmt::Display for Who {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Id(id) => id.fmt(f),
            Self::Name(name) => f.pad(name),
        }
    }
}

/// The accounts of one kind, read when a name is first asked for.
#[derive(Debug)]
pub struct Accounts {
    kind: Kind,
    below_root: bool,
    listed: Option<HashMap<String, u32>>,
    asked: HashMap<String, Option<u32>>,
}

/// Users or groups.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// `passwd`
    Users,
    /// `group`
    Groups,
}

impl Kind {
    fn database(self) -> &'static str {
        match self {
            Self::Users => "passwd",
            Self::Groups => "group",
        }
    }
}

impl Accounts {
    /// The accounts of the host on which `cx` works.
    pub fn new(cx: &Cx<'_>, kind: Kind) -> Self {
        Self::below(cx.layout.root(), kind)
    }

    /// The accounts below `root`, or of the host itself.
    pub fn below(root: Option<&Path>, kind: Kind) -> Self {
        Self { kind, below_root: root.is_some(), listed: None, asked: HashMap::new() }
    }

    /// The number of `who`; nothing when no such account is known.
    pub fn id(&mut self, root: &Dir, who: &Who) -> Result<Option<u32>, Failure> {
        let name = match who {
            Who::Id(id) => return Ok(Some(*id)),
            Who::Name(name) if name == "root" => return Ok(Some(0)),
            Who::Name(name) => name,
        };
        if self.listed.is_none() {
            self.listed = Some(accounts::all(root, self.kind.database())?);
        }
        if let Some(id) = self.listed.as_ref().and_then(|listed| listed.get(name)) {
            return Ok(Some(*id));
        }
        if self.below_root {
            return Ok(None);
        }
        // Directories on the network, where the host has them.
        if let Some(known) = self.asked.get(name) {
            return Ok(*known);
        }
        let found = ask(self.kind, name);
        self.asked.insert(name.clone(), found);
        Ok(found)
    }
}

fn ask(kind: Kind, name: &str) -> Option<u32> {
    if name.starts_with('-') {
        return None;
    }
    let mut command = process::command(Path::new("/usr/bin/getent"));
    process::own_session(&mut command);
    let output = command.args([kind.database(), name]).output().ok()?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    accounts::account(text.lines().next()?).map(|(_, id)| id)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_of_the_root_and_digits_are_numbers() {
        let temp = tempfile::tempdir().unwrap();
        let root = Dir::open(temp.path()).unwrap();
        root.make_dir("etc", 0o755).unwrap();
        root.write_new("etc/passwd", b"mail:x:8:9:m:/:/bin/sh\nbroken\n", 0o644).unwrap();
        let mut users = Accounts::below(Some(temp.path()), Kind::Users);
        let mut id = |text: &str| users.id(&root, &Who::parse(text)).unwrap();
        assert_eq!(
            [id("mail"), id("77"), id("root"), id("nobody")],
            [Some(8), Some(77), Some(0), None]
        );
        let mut groups = Accounts::below(Some(temp.path()), Kind::Groups);
        assert_eq!(groups.id(&root, &Who::parse("mail")).unwrap(), None, "there is no list");
    }
}
