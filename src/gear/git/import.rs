//! Taking over a repository that a package brings (`template.git`).

use super::{Git, GitError, HOOKS};
use crate::error::FsError;
use crate::sys::fs::{Dir, Kind};
use crate::sys::tree::{self, Modes};
use rustix::io::Errno;
use std::path::Path;

/// The parts of a repository that are data. What is not here could name a program to run (`config`,
/// `hooks`), or files elsewhere on the host (`commondir`, `worktrees`).
const DATA: [&str; 4] = ["HEAD", "objects", "refs", "packed-refs"];
/// Files below `objects` that lead to other repositories.
const ALTERNATES: [&str; 2] = ["objects/info/alternates", "objects/info/http-alternates"];
/// The configuration of every repository that we make.
///
/// Whoever pushes may have another mask of modes; the gear has to be able to read it all.
const CONFIG: &str = "[core]\n\trepositoryformatversion = 0\n\tfilemode = true\n\tbare = true\n\t\
                      logAllRefUpdates = true\n\tsharedRepository = 0644\n\
                      [receive]\n\tautogc = false\n";

/// Copies the bare repository `name` of `from` to `to_name` in `to`, where nothing may be yet, and
/// makes `master` its branch. Its own configuration and hooks stay behind.
pub fn import(
    git: &Git,
    (from, name): (&Dir, &str),
    (to, to_name): (&Dir, &str),
) -> Result<(), GitError> {
    let source = from.dir(name)?;
    to.make_dir(to_name, 0o755)?;
    let bare = to.dir(to_name)?;
    for part in DATA {
        match source.meta(part)? {
            None => {}
            Some(meta) if matches!(meta.kind, Kind::File | Kind::Directory) => {
                tree::copy(&source, part, &bare, part, Modes::Writable)?;
            }
            Some(_) => return Err(FsError::new("copy", source.path_of(part), Errno::LOOP).into()),
        }
    }
    refuse_links(&bare)?;
    for name in ALTERNATES {
        bare.remove_file(name)?;
    }
    // Git itself writes no empty directories into an archive, so a package may lack them.
    for name in ["objects/info", "objects/pack", "refs/heads", "refs/tags"] {
        bare.make_dirs(name, 0o755)?;
    }
    dress(&bare)?;
    git.force_branch(bare.path())
}

/// Gives a repository our own configuration, an empty `hooks` and a description.
pub(super) fn dress(bare: &Dir) -> Result<(), FsError> {
    bare.replace_file("config", CONFIG.as_bytes(), 0o644)?;
    bare.replace_file("description", b"The application of this gear\n", 0o644)?;
    bare.make_dirs("hooks", 0o755)
}

/// Gives a gear's repository the hooks that deploy what is pushed: links to `program`.
pub fn add_hooks(bare: &Dir, program: &Path) -> Result<(), FsError> {
    for name in HOOKS {
        let hook = format!("hooks/{name}");
        bare.remove_file(&hook)?;
        bare.make_link(&hook, program)?;
    }
    Ok(())
}

/// A link in a repository would make git read or write elsewhere.
fn refuse_links(dir: &Dir) -> Result<(), FsError> {
    for name in dir.names()? {
        match dir.meta(&name)?.map(|meta| meta.kind) {
            Some(Kind::Directory) => refuse_links(&dir.dir(&name)?)?,
            Some(Kind::Link) => {
                return Err(FsError::new("copy", dir.path_of(&name), Errno::LOOP));
            }
            _ => {}
        }
    }
    Ok(())
}
