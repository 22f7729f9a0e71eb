//! The checksum of a deployment: over sorted names, modes and contents (node specification,
//! paragraph 0; the original's knows contents alone, in the order of the disk).

use super::{FOLDER, PARTS};
use crate::error::FsError;
use crate::package::digest;
use crate::sys::fs::{Dir, Kind};
use crate::sys::interrupt;
use sha2::{Digest, Sha256};
use std::io::{self, Error, ErrorKind, Read};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

/// The SHA-256 of what the deployment `name` consists of, in lower-case digits.
pub fn checksum(home: &Dir, name: &str) -> Result<String, FsError> {
    let deployment = home.dir(format!("{FOLDER}/{name}"))?;
    let mut sum = Sum { hash: Sha256::new(), buffer: vec![0; 1 << 17] };
    for part in PARTS {
        if deployment.has(part)? {
            sum.tree(&deployment, Path::new(part), Path::new(part))?;
        }
    }
    Ok(digest::Sha256(sum.hash.finalize().into()).to_string())
}

struct Sum {
    hash: Sha256,
    buffer: Vec<u8>,
}

impl Sum {
    /// Adds `name` of `dir`, known as `path`, and everything in it. Each value comes after its
    /// length, so that no two trees have the same text.
    fn tree(&mut self, dir: &Dir, name: &Path, path: &Path) -> Result<(), FsError> {
        let Some(meta) = dir.meta(name)? else { return Ok(()) };
        let letter = match meta.kind {
            Kind::File => b'f',
            Kind::Directory => b'd',
            Kind::Link => b'l',
            Kind::Other => return Ok(()),
        };
        self.hash.update([letter]);
        self.value(path.as_os_str().as_bytes());
        match meta.kind {
            Kind::Link => self.value(dir.link_target(name)?.as_os_str().as_bytes()),
            Kind::File => {
                self.hash.update(meta.mode.to_be_bytes());
                self.file(dir, name)?;
            }
            _ => {
                self.hash.update(meta.mode.to_be_bytes());
                let inner = dir.dir(name)?;
                let mut names = inner.names()?;
                names.sort();
                for entry in names {
                    self.tree(&inner, Path::new(&entry), &path.join(&entry))?;
                }
            }
        }
        Ok(())
    }

    fn value(&mut self, bytes: &[u8]) {
        self.hash.update((bytes.len() as u64).to_be_bytes());
        self.hash.update(bytes);
    }

    /// A file's digest stands for it, as its length may change while it is read.
    fn file(&mut self, dir: &Dir, name: &Path) -> Result<(), FsError> {
        let fail = |error| FsError::new("read", dir.path_of(name), error);
        let mut file = dir.open_file(name)?;
        let mut own = Sha256::new();
        loop {
            interrupt::check()
                .map_err(|signal| fail(Error::new(ErrorKind::Interrupted, signal)))?;
            match file.read(&mut self.buffer) {
                Ok(0) => break,
                Ok(length) => own.update(self.buffer.get(..length).unwrap_or_default()),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(fail(error)),
            }
        }
        self.hash.update(own.finalize());
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_modes_contents_and_links_count_and_nothing_else() {
        let temp = tempfile::tempdir().unwrap();
        let home = Dir::open(temp.path()).unwrap();
        let build = |name: &str, file: &str, mode: u32, text: &str, link: &str| {
            let place = format!("{FOLDER}/{name}");
            home.make_dirs(format!("{place}/repo/sub"), 0o755).unwrap();
            home.make_dirs(format!("{place}/dependencies"), 0o755).unwrap();
            let file = format!("{place}/repo/sub/{file}");
            home.write_new(&file, text.as_bytes(), mode).unwrap();
            home.set_mode(&file, mode).unwrap();
            home.make_link(format!("{place}/repo/link"), link).unwrap();
            home.write_new(format!("{place}/metadata.json"), name.as_bytes(), 0o600).unwrap();
            checksum(&home, name).unwrap()
        };
        let one = build("one", "a", 0o644, "text", "sub/a");
        assert_eq!(one.len(), 64);
        assert_eq!(build("two", "a", 0o644, "text", "sub/a"), one);
        for (name, other) in [
            ("name", build("name", "b", 0o644, "text", "sub/a")),
            ("mode", build("mode", "a", 0o755, "text", "sub/a")),
            ("content", build("content", "a", 0o644, "texts", "sub/a")),
            ("link", build("link", "a", 0o644, "text", "sub/b")),
        ] {
            assert_ne!(other, one, "{name}");
        }
    }
}
