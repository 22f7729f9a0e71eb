//! Files of tpkg packages that come encrypted: they are decrypted in staging, before anybody plans.

use super::Arrival;
use crate::error::{Exit, Failure, FsError};
use crate::format::tpkg::crypt::{CryptError, Passphrase, decrypt};
use crate::package::file_table::{Content, Entry, FileTable};
use crate::package::tpkg::TpkgContent;
use crate::sys::fs::Dir;
use crate::sys::host;
use crate::sys::path::RelPath;

/// The name of a file while it is being decrypted.
const HALF: &str = ".cart-plain";

impl Arrival {
    /// Tells whether it has files that are encrypted.
    pub fn is_encrypted(&self) -> bool {
        let tpkg = self.new.package.tpkg.iter();
        tpkg.flat_map(|tpkg| &tpkg.files).any(|file| file.encrypt.is_some())
    }

    /// Decrypts its files in staging, below `state`; from then on they are as if they had come so.
    pub fn decrypt(&mut self, state: &Dir, passphrase: &Passphrase) -> Result<(), Failure> {
        let title = self.new.package.title();
        let tree = state.dir(&self.from)?;
        let Some(tpkg) = &mut self.new.package.tpkg else { return Ok(()) };
        let mut entries: Vec<Entry> = self.new.table.entries().to_vec();
        for file in &mut tpkg.files {
            let (Some(encryption), TpkgContent::File { .. }) = (&file.encrypt, &file.content)
            else {
                continue;
            };
            let path = RelPath::parse(&file.path_in_tree()).map_err(|error| {
                Failure::new(Exit::Integrity, format!("a path of `{title}` {error}"))
            })?;
            let fail = |error: CryptError| {
                let mut failure =
                    Failure::new(Exit::Integrity, format!("cannot decrypt `{path}` of `{title}`"));
                failure.causes.push(error.to_string());
                failure.hint("give the passphrase with which the package was built")
            };
            let content = one(&tree, &path, |from, to| decrypt(encryption, passphrase, from, to))?
                .map_err(fail)?;
            if let Content::File { size, sha256 } = content {
                file.content = TpkgContent::File { size, sha256 };
            }
            if let Some(entry) = entries.iter_mut().find(|entry| entry.path == path) {
                entry.content = content;
            }
            file.encrypt = None;
        }
        self.new.table = FileTable::new(entries);
        Ok(())
    }
}

/// Replaces the file at `path` by what `change` makes of it.
fn one<E>(
    tree: &Dir,
    path: &RelPath,
    change: impl FnOnce(
        &mut std::fs::File,
        &mut std::fs::File,
    ) -> Result<crate::package::digest::Sha256, E>,
) -> Result<Result<Content, E>, Failure> {
    let parent = path.parent();
    let folder = match &parent {
        Some(parent) => tree.dir(parent)?,
        None => tree.again()?,
    };
    let Some(meta) = folder.meta(path.name())? else {
        return Err(
            FsError::new("open", folder.path_of(path.name()), rustix::io::Errno::NOENT).into()
        );
    };
    // Folders of staging have no write bits, which matters to everybody but root.
    let own = folder.meta("")?.map_or(0o755, |meta| meta.mode);
    if !host::is_root() {
        folder.set_mode("", own | 0o200)?;
    }
    folder.remove_file(HALF)?;
    let mut packed = folder.open_file(path.name())?;
    let mut plain = folder.create_file(HALF, 0o600)?;
    let done = change(&mut packed, &mut plain);
    let size = plain
        .metadata()
        .map_err(|error| FsError::new("look at", folder.path_of(HALF), error))?
        .len();
    match done {
        Err(error) => {
            folder.remove_file(HALF)?;
            Ok(Err(error))
        }
        Ok(sha256) => {
            folder.set_mode(HALF, meta.mode)?;
            folder.rename(HALF, &folder, path.name())?;
            if !host::is_root() {
                folder.set_mode("", own)?;
            }
            Ok(Ok(Content::File { size, sha256 }))
        }
    }
}
