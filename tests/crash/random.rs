//! Kills and signals at times that nobody chose, and the same command once more afterwards.

use crate::host::Host;
use crate::{Depth, depth};
use rustix::process::{Pid, Signal, kill_process};
use std::time::Duration;

const CREATE: [&str; 5] = ["gear", "create", "blog", "PACKAGE", "--start"];

/// Runs `line` and sends `signal` after `delay`; gives the exit code, none where the signal killed.
fn signalled(host: &Host, line: &[&str], signal: Signal, delay: Duration) -> Option<i32> {
    let mut child = host.command(line).spawn().unwrap();
    std::thread::sleep(delay);
    // Not waited for yet, so the number is still this child's, even where it has ended.
    let id = Pid::from_raw(i32::try_from(child.id()).unwrap()).unwrap();
    let _gone_already = kill_process(id, signal);
    child.wait().unwrap().code()
}

/// A delay that moves through `range` without two tries being alike.
fn delay(attempt: u32, range: Duration) -> Duration {
    // The golden ratio's fraction: whatever the number of tries, they spread evenly.
    range.mul_f64((f64::from(attempt) * 0.618_033_988_75).fract())
}

/// What is there before and after an undisturbed run, and how long that takes.
fn undisturbed() -> (crate::Seen, crate::Seen, Duration) {
    let host = Host::new();
    let before = host.look();
    let start = std::time::Instant::now();
    host.must(&CREATE);
    (before, host.look(), start.elapsed())
}

#[test]
fn a_kill_at_any_time_leaves_before_or_after_and_the_command_works_again() {
    let (before, after, length) = undisturbed();
    let tries = if depth() == Depth::AllPairs { 200 } else { 20 };
    let mut completed = 0;
    for attempt in 0..tries {
        let host = Host::new();
        signalled(&host, &CREATE, Signal::KILL, delay(attempt, length));
        let what = format!("random kill {attempt}");
        host.must(&["recover"]);
        let now = host.look();
        assert!(now == before || now == after, "{what}\n{}", now.difference(&before, &after));
        host.agrees(&what);
        if now == after {
            completed += 1;
        } else {
            host.must(&CREATE);
        }
        host.must(&["gear", "destroy", "blog"]);
        host.agrees(&what);
    }
    println!("crash: {tries} random kills, {completed} after the commit");
    assert!(completed < tries, "no kill came before the commit");
}

#[test]
fn a_signal_at_any_time_leaves_the_host_as_it_was() {
    let (before, after, length) = undisturbed();
    let tries = if depth() == Depth::AllPairs { 100 } else { 20 };
    let mut answered = 0;
    for attempt in 0..tries {
        let (signal, code) =
            if attempt % 2 == 0 { (Signal::INT, 130) } else { (Signal::TERM, 143) };
        let host = Host::new();
        let ended = signalled(&host, &CREATE, signal, delay(attempt, length));
        let now = host.look();
        let what = format!("signal {attempt}, exit {ended:?}");
        if ended == Some(0) {
            assert!(now == after, "{what}\n{}", now.difference(&before, &after));
        } else {
            // No code: it came before the handler stood, and nothing had begun.
            assert!(ended.is_none_or(|ended| ended == code), "{what}");
            assert!(now == before, "{what}\n{}", now.difference(&before, &after));
            answered += usize::from(ended.is_some());
        }
        host.agrees(&what);
    }
    println!("crash: {tries} signals, {answered} answered");
    assert!(answered > 0, "no signal came while it worked");
}

#[test]
fn a_recovery_that_is_cut_off_again_and_again_is_left_to_whoever_asks_for_it() {
    let host = Host::new();
    let before = host.look();
    let passed = Host::new().passed(&CREATE);
    let last = passed.iter().position(|one| one.ends_with("everything is durable but the commit"));
    assert!(host.killed(&CREATE, last.unwrap() + 1));
    for attempt in 1..=3 {
        assert!(host.killed(&CREATE, 2), "the recovery {attempt} is reached by any command");
    }
    let mut command = host.command(&CREATE);
    let refused = command.stderr(std::process::Stdio::piped()).output().unwrap();
    let said = String::from_utf8_lossy(&refused.stderr);
    assert!(!refused.status.success() && said.contains("each of 3 attempts"), "{said}");
    host.must(&["recover"]);
    let now = host.look();
    assert!(now == before, "{}", now.difference(&before, &before));
    host.agrees("given up");
    host.must(&CREATE);
}
