//! Real scripts, with every habit that real cartridges have.

use super::{Capture, CommandLine, Leftovers, Outcome, Script, Sourced, Status, Time, User, run};
use crate::sys::fs::Dir;
use crate::sys::process::{self, Limits};
use crate::sys::{host, random};
use std::collections::BTreeMap;
use std::ffi::OsString;
use std::time::{Duration, Instant};

struct Place {
    temp: tempfile::TempDir,
    dir: Dir,
    env: BTreeMap<String, OsString>,
    marks: Vec<(String, String)>,
    leftovers: Leftovers,
    time: Time,
    user: Option<User>,
    keep: u64,
}

impl Place {
    fn new() -> Self {
        let temp = tempfile::tempdir().unwrap();
        let dir = Dir::open(temp.path()).unwrap();
        dir.make_dir("log", 0o700).unwrap();
        Self {
            dir,
            temp,
            env: [("PATH".to_owned(), "/usr/bin:/bin".into())].into(),
            marks: vec![("CART_TEST_RUN".into(), random::hex(8).unwrap())],
            leftovers: Leftovers::End,
            time: Time { limit: Duration::from_secs(30), grace: Duration::from_secs(1) },
            user: None,
            keep: 1 << 16,
        }
    }

    fn file(&self, name: &str, text: &str, mode: u32) -> std::path::PathBuf {
        self.dir.remove_file(name).unwrap();
        self.dir.write_new(name, text.as_bytes(), mode).unwrap();
        self.dir.set_mode(name, mode).unwrap();
        self.temp.path().join(name)
    }

    fn run_line(&self, line: &CommandLine) -> Outcome {
        let folder = self.dir.dir("log").unwrap();
        let capture = Capture { folder: &folder, name: "7.1", keep: self.keep };
        run(&Script {
            line,
            folder: self.temp.path(),
            env: &self.env,
            marks: &self.marks,
            user: self.user,
            confinement: None,
            limits: Limits::default(),
            time: self.time,
            leftovers: self.leftovers,
            capture,
        })
        .unwrap()
    }

    fn bash(&self, text: &str) -> Outcome {
        let file = self.file("script", text, 0o755);
        self.run_line(&CommandLine::of(&file, ["one", "two words"]).unwrap())
    }

    fn marked(&self) -> usize {
        let (name, value) = &self.marks[0];
        process::marked(&[format!("{name}={value}")]).unwrap().len()
    }
}

#[test]
fn output_status_and_arguments_come_through() {
    let place = Place::new();
    let outcome = place.bash("#!/bin/bash\necho \"$# $2\"; echo oops >&2; pwd; exit 3\n");
    assert_eq!(outcome.status, Status::Exited(3));
    assert!(!outcome.is_success());
    assert_eq!(outcome.stdout.text, format!("2 two words\n{}\n", place.temp.path().display()));
    assert_eq!((outcome.stderr.text.as_str(), outcome.stderr.total), ("oops\n", 5));
    let killed = place.bash("kill -9 $$\n");
    assert_eq!(killed.status, Status::Signalled(9));
}

#[test]
fn scripts_without_bit_or_first_line_run_and_every_shell_is_bash() {
    let place = Place::new();
    for (text, mode) in [
        ("[[ a == a ]] && echo ${BASH_VERSION:+bash}\n", 0o644),
        ("#!/bin/bash\necho ${BASH_VERSION:+bash}\n", 0o644),
        ("#!/bin/sh\nsource /dev/null; echo ${BASH_VERSION:+bash}\n", 0o755),
    ] {
        let file = place.file("script", text, mode);
        let outcome = place.run_line(&CommandLine::of(&file, [""; 0]).unwrap());
        assert_eq!(outcome.stdout.text, "bash\n", "{text}");
    }
}

