//! From a package's source directory to a file that can be installed elsewhere: a `.tpkg`, or an
//! archive of a cartridge.
//!
//! The bytes depend on names, modes and contents alone, so that whoever builds again gets the same
//! file: members are sorted, belong to root, and have one time, `SOURCE_DATE_EPOCH` where that is
//! set. The file appears whole, durable, in one rename, or not at all. Joins `archive` (which
//! looks at the directory under the rules for archives) and `format` (which says what it is).

mod compress;
mod error;
mod frame;
mod members;
mod tpkg;
mod ubos;

pub use compress::Compress;
pub use error::PackError;

use crate::archive::{self, Links, Modes, Options, Strip};
use crate::config;
use crate::format::tpkg::crypt::Passphrase;
use crate::format::{self, Called, Named, Unpacked};
use crate::package::Package;
use crate::package::digest::Sha256;
use crate::package::file_table::FileTable;
use crate::package::note::Notes;
use crate::progress::Watch;
use crate::sys::fs::{self, Dir};
use frame::Target;
use members::Members;
use std::path::Path;

/// The time of every member where nobody sets one: 1980-01-01, the first that every kind of archive
/// can record.
pub const USUAL_TIME: u64 = 315_532_800;

/// What is to be packed, and how.
#[derive(Clone, Copy)]
pub struct Order<'a> {
    /// The source directory.
    pub from: &'a Path,
    /// The directory for the file; nothing for the one beside the source.
    pub into: Option<&'a Path>,
    /// How the archive is compressed.
    pub compress: Compress,
    /// The time of the members, in seconds since 1970.
    pub time: u64,
    /// What an archive may hold.
    pub limits: &'a config::Archive,
}

/// What was made.
#[derive(Clone, Debug)]
pub struct Packed {
    /// Where the file lies.
    pub path: std::path::PathBuf,
    /// The package's title.
    pub title: String,
    /// Its digest.
    pub sha256: Sha256,
    /// Its length in bytes.
    pub length: u64,
    /// How many entries the package has.
    pub entries: usize,
    /// What there was to remark.
    pub notes: Notes,
}

/// Asks for the passphrase of the package with this title.
pub type AskPassphrase<'a> = &'a mut dyn FnMut(&str) -> Result<Passphrase, crate::error::Failure>;

/// A source directory that was looked at.
struct Source<'a> {
    dir: &'a Dir,
    table: FileTable,
}

/// Packs what `order` says. `ask` is called where files have to be encrypted.
pub fn pack(
    order: &Order<'_>,
    ask: AskPassphrase<'_>,
    watch: &dyn Watch,
) -> Result<Packed, PackError> {
    let from = Dir::open(&fs::resolve(order.from)?)?;
    let target = Target::open(order, &from)?;
    let is_tpkg = format::is_tpkg(&mut |path| from.has(path).unwrap_or(false));
    if !is_tpkg
        && format::is_ubos(&mut |path| from.has(path).unwrap_or(false))
        && from.has(ubos::PKGBUILD)?
    {
        return ubos::pack(order, (&from, &target), watch);
    }
    watch.phase("read", None);
    let table = survey(order, &from, is_tpkg, watch)?;
    let source = Source { dir: &from, table };
    if is_tpkg {
        return tpkg::pack(order, (&source, &target), (ask, watch));
    }
    cartridge(order, (&source, &target), watch)
}

fn survey(
    order: &Order<'_>,
    from: &Dir,
    is_tpkg: bool,
    watch: &dyn Watch,
) -> Result<FileTable, PackError> {
    let options = Options {
        limits: order.limits,
        links: Links::Contained,
        modes: Modes::AsPacked,
        strip: Strip::Nothing,
        older: None,
    };
    let options = if is_tpkg { options.for_tpkg() } else { options };
    Ok(archive::survey(from, &options, watch)?)
}

/// A cartridge becomes one archive with one folder at its top.
fn cartridge(
    order: &Order<'_>,
    (source, target): (&Source<'_>, &Target),
    watch: &dyn Watch,
) -> Result<Packed, PackError> {
    let mut notes = Notes::default();
    let tree = Unpacked { dir: source.dir, table: &source.table };
    let name = source.dir.path().file_name().map(|name| name.to_string_lossy().into_owned());
    let called = Called { name: name.as_deref(), ..Called::default() };
    let package = format::read(&Named { tree, called }, &mut notes)?;
    let Package { package_version, .. } = &package;
    let stem = format!("{}-{package_version}", package.title());
    archived(order, (source, target), (package.title(), &stem, notes), watch)
}

/// Packs the whole of `source`, with one folder at its top, of which the archive has its name.
fn archived(
    order: &Order<'_>,
    (source, target): (&Source<'_>, &Target),
    (title, stem, notes): (String, &str, Notes),
    watch: &dyn Watch,
) -> Result<Packed, PackError> {
    let ending = match order.compress {
        Compress::Gzip => "tar.gz",
        Compress::No => "tar",
        Compress::Bzip2 => return Err(PackError::NoBzip2),
    };
    let scratch = target.scratch()?;
    watch.phase("pack", Some(source.table.size()));
    let mut members = Members::new(order.compress.begin(scratch), order.time);
    members.directory(stem, 0o755)?;
    for entry in source.table.entries() {
        members.entry(&format!("{stem}/{}", entry.path), entry, (source.dir, watch))?;
    }
    let done = members.finish()?.finish().map_err(PackError::Write)?;
    let finished = target.place(done, &format!("{stem}.{ending}"))?;
    Ok(finished.packed(title, source.table.entries().len(), notes))
}
