//! Bytes on their way: fetched and hashed in a thread of their own, read by whoever unpacks them.
//!
//! The thread ends with its [`Stream`]; nobody waits for a connection that hangs. A failure of the
//! source reaches the reader as an I/O error and stays available as itself
//! ([`Stream::take_failure`]), so that a lost connection is never reported as a broken archive.

use super::digest::{Hasher, Seen};
use super::error::SourceError;
use super::stop::{Stop, Stopped};
use crate::progress::Watch;
use std::io::{self, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::time::{Duration, Instant};

/// Bytes in one piece between the threads.
const PIECE: usize = 64 << 10;
/// Pieces that may wait: with [`PIECE`] the most memory that one stream holds.
const WAITING: usize = 16;
/// How soon a wish to end is noticed while nothing arrives.
const GLANCE: Duration = Duration::from_millis(50);

/// What is known of a stream before its first byte.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Opened {
    /// Its length, where it is known.
    pub length: Option<u64>,
    /// The (redacted) address it finally comes from, where that is another than was asked for.
    pub final_url: Option<String>,
    /// Whether the server called it an HTML page.
    pub html: bool,
}

/// Where the bytes come from.
pub(super) trait Feed {
    /// Puts the next bytes into `buffer`; 0 means the end. `so_far` has seen all earlier ones.
    fn next(&mut self, buffer: &mut [u8], so_far: &Hasher) -> Result<usize, SourceError>;
}

enum Item {
    Opened(Opened),
    Note(String),
    Bytes(Vec<u8>),
    End(Seen),
    Failed(SourceError),
}

/// The feeding thread's end of a stream.
#[derive(Clone)]
pub(super) struct Link {
    items: SyncSender<Item>,
    stop: Stop,
    gone: Arc<AtomicBool>,
    deadline: Option<Instant>,
}

impl Link {
    /// Tells the person who watches.
    pub(super) fn note(&self, text: String) {
        self.send(Item::Note(text));
    }

    /// The time that is left for the whole stream; nothing where there is no limit.
    pub(super) fn time_left(&self) -> Option<Duration> {
        self.deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()))
    }

    /// Waits, and gives up waiting when nobody wants the bytes any more.
    pub(super) fn wait(&self, time: Duration) -> Result<(), SourceError> {
        let until = Instant::now() + time;
        while let Some(left) = until.checked_duration_since(Instant::now()) {
            self.check()?;
            std::thread::sleep(left.min(GLANCE));
        }
        self.check()
    }

    /// Fails when nobody wants the bytes any more.
    pub(super) fn check(&self) -> Result<(), SourceError> {
        self.stop.check()?;
        if self.gone.load(Ordering::SeqCst) { Err(Stopped::Cancelled.into()) } else { Ok(()) }
    }

    fn send(&self, item: Item) -> bool {
        // A reader that has gone needs nothing any more.
        self.items.send(item).is_ok()
    }
}

/// What a stream is opened with.
#[derive(Clone, Copy)]
pub struct Watched<'a> {
    /// Who wants to see how far it is.
    pub watch: &'a dyn Watch,
    /// The wish to end.
    pub stop: &'a Stop,
}

/// Bytes that are hashed while they pass.
pub struct Stream<'a> {
    watched: Watched<'a>,
    items: Receiver<Item>,
    gone: Arc<AtomicBool>,
    limit: Option<(Instant, Duration, String)>,
    opened: Opened,
    piece: Vec<u8>,
    at: usize,
    seen: Option<Seen>,
    failure: Option<SourceError>,
}

