//! Damage and double meanings in the frame of zip.

use crate::make_tar::Tar;
use crate::make_zip::{
    Member, crc, deflated, descriptor, dir, extra, link, stored, wide_end, zip, zip_with,
};
use crate::room::{Room, zip_fault, zip_reason};
use cartwright::archive::{ArchiveError, Kind, Reason, ZipFault};
use cartwright::package::file_table::FileTable;

fn two() -> [Member; 2] {
    [deflated("one", b"the first, the first"), stored("two", b"the second")]
}

#[test]
fn no_end_record_at_the_very_end() {
    let good = zip(&two());
    for bad in [&good[..good.len() - 1], &good[..30], b"", b"PK\x05\x06"] {
        assert_eq!(zip_fault(bad), ZipFault::NoEnd);
    }
    assert_eq!(zip_fault(&[&good[..], b"x"].concat()), ZipFault::NoEnd);
    assert_eq!(zip_fault(&Tar::new().file("a", b"").end()), ZipFault::NoEnd);
}

#[test]
fn a_second_end_record_in_the_comment() {
    let inner = zip(&[stored("evil", b"")]);
    let packed = zip_with(&two(), |end| end.comment = inner.clone(), b"");
    Room::new().refuse(Kind::Zip, &packed);
    let plain = zip_with(&two(), |end| end.comment = b"a comment".to_vec(), b"");
    assert_eq!(Room::new().accept(Kind::Zip, &plain), ["f one 20", "f two 10"]);
}

#[test]
fn an_end_record_that_lies() {
    type Change = fn(&mut crate::make_zip::End);
    let lies: [(Change, ZipFault); 8] = [
        (|end| end.disk = 1, ZipFault::Parts),
        (|end| end.here = 1, ZipFault::Parts),
        (|end| (end.here, end.entries) = (1, 1), ZipFault::Directory),
        (|end| (end.here, end.entries) = (3, 3), ZipFault::Directory),
        (|end| end.size -= 1, ZipFault::End),
        (|end| end.at += 1, ZipFault::End),
        (|end| (end.at, end.size) = (end.at - 1, end.size + 1), ZipFault::Directory),
        (|end| (end.at, end.size) = (u32::MAX, u32::MAX), ZipFault::End),
    ];
    for (number, (lie, fault)) in lies.into_iter().enumerate() {
        assert_eq!(zip_fault(&zip_with(&two(), lie, b"")), fault, "lie {number}");
    }
}

#[test]
fn bytes_that_belong_to_nobody() {
    let good = zip(&two());
    // A program in front, with offsets that ignore it and with offsets that know it.
    assert_eq!(zip_fault(&[b"#!/bin/sh\n", &good[..]].concat()), ZipFault::End);
    let mut first = two();
    first[0].data = [b"".to_vec(), first[0].data.clone()].concat();
    let shifted = zip_with(&two(), |_| {}, b"junk");
    assert_eq!(zip_fault(&shifted), ZipFault::End);
    let mut gap = two();
    gap[0].tail = b"hidden".to_vec();
    assert_eq!(zip_fault(&zip(&gap)), ZipFault::Gap);
    let mut last = two();
    last[1].tail = zip(&[stored("x", b"")]);
    assert_eq!(zip_fault(&zip(&last)), ZipFault::Gap);
    let mut known = two();
    for member in &mut known {
        member.offset = None;
    }
    let prefixed = prefixed(&known, b"#!/bin/sh\n");
    assert_eq!(zip_fault(&prefixed), ZipFault::Gap);
}

/// The archive of `members` after `prefix`, with every offset right.
fn prefixed(members: &[Member], prefix: &[u8]) -> Vec<u8> {
    let skipped = stored("", prefix);
    let mut all = vec![skipped];
    all.extend(members.iter().cloned());
    let mut bytes = zip(&all);
    // The first member's headers are taken away: its data alone stays in front.
    let header = 30;
    bytes.drain(..header);
    let central = bytes.windows(4).position(|four| four == b"PK\x01\x02").unwrap();
    bytes.drain(central..central + 46);
    let mut at = central;
    while bytes[at..].starts_with(b"PK\x01\x02") {
        let number = |at: usize| u32::from_le_bytes(bytes[at..at + 4].try_into().unwrap());
        let offset = number(at + 42) - header as u32;
        let length = usize::from(u16::from_le_bytes([bytes[at + 28], bytes[at + 29]]));
        bytes[at + 42..at + 46].copy_from_slice(&offset.to_le_bytes());
        at += 46 + length;
    }
    let (size, start) = ((at - central) as u32, central as u32);
    bytes[at + 8..at + 10].copy_from_slice(&(members.len() as u16).to_le_bytes());
    bytes[at + 10..at + 12].copy_from_slice(&(members.len() as u16).to_le_bytes());
    bytes[at + 12..at + 16].copy_from_slice(&size.to_le_bytes());
    bytes[at + 16..at + 20].copy_from_slice(&start.to_le_bytes());
    bytes
}