#[test]
fn the_environment_is_what_was_given_and_nothing_else() {
    let mut place = Place::new();
    place.env.insert("A".into(), "b=c\nd".into());
    let file = place.file("print", "#!/usr/bin/env -S cat /proc/self/environ\n", 0o755);
    let outcome = place.run_line(&CommandLine::of(&file, [""; 0]).unwrap());
    let mut all: Vec<&str> = outcome.stdout.text.split('\0').filter(|e| e.contains('=')).collect();
    all.retain(|entry| !entry.starts_with('#'));
    all.sort_unstable();
    let mark = format!("CART_TEST_RUN={}", place.marks[0].1);
    assert_eq!(all, ["A=b=c\nd", &mark, "PATH=/usr/bin:/bin"]);
}

#[test]
fn it_begins_with_a_plain_umask_no_descriptors_and_no_input() {
    let place = Place::new();
    let _held = place.dir.open_file(place.file("x", "", 0o600).file_name().unwrap()).unwrap();
    let outcome = place.bash(
        "umask; cat; for fd in /proc/$$/fd/*; do [ -e $fd ] && echo ${fd##*/}; done; ulimit -c\n",
    );
    assert_eq!(outcome.stdout.text, "0022\n0\n1\n2\n255\n0\n");
}

#[test]
fn a_daemon_that_keeps_the_outputs_open_hangs_nobody() {
    let mut place = Place::new();
    place.leftovers = Leftovers::Keep;
    let began = Instant::now();
    let outcome = place.bash("sleep 600 & setsid sleep 601 & echo started\n");
    assert!(began.elapsed() < Duration::from_secs(5));
    assert_eq!((outcome.stdout.text.as_str(), outcome.ended_leftovers), ("started\n", 0));
    assert_eq!(place.marked(), 2, "what `start` starts stays");

    place.marks.push(("CART_TEST_STEP".into(), "stop".into()));
    place.leftovers = Leftovers::End;
    let again = place.bash("sleep 602 & echo done\n");
    assert_eq!(again.ended_leftovers, 1, "its own, not those of the run before");
    assert_eq!(place.marked(), 2);
    place.marks.truncate(1);
    assert_eq!(place.bash("true\n").ended_leftovers, 2);
    assert_eq!(place.marked(), 0);
}

#[test]
fn a_stop_that_waits_for_the_process_to_be_gone_sees_it_go() {
    let mut place = Place::new();
    place.leftovers = Leftovers::Keep;
    place.bash("setsid sleep 603 & echo $! >pid; sleep 0.1\n");
    let began = Instant::now();
    let stop = "pid=$(cat pid); kill $pid; while kill -0 $pid 2>/dev/null; do sleep 0.05; done\n";
    assert!(place.bash(stop).is_success());
    let both = format!("(setsid sleep 604 & echo $! >pid); sleep 0.2; {stop}");
    assert!(place.bash(&both).is_success(), "also one that the same script began");
    assert!(began.elapsed() < Duration::from_secs(10), "{:?}", began.elapsed());
}

#[test]
fn everything_ends_when_the_time_is_over() {
    let mut place = Place::new();
    place.time.limit = Duration::from_millis(400);
    for text in [
        "(setsid sleep 604 &); sleep 605\n",
        "trap '' TERM; (trap '' TERM; sleep 606) & while true; do sleep 607; done\n",
        "setsid bash -c 'trap \"\" TERM; sleep 608 & wait; sleep 609' & wait\n",
        "(env -i /usr/bin/setsid /bin/sleep 610 & sleep 0.2) & sleep 611\n",
    ] {
        let began = Instant::now();
        let outcome = place.bash(text);
        assert_eq!(outcome.status, Status::TimedOut, "{text}");
        assert!(began.elapsed() < Duration::from_secs(6), "{text}: {:?}", began.elapsed());
        assert_eq!(place.marked(), 0, "{text}");
    }
    let me = std::process::id();
    let mine = process::below(me).unwrap().into_iter().map(|one| one.id);
    let stray = mine.filter(|id| *id != me).find(|id| {
        let line = Dir::open("/proc".as_ref()).unwrap().read(format!("{id}/cmdline"), 999);
        line.is_ok_and(|line| line.windows(3).any(|three| three == b"610"))
    });
    assert_eq!(stray, None, "without its marks, in a session of its own, seen before");
}

