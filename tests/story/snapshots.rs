//! Snapshots and restoring, as the guide's chapter "Backing Up and Restoring" has them. The cartridges
//! write down each call, its directory and the page that it sees.

use super::alone;
use super::host::{Host, get};
use age::secrecy::ExposeSecret;
use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Stdio};

/// Writes down each action, fails where it is told to, keeps a process while it is started, and has a
/// database that is laid out for snapshots alone.
const CONTROL: &str = r#"#!/bin/bash
[[ -e $OPENSHIFT_WEB_DIR/quiet ]] ||
    echo "CART $1 $(basename "$PWD") $(cat "$OPENSHIFT_DATA_DIR/page" 2>/dev/null)" >>"$OPENSHIFT_WEB_DIR/order"
[[ -e $OPENSHIFT_WEB_DIR/fail-in && $(<"$OPENSHIFT_WEB_DIR/fail-in") == "CART $1" ]] && exit 7
pid=$OPENSHIFT_WEB_DIR/CART.pid
dump=$OPENSHIFT_DATA_DIR/CART.dump
case $1 in
start) sleep 1000 & echo $! >"$pid" ;;
stop) [[ -f $pid ]] && kill "$(<"$pid")" 2>/dev/null; rm -f "$pid" ;;
pre-snapshot) [[ -e $pid ]] && exit 8; cp "$OPENSHIFT_WEB_DIR/CART.db" "$dump" ;;
post-snapshot) rm -f "$dump" ;;
pre-restore) [[ -e $pid ]] && exit 8; rm -f "$dump" ;;
post-restore) [[ -e $dump ]] && mv "$dump" "$OPENSHIFT_WEB_DIR/CART.db" ;;
esac
exit 0
"#;

/// What the cartridge `web` leaves out.
const MANAGED: &str = "snapshot_exclusions:\n- app-root/data/cache/*\n- logs/*\n- ~/app-root/data/secret\n- never-was\n";

pub(super) struct Scene {
    pub(super) host: Host,
}

impl Scene {
    fn new() -> Self {
        Self::with(MANAGED)
    }

    fn with(managed: &str) -> Self {
        let host = Host::new();
        let mut line = vec!["gear".to_owned(), "create".into(), "app".into()];
        for (name, more) in
            [("web", "Categories: [web_framework]\n"), ("side", "Categories: [plugin]\n")]
        {
            let manifest = format!(
                "Name: {name}\nCartridge-Short-Name: {}\nCartridge-Vendor: test\n\
                 Cartridge-Version: '1.0'\nVersion: '1'\n{more}",
                name.to_uppercase()
            );
            host.write(&format!("{name}/metadata/manifest.yml"), &manifest, 0o644);
            host.write(&format!("{name}/bin/control"), &CONTROL.replace("CART", name), 0o755);
            line.push(host.place(name));
        }
        host.write("web/metadata/managed_files.yml", managed, 0o644);
        host.write("web/logs/old", "log", 0o644);
        host.write("web/template/page", "first", 0o644);
        let hook = "#!/bin/bash\necho 'hook deploy' >>\"$OPENSHIFT_WEB_DIR/order\"\n";
        host.write("web/template/.openshift/action_hooks/deploy", hook, 0o755);
        line.push("--start".into());
        let words: Vec<&str> = line.iter().map(String::as_str).collect();
        host.must(&words);
        let scene = Self { host };
        for (path, text) in [
            ("app-root/data/page", "one"),
            ("app-root/data/cache/x", "x"),
            ("app-root/data/inner/deep", "deep"),
            ("app-root/data/secret", "s"),
            ("app-root/data/.bash_history", "h"),
            ("web/web.db", "web one"),
            ("web/side.db", "side one"),
        ] {
            scene.put("app", path, text);
        }
        let _ = std::os::unix::fs::symlink("inner/deep", scene.path("app", "app-root/data/link"));
        let inner = scene.path("app", "app-root/data/inner");
        std::fs::set_permissions(inner, std::fs::Permissions::from_mode(0o700)).unwrap();
        scene.order("app");
        scene
    }

    fn path(&self, gear: &str, path: &str) -> std::path::PathBuf {
        self.host.home(gear).join(path)
    }

