//! What keeps gears apart: their own processes, their own temporary folders, the kernel's limits; on
//! hosts that allow namespaces and on those that do not, as root and as an ordinary user.

use super::alone;
use super::host::Host;
use std::cell::RefCell;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

const MANIFEST: &str = "Name: kept\nCartridge-Short-Name: KEPT\nCartridge-Vendor: test\n\
    Cartridge-Version: '1.0'\nVersion: '1'\nCategories: [web_framework]\n";

/// Starts a daemon as bad cartridges do: twice forked, in a session of its own, without a trace in
/// its environment. Other verbs are what the tests ask for.
const CONTROL: &str = r#"#!/bin/bash
cd "$OPENSHIFT_DATA_DIR"
case $1 in
start)
    echo 'reopened' >/dev/stderr || exit 8
    [[ -e outside ]] && { echo hello >"$(<outside)" || exit 7; }
    cp /bin/sleep kept-daemon
    (env -i /usr/bin/setsid /bin/bash -c 'exec -a kept-daemon ./kept-daemon 4321' >/dev/null 2>&1 &)
    until pgrep -x kept-daemon >/dev/null; do sleep 0.05; done ;;
stop) killall -q kept-daemon; true ;;
status) pgrep -f kept-daemon >/dev/null ;;
reload) d=/proc/$(pgrep -x kept-daemon); { readlink "$d/exe" && ls "$d/fd"; } >looked 2>&1; true ;;
esac
"#;

/// Who calls `cart`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Caller {
    Root,
    Nobody,
}

/// A host with the cartridge `kept`, outside every temporary folder, and who works there.
struct Place {
    temp: PathBuf,
    caller: Caller,
    level: &'static str,
    gears: RefCell<Vec<String>>,
}

impl Place {
    /// `level`: a comma in the state's path cannot be carried by the overlay, so that the host
    /// allows no namespaces.
    fn new(caller: Caller, level: &'static str) -> Self {
        let unique = format!("{}-{:?}", std::process::id(), Instant::now());
        let unique: String = unique.chars().filter(char::is_ascii_digit).collect();
        let comma = if level == "plain" { ",plain" } else { "" };
        let temp = PathBuf::from(format!("/var/lib/cart-test-{unique}{comma}"));
        let place = Self { temp, caller, level, gears: RefCell::default() };
        for (file, text) in [("metadata/manifest.yml", MANIFEST), ("bin/control", CONTROL)] {
            let path = place.temp.join("kept").join(file);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(&path, text).unwrap();
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
        }
        if caller == Caller::Nobody {
            let mut chown = Command::new("chown");
            assert!(chown.args(["-R", "65534:65534"]).arg(&place.temp).status().unwrap().success());
        }
        place
    }

    fn settings(&self, text: &str) {
        let folder = self.temp.join("host/etc/cartwright");
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(folder.join("config.yml"), text).unwrap();
        if self.caller == Caller::Nobody {
            let mut chown = Command::new("chown");
            chown.args(["-R", "65534:65534"]).arg(self.temp.join("host"));
            assert!(chown.status().unwrap().success());
        }
    }