#[test]
fn members_that_share_bytes() {
    let kernel = deflated("a", &[0; 100_000]);
    let mut again = Member { offset: Some(0), ..kernel.clone() };
    again.central.name = b"b".to_vec();
    let mut packed = zip(&[kernel.clone(), again.clone()]);
    assert!(matches!(Room::new().refuse(Kind::Zip, &packed), ArchiveError::Zip { .. }));
    again.central.name = b"a".to_vec();
    packed = zip(&[kernel.clone(), again]);
    assert_eq!(zip_fault(&packed), ZipFault::Overlap);
    // A first member whose data swallows the second, header and all.
    let inner = stored("inner", b"xy");
    let length = 30 + 5 + 2;
    let outer = stored("outer", b"").with(|fields| (fields.packed, fields.size) = (length, length));
    assert_eq!(zip_fault(&zip(&[outer, inner])), ZipFault::Overlap);
}

#[test]
fn a_local_header_that_says_something_else() {
    let change: [fn(&mut crate::make_zip::Fields); 6] = [
        |fields| fields.name = b"eno".to_vec(),
        |fields| fields.crc ^= 1,
        |fields| fields.size += 1,
        |fields| fields.flags ^= 1 << 11,
        |fields| fields.flags ^= 1 << 3,
        |fields| fields.method ^= 8,
    ];
    for (number, change) in change.into_iter().enumerate() {
        let [first, second] = two();
        let packed = zip(&[first.local(change), second]);
        assert_eq!(zip_fault(&packed), ZipFault::Local, "change {number}");
    }
    let [first, second] = two();
    let packed = zip(&[first.local(|fields| fields.packed -= 1), second]);
    assert_eq!(zip_fault(&packed), ZipFault::Local);
}

#[test]
fn a_descriptor_that_says_something_else() {
    let good = |tail: fn(&crate::make_zip::Fields) -> Vec<u8>| {
        let [first, second] = two();
        zip(&[first.streamed(tail), second])
    };
    assert_eq!(Room::new().accept(Kind::Zip, &good(descriptor)).len(), 2);
    assert_eq!(Room::new().accept(Kind::Zip, &good(|f| descriptor(f)[4..].to_vec())).len(), 2);
    for at in 0..16 {
        let [first, second] = two();
        let bent = |fields: &crate::make_zip::Fields| {
            let mut bytes = descriptor(fields);
            bytes[at] ^= 0x10;
            bytes
        };
        assert_eq!(zip_fault(&zip(&[first.streamed(bent), second])), ZipFault::Descriptor);
    }
    assert_eq!(zip_fault(&good(|_| vec![])), ZipFault::Descriptor);
    assert_eq!(zip_fault(&good(|f| [descriptor(f), vec![0; 40]].concat())), ZipFault::Gap);
}

#[test]
fn wrong_data() {
    let bad = stored("a", b"abc").with(|fields| fields.crc ^= 1);
    assert_eq!(zip_fault(&zip(&[bad])), ZipFault::Checksum);
    let bad = deflated("a", b"abc").with(|fields| fields.crc ^= 1);
    assert_eq!(zip_fault(&zip(&[bad])), ZipFault::Checksum);
    let bad = stored("a", b"abc").with(|fields| fields.method = 8);
    assert_eq!(zip_fault(&zip(&[bad])), ZipFault::Data);
    let bad = stored("a", b"abc").with(|fields| fields.size = 2);
    assert_eq!(zip_fault(&zip(&[bad])), ZipFault::Data);
    let bad = link("a", "b").with(|fields| fields.crc ^= 1);
    assert_eq!(zip_fault(&zip(&[bad])), ZipFault::Checksum);
    let bad = dir("a/").with(|fields| fields.crc = 1);
    assert_eq!(zip_fault(&zip(&[bad])), ZipFault::Checksum);
}

#[test]
fn encryption_strange_methods_and_flags() {
    for (bit, fault) in [
        (0, ZipFault::Encrypted),
        (6, ZipFault::Encrypted),
        (13, ZipFault::Encrypted),
        (5, ZipFault::Flags),
        (15, ZipFault::Flags),
    ] {
        let member = stored("a", b"abc").with(|fields| fields.flags |= 1 << bit);
        assert_eq!(zip_fault(&zip(&[member])), fault, "bit {bit}");
    }
    for method in [1, 9, 12, 14, 93, 99] {
        let member = stored("a", b"abc").with(|fields| fields.method = method);
        assert_eq!(zip_fault(&zip(&[member])), ZipFault::Method);
    }
    let aes = stored("a", b"abc").with(|fields| fields.extra = extra(0x9901, &[0; 7]));
    assert_eq!(zip_fault(&zip(&[aes])), ZipFault::Encrypted);
}

