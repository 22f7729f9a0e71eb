//! The gzip frame (RFC 1952) around a tar archive: one member, checked to its last byte.
//!
//! Bytes after the member are refused, a second member included: programs differ over whether they
//! belong to the archive.

use super::error::{ArchiveError, GzipFault, Limit};
use super::inflate;
use super::pipe::{Chunk, Input};
use flate2::{Crc, Decompress};

/// Unpacked bytes up to which no ratio is too high.
pub(super) const RATIO_FREE: u64 = 64 << 20;
/// The longest gzip header that is read: one extra field, a name and a comment.
const LONGEST_HEADER: u64 = 128 << 10;

const HEADER_CRC: u8 = 1 << 1;
const EXTRA: u8 = 1 << 2;
const NAME: u8 = 1 << 3;
const COMMENT: u8 = 1 << 4;
const RESERVED: u8 = 0b1110_0000;

/// Inflates what comes from an [`Input`].
pub(super) struct Gunzip<'a> {
    input: Input<'a>,
    inflate: Decompress,
    crc: Crc,
    max_ratio: u64,
    begun: bool,
}

impl<'a> Gunzip<'a> {
    pub(super) fn new(input: Input<'a>, max_ratio: u64) -> Self {
        Self { input, inflate: Decompress::new(false), crc: Crc::new(), max_ratio, begun: false }
    }

    /// Fills `chunk`; tells whether there may be more. The last piece is only given after the
    /// frame's end was found to be right.
    pub(super) fn fill(&mut self, chunk: &mut Chunk) -> Result<bool, ArchiveError> {
        if !self.begun {
            Header { input: &mut self.input, crc: Crc::new(), length: 0 }.read()?;
            self.begun = true;
        }
        chunk.filled = 0;
        while chunk.filled < chunk.bytes.len() {
            let packed = self.input.more()?;
            if packed.is_empty() {
                return Err(GzipFault::Truncated.into());
            }
            let room = chunk.bytes.get_mut(chunk.filled..).unwrap_or_default();
            let step = inflate::step(&mut self.inflate, packed, room)
                .map_err(|inflate::Broken| GzipFault::Data)?;
            self.input.consume(step.taken);
            self.crc.update(room.get(..step.given).unwrap_or_default());
            chunk.filled += step.given;
            self.check_ratio()?;
            if step.ended {
                return self.end().map(|()| false);
            }
        }
        Ok(true)
    }

    fn check_ratio(&self) -> Result<(), ArchiveError> {
        let unpacked = self.inflate.total_out();
        let allowed = self.input.read().saturating_mul(self.max_ratio);
        if unpacked > RATIO_FREE && unpacked > allowed {
            return Err(Limit::Ratio(self.max_ratio).into());
        }
        Ok(())
    }

    fn end(&mut self) -> Result<(), ArchiveError> {
        let mut word = || -> Result<u32, ArchiveError> {
            let mut bytes = [0; 4];
            for byte in &mut bytes {
                *byte = self.input.byte()?.ok_or(GzipFault::Truncated)?;
            }
            Ok(u32::from_le_bytes(bytes))
        };
        let (sum, length) = (word()?, word()?);
        // The frame records the length modulo 2^32.
        if sum != self.crc.sum() || length != self.crc.amount() {
            return Err(GzipFault::Checksum.into());
        }
        match self.input.byte()? {
            None => Ok(()),
            Some(_) => Err(GzipFault::Trailing.into()),
        }
    }
}

struct Header<'h, 'a> {
    input: &'h mut Input<'a>,
    crc: Crc,
    length: u64,
}

impl Header<'_, '_> {
    fn read(mut self) -> Result<(), ArchiveError> {
        let magic = [self.byte()?, self.byte()?, self.byte()?];
        let flags = self.byte()?;
        if magic != [0x1f, 0x8b, 8] || flags & RESERVED != 0 {
            return Err(GzipFault::Header.into());
        }
        for _time_and_system in 0..6 {
            self.byte()?;
        }
        if flags & EXTRA != 0 {
            let length = u16::from_le_bytes([self.byte()?, self.byte()?]);
            for _ in 0..length {
                self.byte()?;
            }
        }
        for text in [NAME, COMMENT] {
            while flags & text != 0 && self.byte()? != 0 {}
        }
        if flags & HEADER_CRC != 0 {
            let sum = self.crc.sum() & 0xffff;
            let stored = u16::from_le_bytes([self.byte()?, self.byte()?]);
            if u32::from(stored) != sum {
                return Err(GzipFault::Header.into());
            }
        }
        Ok(())
    }

    fn byte(&mut self) -> Result<u8, ArchiveError> {
        self.length += 1;
        if self.length > LONGEST_HEADER {
            return Err(GzipFault::Header.into());
        }
        let byte = self.input.byte()?.ok_or(GzipFault::Truncated)?;
        self.crc.update(&[byte]);
        Ok(byte)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::archive::clock::Clock;
    use crate::archive::pipe::{Producer, run};
    use crate::progress::Nobody;
    use std::io::Write;

    fn gunzip(bytes: &[u8]) -> Result<Vec<u8>, ArchiveError> {
        let (clock, mut source) = (Clock::start(60), bytes);
        let input = Input::new(&mut source, &clock, &Nobody);
        run(Producer::Gzip(Box::new(Gunzip::new(input, 200))), |stream| {
            let mut seen = Vec::new();
            while let piece @ [_, ..] = stream.take(u64::MAX)? {
                seen.extend_from_slice(piece);
            }
            Ok(seen)
        })
    }

    fn packed(bytes: &[u8]) -> Vec<u8> {
        let mut gzip = flate2::GzBuilder::new()
            .filename("a name")
            .comment("a comment")
            .extra(vec![1, 2, 3])
            .write(Vec::new(), flate2::Compression::default());
        gzip.write_all(bytes).unwrap();
        gzip.finish().unwrap()
    }

    fn fault(bytes: &[u8]) -> GzipFault {
        match gunzip(bytes).unwrap_err() {
            ArchiveError::Gzip(fault) => fault,
            other => panic!("{other}"),
        }
    }

    #[test]
    fn inflates_what_gzip_made() {
        for length in [0, 10, 1_000_000] {
            let bytes: Vec<u8> = (0..length).map(|n: u32| (n % 251) as u8).collect();
            assert!(gunzip(&packed(&bytes)).unwrap() == bytes, "{length}");
        }
    }

    #[test]
    fn every_damage_is_found() {
        let good = packed(b"some text, some text, some text");
        for cut in 1..good.len() {
            assert_eq!(fault(&good[..cut]), GzipFault::Truncated, "cut at {cut}");
        }
        for at in [good.len() - 1, good.len() - 8] {
            let mut bad = good.clone();
            bad[at] ^= 1;
            assert_eq!(fault(&bad), GzipFault::Checksum);
        }
        for tail in [&b"\0"[..], b"x", &good] {
            assert_eq!(fault(&[&good, tail].concat()), GzipFault::Trailing);
        }
        let mut bad = good.clone();
        bad[3] |= 0x80;
        assert_eq!(fault(&bad), GzipFault::Header);
    }
}
