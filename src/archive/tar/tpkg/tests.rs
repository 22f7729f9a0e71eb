//! Cases of specification 6 that are about the archive, each by its number, and attacks on it.

use super::*;
use crate::archive::{self, Kind, Links, Modes, Options, Strip};
use crate::config;
use crate::package::file_table::FileTable;
use crate::sys::fs::Dir;
use sha2::Digest;
use std::io::Write;

fn tar(members: &[(&str, &[u8], u32)]) -> Vec<u8> {
    let mut builder = ::tar::Builder::new(Vec::new());
    for (path, bytes, mode) in members {
        let mut header = ::tar::Header::new_gnu();
        let directory = path.ends_with('/');
        header.set_entry_type(if directory {
            ::tar::EntryType::Directory
        } else {
            ::tar::EntryType::Regular
        });
        header.set_size(bytes.len() as u64);
        header.set_mode(*mode);
        builder.append_data(&mut header, path, *bytes).unwrap();
    }
    builder.into_inner().unwrap()
}

fn inner() -> Vec<u8> {
    tar(&[
        ("tpkg/", b"", 0o755),
        ("tpkg/tpkg.yml", b"name: a\n", 0o644),
        ("tpkg/reloc/", b"", 0o755),
        ("tpkg/reloc/secret", b"s", 0o4600),
        ("tpkg/preinstall", b"#!/bin/sh\n", 0o755),
    ])
}

fn list(checksums: &[(&str, String)]) -> Vec<u8> {
    let one = |(algorithm, digest): &(&str, String)| {
        format!("<checksum><algorithm>{algorithm}</algorithm><digest>{digest}</digest></checksum>")
    };
    let all: String = checksums.iter().map(one).collect();
    format!("<tpkg_checksums>{all}</tpkg_checksums>").into_bytes()
}

fn sha256(bytes: &[u8]) -> String {
    format!("{:x}", Hex(&sha2::Sha256::digest(bytes)))
}

struct Hex<'a>(&'a [u8]);

impl std::fmt::LowerHex for Hex<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

fn good(inner: &[u8]) -> Vec<u8> {
    list(&[("SHA256", sha256(inner))])
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gzip.write_all(bytes).unwrap();
    gzip.finish().unwrap()
}

fn bzip2(bytes: &[u8]) -> Vec<u8> {
    let mut bzip2 = ::bzip2::write::BzEncoder::new(Vec::new(), ::bzip2::Compression::fast());
    bzip2.write_all(bytes).unwrap();
    bzip2.finish().unwrap()
}

fn unpack(packed: &[u8]) -> Result<FileTable, ArchiveError> {
    let temp = tempfile::tempdir().unwrap();
    let into = Dir::open(temp.path()).unwrap();
    let limits = config::Archive::default();
    let (links, modes, strip) = (Links::Contained, Modes::ReadOnlyBut("usr"), Strip::SingleTop);
    let options = Options { limits: &limits, links, modes, strip, older: None };
    let mut packed = packed;
    let table = archive::unpack_stream(Kind::Tpkg, &mut packed, &into, &options, &Nobody);
    if table.is_err() {
        assert!(into.names().unwrap().is_empty(), "nothing stays of what is refused");
    }
    table
}

fn fault(packed: &[u8]) -> TpkgFault {
    match unpack(packed).unwrap_err() {
        ArchiveError::Tpkg(fault) => fault,
        other => panic!("{other}"),
    }
}

#[test]
fn case_18_plain_gzip_and_bzip2_in_either_order_give_the_same_tree() {
    let inner = inner();
    let sums = good(&inner);
    let mut trees = Vec::new();
    for (name, bytes) in [
        ("a-1/tpkg.tar", inner.clone()),
        ("a-1/tpkg.tar.gz", gzip(&inner)),
        ("a-1/tpkg.tar.bz2", bzip2(&inner)),
    ] {
        let (archive, sums) =
            ((name, bytes.as_slice(), 0o644), ("a-1/checksum.xml", &*sums, 0o644));
        for members in [[archive, sums], [sums, archive]] {
            let packed = tar(&[&[("a-1/", &b""[..], 0o755)], &members[..]].concat());
            assert_eq!(
                archive::detect(&packed[..packed.len().min(archive::HEAD)]),
                Some(Kind::Tpkg)
            );
            trees.push(unpack(&packed).unwrap());
            trees.push(unpack(&tar(&members)).unwrap());
        }
    }
    assert_eq!(trees.len(), 12);
    assert!(trees.windows(2).all(|two| two[0] == two[1]));
    let mode = |path: &str| trees[0].get(path).unwrap().mode;
    assert_eq!([mode("reloc/secret"), mode("preinstall"), mode("reloc")], [0o600, 0o755, 0o755]);
}

