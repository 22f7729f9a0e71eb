//! Trees of any shape, packed by the usual crates, come out as they went in; bytes of any shape
//! never leave anything behind.

use crate::make_tar::Tar;
use crate::make_zip::{deflated, stored, zip};
use crate::room::{Room, gzip};
use cartwright::archive::{Kind, survey};
use cartwright::package::file_table::{Content, FileTable};
use cartwright::progress::Nobody;
use cartwright::sys::fs::Dir;
use proptest::prelude::{Just, Strategy, any, prop, prop_assert_eq, prop_oneof, proptest};
use std::io::{Cursor, Write};

#[derive(Clone, Debug)]
enum Thing {
    File(Vec<u8>, bool),
    Directory,
    Link(usize),
}

fn thing() -> impl Strategy<Value = Thing> {
    let bytes = prop_oneof![
        prop::collection::vec(any::<u8>(), 0..600),
        (0..700_000_usize).prop_map(|n| vec![(n % 256) as u8; n]),
    ];
    prop_oneof![
        4 => (bytes, any::<bool>()).prop_map(|(bytes, executable)| Thing::File(bytes, executable)),
        2 => Just(Thing::Directory),
        1 => (0..9_usize).prop_map(Thing::Link),
    ]
}

fn name() -> impl Strategy<Value = String> {
    "[a-c.é ]{0,3}[a-z]{1,3}(/[a-c]{1,2}[x-z]){0,3}|[a-z]{90,120}/[a-z]{90,120}"
}

/// Puts what fits of `things` on disk.
fn plant(dir: &Dir, things: &[(String, Thing)]) {
    for (path, thing) in things {
        let parent = path.rsplit_once('/').map_or("", |(parent, _)| parent);
        if !parent.is_empty() && dir.make_dirs(parent, 0o755).is_err() {
            continue;
        }
        // What does not fit with what is there already is left out.
        let _ = match thing {
            Thing::File(bytes, true) => dir.write_new(path, bytes, 0o755),
            Thing::File(bytes, false) => dir.write_new(path, bytes, 0o644),
            Thing::Directory => dir.make_dir(path, 0o755),
            Thing::Link(to) => {
                let up = "../".repeat(path.matches('/').count());
                dir.make_link(path, format!("{up}{}", things[to % things.len()].0))
            }
        };
    }
}

fn pack_tar(table: &FileTable, dir: &Dir) -> Vec<u8> {
    let mut tar = tar::Builder::new(Vec::new());
    for entry in table.entries() {
        let mut header = tar::Header::new_gnu();
        header.set_mode(entry.mode);
        header.set_size(0);
        header.set_mtime(1);
        match &entry.content {
            Content::Directory => {
                header.set_entry_type(tar::EntryType::Directory);
                tar.append_data(&mut header, &entry.path, &b""[..]).unwrap();
            }
            Content::File { size, .. } => {
                header.set_size(*size);
                let file = dir.open_file(&entry.path).unwrap();
                tar.append_data(&mut header, &entry.path, file).unwrap();
            }
            Content::Link(target) => {
                header.set_entry_type(tar::EntryType::Symlink);
                tar.append_link(&mut header, &entry.path, target).unwrap();
            }
        }
    }
    tar.into_inner().unwrap()
}

fn pack_zip(table: &FileTable, dir: &Dir) -> Vec<u8> {
    let mut packed = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for (number, entry) in table.entries().iter().enumerate() {
        let method = [zip::CompressionMethod::Deflated, zip::CompressionMethod::Stored][number % 2];
        let options = zip::write::SimpleFileOptions::default()
            .compression_method(method)
            .unix_permissions(entry.mode);
        let path = entry.path.as_str();
        match &entry.content {
            Content::Directory => packed.add_directory(path, options).unwrap(),
            Content::File { .. } => {
                packed.start_file(path, options).unwrap();
                packed.write_all(&dir.read(&entry.path, 1 << 30).unwrap()).unwrap();
            }
            Content::Link(target) => packed.add_symlink(path, target, options).unwrap(),
        }
    }
    packed.finish().unwrap().into_inner()
}

proptest! {
    #![proptest_config(proptest::test_runner::Config {
        cases: 40,
        failure_persistence: None,
        ..Default::default()
    })]

    #[test]
    fn what_goes_in_comes_out(things in prop::collection::vec((name(), thing()), 1..40)) {
        let temp = tempfile::tempdir().unwrap();
        let from = Dir::open(temp.path()).unwrap();
        plant(&from, &things);
        let room = Room::new();
        let table = survey(&from, &room.options(), &Nobody).unwrap();
        let tar = pack_tar(&table, &from);
        for (kind, packed) in [
            (Kind::TarGz, gzip(&tar)),
            (Kind::Zip, pack_zip(&table, &from)),
            (Kind::Tar, tar),
        ] {
            let unpacked = room.unpack(kind, &packed).unwrap();
            prop_assert_eq!(&unpacked, &table, "{:?}", kind);
            prop_assert_eq!(&survey(&room.into, &room.options(), &Nobody).unwrap(), &table);
            room.clear();
        }
    }

    #[test]
    fn damage_anywhere_is_survived(at in any::<prop::sample::Index>(), byte in any::<u8>(), cut in any::<bool>()) {
        let tar = Tar::new().pax(b'x', &[("path", "p"), ("mtime", "1.5")]).file("a", b"abc")
            .member("l", b'L', b"long\0").file("b", &[3; 1000]).link("l", b'2', "p").end();
        let members = zip(&[deflated("a", &[5; 2000]), stored("b/c", b"xyz")]);
        for (kind, good) in [(Kind::Tar, tar.clone()), (Kind::TarGz, gzip(&tar)), (Kind::Zip, members)] {
            let mut bad = good.clone();
            let at = at.index(bad.len());
            if cut { bad.truncate(at) } else { bad[at] = byte }
            let room = Room::new();
            match room.unpack(kind, &bad) {
                Ok(table) => {
                    prop_assert_eq!(survey(&room.into, &room.options(), &Nobody).unwrap(), table);
                }
                Err(_) => room.assert_untouched(),
            }
        }
    }
}
