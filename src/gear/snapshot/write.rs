//! Writes a gear's home as an archive.

use super::Exclusions;
use crate::error::FsError;
use crate::sys::fs::{Dir, Kind, Meta};
use crate::sys::interrupt;
use crate::sys::path::RelPath;
use flate2::Compression;
use flate2::write::GzEncoder;
use std::fs::File;
use std::io::{self, BufWriter, Error, ErrorKind, Read, Write};
use std::path::Path;
use tar::{Builder, EntryType, Header};

/// Little is gained by more, and the gear is stopped meanwhile.
const LEVEL: u32 = 4;
/// How many paths are told of that an archive cannot hold.
const MOST_TOLD: usize = 10;
/// The longest name in a header of the plain form.
const SHORT: usize = 100;

/// What was written.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Written {
    /// How many entries.
    pub entries: u64,
    /// The bytes in files.
    pub bytes: u64,
    /// The bytes of the longest file.
    pub longest: u64,
    /// The length of the archive.
    pub packed: u64,
    /// Sockets, pipes and devices, which are left out.
    pub special: u64,
    /// What has a name, or leads to one, that no restore would take: it is left out. The first few.
    pub odd: Vec<String>,
    /// How many of those there are.
    pub odd_count: u64,
}

/// Writes what `home` holds, but for the exclusions, as `./TOP/…` to `file`, compressed; `tell` hears
/// after each file how many bytes are done.
pub fn write(
    home: &Dir,
    (top, without): (&str, &Exclusions),
    file: File,
    tell: &mut dyn FnMut(u64),
) -> Result<Written, FsError> {
    let fail = |error| FsError::new("pack", home.path(), error);
    let gzip = GzEncoder::new(BufWriter::new(file), Compression::new(LEVEL));
    let mut writer =
        Writer { to: Builder::new(gzip), top, without, written: Written::default(), tell };
    let Some(meta) = home.meta("")? else { return Err(fail(ErrorKind::NotFound.into())) };
    writer.folder(home, "", meta)?;
    let mut written = writer.written;
    let gzip = writer.to.into_inner().map_err(fail)?;
    let file = gzip.finish().and_then(|file| file.into_inner().map_err(Error::from));
    written.packed = file.and_then(|file| file.metadata()).map_err(fail)?.len();
    Ok(written)
}

struct Writer<'a, W: Write> {
    to: Builder<W>,
    top: &'a str,
    without: &'a Exclusions,
    written: Written,
    tell: &'a mut dyn FnMut(u64),
}

impl<W: Write> Writer<'_, W> {
    /// Writes the folder `dir`, which lies at `path` below the home, and what is in it.
    fn folder(&mut self, dir: &Dir, path: &str, meta: Meta) -> Result<(), FsError> {
        let fail = |error| FsError::new("pack", dir.path(), error);
        let name = if path.is_empty() { String::new() } else { format!("{path}/") };
        self.entry((EntryType::Directory, meta, 0), (&name, None), &mut io::empty())
            .map_err(fail)?;
        for name in dir.names()? {
            let shown = if path.is_empty() {
                name.to_string_lossy().into_owned()
            } else {
                format!("{path}/{}", name.to_string_lossy())
            };
            let is_clean = name.to_str().is_some() && RelPath::parse(&shown).is_ok();
            if !is_clean {
                self.leave_out(&shown);
            } else if !self.without.has(&shown) {
                self.one(dir, Path::new(&name), &shown)?;
            }
        }
        Ok(())
    }

    fn one(&mut self, dir: &Dir, name: &Path, path: &str) -> Result<(), FsError> {
        let fail = |error| FsError::new("pack", dir.path_of(name), error);
        interrupt::check().map_err(|signal| fail(Error::new(ErrorKind::Interrupted, signal)))?;
        let Some(meta) = dir.meta(name)? else { return Ok(()) };
        match meta.kind {
            Kind::Other => {
                self.written.special += 1;
                Ok(())
            }
            Kind::Directory => self.folder(&dir.dir(name)?, path, meta),
            Kind::Link => {
                let target = dir.link_target(name)?;
                let text = target.to_str().filter(|text| !text.chars().any(char::is_control));
                let Some(text) = text else {
                    self.leave_out(path);
                    return Ok(());
                };
                let kind = (EntryType::Symlink, meta, 0);
                self.entry(kind, (path, Some(text)), &mut io::empty()).map_err(fail)
            }
            Kind::File => {
                let kind = (EntryType::Regular, meta, meta.size);
                // A file that has become shorter meanwhile is filled up.
                let mut bytes = dir.open_file(name)?.chain(io::repeat(0)).take(meta.size);
                self.entry(kind, (path, None), &mut bytes).map_err(fail)?;
                self.written.bytes += meta.size;
                self.written.longest = self.written.longest.max(meta.size);
                (self.tell)(self.written.bytes);
                Ok(())
            }
        }
    }

    fn leave_out(&mut self, path: &str) {
        self.written.odd_count += 1;
        if self.written.odd.len() < MOST_TOLD {
            self.written.odd.push(path.escape_debug().to_string());
        }
    }

    /// Writes one member. The library would clean the `./` away by which the original finds it.
    fn entry(
        &mut self,
        (kind, meta, size): (EntryType, Meta, u64),
        (path, target): (&str, Option<&str>),
        bytes: &mut dyn Read,
    ) -> io::Result<()> {
        let path = format!("./{}/{path}", self.top);
        self.written.entries += 1;
        let mut header = Header::new_gnu();
        header.set_entry_type(kind);
        header.set_mode(meta.mode);
        header.set_uid(meta.uid.into());
        header.set_gid(meta.gid.into());
        header.set_size(size);
        header.set_mtime(meta.changed.seconds.try_into().unwrap_or_default());
        if path.len() > SHORT {
            self.long(EntryType::GNULongName, &path)?;
        }
        if let Some(target) = target {
            if target.len() > SHORT {
                self.long(EntryType::GNULongLink, target)?;
            }
            fill(&mut header.as_old_mut().linkname, target);
        }
        fill(&mut header.as_old_mut().name, &path);
        header.set_cksum();
        self.to.append(&header, bytes)
    }

    /// Writes the member that gives the next one a long name.
    fn long(&mut self, kind: EntryType, text: &str) -> io::Result<()> {
        let mut header = Header::new_gnu();
        header.set_entry_type(kind);
        fill(&mut header.as_old_mut().name, "././@LongLink");
        header.set_mode(0o644);
        header.set_size(text.len() as u64 + 1);
        header.set_cksum();
        self.to.append(&header, [text.as_bytes(), b"\0"].concat().as_slice())
    }
}

