//! Makes a zip archive: texts, and trees as they lie on the disk.
//!
//! Names are the caller's, clean and relative. Links are kept as links, sockets and pipes are left out
//! and counted; what is compressed already is stored as it is.

use super::zip::ZipFault;
use super::{ArchiveError, Reason};
use crate::sys::clock::Moment;
use crate::sys::fs::{Dir, Kind, Meta};
use crate::sys::path::RelPath;
use ::zip::write::SimpleFileOptions;
use ::zip::{CompressionMethod, DateTime, ZipWriter};
use std::ffi::OsStr;
use std::fs::File;
use std::io::{Read, Seek, Write};
use std::path::Path;

/// Endings of files that deflating makes no smaller.
const COMPRESSED: [&str; 16] = [
    "7z", "bz2", "gif", "gz", "jpeg", "jpg", "mp3", "mp4", "ogg", "pdf", "png", "webm", "webp",
    "xz", "zip", "zst",
];
/// How many bytes are read at a time.
const PIECE: usize = 256 << 10;

/// A zip archive in the making.
pub struct Zipper<W: Write + Seek> {
    writer: ZipWriter<W>,
    left_out: u64,
}

impl<W: Write + Seek> std::fmt::Debug for Zipper<W> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Zipper").field("left_out", &self.left_out).finish_non_exhaustive()
    }
}

impl<W: Write + Seek> Zipper<W> {
    /// Begins one.
    pub fn new(into: W) -> Self {
        Self { writer: ZipWriter::new(into).set_auto_large_file(), left_out: 0 }
    }

    /// Adds a folder.
    pub fn folder(&mut self, name: &RelPath, when: Moment) -> Result<(), ArchiveError> {
        let how = options(0o755, when);
        self.writer.add_directory(name.as_str(), how).map_err(|error| fault(name, error))
    }

    /// Adds a file with these bytes.
    pub fn text(&mut self, name: &RelPath, bytes: &[u8], when: Moment) -> Result<(), ArchiveError> {
        self.writer
            .start_file(name.as_str(), options(0o644, when))
            .map_err(|error| fault(name, error))?;
        self.writer.write_all(bytes).map_err(ArchiveError::Read)
    }

    /// Adds what lies at `path` of `dir`, a file or a whole folder, as `name`.
    pub fn tree(&mut self, name: &RelPath, dir: &Dir, path: &Path) -> Result<(), ArchiveError> {
        let Some(meta) = dir.meta(path)? else { return Ok(()) };
        let when = seconds(meta.changed.seconds);
        match meta.kind {
            Kind::Directory => {
                let how = options(meta.mode, when);
                self.writer
                    .add_directory(name.as_str(), how)
                    .map_err(|error| fault(name, error))?;
                let inner = dir.dir(path)?;
                for one in inner.names()? {
                    let text = one.to_str().ok_or_else(|| refused(name, &one))?;
                    let clean = RelPath::parse(text).map_err(|_| refused(name, &one))?;
                    self.tree(&name.join(&clean), &inner, Path::new(&one))?;
                }
                Ok(())
            }
            Kind::File => self.file(name, &mut dir.open_file(path)?, meta),
            Kind::Link => {
                let target = dir.link_target(path)?;
                let text = target.to_str().ok_or_else(|| refused(name, target.as_os_str()))?;
                let how = options(0o777, when);
                self.writer
                    .add_symlink(name.as_str(), text, how)
                    .map_err(|error| fault(name, error))
            }
            Kind::Other => {
                self.left_out += 1;
                Ok(())
            }
        }
    }

    fn file(&mut self, name: &RelPath, from: &mut File, meta: Meta) -> Result<(), ArchiveError> {
        let ending = Path::new(name.name()).extension().unwrap_or(OsStr::new(""));
        let stored = COMPRESSED.iter().any(|one| ending.eq_ignore_ascii_case(one));
        let method = if stored { CompressionMethod::Stored } else { CompressionMethod::Deflated };
        let how = options(meta.mode, seconds(meta.changed.seconds)).compression_method(method);
        self.writer.start_file(name.as_str(), how).map_err(|error| fault(name, error))?;
        let mut piece = vec![0; PIECE];
        loop {
            let count = from.read(&mut piece).map_err(ArchiveError::Read)?;
            if count == 0 {
                return Ok(());
            }
            let piece = piece.get(..count).unwrap_or_default();
            self.writer.write_all(piece).map_err(ArchiveError::Read)?;
        }
    }

