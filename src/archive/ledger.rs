//! What an archive has put where so far, and whether one thing more is allowed.
//!
//! Invariant: every path is there once, every parent of a path is a directory of the ledger, and
//! the sums stay within the limits. Nothing here touches the disk.

use super::clock::Clock;
use super::error::{ArchiveError, Limit, Reason};
use super::{Modes, Options};
use crate::package::digest::Sha256;
use crate::package::file_table::{Content, Entry};
use crate::sys::path::RelPath;
use std::collections::BTreeMap;

/// The longest target of a symbolic link, in bytes (Linux's own limit).
pub(super) const LONGEST_TARGET: u64 = 4095;

/// What stands at a path.
#[derive(Clone, Debug)]
pub(super) enum Node {
    /// A directory, named by an entry or implied by one.
    Directory,
    /// A file; its digest is known once it is written.
    File {
        /// Its length in bytes.
        size: u64,
        /// Its permission bits, as the table will have them.
        mode: u32,
        /// The digest of its bytes.
        sha256: Sha256,
    },
    /// A symbolic link with its target.
    Link(String),
}

/// The entries of one archive.
#[derive(Debug)]
pub(super) struct Ledger<'a> {
    options: &'a Options<'a>,
    clock: &'a Clock,
    nodes: BTreeMap<RelPath, Node>,
    folders: Vec<(RelPath, u32)>,
    entries: u64,
    total: u64,
}

impl<'a> Ledger<'a> {
    pub(super) fn new(options: &'a Options<'a>, clock: &'a Clock) -> Self {
        let (nodes, folders) = (BTreeMap::new(), Vec::new());
        Self { options, clock, nodes, folders, entries: 0, total: 0 }
    }

    /// Notes that one more entry begins; also the place where time and signals are looked at.
    pub(super) fn begin_entry(&mut self) -> Result<(), ArchiveError> {
        self.entries += 1;
        self.clock.check()?;
        self.check_count()
    }

    fn check_count(&self) -> Result<(), ArchiveError> {
        let limit = self.options.limits.max_entries;
        // Directories that are only implied cost an inode too.
        if self.entries.max(self.nodes.len() as u64) > limit {
            return Err(Limit::Entries(limit).into());
        }
        Ok(())
    }

    /// Counts bytes that are no file's content but make work all the same.
    pub(super) fn charge(&mut self, bytes: u64) -> Result<(), ArchiveError> {
        self.total = self.total.saturating_add(bytes);
        let limit = self.options.limits.max_total;
        if self.total > limit { Err(Limit::Total(limit).into()) } else { Ok(()) }
    }

    /// Admits the directory `path`; one that is there already is fine. Returns what has to be
    /// made, the topmost first.
    pub(super) fn add_directory(&mut self, path: &RelPath) -> Result<Vec<RelPath>, ArchiveError> {
        match self.nodes.get(path) {
            Some(Node::Directory) => return Ok(Vec::new()),
            Some(_) => return Err(ArchiveError::refused(path.as_str(), Reason::Conflict)),
            None => {}
        }
        let mut made = self.add_parents(path)?;
        self.nodes.insert(path.clone(), Node::Directory);
        made.push(path.clone());
        self.check_count()?;
        Ok(made)
    }

    /// Admits a file of `size` bytes and the packed mode `mode` at `path`. Returns the directories that have to be made.
    pub(super) fn add_file(
        &mut self,
        path: &RelPath,
        size: u64,
        mode: u32,
    ) -> Result<Vec<RelPath>, ArchiveError> {
        let limit = self.options.limits.max_file;
        if size > limit {
            return Err(ArchiveError::refused(path.as_str(), Reason::TooLarge(limit)));
        }
        self.charge(size)?;
        let mode = self.options.modes.recorded(mode);
        self.add_leaf(path, Node::File { size, mode, sha256: Sha256([0; 32]) })
    }

    /// Admits a symbolic link at `path`. Returns the directories that have to be made.
    pub(super) fn add_link(
        &mut self,
        path: &RelPath,
        target: &[u8],
    ) -> Result<Vec<RelPath>, ArchiveError> {
        let fail = || ArchiveError::refused(path.as_str(), Reason::LinkTarget);
        let target = std::str::from_utf8(target).map_err(|_| fail())?;
        let long = target.len() as u64 > LONGEST_TARGET;
        if target.is_empty() || long || target.chars().any(char::is_control) {
            return Err(fail());
        }
        self.add_leaf(path, Node::Link(target.to_owned()))
    }

    fn add_leaf(&mut self, path: &RelPath, node: Node) -> Result<Vec<RelPath>, ArchiveError> {
        match self.nodes.get(path) {
            Some(Node::Directory) => {
                return Err(ArchiveError::refused(path.as_str(), Reason::Conflict));
            }
            Some(_) => return Err(ArchiveError::refused(path.as_str(), Reason::Duplicate)),
            None => {}
        }
        let made = self.add_parents(path)?;
        self.nodes.insert(path.clone(), node);
        self.check_count()?;
        Ok(made)
    }

