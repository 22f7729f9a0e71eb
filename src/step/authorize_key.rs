//! Writes or removes one line of `authorized_keys`, a file that others change, too.

use super::{Cx, Said, Step};
use crate::error::{Exit, Failure};
use crate::sys::checkpoint::checkpoint;
use crate::sys::fs::{self, Dir, Kind};
use std::path::{Path, PathBuf};

/// The longest file that is changed.
const LONGEST: u64 = 1 << 20;

/// A line that comes or goes.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct AuthorizeKey {
    /// The file.
    pub file: PathBuf,
    /// The line, without its end.
    pub line: String,
    /// Whether it comes or goes.
    pub deed: Deed,
}

/// What becomes of a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Deed {
    /// It comes.
    Add,
    /// It goes.
    Remove,
}

/// What there was before.
#[derive(Debug, serde::Serialize, serde::Deserialize)]
pub struct Before {
    text: Option<String>,
    has_folder: bool,
}

impl AuthorizeKey {
    fn folder(&self) -> &Path {
        self.file.parent().unwrap_or(Path::new("/"))
    }

    fn name(&self) -> &Path {
        self.file.file_name().map_or(Path::new("authorized_keys"), Path::new)
    }

    fn read(&self, folder: &Dir) -> Result<Option<String>, Failure> {
        match folder.meta(self.name())? {
            None => Ok(None),
            Some(meta) if meta.kind == Kind::File => {
                let bytes = folder.read(self.name(), LONGEST)?;
                let text = String::from_utf8(bytes).map_err(|_| {
                    let text = format!("`{}` is no text", self.file.display());
                    Failure::new(Exit::Conflict, text)
                })?;
                Ok(Some(text))
            }
            Some(_) => {
                let text = format!("`{}` is no file", self.file.display());
                Err(Failure::new(Exit::Conflict, text))
            }
        }
    }

    fn changed(&self, text: &str, deed: Deed) -> String {
        let has = text.lines().any(|line| line == self.line);
        match deed {
            Deed::Add if has => text.to_owned(),
            Deed::Add => {
                let end = if text.is_empty() || text.ends_with('\n') { "" } else { "\n" };
                format!("{text}{end}{}\n", self.line)
            }
            Deed::Remove => {
                let rest = text.split_inclusive('\n');
                rest.filter(|line| line.trim_end_matches('\n') != self.line).collect()
            }
        }
    }
}

impl Step for AuthorizeKey {
    type Undo = Before;

    fn describe(&self) -> String {
        let file = self.file.display();
        match self.deed {
            Deed::Add => format!("write the key into `{file}`"),
            Deed::Remove => format!("remove the key from `{file}`"),
        }
    }

    fn prepare(&self, _cx: &Cx<'_>) -> Result<Before, Failure> {
        if fs::kind_of(self.folder()).is_none() {
            return Ok(Before { text: None, has_folder: false });
        }
        let text = self.read(&Dir::open(self.folder())?)?;
        Ok(Before { text, has_folder: true })
    }

    fn apply(&self, _before: &Before, _cx: &Cx<'_>) -> Result<Said, Failure> {
        if fs::kind_of(self.folder()).is_none() {
            fs::make_dirs(self.folder(), 0o700)?;
            checkpoint("authorize_key: the folder is made");
        }
        let folder = Dir::open(self.folder())?;
        let text = self.read(&folder)?.unwrap_or_default();
        let mode = folder.meta(self.name())?.map_or(0o600, |meta| meta.mode);
        folder.replace_file(self.name(), self.changed(&text, self.deed).as_bytes(), mode)?;
        checkpoint("authorize_key: the file is written");
        Ok(Said::default())
    }

    /// What others have written meanwhile stays.
    fn revert(&self, before: &Before, _cx: &Cx<'_>) -> Result<(), Failure> {
        if fs::kind_of(self.folder()).is_none() {
            return Ok(());
        }
        let folder = Dir::open(self.folder())?;
        folder.remove_file(format!("{}.cart-new", self.name().display()))?;
        if let Some(now) = self.read(&folder)? {
            let old = before.text.clone().unwrap_or_default();
            let inverse = match self.deed {
                Deed::Add if old.lines().any(|line| line == self.line) => now.clone(),
                Deed::Add => self.changed(&now, Deed::Remove),
                Deed::Remove => now.clone(),
            };
            let is_ours = now == self.changed(&old, self.deed);
            let back = match (is_ours, self.deed) {
                (true, _) => old,
                (false, Deed::Remove) if old.lines().any(|line| line == self.line) => {
                    self.changed(&now, Deed::Add)
                }
                (false, _) => inverse,
            };
            if before.text.is_none() && back.is_empty() {
                folder.remove_file(self.name())?;
            } else if back != now {
                let mode = folder.meta(self.name())?.map_or(0o600, |meta| meta.mode);
                folder.replace_file(self.name(), back.as_bytes(), mode)?;
            }
        }
        checkpoint("authorize_key: the file is put back");
        if !before.has_folder
            && let (Some(parent), Some(name)) = (self.folder().parent(), self.folder().file_name())
        {
            Dir::open(parent)?.remove_dir_if_empty(name)?;
        }
        Ok(())
    }
}

#[cfg(test)]
pub(super) fn sample(world: &super::laws::World) -> AuthorizeKey {
    world.state.make_dir("keys", 0o700).unwrap();
    world.state.write_new("keys/authorized_keys", b"ssh-rsa other", 0o600).unwrap();
    let file = world.state.path_of("keys/authorized_keys");
    AuthorizeKey { file, line: "restrict ssh-rsa one".into(), deed: Deed::Add }
}