    fn command(&self, line: &[&str]) -> Command {
        let cart = env!("CARGO_BIN_EXE_cart");
        let mut command = match self.caller {
            Caller::Root => Command::new(cart),
            Caller::Nobody => {
                let mut command = Command::new("setpriv");
                command.args([
                    "--reuid",
                    "65534",
                    "--regid",
                    "65534",
                    "--clear-groups",
                    "--",
                    cart,
                ]);
                command
            }
        };
        command.arg("--root").arg(self.temp.join("host")).arg("-y").args(line);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    fn run(&self, line: &[&str]) -> (i32, String) {
        let output = self.command(line).output().unwrap();
        let said = [output.stdout, output.stderr].concat();
        (output.status.code().unwrap_or(-1), String::from_utf8_lossy(&said).into_owned())
    }

    fn must(&self, line: &[&str]) -> String {
        let (status, said) = self.run(line);
        assert_eq!(status, 0, "{self:?}: {line:?}: {said}");
        said
    }

    fn json(&self, line: &[&str]) -> serde_json::Value {
        let output = self.command(line).arg("--json").output().unwrap();
        serde_json::from_slice(&output.stdout).unwrap()
    }

    /// Runs a line of bash in the gear; gives its exit status and what it said.
    fn bash(&self, gear: &str, text: &str) -> (i32, String) {
        self.run(&["-q", "gear", "exec", gear, "--", "bash", "-c", text])
    }

    fn create(&self, gear: &str) {
        let folder = self.temp.join("kept");
        self.must(&["gear", "create", gear, folder.to_str().unwrap()]);
        let shown = self.json(&["gear", "show", gear]);
        assert_eq!(shown["sandbox"], self.level, "{self:?}");
        self.gears.borrow_mut().push(shown["uuid"].as_str().unwrap().to_owned());
    }

    fn home(&self, gear: &str) -> PathBuf {
        self.temp.join("host/var/lib/cartwright/gears").join(gear)
    }

    fn records(&self) -> Vec<String> {
        let folder = self.temp.join("host/var/lib/cartwright/running");
        let names = std::fs::read_dir(folder).into_iter().flatten().flatten();
        let names = names.map(|entry| entry.file_name().into_string().unwrap());
        names.filter(|name| name != "ability").collect()
    }

    /// The supervisor of the only gear that runs.
    fn supervisor(&self) -> Option<u32> {
        let folder = self.temp.join("host/var/lib/cartwright/running");
        let record = std::fs::read(folder.join(self.records().first()?)).unwrap();
        let record: serde_json::Value = serde_json::from_slice(&record).unwrap();
        u32::try_from(record["first"]["id"].as_u64()?).ok()
    }

    /// The host's own ids of the daemons.
    fn daemons() -> Vec<u32> {
        let mut found = Vec::new();
        for entry in std::fs::read_dir("/proc").unwrap().flatten() {
            let Ok(id) = entry.file_name().into_string().unwrap().parse() else { continue };
            let line = std::fs::read(entry.path().join("cmdline")).unwrap_or_default();
            if line.starts_with(b"kept-daemon") {
                found.push(id);
            }
        }
        found
    }

    /// The control groups of its gears, of those that live and those that have gone.
    fn groups(&self) -> Vec<PathBuf> {
        let gears = self.gears.borrow();
        let mut found = Vec::new();
        let mut open = vec![PathBuf::from("/sys/fs/cgroup")];
        while let Some(folder) = open.pop() {
            for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
                if !entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                    continue;
                }
                let name = entry.file_name().into_string().unwrap();
                if gears.iter().any(|gear| name.starts_with(&format!("cartwright-{gear}"))) {
                    found.push(entry.path());
                }
                open.push(entry.path());
            }
        }
        found
    }
}

impl std::fmt::Debug for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:?}, {}", self.caller, self.level)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        for process in Self::daemons() {
            drop(Command::new("kill").arg("-9").arg(process.to_string()).status());
        }
        super::support::supervisors::end(&self.temp.join("host/var/lib/cartwright"));
        drop(Command::new("chmod").arg("-R").arg("u+w").arg(&self.temp).status());
        drop(std::fs::remove_dir_all(&self.temp));
    }
}

/// Every way that this host has: both levels, as root and as an ordinary user.
fn places(name: &str) -> Vec<Place> {
    if !Host::is_root() {
        println!("SKIP: story::{name}: making hosts outside of temporary folders needs root");
        return Vec::new();
    }
    let mut callers = vec![Caller::Root];
    if Host::lets_accounts_pass() {
        callers.push(Caller::Nobody);
    } else {
        println!("SKIP: story::{name}_nobody: an ordinary user cannot reach the program");
    }
    let all = callers.into_iter().flat_map(|who| [(who, "namespaces"), (who, "plain")]);
    all.map(|(caller, level)| Place::new(caller, level)).collect()
}

/// Those of them on which gears have namespaces.
fn spaces(name: &str) -> Vec<Place> {
    let mut places = places(name);
    places.retain(|place| place.level == "namespaces");
    places
}