    /// Writes a file of the gear's, as the gear.
    fn put(&self, gear: &str, path: &str, text: &str) {
        let script = format!("mkdir -p \"$(dirname '{path}')\"; printf %s '{text}' >'{path}'");
        self.host.must(&["gear", "exec", gear, "--", "bash", "-c", &format!("cd; {script}")]);
    }

    fn file(&self, gear: &str, path: &str) -> String {
        std::fs::read_to_string(self.path(gear, path)).unwrap_or_default().trim().to_owned()
    }

    fn has(&self, gear: &str, path: &str) -> bool {
        self.path(gear, path).symlink_metadata().is_ok()
    }

    fn order(&self, gear: &str) -> String {
        let path = self.path(gear, "web/order");
        let text = std::fs::read_to_string(&path).unwrap_or_default();
        let _ = std::fs::remove_file(path);
        text.trim().replace('\n', ", ")
    }

    fn runs(&self, gear: &str) -> bool {
        ["web", "side"].iter().all(|cartridge| {
            let id = self.file(gear, &format!("web/{cartridge}.pid"));
            !id.is_empty() && self.host.run(&["gear", "exec", gear, "--", "kill", "-0", &id]).0 == 0
        })
    }

    /// Takes a snapshot into the file `to` by standard output.
    fn snapshot(&self, more: &[&str], to: &str) -> (i32, String) {
        let line: Vec<&str> = ["gear", "snapshot", "app"].iter().chain(more).copied().collect();
        let file = std::fs::File::create(self.host.path(to)).unwrap();
        let output = self.host.command(&line).stdout(file).output().unwrap();
        (output.status.code().unwrap_or(-1), String::from_utf8_lossy(&output.stderr).into_owned())
    }

    fn must_snapshot(&self, more: &[&str], to: &str) {
        let (status, said) = self.snapshot(more, to);
        assert_eq!(status, 0, "{said}");
    }

    /// Restores from the file `from` by standard input.
    fn restore(&self, more: &[&str], from: &str) -> (i32, String) {
        let line: Vec<&str> = ["gear", "restore"].iter().chain(more).copied().collect();
        let file = std::fs::File::open(self.host.path(from)).unwrap();
        let output = self.host.command(&line).stdin(file).output().unwrap();
        let said = [output.stdout, output.stderr].concat();
        (output.status.code().unwrap_or(-1), String::from_utf8_lossy(&said).into_owned())
    }

    /// The names in an archive, as the host's own `tar` lists them.
    fn names(&self, archive: &str) -> Vec<String> {
        let output = Command::new("tar").arg("tzf").arg(self.host.path(archive)).output().unwrap();
        assert!(output.status.success());
        String::from_utf8(output.stdout).unwrap().lines().map(str::to_owned).collect()
    }

    /// What a restore brings back, with kinds, modes, contents and targets.
    fn seen(&self, gear: &str) -> BTreeMap<String, String> {
        let mut seen = BTreeMap::new();
        for part in ["app-root/data", "app-deployments"] {
            look(&self.path(gear, part), part, &mut seen);
        }
        let git = |line: &[&str]| {
            let bare = self.path(gear, &format!("git/{gear}.git"));
            let mut git = Command::new("git");
            git.env("GIT_CONFIG_GLOBAL", "/dev/null").args(["-c", "safe.directory=*", "-C"]);
            let output = git.arg(bare).args(line).output().unwrap();
            String::from_utf8(output.stdout).unwrap()
        };
        seen.insert("git".into(), git(&["for-each-ref"]));
        // What an activation appends, and what the exclusions name.
        seen.retain(|path, _| {
            !["metadata.json", "cache/x", "/secret", ".bash_history"]
                .iter()
                .any(|end| path.ends_with(end))
        });
        seen
    }

    /// The gear's tree and processes, after something that has not happened.
    fn same(&self, before: &BTreeMap<String, String>, what: &str) {
        assert_eq!(&self.seen("app"), before, "{what}");
        assert!(self.runs("app"), "{what}");
        assert_eq!(self.file("app", "app-root/runtime/.state"), "started", "{what}");
        assert!(self.host.staging_is_empty(), "{what}");
    }
}

