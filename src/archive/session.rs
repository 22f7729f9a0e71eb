//! One filling of a directory, from the first look to the finished tree.
//!
//! Invariant: when [`fill`] fails, `into` is as empty as it was.

use super::clock::Clock;
use super::error::ArchiveError;
use super::ledger::Ledger;
use super::place::Place;
use super::{Modes, Options, Strip, links, top};
use crate::error::FsError;
use crate::package::file_table::{Content, FileTable};
use crate::sys::fs::Dir;
use crate::sys::tree;
use std::io;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::{Builder, Scope};

/// After how many bytes the next write-back begins (measured: hides most of the disk's time).
const WRITE_BACK: u64 = 8 << 20;

/// What the work of filling a directory has at hand.
pub(super) struct Session<'a> {
    /// What is there so far.
    pub(super) ledger: Ledger<'a>,
    /// Where it goes.
    pub(super) place: Place<'a>,
    /// How long it takes.
    pub(super) clock: &'a Clock,
}

/// Fills the empty directory `into`: `work` puts files and directories there, then links are
/// judged and made, the top folder is taken away where that is wanted, and modes become final.
/// Meanwhile the disk is kept busy.
pub(super) fn fill(
    into: &Dir,
    options: &Options<'_>,
    clock: &Clock,
    work: impl FnOnce(&mut Session<'_>) -> Result<(), ArchiveError>,
) -> Result<FileTable, ArchiveError> {
    if !into.names()?.is_empty() {
        let taken = io::ErrorKind::DirectoryNotEmpty;
        return Err(FsError::new("unpack into", into.path(), taken).into());
    }
    let filled = with_write_back(into, |wrote| {
        let ledger = Ledger::new(options, clock);
        let place = Place::new(into, options, wrote);
        let mut session = Session { ledger, place, clock };
        work(&mut session)?;
        finish(session, options)
    });
    filled.map_err(|first| match empty(into) {
        Ok(()) => first,
        Err(source) => {
            let into = into.path().display().to_string();
            ArchiveError::Leftovers { into, first: Box::new(first), source }
        }
    })
}

fn empty(into: &Dir) -> Result<(), FsError> {
    into.names()?.iter().try_for_each(|name| tree::remove(into, name))
}

fn finish(session: Session<'_>, options: &Options<'_>) -> Result<FileTable, ArchiveError> {
    let Session { mut ledger, mut place, clock } = session;
    for (path, mode) in ledger.take_folders() {
        place.root().set_mode(&path, mode)?;
    }
    let mut entries = ledger.into_entries();
    if options.strip == Strip::SingleTop {
        entries = top::take_away(&mut place, entries)?;
    }
    let into = place.root();
    let table = FileTable::new(entries);
    links::check(&table, options.links, clock)?;
    for entry in table.entries() {
        if let Content::Link(target) = &entry.content {
            into.make_link(&entry.path, target)?;
        }
    }
    if matches!(options.modes, Modes::ReadOnly | Modes::ReadOnlyBut(_)) {
        // From the deepest up: a directory without write bits could not be changed below.
        for entry in table.entries().iter().rev() {
            if entry.content == Content::Directory && !options.modes.keeps_write(&entry.path) {
                place.set_mode(&entry.path, 0o555)?;
            }
        }
    }
    Ok(table)
}

struct WriteBack<'a> {
    into: &'a Dir,
    written: AtomicU64,
    busy: AtomicBool,
    failure: Mutex<Option<FsError>>,
}

/// Runs `work` and, whenever it has written enough, a thread that brings the bytes to disk, so
/// that the sync before the commit has little left to do.
fn with_write_back<T>(
    into: &Dir,
    work: impl FnOnce(&(dyn Fn(u64) + Sync)) -> Result<T, ArchiveError>,
) -> Result<T, ArchiveError> {
    let state = WriteBack {
        into,
        written: AtomicU64::new(0),
        busy: AtomicBool::new(false),
        failure: Mutex::new(None),
    };
    let result = std::thread::scope(|scope| work(&|bytes| state.wrote(scope, bytes)));
    // A write error is told to one sync only: it must not be lost when this was the one.
    match state.failure.into_inner() {
        Ok(None) => result,
        Ok(Some(failure)) => result.and(Err(failure.into())),
        Err(_) => result.and(Err(FsError::new("sync", into.path(), poisoned()).into())),
    }
}

fn poisoned() -> io::Error {
    io::Error::other("the thread that writes back has died")
}