#[test]
fn a_gear_lives_and_ends_with_everything_in_it() {
    let _alone = alone();
    for place in places("confined_life") {
        place.create("one");
        assert!(place.records().is_empty(), "{place:?}: what does not run has no supervisor");
        place.must(&["gear", "start", "one"]);
        let status = place.json(&["gear", "status", "one"]);
        assert_eq!(status["sandbox"], place.level, "{place:?}");
        assert_eq!(status["cartridges"][0]["status"], 0, "{place:?}: {status}");
        assert_eq!(place.supervisor().is_some(), place.level == "namespaces", "{place:?}");
        assert_eq!(Place::daemons().len(), 1, "{place:?}");
        // Control is asked in the same namespaces, whoever asks.
        for action in ["restart", "reload", "tidy"] {
            place.must(&["gear", action, "one"]);
        }
        assert_eq!(place.json(&["gear", "status", "one"])["cartridges"][0]["status"], 0);
        place.must(&["gear", "stop", "one", "--force"]);
        if place.level == "namespaces" || place.caller == Caller::Root {
            assert!(Place::daemons().is_empty(), "{place:?}: it forked twice and is gone");
        }
        assert!(place.records().is_empty(), "{place:?}: {:?}", place.records());
        place.must(&["gear", "start", "one"]);
        place.must(&["gear", "stop", "one"]);
        place.must(&["gear", "start", "one"]);
        place.must(&["gear", "destroy", "one"]);
        if place.level == "namespaces" || place.caller == Caller::Root {
            assert!(Place::daemons().is_empty(), "{place:?}");
        }
        assert!(place.records().is_empty() && place.groups().is_empty(), "{place:?}");
    }
}

#[test]
fn a_gear_sees_and_kills_its_own_processes_alone() {
    let _alone = alone();
    for place in spaces("confined_killall") {
        for gear in ["one", "two"] {
            place.create(gear);
            place.must(&["gear", "start", gear]);
        }
        assert_eq!(Place::daemons().len(), 2);
        let (_, seen) = place.bash("one", "ps -e -o args=");
        assert!(seen.starts_with("cart-supervisor"), "{seen}");
        assert_eq!(seen.matches("kept-daemon").count(), 1, "{seen}");
        assert_eq!(seen.lines().count(), 3, "supervisor, daemon, ps: {seen}");
        // What one script began, another can look into, as `lsof` does.
        place.must(&["gear", "reload", "one"]);
        let looked = std::fs::read_to_string(place.home("one").join("app-root/data/looked"));
        let looked = looked.unwrap();
        assert!(looked.contains("/data/kept-daemon\n0\n1\n2\n"), "{place:?}: {looked}");
        assert_eq!(place.bash("one", "killall -9 kept-daemon").0, 0);
        Host::until(|| Place::daemons().len() == 1);
        // Its dead are buried, and nothing of whoever called is open in its supervisor.
        assert!(!place.bash("one", "ps -e -o stat=").1.contains('Z'));
        let supervisor = place.supervisor().unwrap();
        let open = std::fs::read_dir(format!("/proc/{supervisor}/fd")).unwrap().flatten();
        let open = open.map(|entry| std::fs::read_link(entry.path()).unwrap());
        assert_eq!(open.filter(|file| file.to_string_lossy().starts_with("pipe:")).count(), 0);
        // Neither can it end the first process of its namespace.
        place.bash("two", "kill -9 1; kill 1");
        let found = place.json(&["status"]);
        let found: Vec<_> =
            found["gears"].as_array().unwrap().iter().map(|one| one["found"].clone()).collect();
        assert_eq!(found, ["failing", "running"]);
        for gear in ["one", "two"] {
            place.must(&["gear", "destroy", gear]);
        }
    }
}

