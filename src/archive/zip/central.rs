//! The central directory: one record for each member.

use super::end::End;
use super::extra::Extra;
use super::{What, ZipFault, read_at};
use crate::archive::error::{ArchiveError, Reason};
use crate::archive::name;
use crate::sys::path::RelPath;
use std::fs::File;

const MARK: u32 = u32::from_le_bytes(*b"PK\x01\x02");
/// A record without name, extra fields and comment.
const RECORD: usize = 46;
/// How much of the directory is read at a time.
const PIECE: usize = 64 << 10;

const ENCRYPTED: u16 = 1 | 1 << 6 | 1 << 13;
/// The record's checksum and sizes follow the data.
pub(super) const DESCRIPTOR: u16 = 1 << 3;
/// Two bits about the compression, the descriptor, and names in UTF-8.
const KNOWN: u16 = 0b110 | DESCRIPTOR | 1 << 11;

/// Little-endian numbers, one after the other.
pub(super) struct Fields<'a>(&'a [u8]);

impl<'a> Fields<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    pub(super) fn bytes(&mut self, count: usize) -> Option<&'a [u8]> {
        let (bytes, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(bytes)
    }

    fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        self.bytes(N)?.try_into().ok()
    }

    pub(super) fn u16(&mut self) -> Option<u16> {
        self.array().map(u16::from_le_bytes)
    }

    pub(super) fn u32(&mut self) -> Option<u32> {
        self.array().map(u32::from_le_bytes)
    }

    pub(super) fn u64(&mut self) -> Option<u64> {
        self.array().map(u64::from_le_bytes)
    }

    /// How many bytes are left.
    pub(super) fn left(&self) -> usize {
        self.0.len()
    }
}

/// What the central directory says of a member.
#[derive(Debug)]
pub(super) struct Record {
    pub(super) name: Vec<u8>,
    pub(super) flags: u16,
    pub(super) method: u16,
    pub(super) deflated: bool,
    pub(super) crc: u32,
    pub(super) packed: u64,
    pub(super) size: u64,
    pub(super) offset: u64,
    pub(super) modified: i64,
    /// The system on which it was packed.
    host: u8,
    /// The attributes in that system's own form.
    attributes: u32,
}

/// Reads the directory, which has to be exactly where `end` says and hold as many records.
pub(super) fn read(packed: &File, end: &End) -> Result<Vec<Record>, ArchiveError> {
    let broken = || ArchiveError::zip("", ZipFault::Directory);
    // Every record has its fixed part: a forged count cannot make this ask for more memory.
    if end.entries > (end.directory_until - end.directory_at) / RECORD as u64 {
        return Err(broken());
    }
    let mut window =
        Window { packed, at: end.directory_at, end: end.directory_until, bytes: vec![], used: 0 };
    let mut records = Vec::new();
    for _ in 0..end.entries {
        let fixed: [u8; RECORD] =
            window.take(RECORD)?.and_then(|bytes| bytes.try_into().ok()).ok_or_else(broken)?;
        let (mut record, lengths) = Record::parse(&fixed).ok_or_else(broken)?;
        let (name, extra, comment) = lengths;
        let rest = window.take(name + extra + comment)?.ok_or_else(broken)?;
        let (name, rest) = rest.split_at(name);
        record.name = name.to_vec();
        record
            .widen(rest.get(..extra).unwrap_or_default())
            .map_err(|fault| ArchiveError::zip(name, fault))?;
        records.push(record);
    }
    if window.at != window.end || window.used != window.bytes.len() {
        return Err(broken());
    }
    Ok(records)
}

/// A part of the archive, read piece by piece.
struct Window<'a> {
    packed: &'a File,
    at: u64,
    end: u64,
    bytes: Vec<u8>,
    used: usize,
}

impl Window<'_> {
    /// Takes the next `count` bytes; nothing when there are fewer.
    fn take(&mut self, count: usize) -> Result<Option<&[u8]>, ArchiveError> {
        if self.bytes.len() - self.used < count {
            self.bytes.drain(..self.used);
            self.used = 0;
            let kept = self.bytes.len();
            let left = usize::try_from(self.end - self.at).unwrap_or(usize::MAX);
            let more = left.min(PIECE.max(count - kept));
            self.bytes.resize(kept + more, 0);
            read_at(self.packed, self.bytes.get_mut(kept..).unwrap_or_default(), self.at)?;
            self.at += more as u64;
        }
        let taken = self.bytes.get(self.used..self.used + count);
        self.used += if taken.is_some() { count } else { 0 };
        Ok(taken)
    }
}

impl Record {
    /// Reads the fixed part, and the lengths of name, extra fields and comment.
    fn parse(fixed: &[u8; RECORD]) -> Option<(Self, (usize, usize, usize))> {
        let mut fields = Fields::new(fixed);
        if fields.u32()? != MARK {
            return None;
        }
        let (made_by, _needed) = (fields.u16()?, fields.u16()?);
        let (flags, method) = (fields.u16()?, fields.u16()?);
        let (time, date) = (fields.u16()?, fields.u16()?);
        let (crc, packed, size) = (fields.u32()?, fields.u32()?, fields.u32()?);
        let lengths = (fields.u16()?, fields.u16()?, fields.u16()?);
        let disk = fields.u16()?;
        let (_internal, attributes, offset) = (fields.u16()?, fields.u32()?, fields.u32()?);
        if disk != 0 {
            return None;
        }
        let [_, host] = made_by.to_le_bytes();
        let record = Self {
            name: Vec::new(),
            flags,
            method,
            deflated: method == 8,
            crc,
            packed: packed.into(),
            size: size.into(),
            offset: offset.into(),
            modified: modified(date, time),
            host,
            attributes,
        };
        Some((record, (lengths.0.into(), lengths.1.into(), lengths.2.into())))
    }

