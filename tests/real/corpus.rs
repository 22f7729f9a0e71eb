//! Many public cartridges, each taken through the life of a gear.
//!
//! `cartridges.txt` names them, what they need of the host, and how far each came when it was
//! listed. A cartridge that comes less far, or farther, fails the test: the list says what is so.
//!
//! `CART_REAL_ONLY=TEXT` tries the lines that have the text; `CART_REAL_LOGS=DIR` keeps there what
//! every step said.

use crate::host::Host;
use crate::listed::{Listed, Reach, listed};
use crate::public::{Public, fetch};
use serde_json::Value;
use std::collections::BTreeSet;
use std::fmt::Write;
use std::net::TcpStream;
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

/// The cartridge of the index that every gear gets as its second, and loses again.
const SECOND: &str = "cron-worker";

/// What became of a cartridge.
struct Lived {
    reach: Reach,
    /// What the failing step said, in short.
    cause: String,
    /// What every step said.
    log: String,
    /// Whether the mirror had all files of it.
    is_whole: bool,
}

/// A gear on its way.
struct Life {
    host: Host,
    log: String,
    name: String,
    /// The cartridges that the gear is made of before this one is added.
    firsts: Vec<String>,
}

impl Life {
    /// Runs a step; the error is the step that failed, and what it said.
    fn step(&mut self, line: &[&str]) -> Result<(), (String, String)> {
        let began = Instant::now();
        let mut done = self.host.run(line);
        // The accounts of this host are those of every `--root`, and gears are being made side by
        // side: two of them can choose the same number.
        while done.1.contains("already exists") && done.1.contains("cannot make the account") {
            done = self.host.run(line);
        }
        let (status, said) = done;
        let took = began.elapsed().as_secs_f32();
        writeln!(self.log, "== {} → {status} ({took:.1} s)\n{said}", line.join(" ")).unwrap();
        if status == 0 {
            return Ok(());
        }
        let step = line[..line.len().min(2)].join("-");
        let step = if line[0] == "install" { "install".to_owned() } else { step };
        Err((step, said))
    }

    /// Every step that a person would take, in turn. Whether endpoints answered after each start.
    fn run(&mut self, folder: &Path, onto: &[&Path]) -> Result<bool, (String, String)> {
        for folder in onto {
            let first = self.install(folder)?;
            self.firsts.push(first);
        }
        let firsts = self.firsts.clone();
        self.name = self.install(folder)?;
        let name = self.name.clone();
        let made = if firsts.is_empty() { vec![name.as_str()] } else { strings(&firsts) };
        let mut line = vec!["gear", "create", "one"];
        line.extend(made);
        // Many give files to the user and group that the gear's identifier names.
        if Host::is_root() {
            line.push("--host-users");
        }
        self.step(&line)?;
        if !firsts.is_empty() {
            self.step(&["gear", "add", "one", &name])?;
        }
        self.step(&["gear", "start", "one"])?;
        let mut answered = self.answers();
        for verb in ["status", "restart", "reload", "tidy", "stop", "start"] {
            self.step(&["gear", verb, "one"])?;
        }
        answered &= self.answers();
        self.step(&["gear", "add", "one", SECOND])?;
        self.step(&["gear", "remove", "one", SECOND])?;
        answered &= self.answers();
        if !firsts.is_empty() {
            self.step(&["gear", "remove", "one", &name])?;
        }
        self.step(&["gear", "stop", "one"])?;
        self.step(&["gear", "start", "one"])?;
        let gear = self.host.json(&["gear", "show", "one"]);
        let logs = self.host.run(&["gear", "logs", "one"]).1;
        writeln!(self.log, "== gear logs one\n{logs}").unwrap();
        self.step(&["gear", "destroy", "one"])?;
        if endpoints(&gear, &[]).any(takes) {
            return Err(("left-port".to_owned(), String::new()));
        }
        self.step(&["remove", &name])?;
        Ok(answered)
    }

