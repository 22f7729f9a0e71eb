//! Finding processes by marks in their environment.

use super::{Process, Whose, all, all_of, field_of};
use crate::error::FsError;
use crate::sys::fs::Dir;
use std::path::Path;
use std::time::{Duration, Instant};

/// How long a process may take to become another program, and between two looks at it.
const PATIENCE: Duration = Duration::from_secs(2);
const GLANCE: Duration = Duration::from_millis(1);

/// Lists the living processes whose environment has all `marks`, each as `NAME=value`; none when
/// there are no marks, as every process would have all of those.
pub fn marked(marks: &[String]) -> Result<Vec<u32>, FsError> {
    if marks.is_empty() { Ok(Vec::new()) } else { marked_among(&all()?, marks) }
}

/// The same, among processes that were looked at already: looking costs as much as there are.
pub fn marked_among(all: &[Process], marks: &[String]) -> Result<Vec<u32>, FsError> {
    if marks.is_empty() {
        return Ok(Vec::new());
    }
    let proc = Dir::open(Path::new("/proc"))?;
    let me = std::process::id();
    let alive = all.iter().filter(|process| process.has_memory && process.id != me);
    Ok(alive
        .filter(|process| {
            // The environment of other users' processes is unreadable, and they are not ours.
            let Some(environment) = environment(&proc, process.id) else { return false };
            let has = |(name, value): (&str, &str)| {
                value_in(&environment, name).is_some_and(|found| found == value.as_bytes())
            };
            marks.iter().all(|mark| mark.split_once('=').is_some_and(has))
        })
        .map(|process| process.id)
        .collect())
}

/// A living process, with what its environment says of one variable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Marked {
    /// Its id.
    pub id: u32,
    /// Its parent's id.
    pub parent: u32,
    /// Its real user id.
    pub user: u32,
    /// Whether it shows an environment; those of other users show none.
    pub shows_environment: bool,
    /// The variable's value, where it is set.
    pub value: Option<Vec<u8>>,
}

/// Lists the living processes but this one, with the value that the variable `name` has in each.
pub fn with_variable(name: &str, whose: Whose<'_>) -> Result<Vec<Marked>, FsError> {
    let proc = Dir::open(Path::new("/proc"))?;
    let me = std::process::id();
    let alive =
        all_of(whose)?.into_iter().filter(|process| process.state != 'Z' && process.id != me);
    Ok(alive
        .map(|process| {
            let environment = process.has_memory.then(|| environment(&proc, process.id));
            let environment = environment.flatten().unwrap_or_default();
            Marked {
                id: process.id,
                parent: process.parent,
                user: process.user,
                shows_environment: !environment.is_empty(),
                value: value_in(&environment, name).map(<[u8]>::to_vec),
            }
        })
        .collect())
}

/// The value of a variable. While bash begins it cuts each entry in two, for a moment, in the very
/// memory that the kernel shows: name and value are then told apart by a zero.
fn value_in<'a>(environment: &'a [u8], name: &str) -> Option<&'a [u8]> {
    let mut entries = environment.split(|byte| *byte == 0);
    while let Some(entry) = entries.next() {
        match entry.strip_prefix(name.as_bytes()) {
            Some([]) => return entries.next(),
            Some([b'=', value @ ..]) => return Some(value),
            _ => {}
        }
    }
    None
}

/// The environment of a process; nothing where that is not readable, or the process has gone.
///
/// For a moment while a process becomes another program the kernel shows no environment, neither the
/// old one nor the new: that is waited for. A busy host makes the moment long, and who was missed in it
/// would outlive everything that is to end it.
fn environment(proc: &Dir, id: u32) -> Option<Vec<u8>> {
    let until = Instant::now() + PATIENCE;
    loop {
        let environment = proc.read(format!("{id}/environ"), 1 << 22).ok()?;
        if !environment.is_empty() || Instant::now() >= until || has_none(proc, id)? {
            return Some(environment);
        }
        std::thread::sleep(GLANCE);
    }
}

/// Tells whether a process that shows no environment has none, and is not just becoming a program.
fn has_none(proc: &Dir, id: u32) -> Option<bool> {
    let stat = proc.read(format!("{id}/stat"), 4096).ok()?;
    has_none_by(&String::from_utf8_lossy(&stat))
}