#[test]
fn the_kernel_refuses_what_is_not_the_gears() {
    let _alone = alone();
    if !Path::new("/proc/sys/kernel").exists() || cartwright::sys::landlock::version() == 0 {
        println!("SKIP: story::confined_landlock: this kernel has no Landlock");
        return;
    }
    for place in places("confined_landlock") {
        // Everybody may write here, and read there, but for Landlock.
        let outside = place.temp.join("outside");
        std::fs::create_dir(&outside).unwrap();
        std::fs::set_permissions(&outside, std::fs::Permissions::from_mode(0o777)).unwrap();
        place.create("one");
        place.create("two");
        let target = outside.join("file");
        std::fs::write(place.temp.join("secret"), "secret").unwrap();
        let tries = format!(
            "touch {0}; mkdir {0}; cat {1}; ls {2}; touch $OPENSHIFT_DATA_DIR/mine && \
             touch $OPENSHIFT_TMP_DIR/mine && echo x >/dev/null && \
             head -c 1 /dev/urandom >/dev/null && mv $OPENSHIFT_TMP_DIR/mine $OPENSHIFT_DATA_DIR/",
            target.display(),
            place.home("two").join(".env/OPENSHIFT_SECRET_TOKEN").display(),
            place.temp.join("host/var/lib/cartwright").display(),
        );
        let (status, said) = place.bash("one", &tries);
        assert_eq!(status, 0, "{place:?}: {said}");
        assert_eq!(said.matches("Permission denied").count(), 4, "{place:?}: {said}");
        assert!(!target.exists(), "{place:?}: {said}");
        // A script that is refused says so, and its failure is the transaction's.
        std::fs::write(place.home("one").join("app-root/data/outside"), target.to_str().unwrap())
            .unwrap();
        let (status, said) = place.run(&["gear", "start", "one"]);
        assert_eq!(status, 9, "{place:?}: {said}");
        assert!(said.contains("Permission denied") && said.contains("control"), "{said}");
        assert!(!target.exists() && place.records().is_empty(), "{place:?}");
        for gear in ["one", "two"] {
            place.must(&["gear", "destroy", gear]);
        }
    }
}

#[test]
fn temporary_folders_are_the_gears_own() {
    let _alone = alone();
    let name = format!("cart-confined-{}", std::process::id());
    for place in spaces("confined_tmp") {
        place.create("one");
        place.must(&["gear", "start", "one"]);
        let write =
            "for d in /tmp /var/tmp /dev/shm; do echo $d >$d/NAME; done".replace("NAME", &name);
        assert_eq!(place.bash("one", &write), (0, String::new()), "{place:?}");
        for folder in ["/tmp", "/var/tmp", "/dev/shm"] {
            assert!(!Path::new(folder).join(&name).exists(), "{folder}");
        }
        assert!(place.home("one").join(".tmp").join(&name).exists());
        // A link in its place leads nowhere, and the way out of the namespaces is no way.
        place.must(&["gear", "stop", "one"]);
        let (tmp, aside) = (place.home("one").join(".tmp"), place.home("one").join("aside"));
        std::fs::rename(&tmp, &aside).unwrap();
        std::os::unix::fs::symlink(&place.temp, &tmp).unwrap();
        let (status, said) = place.run(&["gear", "start", "one"]);
        assert!(status != 0 && said.contains("namespaces"), "{status} {said}");
        std::fs::remove_file(&tmp).unwrap();
        std::fs::rename(&aside, &tmp).unwrap();
        place.must(&["gear", "start", "one"]);
        // Where the program itself lies below /tmp, that is a folder in memory with it as a hole.
        let kept = if Path::new(env!("CARGO_BIN_EXE_cart")).starts_with("/tmp") {
            "/var/tmp"
        } else {
            "/tmp"
        };
        assert_eq!(place.bash("one", &format!("cat {kept}/{name}")), (0, "/var/tmp\n".into()));
        assert_eq!(place.bash("one", &write), (0, String::new()), "{place:?}");
        // Every script of the running gear sees the same.
        assert_eq!(place.bash("one", &format!("cat /dev/shm/{name}")), (0, "/dev/shm\n".into()));
        place.must(&["gear", "destroy", "one"]);
    }
}