    /// The name under which a folder was installed.
    fn install(&mut self, folder: &Path) -> Result<String, (String, String)> {
        // Symbolic links into the host are how some find the software that they need.
        self.step(&["install", folder.to_str().unwrap(), "--allow-external-links"])?;
        let list = self.host.json(&["list"]);
        let path = folder.to_str().unwrap();
        let packages = list["packages"].as_array().unwrap();
        let here = packages.iter().find(|one| one.to_string().contains(path));
        Ok(here.unwrap_or(&packages[0])["name"].as_str().unwrap().to_owned())
    }

    /// Whether there are endpoints, and one takes connections before long: an endpoint may be there
    /// for one of the several ways in which the software can run.
    fn answers(&self) -> bool {
        let gear = self.host.json(&["gear", "show", "one"]);
        let until = Instant::now() + Duration::from_secs(5);
        let own = || endpoints(&gear, &self.firsts);
        while own().count() > 0 && Instant::now() < until {
            if own().any(takes) {
                return true;
            }
            std::thread::sleep(Duration::from_millis(100));
        }
        false
    }

    /// Looks for what a destroyed gear must not leave.
    fn nothing_is_left(&mut self) -> Result<(), (String, String)> {
        let root = self.host.root();
        let users = std::fs::read_to_string("/etc/passwd").unwrap();
        let left = [
            ("folder", self.host.has_gear_folder("one")),
            ("processes", self.host.processes() > 0),
            ("account", users.contains(root.to_str().unwrap())),
        ];
        let left = left.into_iter().filter(|(_, is_left)| *is_left).map(|(what, _)| what);
        let left: Vec<_> = left.collect();
        if !left.is_empty() {
            return Err((format!("left-{}", left.join("-")), String::new()));
        }
        self.step(&["verify"])
    }
}

fn strings(all: &[String]) -> Vec<&str> {
    all.iter().map(String::as_str).collect()
}

/// Addresses and ports of the gear's endpoints, but for those of the cartridges `without`.
fn endpoints<'a>(gear: &'a Value, without: &'a [String]) -> impl Iterator<Item = (String, u16)> {
    let all = gear["endpoints"].as_array().unwrap().iter();
    let wanted = all.filter(|one| without.iter().all(|name| one["cartridge"] != name.as_str()));
    wanted.map(|one| {
        let address = one["address"].as_str().unwrap().to_owned();
        (address, u16::try_from(one["port"].as_u64().unwrap()).unwrap())
    })
}

fn takes((address, port): (String, u16)) -> bool {
    TcpStream::connect((address.as_str(), port)).is_ok()
}

/// Installs what lies in `folder` and takes a gear of it through its life.
fn live(folder: &Path, onto: &[&Path]) -> Lived {
    let host = Host::new();
    // Nothing is kept for an undo, not even the account of a destroyed gear.
    host.settings("stash_limit: 0\nscripts:\n  install_timeout: 120\n  control_timeout: 45\n");
    let mut life =
        Life { host, log: String::new(), name: folder.display().to_string(), firsts: Vec::new() };
    let result = life.run(folder, onto);
    if result.is_err() {
        let logs = life.host.run(&["gear", "logs", "one"]).1;
        let gone = life.host.run(&["gear", "destroy", "one"]);
        writeln!(life.log, "== gear logs one\n{logs}\n== gear destroy one → {gone:?}").unwrap();
    }
    let result = match (life.nothing_is_left(), result) {
        (Err(left), Ok(_)) => Err(left),
        (Err((left, _)), Err((step, said))) => Err((format!("{step}+{left}"), said)),
        (Ok(()), result) => result,
    };
    let (reach, cause) = match result {
        Ok(true) => (Reach::Answers, String::new()),
        Ok(false) => (Reach::Completes, String::new()),
        Err((step, said)) => {
            let causes = said.lines().filter(|line| line.contains("caused by")).skip(1);
            (Reach::Fails(step), causes.take(4).collect::<Vec<_>>().join(" "))
        }
    };
    Lived { reach, cause, log: life.log, is_whole: true }
}

/// Whether there is a program of that name, or a file at that path.
fn is_installed(name: &str) -> bool {
    let path = std::env::var("PATH").unwrap_or_default();
    let mut places = path.split(':').chain(["/usr/sbin", "/sbin"]);
    places.any(|place| Path::new(place).join(name).exists())
}

