//! Damage and double meanings in the frame of tar.

use crate::make_tar::{FILE, HARD, LINK, Tar, header, seal};
use crate::room::{Room, refused_tar, tar_fault, tar_reason};
use cartwright::archive::{Kind, Reason, TarFault};

#[test]
fn a_wrong_checksum() {
    let mut second = header(b"b", FILE, 0);
    second[0] = b'c';
    let tar = Tar::new().file("a", b"x").block(&second).end();
    assert_eq!(tar_fault(&tar), TarFault::Checksum);
    assert_eq!(tar_fault(&[&second[..], &[0; 1024]].concat()), TarFault::NotTar);
    assert_eq!(tar_fault(b"<html>"), TarFault::NotTar);
    assert_eq!(tar_fault(b""), TarFault::NotTar);
}

#[test]
fn cut_off_anywhere_inside_a_member() {
    let whole = Tar::new().file("a", &[1; 700]).pax(b'x', &[("path", "b")]).file("c", b"2").end();
    for cut in [1, 511, 513, 1000, 1211, 1212, 1535, 1537, 2048, 2100, 2560, 2561, 3071, 3073] {
        let fault = tar_fault(&whole[..cut]);
        let pending = [2560].contains(&cut);
        let expected = match cut {
            1 | 511 => TarFault::NotTar,
            _ if pending => TarFault::Pending,
            _ => TarFault::Truncated,
        };
        assert_eq!(fault, expected, "cut at {cut}");
    }
    // Every program takes an archive that ends between members; gzip and the source count bytes.
    assert_eq!(Room::new().accept(Kind::Tar, &whole[..1536]), ["f a 700"]);
}

#[test]
fn bytes_after_the_end() {
    let good = Tar::new().file("a", b"x");
    for tail in [&b"x"[..], &header(b"evil", FILE, 0)] {
        let one = Tar(good.0.clone()).block(&[0; 512]).block(tail).0;
        let two = Tar(good.0.clone()).block(&[0; 4096]).block(tail).0;
        for tar in [one, two] {
            assert_eq!(tar_fault(&tar), TarFault::AfterEnd);
        }
    }
    let padded = good.block(&[0; 10_240]).0;
    assert_eq!(Room::new().accept(Kind::Tar, &padded), ["f a 1"]);
}

#[test]
fn the_size_of_pax_wins_so_that_nothing_hides_in_content() {
    let inner = Tar::new().file("smuggled", b"evil").end();
    let size = inner.len().to_string();
    for claimed in [0, 512] {
        let tar = Tar::new()
            .pax(b'x', &[("size", &size)])
            .block(&header(b"harmless.tar", FILE, claimed))
            .body(&inner)
            .end();
        let expected = format!("f harmless.tar {size}");
        assert_eq!(Room::new().accept(Kind::Tar, &tar), [expected]);
    }
    // A size that is too small leaves content where a header has to be.
    let short = Tar::new()
        .pax(b'x', &[("size", "1")])
        .block(&header(b"a", FILE, 2000))
        .body(&[b'x'; 2000])
        .end();
    assert_eq!(tar_fault(&short), TarFault::Checksum);
}

#[test]
fn content_where_the_type_has_none() {
    for flag in [b'1', b'2', b'5'] {
        let tar = Tar::new().file("b", b"").member("a", flag, b"content").end();
        assert_eq!(tar_fault(&tar), TarFault::SizeWithoutContent);
        let pax = Tar::new().pax(b'x', &[("size", "7")]).member("a", flag, b"").end();
        assert_eq!(tar_fault(&pax), TarFault::SizeWithoutContent);
    }
}

#[test]
fn global_headers_may_comment_and_nothing_more() {
    for key in ["path", "linkpath", "size"] {
        let tar = Tar::new().pax(b'g', &[(key, "1")]).file("a", b"x").end();
        assert!(matches!(tar_fault(&tar), TarFault::Global(what) if what == key));
    }
    let tar = Tar::new().pax(b'g', &[("comment", "0123abc")]).file("a", b"x").end();
    assert_eq!(Room::new().accept(Kind::Tar, &tar), ["f a 1"]);
}

#[test]
fn headers_that_wait_for_a_member_in_vain() {
    for flag in [b'x', b'L', b'K'] {
        let tar = || match flag {
            b'x' => Tar::new().pax(flag, &[("path", "b")]),
            _ => Tar::new().member("long", flag, b"b\0"),
        };
        assert_eq!(tar_fault(&tar().end()), TarFault::Pending);
        assert_eq!(tar_fault(&tar().0), TarFault::Pending);
        let global = tar().pax(b'g', &[("comment", "c")]).file("a", b"").end();
        assert_eq!(tar_fault(&global), TarFault::Pending);
    }
}

