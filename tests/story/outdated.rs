//! Newer versions: told of, brought in beside the old ones, held back, and never older ones unasked.

use crate::alone;
use crate::host::Host;
use crate::support::http::{Reply, Server};
use crate::support::pack;
use serde_json::Value;
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, Instant};

const CONTROL: &[u8] = b"#!/bin/bash\nexit 0\n";

fn manifest(name: &str, version: &str, more: &str) -> String {
    format!(
        "Name: {name}\nCartridge-Short-Name: X\nCartridge-Vendor: test\nVersion: '1'\n\
         Cartridge-Version: '{version}'\nCategories: [web_framework]\n{more}"
    )
}

/// A git repository on this host that gets one commit after another.
struct Repository {
    folder: PathBuf,
}

impl Repository {
    fn new(host: &Host, name: &str) -> Self {
        let folder = host.path(name);
        std::fs::create_dir(&folder).unwrap();
        let one = Self { folder };
        one.git(&["init", "--quiet", "--initial-branch=main"]);
        one
    }

    fn git(&self, arguments: &[&str]) -> String {
        let mut command = Command::new("git");
        command.arg("-C").arg(&self.folder).args(arguments);
        for who in ["GIT_AUTHOR", "GIT_COMMITTER"] {
            command.env(format!("{who}_NAME"), "T").env(format!("{who}_EMAIL"), "t@example.org");
        }
        let output = command.output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    }

    fn commit(&self, version: &str, more: &str, build: &str) -> String {
        for (path, text) in [
            ("metadata/manifest.yml", manifest("fromgit", version, more)),
            ("bin/control", String::from_utf8(CONTROL.to_vec()).unwrap()),
            ("usr/same", "the same in every version\n".into()),
            ("usr/build", build.into()),
        ] {
            let path = self.folder.join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
        self.git(&["add", "--all"]);
        self.git(&["commit", "--quiet", "--allow-empty", "--message", build]);
        self.git(&["rev-parse", "HEAD"])
    }

    fn url(&self, fragment: &str) -> String {
        format!("git+file://{}{fragment}", self.folder.display())
    }
}

/// Serves a manifest and the archive that it names.
fn serve(server: &Server, name: &str, version: &str, more: &str) -> String {
    let text = manifest(name, version, more);
    let files: &[pack::File<'_>] = &[
        ("top/metadata/manifest.yml", text.as_bytes()),
        ("top/bin/control", CONTROL),
        ("top/usr/same", b"the same in every version\n"),
        ("top/usr/version", version.as_bytes()),
    ];
    let archive = format!("/{name}-{version}.tar.gz");
    let url = server.route(&archive, [Reply::bytes(pack::tar_gz(files))]);
    let text = format!("{text}Source-Url: {url}\n");
    server.route(&format!("/{name}.yml"), [Reply::bytes(text)])
}

fn outdated(host: &Host, more: &[&str]) -> (i32, Value) {
    let line = [&["outdated", "--json"], more].concat();
    let output = host.command(&line).output().unwrap();
    let status = output.status.code().unwrap();
    (status, serde_json::from_slice(&output.stdout).unwrap())
}

fn of<'a>(answer: &'a Value, name: &str) -> &'a Value {
    let mut packages = answer["packages"].as_array().unwrap().iter();
    packages.find(|one| one["name"] == name).unwrap()
}

fn releases(host: &Host, name: &str) -> Vec<String> {
    let list = host.json(&["list"]);
    let packages = list["packages"].as_array().unwrap().iter().filter(|one| one["name"] == name);
    packages.map(|one| one["package_version"].as_str().unwrap().to_owned()).collect()
}

fn count(host: &Host) -> usize {
    host.json(&["history"])["transactions"].as_array().unwrap().len()
}

