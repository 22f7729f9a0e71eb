//! Archives and manifests: sources that are a row of bytes.

use super::error::GatherError;
use super::one::{Arrived, One, TREE};
use crate::archive::{self, ArchiveError, Kind};
use crate::error::FsError;
use crate::format;
use crate::package::file_table::FileTable;
use crate::progress::Nobody;
use crate::source::cache::{Cache, Keeping, Kept};
use crate::source::digest::{Checks, Seen, Staged};
use crate::source::error::SourceError;
use crate::source::file;
use crate::source::locator::Source;
use crate::source::stream::Stream;
use crate::sys::tree;
use reqwest::Url;
use std::fs::File;
use std::io::{self, Read, Seek, Write};
use std::path::Path;

/// The longest manifest.
pub(super) const LONGEST_MANIFEST: u64 = 1 << 20;

type Unpacked = (FileTable, Seen, Option<Keeping>);

/// What the bytes have to be: their digests, and their name in errors.
struct Expected<'a> {
    checks: &'a [Checks],
    name: String,
}

impl One<'_> {
    /// A file on this host.
    pub(super) fn file(
        &self,
        path: &Path,
        source: &Source,
        checks: &[Checks],
    ) -> Result<Arrived, GatherError> {
        let limit = self.gatherer.config.download.max_length;
        let stream = file::open(path, limit, self.watched)?;
        self.unpack(Teed { stream, keeping: None }, source, checks)
    }

    /// A file on the web, or the same file in the cache; and where it finally came from.
    pub(super) fn web(
        &self,
        url: &Url,
        source: &Source,
        checks: &[Checks],
    ) -> Result<(Option<String>, Arrived), GatherError> {
        if let Some(arrived) = self.cached(source, checks)? {
            return Ok((None, arrived));
        }
        let stream = self.gatherer.http.open(url, self.watched)?;
        let moved = stream.opened().final_url.clone();
        let teed = Teed { stream, keeping: self.keeping(checks) };
        Ok((moved, self.unpack(teed, source, checks)?))
    }

    /// Unpacks what the cache has, if it is what its name says.
    fn cached(&self, source: &Source, checks: &[Checks]) -> Result<Option<Arrived>, GatherError> {
        let Some((cache, kept)) = self.find_kept(checks) else { return Ok(None) };
        match self.file(&cache.path(&kept), source, checks) {
            Ok(arrived @ Arrived::Tree(..)) => Ok(Some(arrived)),
            Err(error @ GatherError::Source(SourceError::Stopped(_))) => Err(error),
            Err(GatherError::Digest(_) | GatherError::Source(_)) | Ok(Arrived::Manifest(_)) => {
                // Damaged or cleaned away since: forget it and what came of it, and download.
                self.watched.watch.note("the kept download is damaged and is fetched again");
                cache.forget(&kept)?;
                tree::remove(self.staging.dir(), self.staging.name(TREE))?;
                Ok(None)
            }
            // The right bytes, and they are refused: a download would give the same.
            Err(error) => Err(error),
        }
    }

    /// The cache saves time; one that cannot be used costs no more than a note.
    fn find_kept(&self, checks: &[Checks]) -> Option<(Cache, Kept)> {
        if checks.iter().all(Checks::is_empty) {
            return None;
        }
        let found = Cache::open(&self.gatherer.layout)
            .and_then(|cache| Ok(cache.find(checks)?.map(|kept| (cache, kept))));
        found.unwrap_or_else(|error| self.without_cache(&error))
    }

    /// Only what is verified later may be kept, and only a check can verify it.
    fn keeping(&self, checks: &[Checks]) -> Option<Keeping> {
        if checks.iter().all(Checks::is_empty) {
            return None;
        }
        let begun = Cache::open(&self.gatherer.layout).and_then(|cache| cache.begin());
        begun.map_or_else(|error| self.without_cache(&error), Some)
    }

    fn without_cache<T>(&self, error: &FsError) -> Option<T> {
        self.watched.watch.note(&format!("the cache is not used: {error}: {}", error.source));
        None
    }

    /// Unpacks the stream as what its first bytes say that it is.
    fn unpack(
        &self,
        mut packed: Teed<'_>,
        source: &Source,
        checks: &[Checks],
    ) -> Result<Arrived, GatherError> {
        let opened = packed.stream.opened().clone();
        self.watched.watch.phase("download", opened.length);
        let head = packed.stream.head(archive::HEAD)?.to_vec();
        let name = opened.final_url.unwrap_or_else(|| source.to_string());
        let expected = Expected { checks, name };
        let kind = archive::detect(&head).map(|kind| match kind {
            // Whoever calls it so wants to hear what keeps it from being one.
            Kind::Tar if is_called_tpkg(source) => Kind::Tpkg,
            kind => kind,
        });
        let (table, seen, keeping) = match kind {
            None if opened.html || is_web_page(&head) => {
                return Err(GatherError::WebPage(expected.name));
            }
            None => return packed.manifest(source, expected.name).map(Arrived::Manifest),
            Some(Kind::Zip) => self.unpack_zip(packed, &expected)?,
            Some(kind) => self.unpack_tar(kind, packed, &expected)?,
        };
        if let Some(Err(error)) = keeping.map(|keeping| keeping.keep(&seen)) {
            let _: Option<()> = self.without_cache(&error);
        }
        Ok(Arrived::Tree(table, seen))
    }

    /// One pass: the archive is unpacked while it arrives, and judged when it has arrived.
    fn unpack_tar(
        &self,
        kind: Kind,
        mut packed: Teed<'_>,
        expected: &Expected<'_>,
    ) -> Result<Unpacked, GatherError> {
        let tree = self.make_tree()?;
        let options = self.options(self.strip());
        match archive::unpack_stream(kind, &mut packed, &tree, &options, &Nobody) {
            Ok(table) => {
                let (seen, keeping) = packed.drain()?;
                let staged = Staged::new(table, seen);
                let (table, seen) = staged.verify(expected.checks, &expected.name)?.into_parts();
                Ok((table, seen, keeping))
            }
            Err(error) => {
                if let Some(failure) = packed.stream.take_failure() {
                    return Err(failure.into());
                }
                if !expected.checks.iter().all(Checks::is_empty) && may_be_damage(&error) {
                    // The digest tells damage from malice, and is the more useful answer.
                    let (seen, _) = packed.drain()?;
                    Staged::new((), seen).verify(expected.checks, &expected.name)?;
                }
                Err(error.into())
            }
        }
    }

    /// A zip file has its directory at the end: it is stored, judged, and unpacked from the same
    /// descriptor.
    fn unpack_zip(
        &self,
        mut packed: Teed<'_>,
        expected: &Expected<'_>,
    ) -> Result<Unpacked, GatherError> {
        let staging = self.staging.dir();
        let name = self.staging.name("archive");
        let fail = |error| FsError::new("store", staging.path_of(&name), error);
        let mut scratch = staging.scratch_file(&name)?;
        packed.copy_to(&mut scratch).map_err(|error| match error {
            Copying::Source(error) => GatherError::from(error),
            Copying::File(error) => fail(error).into(),
        })?;
        let (seen, keeping) = packed.drain()?;
        let staged = Staged::new(scratch, seen);
        let (mut scratch, seen) = staged.verify(expected.checks, &expected.name)?.into_parts();
        scratch.rewind().map_err(fail)?;
        self.watched.stop.check()?;
        let tree = self.make_tree()?;
        let options = self.options(self.strip());
        self.watched.watch.phase("unpack", Some(seen.length));
        let table = archive::unpack_zip(&scratch, &tree, &options, self.watched.watch)?;
        Ok((table, seen, keeping))
    }
}

