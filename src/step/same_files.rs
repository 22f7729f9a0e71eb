//! Files that are in a gear already as they would come: they are compared, and not copied.

use crate::error::{Failure, FsError};
use crate::sys::fs::{Dir, Kind, Meta};
use crate::sys::tree::{self, Modes};
use std::collections::BTreeSet;
use std::io::Read;
use std::path::Path;

/// The folders of a cartridge whose files change as they are built into a gear.
const CHANGING: [&str; 4] = ["bin", "hooks", "metadata", "env"];

/// The copying of a package's tree into a folder.
pub(super) struct Copying<'a> {
    pub(super) from: &'a Dir,
    pub(super) into: &'a Dir,
    /// The cartridge as it is in the gear.
    pub(super) there: &'a Dir,
    /// The files that are there already, below the cartridge's folder.
    pub(super) same: BTreeSet<String>,
}

impl Copying<'_> {
    /// Copies what lies at the top as `name`, writable; what is there already is only noted.
    pub(super) fn copy(&mut self, name: &Path) -> Result<(), Failure> {
        let changes = CHANGING.iter().any(|folder| name == Path::new(folder));
        if changes { self.whole(name) } else { self.changed(name) }
    }

    fn whole(&self, path: &Path) -> Result<(), Failure> {
        Ok(tree::copy(self.from, path, self.into, path, Modes::Writable)?)
    }

    fn changed(&mut self, path: &Path) -> Result<(), Failure> {
        let Some(meta) = self.from.meta(path)? else { return Ok(()) };
        let now = self.there.meta(path)?;
        match (meta.kind, now) {
            (Kind::Directory, Some(now)) if now.kind == Kind::Directory => {
                self.into.make_dir(path, 0o700)?;
                for name in self.from.dir(path)?.names()? {
                    self.changed(&path.join(name))?;
                }
                Ok(self.into.set_mode(path, meta.mode | 0o200)?)
            }
            (Kind::File, Some(now)) if self.is_there(path, (meta, now))? => {
                // Names that are no text cannot be in a package.
                self.same.extend(path.to_str().map(str::to_owned));
                Ok(())
            }
            _ => self.whole(path),
        }
    }

    /// Templates are rendered, so that what is there under the name is another thing.
    fn is_there(&self, path: &Path, (meta, now): (Meta, Meta)) -> Result<bool, Failure> {
        let is_template = path.extension().is_some_and(|extension| extension == "erb");
        let Some(name) = path.to_str().filter(|_| !is_template) else { return Ok(false) };
        let is_alike = now.kind == Kind::File && now.mode == meta.mode | 0o200;
        Ok(is_alike && is_same((self.from, name, meta), (self.there, name, now))?)
    }
}

/// Whether two files or links have the same content.
pub(super) fn is_same(
    (one, one_path, one_meta): (&Dir, &str, Meta),
    (other, other_path, other_meta): (&Dir, &str, Meta),
) -> Result<bool, Failure> {
    match (one_meta.kind, other_meta.kind) {
        (Kind::Link, Kind::Link) => {
            Ok(one.link_target(one_path)? == other.link_target(other_path)?)
        }
        (Kind::File, Kind::File) if one_meta.size == other_meta.size => {
            let failed = |error| FsError::new("read", one.path_of(one_path), error);
            let mut one = one.open_file(one_path)?;
            let mut other = other.open_file(other_path)?;
            let (mut left, mut right) = ([0; 16 << 10], [0; 16 << 10]);
            loop {
                let read = one.read(&mut left).map_err(failed)?;
                let mut filled = 0;
                while let Some(rest) = right.get_mut(filled..read).filter(|rest| !rest.is_empty()) {
                    match other.read(rest).map_err(failed)? {
                        0 => break,
                        more => filled += more,
                    }
                }
                if left.get(..read) != right.get(..filled) {
                    return Ok(false);
                }
                if read == 0 {
                    return Ok(true);
                }
            }
        }
        _ => Ok(false),
    }
}
