//! Snapshots and restoring, as the guide's chapter "Backing Up and Restoring" has them. The cartridges
//! write down each call, its directory and the page that it sees.

mod inside;
mod others;
mod restored;
mod trouble;

use super::alone;
use super::deploy::web_and_side;
use super::host::{Host, get};
use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

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
        line.extend(web_and_side(&host, CONTROL));
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
