//! Directories as sources, and reading what lies there already.

use crate::room::{Room, list};
use cartwright::archive::{self, ArchiveError, Limit, Reason};
use cartwright::progress::Nobody;
use cartwright::sys::fs::Dir;

fn source(room: &Room) -> (tempfile::TempDir, Dir) {
    let temp = tempfile::tempdir().unwrap();
    let dir = Dir::open(temp.path()).unwrap();
    dir.make_dirs("a/b", 0o700).unwrap();
    dir.write_new("a/b/file", b"text", 0o600).unwrap();
    dir.write_new("a/.hidden", &vec![9; 300_000], 0o4711).unwrap();
    dir.make_hard_link("a/b/file", &dir, "twin").unwrap();
    dir.make_link("link", "a/b/file").unwrap();
    assert!(room.into.names().unwrap().is_empty());
    (temp, dir)
}

#[test]
fn a_directory_is_taken_in_whole() {
    let room = Room::new();
    let (_temp, from) = source(&room);
    let table = archive::import(&from, &room.into, &room.options(), &Nobody).unwrap();
    let expected =
        ["d a", "x a/.hidden 300000", "d a/b", "f a/b/file 4", "l link -> a/b/file", "f twin 4"];
    assert_eq!(list(&table), expected);
    let seen = archive::survey(&room.into, &room.options(), &Nobody).unwrap();
    assert_eq!(table, seen);
    assert_eq!(table, archive::survey(&from, &room.options(), &Nobody).unwrap());
    assert_eq!(room.into.meta("twin").unwrap().unwrap().links, 1);
    assert_eq!(room.into.meta("a/.hidden").unwrap().unwrap().mode, 0o755);
}

fn refused(room: &Room, from: &Dir) -> ArchiveError {
    let error = archive::import(from, &room.into, &room.options(), &Nobody).unwrap_err();
    room.assert_untouched();
    let surveyed = archive::survey(from, &room.options(), &Nobody).unwrap_err();
    assert_eq!(error.to_string(), surveyed.to_string());
    error
}

#[test]
fn the_rules_for_archives_hold() {
    let mut room = Room::new();
    let (_temp, from) = source(&room);
    from.make_link("out", "../../secret").unwrap();
    let error = refused(&room, &from);
    assert!(matches!(error, ArchiveError::Refused { reason: Reason::LinkEscapes(_), .. }));
    from.remove_file("out").unwrap();

    let pipe = from.path_of("pipe");
    rustix::fs::mkfifoat(rustix::fs::CWD, &pipe, rustix::fs::Mode::RWXU).unwrap();
    let error = refused(&room, &from);
    assert!(matches!(error, ArchiveError::Refused { reason: Reason::Type(_), .. }), "{error}");
    from.remove_file("pipe").unwrap();

    from.write_new("a\nb", b"", 0o644).unwrap();
    let error = refused(&room, &from);
    assert!(matches!(error, ArchiveError::Refused { reason: Reason::Name(_), .. }), "{error}");
    from.remove_file("a\nb").unwrap();

    room.limits.max_total = 1000;
    assert!(matches!(refused(&room, &from), ArchiveError::Limit(Limit::Total(1000))));
    room.limits.max_total = 1 << 30;
    room.limits.max_entries = 5;
    assert!(matches!(refused(&room, &from), ArchiveError::Limit(Limit::Entries(5))));
}

#[test]
fn a_survey_sees_a_single_changed_bit() {
    let room = Room::new();
    let (_temp, from) = source(&room);
    let before = archive::survey(&from, &room.options(), &Nobody).unwrap();
    from.replace_file("a/b/file", b"tezt", 0o600).unwrap();
    let after = archive::survey(&from, &room.options(), &Nobody).unwrap();
    assert_ne!(before.digest(), after.digest());
}
