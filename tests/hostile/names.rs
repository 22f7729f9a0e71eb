//! Names and types: rules that hold for tar and zip alike.

use crate::make_tar::{DIR, FILE, HARD, LINK, Tar, header, seal};
use crate::make_zip::{Member, deflated, dir, link, stored, zip};
use crate::room::{Room, tar_reason, zip_reason};
use cartwright::archive::{Kind, Links, Reason};
use cartwright::sys::path::PathError;

#[test]
fn names_that_leave_the_tree() {
    for (name, reason) in [
        (&b"../secret"[..], Reason::Name(PathError::Climbs)),
        (b"a/../../secret", Reason::Name(PathError::Climbs)),
        (b"a/..", Reason::Name(PathError::Climbs)),
        (b"/etc/passwd", Reason::Name(PathError::Absolute)),
        (b"//etc", Reason::Name(PathError::Absolute)),
        (b"a//b", Reason::EmptyComponent),
        (b"a\nb", Reason::Name(PathError::Control)),
        (b"a\x1b[31mb", Reason::Name(PathError::Control)),
        (b"a\xff\xfe", Reason::NotUtf8),
    ] {
        let before = |tar: Tar| tar.file("good", b"x");
        assert_eq!(tar_reason(&before(Tar::new()).file(name, b"x").end()), reason);
        assert_eq!(zip_reason(&zip(&[stored("good", b"x"), deflated(name, b"x")])), reason);
    }
    assert_eq!(tar_reason(&Tar::new().file("", b"x").end()), Reason::Name(PathError::Empty));
    assert_eq!(zip_reason(&zip(&[stored("", b"x")])), Reason::Name(PathError::Empty));
    assert_eq!(zip_reason(&zip(&[stored("a\0b", b"x")])), Reason::Name(PathError::Control));
}

#[test]
fn names_too_long_or_too_deep() {
    let long = "x".repeat(256);
    let deep = "x/".repeat(129) + "x";
    let endless = vec!["y".repeat(200); 30].join("/");
    for name in [&long, &deep, &endless] {
        let reason = Reason::Name(PathError::TooLong);
        let tar = Tar::new().pax(b'x', &[("path", name)]).file("short", b"").end();
        assert_eq!(tar_reason(&tar), reason);
        assert_eq!(zip_reason(&zip(&[stored(name, b"")])), reason);
    }
}

#[test]
fn a_backslash_is_refused_in_zip_and_a_letter_in_tar() {
    assert_eq!(zip_reason(&zip(&[stored("a\\..\\b", b"")])), Reason::Backslash);
    let tar = Tar::new().file("a\\b", b"x").end();
    assert_eq!(Room::new().accept(Kind::Tar, &tar), ["f a\\b 1"]);
}

#[test]
fn types_that_no_package_holds() {
    for flag in *b"3467DMNVAXZ" {
        let tar = Tar::new().member("a", flag, b"").end();
        assert!(matches!(tar_reason(&tar), Reason::Type(_)), "{}", char::from(flag));
    }
    for mode in [0o020_644, 0o060_644, 0o010_644, 0o140_644] {
        let member = Member { attributes: mode << 16, ..stored("a", b"") };
        assert!(matches!(zip_reason(&zip(&[member])), Reason::Type(_)), "{mode:o}");
    }
}

#[test]
fn setuid_setgid_and_sticky_bits_are_dropped() {
    let mut block = header(b"tool", FILE, 1);
    block[100..108].copy_from_slice(b"0007777\0");
    seal(&mut block);
    let tar = Tar::new().block(&block).body(b"x").end();
    let member = Member { attributes: 0o107_777 << 16, ..stored("tool", b"x") };
    for (kind, packed) in [(Kind::Tar, tar), (Kind::Zip, zip(&[member]))] {
        let room = Room::new();
        assert_eq!(room.accept(kind, &packed), ["x tool 1"]);
        assert_eq!(room.into.meta("tool").unwrap().unwrap().mode, 0o755);
    }
}

#[test]
fn name_and_type_that_disagree() {
    assert_eq!(tar_reason(&Tar::new().file("a/", b"x").end()), Reason::NameOrType);
    assert_eq!(tar_reason(&Tar::new().link("a/", LINK, "b").end()), Reason::NameOrType);
    assert_eq!(tar_reason(&Tar::new().file("./.", b"").end()), Reason::NameOrType);
    let slash_file = Member { attributes: 0o100_644 << 16, ..dir("a/") };
    let bare_dir = Member { attributes: 0o040_755 << 16, ..stored("a", b"") };
    let full_dir = Member { attributes: 0o040_755 << 16, ..stored("a/", b"x") };
    for member in [slash_file, bare_dir, full_dir] {
        assert_eq!(zip_reason(&zip(&[member])), Reason::NameOrType);
    }
}

