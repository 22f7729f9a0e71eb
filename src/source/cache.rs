//! Archives that were downloaded and verified, kept in case they are wanted again.
//!
//! A file is found by a digest that somebody expects, never by its address, and nothing is trusted
//! because it lies here: its bytes go through the same hashing and comparing as those of a
//! download. The name of a file is `<SHA-256>-<MD5>`.

use super::digest::{Checks, Hasher, Seen};
use crate::error::FsError;
use crate::layout::Layout;
use crate::package::digest::{Md5, Sha256};
use crate::sys::fs::{Dir, Result};
use crate::sys::random;
use std::fs::File;
use std::io::{ErrorKind, Read, Write};
use std::path::PathBuf;
use std::sync::Arc;

/// Names of files that are still being written begin so.
const UNFINISHED: &str = "part-";

/// The directory of kept archives.
#[derive(Clone, Debug)]
pub struct Cache(Arc<Dir>);

/// One kept archive.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Kept {
    /// Its SHA-256, as its name says.
    pub sha256: Sha256,
    /// Its MD5, as its name says.
    pub md5: Md5,
    /// Its length in bytes.
    pub size: u64,
}

/// What cleaning has removed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct Cleaned {
    /// Files.
    pub files: u64,
    /// Their length in bytes.
    pub bytes: u64,
}

impl Kept {
    fn name(&self) -> String {
        format!("{}-{}", self.sha256, self.md5)
    }

    fn parse(name: &str, size: u64) -> Option<Self> {
        let (sha256, md5) = name.split_once('-')?;
        Some(Self { sha256: Sha256::parse(sha256).ok()?, md5: Md5::parse(md5).ok()?, size })
    }
}

impl Cache {
    /// Opens the cache of `layout`, making it where it is missing. Only its owner may look inside:
    /// what was downloaded with a password is not for everybody.
    pub fn open(layout: &Layout) -> Result<Self> {
        Ok(Self(Arc::new(Dir::create(&layout.cache().join("archives"), 0o700)?)))
    }

    /// Lists what is kept, in order of SHA-256.
    pub fn list(&self) -> Result<Vec<Kept>> {
        let mut kept = Vec::new();
        for name in self.0.names()? {
            let Some(meta) = self.0.meta(&name)? else { continue };
            kept.extend(name.to_str().and_then(|name| Kept::parse(name, meta.size)));
        }
        Ok(kept)
    }

    /// Removes everything, also what an interrupted download has left.
    pub fn clean(&self) -> Result<Cleaned> {
        let mut cleaned = Cleaned::default();
        for name in self.0.names()? {
            cleaned.bytes += self.0.meta(&name)?.map_or(0, |meta| meta.size);
            cleaned.files += 1;
            self.0.remove_file(&name)?;
        }
        Ok(cleaned)
    }

    /// Hashes everything again, and gives those files that are not what their names say.
    pub fn verify(&self) -> Result<Vec<Kept>> {
        let mut wrong = Vec::new();
        for kept in self.list()? {
            let seen = self.hash(&kept)?;
            if (seen.sha256, seen.md5) != (kept.sha256, kept.md5) {
                wrong.push(kept);
            }
        }
        Ok(wrong)
    }

    fn hash(&self, kept: &Kept) -> Result<Seen> {
        let mut file = self.0.open_file(kept.name())?;
        let mut hasher = Hasher::default();
        let mut buffer = vec![0; 64 << 10];
        loop {
            match file.read(&mut buffer) {
                Ok(0) => return Ok(hasher.seen()),
                Ok(length) => hasher.update(buffer.get(..length).unwrap_or_default()),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(FsError::new("read", self.path(kept), error)),
            }
        }
    }

    /// Finds the archive that `checks` expect. They have still to be verified on its bytes.
    pub fn find(&self, checks: &[Checks]) -> Result<Option<Kept>> {
        if checks.iter().all(Checks::is_empty) {
            return Ok(None);
        }
        let fits = |kept: &Kept| {
            checks.iter().all(|check| {
                check.sha256.is_none_or(|sha256| sha256 == kept.sha256)
                    && check.md5.is_none_or(|md5| md5 == kept.md5)
            })
        };
        Ok(self.list()?.into_iter().find(fits))
    }

