//! Writes tar archives that no honest program would.

use std::fmt::Write;

/// The type flags of members.
pub(crate) const FILE: u8 = b'0';
pub(crate) const HARD: u8 = b'1';
pub(crate) const LINK: u8 = b'2';
pub(crate) const DIR: u8 = b'5';

/// A header with the fields as they are given, checksum right.
pub(crate) fn header(name: &[u8], flag: u8, size: u64) -> [u8; 512] {
    let mut block = [0; 512];
    block[..name.len().min(100)].copy_from_slice(&name[..name.len().min(100)]);
    block[100..108].copy_from_slice(b"0000644\0");
    block[108..116].copy_from_slice(b"0000000\0");
    block[116..124].copy_from_slice(b"0000000\0");
    block[124..136].copy_from_slice(format!("{size:011o}\0").as_bytes());
    block[136..148].copy_from_slice(b"00000001750\0");
    block[156] = flag;
    block[257..265].copy_from_slice(b"ustar\x0000");
    seal(&mut block);
    block
}

/// Puts the right checksum into a header.
pub(crate) fn seal(block: &mut [u8; 512]) {
    block[148..156].fill(b' ');
    let sum: u32 = block.iter().map(|byte| u32::from(*byte)).sum();
    block[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
}

/// An archive in the making.
#[derive(Default)]
pub(crate) struct Tar(pub(crate) Vec<u8>);

impl Tar {
    pub(crate) fn new() -> Self {
        Self::default()
    }

    pub(crate) fn block(mut self, block: &[u8]) -> Self {
        self.0.extend_from_slice(block);
        self
    }

    pub(crate) fn body(mut self, body: &[u8]) -> Self {
        self.0.extend_from_slice(body);
        self.0.resize(self.0.len().next_multiple_of(512), 0);
        self
    }

    pub(crate) fn member(self, name: impl AsRef<[u8]>, flag: u8, body: &[u8]) -> Self {
        self.block(&header(name.as_ref(), flag, body.len() as u64)).body(body)
    }

    pub(crate) fn file(self, name: impl AsRef<[u8]>, body: &[u8]) -> Self {
        self.member(name, FILE, body)
    }

    pub(crate) fn dir(self, name: impl AsRef<[u8]>) -> Self {
        self.member(name, DIR, b"")
    }

    pub(crate) fn link(self, name: &str, flag: u8, target: impl AsRef<[u8]>) -> Self {
        let mut block = header(name.as_bytes(), flag, 0);
        block[157..157 + target.as_ref().len()].copy_from_slice(target.as_ref());
        seal(&mut block);
        self.block(&block)
    }

    pub(crate) fn pax(self, flag: u8, records: &[(&str, &str)]) -> Self {
        let mut body = String::new();
        for (key, value) in records {
            let plain = key.len() + value.len() + 3;
            let fits = |length: &usize| length - plain == length.to_string().len();
            let length = (plain + 1..plain + 20).find(fits).unwrap();
            writeln!(body, "{length} {key}={value}").unwrap();
        }
        self.member("pax", flag, body.as_bytes())
    }

    pub(crate) fn end(self) -> Vec<u8> {
        self.block(&[0; 1024]).0
    }
}