#[test]
fn case_1_a_wrong_checksum_is_refused_whatever_else_is_right() {
    let inner = inner();
    let zero = || ("SHA256", "0".repeat(64));
    for sums in [list(&[zero()]), list(&[("SHA256", sha256(&inner)), zero()])] {
        let members = [("a/checksum.xml", &*sums, 0o644), ("a/tpkg.tar", &*inner, 0o644)];
        let other = [members[1], members[0]];
        for members in [members, other] {
            let fault = fault(&tar(&members));
            assert!(matches!(fault, TpkgFault::Mismatch { algorithm: "SHA256", .. }), "{fault}");
        }
    }
}

#[test]
fn case_2_all_four_algorithms_count_in_either_case_of_letters() {
    let inner = inner();
    let mut digests = Digests::begin(None);
    digests.update(&inner);
    let all = digests.finish();
    for (algorithm, digest) in &all {
        for digest in [digest.clone(), digest.to_uppercase()] {
            let sums = list(&[(algorithm.name(), digest)]);
            let members = [("a/checksum.xml", &*sums, 0o644), ("a/tpkg.tar", &*inner, 0o644)];
            unpack(&tar(&members)).unwrap();
        }
        let sums = list(&[(algorithm.name(), "00".into())]);
        let members = [("a/tpkg.tar", &*inner, 0o644), ("a/checksum.xml", &*sums, 0o644)];
        assert!(matches!(fault(&tar(&members)), TpkgFault::Mismatch { .. }));
    }
}

#[test]
fn case_3_an_unknown_algorithm_is_refused_and_so_is_a_list_of_none() {
    let inner = inner();
    for (sums, expected) in [
        (list(&[("MD5", "00".into())]), TpkgFault::Algorithm("MD5".into())),
        (list(&[]), TpkgFault::NoChecksum),
    ] {
        let members = [("a/checksum.xml", &*sums, 0o644), ("a/tpkg.tar", &*inner, 0o644)];
        assert_eq!(fault(&tar(&members)), expected);
    }
}

#[test]
fn case_4_what_is_no_tar_archive_is_refused() {
    for bytes in [&b"not a package"[..], &[b'x'; 2000], b""] {
        assert!(matches!(unpack(bytes), Err(ArchiveError::Tar { .. })));
    }
}

#[test]
fn case_5_there_is_one_folder_at_the_top_and_it_holds_both_files() {
    let inner = inner();
    let sums = good(&inner);
    let packed = |a: &str, b: &str| tar(&[(a, &*sums, 0o644), (b, &*inner, 0o644)]);
    for (a, b) in [
        ("a/b/checksum.xml", "a/b/tpkg.tar"),
        ("a/checksum.xml", "b/tpkg.tar"),
        ("checksum.xml", "tpkg.tar"),
        ("a/checksum.xml", "a/other"),
        ("a/checksum.xml", "a/.hidden"),
        ("a/checksum.xml", "a/sub/"),
    ] {
        let content = if b.ends_with('/') { &b""[..] } else { &inner };
        fault(&tar(&[(a, &*sums, 0o644), (b, content, 0o644)]));
    }
    let mut twice = packed("a/checksum.xml", "a/tpkg.tar");
    twice.truncate(twice.len() - 1024);
    twice.extend(tar(&[("a/tpkg.tar", &*inner, 0o644)]));
    assert_eq!(fault(&twice), TpkgFault::Twice("tpkg.tar"));
    assert_eq!(fault(&tar(&[("a/tpkg.tar", &*inner, 0o644)])), TpkgFault::Missing("checksum.xml"));
    let extra = [("a/._checksum.xml", &b"x"[..], 0o644)];
    let both = [("a/checksum.xml", &*sums, 0o644), ("a/tpkg.tar", &*inner, 0o644)];
    unpack(&tar(&[&extra[..], &both[..]].concat())).unwrap();
}

