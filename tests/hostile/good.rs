//! Archives that are taken, and exactly what comes out of them.

use crate::make_tar::{HARD, LINK, Tar, header, seal};
use crate::make_zip::{Member, deflated, dir, link, stored, zip};
use crate::room::{Room, gzip, tar_reason};
use cartwright::archive::{Kind, Links, Modes, Reason, Strip};
use std::os::unix::fs::MetadataExt;

fn tool(tar: Tar, name: &str) -> Tar {
    let mut block = header(name.as_bytes(), b'0', 4);
    block[100..108].copy_from_slice(b"0000755\0");
    seal(&mut block);
    tar.block(&block).body(b"tool")
}

#[test]
fn a_tree_with_everything_in_it() {
    let tar = Tar::new().dir("./").dir("./bin/");
    let tar = tool(tar, "./bin/control").file("./a", b"").link("./b", HARD, "./bin/control");
    let tar = tar.link("./bin/l", LINK, "../a").dir("./bin/").end();
    let expected = ["f a 0", "x b 4", "d bin", "x bin/control 4", "l bin/l -> ../a"];
    for (kind, packed) in [(Kind::Tar, tar.clone()), (Kind::TarGz, gzip(&tar))] {
        let room = Room::new();
        assert_eq!(room.accept(kind, &packed), expected);
        let (own, first) = (room.into.meta("b").unwrap(), room.into.meta("bin/control").unwrap());
        assert_eq!(own.unwrap().links, 1, "a hard link becomes a file of its own");
        assert_eq!(first.unwrap().links, 1);
        let time = |name| room.into.open_file(name).unwrap().metadata().unwrap().mtime();
        assert_eq!([time("a"), time("b")], [0o1750; 2], "times of change are kept");
    }
    let control = Member { attributes: 0o100_700 << 16, ..deflated("bin/control", b"tool") };
    let packed = zip(&[dir("bin/"), control, stored("a", b""), link("bin/l", "../a")]);
    let expected = ["f a 0", "d bin", "x bin/control 4", "l bin/l -> ../a"];
    assert_eq!(Room::new().accept(Kind::Zip, &packed), expected);
}

#[test]
fn parents_need_not_be_named() {
    let expected = ["d a", "d a/b", "f a/b/c 1"];
    assert_eq!(Room::new().accept(Kind::Tar, &Tar::new().file("a/b/c", b"x").end()), expected);
    assert_eq!(Room::new().accept(Kind::Zip, &zip(&[stored("a/b/c", b"x")])), expected);
}

#[test]
fn long_names_of_both_kinds() {
    let long = format!("{}/{}", "d".repeat(150), "n".repeat(200));
    let expected = [format!("d {}", "d".repeat(150)), format!("f {long} 1")];
    let pax = Tar::new().pax(b'x', &[("path", &long)]).file("short", b"x").end();
    let gnu = [long.as_bytes(), b"\0"].concat();
    let gnu = Tar::new().member("././@LongLink", b'L', &gnu).file("short", b"x").end();
    for tar in [pax, gnu] {
        assert_eq!(Room::new().accept(Kind::Tar, &tar), expected);
    }
    let target = "t/".repeat(80) + "t";
    let gnu = [target.as_bytes(), b"\0"].concat();
    for tar in [
        Tar::new().pax(b'x', &[("linkpath", &target)]).link("l", LINK, "x"),
        Tar::new().member("././@LongLink", b'K', &gnu).link("l", LINK, "x"),
    ] {
        assert_eq!(Room::new().accept(Kind::Tar, &tar.end()), [format!("l l -> {target}")]);
    }
}

#[test]
fn the_oldest_form_of_tar() {
    let old = |name: &[u8], size: u64| {
        let mut block = header(name, 0, size);
        block[257..265].fill(0);
        seal(&mut block);
        block
    };
    let tar = Tar::new().block(&old(b"d/", 0)).block(&old(b"d/f", 2)).body(b"ok").end();
    assert_eq!(Room::new().accept(Kind::Tar, &tar), ["d d", "f d/f 2"]);
    // The slash at the end of a name that was only cut off there says nothing.
    let cut = Tar::new().member("l", b'L', b"d/f\0").block(&old(b"d/", 2)).body(b"ok").end();
    assert_eq!(Room::new().accept(Kind::Tar, &cut), ["d d", "f d/f 2"]);
}

