//! The laws of a gear's repositories, with the real `git`.

use super::{Git, GitError, import};
use crate::config;
use crate::gear::owner::Account;
use crate::sys::fs::{Dir, Kind};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

struct Place {
    temp: tempfile::TempDir,
    dir: Dir,
    git: Git,
}

/// A host without `git` cannot show any of this; nothing else is skipped.
fn place() -> Option<Place> {
    let git = Git::find(None).ok()?;
    let temp = tempfile::tempdir().unwrap();
    let dir = Dir::open(temp.path()).unwrap();
    Some(Place { temp, dir, git })
}

impl Place {
    fn path(&self, name: &str) -> std::path::PathBuf {
        self.temp.path().join(name)
    }

    fn template(&self) {
        self.dir.make_dirs("template/sub", 0o755).unwrap();
        self.dir.make_dirs("template/.openshift/action_hooks", 0o755).unwrap();
        self.dir.write_new("template/run", b"#!/bin/sh\n", 0o755).unwrap();
        self.dir.write_new("template/sub/text", b"text\n", 0o600).unwrap();
        self.dir.write_new("template/.gitignore", b"ignored\n", 0o644).unwrap();
        self.dir.write_new("template/ignored", b"still there\n", 0o644).unwrap();
        self.dir.make_link("template/link", "sub/text").unwrap();
    }

    fn archive(&self, bare: &str, name: &str) -> Result<u64, GitError> {
        self.dir.make_dir(name, 0o755).unwrap();
        let into = self.dir.dir(name).unwrap();
        self.git.archive_into(&self.path(bare), "master", &into, &config::Archive::default())
    }
}

#[test]
fn a_template_becomes_one_commit_and_comes_out_again_as_it_was() {
    let Some(place) = place() else { return };
    place.template();
    place.git.from_template(&place.path("template"), &place.path("a.git")).unwrap();
    place.git.from_template(&place.path("template"), &place.path("b.git")).unwrap();
    let commit = |name| place.git.commit(&place.path(name), "master").unwrap();
    assert!(commit("a.git").is_some());
    assert_eq!(commit("a.git"), commit("b.git"), "one template makes one commit");
    assert!(!place.dir.has("template/.git").unwrap());
    assert!(!place.dir.has("a.git/index").unwrap());
    assert!(place.dir.dir("a.git/hooks").unwrap().names().unwrap().is_empty());

    assert_eq!(place.archive("a.git", "out").unwrap(), 5);
    let out = place.dir.dir("out").unwrap();
    assert_eq!(out.read("sub/text", 100).unwrap(), b"text\n");
    assert_eq!(out.read("ignored", 100).unwrap(), b"still there\n");
    assert_eq!(out.meta("run").unwrap().unwrap().mode, 0o755);
    assert_eq!(out.meta("sub/text").unwrap().unwrap().mode, 0o644);
    assert_eq!(out.link_target("link").unwrap(), Path::new("sub/text"));
}

#[test]
fn an_empty_template_and_a_read_only_one_work() {
    let Some(place) = place() else { return };
    place.dir.make_dir("empty", 0o755).unwrap();
    place.git.from_template(&place.path("empty"), &place.path("empty.git")).unwrap();
    assert_eq!(place.archive("empty.git", "nothing").unwrap(), 0);
    place.template();
    place.dir.set_mode("template/sub", 0o555).unwrap();
    place.dir.set_mode("template", 0o555).unwrap();
    place.git.from_template(&place.path("template"), &place.path("t.git")).unwrap();
    place.dir.set_mode("template/sub", 0o755).unwrap();
    place.dir.set_mode("template", 0o755).unwrap();
}