    fn add_parents(&mut self, path: &RelPath) -> Result<Vec<RelPath>, ArchiveError> {
        let mut missing = Vec::new();
        let mut next = path.parent();
        while let Some(parent) = next {
            match self.nodes.get(&parent) {
                Some(Node::Directory) => break,
                Some(_) => return Err(ArchiveError::refused(parent.as_str(), Reason::Conflict)),
                None => {}
            }
            next = parent.parent();
            missing.push(parent);
        }
        missing.reverse();
        for parent in &missing {
            self.nodes.insert(parent.clone(), Node::Directory);
        }
        Ok(missing)
    }

    /// Notes the mode that the archive gives to the directory `path`, where that counts.
    pub(super) fn note_folder(&mut self, path: &RelPath, mode: u32) {
        if self.options.modes == Modes::Kept {
            self.folders.push((path.clone(), mode & 0o777 | 0o700));
        }
    }

    /// The modes that were noted.
    pub(super) fn take_folders(&mut self) -> Vec<(RelPath, u32)> {
        std::mem::take(&mut self.folders)
    }

    /// What stands at `path`.
    pub(super) fn get(&self, path: &RelPath) -> Option<&Node> {
        self.nodes.get(path)
    }

    /// Records what the file at `path` turned out to hold.
    pub(super) fn set_digest(&mut self, path: &RelPath, digest: Sha256) {
        if let Some(Node::File { sha256, .. }) = self.nodes.get_mut(path) {
            *sha256 = digest;
        }
    }

    /// Tells whether there is a folder `top` at the top, and nothing beside it.
    pub(super) fn lies_in(&self, top: &str) -> bool {
        !self.nodes.is_empty()
            && self.nodes.keys().all(|path| path.top() == top)
            && self.nodes.iter().next().is_some_and(|(_, node)| matches!(node, Node::Directory))
    }

    /// Ends the account: the entries in order of path.
    pub(super) fn into_entries(self) -> Vec<Entry> {
        let entry = |(path, node)| {
            let (mode, content) = match node {
                Node::Directory => (0o755, Content::Directory),
                Node::File { size, mode, sha256 } => (mode, Content::File { size, sha256 }),
                Node::Link(target) => (0o777, Content::Link(target)),
            };
            Entry { path, mode, content }
        };
        self.nodes.into_iter().map(entry).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::archive::{Links, Strip};
    use crate::config::Archive;

    fn path(text: &str) -> RelPath {
        RelPath::parse(text).unwrap()
    }

    fn with(limits: &Archive, run: impl FnOnce(&mut Ledger<'_>)) {
        let (links, modes, strip) = (Links::Contained, Modes::AsPacked, Strip::Nothing);
        let options = Options { limits, links, modes, strip, older: None };
        run(&mut Ledger::new(&options, &Clock::start(60)));
    }

    fn reason<T: std::fmt::Debug>(result: Result<T, ArchiveError>) -> Reason {
        match result.unwrap_err() {
            ArchiveError::Refused { reason, .. } => reason,
            other => panic!("{other}"),
        }
    }

    #[test]
    fn a_path_is_one_thing_only() {
        with(&Archive::default(), |ledger| {
            let made = ledger.add_file(&path("a/b/c"), 1, 0o644).unwrap();
            assert_eq!(made, [path("a"), path("a/b")]);
            assert!(ledger.add_directory(&path("a/b")).unwrap().is_empty());
            ledger.add_link(&path("a/l"), b"b").unwrap();
            assert_eq!(reason(ledger.add_file(&path("a/b/c"), 1, 0o644)), Reason::Duplicate);
            assert_eq!(reason(ledger.add_file(&path("a/b"), 1, 0o644)), Reason::Conflict);
            assert_eq!(reason(ledger.add_file(&path("a/b/c/d"), 1, 0o644)), Reason::Conflict);
            assert_eq!(reason(ledger.add_file(&path("a/l/d"), 1, 0o644)), Reason::Conflict);
            assert_eq!(reason(ledger.add_directory(&path("a/l"))), Reason::Conflict);
        });
    }

    #[test]
    fn implied_directories_count_as_entries() {
        let limits = Archive { max_entries: 3, ..Archive::default() };
        with(&limits, |ledger| {
            ledger.begin_entry().unwrap();
            ledger.add_file(&path("a/b/c"), 0, 0o644).unwrap();
            let error = ledger.add_file(&path("d"), 0, 0o644).unwrap_err();
            assert!(matches!(error, ArchiveError::Limit(Limit::Entries(3))), "{error}");
        });
    }

    #[test]
    fn sizes_are_judged_before_a_byte_is_written() {
        let limits = Archive { max_file: 10, max_total: 15, ..Archive::default() };
        with(&limits, |ledger| {
            assert_eq!(reason(ledger.add_file(&path("a"), 11, 0o644)), Reason::TooLarge(10));
            ledger.add_file(&path("b"), 10, 0o644).unwrap();
            let error = ledger.add_file(&path("c"), 10, 0o644).unwrap_err();
            assert!(matches!(error, ArchiveError::Limit(Limit::Total(15))), "{error}");
        });
    }
}