#[test]
fn without_its_supervisor_a_gear_is_told_to_be_down_and_starts_again() {
    let _alone = alone();
    for place in spaces("confined_supervisor") {
        place.create("one");
        place.must(&["gear", "start", "one"]);
        let supervisor = place.supervisor().unwrap();
        let kill = |id: u32| Command::new("kill").arg("-9").arg(id.to_string()).status().unwrap();
        assert!(kill(supervisor).success());
        Host::until(|| Place::daemons().is_empty());
        let status = place.json(&["status"]);
        assert_eq!(status["gears"][0]["found"], "failing", "{status}");
        assert_eq!(status["gears"][0]["processes"], 0);
        place.must(&["gear", "start", "one"]);
        assert_eq!(place.json(&["status"])["gears"][0]["found"], "running");
        // After another start of the host, the file speaks of processes that are somebody else's.
        let folder = place.temp.join("host/var/lib/cartwright/running");
        let record = folder.join(place.records().first().unwrap());
        let text = std::fs::read_to_string(&record).unwrap();
        let now = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap();
        assert!(text.contains(now.trim()), "{text}");
        let second = place.supervisor().unwrap();
        assert!(kill(second).success());
        Host::until(|| Place::daemons().is_empty());
        std::fs::write(&record, text.replace(now.trim(), "another")).unwrap();
        assert_eq!(place.json(&["status"])["gears"][0]["found"], "failing");
        place.must(&["gear", "boot", "one"]);
        assert_eq!(place.json(&["status"])["gears"][0]["found"], "running");
        place.must(&["gear", "destroy", "one"]);
        place.must(&["recover"]);
        assert!(place.records().is_empty() && place.groups().is_empty(), "{place:?}");
    }
}

#[test]
fn a_command_that_is_killed_leaves_nothing_of_a_gear_that_does_not_run() {
    let _alone = alone();
    for place in spaces("confined_killed") {
        place.create("one");
        let mut child =
            place.command(&["gear", "exec", "one", "--", "sleep", "4322"]).spawn().unwrap();
        Host::until(|| !place.records().is_empty() && place.supervisor().is_some());
        let supervisor = place.supervisor().unwrap();
        child.kill().unwrap();
        child.wait().unwrap();
        Host::until(|| !cartwright::sys::process::is_alive(supervisor));
        place.must(&["recover"]);
        assert!(place.records().is_empty() && place.groups().is_empty(), "{place:?}");
        place.must(&["gear", "destroy", "one"]);
    }
}

/// What a gear may have together, tried with small numbers.
#[test]
fn a_fork_bomb_and_an_eater_of_memory_meet_the_limits() {
    let _alone = alone();
    for place in places("confined_limits") {
        place.settings("gears:\n  process_limit: 40\n  memory_limit: 67108864\n");
        place.create("one");
        place.must(&["gear", "start", "one"]);
        let status = place.json(&["gear", "status", "one"]);
        let name = format!("{place:?}").replace(", ", "_").to_lowercase();
        if status["process_limit"].is_null() {
            assert_eq!((place.caller, place.level), (Caller::Nobody, "plain"), "{status}");
            println!("SKIP: story::confined_forks_{name}: the kernel counts nothing for it here");
        } else {
            assert_eq!(status["process_limit"], 40, "{place:?}");
            let began = Instant::now();
            let bomb = "for n in $(seq 100); do sleep 2 & done; wait; echo survived";
            let (_, said) = place.bash("one", bomb);
            assert!(said.contains("Resource temporarily unavailable"), "{place:?}: {said}");
            assert!(began.elapsed() < Duration::from_secs(60));
            // Once they have ended there is room again.
            Host::until(|| place.bash("one", "true").0 == 0);
        }
        if status["memory_limit"].is_null() {
            assert_eq!(place.caller, Caller::Nobody, "{status}");
            println!("SKIP: story::confined_memory_{name}: no control group may be made here");
        } else {
            assert_eq!(status["memory_limit"], 64 << 20, "{place:?}");
            let said = place.must(&[
                "gear",
                "exec",
                "one",
                "--",
                "oo-cgroup-read",
                "memory.limit_in_bytes",
            ]);
            assert_eq!(said, "67108864\n");
            let eat = "perl -e '$x = \"x\" x (300 << 20); print \"ate it all\"'";
            let (status, said) = place.bash("one", eat);
            assert!(status != 0 && !said.contains("ate it all"), "{place:?}: {status} {said}");
        }
        let (_, said) = place.bash("one", "echo $OPENSHIFT_GEAR_MEMORY_MB");
        assert_eq!(said, "64\n");
        place.must(&["gear", "destroy", "one"]);
        assert!(place.groups().is_empty(), "{place:?}: {:?}", place.groups());
    }
}
