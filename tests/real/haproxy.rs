//! The official haproxy cartridge, unmodified, before a scaled application on the host's haproxy: it
//! learns of gears as they come and go, and while a version is rolled through them, every request is
//! answered.

use super::host::{Host, get};
use super::public::{Public, fetch};
use super::support::pages::SERVE;
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

const HAPROXY: Public = Public {
    repository: "openshift/origin-server",
    commit: "7fd191093ac5a07133108e5583fe30270494306d",
    folder: "cartridges/openshift-origin-cartridge-haproxy",
};

const MANIFEST: &str = "Name: web\nCartridge-Short-Name: WEB\nCartridge-Vendor: test\n\
    Cartridge-Version: '1.0'\nVersion: '1'\nCategories: [web_framework]\nEndpoints:\n\
    - Private-IP-Name: IP\n  Private-Port-Name: PORT\n  Private-Port: 8080\n";

const CONTROL: &str = r#"#!/bin/bash
pid=$OPENSHIFT_DATA_DIR/web.pid
case $1 in
start)
    perl "$OPENSHIFT_WEB_DIR/bin/serve" "$OPENSHIFT_WEB_IP" "$OPENSHIFT_WEB_PORT" \
        "$(<"$OPENSHIFT_REPO_DIR/page")" >/dev/null 2>&1 &
    echo $! >"$pid" ;;
stop) [[ -f $pid ]] && kill "$(<"$pid")" 2>/dev/null; rm -f "$pid" ;;
esac
exit 0
"#;

/// Where a gear's variable says that something listens.
fn address(host: &Host, name: &str) -> String {
    std::fs::read_to_string(host.home("app").join(".env").join(name)).unwrap().trim().to_owned()
}

/// What haproxy says of its servers: name and state.
fn servers(host: &Host) -> BTreeMap<String, String> {
    let at = address(host, "OPENSHIFT_HAPROXY_STATUS_IP");
    let mut command = std::process::Command::new("curl");
    let said = command.args(["-s", &format!("http://{at}:8080/;csv")]).output().unwrap().stdout;
    let said = String::from_utf8_lossy(&said).into_owned();
    let server = |line: &str| {
        let fields: Vec<&str> = line.split(',').collect();
        let is_one = *fields.first()? == "express" && fields.get(1)?.contains('-');
        is_one.then(|| (fields[1].to_owned(), fields[17].to_owned()))
    };
    said.lines().filter_map(server).collect()
}

/// How many children get requests, and what is done with the head's own framework.
fn rotation(host: &Host) -> (usize, Option<String>) {
    let all = servers(host);
    // A server of which one check has failed is `UP 1/2`.
    let is_up =
        |(name, state): &(&String, &String)| name.starts_with("gear-") && state.starts_with("UP");
    let up = all.iter().filter(is_up).count();
    let own = all.get("local-gear").and_then(|state| state.split(' ').next()).map(str::to_owned);
    (up, own)
}

/// Asks again and again until it is told to stop; the answers, and how often each came.
fn ask(at: &str, is_over: &AtomicBool) -> BTreeMap<String, usize> {
    let mut answers = BTreeMap::new();
    while !is_over.load(Ordering::Relaxed) {
        let answer = get(at, 8080).unwrap_or_else(|| "nobody".into());
        let is_good = answer.starts_with("HTTP/1.") && answer.contains(" 200 ");
        let page = answer.rsplit("\r\n").next().unwrap_or_default().to_owned();
        *answers.entry(if is_good { page } else { format!("bad: {answer}") }).or_default() += 1;
    }
    answers
}

#[test]
#[ignore = "needs the network, haproxy, socat, curl and ruby: `make test-real`"]
fn the_official_haproxy_answers_every_request_while_a_version_is_rolled_through() {
    let place = tempfile::Builder::new().prefix("ha").tempdir().unwrap();
    let folder = place.path().join("cartridge");
    if let Err(why) = fetch(&HAPROXY, &folder) {
        println!("SKIP: real::haproxy: {why}");
        return;
    }
    for program in ["/usr/sbin/haproxy", "/usr/bin/socat", "/usr/bin/curl", "/usr/bin/ruby"] {
        if !Path::new(program).exists() {
            println!("SKIP: real::haproxy: {program} is not there");
            return;
        }
    }
    // The name of haproxy's socket is a path of at most 90 bytes.
    let host = Host::called("h");
    host.write("web/metadata/manifest.yml", MANIFEST, 0o644);
    host.write("web/bin/control", CONTROL, 0o755);
    host.write("web/bin/serve", SERVE, 0o755);
    host.write("web/template/page", "first", 0o644);
    let (web, proxy) = (host.place("web"), folder.display().to_string());
    host.must(&["gear", "create", "app", &web, &proxy, "--scale", "--start"]);
    let shown = host.json(&["gear", "show", "app"]);
    if shown["sandbox"] != "namespaces" {
        println!(
            "SKIP: real::haproxy: today's haproxy is shown its old settings in namespaces alone"
        );
        return;
    }
    let at = address(&host, "OPENSHIFT_HAPROXY_IP");
    Host::until(|| get(&at, 8080).is_some_and(|answer| answer.ends_with("first")));

    // Three further gears; from a ratio of three on, the cartridge takes the head's framework out.
    host.must(&["gear", "scale", "app", "4"]);
    Host::until(|| rotation(&host) == (3, Some("MAINT".into())));
    let is_over = AtomicBool::new(false);
    let answers = std::thread::scope(|scope| {
        let client = scope.spawn(|| ask(&at, &is_over));
        let repository = host.home("app").join("git/app.git").display().to_string();
        let work = host.place("work");
        let git = |line: &[&str]| {
            let mut git = std::process::Command::new("git");
            git.args(["-c", "user.name=dev", "-c", "user.email=dev@localhost"]).args(line);
            let output = git.env("GIT_CONFIG_GLOBAL", "/dev/null").output().unwrap();
            let said = String::from_utf8_lossy(&output.stderr).into_owned();
            (output.status.success(), said)
        };
        let cloned = git(&["clone", "-q", &repository, &work]);
        std::fs::write(Path::new(&work).join("page"), "second").unwrap();
        git(&["-C", &work, "commit", "-q", "-a", "-m", "second"]);
        let pushed = git(&["-C", &work, "push", "-q", "origin", "HEAD:master"]);
        let arrived = get(&at, 8080);
        is_over.store(true, Ordering::Relaxed);
        let answers = client.join().unwrap();
        assert!(cloned.0 && pushed.0, "{cloned:?} {pushed:?}");
        assert!(arrived.unwrap_or_default().ends_with("second"));
        answers
    });
    println!("haproxy: {answers:?}");
    let pages: Vec<&str> = answers.keys().map(String::as_str).collect();
    assert_eq!(pages, ["first", "second"], "{answers:?}");
    assert_eq!(rotation(&host), (3, Some("MAINT".into())));

    // Fewer again: the head serves, too.
    host.must(&["gear", "scale", "app", "2"]);
    Host::until(|| rotation(&host) == (1, Some("UP".into())));
    let gears = host.json(&["gear", "show", "app"])["gears"].clone();
    assert_eq!(gears, Value::from(vec!["app-1"]));
    host.must(&["verify"]);
    host.must(&["gear", "stop", "app"]);
    assert_eq!(get(&at, 8080), None);
    host.must(&["gear", "start", "app"]);
    Host::until(|| get(&at, 8080).is_some_and(|answer| answer.ends_with("second")));
    host.must(&["gear", "destroy", "app"]);
}