#[test]
fn newer_versions_are_told_and_brought_from_every_source() {
    let host = Host::new();
    let server = Server::start();
    let repository = Repository::new(&host, "repository");
    repository.commit("1.0", "", "one");
    let url = serve(&server, "fromweb", "1.0", "");
    host.must(&["install", &repository.url("#main"), &url, "static-web"]);
    assert_eq!(outdated(&host, &[]).0, 0, "all is new");
    assert_eq!(host.run(&["upgrade"]), (0, String::new()));
    let before = count(&host);

    repository.commit("1.1", "Compatible-Versions: ['1.0']\n", "two");
    repository.commit("2.0", "Compatible-Versions: ['1.1']\n", "three");
    serve(&server, "fromweb", "1.10", "Compatible-Versions: ['1.0', '1.9']\n");
    let (status, answer) = outdated(&host, &[]);
    assert_eq!(status, 20, "{answer}");
    let git = of(&answer, "fromgit");
    assert_eq!((&git["installed"], &git["newest"]), (&"1.0".into(), &"2.0".into()));
    assert_eq!((&git["compatible"], &git["from"]), (&Value::Null, &"upstream".into()));
    let web = of(&answer, "fromweb");
    assert_eq!((&web["newest"], &web["compatible"]), (&"1.10".into(), &"1.10".into()));
    assert_eq!(of(&answer, "static-web")["outdated"], false);
    assert_eq!(outdated(&host, &["--offline"]).0, 0, "nobody is asked");
    let (status, said) = host.run(&["outdated"]);
    assert!(
        status == 20 && said.contains("test-fromgit") && !said.contains("static-web"),
        "{said}"
    );
    assert_eq!(count(&host), before, "asking changes nothing");
    assert!(host.staging_is_empty());

    let (status, said) = host.run(&["upgrade", "--dry-run"]);
    assert!(status == 0 && said.contains("`test-fromgit` from 1.0 to 2.0"), "{said}");
    assert_eq!(releases(&host, "fromgit"), ["1.0"]);
    host.must(&["upgrade"]);
    assert_eq!(count(&host), before + 1, "one transaction for all");
    assert_eq!(releases(&host, "fromgit"), ["1.0", "2.0"]);
    assert_eq!(releases(&host, "fromweb"), ["1.0", "1.10"]);
    host.must(&["verify"]);
    assert_eq!(outdated(&host, &[]).0, 0);
    host.must(&["upgrade"]);
    assert_eq!(count(&host), before + 1, "a second run does nothing");

    host.must(&["undo", &host.last()]);
    assert_eq!(releases(&host, "fromgit"), ["1.0"]);
    host.must(&["upgrade", "fromgit"]);
    assert_eq!((releases(&host, "fromgit").len(), releases(&host, "fromweb").len()), (2, 1));
    assert_eq!(host.run(&["upgrade", "nonsense"]).0, 3);
    host.must(&["verify"]);
}

#[test]
fn commits_and_archives_stay_as_they_are() {
    let host = Host::new();
    let repository = Repository::new(&host, "repository");
    let first = repository.commit("1.0", "", "one");
    repository.git(&["tag", "-a", "-m", "first", "v1"]);
    host.must(&["install", &repository.url(&format!("#{first}"))]);
    repository.commit("2.0", "", "two");
    let (status, answer) = outdated(&host, &[]);
    assert_eq!(status, 0, "{answer}");
    assert!(of(&answer, "fromgit")["note"].as_str().unwrap().contains("a commit"), "{answer}");
    host.must(&["remove", "fromgit"]);

    // A tag is a name that can be given to another commit; the same tree is no news.
    host.must(&["install", &repository.url("#v1")]);
    assert_eq!(outdated(&host, &[]).0, 0);
    repository.git(&["tag", "-f", "-a", "-m", "second", "v1"]);
    assert_eq!(of(&outdated(&host, &[]).1, "fromgit")["newest"], "2.0");
    repository.git(&["tag", "-f", "-a", "-m", "back", "v1", &first]);
    assert_eq!(outdated(&host, &[]).0, 0);

    let files: Vec<_> = crate::files();
    let files: Vec<pack::File<'_>> =
        files.iter().map(|(path, bytes)| (path.as_str(), bytes.as_slice())).collect();
    std::fs::write(host.path("web.tar"), pack::tar(&files)).unwrap();
    host.must(&["remove", "fromgit"]);
    host.must(&["install", &host.place("web.tar")]);
    let (status, answer) = outdated(&host, &[]);
    assert!(status == 0 && of(&answer, "static-web")["note"].is_string(), "{answer}");
}

#[test]
fn a_rebuild_takes_the_place_of_the_old_build() {
    let host = Host::new();
    let repository = Repository::new(&host, "repository");
    repository.commit("1.0", "", "one");
    host.must(&["install", &repository.url("")]);
    repository.commit("1.0", "", "one");
    assert_eq!(outdated(&host, &[]).0, 0, "another commit, the same tree");
    repository.commit("1.0", "", "another build");
    let (status, answer) = outdated(&host, &[]);
    assert_eq!((status, &of(&answer, "fromgit")["verdict"]), (20, &"rebuilt".into()));
    host.must(&["upgrade"]);
    assert_eq!(releases(&host, "fromgit"), ["1.0"]);
    assert_eq!(outdated(&host, &[]).0, 0);
    host.must(&["undo", &host.last()]);
    assert_eq!(outdated(&host, &[]).0, 20);
    host.must(&["verify"]);
}

