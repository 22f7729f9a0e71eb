//! What the source of an installed package offers now: asked, not fetched, as far as that goes.
//!
//! Nothing is changed, and a source that does not answer keeps no other one from being asked.

use super::bytes::manifest_in;
use super::error::GatherError;
use super::gatherer::Gatherer;
use super::request::{Request, What};
use super::staging::{Corner, Staging};
use crate::archive::{self, Links, Modes, Options, Strip};
use crate::error::FsError;
use crate::format::{self, Called, Line, Named, Release, Unpacked};
use crate::library;
use crate::package::Package;
use crate::package::digest::Sha256;
use crate::package::file_table::FileTable;
use crate::package::note::Notes;
use crate::progress::{Nobody, Watch};
use crate::source::file::{self, Found};
use crate::source::git::Git;
use crate::source::locator::{GitSource, Source};
use crate::source::stop::Stop;
use crate::source::stream::{Stream, Watched};
use crate::sys::fs::Dir;
use crate::sys::path::RelPath;
use crate::sys::tree;
use sha2::Digest;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// What is known of an installed package.
#[derive(Clone, Debug)]
pub struct Known {
    /// Where it came from.
    pub source: Source,
    /// Its commit, where it came from a repository.
    pub commit: Option<String>,
    /// The digest of its manifest.
    pub manifest: Option<Sha256>,
    /// What it is called, for formats whose packages need not say that themselves.
    pub name: String,
}

/// What a source offers now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Upstream {
    /// What is installed.
    Same,
    /// Nothing that could be compared, and why.
    Silent(&'static str),
    /// Something else.
    Offers(Offered),
}

/// What a source offers that is not what is installed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Offered {
    /// Which version of which package.
    pub release: Release,
    /// Where it would lie in the library, where its whole tree has been seen.
    pub place: Option<RelPath>,
    /// Its commit, where it comes from a repository.
    pub commit: Option<String>,
}

/// Why archives are not asked.
const ARCHIVE: &str = "an archive: a newer one has another address";
/// Why repositories are not asked after a commit.
const COMMIT: &str = "a commit, which stays as it is";
/// How archives are called.
const ARCHIVES: [&str; 5] = [".zip", ".tar", ".tar.gz", ".tgz", ".tpkg"];

impl Gatherer {
    /// Asks the sources of all `known` packages, `download.parallel` at a time, and gives each its
    /// answer.
    pub fn look(
        &self,
        known: &[Known],
        watchers: super::gatherer::Watchers<'_>,
    ) -> Result<Vec<Result<Upstream, GatherError>>, FsError> {
        let around = Arc::new(Staging::in_state(&self.layout)?);
        let answers = Mutex::new(Vec::new());
        let next = AtomicUsize::new(0);
        self.side_by_side(known.len(), &|| {
            loop {
                let number = next.fetch_add(1, Ordering::SeqCst);
                let Some(one) = known.get(number) else { break };
                let watch = watchers(number);
                let answer = self.ask(one, &Corner::new(&around, number), &*watch);
                watch.finish();
                let mut answers = answers.lock().unwrap_or_else(PoisonError::into_inner);
                answers.push((number, answer));
            }
        });
        let mut answers = answers.into_inner().unwrap_or_else(PoisonError::into_inner);
        answers.sort_by_key(|(number, _)| *number);
        Ok(answers.into_iter().map(|(_, answer)| answer).collect())
    }

    fn ask(
        &self,
        known: &Known,
        corner: &Corner,
        watch: &dyn Watch,
    ) -> Result<Upstream, GatherError> {
        let stop = Stop::default();
        let watched = Watched { watch, stop: &stop };
        watch.phase("ask", None);
        match &known.source {
            Source::Git(git) => self.ask_repository(git, known, (corner, watched)),
            Source::Http(url) if is_archive(url.path()) => Ok(Upstream::Silent(ARCHIVE)),
            Source::Http(url) => ask_manifest(known, self.http.open(url, watched)?),
            Source::File(path) => match file::look(path)? {
                Found::Directory(from) => self.ask_directory(&from, &known.name),
                Found::File if is_archive(&path.to_string_lossy()) => Ok(Upstream::Silent(ARCHIVE)),
                Found::File => {
                    let limit = self.config.download.max_length;
                    ask_manifest(known, file::open(path, limit, watched)?)
                }
            },
        }
    }

    /// One question when nothing has changed. Else the tree is fetched: only its manifest tells the
    /// version, and only all of it whether anything in it is different.
    fn ask_repository(
        &self,
        git: &GitSource,
        known: &Known,
        (corner, watched): (&Corner, Watched<'_>),
    ) -> Result<Upstream, GatherError> {
        let name = corner.name("look");
        corner.dir().make_dir(&name, 0o700)?;
        let found = Git::new(&self.config).look(git, &corner.dir().dir(&name)?, watched);
        tree::remove(corner.dir(), &name)?;
        match found? {
            None => return Ok(Upstream::Silent(COMMIT)),
            Some(commit) if known.commit.as_ref() == Some(&commit) => return Ok(Upstream::Same),
            Some(_) => {}
        }
        let mut request = Request::new(What::Source(known.source.clone()));
        request.name = Some(known.name.clone());
        let gathered = self.gather_in(corner.clone(), &request, watched)?;
        tree::remove(corner.dir(), &gathered.tree)?;
        let commit = gathered.provenance.commit;
        Ok(gathered
            .package
            .map_or(Upstream::Same, |package| offered(package, &gathered.table, commit)))
    }

    fn ask_directory(&self, from: &Dir, name: &str) -> Result<Upstream, GatherError> {
        let options = Options {
            limits: &self.config.archive,
            links: Links::External,
            modes: Modes::ReadOnly,
            strip: Strip::Nothing,
            older: None,
        };
        let is_tpkg = format::is_tpkg(&mut |path| from.has(path).unwrap_or(false));
        let options = if is_tpkg { options.for_tpkg() } else { options };
        let table = archive::survey(from, &options, &Nobody)?;
        let tree = Unpacked { dir: from, table: &table };
        let called = Called { given: Some(name), ..Called::default() };
        let package = format::read(&Named { tree, called }, &mut Notes::default())?;
        Ok(offered(package, &table, None))
    }
}

/// A manifest by itself becomes a part of the package, so another one is another package.
fn ask_manifest(known: &Known, stream: Stream<'_>) -> Result<Upstream, GatherError> {
    let Some(manifest) = manifest_in(stream, &known.source)? else {
        return Ok(Upstream::Silent(ARCHIVE));
    };
    if known.manifest == Some(Sha256(sha2::Sha256::digest(&manifest).into())) {
        return Ok(Upstream::Same);
    }
    let release = format::release_of(&manifest)
        .ok_or_else(|| GatherError::Unknown(known.source.to_string()))?;
    Ok(Upstream::Offers(Offered { release, place: None, commit: None }))
}

fn offered(package: Package, table: &FileTable, commit: Option<String>) -> Upstream {
    let place = library::place(&package, table).ok();
    let Package { format, vendor, name, package_version, compatible_versions, .. } = package;
    let line = Line { format, vendor, name };
    let release = Release { line, version: package_version, compatible: compatible_versions };
    Upstream::Offers(Offered { release, place, commit })
}

fn is_archive(path: &str) -> bool {
    let name = Path::new(path).file_name().unwrap_or_default().to_string_lossy();
    let name = name.to_ascii_lowercase();
    ARCHIVES.iter().any(|end| name.ends_with(end))
}