/// What `proc_pid_stat(5)` says with `vsize`, `startcode`, `env_start` and `env_end`: the kernel's own
/// processes and those at their end have no memory; a program has its environment between two
/// addresses, and the address of its code last, once it is loaded.
fn has_none_by(stat: &str) -> Option<bool> {
    let field = |number| field_of(stat, number);
    let (memory, code, begin, end) = (field(23)?, field(26)?, field(50)?, field(51)?);
    Some(memory == "0" || (code != "0" && begin == end))
}

#[cfg(test)]
mod tests {
    use super::super::{Limits, command, confine, end_all};
    use super::*;

    #[test]
    fn a_marked_tree_is_found_and_ended_even_after_a_double_fork() {
        let mark = format!("CART_TEST_MARK={}", crate::sys::random::hex(8).unwrap());
        let (name, value) = mark.split_once('=').unwrap();
        let mut shell = command(Path::new("/bin/bash"));
        shell.env(name, value).env("PATH", "/usr/bin:/bin");
        shell.args(["-c", "(setsid sleep 600 &) ; exit 0"]);
        confine(&mut shell, Limits::default());
        shell.status().unwrap();
        let marks = [mark.clone()];
        assert_eq!(marked(&marks).unwrap().len(), 1);
        let ended = end_all(|| marked(&marks), Duration::from_secs(2)).unwrap();
        assert_eq!(ended, 1);
        assert!(marked(&marks).unwrap().is_empty());
    }

    #[test]
    fn of_some_users_are_all_of_theirs_and_none_of_another() {
        let mut sleep = command(Path::new("/bin/sleep"));
        let mut sleep = sleep.arg("600").spawn().unwrap();
        let me = rustix::process::getuid().as_raw();
        let finds = |users: &[u32]| {
            all_of(Whose::Of(users)).unwrap().iter().any(|process| process.id == sleep.id())
        };
        let (mine, others) = (finds(&[me]), finds(&[me + 1]));
        sleep.kill().unwrap();
        sleep.wait().unwrap();
        assert!(mine);
        assert_eq!(others, me == 0, "what is root's may be anybody's");
    }

    #[test]
    fn a_value_is_found_whole_or_cut_off_its_name() {
        let value = |environment: &[u8]| value_in(environment, "A").map(<[u8]>::to_vec);
        assert_eq!(value(b"AB=no\0A=x=y\0C=z\0"), Some(b"x=y".to_vec()));
        assert_eq!(value(b"AB=no\0A\0x=y\0C=z\0"), Some(b"x=y".to_vec()));
        assert_eq!(value(b"A=\0C=z\0"), Some(Vec::new()));
        assert_eq!(value(b"B=A\0C=z\0"), None);
    }

    #[test]
    fn a_program_that_is_still_being_loaded_is_told_from_one_without_an_environment() {
        let stat = |memory: &str, code: &str, end: &str| {
            let mut fields = vec!["7"; 50];
            (fields[20], fields[23], fields[48]) = (memory, code, end);
            has_none_by(&format!("12 (a ) b) {}", fields.join(" ")))
        };
        assert_eq!(stat("4096", "0", "7"), Some(false));
        assert_eq!(stat("4096", "140", "9"), Some(false));
        assert_eq!(stat("4096", "140", "7"), Some(true));
        assert_eq!(stat("0", "0", "7"), Some(true));
        assert_eq!(has_none_by("12 (cut off) S 1"), None);
        let proc = Dir::open(Path::new("/proc")).unwrap();
        assert_eq!(has_none(&proc, std::process::id()), Some(false));
    }

    #[test]
    fn who_becomes_another_program_all_the_time_is_never_missed() {
        let mark = format!("CART_TEST_MARK={}", crate::sys::random::hex(8).unwrap());
        let (name, value) = mark.split_once('=').unwrap();
        let mut shell = command(Path::new("/bin/bash"));
        shell.env(name, value).args(["-c", "exec \"$0\" -c \"$1\" \"$0\" \"$1\"", "/bin/bash"]);
        shell.arg("exec \"$0\" -c \"$1\" \"$0\" \"$1\"");
        let mut child = shell.spawn().unwrap();
        let marks = [mark.clone()];
        let me = [Process { id: child.id(), parent: 0, state: 'R', user: 0, has_memory: true }];
        let missed = (0..5000).filter(|_| marked_among(&me, &marks).unwrap().is_empty()).count();
        child.kill().unwrap();
        child.wait().unwrap();
        assert_eq!(missed, 0);
    }
}
