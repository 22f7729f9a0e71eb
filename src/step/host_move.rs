//! Moves whole things between the host and the stash, so that half a move can be told from a whole
//! one.
//!
//! Within a filesystem a move is one rename. Across two it is a copy beside the goal, made durable
//! and renamed, and only then is the original removed: *what has its name in the stash is whole*.

use crate::error::FsError;
use crate::sys::checkpoint::checkpoint;
use crate::sys::fs::{Dir, Kind, Result};
use crate::sys::tree::{self, Modes};

/// Moves the thing `file` of `dir` to `name` in `stash`; one that is there already is whole.
pub(super) fn away((dir, file): (&Dir, &str), (stash, name): (&Dir, &str)) -> Result<()> {
    if stash.has(name)? {
        // Cut off between the copy and the end of a move across filesystems.
        return tree::remove(dir, file);
    }
    make_movable(dir, file)?;
    tree::move_to(dir, file, stash, name)
}

/// A directory that gets another parent is written to, for which its owner needs the bit; whoever
/// brings it back gives it the mode that it had.
fn make_movable(dir: &Dir, file: &str) -> Result<()> {
    match dir.meta(file)? {
        Some(meta) if meta.kind == Kind::Directory && meta.mode & 0o200 == 0 => {
            dir.set_mode(file, meta.mode | 0o200)
        }
        _ => Ok(()),
    }
}

/// Moves it back, a directory with the mode that it had; nothing happens where it is not in the
/// stash. What is at its place is what a cut has left of it.
pub(super) fn back(
    (stash, name): (&Dir, &str),
    (dir, file): (&Dir, &str),
    mode: Option<u32>,
) -> Result<()> {
    let gone = format!("{name}.gone");
    tree::remove(stash, &gone)?;
    if stash.has(name)? {
        tree::remove(dir, file)?;
        make_movable(stash, name)?;
        bring(stash, name, (dir, file, &gone))?;
    }
    match (mode, dir.meta(file)?) {
        (Some(mode), Some(meta)) if meta.kind == Kind::Directory && meta.mode != mode => {
            dir.set_mode(file, mode)
        }
        _ => Ok(()),
    }
}

fn bring(stash: &Dir, name: &str, (dir, file, gone): (&Dir, &str, &str)) -> Result<()> {
    match stash.rename_new(name, dir, file) {
        Err(error) if crosses(&error) => {}
        other => return other,
    }
    let beside = format!("{file}.cart-new");
    tree::remove(dir, &beside)?;
    tree::copy(stash, name, dir, &beside, Modes::Kept)?;
    dir.sync_filesystem()?;
    dir.rename_new(&beside, dir, file)?;
    checkpoint("host_move: a copy has come back");
    stash.rename(name, stash, gone)?;
    tree::remove(stash, gone)
}

fn crosses(error: &FsError) -> bool {
    error.source.kind() == std::io::ErrorKind::CrossesDevices
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sys::checkpoint::in_process::cut_at;

    #[test]
    fn what_went_comes_back_wherever_it_was_cut() {
        let temp = tempfile::tempdir().unwrap();
        let top = Dir::open(temp.path()).unwrap();
        top.make_dirs("host/d/e", 0o755).unwrap();
        top.write_new("host/d/e/f", b"x", 0o600).unwrap();
        top.make_dir("stash", 0o700).unwrap();
        let (host, stash) = (top.dir("host").unwrap(), top.dir("stash").unwrap());
        host.set_mode("d", 0o555).unwrap();
        for cut in 1..10 {
            let whole = cut_at(cut, || away((&host, "d"), (&stash, "1")).unwrap()).is_some();
            back((&stash, "1"), (&host, "d"), Some(0o555)).unwrap();
            back((&stash, "1"), (&host, "d"), Some(0o555)).unwrap();
            assert_eq!(host.meta("d").unwrap().unwrap().mode, 0o555);
            assert_eq!(host.read("d/e/f", 9).unwrap(), b"x");
            assert!(stash.names().unwrap().is_empty());
            if whole {
                break;
            }
        }
    }
}
