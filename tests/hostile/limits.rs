//! Bombs: too many, too long, too much, too dense, too slow.

use crate::make_tar::{FILE, Tar, header};
use crate::make_zip::{deflate, deflated, stored, zip};
use crate::room::{Room, gzip, limit};
use cartwright::archive::{ArchiveError, Kind, Limit, Reason};
use cartwright::config::Archive;
use std::io::Read;

fn both(limits: &Archive, tar: &[u8], zip: &[u8], expected: Limit) {
    for (kind, packed) in [(Kind::Tar, tar), (Kind::Zip, zip)] {
        let room = Room { limits: limits.clone(), ..Room::new() };
        assert_eq!(limit(&room.refuse(kind, packed)), expected, "{kind:?}");
    }
}

#[test]
fn more_entries_than_allowed() {
    let names: Vec<String> = (0..11).map(|n| format!("f{n}")).collect();
    let tar = names.iter().fold(Tar::new(), |tar, name| tar.file(name, b"")).end();
    let members: Vec<_> = names.iter().map(|name| stored(name, b"")).collect();
    let limits = Archive { max_entries: 10, ..Archive::default() };
    both(&limits, &tar, &zip(&members), Limit::Entries(10));
}

#[test]
fn directories_that_are_only_implied_count() {
    let deep = "d/".repeat(20) + "f";
    let limits = Archive { max_entries: 10, ..Archive::default() };
    both(
        &limits,
        &Tar::new().file(&deep, b"").end(),
        &zip(&[stored(&deep, b"")]),
        Limit::Entries(10),
    );
}

#[test]
fn the_same_directory_again_and_again_counts() {
    let tar = (0..11).fold(Tar::new(), |tar, _| tar.dir("d/")).end();
    let limits = Archive { max_entries: 10, ..Archive::default() };
    let room = Room { limits, ..Room::new() };
    assert_eq!(limit(&room.refuse(Kind::Tar, &tar)), Limit::Entries(10));
}

#[test]
fn one_file_too_long() {
    let limits = Archive { max_file: 100, ..Archive::default() };
    let tar = Tar::new().file("a", &[1; 101]).end();
    let packed = zip(&[deflated("a", &[1; 101])]);
    for (kind, packed) in [(Kind::Tar, tar), (Kind::Zip, packed)] {
        let room = Room { limits: limits.clone(), ..Room::new() };
        let error = room.refuse(kind, &packed);
        let reason = Reason::TooLarge(100);
        assert!(matches!(&error, ArchiveError::Refused { reason: r, .. } if *r == reason));
    }
    // What only claims to be long is refused before any of it is read.
    let forged = Tar::new().block(&header(b"a", FILE, 1 << 31)).end();
    assert!(matches!(
        Room::new().refuse(Kind::Tar, &forged),
        ArchiveError::Refused { reason: Reason::TooLarge(_), .. }
    ));
}

#[test]
fn all_files_too_long_together_hard_links_included() {
    let limits = Archive { max_total: 250, ..Archive::default() };
    let tar = Tar::new().file("a", &[1; 100]).file("b", &[2; 100]).file("c", &[3; 100]).end();
    let packed = zip(&["a", "b", "c"].map(|name| deflated(name, &[1; 100])));
    both(&limits, &tar, &packed, Limit::Total(250));
    let linked = Tar::new().file("a", &[1; 100]).link("b", b'1', "a").link("c", b'1', "a").end();
    let room = Room { limits, ..Room::new() };
    assert_eq!(limit(&room.refuse(Kind::Tar, &linked)), Limit::Total(250));
}

#[test]
fn a_gzip_bomb_ends_at_the_ratio() {
    // 600 MiB of zeros: in one file, or after the end marker, where no file would show it.
    let zeros = || std::io::repeat(0).take(600 << 20);
    let inside = Tar::new().block(&header(b"zeros", FILE, 600 << 20)).0;
    let after = Tar::new().file("a", b"").end();
    for start in [inside, after] {
        let mut packed =
            flate2::read::GzEncoder::new(start.chain(zeros()), flate2::Compression::default());
        let room = Room::new();
        let options = room.options();
        let nobody = cartwright::progress::Nobody;
        let result = cartwright::archive::unpack_stream(
            Kind::TarGz,
            &mut packed,
            &room.into,
            &options,
            &nobody,
        );
        assert_eq!(limit(&result.unwrap_err()), Limit::Ratio(200));
        room.assert_untouched();
    }
}

#[test]
fn a_zip_bomb_is_refused_before_it_is_inflated() {
    let zeros = vec![0; 80 << 20];
    let packed = zip(&[deflated("zeros", &zeros)]);
    assert_eq!(limit(&Room::new().refuse(Kind::Zip, &packed)), Limit::Ratio(200));
}

#[test]
fn a_member_that_inflates_to_more_than_it_says() {
    let mut member = deflated("a", &[1; 300_000]);
    member = member.with(|fields| fields.size = 10);
    let error = Room::new().refuse(Kind::Zip, &zip(&[member]));
    assert!(matches!(error, ArchiveError::Zip { fault: cartwright::archive::ZipFault::Data, .. }));
    let less = deflated("a", b"abc").with(|fields| fields.size = 4);
    Room::new().refuse(Kind::Zip, &zip(&[less]));
    let more = deflated("a", b"abc").with(|fields| fields.packed += 3);
    let more = more.data([deflate(b"abc"), vec![0; 3]].concat());
    Room::new().refuse(Kind::Zip, &zip(&[more]));
}

#[test]
fn time_runs_out() {
    let room = Room { limits: Archive { max_seconds: 0, ..Archive::default() }, ..Room::new() };
    let tar = gzip(&Tar::new().file("a", b"x").end());
    assert_eq!(limit(&room.refuse(Kind::TarGz, &tar)), Limit::Seconds(0));
}
