//! Databases that are files: `SQLite`, where no server is asked.
//!
//! Each has a folder of its own, which belongs to whoever uses it, as journals appear beside the
//! file. So nothing in there is trusted: no link is followed.

use super::Cx;
use crate::error::{Exit, Failure};
use crate::site::database::Name;
use crate::sys::fs::{self, Dir};
use rusqlite::limits::Limit;
use rusqlite::{Connection, OpenFlags};
use std::fs::File;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};

/// The file in a database's folder.
const FILE: &str = "data.db";
/// How every file of the kind begins; an empty one is an empty database.
const MAGIC: &[u8] = b"SQLite format 3\0";

/// Where the folders of databases are.
pub(super) fn place(cx: &Cx<'_>) -> PathBuf {
    let folder = &cx.config.databases.sqlite.folder;
    let inner = folder.strip_prefix("/").unwrap_or(folder);
    cx.layout.root().unwrap_or(Path::new("/")).join(inner)
}

/// What an app calls a database.
pub(super) fn called(cx: &Cx<'_>, name: &Name) -> PathBuf {
    place(cx).join(name.as_str()).join(FILE)
}

/// Makes an empty one, of an owner if there is one.
pub(super) fn create(cx: &Cx<'_>, name: &Name, owner: Option<(u32, u32)>) -> Result<(), Failure> {
    let place = Dir::create(&place(cx), 0o755)?;
    crate::sys::tree::remove(&place, name.as_str())?;
    place.make_dir(name.as_str(), 0o700)?;
    let file = format!("{name}/{FILE}");
    place.write_new(&file, b"", 0o600)?;
    if let Some((user, group)) = owner {
        place.set_owner(&file, user, group)?;
        place.set_owner(name.as_str(), user, group)?;
    }
    Ok(())
}

/// Copies what is in a database, as of one moment, to a file that must not exist.
pub(super) fn dump(cx: &Cx<'_>, name: &Name, to: &Path) -> Result<(), Failure> {
    let from = open(cx, name, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    let Some(to) = to.to_str() else {
        return Err(Failure::new(Exit::Failed, "the place of a dump is no text"));
    };
    from.execute("VACUUM INTO ?1", [to]).map_err(|error| refused("be copied", &error))?;
    Ok(())
}

/// Puts the content of a dump into a database.
pub(super) fn load(cx: &Cx<'_>, name: &Name, mut from: File) -> Result<(), Failure> {
    let folder = Dir::open(&place(cx))?.dir(name.as_str())?;
    let broken =
        |error: std::io::Error| Failure::new(Exit::Failed, format!("cannot load a dump: {error}"));
    let mut head = Vec::new();
    Read::take(&mut from, MAGIC.len() as u64).read_to_end(&mut head).map_err(broken)?;
    if !head.is_empty() && head != MAGIC {
        return Err(Failure::new(Exit::Integrity, "the dump is no database of SQLite"));
    }
    let before = folder.meta(FILE)?;
    folder.remove_file("new.db")?;
    let mut new = folder.create_file("new.db", 0o600)?;
    new.write_all(&head).and_then(|()| std::io::copy(&mut from, &mut new)).map_err(broken)?;
    if let Some(meta) = before.filter(|_| crate::sys::host::is_root()) {
        folder.set_owner("new.db", meta.uid, meta.gid)?;
    }
    Ok(folder.rename("new.db", &folder, FILE)?)
}

/// Runs statements, all or none of them.
pub(super) fn run(cx: &Cx<'_>, name: &Name, statements: &[&str]) -> Result<(), Failure> {
    let mut database = open(cx, name, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    // Other files are none of its business.
    database
        .set_limit(Limit::SQLITE_LIMIT_ATTACHED, 0)
        .map_err(|error| refused("be opened", &error))?;
    let failed = |error| refused("run the statements", &error);
    let change = database.transaction().map_err(failed)?;
    for part in statements {
        change.execute_batch(part).map_err(failed)?;
    }
    change.commit().map_err(failed)
}

fn open(cx: &Cx<'_>, name: &Name, how: OpenFlags) -> Result<Connection, Failure> {
    // The administrator may have put the place elsewhere by a link; below it there is none.
    let path = fs::resolve(&place(cx))?.join(name.as_str()).join(FILE);
    let flags = how | OpenFlags::SQLITE_OPEN_NO_MUTEX | OpenFlags::SQLITE_OPEN_NOFOLLOW;
    let database =
        Connection::open_with_flags(path, flags).map_err(|error| refused("be opened", &error))?;
    database
        .pragma_update(None, "trusted_schema", false)
        .map_err(|error| refused("be opened", &error))?;
    Ok(database)
}

fn refused(what: &str, error: &rusqlite::Error) -> Failure {
    let error = error.to_string();
    let text = format!("a database of SQLite cannot {what}: {}", error.escape_debug());
    Failure::new(Exit::Failed, text)
}