/// The manifest that `stream` gives; nothing where it is an archive.
pub(super) fn manifest_in(
    stream: Stream<'_>,
    source: &Source,
) -> Result<Option<Vec<u8>>, GatherError> {
    let mut packed = Teed { stream, keeping: None };
    let opened = packed.stream.opened().clone();
    let head = packed.stream.head(archive::HEAD)?.to_vec();
    let name = opened.final_url.unwrap_or_else(|| source.to_string());
    match archive::detect(&head) {
        Some(_) => Ok(None),
        None if opened.html || is_web_page(&head) => Err(GatherError::WebPage(name)),
        None => packed.manifest(source, name).map(Some),
    }
}

/// Tells whether bytes that were changed on the way could have led to `error`.
fn may_be_damage(error: &ArchiveError) -> bool {
    use ArchiveError as Error;
    matches!(
        error,
        Error::Refused { .. }
            | Error::Tar { .. }
            | Error::Gzip(_)
            | Error::Bzip2(_)
            | Error::Tpkg(_)
    )
}

/// Tells whether the first bytes begin an HTML page.
fn is_web_page(head: &[u8]) -> bool {
    let text = String::from_utf8_lossy(head).trim_start().to_ascii_lowercase();
    ["<!doctype html", "<html", "<head", "<body"].iter().any(|start| text.starts_with(start))
}

