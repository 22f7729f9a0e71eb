//! One request: its source is brought, manifests are followed.

use super::error::GatherError;
use super::gatherer::Gatherer;
use super::manifest;
use super::provenance;
use super::request::{Content, Request, What};
use super::staging::Corner;
use crate::archive::{Modes, Older, Options, Strip};
use crate::format;
use crate::package::file_table::FileTable;
use crate::package::provenance::{Origin, Provenance};
use crate::source::digest::{Checks, Seen};
use crate::source::file::{self, Found};
use crate::source::locator::Source;
use crate::source::stream::Watched;
use crate::sys::fs::Dir;

/// What the unpacked tree is called in its corner of the staging directory.
pub(super) const TREE: &str = "tree";
/// How many manifests may lead to each other.
const CHAIN: usize = 3;

/// A tree and where it came from.
pub(super) struct Brought {
    pub(super) table: FileTable,
    pub(super) provenance: Provenance,
}

/// What the bytes of a source turned out to be.
pub(super) enum Arrived {
    /// An archive, unpacked and verified.
    Tree(FileTable, Seen),
    /// A manifest that names another source.
    Manifest(Vec<u8>),
}

/// What one source on the way gave.
enum Stage {
    Tree(Brought),
    Manifest(Vec<u8>),
}

/// One request on its way.
pub(super) struct One<'a> {
    pub(super) gatherer: &'a Gatherer,
    pub(super) request: &'a Request,
    pub(super) staging: &'a Corner,
    pub(super) watched: Watched<'a>,
    /// The version of the same package that is in the library.
    pub(super) older: &'a Older<'a>,
}

impl One<'_> {
    /// Brings the tree of the request into staging.
    pub(super) fn bring(&self) -> Result<Brought, GatherError> {
        match &self.request.what {
            What::Entry(entry) => self.entry(entry),
            What::Source(source) => self.follow(source),
        }
    }

    /// Follows manifests to a tree, which then gets the first of them.
    fn follow(&self, named: &Source) -> Result<Brought, GatherError> {
        let mut source = named.clone();
        let mut checks = vec![self.request.checks];
        let mut first = None;
        for _ in 0..=CHAIN {
            match self.stage(&source, &checks)? {
                Stage::Tree(brought) => return self.complete(brought, named, (&source, first)),
                Stage::Manifest(bytes) => {
                    let next = format::source_of(&bytes)?;
                    source = source.parse_named_here(&next.url)?;
                    checks = vec![self.request.checks, Checks { md5: next.md5, sha256: None }];
                    self.older.tell(&bytes);
                    first.get_or_insert(bytes);
                }
            }
        }
        Err(GatherError::Chain(source.to_string()))
    }

    fn complete(
        &self,
        mut brought: Brought,
        named: &Source,
        (last, manifest): (&Source, Option<Vec<u8>>),
    ) -> Result<Brought, GatherError> {
        if let Some(manifest) = manifest {
            let tree = self.tree()?;
            brought.table =
                manifest::replace(&tree, &brought.table, &manifest, self.request.modes)?;
        }
        if last != named {
            brought.provenance.final_url.get_or_insert(last.absolute().to_string());
        }
        brought.provenance.source = named.absolute().to_string();
        Ok(brought)
    }

    fn stage(&self, source: &Source, checks: &[Checks]) -> Result<Stage, GatherError> {
        let (origin, moved, arrived) = match source {
            Source::Git(git) => return self.git(git, checks).map(Stage::Tree),
            Source::File(path) => match file::look(path)? {
                Found::Directory(from) => return self.directory(&from, checks).map(Stage::Tree),
                Found::File => (Origin::File, None, self.file(path, source, checks)?),
            },
            Source::Http(url) => {
                let (moved, arrived) = self.web(url, source, checks)?;
                (Origin::Http, moved, arrived)
            }
        };
        Ok(match arrived {
            Arrived::Manifest(bytes) => Stage::Manifest(bytes),
            Arrived::Tree(table, seen) => {
                let trust = provenance::trust_in_bytes(origin, checks);
                let provenance = Provenance {
                    final_url: moved,
                    md5: Some(seen.md5),
                    sha256: Some(seen.sha256),
                    length: Some(seen.length),
                    ..provenance::bare(source, origin, trust)
                };
                Stage::Tree(Brought { table, provenance })
            }
        })
    }

    pub(super) fn options(&self, strip: Strip) -> Options<'_> {
        let Request { links, modes, .. } = *self.request;
        // What is fetched for somebody is theirs alone.
        let older = (modes != Modes::AsPacked).then_some(self.older);
        Options { limits: &self.gatherer.config.archive, links, modes, strip, older }
    }

    /// What becomes of an archive's single top folder.
    pub(super) fn strip(&self) -> Strip {
        match self.request.content {
            Content::Package | Content::Raw => Strip::SingleTop,
            Content::Deployment => Strip::Nothing,
        }
    }

    pub(super) fn make_tree(&self) -> Result<Dir, GatherError> {
        self.staging.dir().make_dir(self.staging.name(TREE), 0o755)?;
        let tree = self.tree()?;
        // Whatever the umask of this process is.
        tree.set_mode("", 0o755)?;
        Ok(tree)
    }

    fn tree(&self) -> Result<Dir, GatherError> {
        Ok(self.staging.dir().dir(self.staging.name(TREE))?)
    }
}
