//! `logshifter`: the command that cartridges pipe their servers' output into.
//!
//! It writes standard input to `$OPENSHIFT_LOG_DIR/<tag>.log` and rolls that file when it has grown
//! too long. A server must never stop or block because its log cannot be written: after an error
//! the input is read on and thrown away.

use crate::error::{Exit, Explain, FsError};
use crate::sys::fs::Dir;
use std::ffi::OsString;
use std::fs::File;
use std::io::{self, BufRead, BufReader, BufWriter, Read, Write};
use std::path::PathBuf;

/// How long a log may grow before it is rolled, in bytes.
const MAX_SIZE: u64 = 10 << 20;
/// How many rolled logs are kept.
const MAX_FILES: u32 = 10;
/// The longest line that is kept in one piece, in bytes.
const LONGEST_LINE: u64 = 64 << 10;

/// Logging could not begin.
#[derive(Debug, thiserror::Error)]
pub enum LogshifterError {
    /// The command line makes no sense.
    #[error("logshifter: {0}")]
    Usage(String),
    /// There is no place for logs.
    #[error("logshifter: `OPENSHIFT_LOG_DIR` is not set")]
    NoPlace,
    /// The place for logs cannot be used.
    #[error(transparent)]
    Fs(#[from] FsError),
}

impl Explain for LogshifterError {
    fn exit(&self) -> Exit {
        match self {
            Self::Usage(_) => Exit::Usage,
            Self::NoPlace | Self::Fs(_) => Exit::Failed,
        }
    }
    fn hint(&self) -> Option<String> {
        match self {
            Self::Usage(_) => Some("say `logshifter -tag NAME`".into()),
            Self::NoPlace => Some("run it inside a gear".into()),
            Self::Fs(error) => error.hint(),
        }
    }
}

/// Where and how one log is written.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Settings {
    folder: PathBuf,
    tag: String,
    max_size: u64,
    max_files: u32,
}

/// Runs the command: `arguments` without the program's name, `variable` to look up the
/// environment, `input` to be logged until its end.
pub fn run(
    arguments: &[OsString],
    variable: impl Fn(&str) -> Option<OsString>,
    input: impl Read,
) -> Result<(), LogshifterError> {
    let settings = settings(arguments, variable)?;
    let mut input = BufReader::with_capacity(64 << 10, input);
    let written = Log::open(settings).and_then(|mut log| log.take_all(&mut input));
    // Whoever writes to us must not notice that the log failed.
    let drained = io::copy(&mut input, &mut io::sink());
    written?;
    drained.map_err(|error| FsError::new("read", "standard input", error))?;
    Ok(())
}

fn settings(
    arguments: &[OsString],
    variable: impl Fn(&str) -> Option<OsString>,
) -> Result<Settings, LogshifterError> {
    let tag = tag(arguments)?;
    let folder = variable("OPENSHIFT_LOG_DIR").filter(|folder| !folder.is_empty());
    let own = |what: &str| {
        let upper: String = tag
            .chars()
            .map(|one| if one.is_ascii_alphanumeric() { one.to_ascii_uppercase() } else { '_' })
            .collect();
        variable(&format!("LOGSHIFTER_{upper}_{what}"))?.into_string().ok()
    };
    Ok(Settings {
        folder: folder.ok_or(LogshifterError::NoPlace)?.into(),
        max_size: own("MAX_FILESIZE").and_then(|text| size(&text)).unwrap_or(MAX_SIZE),
        max_files: own("MAX_FILES").and_then(|text| text.trim().parse().ok()).unwrap_or(MAX_FILES),
        tag,
    })
}

fn tag(arguments: &[OsString]) -> Result<String, LogshifterError> {
    let mut rest = arguments.iter().map(|argument| argument.to_string_lossy());
    let mut tag = None;
    while let Some(argument) = rest.next() {
        let name = argument.trim_start_matches('-');
        let (name, attached) = match name.split_once('=') {
            Some((name, value)) => (name, Some(value.to_owned())),
            None => (name, None),
        };
        let is_option = argument.starts_with('-');
        match name {
            "tag" if is_option => tag = attached.or_else(|| rest.next().map(Into::into)),
            // The original's other options choose a configuration file or where its own
            // statistics go; there is nothing here for them to choose.
            "config" | "statsfilename" | "statsinterval" if is_option => {
                if attached.is_none() {
                    rest.next();
                }
            }
            "verbose" if is_option => {}
            _ => {
                let text = format!("unknown argument `{}`", argument.escape_debug());
                return Err(LogshifterError::Usage(text));
            }
        }
    }
    let tag = tag.ok_or_else(|| LogshifterError::Usage("`-tag` is missing".into()))?;
    let fine = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    if tag.is_empty() || tag.starts_with('.') || !tag.chars().all(fine) || tag.len() > 100 {
        return Err(LogshifterError::Usage(format!("bad tag `{}`", tag.escape_debug())));
    }
    Ok(tag)
}

/// Reads a size such as `10M`, `512K`, `1G` or `1000`; 0 means without limit.
fn size(text: &str) -> Option<u64> {
    let text = text.trim().to_ascii_uppercase();
    let text = text.strip_suffix('B').unwrap_or(&text);
    let (number, shift) = match text.chars().last()? {
        'K' => (text.strip_suffix('K')?, 10),
        'M' => (text.strip_suffix('M')?, 20),
        'G' => (text.strip_suffix('G')?, 30),
        _ => (text, 0),
    };
    let number: u64 = number.trim().parse().ok()?;
    Some(if number == 0 { u64::MAX } else { number.saturating_mul(1 << shift) })
}

