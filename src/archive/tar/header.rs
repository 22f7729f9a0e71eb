//! The 512 bytes before each member.

use super::TarFault;
use ::tar::Header as Layout;

/// The unit in which tar archives are written.
pub(super) const BLOCK: usize = 512;

/// What a member is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Type {
    File,
    /// A file, or a directory if its whole name ends with a slash: before there was a type for
    /// directories, that said it.
    Old,
    Directory,
    Link,
    HardLink,
    /// Records for the next member.
    Pax,
    /// Records for all members to come.
    PaxGlobal,
    /// GNU's long name for the next member.
    LongName,
    /// GNU's long link target for the next member.
    LongLink,
    /// Nothing that a package may hold.
    Other(&'static str),
}

impl Type {
    /// Tells whether this is about the next member, and no member itself.
    pub(super) fn is_extension(self) -> bool {
        matches!(self, Self::Pax | Self::PaxGlobal | Self::LongName | Self::LongLink)
    }
}

/// What a header says.
#[derive(Debug)]
pub(super) struct Header {
    pub(super) name: Vec<u8>,
    pub(super) link: Vec<u8>,
    pub(super) kind: Type,
    pub(super) size: u64,
    pub(super) mode: u32,
    pub(super) modified: i64,
}

/// Tells whether `head` begins like a tar archive: a header with a right checksum, or with the
/// mark of one, or the end marker of an empty archive.
pub(in crate::archive) fn looks_like_tar(head: &[u8]) -> bool {
    let Some(block) = head.first_chunk::<BLOCK>() else { return false };
    let marked = block.get(257..262) == Some(b"ustar");
    marked || block.iter().all(|byte| *byte == 0) || checksum_is_right(block)
}

/// The name field of a header, for messages about it.
pub(super) fn name_of(block: &[u8; BLOCK]) -> &[u8] {
    text(block.get(..100).unwrap_or_default())
}

impl Header {
    /// Reads a header; of everything that programs read differently, nothing is guessed.
    pub(super) fn parse(block: &[u8; BLOCK]) -> Result<Self, TarFault> {
        if !checksum_is_right(block) {
            return Err(TarFault::Checksum);
        }
        let layout = Layout::from_byte_slice(block);
        let old = layout.as_old();
        // Nothing at all is zero for some programs and damage for others.
        if old.size.iter().all(|byte| matches!(byte, b' ' | 0)) {
            return Err(TarFault::Number("size"));
        }
        let number = |field, what| unsigned(field).ok_or(TarFault::Number(what));
        let name = full_name(layout)?;
        let kind = kind(old.linkflag[0]);
        if kind == Type::Other(SPARSE) {
            return Err(TarFault::Sparse);
        }
        // Older than extended headers: some programs read them all the same, others do not.
        if kind.is_extension() && layout.as_ustar().is_none() && layout.as_gnu().is_none() {
            return Err(TarFault::AmbiguousHeader);
        }
        Ok(Self {
            name,
            link: text(&old.linkname).to_vec(),
            kind,
            size: number(&old.size, "size")?,
            // Above the permission bits some programs write the type as well.
            mode: u32::try_from(number(&old.mode, "mode")? & 0o7777).unwrap_or_default(),
            modified: signed(&old.mtime).ok_or(TarFault::Number("time"))?,
        })
    }
}

const SPARSE: &str = "a sparse file";

fn kind(flag: u8) -> Type {
    match flag {
        0 => Type::Old,
        b'0' => Type::File,
        b'1' => Type::HardLink,
        b'2' => Type::Link,
        b'3' => Type::Other("a character device"),
        b'4' => Type::Other("a block device"),
        b'5' => Type::Directory,
        b'6' => Type::Other("a named pipe"),
        b'7' => Type::Other("a contiguous file"),
        b'x' => Type::Pax,
        b'g' => Type::PaxGlobal,
        b'L' => Type::LongName,
        b'K' => Type::LongLink,
        b'S' => Type::Other(SPARSE),
        b'D' => Type::Other("a directory listing of an incremental backup"),
        b'M' => Type::Other("the rest of a file from another volume"),
        b'V' => Type::Other("a volume label"),
        _ => Type::Other("of an unknown type"),
    }
}

