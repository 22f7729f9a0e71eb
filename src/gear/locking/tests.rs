//! Laws of locking: what was open is open again, what was missing is gone, nobody else's file is
//! touched.

use super::*;
use crate::sys::host;

const UID: u32 = 12_345;
const GID: u32 = 12_346;

/// A home with a cartridge `php`, below a folder with somebody's secret.
fn gear() -> (tempfile::TempDir, Dir, Dir) {
    let temp = tempfile::tempdir().unwrap();
    let outside = Dir::open(temp.path()).unwrap();
    outside.write_new("secret", b"", 0o600).unwrap();
    outside.make_dir("home", 0o750).unwrap();
    let home = outside.dir("home").unwrap();
    home.make_dirs("php/conf", 0o755).unwrap();
    home.write_new("php/conf/a", b"a", 0o664).unwrap();
    home.set_mode("php/conf/a", 0o664).unwrap();
    home.write_new("php/conf/run", b"b", 0o755).unwrap();
    home.make_dirs("php/env", 0o755).unwrap();
    home.make_dirs("app-root/data", 0o755).unwrap();
    home.make_link("app-root/runtime", "data").unwrap();
    home.make_link("php/usr", "/usr").unwrap();
    (temp, outside, home)
}

fn patterns(lines: &[&str]) -> Vec<String> {
    lines.iter().map(|line| (*line).to_owned()).collect()
}

fn look_at(home: &Dir, path: &str) -> Meta {
    home.meta(path).unwrap().unwrap()
}

/// How everything looks: path, mode, owner.
fn all(home: &Dir) -> Vec<(String, u32, u32, u32)> {
    fn into(dir: &Dir, prefix: &str, seen: &mut Vec<(String, u32, u32, u32)>) {
        for name in dir.names().unwrap() {
            let meta = dir.meta(&name).unwrap().unwrap();
            let path = format!("{prefix}/{}", name.to_string_lossy());
            if meta.kind == Kind::Directory {
                into(&dir.dir(&name).unwrap(), &path, seen);
            }
            seen.push((path, meta.mode, meta.uid, meta.gid));
        }
    }
    let own = home.meta("").unwrap().unwrap();
    let mut seen = vec![(String::new(), own.mode, own.uid, own.gid)];
    into(home, "", &mut seen);
    seen
}

const LOCKED: [&str; 8] = [
    "conf/",
    "conf/*",
    "not/yet/there",
    "made/",
    "~/.phprc",
    "~/app-root/data/x",
    "~/.env/KEY",
    "~/visible",
];

#[test]
fn the_owners_write_bit_is_taken_and_given_exactly() {
    let (_temp, _, home) = gear();
    let before = all(&home);
    let first = survey(&home, "php", &patterns(&LOCKED)).unwrap();
    assert_eq!(first.about_list.len(), 2, "{:?}", first.about_list);
    assert_eq!(all(&home), before, "looking changes nothing");
    first.unlock(&home, Means::Mode).unwrap();
    for (path, mode) in [
        ("php/not/yet/there", 0o644),
        ("php/not/yet", 0o755),
        ("php/made", 0o755),
        (".phprc", 0o644),
        ("app-root/data/x", 0o644),
        ("php/conf/a", 0o664),
    ] {
        assert_eq!(look_at(&home, path).mode, mode, "{path}");
    }
    assert!(!home.has(".env").unwrap() && !home.has("visible").unwrap());
    let open = all(&home);
    let second = survey(&home, "php", &patterns(&LOCKED)).unwrap();
    second.lock(&home, Means::Mode).unwrap();
    for (path, mode) in [
        ("", 0o550),
        ("php/conf", 0o555),
        ("php/conf/a", 0o464),
        ("php/conf/run", 0o555),
        ("php/made", 0o555),
        (".phprc", 0o444),
        ("php/not", 0o755),
        ("php/not/yet/there", 0o444),
    ] {
        assert_eq!(look_at(&home, path).mode, mode, "{path}");
    }
    let third = survey(&home, "php", &patterns(&LOCKED)).unwrap();
    third.unlock(&home, Means::Mode).unwrap();
    assert_eq!(all(&home), open, "unlocking gives what locking took");
    third.restore(&home, Means::Mode).unwrap();
    second.restore(&home, Means::Mode).unwrap();
    assert_eq!(all(&home), open);
    first.restore(&home, Means::Mode).unwrap();
    first.restore(&home, Means::Mode).unwrap();
    assert_eq!(all(&home), before);
}

