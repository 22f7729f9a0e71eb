//! Small files in shared places, changed one by one: what was there before is part of the undo
//! record, and a new file appears whole, by a rename.

use super::Cx;
use crate::error::{Exit, Failure};
use crate::sys::checkpoint::checkpoint;
use crate::sys::fs::Kind;

/// The longest file that an undo record holds.
const LONGEST: u64 = 1 << 20;

/// A file to be written; its path is relative to the state directory.
pub(super) struct NewFile {
    pub(super) path: String,
    pub(super) bytes: Vec<u8>,
    pub(super) mode: u32,
    pub(super) owner: Option<(u32, u32)>,
}

/// What stood at the path of a [`NewFile`] before: nothing, or a file.
#[derive(Debug, serde::Serialize, serde::Deserialize)]
pub struct Before(Option<Old>);

#[derive(Debug, serde::Serialize, serde::Deserialize)]
struct Old {
    bytes: Vec<u8>,
    mode: u32,
    uid: u32,
    gid: u32,
}

impl Before {
    /// Tells whether there was a file.
    pub(super) fn is_there(&self) -> bool {
        self.0.is_some()
    }
}

/// Looks at what stands where `files` will be.
pub(super) fn look(cx: &Cx<'_>, files: &[NewFile]) -> Result<Vec<Before>, Failure> {
    files.iter().map(|file| look_at(cx, &file.path)).collect()
}

fn look_at(cx: &Cx<'_>, path: &str) -> Result<Before, Failure> {
    let Some(meta) = cx.state.meta(path)? else { return Ok(Before(None)) };
    if meta.kind != Kind::File {
        let text = format!("`{}` is no file", cx.state.path_of(path).display());
        return Err(Failure::new(Exit::Conflict, text).hint("move it away"));
    }
    let bytes = cx.state.read(path, LONGEST)?;
    Ok(Before(Some(Old { bytes, mode: meta.mode, uid: meta.uid, gid: meta.gid })))
}

/// Writes `files`.
pub(super) fn write(cx: &Cx<'_>, files: &[NewFile]) -> Result<(), Failure> {
    for file in files {
        checkpoint("files: before a file is written");
        cx.state.replace_file(&file.path, &file.bytes, file.mode)?;
        if let Some((uid, gid)) = file.owner {
            cx.state.set_owner(&file.path, uid, gid)?;
        }
        checkpoint("files: a file is written");
    }
    Ok(())
}

/// Puts back what stood where `files` were written.
pub(super) fn put_back(cx: &Cx<'_>, files: &[NewFile], before: &[Before]) -> Result<(), Failure> {
    for (file, Before(old)) in files.iter().zip(before) {
        let Some(parent) = std::path::Path::new(&file.path).parent() else { continue };
        if !cx.state.has(parent)? {
            continue;
        }
        cx.state.remove_file(format!("{}.cart-new", file.path))?;
        match old {
            None => cx.state.remove_file(&file.path)?,
            Some(old) => {
                cx.state.replace_file(&file.path, &old.bytes, old.mode)?;
                if crate::sys::host::is_root() {
                    cx.state.set_owner(&file.path, old.uid, old.gid)?;
                }
            }
        }
        checkpoint("files: a file is put back");
    }
    Ok(())
}