    /// Adds what the extra fields say, and judges what can be judged without the name.
    fn widen(&mut self, extra: &[u8]) -> Result<(), ZipFault> {
        if self.flags & ENCRYPTED != 0 {
            return Err(ZipFault::Encrypted);
        }
        if self.flags & !KNOWN != 0 {
            return Err(ZipFault::Flags);
        }
        if !matches!(self.method, 0 | 8) {
            return Err(ZipFault::Method);
        }
        let extra = Extra::parse(extra, &self.name)?;
        if let Some(modified) = extra.modified {
            self.modified = modified;
        }
        let full = u64::from(u32::MAX);
        let mut wide = Fields::new(extra.zip64.unwrap_or_default());
        for field in [&mut self.size, &mut self.packed, &mut self.offset] {
            if *field == full {
                *field = wide.u64().ok_or(ZipFault::Zip64)?;
            }
        }
        if wide.left() > 0 {
            return Err(ZipFault::Zip64);
        }
        if !self.deflated && self.packed != self.size {
            return Err(ZipFault::Data);
        }
        Ok(())
    }

    /// Judges name and type; the path is nothing for the root itself.
    pub(super) fn judge(&self) -> Result<(Option<RelPath>, What), ArchiveError> {
        let refuse = |reason| ArchiveError::refused(&self.name, reason);
        if self.name.contains(&b'\\') {
            return Err(refuse(Reason::Backslash));
        }
        let name = name::parse(&self.name).map_err(refuse)?;
        let what = self.what(name.slash).map_err(refuse)?;
        if name.path.is_none() && what != What::Directory {
            return Err(refuse(Reason::NameOrType));
        }
        Ok((name.path, what))
    }

    fn what(&self, slash: bool) -> Result<What, Reason> {
        const UNIX: u8 = 3;
        const MACOS: u8 = 19;
        let [low, _, mode @ ..] = self.attributes.to_le_bytes();
        let mode = u16::from_le_bytes(mode);
        let unix = matches!(self.host, UNIX | MACOS);
        let executable = unix && mode & 0o100 != 0;
        let file = if slash { What::Directory } else { What::File { executable } };
        let said = match mode & 0o170_000 {
            0 => file,
            0o100_000 => What::File { executable },
            0o040_000 => What::Directory,
            // Whether this is a link then depends on the program.
            0o120_000 if unix => What::Link,
            0o120_000 => return Err(Reason::Type("a symbolic link from a system without them")),
            _ => return Err(Reason::Type("a device, pipe or socket")),
        };
        let dos_directory = !unix && low & 0x10 != 0;
        if slash != (said == What::Directory) || dos_directory && !slash {
            return Err(Reason::NameOrType);
        }
        Ok(said)
    }
}

/// Seconds since 1970 of a DOS date and time, taken for UTC; 1980 began where they are no date.
fn modified(date: u16, time: u16) -> i64 {
    let when = ::zip::DateTime::try_from_msdos(date, time).unwrap_or_default();
    let (year, month, day) =
        (i64::from(when.year()), i64::from(when.month()), i64::from(when.day()));
    // Days since 1970 by era arithmetic: years begin in March, so the leap day comes last.
    let years = if month <= 2 { year - 1 } else { year };
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let days = years * 365 + years / 4 - years / 100 + years / 400 + of_year - 719_468;
    let seconds = |hour: u8, minute: u8, second: u8| {
        i64::from(hour) * 3600 + i64::from(minute) * 60 + i64::from(second)
    };
    days * 86_400 + seconds(when.hour(), when.minute(), when.second())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dos_dates_become_seconds() {
        let dos = |y: u16, m: u16, d: u16| (y - 1980) << 9 | m << 5 | d;
        assert_eq!(modified(dos(2000, 2, 29), 0), 951_782_400);
        assert_eq!(modified(dos(2026, 11, 21), 7 << 11 | 5 << 5 | 2), 1_795_244_704);
        assert_eq!(modified(0, 0), 315_532_800, "no date at all");
    }

    #[test]
    fn name_and_type_agree() {
        let record = |host: u8, mode: u32, low: u32| Record {
            name: Vec::new(),
            flags: 0,
            method: 0,
            deflated: false,
            crc: 0,
            packed: 0,
            size: 0,
            offset: 0,
            modified: 0,
            host,
            attributes: mode << 16 | low,
        };
        let file = |executable| Ok(What::File { executable });
        assert_eq!(record(3, 0o100_755, 0).what(false), file(true));
        assert_eq!(record(3, 0o106_755, 0).what(false), file(true), "setuid is dropped, not kept");
        assert_eq!(record(0, 0, 0x20).what(false), file(false));
        assert_eq!(record(0, 0, 0).what(true), Ok(What::Directory));
        assert_eq!(record(3, 0o120_777, 0).what(false), Ok(What::Link));
        assert!(record(0, 0o120_777, 0).what(false).is_err());
        assert!(record(3, 0o040_755, 0).what(false).is_err());
        assert!(record(3, 0o100_644, 0).what(true).is_err());
        assert!(record(0, 0, 0x10).what(false).is_err());
        assert!(record(3, 0o020_644, 0).what(false).is_err());
    }
}
