//! The parts of a home and those of an arranged snapshot change places. What was there is kept in a
//! folder of the caller's, so that each moment of it can be taken back.

use super::Part;
use crate::error::FsError;
use crate::gear::deployment::FOLDER;
use crate::sys::checkpoint::checkpoint;
use crate::sys::fs::Dir;
use crate::sys::tree;
use rustix::io::Errno;

/// Where a gear's data lie.
const DATA: &str = "app-root/data";
/// The folder with what was there, in what is kept.
const OLD: &str = "old";

/// The paths below the home that go, and those that come.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Exchange {
    old: Vec<String>,
    new: Vec<String>,
}

/// Which paths of a home change places.
#[derive(Clone, Copy, Debug)]
pub struct Chosen<'a> {
    /// The parts.
    pub parts: &'a [Part],
    /// The gear's name, by which its repository is called.
    pub gear: &'a str,
    /// How the data do.
    pub data: Moved,
    /// How the names begin that stay where they are among the deployments.
    pub stays: Option<&'a str>,
}

/// How what lies in a folder changes places.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moved {
    /// With the folder.
    Whole,
    /// By itself; the folder stays.
    OneByOne,
}

impl Exchange {
    /// What of `home` and of the arranged snapshot `from` changes places.
    ///
    /// # Errors
    ///
    /// Fails where they cannot be read.
    pub fn look(home: &Dir, from: &Dir, chosen: Chosen<'_>) -> Result<Self, FsError> {
        Ok(Self { old: chosen.paths(home)?, new: chosen.paths(from)? })
    }

    /// Adds what lies at `path` of `from`, where `home` has nothing there.
    ///
    /// # Errors
    ///
    /// Fails where that cannot be seen.
    pub fn add(&mut self, home: &Dir, from: &Dir, path: &str) -> Result<(), FsError> {
        if !home.has(path)? && from.has(path)? {
            self.new.push(path.to_owned());
        }
        Ok(())
    }

    /// What comes, below the snapshot's home and the gear's.
    pub fn new_paths(&self) -> &[String] {
        &self.new
    }

    /// Does it, or goes on with it. What was there is kept in `kept`.
    ///
    /// # Errors
    ///
    /// Fails where something cannot be moved; [`Self::take_back`] then leads back.
    pub fn carry_out(&self, home: &Dir, from: &Dir, kept: &Dir) -> Result<(), FsError> {
        kept.make_dirs(OLD, 0o700)?;
        for (index, path) in self.old.iter().enumerate() {
            let place = format!("{OLD}/{index}");
            if !kept.has(&place)? && home.has(path)? {
                checkpoint("restore_home: before something goes");
                tree::move_to(home, path, kept, place)?;
            }
        }
        for path in &self.new {
            if from.has(path)? {
                checkpoint("restore_home: before something comes");
                tree::move_to(from, path, home, path)?;
            }
        }
        checkpoint("restore_home: everything is there");
        Ok(())
    }

    /// Takes it back, wherever it was cut off. What is new lies in the home or at `from`, the folder of
    /// that name below `base`; what was there waits in `kept`.
    ///
    /// # Errors
    ///
    /// Fails where something cannot be moved; calling it again goes on.
    pub fn take_back(
        &self,
        home: &Dir,
        (base, from): (&Dir, &str),
        kept: &Dir,
    ) -> Result<(), FsError> {
        // What was unpacked there may be gone.
        for path in self.new.iter().rev() {
            let source = format!("{from}/{path}");
            if !base.has(&source)? && home.has(path)? && !self.is_still_old(path, kept)? {
                if let Some((folder, _)) = source.rsplit_once('/') {
                    base.make_dirs(folder, 0o700)?;
                }
                checkpoint("restore_home: before something new goes back");
                tree::move_to(home, path, base, &source)?;
            }
        }
        for (index, path) in self.old.iter().enumerate() {
            let place = format!("{OLD}/{index}");
            if kept.has(&place)? {
                checkpoint("restore_home: before something old comes back");
                // What has the name now was made since.
                tree::remove(home, path)?;
                tree::move_to(kept, place, home, path)?;
            }
        }
        Ok(())
    }

    /// Removes what lies in `folder` of the home, after [`Self::take_back`], that did not before.
    ///
    /// # Errors
    ///
    /// Fails where something cannot be removed.
    pub fn remove_others(&self, home: &Dir, folder: &str) -> Result<(), FsError> {
        let dir = home.dir(folder)?;
        for name in dir.names()? {
            let path = format!("{folder}/{}", name.to_string_lossy());
            if !self.old.contains(&path) {
                tree::remove(&dir, &name)?;
            }
        }
        Ok(())
    }