fn look(path: &Path, name: &str, seen: &mut BTreeMap<String, String>) {
    let meta = path.symlink_metadata().unwrap();
    let mode = meta.permissions().mode() & 0o777;
    let text = if meta.is_dir() {
        for entry in std::fs::read_dir(path).unwrap().flatten() {
            let inner = format!("{name}/{}", entry.file_name().to_string_lossy());
            look(&entry.path(), &inner, seen);
        }
        "directory".to_owned()
    } else if meta.is_symlink() {
        std::fs::read_link(path).unwrap().display().to_string()
    } else {
        format!("{mode:o} {}", String::from_utf8_lossy(&std::fs::read(path).unwrap()))
    };
    let text = if meta.is_dir() { format!("{mode:o} {text}") } else { text };
    seen.insert(name.to_owned(), text);
}

const SNAPSHOT: &str = "web stop web one, side stop side one, side pre-snapshot side one, \
    web pre-snapshot web one, side post-snapshot side one, web post-snapshot web one, \
    side start side one, web start web one";

const RESTORE: &str = "web stop web two, side stop side two, web pre-receive web two, \
    side pre-restore side two, web pre-restore web two, side post-restore side one, \
    web post-restore web one, web update-configuration web one, side start side one, \
    web deploy web one, hook deploy, web start web one, web post-deploy web one";

#[test]
fn the_chapter_of_the_guide_sentence_by_sentence() {
    let _alone = alone();
    let scene = Scene::new();
    let before = scene.seen("app");
    scene.must_snapshot(&[], "a.tar.gz");
    assert_eq!(scene.order("app"), SNAPSHOT);
    assert!(scene.runs("app"));
    assert_eq!(scene.seen("app"), before, "the dumps are gone again");
    // The archive of the original, with what cartridges lay out, without what they leave out.
    let names = scene.names("a.tar.gz");
    let top = names[0].clone();
    assert!(top.starts_with("./") && top.ends_with('/'), "{top}");
    for there in
        ["app-root/data/web.dump", "app-root/data/inner/deep", ".env/HOME", "web/bin/control"]
    {
        assert!(names.contains(&format!("{top}{there}")), "{there}: {names:?}");
    }
    for gone in [
        "app-root/data/cache/x",
        "web/logs/old",
        "app-root/data/secret",
        "app-root/data/.bash_history",
        "app-root/runtime/.state",
        "app-root/runtime/repo",
        ".ssh/",
        ".tmp/",
        ".sandbox/",
    ] {
        assert!(!names.contains(&format!("{top}{gone}")), "{gone}");
    }
    // Another version, other data, another database.
    scene.host.must(&["gear", "deploy", "app"]);
    for (path, text) in
        [("app-root/data/page", "two"), ("app-root/data/new", "n"), ("web/web.db", "web two")]
    {
        scene.put("app", path, text);
    }
    scene.put("app", "app-root/runtime/repo/page", "second");
    scene.order("app");
    let (status, said) = scene.restore(&["app"], "a.tar.gz");
    assert_eq!(status, 0, "{said}");
    assert_eq!(scene.order("app"), RESTORE);
    assert_eq!(scene.seen("app"), before);
    assert_eq!(scene.file("app", "web/web.db"), "web one", "the database came by its dump");
    assert_eq!(scene.file("app", "app-root/runtime/repo/page"), "first");
    for gone in ["new", "cache/x", "secret", ".bash_history", "web.dump"] {
        assert!(!scene.has("app", &format!("app-root/data/{gone}")), "{gone}");
    }
    assert!(scene.runs("app"));
    // The repository still deploys what is pushed.
    let work = scene.host.place("work");
    let repository = scene.path("app", "git/app.git").display().to_string();
    let git = |line: &[&str]| {
        let mut git = Command::new("git");
        git.env("GIT_CONFIG_GLOBAL", "/dev/null").args([
            "-c",
            "user.name=x",
            "-c",
            "user.email=x@x",
        ]);
        assert!(git.args(["-c", "safe.directory=*"]).args(line).output().unwrap().status.success());
    };
    git(&["clone", "-q", &repository, &work]);
    std::fs::write(Path::new(&work).join("page"), "third").unwrap();
    git(&["-C", &work, "commit", "-qam", "third"]);
    git(&["-C", &work, "push", "-q", "origin", "HEAD:master"]);
    assert_eq!(scene.file("app", "app-root/runtime/repo/page"), "third");
    // What a restore has replaced comes back, and goes again.
    let restored = scene.host.json(&["history"]);
    let restored = restored["transactions"].as_array().unwrap().iter();
    let restored = restored.filter(|one| one["title"] == "restore the gear `app`");
    let restored = restored.map(|one| one["id"].to_string()).next().unwrap();
    scene.host.must(&["undo", &restored]);
    assert_eq!(scene.file("app", "app-root/data/page"), "two");
    assert_eq!(scene.file("app", "app-root/runtime/repo/page"), "second");
    assert!(scene.runs("app"));
    scene.host.must(&["undo", &scene.host.last()]);
    assert_eq!(scene.file("app", "app-root/runtime/repo/page"), "third");
    assert!(scene.runs("app"));
    scene.host.must(&["gear", "destroy", "app"]);
}

