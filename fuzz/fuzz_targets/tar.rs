//! Tar: nothing panics, nothing is left behind, and what is accepted the `tar` crate reads alike.
#![no_main]

mod room;

use cartwright::archive::{Kind, unpack_stream};
use cartwright::package::file_table::Content;
use cartwright::progress::Nobody;
use std::io::Read;
use tar::{EntryType, Header};

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let bytes = sealed(bytes);
    let table = room::fill(|into, options| {
        let mut source = &bytes[..];
        unpack_stream(Kind::Tar, &mut source, into, options, &Nobody)
    });
    let Some(table) = table else { return };
    let mut archive = tar::Archive::new(&bytes[..]);
    let mut leaves = 0;
    for entry in archive.entries().unwrap() {
        let mut entry = entry.unwrap();
        let path = entry.path().unwrap().into_owned();
        match entry.header().entry_type() {
            EntryType::Regular if path.as_os_str().as_encoded_bytes().ends_with(b"/") => {}
            EntryType::Regular => {
                let mut content = Vec::new();
                entry.read_to_end(&mut content).unwrap();
                room::same_file(&table, &path, &content);
                leaves += 1;
            }
            EntryType::Symlink => {
                let target = entry.link_name().unwrap().unwrap();
                let content = Content::Link(target.to_str().unwrap().to_owned());
                assert_eq!(room::content_at(&table, &path), Some(&content));
                leaves += 1;
            }
            EntryType::Link => leaves += 1,
            EntryType::Directory | EntryType::XGlobalHeader => {}
            other => panic!("accepted {other:?}"),
        }
    }
    assert_eq!(leaves, room::leaves(&table));
});

/// Puts the right checksum where a header is expected: otherwise nothing gets past the first one.
fn sealed(bytes: &[u8]) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    let mut at = 0;
    while at + 512 <= bytes.len() {
        let mut header = Header::from_byte_slice(&bytes[at..at + 512]).clone();
        if header.as_bytes().iter().all(|byte| *byte == 0) {
            break;
        }
        header.set_cksum();
        bytes[at..at + 512].copy_from_slice(header.as_bytes());
        let size = header.entry_size().unwrap_or(0).min(1 << 20) as usize;
        at += 512 + size.next_multiple_of(512);
    }
    bytes
}
