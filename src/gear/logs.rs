//! The logs of a gear, `app-root/logs`: which there are, and how they end.
//!
//! The gear writes them, so they are text of others: read up to a limit, shown escaped.

use crate::error::FsError;
use crate::sys::fs::{Dir, Kind};
use std::io::{Read, Seek, SeekFrom};

/// The folder in a gear's home.
const FOLDER: &str = "app-root/logs";
/// The most of one log that is read back for its last lines.
const MOST: u64 = 4 << 20;

/// Whether the logs are meant that are written now, or those before them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Age {
    /// The ones that are written now.
    Current,
    /// The ones that were rolled last.
    Previous,
}

/// Opens the folder of the logs.
pub fn folder(home: &Dir) -> Result<Dir, FsError> {
    home.dir(FOLDER)
}

/// The names of the logs: `php.log` now, `php.log.1` before it.
pub fn names(logs: &Dir, age: Age) -> Result<Vec<String>, FsError> {
    let mut names = Vec::new();
    for name in logs.names()? {
        let is_file = logs.meta(&name)?.is_some_and(|meta| meta.kind == Kind::File);
        let name = name.to_string_lossy().into_owned();
        let number = name.rsplit_once('.').and_then(|(_, end)| end.parse::<u32>().ok());
        let wanted = match age {
            Age::Current => number.is_none(),
            Age::Previous => number == Some(1),
        };
        if is_file && wanted {
            names.push(name);
        }
    }
    names.sort();
    Ok(names)
}

/// What stands in a log from `from` on (its end, when nothing is given), and where it ends. A log
/// that has become shorter was rolled, and is read from its beginning.
pub fn read(logs: &Dir, name: &str, from: Option<u64>) -> Result<(String, u64), FsError> {
    let mut file = logs.open_file(name)?;
    let length = file.metadata().map_or(0, |meta| meta.len());
    let start = match from {
        Some(from) if from <= length => from,
        Some(_) => 0,
        None => length.saturating_sub(MOST),
    };
    let mut bytes = Vec::new();
    file.seek(SeekFrom::Start(start))
        .and_then(|_| file.take(length - start).read_to_end(&mut bytes))
        .map_err(|error| FsError::new("read", logs.path_of(name), error))?;
    Ok((String::from_utf8_lossy(&bytes).into_owned(), length))
}

/// The last lines of a log that is written now.
pub fn tail(text: &str, count: usize) -> Vec<&str> {
    let lines: Vec<&str> = text.lines().collect();
    lines.get(lines.len().saturating_sub(count)..).unwrap_or_default().to_vec()
}

/// The name and the last lines of the log that was written last, where one says anything.
pub fn latest(home: &Dir, count: usize) -> Result<Option<(String, Vec<String>)>, FsError> {
    if !home.has(FOLDER)? {
        return Ok(None);
    }
    let logs = folder(home)?;
    let mut newest = None;
    for name in names(&logs, Age::Current)? {
        let meta = logs.meta(&name)?.filter(|meta| meta.size > 0);
        let at = meta.map(|meta| meta.changed.seconds);
        if at.is_some() && newest.as_ref().is_none_or(|(_, latest)| at > *latest) {
            newest = Some((name, at));
        }
    }
    let Some((name, _)) = newest else { return Ok(None) };
    let (text, _) = read(&logs, &name, None)?;
    let lines = tail(&text, count).iter().map(|line| line.escape_debug().to_string()).collect();
    Ok(Some((name, lines)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rolled_logs_are_those_before() {
        let temp = tempfile::tempdir().unwrap();
        let home = Dir::open(temp.path()).unwrap();
        assert_eq!(latest(&home, 3).unwrap(), None);
        home.make_dirs(FOLDER, 0o755).unwrap();
        assert_eq!(latest(&home, 3).unwrap(), None, "no log at all");
        let logs = folder(&home).unwrap();
        for (name, text) in [("a.log", "1\n2\n3\n4\n"), ("a.log.1", "0\n"), ("a.log.2", "-1\n")] {
            logs.write_new(name, text.as_bytes(), 0o644).unwrap();
        }
        assert_eq!(names(&logs, Age::Current).unwrap(), ["a.log"]);
        assert_eq!(names(&logs, Age::Previous).unwrap(), ["a.log.1"]);
        let (name, lines) = latest(&home, 3).unwrap().unwrap();
        assert_eq!((name.as_str(), lines.join(" ")), ("a.log", "2 3 4".into()));
        assert_eq!(read(&logs, "a.log", Some(2)).unwrap(), ("2\n3\n4\n".into(), 8));
        assert_eq!(read(&logs, "a.log", Some(99)).unwrap().0.len(), 8, "rolled since");
    }
}
