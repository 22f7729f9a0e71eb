//! Hands on what a script prints while it runs, line by line.
//!
//! It is read from the files that the output goes into, so nobody who hears slowly can hold the
//! script up, and what is told later about the whole output is told all the same.

use super::{Capture, SandboxError};
use crate::error::FsError;
use crate::progress::Listen;
use std::fs::File;
use std::io::Read;

/// A line that is longer is handed on in pieces.
const LONGEST: usize = 4096;
/// The most bytes that are handed on in one look at a stream: who prints faster than anybody hears must
/// not keep the look from its end.
const AT_ONCE: usize = 1 << 18;
/// The most bytes of a stream that are handed on at all.
const MOST: usize = 8 << 20;

/// The way from a script's output to who hears it.
pub(super) struct Echo<'a> {
    listener: &'a dyn Listen,
    streams: Vec<Stream>,
}

struct Stream {
    file: File,
    line: Vec<u8>,
    /// How many bytes more are handed on.
    left: usize,
}

impl<'a> Echo<'a> {
    /// Opens the files of `capture`, which are there already.
    pub(super) fn open(
        capture: &Capture<'_>,
        listener: &'a dyn Listen,
    ) -> Result<Self, SandboxError> {
        let open = |end: &str| -> Result<Stream, FsError> {
            let file = capture.folder.open_file(format!("{}.{end}", capture.name))?;
            Ok(Stream { file, line: Vec::new(), left: MOST })
        };
        Ok(Self { listener, streams: vec![open("out")?, open("err")?] })
    }

    /// Hands on what has come since the last time, or the beginning of it. What cannot be read now is
    /// told at the end.
    pub(super) fn look(&mut self) {
        for stream in &mut self.streams {
            stream.hand_on(self.listener, AT_ONCE);
        }
    }

    /// Hands on the rest.
    pub(super) fn end(mut self) {
        for stream in &mut self.streams {
            stream.hand_on(self.listener, MOST);
            if !stream.line.is_empty() {
                stream.tell(self.listener);
            }
        }
    }
}

impl Stream {
    /// Hands on at most `most` bytes.
    fn hand_on(&mut self, listener: &dyn Listen, most: usize) {
        let mut buffer = [0; 8192];
        let mut done = 0;
        while self.left > 0 && done < most {
            let Ok(length @ 1..) = self.file.read(&mut buffer) else { break };
            for byte in buffer.get(..length).unwrap_or_default() {
                if *byte == b'\n' || self.line.len() >= LONGEST {
                    self.tell(listener);
                }
                if *byte != b'\n' {
                    self.line.push(*byte);
                }
            }
            done += length;
            self.left = self.left.saturating_sub(length);
            if self.left == 0 {
                self.tell(listener);
                listener.hear("[it prints very much: what follows is not shown here]");
            }
        }
    }

    fn tell(&mut self, listener: &dyn Listen) {
        listener.hear(&String::from_utf8_lossy(&self.line));
        self.line.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sys::fs::Dir;
    use std::cell::RefCell;
    use std::path::Path;

    #[derive(Debug, Default)]
    struct Ear(RefCell<Vec<String>>);

    impl Listen for Ear {
        fn hear(&self, line: &str) {
            self.0.borrow_mut().push(line.to_owned());
        }
    }

    #[test]
    fn lines_are_handed_on_once_they_are_whole_and_each_once() {
        let temp = tempfile::tempdir().unwrap();
        let folder = Dir::open(temp.path()).unwrap();
        let write = |name: &str, text: &str| {
            use std::io::Write;
            folder.append_file(name, 0o600).unwrap().write_all(text.as_bytes()).unwrap();
        };
        write("x.out", "one\ntw");
        write("x.err", "");
        let ear = Ear::default();
        let mut echo = Echo::open(&Capture { folder: &folder, name: "x", keep: 1 }, &ear).unwrap();
        echo.look();
        assert_eq!(*ear.0.borrow(), ["one"]);
        write("x.out", "o\n\n");
        write("x.err", "three");
        echo.look();
        assert_eq!(*ear.0.borrow(), ["one", "two", ""]);
        write("x.out", &"y".repeat(LONGEST + 1));
        echo.end();
        let heard = ear.0.borrow();
        assert_eq!(heard[3].len(), LONGEST);
        assert_eq!(heard[4..], ["y", "three"]);
    }

    #[test]
    fn who_prints_without_end_is_not_heard_to_the_end() {
        let temp = tempfile::tempdir().unwrap();
        let folder = Dir::open(temp.path()).unwrap();
        for name in ["x.out", "x.err"] {
            drop(folder.append_file(name, 0o600).unwrap());
        }
        let ear = Ear::default();
        let mut echo = Echo::open(&Capture { folder: &folder, name: "x", keep: 1 }, &ear).unwrap();
        // The endless stream itself.
        echo.streams[0].file = crate::sys::fs::open_for_reading(Path::new("/dev/zero")).unwrap();
        echo.look();
        assert_eq!(ear.0.borrow().len(), AT_ONCE / LONGEST - 1);
        echo.end();
        let heard = ear.0.borrow();
        assert_eq!(heard.len(), MOST / LONGEST + 1);
        assert!(heard.last().unwrap().contains("not shown"));
    }
}
