//! What scripts printed, `log/`: kept for `cart history`, up to an age and a quota.
//!
//! A daemon may go on writing into the log of the script that started it. Such a log is not
//! removed, which would only hide it, but cut: its end is kept, and appending goes on from there.

use crate::error::Failure;
use crate::sys::clock::Moment;
use crate::sys::fs::{self, Dir, Kind};
use crate::sys::{process, tree};
use std::collections::HashSet;
use std::io::{Read, Seek, SeekFrom};
use std::path::PathBuf;

/// How long a log is kept, in seconds.
const AGE: i64 = 90 * 86_400;
/// The most that all logs together may take, in bytes; the oldest go first.
const QUOTA: u64 = 64 << 20;
/// How long one that is still written to may grow, in bytes.
const LONGEST: u64 = 4 << 20;
/// How much of its end is kept when it is cut.
const TAIL: u64 = 64 << 10;

/// Cuts what has grown too long, and removes what is too old or too much. `busy` are transactions
/// that are not over.
pub(super) fn keep_quota(state: &Dir, busy: &HashSet<i64>) -> Result<(), Failure> {
    if !state.has("log")? {
        return Ok(());
    }
    let logs = state.dir("log")?;
    let held = process::outputs()?;
    let mut kept = Vec::new();
    for name in logs.names()? {
        let Some(txn) = name.to_str().and_then(|name| name.parse::<i64>().ok()) else { continue };
        let Some(meta) = logs.meta(&name)?.filter(|meta| meta.kind == Kind::Directory) else {
            continue;
        };
        let is_held = cut(&logs.dir(&name)?, &held)?;
        if !is_held && !busy.contains(&txn) {
            kept.push((txn, meta.changed.seconds, tree::size(&logs, &name)?));
        }
    }
    kept.sort_unstable();
    let oldest = Moment::now().0 / 1000 - AGE;
    let mut total: u64 = kept.iter().map(|(_, _, size)| size).sum();
    for (txn, modified, size) in kept {
        if total > QUOTA || modified < oldest {
            tree::remove(&logs, txn.to_string())?;
            total -= size;
        }
    }
    Ok(())
}

/// Cuts the logs in `folder` that somebody still writes to; tells whether there are any.
fn cut(folder: &Dir, held: &HashSet<PathBuf>) -> Result<bool, Failure> {
    let mut is_held = false;
    let place = fs::resolve(folder.path())?;
    for name in folder.names()? {
        if !held.contains(&place.join(&name)) {
            continue;
        }
        is_held = true;
        let length = folder.meta(&name)?.map_or(0, |meta| meta.size);
        if length > LONGEST {
            let fail = |error| crate::error::FsError::new("cut", folder.path_of(&name), error);
            let mut file = folder.reopen_file(&name)?;
            let mut tail = Vec::new();
            file.seek(SeekFrom::Start(length - TAIL)).map_err(fail)?;
            Read::by_ref(&mut file).take(TAIL).read_to_end(&mut tail).map_err(fail)?;
            let mut before = name.clone();
            before.push(".before");
            folder.replace_file(&before, &tail, 0o600)?;
            // Whoever writes appends, so that what follows begins at the new end.
            file.set_len(0).map_err(fail)?;
        }
    }
    Ok(is_held)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;
    use std::process::Stdio;

    #[test]
    fn what_is_written_to_is_cut_and_what_is_old_goes() {
        let temp = tempfile::tempdir().unwrap();
        let state = Dir::open(temp.path()).unwrap();
        for txn in ["1", "2", "3"] {
            state.make_dirs(format!("log/{txn}"), 0o700).unwrap();
            state.write_new(format!("log/{txn}/1-1-setup.out"), b"text", 0o600).unwrap();
        }
        let log = state.dir("log/2").unwrap();
        let mut file = log.append_file("1-1-control-start.out", 0o600).unwrap();
        file.write_all(&vec![b'x'; usize::try_from(LONGEST + 1).unwrap()]).unwrap();
        let mut daemon = process::command("/bin/sleep".as_ref());
        let mut daemon = daemon.arg("600").stdout(Stdio::from(file)).spawn().unwrap();
        for txn in ["log/1", "log/2", "log/3"] {
            let folder = fs::open_for_reading(&temp.path().join(txn)).unwrap();
            crate::sys::fs::set_modified(&folder, 1_000_000).unwrap();
        }
        keep_quota(&state, &HashSet::from([3])).unwrap();
        daemon.kill().unwrap();
        daemon.wait().unwrap();
        assert_eq!(state.dir("log").unwrap().names().unwrap(), ["2", "3"]);
        assert_eq!(log.meta("1-1-control-start.out").unwrap().unwrap().size, 0);
        assert_eq!(log.meta("1-1-control-start.out.before").unwrap().unwrap().size, TAIL);
    }
}