#[test]
fn empty_archives() {
    assert!(Room::new().accept(Kind::Tar, &Tar::new().end()).is_empty());
    assert!(Room::new().accept(Kind::Zip, &zip(&[])).is_empty());
}

#[test]
fn one_top_folder_is_taken_away() {
    let strip = || Room { strip: Strip::SingleTop, ..Room::new() };
    let tar = Tar::new().pax(b'g', &[("comment", "c")]).file("top/.hidden", b"h");
    let tar = tar.file("top/top/top", b"x").link("top/l", LINK, "top/top").file(".beside", b"");
    let expected = ["f .beside 0", "f .hidden 1", "l l -> top/top", "d top", "f top/top 1"];
    let packed = tar.end();
    assert_eq!(strip().accept(Kind::Tar, &packed), expected);
    assert_eq!(Room::new().accept(Kind::Tar, &packed).len(), 6, "only where it is wanted");

    let two = Tar::new().file("a/x", b"").file("b", b"").end();
    assert_eq!(strip().accept(Kind::Tar, &two), ["d a", "f a/x 0", "f b 0"]);
    let file = Tar::new().file("a", b"").end();
    assert_eq!(strip().accept(Kind::Tar, &file), ["f a 0"]);
    let hidden = Tar::new().file(".a/x", b"").end();
    assert_eq!(strip().accept(Kind::Tar, &hidden), ["d .a", "f .a/x 0"]);
    assert!(strip().accept(Kind::Zip, &zip(&[dir("top/")])).is_empty());
}

#[test]
fn what_the_top_folder_leaves_must_fit_and_stay_inside() {
    let room = || Room { strip: Strip::SingleTop, ..Room::new() };
    let clash = Tar::new().file("top/.x", b"1").file(".x", b"2").end();
    let error = room().refuse(Kind::Tar, &clash).to_string();
    assert!(error.contains("top/.x") && error.contains("taken away"), "{error}");
    let up = Tar::new().link("top/l", LINK, "../x").end();
    room().refuse(Kind::Tar, &up);
    assert_eq!(Room::new().accept(Kind::Tar, &up).len(), 2, "inside while the folder is there");
}

#[test]
fn read_only_trees_have_no_write_bits_but_the_same_table() {
    let tar = tool(Tar::new().file("d/e/f", b"x"), "t").end();
    let packed = Room::new().accept(Kind::Tar, &tar);
    for strip in [Strip::Nothing, Strip::SingleTop] {
        let room = Room { modes: Modes::ReadOnly, strip, ..Room::new() };
        assert_eq!(room.accept(Kind::Tar, &tar), packed);
        let mode = |name| room.into.meta(name).unwrap().unwrap().mode;
        assert_eq!(
            [mode("d"), mode("d/e"), mode("d/e/f"), mode("t")],
            [0o555, 0o555, 0o444, 0o555]
        );
        assert_eq!(mode(""), 0o755);
    }
}

#[test]
fn a_full_directory_is_never_touched() {
    let room = Room::new();
    room.into.write_new("mine", b"precious", 0o644).unwrap();
    let error = room.unpack(Kind::Tar, &Tar::new().file("a", b"").end()).unwrap_err();
    assert!(error.to_string().contains("unpack into"), "{error}");
    assert_eq!(room.into.read("mine", 100).unwrap(), b"precious");
    assert_eq!(room.into.names().unwrap(), ["mine"]);
}

#[test]
fn what_the_source_fails_with_comes_back() {
    struct Broken;
    impl std::io::Read for Broken {
        fn read(&mut self, _: &mut [u8]) -> std::io::Result<usize> {
            Err(std::io::Error::other("the line is dead"))
        }
    }
    let room = Room { links: Links::External, ..Room::new() };
    let tar = Tar::new().file("a", &[1; 600_000]).0;
    let mut source = std::io::Read::chain(&tar[..500_000], Broken);
    let nobody = cartwright::progress::Nobody;
    let result = cartwright::archive::unpack_stream(
        Kind::Tar,
        &mut source,
        &room.into,
        &room.options(),
        &nobody,
    );
    let cartwright::archive::ArchiveError::Read(error) = result.unwrap_err() else {
        panic!("another error")
    };
    assert_eq!(error.to_string(), "the line is dead");
    room.assert_untouched();
    assert!(matches!(tar_reason(&Tar::new().file("a/..", b"").end()), Reason::Name(_)));
}
