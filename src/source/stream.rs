//! Bytes on their way: fetched and hashed in a thread of their own, read by whoever unpacks them.
//!
//! The thread ends with its [`Stream`]; nobody waits for a connection that hangs. A failure of the
//! source reaches the reader as an I/O error and stays available as itself
//! ([`Stream::take_failure`]), so that a lost connection is never reported as a broken archive.

use super::digest::{Hasher, Seen};
use super::error::SourceError;
use super::feed::{self, Feed, GLANCE, Item, Link, Opened, WAITING};
use super::stop::Stop;
use crate::progress::Watch;
use std::io::{self, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::time::{Duration, Instant};

/// What a stream is opened with.
#[derive(Clone, Copy)]
pub struct Watched<'a> {
    /// Who wants to see how far it is.
    pub watch: &'a dyn Watch,
    /// The wish to end.
    pub stop: &'a Stop,
}

/// Who fetches and hashes.
enum Supply {
    /// A thread of its own, so that fetching, hashing and unpacking overlap.
    Thread(Receiver<Item>),
    /// The reader itself: for so few bytes that a thread would cost more than they do.
    Reader(Box<dyn Feed>, Box<Hasher>),
}

/// Bytes that are hashed while they pass.
pub struct Stream<'a> {
    watched: Watched<'a>,
    supply: Supply,
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
                if let Err(error) = feed::run(&link, open) {
                    link.send(Item::Failed(error));
                }
            })
            .map_err(|source| SourceError::Client {
                what: "cannot start a thread",
                source: source.into(),
            })?;
        let mut stream = Self::new(watched, Supply::Thread(items), Opened::default());
        (stream.gone, stream.limit) = (gone, limit);
        stream.wait_until_open()?;
        Ok(stream)
    }

    /// Reads `feed` without a thread.
    pub(super) fn direct(watched: Watched<'a>, opened: Opened, feed: Box<dyn Feed>) -> Self {
        Self::new(watched, Supply::Reader(feed, Box::default()), opened)
    }

    fn new(watched: Watched<'a>, supply: Supply, opened: Opened) -> Self {
        Self {
            watched,
            supply,
            gone: Arc::default(),
            limit: None,
            opened,
            piece: Vec::new(),
            at: 0,
            seen: None,
            failure: None,
        }
    }

    fn wait_until_open(&mut self) -> Result<(), SourceError> {
        match self.take()? {
            Item::Opened(opened) => {
                self.opened = opened;
                Ok(())
            }
            Item::Failed(error) => Err(error),
            _ => Err(vanished()),
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
            let items = match &mut self.supply {
                Supply::Thread(items) => items,
                Supply::Reader(feed, hasher) => {
                    return Ok(feed::next_piece(&mut **feed, hasher)?
                        .map_or_else(|| Item::End(hasher.seen()), Item::Bytes));
                }
            };
            match items.recv_timeout(GLANCE) {
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
            if length == 0 {
                return self.1.take().map_or(Ok(0), Err);
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
        let mut stream = stream(&stop, &vec![0; 1 << 20], None);
        stop.cancel();
        let mut read = Vec::new();
        assert!(stream.read_to_end(&mut read).is_err());
        assert!(matches!(stream.take_failure(), Some(SourceError::Stopped(_))));
    }
}