    /// Tells whether what lies at `path` of the home is what was there before: it never left.
    fn is_still_old(&self, path: &str, kept: &Dir) -> Result<bool, FsError> {
        match self.old.iter().position(|old| old == path) {
            Some(index) => Ok(!kept.has(format!("{OLD}/{index}"))?),
            None => Ok(false),
        }
    }
}

impl Chosen<'_> {
    /// The paths below `base` of the parts that it has. Deployments come one by one: the gear's home
    /// itself is locked.
    fn paths(&self, base: &Dir) -> Result<Vec<String>, FsError> {
        let mut paths = Vec::new();
        for part in self.parts {
            match (part, self.data) {
                (Part::Data, Moved::Whole) => paths.push(DATA.to_owned()),
                (Part::Data, Moved::OneByOne) => paths.extend(data(base)?),
                (Part::Repository, _) => paths.push(format!("git/{}.git", self.gear)),
                (Part::Deployments, _) => paths.extend(deployments(base, self.stays)?),
            }
        }
        let mut there = Vec::new();
        for path in paths {
            if base.has(&path)? {
                there.push(path);
            }
        }
        Ok(there)
    }
}

/// The paths of all data below `base`.
fn data(base: &Dir) -> Result<Vec<String>, FsError> {
    if !base.has(DATA)? {
        return Ok(Vec::new());
    }
    let mut paths = Vec::new();
    for name in base.dir(DATA)?.names()? {
        let odd = || FsError::new("restore", base.path_of(DATA).join(&name), Errno::ILSEQ);
        paths.push(format!("{DATA}/{}", name.to_str().ok_or_else(odd)?));
    }
    paths.sort();
    Ok(paths)
}

/// The paths of all deployments below `base`, and of what lies beside them, but for names that begin with
/// `stays`.
fn deployments(base: &Dir, stays: Option<&str>) -> Result<Vec<String>, FsError> {
    let mut names = base.dir(FOLDER)?.names()?;
    names.sort();
    let is_meant = |name: &&str| !stays.is_some_and(|own| name.starts_with(own));
    let names = names.iter().filter_map(|name| name.to_str()).filter(is_meant);
    Ok(names.map(|name| format!("{FOLDER}/{name}")).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What lies below `dir`: paths with their contents.
    fn look(dir: &Dir, path: &str) -> Vec<String> {
        let mut names = dir.dir(path).unwrap().names().unwrap();
        names.sort();
        let text = |name: &std::ffi::OsString| {
            let path = format!("{path}/{}", name.to_string_lossy());
            let read = dir.read(&path, 9).map(|text| String::from_utf8(text).unwrap());
            format!("{path} {}", read.unwrap_or_default())
        };
        names.iter().map(text).collect()
    }

    #[test]
    fn data_that_came_one_by_one_go_with_what_was_made_since() {
        let temp = tempfile::tempdir().unwrap();
        let base = Dir::open(temp.path()).unwrap();
        for folder in ["home", "new", "kept"] {
            base.make_dirs(format!("{folder}/{DATA}"), 0o755).unwrap();
        }
        let (home, from, kept) =
            (base.dir("home").unwrap(), base.dir("new").unwrap(), base.dir("kept").unwrap());
        for (dir, name) in [(&home, "a"), (&home, "both"), (&from, "both"), (&from, "c")] {
            let text = if dir.path() == home.path() { b"old" } else { b"new" };
            dir.write_new(format!("{DATA}/{name}"), text, 0o644).unwrap();
        }
        let before = look(&home, DATA);
        let parts = [Part::Data];
        let chosen = Chosen { parts: &parts, gear: "", data: Moved::OneByOne, stays: None };
        let exchange = Exchange::look(&home, &from, chosen).unwrap();
        let back = || {
            exchange.take_back(&home, (&base, "new"), &kept).unwrap();
            exchange.remove_others(&home, DATA).unwrap();
        };
        back();
        assert_eq!(look(&home, DATA), before, "nothing had begun");
        exchange.carry_out(&home, &from, &kept).unwrap();
        let came = ["app-root/data/both new", "app-root/data/c new"];
        assert_eq!(look(&home, DATA), came);
        // Scripts make something, too, of which one has the name of what was there.
        home.write_new(format!("{DATA}/a"), b"since", 0o644).unwrap();
        home.make_dirs(format!("{DATA}/d/e"), 0o755).unwrap();
        for _ in 0..2 {
            back();
            assert_eq!(look(&home, DATA), before);
        }
        // It was cut off when one thing had gone and nothing had come.
        kept.make_dirs(OLD, 0o700).unwrap();
        tree::move_to(&home, format!("{DATA}/a"), &kept, format!("{OLD}/0")).unwrap();
        back();
        assert_eq!(look(&home, DATA), before);
    }
}
