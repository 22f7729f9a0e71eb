//! Writes zip archives that no honest program would: every field can be made to lie.

use std::io::Write;

/// A member: what its local header, its descriptor and the central directory say.
#[derive(Clone)]
pub(crate) struct Member {
    pub(crate) local: Fields,
    pub(crate) central: Fields,
    /// The bytes between the local header and what follows.
    pub(crate) data: Vec<u8>,
    /// What follows the data.
    pub(crate) tail: Vec<u8>,
    /// Where the central directory says that the member is, if not where it is.
    pub(crate) offset: Option<u32>,
    pub(crate) host: u8,
    pub(crate) attributes: u32,
    pub(crate) comment: Vec<u8>,
}

/// What is said twice.
#[derive(Clone)]
pub(crate) struct Fields {
    pub(crate) name: Vec<u8>,
    pub(crate) flags: u16,
    pub(crate) method: u16,
    pub(crate) crc: u32,
    pub(crate) packed: u32,
    pub(crate) size: u32,
    pub(crate) extra: Vec<u8>,
}

pub(crate) fn crc(bytes: &[u8]) -> u32 {
    let mut crc = flate2::Crc::new();
    crc.update(bytes);
    crc.sum()
}

pub(crate) fn deflate(bytes: &[u8]) -> Vec<u8> {
    let level = flate2::Compression::default();
    let mut deflate = flate2::write::DeflateEncoder::new(Vec::new(), level);
    deflate.write_all(bytes).unwrap();
    deflate.finish().unwrap()
}

/// An honest stored member.
pub(crate) fn stored(name: impl AsRef<[u8]>, body: &[u8]) -> Member {
    let length = u32::try_from(body.len()).unwrap();
    let fields = Fields {
        name: name.as_ref().to_vec(),
        flags: 0,
        method: 0,
        crc: crc(body),
        packed: length,
        size: length,
        extra: vec![],
    };
    Member {
        local: fields.clone(),
        central: fields,
        data: body.to_vec(),
        tail: vec![],
        offset: None,
        host: 3,
        attributes: 0o100_644 << 16,
        comment: vec![],
    }
}

/// An honest deflated member.
pub(crate) fn deflated(name: impl AsRef<[u8]>, body: &[u8]) -> Member {
    let data = deflate(body);
    let packed = u32::try_from(data.len()).unwrap();
    stored(name, body).with(|fields| (fields.method, fields.packed) = (8, packed)).data(data)
}

/// An honest directory.
pub(crate) fn dir(name: &str) -> Member {
    Member { attributes: 0o040_755 << 16, ..stored(name, b"") }
}

/// An honest symbolic link.
pub(crate) fn link(name: &str, target: &str) -> Member {
    Member { attributes: 0o120_777 << 16, ..stored(name, target.as_bytes()) }
}

impl Member {
    /// Changes what both headers say.
    pub(crate) fn with(mut self, change: impl Fn(&mut Fields)) -> Self {
        change(&mut self.local);
        change(&mut self.central);
        self
    }

    /// Changes what the local header says.
    pub(crate) fn local(mut self, change: impl Fn(&mut Fields)) -> Self {
        change(&mut self.local);
        self
    }

    pub(crate) fn data(mut self, data: Vec<u8>) -> Self {
        self.data = data;
        self
    }

    /// Makes it a member whose sizes follow the data, in a descriptor that says `tail`.
    pub(crate) fn streamed(mut self, tail: impl Fn(&Fields) -> Vec<u8>) -> Self {
        self = self.with(|fields| fields.flags |= 1 << 3);
        (self.local.crc, self.local.packed, self.local.size) = (0, 0, 0);
        self.tail = tail(&self.central);
        self
    }

    fn local_bytes(&self) -> Vec<u8> {
        [&b"PK\x03\x04"[..], &[20, 0], &self.local.bytes(), &self.local.name, &self.local.extra]
            .concat()
    }