#[test]
fn what_was_stopped_stays_stopped() {
    let _alone = alone();
    let scene = Scene::new();
    scene.host.must(&["gear", "stop", "app"]);
    scene.order("app");
    scene.must_snapshot(&[], "a.tar.gz");
    let order = scene.order("app");
    assert!(order.starts_with("side pre-snapshot") && !order.contains("start"), "{order}");
    let stopped = || {
        assert_eq!(scene.file("app", "app-root/runtime/.state"), "stopped");
        assert!(scene.has("app", "app-root/runtime/.stop_lock"));
        assert_eq!(scene.host.json(&["gear", "show", "app"])["processes"], 0);
    };
    stopped();
    scene.put("app", "app-root/data/page", "two");
    let (status, said) = scene.restore(&["app"], "a.tar.gz");
    assert_eq!(status, 0, "{said}");
    assert_eq!(scene.file("app", "app-root/data/page"), "one");
    assert!(!scene.order("app").contains("start"));
    stopped();
    scene.host.must(&["gear", "start", "app"]);
    assert!(scene.runs("app"));
    scene.host.must(&["gear", "destroy", "app"]);
}

#[test]
fn a_new_gear_is_the_one_that_the_snapshot_was_taken_of() {
    let _alone = alone();
    let scene = Scene::new();
    let host = &scene.host;
    host.must(&["gear", "env", "set", "app", "COLOUR=red"]);
    host.must(&["gear", "configure", "app", "--keep-deployments", "2"]);
    host.must(&["gear", "deploy", "app"]);
    let before = scene.seen("app");
    scene.must_snapshot(&[], "a.tar.gz");
    host.must(&["gear", "destroy", "app"]);
    let plan = {
        let archive = host.place("a.tar.gz");
        host.json(&["gear", "restore", "--as", "copy", "--from", &archive, "--dry-run"])
    };
    assert!(plan["plan"]["steps"].as_array().unwrap().len() > 15, "{plan}");
    assert!(!host.has_gear_folder("copy"));
    let (status, said) = scene.restore(&["--as", "copy"], "a.tar.gz");
    assert_eq!(status, 0, "{said}");
    assert_eq!(scene.seen("copy"), before);
    assert!(scene.runs("copy"));
    assert_eq!(scene.file("copy", "web/web.db"), "web one");
    assert_eq!(host.run(&["gear", "exec", "copy", "--", "printenv", "COLOUR"]).1.trim(), "red");
    assert_eq!(host.json(&["gear", "configure", "copy"])["deployment"]["keep"], 2);
    let order = scene.order("copy");
    let expected = "web pre-receive web, side pre-restore side, web pre-restore web, \
        side post-restore side one, web post-restore web one, web update-configuration web one";
    assert!(order.replace(" ,", ",").starts_with(expected), "{order}");
    // The name is taken now, and what is not installed is named.
    let (status, said) = scene.restore(&["--as", "copy"], "a.tar.gz");
    assert!(status == 4 && said.contains("exists already"), "{status}: {said}");
    host.must(&["gear", "destroy", "copy"]);
    host.must(&["remove", "side"]);
    let (status, said) = scene.restore(&["--as", "again"], "a.tar.gz");
    assert!(status == 3 && said.contains("test-side-1"), "{status}: {said}");
    let (status, said) = scene.restore(
        &["--as", "again", "--cartridge", "web", "--cartridge", &host.place("side")],
        "a.tar.gz",
    );
    assert_eq!(status, 0, "{said}");
    assert!(scene.runs("again"));
    host.must(&["gear", "destroy", "again"]);
}

