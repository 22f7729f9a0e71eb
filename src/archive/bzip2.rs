//! bzip2 around a tar archive. Several streams one after the other are one file, as every program
//! takes them (some compress so with several processors); anything else after a stream is refused.

use super::error::{ArchiveError, Bzip2Fault, Limit};
use super::gzip::RATIO_FREE;
use super::pipe::{Chunk, Input};
use bzip2::{Decompress, Status};

/// Inflates what comes from an [`Input`].
pub(super) struct Bunzip<'a> {
    input: Input<'a>,
    inflate: Decompress,
    /// Unpacked bytes of the streams that are over.
    before: u64,
    max_ratio: u64,
}

impl<'a> Bunzip<'a> {
    pub(super) fn new(input: Input<'a>, max_ratio: u64) -> Self {
        Self { input, inflate: Decompress::new(false), before: 0, max_ratio }
    }

    /// Fills `chunk`; tells whether there may be more.
    pub(super) fn fill(&mut self, chunk: &mut Chunk) -> Result<bool, ArchiveError> {
        chunk.filled = 0;
        while chunk.filled < chunk.bytes.len() {
            let packed = self.input.more()?;
            if packed.is_empty() {
                return Err(Bzip2Fault::Truncated.into());
            }
            let room = chunk.bytes.get_mut(chunk.filled..).unwrap_or_default();
            let (inward, outward) = (self.inflate.total_in(), self.inflate.total_out());
            let status = self.inflate.decompress(packed, room).map_err(|_| Bzip2Fault::Data)?;
            let moved = |after: u64, before: u64| {
                usize::try_from(after - before).map_err(|_| Bzip2Fault::Data)
            };
            let taken = moved(self.inflate.total_in(), inward)?;
            let given = moved(self.inflate.total_out(), outward)?;
            self.input.consume(taken);
            chunk.filled += given;
            self.check_ratio()?;
            if status == Status::StreamEnd {
                self.before += self.inflate.total_out();
                if self.input.more()?.is_empty() {
                    return Ok(false);
                }
                self.inflate = Decompress::new(false);
            } else if taken == 0 && given == 0 {
                return Err(Bzip2Fault::Data.into());
            }
        }
        Ok(true)
    }

    fn check_ratio(&self) -> Result<(), ArchiveError> {
        let unpacked = self.before.saturating_add(self.inflate.total_out());
        let allowed = self.input.read().saturating_mul(self.max_ratio);
        if unpacked > RATIO_FREE && unpacked > allowed {
            return Err(Limit::Ratio(self.max_ratio).into());
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::archive::clock::Clock;
    use crate::archive::pipe::{Producer, run};
    use crate::progress::Nobody;
    use std::io::Write;

    fn bunzip(bytes: &[u8]) -> Result<usize, ArchiveError> {
        let (clock, mut source) = (Clock::start(60), bytes);
        let input = Input::new(&mut source, &clock, &Nobody);
        run(Producer::Bzip2(Box::new(Bunzip::new(input, 200))), |stream| {
            let mut seen = 0;
            while let piece @ [_, ..] = stream.take(u64::MAX)? {
                assert!(piece.iter().all(|byte| *byte == b'x'));
                seen += piece.len();
            }
            Ok(seen)
        })
    }

    fn packed(length: usize) -> Vec<u8> {
        let mut bzip2 = bzip2::write::BzEncoder::new(Vec::new(), bzip2::Compression::default());
        bzip2.write_all(&vec![b'x'; length]).unwrap();
        bzip2.finish().unwrap()
    }

    #[test]
    fn one_stream_or_several_give_their_bytes() {
        for length in [0, 1, 2_000_000] {
            assert_eq!(bunzip(&packed(length)).unwrap(), length);
        }
        assert_eq!(bunzip(&[packed(5), packed(0), packed(7)].concat()).unwrap(), 12);
    }

    #[test]
    fn damage_is_found_and_so_is_what_follows() {
        let good = packed(10_000);
        for cut in 0..good.len() {
            assert!(bunzip(&good[..cut]).is_err(), "cut at {cut}");
        }
        for at in 4..good.len() {
            let mut bad = good.clone();
            bad[at] ^= 0x11;
            // Some bits mean nothing; where one means something, it is missed.
            assert!(bunzip(&bad).is_err_and(|_| true) || bunzip(&bad).unwrap() == 10_000, "{at}");
        }
        for tail in [&b"\0"[..], b"x", b"BZh", &good[..9]] {
            assert!(bunzip(&[&good, tail].concat()).is_err());
        }
    }

    #[test]
    fn a_bomb_ends_at_the_ratio() {
        let error = bunzip(&packed(70 << 20)).unwrap_err();
        assert!(matches!(error, ArchiveError::Limit(Limit::Ratio(200))), "{error}");
    }
}
