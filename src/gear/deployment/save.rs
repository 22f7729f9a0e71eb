//! A deployment as an archive, without what it says of itself (node specification, 9).

use super::{FOLDER, PARTS};
use crate::error::FsError;
use crate::sys::fs::{Dir, Kind, Meta};
use crate::sys::interrupt;
use flate2::write::GzEncoder;
use std::ffi::OsStr;
use std::fs::File;
use std::io::{self, BufWriter, Error, ErrorKind, Read};
use std::path::{Path, PathBuf};
use tar::{Builder, EntryType, Header};

/// Writes the deployment `name` of the gear at `home` as `.tar.gz` to `file` in `folder`, which
/// appears whole or not at all.
pub fn save(home: &Dir, name: &str, (folder, file): (&Dir, &OsStr)) -> Result<(), FsError> {
    let mut beside = OsStr::new(".").to_owned();
    beside.push(file);
    beside.push(".cart-new");
    folder.remove_file(&beside)?;
    let written = write(home, name, folder.create_file(&beside, 0o600)?);
    let done = written.and_then(|()| folder.rename(&beside, folder, file));
    if done.is_err() {
        // The first error is the one to tell of.
        let _ = folder.remove_file(&beside);
    }
    done
}

fn write(home: &Dir, name: &str, file: File) -> Result<(), FsError> {
    let fail = |error| FsError::new("save", home.path_of(format!("{FOLDER}/{name}")), error);
    let file = write_archive(home, name, BufWriter::new(file))?;
    let file = file.into_inner().map_err(Error::from);
    file.and_then(|file| file.sync_all()).map_err(fail)
}

/// Writes the deployment `name` of the gear at `home` as `.tar.gz` to `out`, and gives that back.
pub fn write_archive<W: io::Write>(home: &Dir, name: &str, out: W) -> Result<W, FsError> {
    let deployment = home.dir(format!("{FOLDER}/{name}"))?;
    let fail = |error| FsError::new("save", deployment.path(), error);
    let gzip = GzEncoder::new(out, flate2::Compression::default());
    let mut builder = Builder::new(gzip);
    for part in PARTS {
        if deployment.has(part)? {
            add(&mut builder, &deployment, (Path::new(part), Path::new(part)))?;
        }
    }
    let gzip = builder.into_inner().map_err(fail)?;
    gzip.finish().map_err(fail)
}

/// Adds `name` of `dir`, known as `path`, and everything in it.
fn add<W: io::Write>(
    to: &mut Builder<W>,
    dir: &Dir,
    (name, path): (&Path, &Path),
) -> Result<(), FsError> {
    let fail = |error| FsError::new("save", dir.path_of(name), error);
    interrupt::check().map_err(|signal| fail(Error::new(ErrorKind::Interrupted, signal)))?;
    let Some(meta) = dir.meta(name)? else { return Ok(()) };
    match meta.kind {
        Kind::Other => Ok(()),
        Kind::Link => {
            let mut header = header(EntryType::Symlink, meta, 0);
            to.append_link(&mut header, path, dir.link_target(name)?).map_err(fail)
        }
        Kind::File => {
            let file = dir.open_file(name)?;
            let mut header = header(EntryType::Regular, meta, meta.size);
            // The library fills up a file that has become shorter.
            to.append_data(&mut header, path, file.take(meta.size)).map_err(fail)
        }
        Kind::Directory => {
            let mut header = header(EntryType::Directory, meta, 0);
            let mut folder = PathBuf::from(path);
            folder.push("");
            to.append_data(&mut header, &folder, io::empty()).map_err(fail)?;
            let inner = dir.dir(name)?;
            let mut names = inner.names()?;
            names.sort();
            for entry in names {
                add(to, &inner, (Path::new(&entry), &path.join(&entry)))?;
            }
            Ok(())
        }
    }
}

fn header(kind: EntryType, meta: Meta, size: u64) -> Header {
    let mut header = Header::new_gnu();
    header.set_entry_type(kind);
    header.set_mode(meta.mode);
    header.set_size(size);
    header.set_mtime(meta.changed.seconds.try_into().unwrap_or_default());
    header
}