#[test]
fn a_new_gear_gives_the_same_answers() {
    let _alone = alone();
    let host = Host::new();
    host.must(&["gear", "create", "web", "static-web", "--start"]);
    let address = |gear: &str| {
        let shown = host.json(&["gear", "show", gear]);
        shown["endpoints"][0]["address"].as_str().unwrap().to_owned()
    };
    let page = |gear: &str| {
        let answer = get(&address(gear), 8080).unwrap();
        answer.split_once("\r\n\r\n").unwrap().1.to_owned()
    };
    let repo = host.home("web").join("app-root/runtime/repo");
    let find = Command::new("find").arg("-L").arg(&repo).args(["-name", "index.html"]).output();
    let file = String::from_utf8(find.unwrap().stdout).unwrap();
    std::fs::write(file.lines().next().unwrap(), "of my own").unwrap();
    assert_eq!(page("web"), "of my own");
    let archive = host.place("web.tar.gz");
    host.must(&["gear", "snapshot", "web", "--output", &archive]);
    assert_eq!(std::fs::metadata(&archive).unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(page("web"), "of my own");
    host.must(&["gear", "destroy", "web"]);
    host.must(&["gear", "restore", "--as", "other", "--from", &archive]);
    assert_eq!(page("other"), "of my own");
    host.must(&["gear", "destroy", "other"]);
}

#[test]
fn a_snapshot_that_fails_hands_out_nothing_and_the_gear_goes_on() {
    let _alone = alone();
    let scene = Scene::new();
    let before = scene.seen("app");
    for step in ["web pre-snapshot", "web post-snapshot", "web stop"] {
        scene.put("app", "web/fail-in", step);
        let (status, said) = scene.snapshot(&[], "a.tar.gz");
        assert!(status == 9 && said.contains("status 7"), "{step}: {status} {said}");
        assert_eq!(std::fs::metadata(scene.host.path("a.tar.gz")).unwrap().len(), 0, "{step}");
        scene.put("app", "web/fail-in", "");
        if step == "web post-snapshot" {
            // What would have cleared it away is what failed.
            std::fs::remove_file(scene.path("app", "app-root/data/web.dump")).unwrap();
        }
        scene.same(&before, step);
    }
    let (status, said) = scene.host.run(&["gear", "snapshot", "app", "--json"]);
    assert!(status == 2 && said.contains("--output"), "{said}");
    let (status, said) = scene.host.run(&["gear", "snapshot", "app", "-o", "/nowhere/x/a.tar.gz"]);
    assert!(status != 0 && said.contains("/nowhere"), "{said}");
    assert_eq!(scene.host.run(&["gear", "snapshot", "nobody"]).0, 3);
    scene.order("app");
    let plan = scene.host.json(&["gear", "snapshot", "app", "--dry-run"]);
    assert!(plan["plan"]["steps"].as_array().unwrap().len() > 8, "{plan}");
    assert_eq!(scene.order("app"), "");
    // A file that is there is replaced when all is well.
    let file = scene.host.place("b.tar.gz");
    scene.host.write("b.tar.gz", "old", 0o644);
    let answer = scene.host.json(&["gear", "snapshot", "app", "--output", &file]);
    assert_eq!(answer["changed"], true);
    assert!(scene.names("b.tar.gz").len() > 20);
    scene.same(&before, "afterwards");
    scene.host.must(&["gear", "destroy", "app"]);
}

#[test]
fn a_restore_that_fails_leaves_the_gear_as_it_was() {
    let _alone = alone();
    let scene = Scene::new();
    scene.must_snapshot(&[], "a.tar.gz");
    scene.put("app", "app-root/data/page", "two");
    let before = scene.seen("app");
    for step in
        ["web pre-receive", "side pre-restore", "web post-restore", "web deploy", "web start"]
    {
        scene.put("app", "web/fail-in", step);
        let (status, said) = scene.restore(&["app"], "a.tar.gz");
        assert!(status == 9 && said.contains("status 7"), "{step}: {status} {said}");
        // What fails to start does so when it is started again, too.
        scene.put("app", "web/fail-in", "");
        if step == "web start" {
            scene.host.must(&["gear", "stop", "app"]);
            scene.host.must(&["gear", "start", "app"]);
        }
        scene.same(&before, step);
    }
    scene.host.must(&["gear", "destroy", "app"]);
}

/// Packs what `make` puts into a folder, with the host's own `tar`, as `./TOP/…`.
fn packed(scene: &Scene, name: &str, tops: &[&str], make: impl Fn(&Path)) {
    let folder = scene.host.path("made");
    let _ = std::fs::remove_dir_all(&folder);
    for top in tops {
        let home = folder.join(top);
        std::fs::create_dir_all(&home).unwrap();
        make(&home);
    }
    let mut tar = Command::new("tar");
    tar.arg("-C").arg(&folder).arg("-czf").arg(scene.host.path(name));
    tar.args(tops.iter().map(|top| format!("./{top}")));
    assert!(tar.status().unwrap().success());
}

fn write(home: &Path, path: &str, text: &str) {
    let path = home.join(path);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, text).unwrap();
}

