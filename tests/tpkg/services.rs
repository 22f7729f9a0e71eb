//! `cart service`: the init scripts of packages, as the original calls them (tpkg specification, 2).

use crate::host::Host;
use crate::support::tpkg::Tpkg;
use serde_json::Value;

/// An init script that remembers whether its service runs, and writes down how it was called.
const DAEMON: &str = r#"
name=${0##*/} flag=$TPKG_HOME/$name.runs
[[ $1 == status ]] || echo "$name $* in $PWD of ${TPKG_HOME##*/} ${TPKG_ACTION-asked}" >>"$TPKG_HOME/../../log"
case $1 in
start) touch "$flag";;
stop) rm -f "$flag";;
restart|reload) echo "$1ed";;
status) if [[ -e $flag ]]; then echo runs; else echo "does not run"; exit 3; fi;;
esac"#;

/// A package with init scripts of these names and numbers.
fn package(name: &str, scripts: &[(&str, &str)]) -> Tpkg {
    let mut package = Tpkg::new(name, "1");
    for (script, number) in scripts {
        let number =
            if number.is_empty() { "{}".into() } else { format!("\n      start: {number}") };
        package = package
            .script(&format!("reloc/init/{script}"), DAEMON)
            .of(&format!("init/{script}"), &format!("    init: {number}"));
    }
    package
}

fn log(host: &Host) -> Vec<String> {
    let text = std::fs::read_to_string(host.at("log")).unwrap_or_default();
    drop(std::fs::remove_file(host.at("log")));
    let shortened = |line: &str| line.replace(" in / of tpkg asked", "");
    text.lines().map(shortened).collect()
}

/// A host with two packages: `late` starts at 30 and 20, `early` at 10 and at no number.
fn host() -> Host {
    let host = Host::new();
    let late = package("late", &[("z", "30"), ("y", "20")]);
    let early = package("early", &[("b", "10"), ("a", "")]);
    host.must(&["install", &host.pack(&late), &host.pack(&early)]);
    host.must(&["install", &host.pack(&Tpkg::new("plain", "1").file("reloc/x", "x"))]);
    host
}

fn json(host: &Host, words: &[&str]) -> (i32, Value) {
    let output = host.command(words).arg("--json").output().unwrap();
    (output.status.code().unwrap(), serde_json::from_slice(&output.stdout).unwrap())
}

#[test]
fn they_are_started_by_their_numbers_and_stopped_backwards() {
    let host = host();
    host.must(&["service", "start", "late", "early"]);
    assert_eq!(log(&host), ["a start", "b start", "y start", "z start"], "no number is 0");
    host.must(&["service", "stop", "--all"]);
    assert_eq!(log(&host), ["z stop", "y stop", "b stop", "a stop"]);
    // What was stopped is started again, in its order, and the other way round.
    host.must(&["undo", "4"]);
    assert_eq!(log(&host), ["a start", "b start", "y start", "z start"]);
    host.must(&["undo", "5"]);
    assert_eq!(log(&host), ["z stop", "y stop", "b stop", "a stop"]);
    for word in ["restart", "reload"] {
        let said = host.must(&["service", word, "early", "--script", "b"]);
        assert!(said.contains(&format!("{word}ed")), "{said}");
        assert_eq!(log(&host), [format!("b {word}")]);
    }
}

#[test]
fn one_that_fails_is_told_by_the_original_s_status_and_keeps_no_other_from_running() {
    let host = host();
    let broken = Tpkg::new("broken", "1")
        .script("reloc/init/broken", "[[ $1 == status ]] && exit 3; echo 'no <socket>' >&2; exit 9")
        .of("init/broken", "    init:\n      start: 15");
    host.must(&["install", &host.pack(&broken)]);
    let said = host.fails(&["service", "start", "--all"], 4, "`broken start` of `broken-1`");
    assert!(said.contains("status 9: no <socket>"), "{said}");
    assert_eq!(log(&host), ["a start", "b start", "y start", "z start"]);
    let (status, answer) = json(&host, &["service", "reload", "broken"]);
    assert_eq!((status, answer["errors"].as_array().unwrap().len()), (4, 1), "{answer}");
    // One that is gone is no reason to forget the others.
    std::fs::remove_file(host.base("init/y")).unwrap();
    host.fails(&["service", "stop", "late"], 4, "init/y");
    assert_eq!(log(&host), ["z stop"]);
}

