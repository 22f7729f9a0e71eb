//! Compares a tree with what was recorded when it was installed, by content.

use crate::error::FsError;
use crate::package::digest::Sha256;
use crate::package::file_table::{Content, Entry, FileTable};
use crate::sys::fs::{Dir, Kind, Meta};
use crate::sys::path::RelPath;
use sha2::Digest;
use std::collections::HashSet;
use std::io::Read;
use std::path::Path;

/// How a path differs from what was recorded.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Difference {
    /// The path in the tree.
    pub path: String,
    /// What is different, in words: `missing`, `content`, `mode`, `kind`, `target`, `extra`.
    pub what: &'static str,
}

/// Compares `tree` with `table`, with as many threads as there are processors, at most four.
/// Write bits do not count: the library takes them away.
pub fn verify(tree: &Dir, table: &FileTable) -> Result<Vec<Difference>, FsError> {
    let entries = table.entries();
    let threads = std::thread::available_parallelism().map_or(1, usize::from).min(4);
    let share = entries.len().div_ceil(threads).max(1);
    let checked: Result<Vec<_>, FsError> = std::thread::scope(|scope| {
        let workers: Vec<_> = entries
            .chunks(share)
            .map(|chunk| scope.spawn(move || check_all(tree, chunk)))
            .collect();
        let joined = workers
            .into_iter()
            .map(|worker| worker.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)));
        joined.collect()
    });
    let mut found: Vec<Difference> = checked?.into_iter().flatten().collect();
    let known: HashSet<&str> = entries.iter().map(|entry| entry.path.as_str()).collect();
    find_extra(tree, "", &known, &mut found)?;
    Ok(found)
}

fn check_all(tree: &Dir, entries: &[Entry]) -> Result<Vec<Difference>, FsError> {
    let mut buffer = vec![0; 1 << 16];
    let mut found = Vec::new();
    // Entries come in order of path: the directory of the last one is usually the next one's.
    let mut holder: Option<(RelPath, Dir)> = None;
    for entry in entries {
        let what = match entry.path.parent() {
            None => check(tree, entry.path.as_path(), entry, &mut buffer)?,
            Some(parent) => {
                if holder.as_ref().is_none_or(|(path, _)| *path != parent) {
                    holder = tree.dir(&parent).ok().map(|dir| (parent.clone(), dir));
                }
                match &holder {
                    Some((_, dir)) => check(dir, Path::new(entry.path.name()), entry, &mut buffer)?,
                    None => Some("missing"),
                }
            }
        };
        found.extend(what.map(|what| Difference { path: entry.path.to_string(), what }));
    }
    Ok(found)
}

fn check(
    dir: &Dir,
    name: &Path,
    entry: &Entry,
    buffer: &mut [u8],
) -> Result<Option<&'static str>, FsError> {
    let Some(meta) = dir.meta(name)? else {
        return Ok(Some("missing"));
    };
    Ok(match &entry.content {
        Content::Directory if meta.kind != Kind::Directory => Some("kind"),
        Content::Link(_) if meta.kind != Kind::Link => Some("kind"),
        Content::File { .. } if meta.kind != Kind::File => Some("kind"),
        Content::Link(target) => {
            (dir.link_target(name)?.as_os_str() != target.as_str()).then_some("target")
        }
        Content::File { size, .. } if *size != meta.size => Some("content"),
        Content::File { sha256, .. } if hash(dir, name, buffer)? != *sha256 => Some("content"),
        _ => differs_in_mode(entry, meta).then_some("mode"),
    })
}

fn differs_in_mode(entry: &Entry, meta: Meta) -> bool {
    const BITS: u32 = 0o7555;
    entry.mode & BITS != meta.mode & BITS
}

fn hash(dir: &Dir, name: &Path, buffer: &mut [u8]) -> Result<Sha256, FsError> {
    let mut file = dir.open_file(name)?;
    let mut hash = sha2::Sha256::new();
    loop {
        match file.read(buffer) {
            Ok(0) => return Ok(Sha256(hash.finalize().into())),
            Ok(count) => hash.update(buffer.get(..count).unwrap_or_default()),
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            Err(error) => return Err(FsError::new("read", dir.path_of(name), error)),
        }
    }
}

fn find_extra(
    dir: &Dir,
    prefix: &str,
    known: &HashSet<&str>,
    found: &mut Vec<Difference>,
) -> Result<(), FsError> {
    for name in dir.names()? {
        let path = format!("{prefix}{}", name.to_string_lossy());
        if !known.contains(path.as_str()) {
            found.push(Difference { path, what: "extra" });
        } else if dir.meta(&name)?.is_some_and(|meta| meta.kind == Kind::Directory) {
            find_extra(&dir.dir(&name)?, &format!("{path}/"), known, found)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(path: &str, mode: u32, content: Content) -> Entry {
        Entry { path: RelPath::parse(path).unwrap(), mode, content }
    }

    #[test]
    fn every_difference_is_found_and_no_other() {
        let temp = tempfile::tempdir().unwrap();
        let tree = Dir::open(temp.path()).unwrap();
        tree.make_dir("d", 0o755).unwrap();
        let digest = Sha256(sha2::Sha256::digest(b"text").into());
        let file = |path| entry(path, 0o644, Content::File { size: 4, sha256: digest });
        for name in ["d/same", "d/content", "d/mode"] {
            tree.write_new(name, b"text", 0o444).unwrap();
        }
        tree.make_link("link", "d/same").unwrap();
        let table = FileTable::new(vec![
            entry("d", 0o755, Content::Directory),
            file("d/same"),
            file("d/content"),
            file("d/mode"),
            file("d/gone"),
            file("e/gone"),
            entry("link", 0o777, Content::Link("d/same".into())),
        ]);
        tree.remove_file("d/content").unwrap();
        tree.write_new("d/content", b"texT", 0o444).unwrap();
        tree.set_mode("d/mode", 0o555).unwrap();
        tree.write_new("d/extra", b"", 0o644).unwrap();
        tree.remove_file("link").unwrap();
        tree.make_link("link", "elsewhere").unwrap();
        let mut found: Vec<_> = verify(&tree, &table)
            .unwrap()
            .into_iter()
            .map(|difference| format!("{} {}", difference.what, difference.path))
            .collect();
        found.sort();
        let expected = [
            "content d/content",
            "extra d/extra",
            "missing d/gone",
            "missing e/gone",
            "mode d/mode",
            "target link",
        ];
        assert_eq!(found, expected);
    }
}