#[test]
fn the_same_path_twice() {
    for second in ["a", "./a", "./././a"] {
        let tar = Tar::new().file("a", b"1").file(second, b"2").end();
        assert_eq!(tar_reason(&tar), Reason::Duplicate, "{second}");
        let zip = zip(&[stored("a", b"1"), stored(second, b"2")]);
        assert_eq!(zip_reason(&zip), Reason::Duplicate, "{second}");
    }
    let hard = Tar::new().file("a", b"1").link("a", HARD, "a").end();
    assert_eq!(tar_reason(&hard), Reason::Duplicate);
    let link_over_file = Tar::new().file("a", b"1").link("a", LINK, "b").end();
    assert_eq!(tar_reason(&link_over_file), Reason::Duplicate);
}

#[test]
fn a_file_and_a_directory_at_one_path() {
    for tar in [
        Tar::new().file("a", b"").file("a/b", b""),
        Tar::new().file("a/b", b"").file("a", b""),
        Tar::new().dir("a").file("a", b""),
        Tar::new().file("a", b"").member("a", DIR, b""),
    ] {
        assert_eq!(tar_reason(&tar.end()), Reason::Conflict);
    }
    assert_eq!(zip_reason(&zip(&[stored("a", b""), stored("a/b", b"")])), Reason::Conflict);
    assert_eq!(zip_reason(&zip(&[dir("a/"), stored("a", b"")])), Reason::Conflict);
}

#[test]
fn writing_through_a_link_of_the_same_archive() {
    for target in ["..", "/tmp", "."] {
        let tar = Tar::new().link("door", LINK, target).file("door/secret", b"mine now").end();
        assert_eq!(tar_reason(&tar), Reason::Conflict, "{target}");
        let packed = zip(&[link("door", target), stored("door/secret", b"mine now")]);
        assert_eq!(zip_reason(&packed), Reason::Conflict, "{target}");
    }
    let swap = Tar::new().dir("d").link("d", LINK, "..").file("d/secret", b"mine now").end();
    assert_eq!(tar_reason(&swap), Reason::Conflict);
}

#[test]
fn links_that_leave_the_tree() {
    for links in [
        &[("a", "/etc/passwd")][..],
        &[("a", "../secret")],
        &[("d/a", "../../secret")],
        &[("here", "."), ("up", "here/../secret")],
    ] {
        let tar = links.iter().fold(Tar::new(), |tar, (name, to)| tar.link(name, LINK, to)).end();
        assert!(matches!(tar_reason(&tar), Reason::LinkEscapes(_)), "{links:?}");
        let members: Vec<Member> = links.iter().map(|(name, to)| link(name, to)).collect();
        let packed = zip(&members);
        assert!(matches!(zip_reason(&packed), Reason::LinkEscapes(_)), "{links:?}");
        for (kind, packed) in [(Kind::Tar, tar), (Kind::Zip, packed)] {
            let room = Room { links: Links::External, ..Room::new() };
            assert!(room.accept(kind, &packed).len() >= links.len(), "allowed by policy");
        }
    }
}

#[test]
fn links_without_a_usable_target() {
    for target in [&b""[..], b"a\nb", b"a\xff"] {
        let tar = Tar::new().link("a", LINK, target).end();
        assert_eq!(tar_reason(&tar), Reason::LinkTarget);
        let member = Member { attributes: 0o120_777 << 16, ..stored("a", target) };
        assert_eq!(zip_reason(&zip(&[member])), Reason::LinkTarget);
    }
    let long = "x/".repeat(3000);
    assert_eq!(zip_reason(&zip(&[link("a", &long)])), Reason::LinkTarget);
}

#[test]
fn hard_links_to_anything_but_an_earlier_file() {
    for target in ["/etc/passwd", "../secret", "later", "d", "none", "", "first/"] {
        let tar = Tar::new().file("first", b"1").dir("d").link("a", HARD, target);
        let tar = tar.file("later", b"2").end();
        assert!(matches!(tar_reason(&tar), Reason::HardLink(_)), "{target}");
    }
}

#[test]
fn a_hard_link_to_a_link_is_one_more_link_and_judged_as_such() {
    let tar = Tar::new().link("d/a", LINK, "../b").link("c", HARD, "d/a").end();
    assert!(matches!(tar_reason(&tar), Reason::LinkEscapes(_)));
}
