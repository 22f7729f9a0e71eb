//! What stands before and after a member's data: it must say what the central directory says.

use super::central::{DESCRIPTOR, Fields, Record};
use super::extra::Extra;
use super::{ZipFault, read_at};
use crate::archive::error::ArchiveError;
use std::fs::File;

const MARK: u32 = u32::from_le_bytes(*b"PK\x03\x04");
const DESCRIPTOR_MARK: u32 = u32::from_le_bytes(*b"PK\x07\x08");
/// A local header without name and extra fields.
const HEADER: usize = 30;

/// Compares the header and the descriptor of `record` with it; the bytes up to `next` are the
/// member's, all of them. Returns where its data begins.
pub(super) fn check(packed: &File, record: &Record, next: u64) -> Result<u64, ArchiveError> {
    let fail = |fault| ArchiveError::zip(&record.name, fault);
    let room = next.saturating_sub(record.offset);
    let mut fixed = [0; HEADER];
    if room < HEADER as u64 {
        return Err(fail(ZipFault::Overlap));
    }
    read_at(packed, &mut fixed, record.offset)?;
    let header = Header::parse(&fixed).ok_or_else(|| fail(ZipFault::Local))?;
    let mut rest = vec![0; header.name + header.extra];
    let data_at = record.offset + (HEADER + rest.len()) as u64;
    let data_end = data_at.checked_add(record.packed).filter(|end| *end <= next);
    let data_end = data_end.ok_or_else(|| fail(ZipFault::Overlap))?;
    read_at(packed, &mut rest, record.offset + HEADER as u64)?;
    let (name, extra) = rest.split_at(header.name);
    if name != record.name {
        return Err(fail(ZipFault::Local));
    }
    let extra = Extra::parse(extra, name).map_err(fail)?;
    header.agrees(record, &extra).map_err(fail)?;
    let left = usize::try_from(next - data_end).unwrap_or(usize::MAX);
    if record.flags & DESCRIPTOR == 0 {
        return if left == 0 { Ok(data_at) } else { Err(fail(ZipFault::Gap)) };
    }
    if left > 24 {
        return Err(fail(ZipFault::Gap));
    }
    let mut tail = vec![0; left];
    read_at(packed, &mut tail, data_end)?;
    match descriptor(&tail, extra.zip64.is_some()) {
        Some(said) if said == (record.crc, record.packed, record.size) => Ok(data_at),
        _ => Err(fail(ZipFault::Descriptor)),
    }
}

struct Header {
    flags: u16,
    method: u16,
    crc: u32,
    packed: u32,
    size: u32,
    name: usize,
    extra: usize,
}

impl Header {
    fn parse(fixed: &[u8; HEADER]) -> Option<Self> {
        let mut fields = Fields::new(fixed);
        if fields.u32()? != MARK {
            return None;
        }
        let _needed = fields.u16()?;
        let (flags, method) = (fields.u16()?, fields.u16()?);
        let (_time, _date) = (fields.u16()?, fields.u16()?);
        let (crc, packed, size) = (fields.u32()?, fields.u32()?, fields.u32()?);
        let (name, extra) = (fields.u16()?.into(), fields.u16()?.into());
        Some(Self { flags, method, crc, packed, size, name, extra })
    }

    fn agrees(&self, record: &Record, extra: &Extra<'_>) -> Result<(), ZipFault> {
        if (self.flags, self.method) != (record.flags, record.method) {
            return Err(ZipFault::Local);
        }
        let (packed, size) = self.sizes(extra)?;
        let said = (self.crc, packed, size);
        let known = (record.crc, record.packed, record.size);
        // With a descriptor to come, a header may leave all this open, or say it already.
        let streamed = record.flags & DESCRIPTOR != 0;
        let open = |said: u64, known: u64| said == known || streamed && said == 0;
        let agree =
            open(said.0.into(), known.0.into()) && open(said.1, known.1) && open(said.2, known.2);
        if agree { Ok(()) } else { Err(ZipFault::Local) }
    }

    /// The packed and the plain size, from the zip64 field where the header's are full.
    fn sizes(&self, extra: &Extra<'_>) -> Result<(u64, u64), ZipFault> {
        let short = (u64::from(self.packed), u64::from(self.size));
        let full = [self.packed, self.size].contains(&u32::MAX);
        let Some(wide) = extra.zip64 else {
            return if full { Err(ZipFault::Zip64) } else { Ok(short) };
        };
        let mut fields = Fields::new(wide);
        let (Some(size), Some(packed), 0) = (fields.u64(), fields.u64(), fields.left()) else {
            return Err(ZipFault::Zip64);
        };
        // Where the short field is not full it has to say the same.
        let same = |short: u32, wide: u64| short == u32::MAX || u64::from(short) == wide;
        if same(self.packed, packed) && same(self.size, size) {
            Ok((packed, size))
        } else {
            Err(ZipFault::Zip64)
        }
    }
}

/// Reads a data descriptor, with or without its mark, with 32 or 64 bits for the sizes.
fn descriptor(tail: &[u8], wide: bool) -> Option<(u32, u64, u64)> {
    let plain = if wide { 20 } else { 12 };
    let mut fields = Fields::new(tail);
    if tail.len() == plain + 4 && fields.u32()? != DESCRIPTOR_MARK {
        return None;
    }
    if fields.left() != plain {
        return None;
    }
    let crc = fields.u32()?;
    let mut size = || if wide { fields.u64() } else { fields.u32().map(u64::from) };
    Some((crc, size()?, size()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn descriptors_come_in_four_forms() {
        let sizes32 = [5_u32.to_le_bytes(), 6_u32.to_le_bytes()].concat();
        let sizes64 = [5_u64.to_le_bytes(), 6_u64.to_le_bytes()].concat();
        let crc = [9, 0, 0, 0];
        for mark in [&b""[..], b"PK\x07\x08"] {
            let short = [mark, &crc, &sizes32].concat();
            let long = [mark, &crc, &sizes64].concat();
            assert_eq!(descriptor(&short, false), Some((9, 5, 6)));
            assert_eq!(descriptor(&long, true), Some((9, 5, 6)));
            assert_eq!(descriptor(&short, true), None);
            assert_eq!(descriptor(&long, false), None);
        }
        assert_eq!(descriptor(&[0; 16], false), None, "another mark");
        assert_eq!(descriptor(&[], false), None);
    }
}