struct Log {
    settings: Settings,
    folder: Dir,
    file: BufWriter<File>,
    length: u64,
}

impl Log {
    fn open(settings: Settings) -> Result<Self, FsError> {
        let folder = Dir::open(&settings.folder)?;
        let name = format!("{}.log", settings.tag);
        let file = BufWriter::new(folder.append_file(&name, 0o640)?);
        let length = folder.meta(&name)?.map_or(0, |meta| meta.size);
        Ok(Self { settings, folder, file, length })
    }

    fn take_all(&mut self, input: &mut BufReader<impl Read>) -> Result<(), FsError> {
        let mut line = Vec::new();
        loop {
            line.clear();
            let read = Read::by_ref(input)
                .take(LONGEST_LINE)
                .read_until(b'\n', &mut line)
                .map_err(|error| FsError::new("read", "standard input", error))?;
            if read == 0 {
                return self.flush();
            }
            self.write(&line)?;
            // Nothing more to come at once: somebody may be reading along.
            if input.buffer().is_empty() {
                self.flush()?;
            }
        }
    }

    fn write(&mut self, line: &[u8]) -> Result<(), FsError> {
        let length = line.len() as u64;
        if self.length > 0 && self.length.saturating_add(length) > self.settings.max_size {
            self.roll()?;
        }
        self.length += length;
        self.file.write_all(line).map_err(|error| self.failed(error))
    }

    fn flush(&mut self) -> Result<(), FsError> {
        self.file.flush().map_err(|error| self.failed(error))
    }

    fn failed(&self, error: io::Error) -> FsError {
        FsError::new("write", self.folder.path_of(self.name(0)), error)
    }

    /// `tag.log` is the current file, `tag.log.1` the one before it, and so on.
    fn name(&self, number: u32) -> String {
        let tag = &self.settings.tag;
        if number == 0 { format!("{tag}.log") } else { format!("{tag}.log.{number}") }
    }

    fn roll(&mut self) -> Result<(), FsError> {
        self.flush()?;
        self.folder.remove_file(self.name(self.settings.max_files))?;
        for number in (0..self.settings.max_files).rev() {
            match self.folder.rename(self.name(number), &self.folder, self.name(number + 1)) {
                Err(error) if !error.is_not_found() => return Err(error),
                _ => {}
            }
        }
        self.file = BufWriter::new(self.folder.append_file(self.name(0), 0o640)?);
        self.length = 0;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn log(
        temp: &tempfile::TempDir,
        limits: [&str; 2],
        input: &[u8],
    ) -> Result<(), LogshifterError> {
        let folder = temp.path().as_os_str().to_owned();
        let variable = |name: &str| match name {
            "OPENSHIFT_LOG_DIR" => Some(folder.clone()),
            "LOGSHIFTER_MY_APP_MAX_FILESIZE" => Some(limits[0].into()),
            "LOGSHIFTER_MY_APP_MAX_FILES" => Some(limits[1].into()),
            _ => None,
        };
        run(&["-tag".into(), "my-app".into()], variable, input)
    }

    #[test]
    fn a_log_rolls_between_lines_and_keeps_so_many() {
        let temp = tempfile::tempdir().unwrap();
        let lines: Vec<String> = (0..10).map(|number| format!("line {number}\n")).collect();
        log(&temp, ["15", "2"], lines.concat().as_bytes()).unwrap();
        let dir = Dir::open(temp.path()).unwrap();
        assert_eq!(dir.names().unwrap(), ["my-app.log", "my-app.log.1", "my-app.log.2"]);
        assert_eq!(dir.read("my-app.log", 99).unwrap(), b"line 8\nline 9\n");
        assert_eq!(dir.read("my-app.log.1", 99).unwrap(), b"line 6\nline 7\n");
        log(&temp, ["15", "2"], b"more\n").unwrap();
        assert_eq!(dir.read("my-app.log", 99).unwrap(), b"more\n", "an old log counts too");
        assert_eq!(dir.read("my-app.log.1", 99).unwrap(), b"line 8\nline 9\n");
    }

    #[test]
    fn the_writer_is_read_to_its_end_even_when_nothing_can_be_kept() {
        struct Counting(usize);
        impl Read for Counting {
            fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
                let now = into.len().min(self.0);
                self.0 -= now;
                Ok(now)
            }
        }
        let mut input = Counting(1 << 20);
        let gone = |name: &str| (name == "OPENSHIFT_LOG_DIR").then(|| "/nonexistent".into());
        assert!(run(&["--tag=x".into()], gone, &mut input).is_err());
        assert_eq!(input.0, 0);
    }

    #[test]
    fn a_tag_is_a_plain_file_name() {
        for bad in ["../x", "a/b", ".hidden", "", "a b"] {
            assert!(tag(&["-tag".into(), bad.into()]).is_err(), "{bad:?}");
        }
        assert!(tag(&[]).is_err());
        assert!(tag(&["x".into()]).is_err());
        let with_others = ["-config", "/x", "-verbose", "-tag", "php"].map(OsString::from);
        assert_eq!(tag(&with_others).unwrap(), "php");
    }

    #[test]
    fn sizes_have_units() {
        let sizes = ["10M", "512k", "1GB", "7", "0", "x", ""].map(size);
        assert_eq!(
            sizes,
            [Some(10 << 20), Some(512 << 10), Some(1 << 30), Some(7), Some(u64::MAX), None, None]
        );
    }
}