    /// Ends it; gives how many sockets and pipes were left out.
    pub fn finish(self) -> Result<(W, u64), ArchiveError> {
        let left_out = self.left_out;
        let into = self.writer.finish().map_err(|error| match error {
            ::zip::result::ZipError::Io(error) => ArchiveError::Read(error),
            _ => ArchiveError::zip("", ZipFault::Directory),
        })?;
        Ok((into, left_out))
    }
}

/// The moment that is so many seconds after 1970.
fn seconds(seconds: i64) -> Moment {
    Moment(seconds.saturating_mul(1000))
}

fn options(mode: u32, when: Moment) -> SimpleFileOptions {
    SimpleFileOptions::default()
        .compression_method(CompressionMethod::Deflated)
        .unix_permissions(mode & 0o7777)
        .last_modified_time(dos(when))
}

/// A time as zip has it: two seconds are the same, and nothing is before 1980.
fn dos(when: Moment) -> DateTime {
    let text = when.rfc3339();
    let number =
        |at: std::ops::Range<usize>| text.get(at).and_then(|part| part.parse::<u16>().ok());
    let part = |at| number(at).and_then(|number| u8::try_from(number).ok());
    let whole = || {
        let year = number(0..4)?;
        let (month, day) = (part(5..7)?, part(8..10)?);
        let (hour, minute, second) = (part(11..13)?, part(14..16)?, part(17..19)?);
        DateTime::from_date_and_time(year, month, day, hour, minute, second).ok()
    };
    whole().unwrap_or_default()
}

fn refused(name: &RelPath, inner: &OsStr) -> ArchiveError {
    let mut path = name.as_str().as_bytes().to_vec();
    path.push(b'/');
    path.extend_from_slice(inner.as_encoded_bytes());
    ArchiveError::refused(&path, Reason::NameOrType)
}

fn fault(name: &RelPath, error: ::zip::result::ZipError) -> ArchiveError {
    match error {
        ::zip::result::ZipError::Io(error) => ArchiveError::Read(error),
        _ => ArchiveError::refused(name.as_str(), Reason::NameOrType),
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Links, Modes, Options, Strip, unpack_zip};
    use super::*;
    use crate::config;
    use crate::progress::Nobody;

    #[test]
    fn what_was_packed_is_what_is_unpacked() {
        let temp = tempfile::tempdir().unwrap();
        let dir = Dir::open(temp.path()).unwrap();
        dir.make_dirs("from/deep/empty", 0o755).unwrap();
        dir.write_new("from/deep/a.txt", &b"text ".repeat(1000), 0o644).unwrap();
        dir.write_new("from/b.gz", b"stored", 0o755).unwrap();
        dir.make_link("from/link", "deep/a.txt").unwrap();
        rustix::fs::mknodat(
            rustix::fs::CWD,
            dir.path_of("from/pipe"),
            rustix::fs::FileType::Fifo,
            rustix::fs::Mode::RUSR,
            0,
        )
        .unwrap();
        let rel = |text: &str| RelPath::parse(text).unwrap();
        let file = dir.create_file("a.zip", 0o600).unwrap();
        let mut zip = Zipper::new(file);
        zip.folder(&rel("top"), Moment(0)).unwrap();
        zip.text(&rel("top/note"), b"n", seconds(1_700_000_000)).unwrap();
        zip.tree(&rel("top/tree"), &dir, Path::new("from")).unwrap();
        let (_, left_out) = zip.finish().unwrap();
        assert_eq!(left_out, 1);
        dir.make_dir("into", 0o755).unwrap();
        let options = Options {
            limits: &config::Archive::default(),
            links: Links::Contained,
            modes: Modes::AsPacked,
            strip: Strip::Nothing,
            older: None,
        };
        let into = dir.dir("into").unwrap();
        unpack_zip(&dir.open_file("a.zip").unwrap(), &into, &options, &Nobody).unwrap();
        assert_eq!(into.read("top/tree/deep/a.txt", 1 << 20).unwrap(), b"text ".repeat(1000));
        assert_eq!(into.read("top/tree/b.gz", 100).unwrap(), b"stored");
        assert_eq!(into.meta("top/tree/b.gz").unwrap().unwrap().mode, 0o755);
        assert_eq!(into.link_target("top/tree/link").unwrap(), Path::new("deep/a.txt"));
        assert!(into.has("top/tree/deep/empty").unwrap() && !into.has("top/tree/pipe").unwrap());
        assert_eq!(into.meta("top/note").unwrap().unwrap().changed.seconds, 1_700_000_000);
    }
}