#[test]
fn what_is_no_snapshot_or_a_damaged_one_is_found_before_the_gear_is_stopped() {
    let _alone = alone();
    let scene = Scene::new();
    scene.must_snapshot(&[], "good.tar.gz");
    scene.order("app");
    let before = scene.seen("app");
    let good = std::fs::read(scene.host.path("good.tar.gz")).unwrap();
    let put = |name: &str, bytes: &[u8]| std::fs::write(scene.host.path(name), bytes).unwrap();
    put("empty", b"");
    put("text", b"this is no archive");
    put("cut", &good[..good.len() / 2]);
    put("short", &good[..good.len() - 1]);
    let mut damaged = good.clone();
    let middle = damaged.len() / 2;
    damaged[middle] ^= 0xff;
    put("damaged", &damaged);
    packed(&scene, "two", &["one", "two"], |home| write(home, "app-root/data/page", "x"));
    packed(&scene, "none", &["g1"], |home| write(home, "other", "x"));
    packed(&scene, "linked", &["g1"], |home| {
        std::fs::create_dir_all(home.join("app-root")).unwrap();
        std::os::unix::fs::symlink("/etc", home.join("app-root/data")).unwrap();
    });
    packed(&scene, "git-link", &["g1"], |home| {
        write(home, "app-root/data/page", "x");
        write(home, "git/app.git/HEAD", "ref: refs/heads/master\n");
        std::os::unix::fs::symlink("/etc", home.join("git/app.git/refs")).unwrap();
    });
    // Names that climb, which no `tar` would write.
    let mut header = tar::Header::new_gnu();
    let name = b"./g1/app-root/data/../../../../x";
    header.as_old_mut().name[..name.len()].copy_from_slice(name);
    header.set_size(0);
    header.set_cksum();
    let gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    let mut climbing = tar::Builder::new(gzip);
    climbing.append(&header, std::io::empty()).unwrap();
    put("climbing", &climbing.into_inner().unwrap().finish().unwrap());
    for (name, words) in [
        ("empty", "gzip"),
        ("text", "gzip"),
        ("cut", "snapshot"),
        ("short", "snapshot"),
        ("damaged", "snapshot"),
        ("two", "more than one folder"),
        ("none", "app-root/data"),
        ("linked", "app-root/data"),
        ("git-link", "repository"),
        ("climbing", ".."),
    ] {
        for line in [&["app"][..], &["--as", "copy"]] {
            let (status, said) = scene.restore(line, name);
            assert!(status != 0 && said.starts_with("error: "), "{name}: {status} {said}");
            let is_nobodys = said.contains("of which cartridges");
            assert!(said.contains(words) || is_nobodys, "{name}: {said}");
            assert!(!scene.host.has_gear_folder("copy"), "{name}");
            scene.same(&before, name);
            assert_eq!(scene.order("app"), "", "{name}");
        }
    }
    scene.host.must(&["gear", "destroy", "app"]);
}

/// An identifier of a gear, as the original makes them.
const UUID: &str = "5361f3a7e0b8cd1b2d000001";

