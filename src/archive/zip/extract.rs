//! The data of members: inflated, counted, and checked against its checksum.

use super::{Member, ZipFault};
use crate::archive::error::{ArchiveError, Reason};
use crate::archive::inflate;
use crate::archive::ledger::LONGEST_TARGET;
use flate2::{Crc, Decompress};
use std::fs::File;
use std::os::unix::fs::FileExt;

/// How many packed bytes are read at a time.
const PACKED: usize = 64 << 10;
/// How many bytes are written at a time: most files in one piece.
const PLAIN: usize = 256 << 10;

/// What one thread needs, used again for each member.
pub(super) struct Scratch {
    packed: Vec<u8>,
    plain: Vec<u8>,
    inflate: Decompress,
}

impl Scratch {
    pub(super) fn new() -> Self {
        Self { packed: vec![0; PACKED], plain: vec![0; PLAIN], inflate: Decompress::new(false) }
    }

    /// Reads the target of the symbolic link `member`, which is its data.
    pub(super) fn link_target(
        &mut self,
        packed: &File,
        member: &Member,
    ) -> Result<Vec<u8>, ArchiveError> {
        if member.size > LONGEST_TARGET {
            return Err(ArchiveError::refused(member.path.as_str(), Reason::LinkTarget));
        }
        let mut target = Vec::new();
        self.data(packed, member, |piece| {
            target.extend_from_slice(piece);
            Ok(())
        })?;
        Ok(target)
    }

    /// Gives the data of `member` to `sink`, piece by piece; never more than the recorded size.
    pub(super) fn data(
        &mut self,
        packed: &File,
        member: &Member,
        mut sink: impl FnMut(&[u8]) -> Result<(), ArchiveError>,
    ) -> Result<(), ArchiveError> {
        let mut crc = Crc::new();
        let mut take = |piece: &[u8]| {
            crc.update(piece);
            sink(piece)
        };
        if member.deflated {
            self.inflate(packed, member, &mut take)?;
        } else {
            let mut rest = Rest::of(packed, member);
            while let piece @ [_, ..] = rest.next(&mut self.plain)? {
                take(piece)?;
            }
        }
        if crc.sum() == member.crc { Ok(()) } else { Err(fault(member, ZipFault::Checksum)) }
    }

    fn inflate(
        &mut self,
        packed: &File,
        member: &Member,
        take: &mut dyn FnMut(&[u8]) -> Result<(), ArchiveError>,
    ) -> Result<(), ArchiveError> {
        let damaged = || fault(member, ZipFault::Data);
        let mut rest = Rest::of(packed, member);
        let mut piece: &[u8] = &[];
        let mut filled = 0;
        self.inflate.reset(false);
        loop {
            if piece.is_empty() {
                piece = rest.next(&mut self.packed)?;
            }
            let room = self.plain.get_mut(filled..).unwrap_or_default();
            let step = inflate::step(&mut self.inflate, piece, room)
                .map_err(|inflate::Broken| damaged())?;
            piece = piece.get(step.taken..).unwrap_or_default();
            filled += step.given;
            if self.inflate.total_out() > member.size {
                return Err(damaged());
            }
            if step.ended || filled == self.plain.len() {
                take(self.plain.get(..filled).unwrap_or_default())?;
                filled = 0;
            }
            if step.ended {
                break;
            }
        }
        let whole = piece.is_empty() && rest.left == 0 && self.inflate.total_out() == member.size;
        if whole { Ok(()) } else { Err(damaged()) }
    }
}

fn fault(member: &Member, fault: ZipFault) -> ArchiveError {
    ArchiveError::zip(member.path.as_str(), fault)
}

/// The packed bytes of a member that have not been read.
struct Rest<'a> {
    packed: &'a File,
    at: u64,
    left: u64,
}

impl<'a> Rest<'a> {
    fn of(packed: &'a File, member: &Member) -> Self {
        Self { packed, at: member.data_at, left: member.packed }
    }

    /// Reads as much as `room` takes; nothing at the end.
    fn next<'r>(&mut self, room: &'r mut [u8]) -> Result<&'r [u8], ArchiveError> {
        let count = room.len().min(usize::try_from(self.left).unwrap_or(usize::MAX));
        let room = room.get_mut(..count).unwrap_or_default();
        self.packed.read_exact_at(room, self.at).map_err(ArchiveError::Read)?;
        self.at += count as u64;
        self.left -= count as u64;
        Ok(room)
    }
}