    fn central_bytes(&self, at: u32) -> Vec<u8> {
        let Fields { name, extra, .. } = &self.central;
        let mut bytes = [&b"PK\x01\x02"[..], &[30, self.host], &[20, 0]].concat();
        bytes.extend(self.central.bytes());
        bytes.extend((self.comment.len() as u16).to_le_bytes());
        bytes.extend([0; 4]);
        bytes.extend(self.attributes.to_le_bytes());
        bytes.extend(self.offset.unwrap_or(at).to_le_bytes());
        [&bytes[..], name, extra, &self.comment].concat()
    }
}

impl Fields {
    fn bytes(&self) -> Vec<u8> {
        let mut bytes = [self.flags.to_le_bytes(), self.method.to_le_bytes()].concat();
        // 1980-01-01 00:00
        bytes.extend([0, 0, 0x21, 0]);
        for number in [self.crc, self.packed, self.size] {
            bytes.extend(number.to_le_bytes());
        }
        bytes.extend((self.name.len() as u16).to_le_bytes());
        bytes.extend((self.extra.len() as u16).to_le_bytes());
        bytes
    }
}

/// A plain descriptor with its mark.
pub(crate) fn descriptor(fields: &Fields) -> Vec<u8> {
    let mut bytes = b"PK\x07\x08".to_vec();
    for number in [fields.crc, fields.packed, fields.size] {
        bytes.extend(number.to_le_bytes());
    }
    bytes
}

/// An extra field.
pub(crate) fn extra(id: u16, value: &[u8]) -> Vec<u8> {
    [&id.to_le_bytes()[..], &(value.len() as u16).to_le_bytes(), value].concat()
}

/// What the end record says.
pub(crate) struct End {
    pub(crate) disk: u16,
    pub(crate) here: u16,
    pub(crate) entries: u16,
    pub(crate) size: u32,
    pub(crate) at: u32,
    pub(crate) comment: Vec<u8>,
}

/// The archive of `members`.
pub(crate) fn zip(members: &[Member]) -> Vec<u8> {
    zip_with(members, |_| {}, b"")
}

/// The archive of `members`, whose end record `change` may change; `between` stands before it.
pub(crate) fn zip_with(members: &[Member], change: impl Fn(&mut End), between: &[u8]) -> Vec<u8> {
    let (mut bytes, mut directory) = (vec![], vec![]);
    for member in members {
        let at = bytes.len() as u32;
        bytes.extend(member.local_bytes());
        bytes.extend(&member.data);
        bytes.extend(&member.tail);
        directory.extend(member.central_bytes(at));
    }
    let entries = members.len() as u16;
    let (size, at) = (directory.len() as u32, bytes.len() as u32);
    let mut end = End { disk: 0, here: entries, entries, size, at, comment: vec![] };
    change(&mut end);
    bytes.extend(directory);
    bytes.extend(between);
    bytes.extend(b"PK\x05\x06");
    for number in [end.disk, end.disk, end.here, end.entries] {
        bytes.extend(number.to_le_bytes());
    }
    bytes.extend(end.size.to_le_bytes());
    bytes.extend(end.at.to_le_bytes());
    bytes.extend((end.comment.len() as u16).to_le_bytes());
    bytes.extend(end.comment);
    bytes
}

/// A zip64 end record and its locator, for a directory of `size` bytes at `at`.
pub(crate) fn wide_end(entries: u64, size: u64, at: u64) -> Vec<u8> {
    let mut bytes = b"PK\x06\x06".to_vec();
    bytes.extend(44_u64.to_le_bytes());
    bytes.extend([45, 3, 45, 0]);
    bytes.extend([0; 8]);
    for number in [entries, entries, size, at] {
        bytes.extend(number.to_le_bytes());
    }
    bytes.extend(b"PK\x06\x07");
    bytes.extend([0; 4]);
    bytes.extend((at + size).to_le_bytes());
    bytes.extend(1_u32.to_le_bytes());
    bytes
}