/// A home as the original has it, of an application called `old`.
fn originals(home: &Path, source: &Path) {
    write(home, "app-root/data/page", "old");
    write(home, ".env/OPENSHIFT_GEAR_NAME", "old");
    write(home, ".env/OPENSHIFT_APP_NAME", "old");
    write(home, ".env/OPENSHIFT_PRIMARY_CARTRIDGE_DIR", "/var/lib/openshift/0123/web/");
    for (dir, short) in [("web", "WEB"), ("side", "SIDE")] {
        write(home, &format!("{dir}/metadata/manifest.yml"), "Name: x\n");
        let ident = format!("test:{dir}:1:0.0.9");
        write(home, &format!("{dir}/env/OPENSHIFT_{short}_IDENT"), &ident);
    }
    let copied = Command::new("cp").arg("-r").arg(source).arg(home.join("git")).status();
    assert!(copied.unwrap().success());
    write(home, "git/old.git/hooks/pre-receive", "#!/bin/bash\ntouch /tmp/never\n");
    write(home, "git/old.git/config", "[core]\n\tbare = true\n\tfsmonitor = touch /tmp/never\n");
    let _ = std::os::unix::fs::symlink("../data", home.join("app-root/runtime-data"));
}

#[test]
fn archives_of_the_original_are_restored() {
    let _alone = alone();
    let scene = Scene::new();
    // The repository as a new clone of ours, in a folder for `git`.
    let source = scene.host.path("source");
    std::fs::create_dir_all(&source).unwrap();
    let mut git = Command::new("git");
    git.env("GIT_CONFIG_GLOBAL", "/dev/null").args([
        "-c",
        "safe.directory=*",
        "clone",
        "-q",
        "--bare",
    ]);
    git.arg(scene.path("app", "git/app.git")).arg(source.join("old.git"));
    assert!(git.output().unwrap().status.success());
    let one = "2014-05-01_10-11-12.345";
    packed(&scene, "new.tar.gz", &[UUID], |home| {
        originals(home, &source);
        write(home, &format!("app-deployments/{one}/repo/page"), "theirs");
        write(
            home,
            &format!("app-deployments/{one}/metadata.json"),
            "{\"id\":\"aabbccdd\",\"git_ref\":\"master\",\"activations\":[1398939072.1]}",
        );
        let whole = format!("/var/lib/openshift/{UUID}/app-deployments/{one}");
        std::os::unix::fs::symlink(whole, home.join("app-deployments/current")).unwrap();
        write(home, "app-deployments/by-id/rubbish", "");
    });
    let (status, said) = scene.restore(&["app"], "new.tar.gz");
    assert_eq!(status, 0, "{said}");
    assert_eq!(scene.file("app", "app-root/data/page"), "old");
    assert_eq!(scene.file("app", "app-root/runtime/repo/page"), "theirs");
    let link = |path: &str| std::fs::read_link(scene.path("app", path)).unwrap();
    assert_eq!(link("app-deployments/current"), Path::new(one));
    assert_eq!(link("app-deployments/by-id/aabbccdd"), Path::new(&format!("../{one}")));
    assert!(!scene.has("app", "app-deployments/by-id/rubbish"));
    let config = scene.file("app", "git/app.git/config");
    assert!(!config.contains("fsmonitor"), "{config}");
    assert!(scene.runs("app"));
    // One without deployments is built anew, and so is a gear of another name.
    packed(&scene, "older.tar.gz", &[UUID], |home| originals(home, &source));
    scene.order("app");
    let (status, said) = scene.restore(&["app"], "older.tar.gz");
    assert_eq!(status, 0, "{said}");
    let order = scene.order("app");
    for step in ["web pre-receive", "web pre-repo-archive", "web build", "web deploy", "web start"]
    {
        assert!(order.contains(step), "{step}: {order}");
    }
    assert_eq!(scene.file("app", "app-root/runtime/repo/page"), "first");
    assert!(scene.runs("app"));
    let (status, said) = scene.restore(&["--as", "copy"], "new.tar.gz");
    assert_eq!(status, 0, "{said}");
    assert_eq!(scene.file("copy", "app-root/runtime/repo/page"), "theirs");
    assert!(scene.has("copy", "git/copy.git/HEAD") && scene.runs("copy"));
    assert!(!Path::new("/tmp/never").exists());
    scene.host.must(&["gear", "destroy", "copy"]);
    scene.host.must(&["gear", "destroy", "app"]);
}