impl<'a> Stream<'a> {
    /// Starts a thread that opens the feed with `open` and reads it to its end; waits until it is
    /// open. `limit` is the time for all of it, and the name that the error gives the source.
    pub(super) fn start(
        watched: Watched<'a>,
        limit: Option<(Duration, String)>,
        open: impl FnOnce(&Link) -> Result<(Opened, Box<dyn Feed>), SourceError> + Send + 'static,
    ) -> Result<Self, SourceError> {
        let (sender, items) = sync_channel(WAITING);
        let gone = Arc::new(AtomicBool::new(false));
        let limit = limit.map(|(time, name)| (Instant::now() + time, time, name));
        let link = Link {
            items: sender,
            stop: watched.stop.clone(),
            gone: Arc::clone(&gone),
            deadline: limit.as_ref().map(|(deadline, ..)| *deadline),
        };
        std::thread::Builder::new()
            .name("download".into())
            .spawn(move || {
                if let Err(error) = feed(&link, open) {
                    link.send(Item::Failed(error));
                }
            })
            .map_err(|source| SourceError::Client {
                what: "cannot start a thread",
                source: source.into(),
            })?;
        let mut stream = Self {
            watched,
            items,
            gone,
            limit,
            opened: Opened::default(),
            piece: Vec::new(),
            at: 0,
            seen: None,
            failure: None,
        };
        stream.wait_until_open()?;
        Ok(stream)
    }

    fn wait_until_open(&mut self) -> Result<(), SourceError> {
        loop {
            match self.take()? {
                Item::Opened(opened) => {
                    self.opened = opened;
                    return Ok(());
                }
                Item::Failed(error) => return Err(error),
                _ => return Err(vanished()),
            }
        }
    }

    /// What was known before the first byte.
    pub fn opened(&self) -> &Opened {
        &self.opened
    }

    /// Looks at the first bytes, `wanted` of them or all there are, without consuming them.
    pub fn head(&mut self, wanted: usize) -> Result<&[u8], SourceError> {
        while self.seen.is_none() && self.piece.len() - self.at < wanted {
            match self.take()? {
                Item::Bytes(bytes) => {
                    self.watched.watch.advance(bytes.len() as u64);
                    self.piece.extend(bytes);
                }
                Item::End(seen) => self.seen = Some(seen),
                Item::Failed(error) => return Err(error),
                Item::Note(_) | Item::Opened(_) => {}
            }
        }
        Ok(self.piece.get(self.at..).unwrap_or_default())
    }

    /// Reads what is left, and gives the digests of the whole.
    pub fn finish(mut self) -> Result<Seen, SourceError> {
        if let Some(error) = self.failure.take() {
            return Err(error);
        }
        loop {
            if let Some(seen) = self.seen {
                return Ok(seen);
            }
            self.refill()?;
        }
    }

    /// The failure of the source that a read has met, if it was that.
    pub fn take_failure(&mut self) -> Option<SourceError> {
        self.failure.take()
    }

    /// Puts the next piece into place; at the end an empty one.
    fn refill(&mut self) -> Result<(), SourceError> {
        self.piece.clear();
        self.at = 0;
        if self.seen.is_some() {
            return Ok(());
        }
        match self.take()? {
            Item::Bytes(bytes) => {
                self.watched.watch.advance(bytes.len() as u64);
                self.piece = bytes;
            }
            Item::End(seen) => self.seen = Some(seen),
            Item::Failed(error) => return Err(error),
            Item::Note(_) | Item::Opened(_) => {}
        }
        Ok(())
    }

    /// Waits for the next item; notes go to the person who watches.
    fn take(&mut self) -> Result<Item, SourceError> {
        loop {
            self.watched.stop.check()?;
            if let Some((deadline, time, name)) = &self.limit
                && Instant::now() > *deadline
            {
                return Err(SourceError::TooSlow { url: name.clone(), seconds: time.as_secs() });
            }
            match self.items.recv_timeout(GLANCE) {
                Ok(Item::Note(text)) => self.watched.watch.note(&text),
                Ok(item) => return Ok(item),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return Err(vanished()),
            }
        }
    }
}

fn vanished() -> SourceError {
    let source = io::Error::other("its thread ended without an answer").into();
    SourceError::Client { what: "a download was lost", source }
}

