//! The files that a script's output goes into.
//!
//! Files rather than pipes: a daemon that keeps its standard output open cannot keep anybody
//! waiting, and does not die of writing to it.

use super::{Capture, User};
use crate::error::FsError;
use std::borrow::Cow;
use std::fmt::Write;
use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::ops::Range;

/// How much more than it keeps a script may print.
const FLOOD: u64 = 64;

/// What a script wrote to one of its outputs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Output {
    /// The text; what is not UTF-8 is replaced. Of a long one the beginning and the end, with a
    /// line between them that says how much is missing.
    pub text: String,
    /// How many bytes there were when the script ended.
    pub total: u64,
    /// Where in the text the lines stand that are there in part only.
    pub cut: Range<usize>,
}

/// The two open files.
pub(super) struct Files {
    pub(super) stdout: File,
    pub(super) stderr: File,
}

/// Makes the files. They belong to the script's account, as scripts reopen `/dev/stderr`.
pub(super) fn open(capture: &Capture, user: Option<User>) -> Result<Files, FsError> {
    let open = |end: &str| {
        let name = format!("{}.{end}", capture.name);
        capture.folder.remove_file(&name)?;
        // Appending: several processes write, and one may have emptied the file.
        let file = capture.folder.append_file(&name, 0o600)?;
        if let Some(User { uid, gid }) = user {
            std::os::unix::fs::fchown(&file, Some(uid), Some(gid)).map_err(|error| {
                FsError::new("set the owner of", capture.folder.path_of(&name), error)
            })?;
        }
        Ok(file)
    };
    Ok(Files { stdout: open("out")?, stderr: open("err")? })
}

impl Files {
    /// Tells whether the script prints without end.
    pub(super) fn is_flooded(&self, capture: &Capture) -> bool {
        let most = capture.keep.max(1).saturating_mul(FLOOD);
        [&self.stdout, &self.stderr]
            .iter()
            .any(|file| file.metadata().is_ok_and(|meta| meta.len() > most))
    }
}

/// Reads what is there now: `end` is `out` or `err`.
pub(super) fn read(capture: &Capture, end: &str) -> Result<Output, FsError> {
    let name = format!("{}.{end}", capture.name);
    let fail = |error| FsError::new("read", capture.folder.path_of(&name), error);
    let mut file = capture.folder.open_file(&name)?;
    let total = file.metadata().map_err(fail)?.len();
    let mut bytes = Vec::new();
    if total <= capture.keep {
        // A daemon may go on writing; only what was counted is read.
        file.take(total).read_to_end(&mut bytes).map_err(fail)?;
        return Ok(Output { text: String::from_utf8_lossy(&bytes).into_owned(), total, cut: 0..0 });
    }
    let half = capture.keep / 2;
    Read::by_ref(&mut file).take(half).read_to_end(&mut bytes).map_err(fail)?;
    file.seek(SeekFrom::Start(total - half)).map_err(fail)?;
    let mut end = Vec::new();
    file.take(half).read_to_end(&mut end).map_err(fail)?;
    let missing = total - (bytes.len() + end.len()) as u64;
    let mut text = String::from_utf8_lossy(&bytes).into_owned();
    let from = text.rfind('\n').map_or(0, |at| at + 1);
    // Writing to a String cannot fail.
    let _ = write!(text, "\n[{missing} bytes are left out here]\n");
    let end = String::from_utf8_lossy(&end);
    let to = text.len() + end.find('\n').map_or(end.len(), |at| at + 1);
    text.push_str(&end);
    Ok(Output { text, total, cut: from..to })
}

impl Output {
    /// The text without the two lines of which there is only a part: half a line could be taken for
    /// something that the script did not say.
    pub fn whole_lines(&self) -> Cow<'_, str> {
        if self.cut.is_empty() {
            return Cow::Borrowed(&self.text);
        }
        let before = self.text.get(..self.cut.start).unwrap_or_default();
        let after = self.text.get(self.cut.end..).unwrap_or_default();
        Cow::Owned(before.to_owned() + after)
    }
}