fn full_name(layout: &Layout) -> Result<Vec<u8>, TarFault> {
    let name = text(&layout.as_old().name);
    if let Some(ustar) = layout.as_ustar() {
        // The `star` program keeps times in the last 24 bytes and signs the block's end.
        let star = layout.as_bytes().ends_with(b"tar\0");
        let length = if star { 131 } else { 155 };
        let prefix = text(ustar.prefix.get(..length).unwrap_or_default());
        if prefix.is_empty() {
            return Ok(name.to_vec());
        }
        return Ok([prefix, b"/", name].concat());
    }
    // Elsewhere these bytes are no part of the name, but some programs read them so.
    let plain = match layout.as_gnu() {
        Some(gnu) => signed(&gnu.atime).is_some() && signed(&gnu.ctime).is_some(),
        None => layout.as_bytes().get(345..500).is_some_and(|rest| rest.iter().all(|b| *b == 0)),
    };
    if plain { Ok(name.to_vec()) } else { Err(TarFault::AmbiguousHeader) }
}

fn text(field: &[u8]) -> &[u8] {
    field.split(|byte| *byte == 0).next().unwrap_or_default()
}

fn checksum_is_right(block: &[u8; BLOCK]) -> bool {
    let field = 148..156;
    let sum = block.iter().enumerate().fold(0, |sum, (at, byte)| {
        sum + if field.contains(&at) { u64::from(b' ') } else { u64::from(*byte) }
    });
    block.get(field).and_then(unsigned) == Some(sum)
}

fn unsigned(field: &[u8]) -> Option<u64> {
    signed(field).and_then(|value| u64::try_from(value).ok())
}

/// Reads a number: octal digits between blanks, nothing at all for zero, or GNU's binary form.
fn signed(field: &[u8]) -> Option<i64> {
    if field.first().is_some_and(|byte| byte & 0x80 != 0) {
        return binary(field);
    }
    let start = field.iter().position(|byte| *byte != b' ').unwrap_or(field.len());
    let rest = field.get(start..)?;
    let digits = rest.iter().take_while(|byte| (b'0'..=b'7').contains(byte)).count();
    let (digits, blanks) = rest.split_at(digits);
    if blanks.iter().any(|byte| !matches!(byte, b' ' | 0)) {
        return None;
    }
    digits
        .iter()
        .try_fold(0_i64, |value, digit| value.checked_mul(8)?.checked_add(i64::from(digit - b'0')))
}

/// Two's complement, big-endian; the first bit only marks the form.
fn binary(field: &[u8]) -> Option<i64> {
    let negative = field.first()? & 0x40 != 0;
    let mut value = if negative { -1_i64 } else { 0 };
    for (at, byte) in field.iter().enumerate() {
        let byte = match (at, negative) {
            (0, true) => byte | 0x80,
            (0, false) => byte & 0x7f,
            _ => *byte,
        };
        value = value.checked_mul(256)?.checked_add(i64::from(byte))?;
    }
    Some(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_numbers_that_programs_write() {
        for (field, value) in [
            (&b"0000644\0"[..], Some(0o644)),
            (b"   644 \0", Some(0o644)),
            (b"00000000012 ", Some(0o12)),
            (b"777777777777", Some(0o777_777_777_777)),
            (b"\0\0\0\0", Some(0)),
            (b"\x80\0\0\0\0\0\0\0\0\0\x01\0", Some(256)),
            (b"\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xfe", Some(-2)),
            (b"\x80\xff\0\0\0\0\0\0\0\0\x01\0", None),
            (b"0000648\0", None),
            (b"-000644\0", None),
            (b"+000644\0", None),
            (b"0x00644\0", None),
            (b"\x000644\0", None),
            (b"64\x004\0", None),
        ] {
            assert_eq!(signed(field), value, "{field:?}");
        }
        assert_eq!(unsigned(b"\xff\xff\xff\xff"), None, "negative");
    }

    #[test]
    fn joins_prefix_and_name_only_where_every_program_does() {
        let mut layout = Layout::new_ustar();
        layout.set_path(format!("{}/{}", "d".repeat(120), "n".repeat(90))).unwrap();
        layout.set_mode(0o755);
        layout.set_size(0);
        layout.set_mtime(0);
        layout.set_cksum();
        let header = Header::parse(layout.as_bytes()).unwrap();
        assert_eq!(header.name.len(), 211);
        assert_eq!(header.mode, 0o755);
        let mut old = Layout::from_byte_slice(layout.as_bytes()).clone();
        old.as_mut_bytes()[257] = b'X';
        old.set_cksum();
        assert_eq!(Header::parse(old.as_bytes()).unwrap_err(), TarFault::AmbiguousHeader);
    }
}