#[test]
fn a_repository_of_a_package_is_taken_over_without_what_could_run() {
    let Some(place) = place() else { return };
    place.template();
    place.git.from_template(&place.path("template"), &place.path("theirs.git")).unwrap();
    let theirs = place.dir.dir("theirs.git").unwrap();
    // Another branch name, a hook, and a configuration that names programs.
    theirs.make_dirs("refs/heads/topic", 0o755).unwrap();
    let commit = place.git.commit(&place.path("theirs.git"), "master").unwrap().unwrap();
    theirs.write_new("refs/heads/topic/main", format!("{commit}\n").as_bytes(), 0o644).unwrap();
    theirs.replace_file("HEAD", b"ref: refs/heads/topic/main\n", 0o644).unwrap();
    theirs.remove_file("refs/heads/master").unwrap();
    theirs.remove_file("packed-refs").unwrap();
    let mark = place.path("ran");
    let evil = format!("[core]\n\tbare = true\n\tfsmonitor = touch {}\n", mark.display());
    theirs.replace_file("config", evil.as_bytes(), 0o644).unwrap();
    theirs.write_new("hooks/reference-transaction", b"#!/bin/sh\nexit 1\n", 0o755).unwrap();
    theirs.make_dirs("objects/info", 0o755).unwrap();
    theirs.replace_file("objects/info/alternates", b"/var/lib\n", 0o644).unwrap();
    import(&place.git, (&place.dir, "theirs.git"), (&place.dir, "ours.git")).unwrap();
    assert_eq!(place.git.commit(&place.path("ours.git"), "master").unwrap(), Some(commit));
    let ours = place.dir.dir("ours.git").unwrap();
    assert!(ours.dir("hooks").unwrap().names().unwrap().is_empty());
    assert!(!ours.has("objects/info/alternates").unwrap());
    assert_eq!(ours.read("HEAD", 100).unwrap(), b"ref: refs/heads/master\n");
    assert_eq!(place.archive("ours.git", "out").unwrap(), 5);
    assert!(!place.dir.has("ran").unwrap());
}

#[test]
fn a_link_inside_a_packages_repository_is_refused() {
    let Some(place) = place() else { return };
    place.template();
    place.git.from_template(&place.path("template"), &place.path("theirs.git")).unwrap();
    place.dir.make_link("theirs.git/refs/heads/other", "/etc/passwd").unwrap();
    assert!(import(&place.git, (&place.dir, "theirs.git"), (&place.dir, "o.git")).is_err());
}

#[test]
fn names_that_are_options_or_ranges_are_no_revisions() {
    let Some(place) = place() else { return };
    place.template();
    place.git.from_template(&place.path("template"), &place.path("a.git")).unwrap();
    for bad in ["", "-h", "--all", "a b", "a;b", "master:run", "@{-1}", &"a".repeat(5000)] {
        let found = place.git.commit(&place.path("a.git"), bad);
        assert!(matches!(found, Err(GitError::Revision(_))), "{bad:?}");
        let found = place.git.look(&place.path("a.git"), bad, "public");
        assert!(matches!(found, Err(GitError::Revision(_))), "{bad:?}");
    }
    assert_eq!(place.git.commit(&place.path("a.git"), "absent").unwrap(), None);
    assert_eq!(place.git.look(&place.path("a.git"), "absent", "public").unwrap(), None);
}

#[test]
fn a_look_tells_the_commit_and_what_is_in_it() {
    let Some(place) = place() else { return };
    place.template();
    place.git.from_template(&place.path("template"), &place.path("a.git")).unwrap();
    let look = |folder: &str| place.git.look(&place.path("a.git"), "master", folder).unwrap();
    let look = |folder: &str| look(folder).unwrap();
    let commit = place.git.commit(&place.path("a.git"), "master").unwrap().unwrap();
    assert_eq!((look("sub").commit, look("sub").has_folder), (commit, true));
    assert!(!look("absent").has_folder && !look("sub").has_submodules);
    place.dir.write_new("template/.gitmodules", b"", 0o644).unwrap();
    place.git.from_template(&place.path("template"), &place.path("b.git")).unwrap();
    assert!(place.git.look(&place.path("b.git"), "master", "sub").unwrap().unwrap().has_submodules);
}

