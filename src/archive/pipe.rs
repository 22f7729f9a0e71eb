//! The archive's bytes on their way from the source to the parser of tar: one thread reads and
//! inflates into buffers that go round, another parses and writes.

use super::bzip2::Bunzip;
use super::clock::Clock;
use super::digests::Digests;
use super::error::ArchiveError;
use super::gzip::Gunzip;
use crate::progress::Watch;
use std::io::{ErrorKind, Read};
use std::sync::mpsc::{Receiver, Sender, SyncSender, channel, sync_channel};

/// The length of the buffers that go round: few system calls, and still at home in the cache.
pub(super) const CHUNK: usize = 256 << 10;
/// How many full buffers may wait for the parser.
const WAITING: usize = 3;
/// How many bytes are asked of the source at a time.
const READ: usize = 128 << 10;

/// A buffer and how much of it is filled.
pub(super) struct Chunk {
    /// The buffer, always of the same length.
    pub(super) bytes: Vec<u8>,
    /// How many of its bytes count.
    pub(super) filled: usize,
}

impl Chunk {
    fn new() -> Self {
        Self { bytes: vec![0; CHUNK], filled: 0 }
    }

    fn content(&self) -> &[u8] {
        self.bytes.get(..self.filled).unwrap_or_default()
    }
}

/// The packed bytes, counted.
pub(super) struct Input<'a> {
    source: &'a mut (dyn Read + Send),
    clock: &'a Clock,
    watch: &'a dyn Watch,
    buffer: Vec<u8>,
    at: usize,
    end: usize,
    read: u64,
}

impl<'a> Input<'a> {
    pub(super) fn new(
        source: &'a mut (dyn Read + Send),
        clock: &'a Clock,
        watch: &'a dyn Watch,
    ) -> Self {
        Self { source, clock, watch, buffer: vec![0; READ], at: 0, end: 0, read: 0 }
    }

    /// The bytes at hand, after asking the source when there are none; nothing at the end.
    pub(super) fn more(&mut self) -> Result<&[u8], ArchiveError> {
        if self.at == self.end {
            let (source, buffer) = (&mut self.source, &mut self.buffer);
            self.end = self.clock.waiting(|| read_some(*source, buffer))?;
            self.at = 0;
            self.read += self.end as u64;
            self.watch.advance(self.end as u64);
        }
        Ok(self.buffer.get(self.at..self.end).unwrap_or_default())
    }

    /// Takes `count` of the bytes at hand away.
    pub(super) fn consume(&mut self, count: usize) {
        self.at = (self.at + count).min(self.end);
    }

    /// Takes one byte away; nothing at the end.
    pub(super) fn byte(&mut self) -> Result<Option<u8>, ArchiveError> {
        let byte = self.more()?.first().copied();
        self.consume(1);
        Ok(byte)
    }

    /// How many bytes the source has given.
    pub(super) fn read(&self) -> u64 {
        self.read
    }

    fn fill(&mut self, chunk: &mut Chunk) -> Result<bool, ArchiveError> {
        chunk.filled = 0;
        while let Some(room) = chunk.bytes.get_mut(chunk.filled..).filter(|room| !room.is_empty()) {
            let got = self.clock.waiting(|| read_some(self.source, room))?;
            if got == 0 {
                return Ok(false);
            }
            chunk.filled += got;
            self.watch.advance(got as u64);
        }
        Ok(true)
    }
}

fn read_some(source: &mut dyn Read, room: &mut [u8]) -> Result<usize, ArchiveError> {
    loop {
        match source.read(room) {
            Err(error) if error.kind() == ErrorKind::Interrupted => {
                crate::sys::interrupt::check()?;
            }
            result => return result.map_err(ArchiveError::Read),
        }
    }
}