    /// Where a kept archive lies.
    pub fn path(&self, kept: &Kept) -> PathBuf {
        self.0.path_of(kept.name())
    }

    /// Removes one archive, because it is not what its name says.
    pub fn forget(&self, kept: &Kept) -> Result<()> {
        self.0.remove_file(kept.name())
    }

    /// Begins to keep what is about to be downloaded.
    pub(crate) fn begin(&self) -> Result<Keeping> {
        let name = format!("{UNFINISHED}{}", random::hex(8)?);
        let file = self.0.create_file(&name, 0o600)?;
        Ok(Keeping { cache: self.clone(), name, file, failure: None })
    }
}

/// A download on its way into the cache; gone when dropped.
pub(crate) struct Keeping {
    cache: Cache,
    name: String,
    file: File,
    failure: Option<FsError>,
}

impl Keeping {
    /// Adds bytes. A failure is kept for later: the download itself goes on.
    pub(crate) fn add(&mut self, bytes: &[u8]) {
        if self.failure.is_none()
            && let Err(error) = self.file.write_all(bytes)
        {
            self.failure = Some(FsError::new("write", self.cache.0.path_of(&self.name), error));
        }
    }

    /// Gives the file its name, now that its digests were verified to be `seen`.
    pub(crate) fn keep(mut self, seen: &Seen) -> Result<()> {
        if let Some(error) = self.failure.take() {
            return Err(error);
        }
        let kept = Kept { sha256: seen.sha256, md5: seen.md5, size: seen.length };
        self.cache.0.rename(&self.name, &self.cache.0, kept.name())
    }
}

impl Drop for Keeping {
    fn drop(&mut self) {
        // After `keep` there is nothing of that name; otherwise `clean` removes what stays.
        let _ = self.cache.0.remove_file(&self.name);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keep(cache: &Cache, bytes: &[u8]) -> Seen {
        let mut hasher = Hasher::default();
        hasher.update(bytes);
        let mut keeping = cache.begin().unwrap();
        keeping.add(bytes);
        keeping.keep(&hasher.seen()).unwrap();
        hasher.seen()
    }

    #[test]
    fn what_is_kept_is_found_by_either_digest_and_by_no_other() {
        let temp = tempfile::tempdir().unwrap();
        let cache = Cache::open(&Layout::below(temp.path())).unwrap();
        let (one, two) = (keep(&cache, b"one"), keep(&cache, b"two"));
        let by =
            |md5, sha256| cache.find(&[Checks { md5, sha256 }]).unwrap().map(|kept| kept.sha256);
        assert_eq!(by(Some(one.md5), None), Some(one.sha256));
        assert_eq!(by(None, Some(two.sha256)), Some(two.sha256));
        assert_eq!(by(Some(one.md5), Some(two.sha256)), None);
        assert_eq!(by(None, None), None, "nothing expected, nothing found");
        assert_eq!(cache.list().unwrap().len(), 2);
        drop(cache.begin().unwrap());
        assert_eq!(cache.clean().unwrap(), Cleaned { files: 2, bytes: 6 });
        assert!(cache.list().unwrap().is_empty());
    }

    #[test]
    fn a_file_that_was_changed_is_named() {
        let temp = tempfile::tempdir().unwrap();
        let cache = Cache::open(&Layout::below(temp.path())).unwrap();
        let (one, _) = (keep(&cache, b"one"), keep(&cache, b"two"));
        assert_eq!(cache.verify().unwrap(), []);
        let kept = cache.find(&[Checks { sha256: Some(one.sha256), md5: None }]).unwrap().unwrap();
        cache.0.replace_file(kept.name(), b"uno", 0o600).unwrap();
        let wrong = cache.verify().unwrap();
        assert_eq!(wrong.len(), 1);
        assert_eq!(wrong[0].sha256, one.sha256);
        cache.forget(&kept).unwrap();
        assert_eq!(cache.verify().unwrap(), []);
    }
}