/// Brings a cartridge and what it is put onto, and lives; the error is why it cannot be tried.
fn attempt(one: &Listed) -> Result<Lived, String> {
    let missing: Vec<_> = one.needs.iter().copied().filter(|name| !is_installed(name)).collect();
    if !missing.is_empty() {
        return Err(format!("needs {}", missing.join(", ")));
    }
    let place = tempfile::tempdir().unwrap();
    let mut absent = fetch(&one.public, &place.path().join("cartridge"))?;
    let mut onto = Vec::new();
    for name in &one.onto {
        let folder = format!("cartridges/openshift-origin-cartridge-{name}");
        let public = Public { folder: folder.leak(), ..crate::DIY };
        let into = place.path().join(name);
        absent.extend(fetch(&public, &into)?);
        onto.push(into);
    }
    if !absent.is_empty() {
        println!("NOTE: the mirror lacks, of {}: {}", one.public.repository, absent.join(" "));
    }
    let onto: Vec<&Path> = onto.iter().map(std::path::PathBuf::as_path).collect();
    let lived = live(&place.path().join("cartridge"), &onto);
    Ok(Lived { is_whole: absent.is_empty(), ..lived })
}

fn keep(public: &Public, log: &str) {
    if let Ok(folder) = std::env::var("CART_REAL_LOGS") {
        std::fs::create_dir_all(&folder).unwrap();
        let name = format!("{}+{}", public.repository, public.folder).replace('/', "+");
        std::fs::write(Path::new(&folder).join(name), log).unwrap();
    }
}

/// Takes all of them through their lives, two at a time; those that came elsewhere than listed.
fn all_of(listed: &[Listed]) -> Vec<String> {
    let (next, counts) = (AtomicUsize::new(0), Mutex::new([0_usize; 5]));
    let (other, missing) = (Mutex::new(Vec::new()), Mutex::new(BTreeSet::new()));
    let work = || {
        while let Some(one) = listed.get(next.fetch_add(1, Ordering::SeqCst)) {
            let Public { repository, folder, .. } = one.public;
            let lived = match attempt(one) {
                Ok(lived) => lived,
                Err(why) => {
                    println!("SKIP: real::{repository}/{folder}: {why}");
                    let lacks = one.needs.iter().copied().filter(|name| !is_installed(name));
                    missing.lock().unwrap().extend(lacks);
                    counts.lock().unwrap()[3] += 1;
                    continue;
                }
            };
            keep(&one.public, &lived.log);
            let line = format!("{repository} {folder} {:?} {}", lived.reach, lived.cause);
            println!("real: {line}");
            counts.lock().unwrap()[match lived.reach {
                Reach::Fails(_) => 0,
                Reach::Completes => 1,
                Reach::Answers => 2,
            }] += 1;
            if !lived.is_whole && !matches!(lived.reach, Reach::Fails(_)) {
                counts.lock().unwrap()[4] += 1;
            }
            if !one.reach.allows(&lived.reach) {
                other.lock().unwrap().push(format!("{line}; listed: {:?}", one.reach));
            }
        }
    };
    std::thread::scope(|scope| {
        scope.spawn(work);
        work();
    });
    let [failed, completed, answered, absent, partial] = *counts.lock().unwrap();
    println!(
        "real: {} of {} complete every step ({partial} without files that the mirror lacks), {answered} \
         of them answer; {failed} fail, {absent} not tried",
        completed + answered,
        listed.len()
    );
    let missing = missing.into_inner().unwrap();
    if !missing.is_empty() {
        let names: Vec<_> = missing.into_iter().collect();
        println!("real: for those not tried, install what has {}", names.join(" "));
    }
    other.into_inner().unwrap()
}

#[test]
#[ignore = "needs the network and much software: `make test-real`"]
fn public_cartridges_come_exactly_as_far_as_listed() {
    let other = all_of(&listed());
    assert!(other.is_empty(), "not as listed: {other:#?}");
}

#[test]
#[ignore = "needs the network and much software: `make test-real`"]
fn the_eight_live_for_root_and_for_an_ordinary_user() {
    let eight: Vec<_> = listed().into_iter().filter(|one| one.both).collect();
    let other = all_of(&eight);
    assert!(other.is_empty(), "not as listed: {other:#?}");
}