/// Puts as much of `text` into a field as fits.
fn fill(field: &mut [u8], text: &str) {
    field.fill(0);
    for (to, byte) in field.iter_mut().zip(text.bytes()) {
        *to = byte;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use flate2::read::GzDecoder;

    #[test]
    fn what_was_written_is_everything_but_what_is_excluded() {
        let temp = tempfile::tempdir().unwrap();
        let dir = Dir::open(temp.path()).unwrap();
        dir.make_dirs("home/app-root/data/private", 0o755).unwrap();
        let home = dir.dir("home").unwrap();
        let long = format!("app-root/data/{}", "n".repeat(150));
        home.write_new(&long, b"long", 0o640).unwrap();
        home.write_new("app-root/data/.bash_history", b"x", 0o600).unwrap();
        home.write_new("app-root/data/private/key", b"secret", 0o600).unwrap();
        home.make_link("app-root/data/link", "t".repeat(200)).unwrap();
        home.make_dir(".ssh", 0o700).unwrap();
        home.write_new("app-root/data/a\nb", b"odd", 0o600).unwrap();
        home.set_mode("app-root/data/private", 0o700).unwrap();
        let file = dir.create_file("x.tar.gz", 0o600).unwrap();
        let mut told = 0;
        let without = Exclusions::fixed();
        let written = write(&home, ("g1", &without), file, &mut |bytes| told = bytes).unwrap();
        assert_eq!((written.bytes, written.longest, told), (10, 6, 10));
        assert_eq!(
            (written.odd_count, written.odd.as_slice()),
            (1, &["app-root/data/a\\nb".into()][..])
        );
        assert_eq!(written.packed, dir.meta("x.tar.gz").unwrap().unwrap().size);
        let mut packed = tar::Archive::new(GzDecoder::new(dir.open_file("x.tar.gz").unwrap()));
        let mut seen = Vec::new();
        for entry in packed.entries().unwrap() {
            let entry = entry.unwrap();
            let name = String::from_utf8(entry.path_bytes().into_owned()).unwrap();
            seen.push((name, entry.header().mode().unwrap()));
            if entry.header().entry_type().is_symlink() {
                assert_eq!(entry.link_name_bytes().unwrap().as_ref(), "t".repeat(200).as_bytes());
            }
        }
        let mode = |name: &str| seen.iter().find(|(one, _)| one == name).map(|(_, mode)| *mode);
        // As the original's `tar` names it.
        assert_eq!(seen[0].0, "./g1/");
        assert_eq!(mode(&format!("./g1/{long}")), Some(0o640));
        assert_eq!(mode("./g1/app-root/data/private/"), Some(0o700));
        assert_eq!(seen.len(), 7, "{seen:?}");
    }
}