#[test]
fn transforms_of_a_cartridge_give_other_names() {
    let _alone = alone();
    let managed = "restore_transforms:\n- s|app-root/data/\\(old\\)/|app-root/data/new-\\1-${OPENSHIFT_GEAR_NAME}/|\n";
    let scene = Scene::with(managed);
    scene.put("app", "app-root/data/old/file", "text");
    scene.must_snapshot(&[], "a.tar.gz");
    let (status, said) = scene.restore(&["app"], "a.tar.gz");
    assert_eq!(status, 0, "{said}");
    assert_eq!(scene.file("app", "app-root/data/new-old-app/file"), "text");
    assert!(!scene.has("app", "app-root/data/old/file"));
    assert_eq!(scene.file("app", "app-root/data/page"), "one");
    scene.host.must(&["gear", "destroy", "app"]);
    let managed = "restore_transforms:\n- s|app-root/data/|web/bin/|\n";
    let scene = Scene::with(managed);
    scene.must_snapshot(&[], "a.tar.gz");
    let before = scene.seen("app");
    let (status, said) = scene.restore(&["app"], "a.tar.gz");
    assert!(status == 4 && said.contains("no restore brings back"), "{status}: {said}");
    scene.same(&before, "a transform that leads elsewhere");
    scene.host.must(&["gear", "destroy", "app"]);
}

#[test]
fn an_archive_that_leaves_the_host_is_encrypted_for_who_may_read_it() {
    let _alone = alone();
    let scene = Scene::new();
    let own = age::x25519::Identity::generate();
    let public = own.to_public().to_string();
    let secret = own.to_string();
    scene.host.write("key", &format!("# mine\n{}\n", secret.expose_secret()), 0o600);
    scene.must_snapshot(&["--encrypt", "--recipient", &public], "a.age");
    let bytes = std::fs::read(scene.host.path("a.age")).unwrap();
    assert!(bytes.starts_with(b"age-encryption.org/v1"));
    scene.put("app", "app-root/data/page", "two");
    let before = scene.seen("app");
    let (status, said) = scene.restore(&["app"], "a.age");
    assert!(status == 2 && said.contains("--identity"), "{status}: {said}");
    std::fs::write(scene.host.path("cut.age"), &bytes[..bytes.len() - 20]).unwrap();
    let key = scene.host.place("key");
    let (status, said) = scene.restore(&["app", "--identity", &key], "cut.age");
    assert!(status != 0 && said.starts_with("error: "), "{status}: {said}");
    scene.same(&before, "a cut one");
    let (status, said) = scene.restore(&["app", "--identity", &key], "a.age");
    assert_eq!(status, 0, "{said}");
    assert_eq!(scene.file("app", "app-root/data/page"), "one");
    // With a passphrase.
    scene.host.write("phrase", "correct horse\n", 0o600);
    scene.host.write("wrong", "battery staple\n", 0o600);
    let (phrase, wrong) = (scene.host.place("phrase"), scene.host.place("wrong"));
    scene.must_snapshot(&["--encrypt", "--passphrase-file", &phrase], "b.age");
    let (status, said) = scene.restore(&["app", "--passphrase-file", &wrong], "b.age");
    assert!(status == 5 && said.contains("passphrase is wrong"), "{status}: {said}");
    let (status, said) = scene.restore(&["app", "--passphrase-file", &phrase], "b.age");
    assert_eq!(status, 0, "{said}");
    let (status, said) = scene.snapshot(&["--recipient", &public], "c.age");
    assert!(status == 2, "{said}");
    let (status, said) = scene.snapshot(&["--encrypt", "--recipient", "age1nobody"], "c.age");
    assert!(status == 2 && said.contains("no public key"), "{said}");
    let mut nobody = scene.host.command(&["gear", "snapshot", "app", "--encrypt"]);
    nobody.env_remove("CART_PASSPHRASE").stdout(Stdio::piped());
    assert!(!nobody.output().unwrap().status.success(), "nobody can be asked for a passphrase");
    assert!(scene.runs("app"));
    scene.host.must(&["gear", "destroy", "app"]);
}