#[test]
fn a_large_commit_is_unpacked_in_halves_and_its_attributes_hold() {
    let Some(place) = place() else { return };
    place.template();
    let content = |number: u32| {
        // What compresses badly, for the packs have to be large.
        let mut seed = number.wrapping_mul(2_654_435_761) | 1;
        let next = |_| {
            seed ^= seed << 13;
            seed ^= seed >> 17;
            seed ^= seed << 5;
            seed.to_le_bytes()
        };
        (0..16_384).flat_map(next).collect::<Vec<u8>>()
    };
    for number in 0..96 {
        let folder = format!("template/app/{}", number % 7);
        place.dir.make_dirs(&folder, 0o755).unwrap();
        place.dir.write_new(format!("{folder}/{number}"), &content(number), 0o644).unwrap();
    }
    let attributes = b"/3 export-ignore\n/4/4 export-ignore\n/id export-subst\n";
    place.dir.write_new("template/app/.gitattributes", attributes, 0o644).unwrap();
    place.dir.write_new("template/app/id", b"$Format:%H$", 0o644).unwrap();
    place.git.from_template(&place.path("template"), &place.path("a.git")).unwrap();
    let commit = place.git.commit(&place.path("a.git"), "master").unwrap().unwrap();
    let halves = place.git.halves(&place.path("a.git"), &commit).unwrap();
    let processors = std::thread::available_parallelism().unwrap().get();
    assert_eq!(halves.is_some(), processors > 1);
    let files = place.archive("a.git", "repo").unwrap();
    let repo = place.dir.dir("repo").unwrap();
    assert_eq!(repo.read("app/id", 99).unwrap(), commit.as_bytes());
    assert!(!repo.has("app/3").unwrap() && !repo.has("app/4/4").unwrap());
    let mut left = 0;
    for number in (0..96).filter(|number| number % 7 != 3 && *number != 4) {
        let name = format!("app/{}/{number}", number % 7);
        assert_eq!(repo.read(&name, 1 << 20).unwrap(), content(number), "{name}");
        left += 1;
    }
    // Beside them the five of the template, the attributes and the name of the commit.
    assert_eq!(files, left + 2 + 5);
}

#[test]
fn what_is_unpacked_for_an_owner_is_all_of_it_theirs() {
    let Some(place) = place() else { return };
    if !crate::sys::host::is_root() {
        return; // Others cannot give away what they have.
    }
    place.template();
    // In a cartridge's folder this file would be the platform's.
    place.dir.make_dirs("template/metadata", 0o755).unwrap();
    place.dir.write_new("template/metadata/manifest.yml", b"", 0o644).unwrap();
    place.git.from_template(&place.path("template"), &place.path("a.git")).unwrap();
    place.dir.make_dir("out", 0o755).unwrap();
    let out = place.dir.dir("out").unwrap();
    let git = place.git.clone().for_owner(Some(Account { uid: 12_345, gid: 12_346 }));
    git.archive_into(&place.path("a.git"), "master", &out, &config::Archive::default()).unwrap();
    for name in ["run", "sub", "sub/text", "link", "metadata", "metadata/manifest.yml"] {
        let meta = out.meta(name).unwrap().unwrap();
        assert_eq!((meta.uid, meta.gid), (12_345, 12_346), "{name}");
    }
}

#[test]
fn limits_hold_while_unpacking() {
    let Some(place) = place() else { return };
    place.template();
    place.git.from_template(&place.path("template"), &place.path("a.git")).unwrap();
    place.dir.make_dir("few", 0o755).unwrap();
    let few = place.dir.dir("few").unwrap();
    let limits = config::Archive { max_entries: 2, ..config::Archive::default() };
    let error = place.git.archive_into(&place.path("a.git"), "master", &few, &limits).unwrap_err();
    assert!(error.to_string().contains("max_entries"), "{error}");
}

#[test]
fn the_users_own_configuration_and_hooks_are_not_looked_at() {
    let Some(place) = place() else { return };
    place.template();
    let bare = place.path("a.git");
    place.git.from_template(&place.path("template"), &bare).unwrap();
    let hook = bare.join("hooks/reference-transaction");
    place
        .dir
        .write_new("a.git/hooks/reference-transaction", b"#!/bin/sh\nexit 1\n", 0o755)
        .unwrap();
    assert_eq!(hook.metadata().unwrap().permissions().mode() & 0o777, 0o755);
    place.git.force_branch(&bare).unwrap();
    assert_eq!(place.dir.meta("a.git/hooks").unwrap().unwrap().kind, Kind::Directory);
}
