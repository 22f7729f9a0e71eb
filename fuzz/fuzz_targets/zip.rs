//! Zip: nothing panics, nothing is left behind, and what is accepted the `zip` crate reads alike.
#![no_main]

mod room;

use cartwright::archive::unpack_zip;
use cartwright::package::file_table::Content;
use cartwright::progress::Nobody;
use std::io::{Cursor, Read, Write};
use std::path::Path;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let table = room::fill(|into, options| {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(bytes).unwrap();
        unpack_zip(&file, into, options, &Nobody)
    });
    let Some(table) = table else { return };
    let mut archive = zip::ZipArchive::new(Cursor::new(bytes)).unwrap();
    let mut leaves = 0;
    for number in 0..archive.len() {
        let mut member = archive.by_index(number).unwrap();
        if member.is_dir() {
            continue;
        }
        leaves += 1;
        let name = std::str::from_utf8(member.name_raw()).unwrap().to_owned();
        let mut content = Vec::new();
        member.read_to_end(&mut content).unwrap();
        match room::content_at(&table, Path::new(&name)) {
            Some(Content::Link(target)) => assert_eq!(target.as_bytes(), content),
            _ => room::same_file(&table, Path::new(&name), &content),
        }
    }
    assert_eq!(leaves, room::leaves(&table));
});
