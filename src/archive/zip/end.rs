//! The end of a zip archive, where reading begins.

use super::central::Fields;
use super::{ZipFault, read_at};
use crate::archive::error::ArchiveError;
use std::fs::File;

/// The end record without its comment.
const END: usize = 22;
const END_MARK: [u8; 4] = *b"PK\x05\x06";
/// The zip64 end record in the one form that is taken, without extensible data.
const END64: usize = 56;
const END64_MARK: u32 = u32::from_le_bytes(*b"PK\x06\x06");
/// What says where the zip64 end record is.
const LOCATOR: usize = 20;
const LOCATOR_MARK: u32 = u32::from_le_bytes(*b"PK\x06\x07");
const LONGEST_COMMENT: usize = 65_535;

/// Where the central directory is.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct End {
    pub(super) entries: u64,
    /// Where it begins.
    pub(super) directory_at: u64,
    /// Where it is over.
    pub(super) directory_until: u64,
}

/// Finds the end record, which has to be the last thing in an archive of `length` bytes.
pub(super) fn find(packed: &File, length: u64) -> Result<End, ArchiveError> {
    let longest = LONGEST_COMMENT + END + LOCATOR + END64;
    let tail_length = usize::try_from(length).unwrap_or(usize::MAX).min(longest);
    let tail_at = length - tail_length as u64;
    let mut tail = vec![0; tail_length];
    read_at(packed, &mut tail, tail_at)?;
    parse(&tail, tail_at).map_err(|fault| ArchiveError::zip("", fault))
}

fn parse(tail: &[u8], tail_at: u64) -> Result<End, ZipFault> {
    // The last mark is what a search from the end finds; it must be the one that fits.
    let at = tail.windows(4).rposition(|four| four == END_MARK).ok_or(ZipFault::NoEnd)?;
    let (before, record) = tail.split_at(at);
    let mut fields = Fields::new(record.get(4..).unwrap_or_default());
    let read = (|| {
        let (disk, first_disk) = (fields.u16()?, fields.u16()?);
        let (here, entries) = (fields.u16()?, fields.u16()?);
        let (size, offset) = (fields.u32()?, fields.u32()?);
        let comment = fields.u16()?;
        (fields.left() == usize::from(comment))
            .then_some((disk, first_disk, here, entries, size, offset))
    })();
    let (disk, first_disk, here, entries, size, offset) = read.ok_or(ZipFault::NoEnd)?;
    if (disk, first_disk) != (0, 0) || here != entries {
        return Err(ZipFault::Parts);
    }
    let end_at = tail_at + at as u64;
    let short = Short { entries, size, offset };
    let (directory_until, entries, size, offset) = match before.split_last_chunk::<LOCATOR>() {
        Some((before, locator)) if locator.starts_with(&LOCATOR_MARK.to_le_bytes()) => {
            let wide_at = end_at.checked_sub((LOCATOR + END64) as u64).ok_or(ZipFault::Zip64)?;
            let wide = before.last_chunk::<END64>().ok_or(ZipFault::Zip64)?;
            let wide = short.widen(wide, locator, wide_at).ok_or(ZipFault::Zip64)?;
            (wide_at, wide.0, wide.1, wide.2)
        }
        _ => (end_at, u64::from(entries), u64::from(size), u64::from(offset)),
    };
    if offset.checked_add(size) != Some(directory_until) {
        return Err(ZipFault::End);
    }
    Ok(End { entries, directory_at: offset, directory_until })
}

/// What the short end record says.
struct Short {
    entries: u16,
    size: u32,
    offset: u32,
}

impl Short {
    /// Reads the zip64 end record, which may only say more where the short one is full.
    fn widen(
        &self,
        wide: &[u8; END64],
        locator: &[u8; LOCATOR],
        wide_at: u64,
    ) -> Option<(u64, u64, u64)> {
        let mut fields = Fields::new(locator.get(4..)?);
        let (disk, at, disks) = (fields.u32()?, fields.u64()?, fields.u32()?);
        if disk != 0 || at != wide_at || disks > 1 {
            return None;
        }
        let mut fields = Fields::new(wide);
        let (mark, size, _versions) = (fields.u32()?, fields.u64()?, fields.u32()?);
        let (disk, first_disk) = (fields.u32()?, fields.u32()?);
        let (here, entries) = (fields.u64()?, fields.u64()?);
        let (length, offset) = (fields.u64()?, fields.u64()?);
        let framed = mark == END64_MARK && size == (END64 - 12) as u64;
        let agree = (self.entries == u16::MAX || u64::from(self.entries) == entries)
            && (self.size == u32::MAX || u64::from(self.size) == length)
            && (self.offset == u32::MAX || u64::from(self.offset) == offset);
        let whole = (disk, first_disk) == (0, 0) && here == entries;
        (framed && agree && whole).then_some((entries, length, offset))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn end(entries: u16, size: u32, at: u32, comment: &[u8]) -> Vec<u8> {
        let mut bytes = [&END_MARK[..], &[0; 4]].concat();
        bytes.extend([entries, entries].map(u16::to_le_bytes).concat());
        bytes.extend([size, at].map(u32::to_le_bytes).concat());
        bytes.extend(u16::try_from(comment.len()).unwrap().to_le_bytes());
        [&bytes[..], comment].concat()
    }

    #[test]
    fn the_directory_ends_where_the_end_record_begins() {
        let with = |entries, size, at| {
            let mut tail = vec![b'd'; 50];
            tail.extend(end(entries, size, at, b"any comment"));
            parse(&tail, 100)
        };
        let good = End { entries: 1, directory_at: 104, directory_until: 150 };
        assert_eq!(with(1, 46, 104), Ok(good));
        assert_eq!(with(1, 46, 103), Err(ZipFault::End));
        assert_eq!(with(1, 46, 0), Err(ZipFault::End));
        assert_eq!(with(1, u32::MAX, u32::MAX), Err(ZipFault::End));
    }

    #[test]
    fn the_last_mark_counts_and_must_fit() {
        let inner = end(0, 0, 0, b"");
        let outer = end(0, 0, 0, &inner);
        assert_eq!(parse(&inner, 0).unwrap().entries, 0);
        assert_eq!(parse(&outer, 0), Err(ZipFault::End), "the inner one fits, but lies");
        let cut = &outer[..outer.len() - 1];
        assert_eq!(parse(cut, 0), Err(ZipFault::NoEnd));
    }
}
