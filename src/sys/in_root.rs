//! Paths of a host below a root directory that is not `/`, or is: which place they really name.
//!
//! A package says `/lib/systemd/x`, and on this host `/lib` is a link to `usr/lib`. The walk here
//! follows such links as a process would whose root directory is the root, and gives a path without
//! links, on which every file call of [`super::fs`] works. Only links of root's, or of the one who
//! asks, are followed: what anybody else has put into a place that is open to all must not steer us.

use super::fs::{Dir, Kind, Result};
use super::host;
use super::path::RelPath;
use crate::error::FsError;
use rustix::io::Errno;
use std::collections::{HashMap, VecDeque};

/// How many links one path may lead through, as in the kernel.
const MOST_LINKS: usize = 40;

/// Resolves paths below one root, and remembers the folders that it has walked.
#[derive(Debug)]
pub struct InRoot<'a> {
    root: &'a Dir,
    known: HashMap<String, String>,
}

impl<'a> InRoot<'a> {
    /// Works below `root`.
    pub fn new(root: &'a Dir) -> Self {
        Self { root, known: HashMap::new() }
    }

    /// The place that `path` names; its last component is taken as it is, link or not. What does
    /// not exist yet is taken as it is, too.
    pub fn place(&mut self, path: &RelPath) -> Result<RelPath> {
        let Some((parent, name)) = path.as_str().rsplit_once('/') else { return Ok(path.clone()) };
        if !self.known.contains_key(parent) {
            let real = self.walk(parent)?;
            self.known.insert(parent.to_owned(), real);
        }
        let real = self.known.get(parent).map(String::as_str).unwrap_or_default();
        let text = if real.is_empty() { name.to_owned() } else { format!("{real}/{name}") };
        RelPath::parse(&text).map_err(|_| self.fail(path.as_str(), Errno::NAMETOOLONG))
    }

    /// The folder that `path` names, whose last component may be a link as well.
    pub fn folder(&mut self, path: &RelPath) -> Result<RelPath> {
        if !self.known.contains_key(path.as_str()) {
            let real = self.walk(path.as_str())?;
            self.known.insert(path.as_str().to_owned(), real);
        }
        let real = self.known.get(path.as_str()).map(String::as_str).unwrap_or_default();
        RelPath::parse(real).map_err(|_| self.fail(path.as_str(), Errno::NAMETOOLONG))
    }

    fn walk(&self, folder: &str) -> Result<String> {
        let mut todo: VecDeque<String> = folder.split('/').map(str::to_owned).collect();
        let mut done: Vec<String> = Vec::new();
        let mut links = 0;
        while let Some(part) = todo.pop_front() {
            match part.as_str() {
                "" | "." => continue,
                ".." => {
                    done.pop();
                    continue;
                }
                _ => done.push(part),
            }
            let here = done.join("/");
            let Some(meta) = self.root.meta(&here)?.filter(|meta| meta.kind == Kind::Link) else {
                continue;
            };
            links += 1;
            if links > MOST_LINKS {
                return Err(self.fail(folder, Errno::LOOP));
            }
            if meta.uid != 0 && meta.uid != host::user_id() {
                return Err(self.fail(&here, Errno::ACCESS));
            }
            let target = self.root.link_target(&here)?;
            let Some(target) = target.to_str() else {
                return Err(self.fail(&here, Errno::ILSEQ));
            };
            done.pop();
            if target.starts_with('/') {
                done.clear();
            }
            for part in target.split('/').rev() {
                todo.push_front(part.to_owned());
            }
        }
        Ok(done.join("/"))
    }

    fn fail(&self, path: &str, error: Errno) -> FsError {
        FsError::new("find", self.root.path_of(path), error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(root: &Dir, path: &str) -> String {
        InRoot::new(root).place(&RelPath::parse(path).unwrap()).unwrap().to_string()
    }

    #[test]
    fn links_lead_as_they_do_below_that_root_and_never_out_of_it() {
        let temp = tempfile::tempdir().unwrap();
        let root = Dir::open(temp.path()).unwrap();
        root.make_dirs("usr/lib", 0o755).unwrap();
        root.make_link("lib", "usr/lib").unwrap();
        root.make_link("usr/back", "/lib/deep").unwrap();
        root.make_link("out", "../../../../usr").unwrap();
        root.make_link("file", "/usr/lib").unwrap();
        assert_eq!(place(&root, "lib/x"), "usr/lib/x");
        assert_eq!(place(&root, "usr/back/x"), "usr/lib/deep/x");
        assert_eq!(place(&root, "out/x"), "usr/x");
        assert_eq!(place(&root, "nowhere/at/all"), "nowhere/at/all");
        assert_eq!(place(&root, "file"), "file", "the last component is taken as it is");
    }

    #[test]
    fn a_circle_and_a_link_of_somebody_else_are_refused() {
        let temp = tempfile::tempdir().unwrap();
        let root = Dir::open(temp.path()).unwrap();
        root.make_link("a", "b").unwrap();
        root.make_link("b", "a").unwrap();
        let resolve = |path: &str| InRoot::new(&root).place(&RelPath::parse(path).unwrap());
        assert!(resolve("a/x").is_err());
        if host::is_root() {
            root.make_link("theirs", "/etc").unwrap();
            root.set_owner("theirs", 65_534, 65_534).unwrap();
            assert!(resolve("theirs/x").is_err());
        }
    }
}
