//! Many public cartridges, each taken through the life of a gear.
//!
//! `cartridges.txt` names them, what they need of the host, and how far each came when it was
//! listed: `answers` (every step, and its endpoints answer), `completes` (every step) or `fails`
//! with the cause, which lies in what the cartridge asks for. A cartridge that comes less far than
//! listed fails the test; `CART_REAL_ONLY=TEXT` tries those whose line has the text.

use crate::host::Host;
use crate::public::{Public, fetch};
use serde_json::Value;
use std::net::TcpStream;
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

/// How far a cartridge comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Reach {
    Fails,
    Completes,
    Answers,
}

/// A line of the list.
struct Listed {
    public: Public,
    reach: Reach,
}

/// What became of a cartridge.
struct Lived {
    reach: Reach,
    /// The step that failed, and what it said.
    cause: String,
}

fn listed() -> Vec<Listed> {
    let lines = include_str!("cartridges.txt").lines();
    let only = std::env::var("CART_REAL_ONLY").unwrap_or_default();
    let wanted = lines.filter(|line| !line.starts_with('#') && line.contains(&only));
    wanted.filter(|line| !line.trim().is_empty()).map(read).collect()
}

/// `repository commit folder reach cause`; the folder `.` is the repository itself.
fn read(line: &'static str) -> Listed {
    let mut words = line.split_whitespace();
    let mut word = || words.next().unwrap_or_else(|| panic!("too short: {line}"));
    let (repository, commit, folder) = (word(), word(), word());
    let folder = if folder == "." { "" } else { folder };
    let reach = match word() {
        "answers" => Reach::Answers,
        "completes" => Reach::Completes,
        "fails" => Reach::Fails,
        other => panic!("no such reach: {other}"),
    };
    Listed { public: Public { repository, commit, folder }, reach }
}

/// Installs what lies in `folder` and takes a gear of it through its life.
fn live(folder: &Path) -> Lived {
    let host = Host::new();
    host.settings("scripts:\n  install_timeout: 120\n  control_timeout: 60\n");
    let mut reach = Reach::Completes;
    let steps: [&[&str]; 9] = [
        &["install", folder.to_str().unwrap()],
        &["gear", "create", "one", "NAME"],
        &["gear", "start", "one"],
        &["gear", "status", "one"],
        &["gear", "stop", "one"],
        &["gear", "start", "one"],
        &["gear", "stop", "one"],
        &["gear", "destroy", "one"],
        &["remove", "NAME"],
    ];
    let mut name = String::new();
    for (at, step) in steps.into_iter().enumerate() {
        let mut line: Vec<&str> =
            step.iter().map(|word| if *word == "NAME" { name.as_str() } else { *word }).collect();
        // Many give files to the user and group that the gear's identifier names.
        if step.starts_with(&["gear", "create"]) && Host::is_root() {
            line.push("--host-users");
        }
        let (status, said) = host.run(&line);
        if status != 0 {
            host.run(&["gear", "destroy", "one"]);
            nothing_is_left(&host, folder);
            let said: Vec<&str> = said.lines().filter(|line| !line.is_empty()).take(4).collect();
            let cause =
                format!("{}: {status}: {}", step[..step.len().min(2)].join(" "), said.join(" "));
            return Lived { reach: Reach::Fails, cause };
        }
        match at {
            0 => {
                host.json(&["list"])["packages"][0]["name"].as_str().unwrap().clone_into(&mut name);
            }
            2 if answers(&host.json(&["gear", "show", "one"])) => reach = Reach::Answers,
            _ => {}
        }
    }
    nothing_is_left(&host, folder);
    Lived { reach, cause: String::new() }
}

/// Whether there are endpoints, and all of them take connections before long.
fn answers(gear: &Value) -> bool {
    let endpoints = gear["endpoints"].as_array().unwrap();
    let until = Instant::now() + Duration::from_secs(5);
    let takes = |endpoint: &Value| {
        let address = endpoint["address"].as_str().unwrap();
        let port = u16::try_from(endpoint["port"].as_u64().unwrap()).unwrap();
        loop {
            if TcpStream::connect((address, port)).is_ok() {
                return true;
            }
            if Instant::now() > until {
                return false;
            }
            std::thread::sleep(Duration::from_millis(100));
        }
    };
    // An endpoint may be there for one of the several ways in which the software can run.
    !endpoints.is_empty() && endpoints.iter().any(takes)
}

fn nothing_is_left(host: &Host, folder: &Path) {
    let what = folder.display();
    assert!(!host.has_gear_folder("one"), "{what}: the gear's folder is left");
    assert_eq!(host.processes(), 0, "{what}: processes are left");
    host.must(&["verify"]);
}

#[test]
#[ignore = "needs the network and much software: `make test-real`"]
fn public_cartridges_come_as_far_as_they_did() {
    let listed = listed();
    let (next, counts) = (AtomicUsize::new(0), Mutex::new([0_usize; 4]));
    let worse = Mutex::new(Vec::new());
    let work = || {
        while let Some(one) = listed.get(next.fetch_add(1, Ordering::SeqCst)) {
            let Public { repository, folder, .. } = one.public;
            let place = tempfile::tempdir().unwrap();
            if let Err(why) = fetch(&one.public, place.path()) {
                println!("SKIP: real::{repository}/{folder}: cannot be fetched: {why}");
                counts.lock().unwrap()[3] += 1;
                continue;
            }
            let lived = live(&place.path().join("cartridge"));
            println!("real: {repository} {folder} {:?} {}", lived.reach, lived.cause);
            counts.lock().unwrap()[lived.reach as usize] += 1;
            if lived.reach < one.reach {
                let line = format!("{repository} {folder}: {:?}: {}", lived.reach, lived.cause);
                worse.lock().unwrap().push(line);
            }
        }
    };
    std::thread::scope(|scope| {
        scope.spawn(work);
        work();
    });
    let [failed, completed, answered, absent] = *counts.lock().unwrap();
    println!(
        "real: {} of {} complete every step, {answered} of them answer; {failed} fail, {absent} could not be fetched",
        completed + answered,
        listed.len()
    );
    assert!(worse.lock().unwrap().is_empty(), "less far than listed: {:#?}", worse.lock().unwrap());
}