impl WriteBack<'_> {
    fn wrote<'s>(&'s self, scope: &'s Scope<'s, '_>, bytes: u64) {
        let before = self.written.fetch_add(bytes, Ordering::Relaxed);
        let due = before / WRITE_BACK != (before + bytes) / WRITE_BACK;
        if !due || self.busy.swap(true, Ordering::AcqRel) {
            return;
        }
        let sync = move || {
            if let Err(error) = self.into.sync_filesystem()
                && let Ok(mut failure) = self.failure.lock()
            {
                failure.get_or_insert(error);
            }
            self.busy.store(false, Ordering::Release);
        };
        // Only an earlier start of what the last barrier does anyway: no thread, no harm.
        if Builder::new().spawn_scoped(scope, sync).is_err() {
            self.busy.store(false, Ordering::Release);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::archive::Links;
    use crate::config;
    use crate::sys::path::RelPath;

    fn fill_with(
        into: &Dir,
        work: impl FnOnce(&mut Session<'_>) -> Result<(), ArchiveError>,
    ) -> Result<FileTable, ArchiveError> {
        let (links, modes, strip) = (Links::Contained, Modes::AsPacked, Strip::SingleTop);
        let limits = config::Archive::default();
        let options = Options { limits: &limits, links, modes, strip, older: None };
        fill(into, &options, &Clock::start(60), work)
    }

    fn put(session: &mut Session<'_>, path: &str, bytes: &[u8]) -> Result<(), ArchiveError> {
        let path = RelPath::parse(path).unwrap();
        let made = session.ledger.add_file(&path, bytes.len() as u64, 0o644)?;
        session.place.make_dirs(&made)?;
        let mut output = session.place.create(&path, 0o644, bytes.len() as u64)?;
        output.write(bytes)?;
        session.ledger.set_digest(&path, output.finish(0)?);
        Ok(())
    }

    #[test]
    fn a_failure_at_the_very_end_leaves_nothing() {
        let temp = tempfile::tempdir().unwrap();
        let into = Dir::open(temp.path()).unwrap();
        let late = |session: &mut Session<'_>| {
            put(session, "top/a/b", &[1; 10_000])?;
            session.ledger.add_link(&RelPath::parse("top/l").unwrap(), b"../../x")?;
            Ok(())
        };
        assert!(fill_with(&into, late).is_err());
        assert!(into.names().unwrap().is_empty());
    }

    #[test]
    fn early_write_back_changes_nothing() {
        let temp = tempfile::tempdir().unwrap();
        let into = Dir::open(temp.path()).unwrap();
        let piece = vec![3; 3 << 20];
        let table = fill_with(&into, |session| {
            (0..8).try_for_each(|n| put(session, &format!("top/f{n}"), &piece))
        })
        .unwrap();
        assert_eq!(table.entries().len(), 8);
        assert_eq!(table.size(), 8 * (3 << 20));
        assert_eq!(into.names().unwrap().len(), 8, "without the top folder");
    }

    #[test]
    fn a_second_top_puts_everything_where_the_archive_has_it() {
        for late in ["other/y", "plain", ".hidden/z"] {
            let temp = tempfile::tempdir().unwrap();
            let into = Dir::open(temp.path()).unwrap();
            let table = fill_with(&into, |session| {
                ["top/top/x", "top/.cart-top", late].iter().try_for_each(|n| put(session, n, b"x"))
            })
            .unwrap();
            // Hidden entries beside it do not keep a single folder from being taken away.
            let top = if late.starts_with('.') { "" } else { "top/" };
            for path in [format!("{top}top/x"), format!("{top}.cart-top"), late.to_owned()] {
                assert!(table.get(&path).is_some() && into.has(&path).unwrap(), "{late}: {path}");
            }
            assert_eq!(into.names().unwrap().len(), if top.is_empty() { 3 } else { 2 });
        }
    }

    #[test]
    fn a_link_beside_a_folder_is_a_second_top() {
        let temp = tempfile::tempdir().unwrap();
        let into = Dir::open(temp.path()).unwrap();
        let table = fill_with(&into, |session| {
            put(session, "top/x", b"x")?;
            session.ledger.add_link(&RelPath::parse("link").unwrap(), b"top/x").map(drop)
        })
        .unwrap();
        assert!(table.get("top/x").is_some() && into.has("top/x").unwrap());
        assert_eq!(into.link_target("link").unwrap(), std::path::Path::new("top/x"));
    }

    #[test]
    fn the_folder_that_is_taken_away_may_hold_any_name() {
        let temp = tempfile::tempdir().unwrap();
        let into = Dir::open(temp.path()).unwrap();
        let names = ["top/top/x", "top/.cart-top", ".cart-top-/y"];
        let table =
            fill_with(&into, |session| names.iter().try_for_each(|name| put(session, name, b"x")))
                .unwrap();
        assert_eq!(into.names().unwrap(), [".cart-top", ".cart-top-", "top"]);
        for path in [".cart-top", ".cart-top-/y", "top/x"] {
            assert!(table.get(path).is_some() && into.has(path).unwrap(), "{path}");
        }
    }
}