#[test]
fn case_6_a_name_of_240_characters_can_be_read() {
    let inner = inner();
    let sums = good(&inner);
    let top = "n".repeat(240);
    let (a, b) = (format!("{top}/checksum.xml"), format!("{top}/tpkg.tar.gz"));
    let packed =
        tar(&[(&format!("{top}/"), b"", 0o755), (&b, &gzip(&inner), 0o644), (&a, &sums, 0o644)]);
    assert_eq!(archive::detect(&packed[..packed.len().min(archive::HEAD)]), Some(Kind::Tpkg));
    unpack(&packed).unwrap();
}

#[test]
fn the_inner_archive_is_one_folder_called_tpkg() {
    for inner in [
        tar(&[("other/tpkg.yml", b"", 0o644)]),
        tar(&[("tpkg/tpkg.yml", b"", 0o644), ("more", b"", 0o644)]),
        tar(&[("tpkg/tpkg.yml", b"", 0o644), (".hidden/x", b"", 0o644)]),
        tar(&[("tpkg", b"", 0o644)]),
        tar(&[]),
    ] {
        let sums = good(&inner);
        let members = [("a/checksum.xml", &*sums, 0o644), ("a/tpkg.tar", &*inner, 0o644)];
        assert_eq!(fault(&tar(&members)), TpkgFault::InnerTop);
    }
}

#[test]
fn names_that_a_shell_would_read_are_names() {
    let inner = inner();
    let sums = good(&inner);
    let top = "$(touch x); 'a b'";
    let (a, b) = (format!("{top}/checksum.xml"), format!("{top}/tpkg.tar"));
    unpack(&tar(&[(&a, &sums, 0o644), (&b, &inner, 0o644)])).unwrap();
}

#[test]
fn an_escape_in_the_inner_archive_is_refused_as_in_any() {
    let mut bad = tar(&[("tpkg/reloc/aaaa", b"", 0o644)]);
    // The library that writes these tests refuses to write such a name.
    let name = b"tpkg/../../x";
    bad[..100].fill(0);
    bad[..name.len()].copy_from_slice(name);
    bad[148..156].fill(b' ');
    let sum: u32 = bad[..512].iter().map(|byte| u32::from(*byte)).sum();
    bad[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    let sums = good(&bad);
    let members = [("a/checksum.xml", &*sums, 0o644), ("a/tpkg.tar", &*bad, 0o644)];
    let error = unpack(&tar(&members)).unwrap_err();
    assert!(matches!(error, ArchiveError::Refused { .. }), "{error}");
}

#[test]
fn a_package_that_is_cut_off_anywhere_is_refused() {
    let inner = inner();
    let sums = good(&inner);
    let whole = tar(&[("a/checksum.xml", &*sums, 0o644), ("a/tpkg.tar.gz", &gzip(&inner), 0o644)]);
    // Without the two last blocks it is as whole as many programs write it.
    for cut in (0..whole.len() - 1024).step_by(97) {
        assert!(unpack(&whole[..cut]).is_err(), "cut at {cut}");
    }
}

#[test]
fn xml_that_attacks_ends_as_a_message() {
    let entities = "<!DOCTYPE a [<!ENTITY a \"aaaa\"><!ENTITY b \"&a;&a;\">]>\
                    <tpkg_checksums>&b;</tpkg_checksums>";
    let deep = "<tpkg_checksums>".to_owned() + &"<a>".repeat(20_000);
    let closed = format!("{deep}{}</tpkg_checksums>", "</a>".repeat(20_000));
    let many = list(&vec![("SHA256", "0".repeat(64)); 100]);
    for xml in
        [entities.as_bytes(), deep.as_bytes(), &closed.as_bytes()[..60 << 10], &many, b"\xff"]
    {
        let error = checksum::read(xml).unwrap_err();
        assert!(matches!(error, TpkgFault::Checksums(_)), "{error}");
    }
    // Deep but sound: nobody is hurt, and nothing vouches.
    let shallow =
        format!("<tpkg_checksums>{}{}</tpkg_checksums>", "<a>".repeat(5000), "</a>".repeat(5000));
    assert!(checksum::read(shallow.as_bytes()).is_err());
}

#[test]
fn other_archives_are_not_taken_for_packages() {
    for (name, bytes) in [
        ("a/checksum.xml", &b"<other/>"[..]),
        ("a/metadata/manifest.yml", b"Name: a\n"),
        ("tpkg.tar", b""),
        ("a/b/tpkg.tar", b""),
    ] {
        let packed = tar(&[("a/", b"", 0o755), (name, bytes, 0o644)]);
        assert_eq!(archive::detect(&packed), Some(Kind::Tar), "{name}");
    }
}
