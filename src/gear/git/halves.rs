//! A large commit in two halves, for two `git archive` at once: git inflates on one processor only, and
//! that is most of the time that unpacking takes.

use super::{Git, GitError, run};
use crate::sys::fs::Dir;
use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

/// Below so many bytes of packed objects, finding the halves costs more than it gives.
const WORTH: u64 = 4 << 20;
/// What a file costs by itself, in bytes of content.
const FILE: u64 = 4096;
/// As many paths at most are named to git, which looks for each.
const MOST: usize = 256;

/// What of a commit one half has: files and folders.
pub(super) type Half = Vec<OsString>;

impl Git {
    /// The two halves of `commit`, where there is enough in it and a second processor to do one.
    pub(super) fn halves(&self, bare: &Path, commit: &str) -> Result<Option<[Half; 2]>, GitError> {
        let processors = std::thread::available_parallelism().map_or(1, usize::from);
        if processors < 2 || packed(bare)? < WORTH {
            return Ok(None);
        }
        let mut command = self.in_repository(bare);
        let list = run("ls-tree", bare, command.args(["ls-tree", "-r", "-l", "-z", commit]))?;
        Ok(halves_of(&list))
    }
}

/// How many bytes the packs of the repository have.
fn packed(bare: &Path) -> Result<u64, GitError> {
    let bare = Dir::open(bare)?;
    if !bare.has("objects/pack")? {
        return Ok(0);
    }
    let packs = bare.dir("objects/pack")?;
    let lengths = packs.names()?.into_iter().map(|name| packs.meta(name));
    let lengths = lengths.map(|meta| Ok(meta?.map_or(0, |meta| meta.size)));
    lengths.sum()
}

/// Halves what `git ls-tree -r -l -z` lists: nothing where one file is nearly all of it, and nothing
/// with submodules, which no list of files tells of.
fn halves_of(list: &[u8]) -> Option<[Half; 2]> {
    let mut files = Vec::new();
    for line in list.split(|byte| *byte == 0).filter(|line| !line.is_empty()) {
        let (about, path) = line.split_at(line.iter().position(|byte| *byte == b'\t')?);
        let length = std::str::from_utf8(about).ok()?.split_ascii_whitespace().nth(3)?;
        files.push((path.get(1..)?, length.parse::<u64>().ok()?.saturating_add(FILE)));
    }
    let mut groups = grouped(&files, 0);
    let total: u64 = files.iter().map(|(_, weight)| weight).sum();
    // One folder with most of it is gone into.
    for depth in 1.. {
        let (path, weight) = groups.iter().max_by_key(|(_, weight)| **weight)?;
        if weight.saturating_mul(10) <= total.saturating_mul(6) {
            break;
        }
        let path = *path;
        let inside: Vec<_> = files.iter().copied().filter(|(file, _)| is_in(file, path)).collect();
        groups.remove(path);
        groups.extend(grouped(&inside, path.len() + 1));
        // Nothing is inside a file.
        if inside.is_empty() || groups.len() > MOST || depth > 16 {
            return None;
        }
    }
    let mut groups: Vec<_> = groups.into_iter().collect();
    groups.sort_by_key(|(_, weight)| std::cmp::Reverse(*weight));
    let mut halves = [(0_u64, Half::new()), (0, Half::new())];
    for (path, weight) in groups {
        let [one, other] = &mut halves;
        let lighter = if other.0 < one.0 { other } else { one };
        lighter.0 = lighter.0.saturating_add(weight);
        lighter.1.push(OsStr::from_bytes(path).to_owned());
    }
    let halves = halves.map(|(_, half)| half);
    (halves.iter().all(|half| !half.is_empty() && half.len() <= MOST)).then_some(halves)
}

/// The weights of what lies at the level of the path that begins after `skipped` bytes.
fn grouped<'a>(files: &[(&'a [u8], u64)], skipped: usize) -> BTreeMap<&'a [u8], u64> {
    let mut groups = BTreeMap::new();
    for (path, weight) in files {
        let rest = path.get(skipped..).unwrap_or_default();
        let length = rest.iter().position(|byte| *byte == b'/').unwrap_or(rest.len());
        let sum: &mut u64 = groups.entry(path.get(..skipped + length).unwrap_or(path)).or_default();
        *sum = sum.saturating_add(*weight);
    }
    groups
}

fn is_in(file: &[u8], folder: &[u8]) -> bool {
    file.strip_prefix(folder).is_some_and(|rest| rest.first() == Some(&b'/'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(files: &[(&str, u64)]) -> Vec<u8> {
        let line = |(path, length): &(&str, u64)| format!("100644 blob 0123 {length:>7}\t{path}\0");
        files.iter().map(line).collect::<String>().into_bytes()
    }

    fn halves(files: &[(&str, u64)]) -> Option<[Vec<String>; 2]> {
        let text = |half: Half| half.into_iter().map(|path| path.into_string().unwrap()).collect();
        halves_of(&list(files)).map(|halves| halves.map(text))
    }

    #[test]
    fn halves_weigh_alike_and_have_everything_once() {
        let files = [("a", 1 << 20), ("b/one", 1 << 20), ("b/two", 1 << 20), ("c", 1 << 20)];
        let [one, other] = halves(&files).unwrap();
        assert_eq!((one, other), (vec!["b".into()], vec!["a".into(), "c".into()]));
    }

    #[test]
    fn a_folder_with_nearly_everything_is_gone_into() {
        let files = [("README", 9), ("app/web/a", 1 << 20), ("app/web/b", 1 << 20)];
        let [one, other] = halves(&files).unwrap();
        assert_eq!(one, ["app/web/a", "README"]);
        assert_eq!(other, ["app/web/b"]);
    }

    #[test]
    fn what_cannot_be_halved_stays_whole() {
        assert_eq!(halves(&[]), None);
        assert_eq!(halves(&[("one", 1 << 30)]), None);
        assert_eq!(halves(&[("a/b/one", 1 << 30), ("two", 1)]), None);
        assert_eq!(halves(&[("big", 1 << 30), ("a", 1), ("b", 1)]), None, "no file is left out");
        assert_eq!(halves(&[("a/big", 1 << 30), ("a/b", 1), ("c", 1)]), None);
        let submodule = b"160000 commit 0123       -\tlib\0".to_vec();
        assert_eq!(halves_of(&[list(&[("a", 1), ("b", 1)]), submodule].concat()), None);
        let many: Vec<String> = (0..1000).map(|number| format!("file{number}")).collect();
        let many: Vec<(&str, u64)> = many.iter().map(|name| (name.as_str(), 1)).collect();
        assert_eq!(halves(&many), None);
    }
}