#[test]
fn two_headers_of_one_kind() {
    let pax = |tar: Tar| tar.pax(b'x', &[("mtime", "1")]);
    let name = |tar: Tar| tar.member("l", b'L', b"n\0");
    let target = |tar: Tar| tar.member("k", b'K', b"t\0");
    for tar in [pax(pax(Tar::new())), name(name(Tar::new())), target(target(Tar::new()))] {
        assert_eq!(tar_fault(&tar.file("a", b"").end()), TarFault::Repeated);
    }
}

#[test]
fn names_that_contradict_each_other() {
    let both = Tar::new().pax(b'x', &[("path", "one")]).member("l", b'L', b"two\0");
    assert_eq!(tar_fault(&both.file("a", b"").end()), TarFault::Contradiction);
    let size = Tar::new().pax(b'x', &[("size", "0")]).member("l", b'L', b"two\0");
    assert_eq!(tar_fault(&size.file("a", b"").end()), TarFault::Contradiction);
    let inside = Tar::new().member("l", b'L', b"two\0../../etc/x\0").file("a", b"").end();
    assert_eq!(tar_fault(&inside), TarFault::Contradiction);
    let after = Tar::new().member("l", b'L', b"two\0\0").file("a", b"").end();
    assert_eq!(tar_fault(&after), TarFault::Contradiction);
}

#[test]
fn malformed_pax_records() {
    for body in [
        &b"12 path=abc\0"[..],
        b"99 path=abc\n",
        b"11 path=abc\n",
        b"13 path=abc\n",
        b" 12 path=abc\n",
        b"+12 path=abc\n",
        b"path=abc\n",
        b"10 pathabc\n",
        b"7 =abc\n",
        b"18446744073709551616 path=abc\n",
    ] {
        let tar = Tar::new().member("x", b'x', body).file("a", b"").end();
        assert_eq!(tar_fault(&tar), TarFault::Pax, "{:?}", String::from_utf8_lossy(body));
    }
}

#[test]
fn records_beyond_reason() {
    let long = "x".repeat(70_000);
    let tar = Tar::new().pax(b'x', &[("comment", &long)]).file("a", b"").end();
    assert_eq!(tar_fault(&tar), TarFault::ExtensionTooLong);
    let forged = Tar::new().block(&header(b"x", b'L', 1 << 32)).file("a", b"").end();
    assert_eq!(tar_fault(&forged), TarFault::ExtensionTooLong);
}

#[test]
fn sparse_files_of_both_kinds() {
    let old = Tar::new().member("a", b'S', b"").end();
    assert_eq!(tar_fault(&[&Tar::new().file("b", b"").0[..], &old].concat()), TarFault::Sparse);
    let new = Tar::new().pax(b'x', &[("GNU.sparse.major", "1")]).file("a", b"0\n").end();
    assert_eq!(tar_fault(&new), TarFault::Sparse);
}

#[test]
fn numbers_that_are_none() {
    let with = |at: usize, field: &[u8]| {
        let mut block = header(b"a", FILE, 0);
        block[at..at + field.len()].copy_from_slice(field);
        seal(&mut block);
        Tar::new().file("first", b"").block(&block).end()
    };
    for (at, field) in [
        (124, &b"-0000000001\0"[..]),
        (124, b"0000000000x\0"),
        (124, b"\0\0\0\0\0\0\0\0\0\0\0\0"),
        (124, b"\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"),
        (124, b"\x80\x01\0\0\0\0\0\0\0\0\0\0"),
        (100, b"00006z4\0"),
        (136, b"yesterday\0\0\0"),
    ] {
        assert!(matches!(tar_fault(&with(at, field)), TarFault::Number(_)), "{field:?}");
    }
}

#[test]
fn what_only_some_programs_read_in_a_header_of_the_old_form() {
    let mut block = header(b"a", FILE, 0);
    block[257..265].fill(0);
    block[345..350].copy_from_slice(b"../..");
    seal(&mut block);
    let tar = Tar::new().file("first", b"").block(&block).end();
    assert_eq!(tar_fault(&tar), TarFault::AmbiguousHeader);
    let mut long = header(b"l", b'L', 5);
    long[257..265].fill(0);
    seal(&mut long);
    let tar = Tar::new().file("first", b"").block(&long).body(b"long\0").file("a", b"").end();
    assert_eq!(tar_fault(&tar), TarFault::AmbiguousHeader);
}

#[test]
fn a_message_names_the_entry_its_place_and_the_remedy() {
    let mut bad = header(b"bin/\x1b]0;evil", FILE, 0);
    bad[150] ^= 1;
    let error = refused_tar(&Tar::new().file("a", b"x").block(&bad).end());
    let text = "entry `bin/\\u{1b}]0;evil` at byte 1024 has a header with a wrong checksum";
    assert_eq!(error.to_string(), text);
    let twice = Tar::new().link("a", LINK, "b").link("a", HARD, "a").end();
    assert_eq!(tar_reason(&twice), Reason::Duplicate);
}
