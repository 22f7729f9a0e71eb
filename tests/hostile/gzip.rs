//! Damage in the gzip frame, found before the tree counts as unpacked.

use crate::make_tar::Tar;
use crate::room::{Room, gzip};
use cartwright::archive::{ArchiveError, GzipFault, Kind};

fn sample() -> Vec<u8> {
    gzip(&Tar::new().file("a", &[7; 5000]).file("b", b"x").end())
}

fn fault(packed: &[u8]) -> GzipFault {
    match Room::new().refuse(Kind::TarGz, packed) {
        ArchiveError::Gzip(fault) => fault,
        other => panic!("{other}"),
    }
}

#[test]
fn bytes_after_the_stream() {
    let good = sample();
    for tail in [&b"\0"[..], b"garbage", &good, &[0; 1024]] {
        assert_eq!(fault(&[&good, tail].concat()), GzipFault::Trailing);
    }
}

#[test]
fn a_stream_cut_off_after_the_last_member_of_tar() {
    let good = sample();
    for cut in [good.len() - 1, good.len() - 8, good.len() / 2, 12, 3] {
        assert_eq!(fault(&good[..cut]), GzipFault::Truncated, "cut at {cut}");
    }
}

#[test]
fn a_wrong_checksum_or_length_at_the_very_end() {
    for back in 1..=8 {
        let mut bad = sample();
        let at = bad.len() - back;
        bad[at] ^= 0x55;
        assert_eq!(fault(&bad), GzipFault::Checksum, "{back} from the end");
    }
}

#[test]
fn flipped_bits_never_change_what_comes_out_unnoticed() {
    let good = sample();
    let room = Room::new();
    let right = room.unpack(Kind::TarGz, &good).unwrap();
    room.clear();
    for at in 0..good.len() {
        for bit in 0..8 {
            let mut bad = good.clone();
            bad[at] ^= 1 << bit;
            match room.unpack(Kind::TarGz, &bad) {
                Err(_) => room.assert_untouched(),
                // The header's time and the bits that fill the last byte are nobody's business.
                Ok(table) => {
                    assert_eq!(table, right, "byte {at}, bit {bit}");
                    room.clear();
                }
            }
        }
    }
}
