//! Directories, git repositories and the binary's own packages: sources that are trees.

use super::bytes::LONGEST_MANIFEST;
use super::error::GatherError;
use super::one::{Brought, One};
use super::provenance;
use crate::archive::{self, Strip};
use crate::format;
use crate::index;
use crate::package::file_table::FileTable;
use crate::package::provenance::{Origin, Provenance, Trust};
use crate::source::digest::Checks;
use crate::source::git::Git;
use crate::source::locator::{GitSource, Source};
use crate::sys::fs::{self, Dir};
use crate::sys::tree;

impl One<'_> {
    /// A directory on this host: copied as it is, nothing is stripped (as in the original).
    pub(super) fn directory(&self, from: &Dir, checks: &[Checks]) -> Result<Brought, GatherError> {
        let source = Source::File(from.path().to_owned());
        self.pass_over(checks, &source.to_string(), "a directory")?;
        let (inner, outer) = (fs::resolve(self.staging.dir().path())?, fs::resolve(from.path())?);
        if inner.starts_with(&outer) {
            let (inner, outer) = (inner.display().to_string(), outer.display().to_string());
            return Err(GatherError::Inside { inner, outer });
        }
        let table = self.import(from)?;
        Ok(Brought { table, provenance: provenance::bare(&source, Origin::File, Trust::Local) })
    }

    /// A git repository: the tree of one commit.
    pub(super) fn git(&self, git: &GitSource, checks: &[Checks]) -> Result<Brought, GatherError> {
        let source = Source::Git(git.clone());
        self.pass_over(checks, &source.to_string(), "a git repository")?;
        let staging = self.staging.dir();
        let names = ["checkout", "work"].map(|name| self.staging.name(name));
        names.iter().try_for_each(|name| staging.make_dir(name, 0o700))?;
        let [checkout, work] = &names;
        let (checkout, work) = (staging.dir(checkout)?, staging.dir(work)?);
        let fetched =
            Git::new(&self.gatherer.config).fetch(git, (&checkout, &work), self.watched)?;
        let table = self.import(&checkout)?;
        names.iter().try_for_each(|name| tree::remove(staging, name))?;
        let bare = provenance::bare(&source, Origin::Git, Trust::Git);
        Ok(Brought { table, provenance: Provenance { commit: Some(fetched.commit), ..bare } })
    }

    /// A package that the binary carries.
    pub(super) fn entry(&self, entry: &index::Entry) -> Result<Brought, GatherError> {
        self.pass_over(&[self.request.checks], entry.name, "a part of `cart`")?;
        let staging = self.staging.dir();
        let name = self.staging.name("entry");
        staging.make_dir(&name, 0o700)?;
        let from = staging.dir(&name)?;
        for file in entry.files {
            if let Some((folder, _)) = file.path.rsplit_once('/') {
                from.make_dirs(folder, 0o755)?;
            }
            from.write_new(file.path, file.bytes, file.mode)?;
        }
        let table = self.import(&from)?;
        tree::remove(staging, &name)?;
        let source = Source::File(entry.name.into());
        Ok(Brought { table, provenance: provenance::bare(&source, Origin::Index, Trust::Index) })
    }

    fn import(&self, from: &Dir) -> Result<FileTable, GatherError> {
        self.watched.stop.check()?;
        let tree = self.make_tree()?;
        if let Ok(manifest) = from.read(format::MANIFEST, LONGEST_MANIFEST) {
            self.older.tell(&manifest);
        }
        let mut options = self.options(Strip::Nothing);
        if format::is_tpkg(&mut |path| from.has(path).unwrap_or(false)) {
            options = options.for_tpkg();
        }
        self.watched.watch.phase("copy", None);
        Ok(archive::import(from, &tree, &options, self.watched.watch)?)
    }

    /// The user's digests must hold or the request fails; those in a manifest mean an archive, and
    /// are passed over for anything else, as in the original.
    fn pass_over(
        &self,
        checks: &[Checks],
        what: &str,
        kind: &'static str,
    ) -> Result<(), GatherError> {
        if !self.request.checks.is_empty() {
            return Err(GatherError::NoBytes { what: what.to_owned(), kind });
        }
        if !checks.iter().all(Checks::is_empty) {
            let note = format!("`Source-Md5` says nothing of {kind} and was not checked");
            self.watched.watch.note(&note);
        }
        Ok(())
    }
}
