//! The feeding end of a stream: what fetches bytes, and the thread that hashes them.

use super::digest::{Hasher, Seen};
use super::error::SourceError;
use super::stop::{Stop, Stopped};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::SyncSender;
use std::time::{Duration, Instant};

/// Bytes in one piece between the threads.
const PIECE: usize = 64 << 10;
/// Pieces that may wait: with [`PIECE`] the most memory that one stream holds.
pub(super) const WAITING: usize = 16;
/// How soon a wish to end is noticed while nothing arrives.
pub(super) const GLANCE: Duration = Duration::from_millis(50);

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
pub(super) trait Feed: Send {
    /// Puts the next bytes into `buffer`; 0 means the end. `so_far` has seen all earlier ones.
    fn next(&mut self, buffer: &mut [u8], so_far: &Hasher) -> Result<usize, SourceError>;
}

pub(super) enum Item {
    Opened(Opened),
    Note(String),
    Bytes(Vec<u8>),
    End(Seen),
    Failed(SourceError),
}

/// The feeding thread's end of a stream.
#[derive(Clone)]
pub(super) struct Link {
    pub(super) items: SyncSender<Item>,
    pub(super) stop: Stop,
    pub(super) gone: Arc<AtomicBool>,
    pub(super) deadline: Option<Instant>,
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

    pub(super) fn send(&self, item: Item) -> bool {
        // A reader that has gone needs nothing any more.
        self.items.send(item).is_ok()
    }
}

/// Opens the feed and passes all of it on, until nobody wants it any more.
pub(super) fn run(
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
        let Some(piece) = next_piece(&mut *feed, &mut hasher)? else {
            link.send(Item::End(hasher.seen()));
            return Ok(());
        };
        if !link.send(Item::Bytes(piece)) {
            return Ok(());
        }
    }
}

/// The next bytes, hashed; nothing at the end.
pub(super) fn next_piece(
    feed: &mut dyn Feed,
    hasher: &mut Hasher,
) -> Result<Option<Vec<u8>>, SourceError> {
    let mut piece = vec![0; PIECE];
    let length = feed.next(&mut piece, hasher)?;
    piece.truncate(length);
    hasher.update(&piece);
    Ok(Some(piece).filter(|piece| !piece.is_empty()))
}