#[test]
fn long_output_is_cut_in_the_middle_and_endless_output_ends_the_script() {
    let mut place = Place::new();
    place.keep = 1000;
    let outcome = place.bash("echo first; head -c 5000 /dev/zero | tr '\\0' x; echo; echo last\n");
    assert_eq!(outcome.stdout.total, 6 + 5000 + 1 + 5);
    assert!(outcome.stdout.text.starts_with("first\nxxx"));
    assert!(outcome.stdout.text.ends_with("xxx\nlast\n"));
    assert!(outcome.stdout.text.contains("[4012 bytes are left out here]"));
    assert!(outcome.stdout.text.len() < 1100);
    assert_eq!(outcome.stdout.whole_lines(), "first\nlast\n");
    let endless = place.bash("yes >&2\n");
    assert_eq!(endless.status, Status::Flooded);
    assert_eq!(place.marked(), 0);
}

#[test]
fn control_runs_between_sourced_hooks_and_the_first_failure_ends_it() {
    let place = Place::new();
    let before = [
        place.file("pre $(touch bad)", "export FROM_HOOK=yes; echo \"pre $#\"\n", 0o644),
        place.file("pre2", "echo pre2\n", 0o644),
    ];
    let after = [place.file("post", "echo post\n", 0o644)];
    let control = place.file("control", "echo \"$1 $2 $FROM_HOOK\"\n", 0o644);
    let sourced = Sourced { before: &before, after: &after };
    let line = CommandLine::control(&control, ["start", "a; b"], &sourced).unwrap();
    let outcome = place.run_line(&line);
    assert_eq!(outcome.stdout.text, "pre 0\npre2\nstart a; b yes\npost\n");
    assert!(!place.dir.has("bad").unwrap());
    place.file("pre2", "false\n", 0o644);
    let failed = place.run_line(&line);
    assert_eq!((failed.status, failed.stdout.text.as_str()), (Status::Exited(1), "pre 0\n"));
    place.file("pre2", "true\n", 0o644);
    place.file("control", "exit 7\n", 0o644);
    let failed = place.run_line(&line);
    assert_eq!((failed.status, failed.stdout.text.as_str()), (Status::Exited(7), "pre 0\n"));
    let bare = CommandLine::control(&control, ["x"], &Sourced::default()).unwrap();
    assert_eq!(place.run_line(&bare).status, Status::Exited(7));
}

#[test]
fn as_root_a_script_has_its_account_and_nothing_of_roots() {
    if !host::is_root() {
        return; // Another account needs root.
    }
    let mut place = Place::new();
    place.user = Some(User { uid: 23_456, gid: 23_457 });
    place.dir.set_mode("", 0o755).unwrap();
    let outcome = place.bash(
        "id -u; id -g; id -G; grep -E '^(CapEff|NoNewPrivs)' /proc/self/status | tr -d '\\t'
         echo reopened >/dev/stderr; cat /etc/shadow >/dev/null 2>&1 || echo no\n",
    );
    assert_eq!(
        outcome.stdout.text,
        "23456\n23457\n23457\nCapEff:0000000000000000\nNoNewPrivs:1\nno\n"
    );
    assert_eq!(outcome.stderr.text, "reopened\n");
}

#[test]
fn what_cannot_start_is_an_error_with_a_remedy() {
    use crate::error::Explain;
    let place = Place::new();
    let file = place.file("script", "true\n", 0o755);
    let line = CommandLine::of(&file, [""; 0]).unwrap();
    let folder = place.dir.dir("log").unwrap();
    let script = Script {
        line: &line,
        folder: "/no/such/folder".as_ref(),
        env: &place.env,
        marks: &place.marks,
        user: None,
        confinement: None,
        limits: Limits::default(),
        time: place.time,
        leftovers: Leftovers::End,
        capture: Capture { folder: &folder, name: "x", keep: 10 },
    };
    assert!(run(&script).unwrap_err().hint().is_some());
    let long = [("X".to_owned(), OsString::from("x".repeat(200_000)))].into();
    let script = Script { env: &long, folder: place.temp.path(), ..script };
    assert!(run(&script).unwrap_err().hint().unwrap().contains("variables"));
}