#[test]
fn an_older_version_never_comes_in_unasked() {
    let host = Host::new();
    let server = Server::start();
    let url = serve(&server, "fromweb", "1.10", "");
    host.must(&["install", &url]);
    serve(&server, "fromweb", "1.9", "");
    let (status, said) = host.aloud(&["outdated"]);
    assert!(status == 0 && said.contains("offers 1.9 now, which is older"), "{said}");
    for line in [&["upgrade"][..], &["upgrade", "fromweb"], &["upgrade", "--dry-run"]] {
        let (status, said) = host.run(line);
        assert!(status == 5 && said.contains("--allow-downgrade"), "{line:?}: {status}: {said}");
    }
    assert_eq!(releases(&host, "fromweb"), ["1.10"]);
    host.must(&["upgrade", "--allow-downgrade"]);
    assert_eq!(releases(&host, "fromweb"), ["1.9"], "the newer one would be the one that is meant");
    assert_eq!(outdated(&host, &[]).0, 0);
    host.must(&["undo", &host.last()]);
    assert_eq!(releases(&host, "fromweb"), ["1.10"]);
    host.must(&["verify"]);
}

#[test]
fn held_packages_stay_and_say_why() {
    let _alone = alone();
    let host = Host::new();
    let (one, two) = (cartridge(&host, "1.0"), cartridge(&host, "2.0"));
    let server = Server::start();
    let url = serve(&server, "fromweb", "1.0", "");
    host.must(&["install", &one, &url]);
    host.must(&["gear", "create", "old", "ours"]);
    assert_eq!(host.run(&["hold", "ours"]).0, 2, "a reason is needed");
    assert_eq!(host.run(&["hold", "nonsense", "--reason", "x"]).0, 3);
    host.must(&["hold", "ours", "fromweb", "--reason", "until the audit is over"]);
    assert_eq!(host.json(&["gear", "show", "old"])["held"][0]["name"], "ours");
    assert!(host.run(&["info", "ours"]).1.contains("until the audit is over"));
    assert_eq!(host.json(&["list"])["packages"][0]["held"], "until the audit is over");
    let (status, said) = host.run(&["list"]);
    assert!(
        status == 0 && said.lines().filter(|line| line.ends_with("held")).count() == 2,
        "{said}"
    );
    let again = count(&host);
    host.must(&["hold", "ours", "--reason", "until the audit is over"]);
    assert_eq!(count(&host), again, "it is so already");

    for line in [&["install", &two][..], &["gear", "create", "new", &two], &["remove", "fromweb"]] {
        let (status, said) = host.run(line);
        assert!(status == 5 && said.contains("until the audit is over"), "{line:?}: {said}");
    }
    host.must(&["install", &one]);
    serve(&server, "fromweb", "2.0", "");
    let (status, answer) = outdated(&host, &[]);
    assert_eq!((status, &of(&answer, "fromweb")["held"]), (20, &"until the audit is over".into()));
    let (status, said) = host.aloud(&["upgrade"]);
    assert!(status == 0 && said.contains("`test-fromweb` is held and stays"), "{said}");
    assert_eq!(releases(&host, "fromweb"), ["1.0"]);
    assert_eq!(host.run(&["upgrade", "fromweb"]).0, 5);
    host.must(&["upgrade", "fromweb", "--include-held"]);
    assert_eq!(releases(&host, "fromweb"), ["1.0", "2.0"]);

    host.must(&["unhold", "ours"]);
    host.must(&["unhold", "ours"]);
    host.must(&["undo", &host.last()]);
    assert_eq!(host.run(&["install", &two]).0, 5, "it is held again");
    host.must(&["undo", &host.last()]);
    host.must(&["install", &two]);
    let (status, answer) = outdated(&host, &["--offline"]);
    let gear = &answer["gears"][0];
    assert_eq!((status, &gear["gear"], &gear["newest"]), (20, &"old".into(), &"2.0".into()));
    assert_eq!((&gear["installed"], &gear["compatible"]), (&"1.0".into(), &"2.0".into()));
    host.must(&["gear", "destroy", "old"]);
}