#[test]
fn they_are_asked_how_they_are() {
    let host = host();
    host.must(&["service", "start", "late"]);
    host.must(&["service", "status", "late"]);
    let said = host.fails(&["service", "status", "--all"], 4, "does not run");
    assert_eq!(said.lines().filter(|line| line.ends_with(" runs")).count(), 2, "{said}");
    let (status, answer) = json(&host, &["service", "status", "--all"]);
    let found: Vec<_> = answer["services"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| {
            let script = one["script"].as_str().unwrap().rsplit('/').next().unwrap();
            (script, one["start"].as_u64().unwrap(), one["status"].as_u64().unwrap())
        })
        .collect();
    assert_eq!(status, 4);
    assert_eq!(found, [("a", 0, 3), ("b", 10, 3), ("y", 20, 0), ("z", 30, 0)]);
    assert_eq!(answer["services"][2]["output"], "runs\n");
    assert_eq!(answer["services"][2]["package"], "late-1");
}

#[test]
fn who_is_not_there_or_has_none_is_named_and_nothing_is_called() {
    let host = host();
    host.fails(&["service", "start", "late", "nobody"], 3, "`nobody`");
    host.fails(&["service", "start", "late", "plain"], 4, "`plain-1` has no init script");
    host.fails(&["service", "status", "plain"], 4, "`plain-1` has no init script");
    host.fails(&["service", "start", "late", "--script", "x"], 3, "there is `y`, `z`");
    host.fails(&["service", "start"], 2, "missing: `<PACKAGE>");
    host.fails(&["service", "start", "--all", "late"], 2, "--all");
    let said = host.must(&["service", "start", "--all", "--dry-run"]);
    assert!(said.contains("run `a start` of `early-1` on the host, unconfined"), "{said}");
    assert!(log(&host).is_empty());
    let empty = Host::new();
    empty.fails(&["service", "stop", "late"], 3, "`late`");
    empty.must(&["service", "stop", "--all"]);
    assert!(!empty.has("var"), "nothing was made");
}

/// A real service outlives the command that starts it, and its environment is its own.
#[test]
fn what_is_started_lives_on() {
    let host = Host::new();
    let daemon = "pid=$TPKG_HOME/pid\ncase $1 in\n\
        start) sleep 1000 & echo $! >$pid;;\n\
        stop) kill $(<$pid); rm $pid;;\n\
        status) [[ -e $pid ]] && kill -0 $(<$pid) || exit 3;;\nesac";
    let package = Tpkg::new("app", "1")
        .script("root/etc/app/init", daemon)
        .of("/etc/app/init", "    init: {}");
    host.must(&["install", &host.pack(&package.file("reloc/x", "x"))]);
    host.must(&["service", "start", "app"]);
    host.must(&["service", "status", "app"]);
    let id = host.read("opt/tpkg/pid");
    let privileges = format!("/proc/{}/status", id.trim());
    let privileges = std::fs::read_to_string(privileges).unwrap();
    assert!(privileges.contains("NoNewPrivs:\t0"), "it works for the host: {privileges}");
    host.must(&["service", "stop", "app"]);
    host.fails(&["service", "status", "app"], 4, "app-1");
    // A removal that fails leaves what ran running.
    host.must(&["service", "start", "app"]);
    let another = Tpkg::new("keeps", "1").script("preremove", "exit 1");
    host.must(&["install", &host.pack(&another)]);
    host.fails(&["remove", "app", "keeps"], 9, "preremove");
    host.must(&["service", "status", "app"]);
    host.must(&["remove", "app"]);
    assert!(!host.has("opt/tpkg/pid"));
}

/// What `postinstall` starts is meant to live, as with the original.
#[test]
fn what_a_script_of_the_package_starts_lives_on() {
    let host = Host::new();
    let package = Tpkg::new("app", "1")
        .file("reloc/x", "x")
        .script("postinstall", "sleep 1000 & echo $! >$TPKG_HOME/../pid");
    host.must(&["install", &host.pack(&package)]);
    let id = host.read("opt/pid").trim().to_owned();
    let state = std::fs::read_to_string(format!("/proc/{id}/comm")).unwrap();
    assert_eq!(state, "sleep\n");
    assert!(std::process::Command::new("kill").arg(id).status().unwrap().success());
}
