//! A stand-in until the real module is merged: just enough for `gather` to compile and be tried.

use crate::config;
use crate::error::{Exit, Explain, FsError};
use crate::package::digest::Sha256;
use crate::package::file_table::{Content, Entry, FileTable};
use crate::progress::Watch;
use crate::sys::fs::{Dir, Kind as FsKind};
use crate::sys::path::RelPath;
use sha2::Digest;
use std::fs::File;
use std::io::{Read, Write};

/// Which archive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// tar
    Tar,
    /// tar.gz
    TarGz,
    /// zip
    Zip,
}
/// Links.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Links {
    /// Only inside.
    Contained,
    /// Also outside.
    External,
}
/// Modes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Modes {
    /// As packed.
    AsPacked,
    /// Without write bits.
    ReadOnly,
}
/// Stripping.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Strip {
    /// The only top directory.
    SingleTop,
    /// Nothing.
    Nothing,
}
/// Options.
#[derive(Clone, Copy, Debug)]
pub struct Options<'a> {
    /// Limits.
    pub limits: &'a config::Archive,
    /// Links.
    pub links: Links,
    /// Modes.
    pub modes: Modes,
    /// Strip.
    pub strip: Strip,
}
/// Errors.
#[derive(Debug, thiserror::Error)]
pub enum ArchiveError {
    /// File.
    #[error(transparent)]
    Fs(#[from] FsError),
    /// Broken.
    #[error("the archive is broken")]
    Broken(#[source] std::io::Error),
}
impl Explain for ArchiveError {
    fn exit(&self) -> Exit {
        Exit::Integrity
    }
}
/// By content.
pub fn detect(head: &[u8]) -> Option<Kind> {
    match head {
        [0x1f, 0x8b, ..] => Some(Kind::TarGz),
        [b'P', b'K', 3, 4, ..] => Some(Kind::Zip),
        _ if head.get(257..262) == Some(b"ustar") => Some(Kind::Tar),
        _ => None,
    }
}
/// One pass.
pub fn unpack_stream(
    kind: Kind,
    packed: &mut (dyn Read + Send),
    into: &Dir,
    options: &Options<'_>,
    _watch: &dyn Watch,
) -> Result<FileTable, ArchiveError> {
    let reader: Box<dyn Read + Send + '_> = match kind {
        Kind::TarGz => Box::new(flate2::read::GzDecoder::new(packed)),
        _ => Box::new(packed),
    };
    let mut archive = tar::Archive::new(reader);
    for entry in archive.entries().map_err(ArchiveError::Broken)? {
        let mut entry = entry.map_err(ArchiveError::Broken)?;
        let path = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
        if entry.header().entry_type().is_dir() {
            into.make_dirs(path.trim_end_matches('/'), 0o755)?;
            continue;
        }
        if let Some((parent, _)) = path.rsplit_once('/') {
            into.make_dirs(parent, 0o755)?;
        }
        let mut bytes = Vec::new();
        entry.read_to_end(&mut bytes).map_err(ArchiveError::Broken)?;
        into.write_new(&path, &bytes, entry.header().mode().unwrap_or(0o644) & 0o755)?;
    }
    let names = into.names()?;
    if let (Strip::SingleTop, [only]) = (options.strip, names.as_slice()) {
        into.rename(only, into, ".top")?;
        let top = into.dir(".top")?;
        for name in top.names()? {
            top.rename(&name, into, &name)?;
        }
        into.remove_dir(".top")?;
    }
    survey(into, options, &crate::progress::Nobody)
}
/// Zip.
pub fn unpack_zip(
    packed: &File,
    into: &Dir,
    options: &Options<'_>,
    watch: &dyn Watch,
) -> Result<FileTable, ArchiveError> {
    let mut archive = zip::ZipArchive::new(packed)
        .map_err(|error| ArchiveError::Broken(std::io::Error::other(error)))?;
    for at in 0..archive.len() {
        let mut entry =
            archive.by_index(at).map_err(|e| ArchiveError::Broken(std::io::Error::other(e)))?;
        let name = String::from_utf8_lossy(entry.name_raw()).into_owned();
        if let Some((parent, _)) = name.rsplit_once('/') {
            into.make_dirs(parent, 0o755)?;
        }
        let mut bytes = Vec::new();
        entry.read_to_end(&mut bytes).map_err(ArchiveError::Broken)?;
        into.create_file(&name, 0o644)?.write_all(&bytes).map_err(ArchiveError::Broken)?;
    }
    survey(into, options, watch)
}
/// Directory.
pub fn import(
    from: &Dir,
    into: &Dir,
    options: &Options<'_>,
    watch: &dyn Watch,
) -> Result<FileTable, ArchiveError> {
    crate::sys::tree::copy_inside(from, into, crate::sys::tree::Modes::Kept)?;
    survey(into, options, watch)
}
/// What is there.
pub fn survey(
    tree: &Dir,
    options: &Options<'_>,
    _watch: &dyn Watch,
) -> Result<FileTable, ArchiveError> {
    let mut entries = Vec::new();
    walk(tree, "", &mut entries)?;
    if options.modes == Modes::ReadOnly {
        for entry in entries.iter().rev() {
            if !matches!(entry.content, Content::Link(_)) {
                tree.set_mode(&entry.path, entry.mode & 0o555)?;
            }
        }
    }
    Ok(FileTable::new(entries))
}
fn walk(tree: &Dir, below: &str, entries: &mut Vec<Entry>) -> Result<(), ArchiveError> {
    let dir = if below.is_empty() { tree.again()? } else { tree.dir(below)? };
    for name in dir.names()? {
        let text = format!("{below}{}{}", if below.is_empty() { "" } else { "/" }, name.display());
        let Some(meta) = dir.meta(&name)? else { continue };
        let path = RelPath::parse(&text)
            .map_err(|error| ArchiveError::Broken(std::io::Error::other(error)))?;
        let content = match meta.kind {
            FsKind::Directory => Content::Directory,
            FsKind::Link => Content::Link(dir.link_target(&name)?.display().to_string()),
            _ => {
                let bytes = dir.read(&name, 1 << 30)?;
                let sha256 = Sha256(sha2::Sha256::digest(&bytes).into());
                Content::File { size: bytes.len() as u64, sha256 }
            }
        };
        let mode = if meta.mode & 0o100 != 0 { 0o755 } else { 0o644 };
        let is_dir = content == Content::Directory;
        entries.push(Entry { path, mode, content });
        if is_dir {
            walk(tree, &text, entries)?;
        }
    }
    Ok(())
}
