//! A cartridge as a gear gets it: a copy of the package's tree, with `usr` as a link to it.

use super::Cx;
use super::same_files::Copying;
use crate::error::{Exit, Failure, FsError};
use crate::gear::identity::{Cartridge, Identity};
use crate::gear::owner::{self, Account};
use crate::sys::fs::{Dir, Kind};
use crate::sys::tree::{self, Modes};
use std::collections::BTreeSet;
use std::path::Path;

/// The folder that stands for the gear's home.
pub(super) const HOME: &str = "home";

/// A cartridge to be built for a gear.
pub(super) struct Instance<'a> {
    pub(super) gear: &'a Identity,
    /// Its folder in the gear.
    pub(super) dir: &'a str,
    /// Whether the package has a `usr`.
    pub(super) usr: bool,
}

impl Instance<'_> {
    fn cartridge(&self) -> Result<&Cartridge, Failure> {
        self.gear.cartridge(self.dir).ok_or_else(|| {
            let text = format!("the gear `{}` has no cartridge `{}`", self.gear.name, self.dir);
            Failure::new(Exit::NotFound, text)
        })
    }

    /// Builds it in a folder of `stash` that stands for the gear's home (who owns what goes by the
    /// path there), and gives that folder. What an earlier attempt left there goes. Files that are
    /// just so in the cartridge `there` are left out, and named.
    pub(super) fn build_in(
        &self,
        cx: &Cx<'_>,
        stash: &Dir,
        there: Option<&Dir>,
    ) -> Result<(Dir, BTreeSet<String>), Failure> {
        tree::remove(stash, HOME)?;
        stash.make_dirs(format!("{HOME}/{}", self.dir), 0o755)?;
        let base = stash.dir(HOME)?;
        let same = self.build(cx, &base.dir(self.dir)?, there)?;
        if let Some((uid, gid)) = self.gear.owner {
            owner::own_part(&base, Path::new(self.dir), Account { uid, gid })?;
        }
        Ok((base, same))
    }

    /// Builds the instance in `into`: everything but `usr` is copied, and may be written.
    fn build(
        &self,
        cx: &Cx<'_>,
        into: &Dir,
        there: Option<&Dir>,
    ) -> Result<BTreeSet<String>, Failure> {
        let cartridge = self.cartridge()?;
        let library = cx.state.dir("library")?;
        let package = library.dir(&cartridge.place)?;
        let mut same = BTreeSet::new();
        for name in package.names()?.into_iter().filter(|name| name != "usr") {
            if let Some(there) = there {
                let mut copying = Copying { from: &package, into, there, same };
                copying.copy(Path::new(&name))?;
                same = copying.same;
            } else {
                tree::copy(&package, &name, into, &name, Modes::Writable)?;
            }
        }
        make_executable(into)?;
        if self.usr {
            into.make_link("usr", package.path_of("usr"))?;
        }
        into.make_dirs("env", 0o755)?;
        let short = &cartridge.short_name;
        // Directories end in a slash: real scripts and templates count on it.
        let path = format!("{}/", cx.state.path_of(self.gear.home()).join(self.dir).display());
        for (name, value) in [("DIR", path), ("IDENT", cartridge.ident.clone())] {
            let file = format!("env/OPENSHIFT_{short}_{name}");
            into.put_file(&file, value.as_bytes(), 0o644)?;
        }
        // The gear reads what it is, whatever modes the package came with; as root it cannot
        // change it either, for then these files are not its own.
        for file in ["metadata/manifest.yml", "metadata/managed_files.yml"] {
            if into.meta(file)?.is_some_and(|meta| meta.kind == Kind::File) {
                into.set_mode(file, 0o644)?;
            }
        }
        Ok(same)
    }
}

/// Lets the cartridge's programs be executed: many packages have lost the bits on their way, as
/// other platforms set them when installing (specification of the corpus, 0.6).
fn make_executable(cartridge: &Dir) -> Result<(), FsError> {
    for folder in ["bin", "hooks"] {
        if cartridge.meta(folder)?.is_none_or(|meta| meta.kind != Kind::Directory) {
            continue;
        }
        let dir = cartridge.dir(folder)?;
        for name in dir.names()? {
            let meta = dir.meta(&name)?;
            let Some(mode) = meta.filter(|it| it.kind == Kind::File).map(|it| it.mode) else {
                continue;
            };
            if mode & 0o111 == 0 {
                // Whoever may read it may run it.
                dir.set_mode(&name, mode | ((mode & 0o444) >> 2))?;
            }
        }
    }
    Ok(())
}
