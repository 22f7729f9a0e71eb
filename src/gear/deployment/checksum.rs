//! The checksum of a deployment: over sorted names, modes and contents (node specification,
//! paragraph 0; the original's knows contents alone, in the order of the disk).

use super::{FOLDER, PARTS};
use crate::error::FsError;
use crate::package::digest;
use crate::sys::fs::{Dir, Kind};
use crate::sys::{interrupt, lanes};
use sha2::{Digest, Sha256};
use std::io::{self, Error, ErrorKind, Read};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

/// How many bytes are read at a time.
const PIECE: usize = 1 << 17;
/// Files of longer paths are read while their folder is open: the kernel takes 4,096 bytes.
const LONG: usize = 2048;

/// The SHA-256 of what the deployment `name` consists of, in lower-case digits.
pub fn checksum(home: &Dir, name: &str) -> Result<String, FsError> {
    let deployment = home.dir(format!("{FOLDER}/{name}"))?;
    let mut survey = Survey::default();
    for part in PARTS {
        if deployment.has(part)? {
            survey.tree(&deployment, Path::new(part), Path::new(part))?;
        }
    }
    let digests = lanes::run(
        &survey.files,
        [vec![0; PIECE], vec![0; PIECE]],
        |buffer, (_, file)| match file {
            Content::Known(digest) => Ok(*digest),
            Content::At(path) => read(&deployment, path, buffer),
        },
    )?;
    let (mut hash, mut begin) = (Sha256::new(), 0);
    for ((end, _), digest) in survey.files.iter().zip(digests) {
        hash.update(survey.text.get(begin..*end).unwrap_or_default());
        hash.update(digest);
        begin = *end;
    }
    hash.update(survey.text.get(begin..).unwrap_or_default());
    Ok(digest::Sha256(hash.finalize().into()).to_string())
}

/// What is there. Each value comes after its length, so that no two trees have the same text.
#[derive(Default)]
struct Survey {
    text: Vec<u8>,
    /// The files: after which byte of the text the digest of each belongs, which stands for its
    /// content, as its length may change while it is read.
    files: Vec<(usize, Content)>,
}

enum Content {
    At(PathBuf),
    Known([u8; 32]),
}

impl Survey {
    /// Adds `name` of `dir`, known as `path`, and everything in it.
    fn tree(&mut self, dir: &Dir, name: &Path, path: &Path) -> Result<(), FsError> {
        let Some(meta) = dir.meta(name)? else { return Ok(()) };
        let letter = match meta.kind {
            Kind::File => b'f',
            Kind::Directory => b'd',
            Kind::Link => b'l',
            Kind::Other => return Ok(()),
        };
        self.text.push(letter);
        let bytes = path.as_os_str().as_bytes();
        self.value(bytes);
        match meta.kind {
            Kind::Link => self.value(dir.link_target(name)?.as_os_str().as_bytes()),
            Kind::File => {
                self.text.extend(meta.mode.to_be_bytes());
                let content = match bytes.len() {
                    ..LONG => Content::At(path.to_owned()),
                    _ => Content::Known(read(dir, name, &mut vec![0; PIECE])?),
                };
                self.files.push((self.text.len(), content));
            }
            _ => {
                self.text.extend(meta.mode.to_be_bytes());
                let inner = dir.dir(name)?;
                for entry in inner.names()? {
                    self.tree(&inner, Path::new(&entry), &path.join(&entry))?;
                }
            }
        }
        Ok(())
    }

    fn value(&mut self, bytes: &[u8]) {
        self.text.extend((bytes.len() as u64).to_be_bytes());
        self.text.extend(bytes);
    }
}

/// The digest of the file `name` of `dir`.
fn read(dir: &Dir, name: &Path, buffer: &mut [u8]) -> Result<[u8; 32], FsError> {
    let fail = |error| FsError::new("read", dir.path_of(name), error);
    let mut file = dir.open_file(name)?;
    let mut hash = Sha256::new();
    loop {
        interrupt::check().map_err(|signal| fail(Error::new(ErrorKind::Interrupted, signal)))?;
        match file.read(buffer) {
            Ok(0) => return Ok(hash.finalize().into()),
            Ok(length) => hash.update(buffer.get(..length).unwrap_or_default()),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(fail(error)),
        }
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
