//! What real programs write is read: GNU tar, git and zip, where the machine has them.

use crate::room::Room;
use cartwright::archive::{Kind, Strip, survey};
use cartwright::progress::Nobody;
use cartwright::sys::fs::Dir;
use std::path::Path;
use std::process::Output;

/// Runs `script` in `at`; nothing where the program `needs` is missing.
#[expect(clippy::disallowed_methods, reason = "a test drives real programs as a person would")]
fn run(needs: &str, script: &str, at: &Path) -> Option<Output> {
    let shell = |script: &str| {
        std::process::Command::new("sh").args(["-ec", script]).current_dir(at).output().unwrap()
    };
    if !shell(&format!("command -v {needs}")).status.success() {
        return None;
    }
    let output = shell(script);
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "`{script}` failed: {said}");
    Some(output)
}

fn sample() -> (tempfile::TempDir, Dir) {
    let temp = tempfile::tempdir().unwrap();
    let dir = Dir::open(temp.path()).unwrap();
    dir.make_dirs("tree/bin", 0o755).unwrap();
    let deep = format!("tree/{}/{}", "long".repeat(30), "name".repeat(40));
    dir.make_dirs(Path::new(&deep).parent().unwrap(), 0o755).unwrap();
    dir.write_new(&deep, b"deep", 0o644).unwrap();
    dir.write_new("tree/bin/control", b"#!/bin/bash\n", 0o755).unwrap();
    dir.write_new("tree/größe", &vec![b'x'; 400_000], 0o644).unwrap();
    dir.write_new("tree/empty", b"", 0o644).unwrap();
    dir.make_link("tree/bin/link", "../größe").unwrap();
    (temp, dir)
}

fn same(kind: Kind, packed: &[u8], dir: &Dir, strip: Strip) {
    let room = Room { strip, ..Room::new() };
    let from = if strip == Strip::Nothing { dir.again() } else { dir.dir("tree") }.unwrap();
    let expected = survey(&from, &room.options(), &Nobody).unwrap();
    assert_eq!(room.unpack(kind, packed).unwrap_or_else(|error| panic!("{error}")), expected);
}

#[test]
fn tar_in_each_of_its_formats() {
    let (temp, dir) = sample();
    for format in ["gnu", "oldgnu", "pax", "posix"] {
        for (kind, flag) in [(Kind::Tar, ""), (Kind::TarGz, "-z")] {
            let script = format!("tar -c {flag} --format={format} tree");
            let Some(output) = run("tar", &script, temp.path()) else { return };
            same(kind, &output.stdout, &dir, Strip::Nothing);
            same(kind, &output.stdout, &dir, Strip::SingleTop);
        }
    }
    let output = run("tar", "cd tree && tar -c ./", temp.path()).unwrap();
    let room = Room::new();
    let expected = survey(&dir.dir("tree").unwrap(), &room.options(), &Nobody).unwrap();
    assert_eq!(room.unpack(Kind::Tar, &output.stdout).unwrap(), expected);
    dir.make_hard_link("tree/bin/control", &dir, "tree/twin").unwrap();
    let output = run("tar", "tar -c tree", temp.path()).unwrap();
    same(Kind::Tar, &output.stdout, &dir, Strip::Nothing);
}

#[test]
fn zip_from_files_and_as_a_stream() {
    let (temp, dir) = sample();
    for script in ["zip -qry a.zip tree", "zip -qry0 a.zip tree", "zip -qry - tree > a.zip"] {
        let script = format!("{script}; cat a.zip; rm a.zip");
        let Some(output) = run("zip", &script, temp.path()) else { return };
        same(Kind::Zip, &output.stdout, &dir, Strip::Nothing);
        same(Kind::Zip, &output.stdout, &dir, Strip::SingleTop);
    }
}

#[test]
fn git_archives_with_their_comment() {
    let (temp, dir) = sample();
    let commit = "cd tree; git init -q . >&2; git add .; \
                  git -c user.name=a -c user.email=a@b commit -qm x >&2; git rev-parse HEAD >&2;";
    let git = |format: &str| {
        let script =
            format!("{commit} git archive --prefix=tree/ --format={format} HEAD; rm -rf .git");
        run("git", &script, temp.path())
    };
    for (kind, format) in [(Kind::Tar, "tar"), (Kind::TarGz, "tar.gz"), (Kind::Zip, "zip")] {
        let Some(output) = git(format) else { return };
        same(kind, &output.stdout, &dir, Strip::Nothing);
        same(kind, &output.stdout, &dir, Strip::SingleTop);
    }
}