enum Copying {
    Source(SourceError),
    File(io::Error),
}

/// A stream whose bytes also go into the cache.
struct Teed<'a> {
    stream: Stream<'a>,
    keeping: Option<Keeping>,
}

impl Teed<'_> {
    /// Reads what is left, and gives the digests of the whole.
    fn drain(mut self) -> Result<(Seen, Option<Keeping>), SourceError> {
        let mut rest = vec![0; 64 << 10];
        while self.piece(&mut rest)? > 0 {}
        Ok((self.stream.finish()?, self.keeping))
    }

    /// Reads like `Read`, but a failure of the source stays what it is.
    fn piece(&mut self, buffer: &mut [u8]) -> Result<usize, SourceError> {
        match self.read(buffer) {
            Ok(length) => Ok(length),
            Err(error) => Err(self.stream.take_failure().unwrap_or_else(|| SourceError::Client {
                what: "a download was lost",
                source: error.into(),
            })),
        }
    }

    fn copy_to(&mut self, file: &mut File) -> Result<(), Copying> {
        let mut buffer = vec![0; 64 << 10];
        loop {
            match self.piece(&mut buffer).map_err(Copying::Source)? {
                0 => return Ok(()),
                length => {
                    let bytes = buffer.get(..length).unwrap_or_default();
                    file.write_all(bytes).map_err(Copying::File)?;
                }
            }
        }
    }

    /// Reads the whole as a manifest, if it can be one.
    fn manifest(mut self, source: &Source, name: String) -> Result<Vec<u8>, GatherError> {
        let mut bytes = Vec::new();
        let mut buffer = vec![0; 64 << 10];
        loop {
            match self.piece(&mut buffer)? {
                0 => break,
                length => bytes.extend_from_slice(buffer.get(..length).unwrap_or_default()),
            }
            if bytes.len() as u64 > LONGEST_MANIFEST {
                return Err(GatherError::Unknown(name));
            }
        }
        if bytes.iter().all(u8::is_ascii_whitespace) {
            return Err(GatherError::Empty(name));
        }
        match format::source_of(&bytes) {
            Ok(_) => Ok(bytes),
            // A file that calls itself a manifest deserves to hear what is wrong with it.
            Err(error) if names_a_manifest(source) => Err(error.into()),
            Err(_) => Err(GatherError::Unknown(name)),
        }
    }
}

fn is_called_tpkg(source: &Source) -> bool {
    has_ending(source, &["tpkg"])
}

fn names_a_manifest(source: &Source) -> bool {
    has_ending(source, &["yml", "yaml"])
}

fn has_ending(source: &Source, endings: &[&str]) -> bool {
    let path = match source {
        Source::Http(url) => url.path().to_owned(),
        other => other.to_string(),
    };
    let end = Path::new(&path).extension().map(std::ffi::OsStr::to_ascii_lowercase);
    end.is_some_and(|end| endings.iter().any(|one| end == *one))
}

impl Read for Teed<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = self.stream.read(buffer)?;
        if let Some(keeping) = &mut self.keeping {
            keeping.add(buffer.get(..length).unwrap_or_default());
        }
        Ok(length)
    }
}