#[test]
fn an_account_loses_and_gets_its_files_by_owner_and_never_by_mode() {
    if !host::is_root() {
        return; // Owners are root's to change; the way by modes is tested above.
    }
    let (_temp, _, home) = gear();
    let means = Means::of(Some((UID, GID)));
    let before = all(&home);
    let first = survey(&home, "php", &patterns(&LOCKED)).unwrap();
    first.unlock(&home, means).unwrap();
    let owner = |path: &str| (look_at(&home, path).uid, look_at(&home, path).gid);
    for path in ["", "php/conf", "php/conf/a", "php/not", "php/not/yet/there", ".phprc"] {
        assert_eq!(owner(path), (UID, GID), "{path}");
    }
    assert_eq!(owner("php/env"), (0, 0), "what no pattern names is left alone");
    let second = survey(&home, "php", &patterns(&LOCKED)).unwrap();
    second.lock(&home, means).unwrap();
    for path in ["", "php/conf", "php/conf/a", "php/not/yet/there", ".phprc"] {
        assert_eq!(owner(path), (0, GID), "{path}");
    }
    assert_eq!(owner("php/not"), (UID, GID), "a parent belongs to the gear");
    assert_eq!(look_at(&home, "php/conf/a").mode, 0o664);
    second.restore(&home, means).unwrap();
    first.restore(&home, means).unwrap();
    assert_eq!(all(&home), before);
}

#[test]
fn files_stay_files_and_directories_stay_directories() {
    let (_temp, _, home) = gear();
    let found = survey(&home, "php", &patterns(&["conf", "conf/a/", "conf/a/below"])).unwrap();
    assert_eq!(found.about_list.len(), 2, "{:?}", found.about_list);
    assert_eq!(found.notes.len(), 1, "{:?}", found.notes);
    found.unlock(&home, Means::Mode).unwrap();
    assert_eq!(look_at(&home, "php/conf").kind, Kind::Directory);
    assert_eq!(look_at(&home, "php/conf/a").kind, Kind::File);
}

#[test]
fn links_and_files_with_a_second_name_are_left_alone() {
    let (_temp, outside, home) = gear();
    home.make_link(".link", "../secret").unwrap();
    outside.make_hard_link("secret", &home, ".second").unwrap();
    let lines = ["~/.link", "~/.second", "usr/x", "~/app-root/runtime/x", "~/.fifo/x"];
    let found = survey(&home, "php", &patterns(&lines)).unwrap();
    assert_eq!(found.notes.len(), 4, "{:?}", found.notes);
    let means = if host::is_root() { Means::of(Some((UID, GID))) } else { Means::Mode };
    found.unlock(&home, means).unwrap();
    found.lock(&home, means).unwrap();
    let secret = look_at(&outside, "secret");
    assert_eq!(secret.mode, 0o600);
    assert_ne!(secret.uid, UID);
    assert!(!home.has("app-root/data/x").unwrap(), "nothing is made behind a link");
}

#[test]
fn what_is_swapped_for_a_link_during_the_step_leads_nowhere() {
    for (swapped, target) in [("php/conf/a", "../../../secret"), ("php/conf", "../..")] {
        for late in [Survey::unlock, Survey::lock] {
            let (_temp, outside, home) = gear();
            outside.write_new("a", b"", 0o600).unwrap();
            let found = survey(&home, "php", &patterns(&["conf/*"])).unwrap();
            let before = [look_at(&outside, "secret"), look_at(&outside, "a")];
            home.rename(swapped, &home, "aside").unwrap();
            home.make_link(swapped, target).unwrap();
            let means = if host::is_root() { Means::of(Some((UID, GID))) } else { Means::Mode };
            let notes = late(&found, &home, means).unwrap();
            assert!(notes[0].contains("link"), "{notes:?}");
            found.restore(&home, means).unwrap();
            let owners = |meta: &Meta| (meta.mode, meta.uid, meta.gid);
            for (name, was) in ["secret", "a"].iter().zip(&before) {
                assert_eq!(owners(&look_at(&outside, name)), owners(was), "{swapped}: {name}");
            }
        }
    }
}

#[test]
fn what_a_made_entry_was_swapped_for_is_not_removed_elsewhere() {
    let (_temp, outside, home) = gear();
    let found = survey(&home, "php", &patterns(&["new/file"])).unwrap();
    found.unlock(&home, Means::Mode).unwrap();
    outside.make_dir("kept", 0o755).unwrap();
    outside.write_new("kept/file", b"", 0o600).unwrap();
    home.rename("php/new", &home, "aside").unwrap();
    home.make_link("php/new", "../../kept").unwrap();
    found.restore(&home, Means::Mode).unwrap();
    assert!(outside.has("kept/file").unwrap());
    assert!(!home.has("php/new").unwrap());
}

#[test]
fn the_home_is_locked_even_where_a_cartridge_names_nothing() {
    let (_temp, _, home) = gear();
    let found = survey(&home, "php", &[]).unwrap();
    found.lock(&home, Means::Mode).unwrap();
    assert_eq!(look_at(&home, "").mode, 0o550);
    found.unlock(&home, Means::Mode).unwrap();
    assert_eq!(look_at(&home, "").mode, 0o750);
}
