//! What lies at the places that sites want.

use crate::error::Failure;
use crate::sys::fs::{Dir, Kind};
use crate::sys::in_root::InRoot;
use crate::sys::path::RelPath;
use std::collections::{BTreeMap, BTreeSet};

/// A place on the host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Spot {
    /// Where it really is: the path leads through no links.
    pub path: RelPath,
    /// What is there.
    pub there: Option<Kind>,
}

/// What was seen.
#[derive(Clone, Debug, Default)]
pub struct Looked {
    /// Each path that was asked for.
    pub spots: BTreeMap<RelPath, Spot>,
    /// The folders above them that are there.
    pub folders: BTreeSet<RelPath>,
}

/// Looks at `paths` below `root`.
pub fn look(root: &Dir, paths: &BTreeSet<RelPath>) -> Result<Looked, Failure> {
    let mut looked = Looked::default();
    let mut in_root = InRoot::new(root);
    for path in paths {
        let real = in_root.place(path)?;
        let mut next = real.parent();
        while let Some(above) = next.filter(|above| !looked.folders.contains(above)) {
            next = above.parent();
            if root.meta(&above)?.is_some_and(|meta| meta.kind == Kind::Directory) {
                looked.folders.insert(above);
            }
        }
        // A parent that is no folder is met when something is put there.
        let there = match real.parent() {
            Some(above) if !looked.folders.contains(&above) => None,
            _ => root.meta(&real)?.map(|meta| meta.kind),
        };
        looked.spots.insert(path.clone(), Spot { path: real, there });
    }
    Ok(looked)
}