/// What fills the buffers.
pub(super) enum Producer<'a> {
    /// A tar archive as it is.
    Plain(Input<'a>),
    /// A tar archive inside gzip.
    Gzip(Box<Gunzip<'a>>),
    /// A tar archive inside bzip2.
    Bzip2(Box<Bunzip<'a>>),
    /// What another one gives, hashed.
    Hashed(Box<Producer<'a>>, &'a mut Digests),
}

impl Producer<'_> {
    /// Fills `chunk`; tells whether there may be more.
    fn fill(&mut self, chunk: &mut Chunk) -> Result<bool, ArchiveError> {
        match self {
            Self::Plain(input) => input.fill(chunk),
            Self::Gzip(gunzip) => gunzip.fill(chunk),
            Self::Bzip2(bunzip) => bunzip.fill(chunk),
            Self::Hashed(inner, digests) => {
                let more = inner.fill(chunk)?;
                digests.update(chunk.content());
                Ok(more)
            }
        }
    }
}

/// Runs `parse` over what `producer` gives. A small archive is inflated in place; for a larger one
/// a thread keeps the buffers filled.
pub(super) fn run<T>(
    mut producer: Producer<'_>,
    parse: impl FnOnce(&mut Stream) -> Result<T, ArchiveError>,
) -> Result<T, ArchiveError> {
    let mut chunk = Chunk::new();
    if !producer.fill(&mut chunk)? {
        return parse(&mut Stream { chunk, at: 0, position: 0, line: None });
    }
    std::thread::scope(|scope| {
        let (full, filled) = sync_channel(WAITING);
        let (give_back, empties) = channel();
        let keep_filled = move || produce(producer, &full, &empties);
        std::thread::Builder::new()
            .spawn_scoped(scope, keep_filled)
            .map_err(ArchiveError::Thread)?;
        let line = Some(Line { filled, give_back });
        parse(&mut Stream { chunk, at: 0, position: 0, line })
    })
}

fn produce(
    mut producer: Producer<'_>,
    full: &SyncSender<Result<Chunk, ArchiveError>>,
    empties: &Receiver<Chunk>,
) {
    loop {
        let mut chunk = empties.try_recv().unwrap_or_else(|_| Chunk::new());
        let (message, more) = match producer.fill(&mut chunk) {
            Ok(more) => (Ok(chunk), more),
            Err(error) => (Err(error), false),
        };
        // Nobody listens any more: the parser has met its end or a reason to stop.
        if full.send(message).is_err() || !more {
            return;
        }
    }
}

struct Line {
    filled: Receiver<Result<Chunk, ArchiveError>>,
    give_back: Sender<Chunk>,
}

/// The unpacked bytes, for the parser.
pub(super) struct Stream {
    chunk: Chunk,
    at: usize,
    position: u64,
    line: Option<Line>,
}

impl Stream {
    /// How many bytes have been taken.
    pub(super) fn position(&self) -> u64 {
        self.position
    }

    /// Takes between one and `most` bytes; nothing at the end.
    pub(super) fn take(&mut self, most: u64) -> Result<&[u8], ArchiveError> {
        while self.at == self.chunk.filled {
            let Some(line) = &self.line else { return Ok(&[]) };
            let Ok(message) = line.filled.recv() else { return Ok(&[]) };
            let old = std::mem::replace(&mut self.chunk, message?);
            self.at = 0;
            // The other side may be done already and need no buffers any more.
            let _unless_done = line.give_back.send(old);
        }
        let rest = self.chunk.content().get(self.at..).unwrap_or_default();
        let count = rest.len().min(usize::try_from(most).unwrap_or(usize::MAX));
        self.at += count;
        self.position += count as u64;
        Ok(rest.get(..count).unwrap_or_default())
    }

    /// Fills `room` as far as there are bytes; returns how many.
    pub(super) fn read(&mut self, room: &mut [u8]) -> Result<usize, ArchiveError> {
        let mut done = 0;
        while let Some(rest) = room.get_mut(done..).filter(|rest| !rest.is_empty()) {
            let piece = self.take(rest.len() as u64)?;
            if piece.is_empty() {
                break;
            }
            if let Some(start) = rest.get_mut(..piece.len()) {
                start.copy_from_slice(piece);
            }
            done += piece.len();
        }
        Ok(done)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::progress::Nobody;

    fn through(bytes: &[u8]) -> Vec<u8> {
        let clock = Clock::start(60);
        let mut source = bytes;
        let input = Input::new(&mut source, &clock, &Nobody);
        run(Producer::Plain(input), |stream| {
            let mut seen = Vec::new();
            loop {
                let piece = stream.take(100_000)?;
                if piece.is_empty() {
                    assert_eq!(stream.position(), seen.len() as u64);
                    return Ok(seen);
                }
                seen.extend_from_slice(piece);
            }
        })
        .unwrap()
    }

    #[test]
    fn every_byte_arrives_once_and_in_order() {
        for length in [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 9 * CHUNK + 77] {
            let bytes: Vec<u8> =
                (0..length).map(|n| b'0' + u8::from(n % 251 < n / 1000 % 97)).collect();
            assert!(through(&bytes) == bytes, "{length}");
        }
    }

    #[test]
    fn a_parser_that_stops_early_ends_the_reader() {
        let clock = Clock::start(60);
        let mut endless = std::io::repeat(1);
        let input = Input::new(&mut endless, &clock, &Nobody);
        let got = run(Producer::Plain(input), |stream| Ok(stream.take(5)?.len()));
        assert_eq!(got.unwrap(), 5);
    }
}