#[test]
fn a_second_name_in_an_extra_field() {
    let unicode =
        |of: &[u8], name: &[u8]| extra(0x7075, &[&[1], &crc(of).to_le_bytes()[..], name].concat());
    for field in [unicode(b"a", b"../b"), unicode(b"x", b"a"), extra(0x7075, &[])] {
        let both = stored("a", b"").with(|fields| fields.extra = field.clone());
        assert_eq!(zip_fault(&zip(&[both])), ZipFault::UnicodePath);
        let local = stored("a", b"").local(|fields| fields.extra = field.clone());
        assert_eq!(zip_fault(&zip(&[local])), ZipFault::UnicodePath);
    }
    let same = stored("a", b"").with(|fields| fields.extra = unicode(b"a", b"a"));
    assert_eq!(Room::new().accept(Kind::Zip, &zip(&[same])), ["f a 0"]);
    let broken = stored("a", b"").with(|fields| fields.extra = vec![1, 2, 3]);
    assert_eq!(zip_fault(&zip(&[broken])), ZipFault::Extra);
}

#[test]
fn zip64_says_more_only_where_there_is_need() {
    let members = two();
    let plain = zip(&members);
    let (mut at, mut size) = (0, 0);
    zip_with(&members, |_| {}, b"");
    let end = &plain[plain.len() - 22..];
    size += u64::from(u32::from_le_bytes(end[12..16].try_into().unwrap()));
    at += u64::from(u32::from_le_bytes(end[16..20].try_into().unwrap()));
    let full = |end: &mut crate::make_zip::End| {
        (end.here, end.entries, end.size, end.at) = (u16::MAX, u16::MAX, u32::MAX, u32::MAX);
    };
    let good = zip_with(&members, full, &wide_end(2, size, at));
    assert_eq!(Room::new().accept(Kind::Zip, &good).len(), 2);
    assert_eq!(zip_fault(&zip_with(&members, |_| {}, &wide_end(3, size, at))), ZipFault::Zip64);
    let lie = |end: &mut crate::make_zip::End| (end.here, end.entries) = (1, 1);
    assert_eq!(zip_fault(&zip_with(&members, lie, &wide_end(2, size, at))), ZipFault::Zip64);
    let mut moved = wide_end(2, size, at);
    moved[56 + 8] ^= 1;
    assert_eq!(zip_fault(&zip_with(&members, full, &moved)), ZipFault::Zip64);
    let needless = stored("a", b"abc").with(|fields| fields.extra = extra(1, &[0; 16]));
    assert_eq!(zip_fault(&zip(&[needless])), ZipFault::Zip64);
    let sizes = [3_u64.to_le_bytes(), 3_u64.to_le_bytes()].concat();
    let wide = stored("a", b"abc").with(|fields| {
        (fields.packed, fields.size) = (u32::MAX, u32::MAX);
        fields.extra = extra(1, &sizes);
    });
    assert_eq!(Room::new().accept(Kind::Zip, &zip(std::slice::from_ref(&wide))), ["f a 3"]);
    let long = wide.clone().with(|fields| fields.extra = extra(1, &[&sizes[..], &[0; 8]].concat()));
    assert_eq!(zip_fault(&zip(&[long])), ZipFault::Zip64);
    let short = wide.with(|fields| fields.extra = extra(1, &sizes[..8]));
    assert_eq!(zip_fault(&zip(&[short])), ZipFault::Zip64);
}

#[test]
fn a_link_whose_type_depends_on_the_program() {
    let member = Member { host: 0, ..link("a", "b") };
    assert!(matches!(zip_reason(&zip(&[member])), Reason::Type(_)));
    let member = Member { host: 0, attributes: 0x10, ..stored("a", b"") };
    assert_eq!(zip_reason(&zip(&[member])), Reason::NameOrType);
}

#[test]
fn flipped_bits_never_change_what_comes_out_unnoticed() {
    let good = zip(&[deflated("one", &[7; 500]), dir("d/"), stored("d/two", b"second")]);
    let room = Room::new();
    let right = room.unpack(Kind::Zip, &good).unwrap();
    room.clear();
    for at in 0..good.len() {
        for bit in 0..8 {
            let mut bad = good.clone();
            bad[at] ^= 1 << bit;
            match room.unpack(Kind::Zip, &bad) {
                Err(_) => room.assert_untouched(),
                Ok(table) => {
                    // Types and modes in the central directory have no second witness.
                    let paths = |table: &FileTable| {
                        let entries = table.entries().iter();
                        entries.map(|entry| entry.path.clone()).collect::<Vec<_>>()
                    };
                    assert_eq!(paths(&table), paths(&right), "byte {at}, bit {bit}");
                    room.clear();
                }
            }
        }
    }
}