fn feed(
    link: &Link,
    open: impl FnOnce(&Link) -> Result<(Opened, Box<dyn Feed>), SourceError>,
) -> Result<(), SourceError> {
    let (opened, mut feed) = open(link)?;
    if !link.send(Item::Opened(opened)) {
        return Ok(());
    }
    let mut hasher = Hasher::default();
    loop {
        link.check()?;
        let mut piece = vec![0; PIECE];
        let length = feed.next(&mut piece, &hasher)?;
        if length == 0 {
            link.send(Item::End(hasher.seen()));
            return Ok(());
        }
        piece.truncate(length);
        hasher.update(&piece);
        if !link.send(Item::Bytes(piece)) {
            return Ok(());
        }
    }
}

impl Read for Stream<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.at == self.piece.len() && self.seen.is_none() {
            if self.failure.is_some() {
                return Err(io::Error::other("the source has failed"));
            }
            if let Err(error) = self.refill() {
                let text = error.to_string();
                self.failure = Some(error);
                return Err(io::Error::other(text));
            }
        }
        let rest = self.piece.get(self.at..).unwrap_or_default();
        let length = rest.len().min(buffer.len());
        if let (Some(to), Some(from)) = (buffer.get_mut(..length), rest.get(..length)) {
            to.copy_from_slice(from);
        }
        self.at += length;
        Ok(length)
    }
}

impl Drop for Stream<'_> {
    fn drop(&mut self) {
        self.gone.store(true, Ordering::SeqCst);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::progress::Nobody;

    /// Gives its bytes in pieces of seven, then fails if told so.
    struct Sample(Vec<u8>, Option<SourceError>);

    impl Feed for Sample {
        fn next(&mut self, buffer: &mut [u8], so_far: &Hasher) -> Result<usize, SourceError> {
            let at = usize::try_from(so_far.length()).unwrap();
            let length = (self.0.len() - at).min(7);
            if let (0, Some(error)) = (length, self.1.take()) {
                return Err(error);
            }
            buffer[..length].copy_from_slice(&self.0[at..at + length]);
            Ok(length)
        }
    }

    fn stream<'a>(stop: &'a Stop, bytes: &[u8], end: Option<SourceError>) -> Stream<'a> {
        let sample = Sample(bytes.to_vec(), end);
        let watched = Watched { watch: &Nobody, stop };
        Stream::start(watched, None, move |_| Ok((Opened::default(), Box::new(sample) as _)))
            .unwrap()
    }

    #[test]
    fn looking_at_the_head_takes_nothing_away() {
        let stop = Stop::default();
        let text: Vec<u8> = (0..100).collect();
        let mut stream = stream(&stop, &text, None);
        assert_eq!(&stream.head(10).unwrap()[..10], &text[..10]);
        assert_eq!(stream.head(1000).unwrap(), text, "all there is");
        let mut read = Vec::new();
        stream.read_to_end(&mut read).unwrap();
        assert_eq!(read, text);
        let mut expected = Hasher::default();
        expected.update(&text);
        assert_eq!(stream.finish().unwrap(), expected.seen());
    }

    #[test]
    fn the_digest_covers_what_nobody_read() {
        let stop = Stop::default();
        let stream = stream(&stop, b"abcdefghijk", None);
        assert_eq!(stream.finish().unwrap().length, 11);
    }

    #[test]
    fn a_failure_of_the_source_stays_itself() {
        let stop = Stop::default();
        let error = SourceError::Short { url: "u".into(), got: 3, expected: 9 };
        let mut stream = stream(&stop, b"abc", Some(error));
        let mut read = Vec::new();
        assert!(stream.read_to_end(&mut read).is_err());
        assert!(matches!(stream.take_failure(), Some(SourceError::Short { got: 3, .. })));
    }

    #[test]
    fn a_cancelled_stream_ends_at_once() {
        let stop = Stop::default();
        let mut stream = stream(&stop, &[0; 1 << 20], None);
        stop.cancel();
        let mut read = Vec::new();
        assert!(stream.read_to_end(&mut read).is_err());
        assert!(matches!(stream.take_failure(), Some(SourceError::Stopped(_))));
    }
}