fn cartridge(host: &Host, release: &str) -> String {
    let more =
        format!("Cartridge-Version: '{release}'\nVersion: '1'\nCompatible-Versions: ['1.0']\n");
    host.cartridge(release, &more, ("setup", "#!/bin/bash\nexit 0\n"))
}

#[test]
fn a_source_that_does_not_answer_is_told_and_keeps_nothing_else_back() {
    let host = Host::new();
    let server = Server::start();
    let (slow, other) = (serve(&server, "slow", "1.0", ""), serve(&server, "other", "1.0", ""));
    let gone = Repository::new(&host, "gone");
    gone.commit("1.0", "", "one");
    host.must(&["install", &slow, &other, &gone.url("")]);
    std::fs::remove_dir_all(host.path("gone")).unwrap();
    server.route("/slow.yml", [Reply::bytes(vec![b'a'; 4000]).stall_after(10)]);
    serve(&server, "other", "2.0", "");
    let began = Instant::now();
    let (status, answer) = outdated(&host, &["--timeout", "2"]);
    assert!(began.elapsed() < Duration::from_secs(15), "{:?}", began.elapsed());
    assert_eq!(status, 20);
    for name in ["slow", "fromgit"] {
        assert!(of(&answer, name)["note"].is_string(), "{answer}");
    }
    assert_eq!(host.run(&["upgrade", "slow", "--timeout", "2"]).0, 7);
    let (status, said) = host.aloud(&["upgrade", "--timeout", "2"]);
    assert!(status == 0 && said.contains("test-slow: "), "{said}");
    assert_eq!(releases(&host, "other"), ["1.0", "2.0"]);
    assert!(host.staging_is_empty());
}

/// The inode and the number of names of a file in the only tree of a version.
fn inode(host: &Host, version: &str, path: &str) -> (u64, u64) {
    let line = host.root().join("var/lib/cartwright/library/cartridge/test-fromgit");
    let mut trees = std::fs::read_dir(line).unwrap().flatten();
    let tree = trees.find(|one| one.file_name().to_string_lossy().starts_with(version)).unwrap();
    let meta = std::fs::metadata(tree.path().join(path)).unwrap();
    (meta.ino(), meta.nlink())
}

#[test]
fn what_did_not_change_is_on_the_disk_once_and_each_version_stands_alone() {
    let host = Host::new();
    let repository = Repository::new(&host, "repository");
    repository.commit("1.0", "", "one");
    host.must(&["install", &repository.url("")]);
    repository.commit("2.0", "", "two");
    host.must(&["upgrade"]);
    let (old, new) = (inode(&host, "1.0", "usr/same"), inode(&host, "2.0", "usr/same"));
    // What its owner may write to is shared only where the owner is root.
    let shared = Host::is_root();
    assert_eq!((old.0 == new.0, new.1), (shared, if shared { 2 } else { 1 }));
    let (old, new) = (inode(&host, "1.0", "bin/control"), inode(&host, "2.0", "bin/control"));
    assert_eq!((old, new.1), (new, 2));
    assert_ne!(inode(&host, "1.0", "usr/build").0, inode(&host, "2.0", "usr/build").0);
    host.must(&["verify"]);
    host.must(&["remove", "test-fromgit-1.0"]);
    host.must(&["verify"]);

    // A file that somebody has changed is not taken over.
    let tree = host.root().join("var/lib/cartwright/library/cartridge/test-fromgit");
    let tree = std::fs::read_dir(tree).unwrap().next().unwrap().unwrap().path();
    let file = tree.join("usr/same");
    let text = std::fs::read_to_string(&file).unwrap();
    let mut chmod = Command::new("chmod");
    assert!(chmod.arg("u+w").arg(&file).status().unwrap().success());
    std::fs::write(&file, text.to_uppercase()).unwrap();
    assert!(Command::new("chmod").arg("0444").arg(&file).status().unwrap().success());
    repository.commit("3.0", "", "three");
    host.must(&["upgrade"]);
    assert_ne!(inode(&host, "2.0", "usr/same").0, inode(&host, "3.0", "usr/same").0);
    let (status, said) = host.run(&["verify"]);
    assert!(status == 6 && said.contains("usr/same"), "{said}");
    assert_eq!(said.matches("usr/same").count(), 1, "only in the version that was changed: {said}");
}
