//! Starting and ending processes.
//!
//! A child begins in a session of its own with every descriptor but the standard ones closed, dies
//! with `cart`, and cannot gain privileges. Whole trees are found through `/proc` by a mark in
//! their environment, which survives a double fork and a new session.

mod marked;

use super::landlock::Ruleset;
use crate::error::FsError;
use rustix::io::FdFlags;
use rustix::process::{Pid, PidfdFlags, Resource, Rlimit, Signal, pidfd_open};
use std::collections::{HashMap, HashSet};
use std::io;
use std::os::fd::{AsRawFd, BorrowedFd, OwnedFd, RawFd};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Once;
use std::time::{Duration, Instant};

pub use marked::{Marked, marked, marked_among, with_variable};

/// The most that a child may use; only ever lowers what `cart` itself has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Limits {
    /// Open files.
    pub files: u64,
    /// Processes of the same user.
    pub processes: Option<u64>,
    /// The size of one file in bytes.
    pub file_size: Option<u64>,
}

impl Default for Limits {
    fn default() -> Self {
        Self { files: 4096, processes: None, file_size: None }
    }
}

/// Makes a command whose environment is empty and whose program is not looked up in a shell.
#[expect(clippy::disallowed_methods, reason = "this is the replacement that clippy.toml names")]
pub fn command(program: &Path) -> Command {
    let mut command = Command::new(program);
    command.env_clear();
    command
}

/// Lets `command` lead a session of its own: a Ctrl-C at the terminal is for `cart`, which ends what
/// it has begun in its own order.
#[expect(unsafe_code, reason = "the only way to act between fork and exec; one system call")]
pub fn own_session(command: &mut Command) {
    let lead = || -> io::Result<()> {
        rustix::process::setsid()?;
        Ok(())
    };
    // SAFETY: setsid is async-signal-safe, and nothing else happens between fork and exec.
    unsafe { command.pre_exec(lead) };
}

/// What a child is held to.
#[derive(Debug, Default)]
pub struct Confines {
    /// What each of its processes may use.
    pub limits: Limits,
    /// The user and group that it becomes; the caller's own where there is none.
    pub user: Option<(u32, u32)>,
    /// The doors of the control groups that it goes into.
    pub doors: Vec<std::fs::File>,
    /// What it may do to files.
    pub reach: Option<Ruleset>,
    /// Whether it may gain privileges, as by `sudo`: a program of the administrator's, never a
    /// package's.
    pub may_gain: bool,
}

/// Prepares `command` to run as a confined child: own session, no inherited descriptors, no core
/// dumps, the given limits, no new privileges, and death with `cart`.
pub fn confine(command: &mut Command, limits: Limits) {
    confine_as(command, Confines { limits, ..Confines::default() });
}

/// The same, as another user, in its control groups and within its reach.
#[expect(unsafe_code, reason = "the only way to act between fork and exec; system calls alone")]
pub fn confine_as(command: &mut Command, confines: Confines) {
    keep_inherited_descriptors();
    own_session(command);
    let confine = move || -> io::Result<()> {
        confines.take_effect()?;
        // After the change of users, which would take it back.
        rustix::process::set_parent_process_death_signal(Some(Signal::KILL))?;
        confines.shut()
    };
    // SAFETY: between fork and exec only async-signal-safe work is allowed; the closure makes
    // system calls through rustix, allocates nothing and touches no lock. Descriptors need no
    // closing here: every one that this program opens is close-on-exec (rustix, std), and so are by
    // now those that it was started with.
    unsafe { command.pre_exec(confine) };
}

/// Prepares `command` to be given the terminal: it stays in this session, as a shell needs it for its
/// jobs, but cannot gain privileges and gets no descriptors but the standard ones.
#[expect(unsafe_code, reason = "the only way to act between fork and exec; system calls alone")]
pub fn restrain_as(command: &mut Command, confines: Confines) {
    keep_inherited_descriptors();
    let restrain = move || -> io::Result<()> {
        confines.take_effect()?;
        confines.shut()
    };
    // SAFETY: as for `confine_as`: system calls through rustix, no allocation, no lock.
    unsafe { command.pre_exec(restrain) };
}

/// Lets `command` keep `file` open, and die with this process.
#[expect(unsafe_code, reason = "the only way to act between fork and exec; two system calls")]
pub fn hand_down(command: &mut Command, file: std::fs::File) {
    keep_inherited_descriptors();
    let keep = move || -> io::Result<()> {
        rustix::process::set_parent_process_death_signal(Some(Signal::KILL))?;
        rustix::io::fcntl_setfd(&file, FdFlags::empty())?;
        Ok(())
    };
    // SAFETY: as for `confine_as`: system calls through rustix, no allocation, no lock.
    unsafe { command.pre_exec(keep) };
}

impl Confines {
    fn take_effect(&self) -> io::Result<()> {
        for door in &self.doors {
            super::cgroup::enter(door)?;
        }
        lower(Resource::Core, 0);
        lower(Resource::Nofile, self.limits.files);
        if let Some(processes) = self.limits.processes {
            lower(Resource::Nproc, processes);
        }
        if let Some(size) = self.limits.file_size {
            lower(Resource::Fsize, size);
        }
        rustix::process::umask(rustix::fs::Mode::from_raw_mode(0o022));
        match self.user {
            Some((uid, gid)) => super::namespace::become_user(uid, gid),
            None => Ok(()),
        }
    }

    fn shut(&self) -> io::Result<()> {
        if !self.may_gain {
            rustix::thread::set_no_new_privs(true)?;
        }
        self.reach.as_ref().map_or(Ok(()), Ruleset::restrict)
    }
}

/// Marks the descriptors that this process was started with, beyond the standard ones, as not to be
/// handed on: whatever opened a file before it ran `cart` did not mean it for a gear.
#[expect(unsafe_code, reason = "a descriptor that somebody else opened has no owner here")]
pub fn keep_inherited_descriptors() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let open = super::fs::Dir::open(Path::new("/proc/self/fd")).and_then(|dir| dir.names());
        let numbers = open.unwrap_or_default();
        for fd in numbers.iter().filter_map(|name| name.to_str()?.parse::<RawFd>().ok()) {
            if fd > 2 {
                // SAFETY: the descriptor is borrowed for two calls and not closed. One that another
                // thread closes meanwhile gives an error, and one that it opens in its place is
                // close-on-exec already.
                let fd = unsafe { BorrowedFd::borrow_raw(fd) };
                let flags = rustix::io::fcntl_getfd(fd);
                // A descriptor that has gone is not handed on either.
                let _ = flags.map(|flags| rustix::io::fcntl_setfd(fd, flags | FdFlags::CLOEXEC));
            }
        }
    });
}

fn lower(resource: Resource, wanted: u64) {
    let now = rustix::process::getrlimit(resource);
    let lowered = |limit: Option<u64>| Some(limit.map_or(wanted, |limit| limit.min(wanted)));
    let limit = Rlimit { current: lowered(now.current), maximum: lowered(now.maximum) };
    // Lowering cannot be refused; a kernel that does not know the resource has nothing to limit.
    let _ = rustix::process::setrlimit(resource, limit);
}

/// Lets this process leave no core behind, whatever ends it.
pub fn dump_no_core() {
    lower(Resource::Core, 0);
}

/// Gives this process the usual file mode mask: trees that gears' users read must not depend on the
/// mask of whoever called.
pub fn set_umask() {
    rustix::process::umask(rustix::fs::Mode::from_raw_mode(0o022));
}

/// Lets SIGTERM come to this process when the one that has started it ends: who calls a hook may go
/// away without a word.
pub fn heed_end_of_parent() {
    // Without it the work goes on to its end, as if nobody had gone.
    let _ = rustix::process::set_parent_process_death_signal(Some(Signal::TERM));
}

/// Makes orphans of this process's children its own, so that they can be seen and reaped.
pub fn adopt_orphans() {
    // An old kernel without it only loses the reaping of strays.
    let _ = rustix::process::set_child_subreaper(Some(rustix::process::getpid()));
}

/// Lets more wait in the pipe `end`, so that who writes and who reads work side by side. Where the host
/// gives no more, what there is has to do.
pub fn widen(end: impl std::os::fd::AsFd) {
    let _ = rustix::pipe::fcntl_setpipe_size(end, 1 << 20);
}

/// One process, as `/proc` shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Process {
    /// Its id.
    pub id: u32,
    /// Its parent's id.
    pub parent: u32,
    /// Its state letter; `Z` is a zombie.
    pub state: char,
    /// Its real user id.
    pub user: u32,
    /// Whether it has memory, and so may have an environment: the kernel's own processes and those at
    /// their end have none.
    pub has_memory: bool,
}

/// Whose processes are looked at. Looking at one takes several system calls, passing one over a single
/// one: with hundreds of gears on a host, nearly all processes are those of others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Whose<'a> {
    /// Everybody's.
    All,
    /// Those of these users, and all that the kernel shows as root's: it does so, too, with one that
    /// hides its memory.
    Of(&'a [u32]),
}

impl Whose<'_> {
    fn includes(self, proc: &super::fs::Dir, id: u32) -> bool {
        let Self::Of(users) = self else { return true };
        let owner = proc.meta(id.to_string()).ok().flatten().map(|meta| meta.uid);
        owner.is_some_and(|owner| owner == 0 || users.contains(&owner))
    }
}

/// Lists the processes of this host.
pub fn all() -> Result<Vec<Process>, FsError> {
    all_of(Whose::All)
}

/// Lists those of some users.
pub fn all_of(whose: Whose<'_>) -> Result<Vec<Process>, FsError> {
    let proc = super::fs::Dir::open(Path::new("/proc"))?;
    let kernels = of_the_kernel(&proc);
    let ids = proc.names()?;
    let ids = ids.iter().filter_map(|name| name.to_str()?.parse::<u32>().ok());
    let ids = ids.filter(|id| !kernels.contains(id));
    // A process that ended since it was listed is simply not there any more.
    Ok(ids.filter(|id| whose.includes(&proc, *id)).filter_map(|id| look_at(&proc, id)).collect())
}

/// The kernel's own, which are most of a quiet host's, as far as it tells them at once: the children of
/// the process 2, where that is not somebody's.
fn of_the_kernel(proc: &super::fs::Dir) -> HashSet<u32> {
    const THEIR_PARENT: u32 = 2;
    let is_the_kernels = look_at(proc, THEIR_PARENT)
        .is_some_and(|one| one.parent == 0 && one.state != 'Z' && !one.has_memory);
    if !is_the_kernels {
        return HashSet::new();
    }
    let children = proc.read(format!("{THEIR_PARENT}/task/{THEIR_PARENT}/children"), 1 << 20);
    let children = String::from_utf8(children.unwrap_or_default()).unwrap_or_default();
    children.split_whitespace().filter_map(|id| id.parse().ok()).collect()
}

/// Lists the process `root` and all that descend from it, without looking at any other process of the
/// host; nothing on a kernel that does not tell who the children of a process are.
///
/// A child may be missed while another one of the same parent ends: who needs certainty asks until
/// the answer stays the same.
pub fn below(root: u32) -> Option<Vec<Process>> {
    let proc = super::fs::Dir::open(Path::new("/proc")).ok()?;
    if !proc.has(format!("{root}/task/{root}/children")).ok()? {
        return None;
    }
    let (mut found, mut next) = (Vec::new(), vec![root]);
    while let Some(id) = next.pop() {
        // One that ended since it was named is simply not there any more.
        let Some(process) = look_at(&proc, id) else { continue };
        found.push(process);
        let Ok(threads) = proc.dir(format!("{id}/task")).and_then(|dir| dir.names()) else {
            continue;
        };
        for thread in threads.iter().filter_map(|name| name.to_str()) {
            let children = proc.read(format!("{id}/task/{thread}/children"), 1 << 20);
            let children = String::from_utf8(children.unwrap_or_default()).unwrap_or_default();
            next.extend(children.split_whitespace().filter_map(|id| id.parse::<u32>().ok()));
        }
    }
    Some(found)
}

fn look_at(proc: &super::fs::Dir, id: u32) -> Option<Process> {
    let status = proc.read(format!("{id}/status"), 1 << 16).ok()?;
    let status = String::from_utf8_lossy(&status);
    let field = |name: &str| status.lines().find_map(|line| line.strip_prefix(name)).map(str::trim);
    Some(Process {
        id,
        parent: field("PPid:")?.parse().ok()?,
        state: field("State:")?.chars().next()?,
        user: field("Uid:")?.split_whitespace().next()?.parse().ok()?,
        has_memory: field("VmSize:").is_some(),
    })
}

/// A field of `/proc/PID/stat` behind the name, from the third on, as `proc_pid_stat(5)` counts them.
fn field_of(stat: &str, number: usize) -> Option<&str> {
    // The name may hold spaces and parentheses itself.
    stat.rsplit_once(')')?.1.split_whitespace().nth(number.checked_sub(3)?)
}

/// One process for good: an id is given anew, but never with the same time of its beginning.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Stamp {
    /// Its id.
    pub id: u32,
    /// When it began, in the kernel's ticks since this boot.
    pub began: u64,
}

impl Stamp {
    /// The stamp of the living process `id`.
    pub fn of(id: u32) -> Option<Self> {
        let proc = super::fs::Dir::open(Path::new("/proc")).ok()?;
        let stat = proc.read(format!("{id}/stat"), 4096).ok()?;
        let stat = String::from_utf8_lossy(&stat);
        let began = field_of(&stat, 22)?.parse().ok()?;
        (!matches!(field_of(&stat, 3)?, "Z" | "X")).then_some(Self { id, began })
    }

    /// Tells whether it still lives.
    pub fn is_alive(self) -> bool {
        Self::of(self.id) == Some(self)
    }

    /// A handle that means this process for good; `ESRCH` when it has gone.
    pub fn handle(self) -> io::Result<OwnedFd> {
        let gone = || io::Error::from(rustix::io::Errno::SRCH);
        let handle = handle_of(self.id)?;
        // Only now is it certain that the handle is of the right process.
        if self.is_alive() { Ok(handle) } else { Err(gone()) }
    }
}

/// A handle on a child of this process, or on any process that nobody buries meanwhile.
pub fn handle_of(id: u32) -> io::Result<OwnedFd> {
    let pid = i32::try_from(id).ok().and_then(Pid::from_raw);
    let pid = pid.ok_or_else(|| io::Error::from(rustix::io::Errno::SRCH))?;
    Ok(pidfd_open(pid, PidfdFlags::empty())?)
}

/// The id that the process of a handle has here, wherever the handle comes from; none once it has
/// been buried.
pub fn id_of(handle: &OwnedFd) -> Option<u32> {
    let proc = super::fs::Dir::open(Path::new("/proc")).ok()?;
    let told = proc.read(format!("self/fdinfo/{}", handle.as_raw_fd()), 4096).ok()?;
    let told = String::from_utf8_lossy(&told);
    let id = told.lines().find_map(|line| line.strip_prefix("Pid:"))?;
    id.trim().parse().ok().filter(|id| *id > 0)
}

/// Lists the living processes of the user `user`.
pub fn of_user(user: u32) -> Result<Vec<u32>, FsError> {
    let mine = |process: &Process| process.user == user && process.state != 'Z';
    Ok(all()?.into_iter().filter(mine).map(|process| process.id).collect())
}

/// The bytes of memory that a process holds now; nothing of one that has gone.
pub fn resident(id: u32) -> Option<u64> {
    let proc = super::fs::Dir::open(Path::new("/proc")).ok()?;
    let status = proc.read(format!("{id}/status"), 1 << 16).ok()?;
    let status = String::from_utf8_lossy(&status);
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kibibytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kibibytes << 10)
}

/// The files that standard outputs of the processes of this host lead into.
pub fn outputs() -> Result<HashSet<PathBuf>, FsError> {
    let proc = super::fs::Dir::open(Path::new("/proc"))?;
    let files = |process: Process| {
        [1, 2].map(|number| proc.link_target(format!("{}/fd/{number}", process.id)).ok())
    };
    Ok(all()?.into_iter().flat_map(files).flatten().collect())
}

/// The files that these processes have open for writing; those that go meanwhile have none.
pub fn written_by(ids: &[u32]) -> Result<HashSet<PathBuf>, FsError> {
    let proc = super::fs::Dir::open(Path::new("/proc"))?;
    let mut written = HashSet::new();
    for id in ids {
        let Ok(open) = proc.dir(format!("{id}/fd")) else { continue };
        for number in open.names().unwrap_or_default() {
            let number = number.to_string_lossy();
            let Ok(info) = proc.read(format!("{id}/fdinfo/{number}"), 4096) else { continue };
            let info = String::from_utf8_lossy(&info);
            let flags = info.lines().find_map(|line| line.strip_prefix("flags:"));
            let flags = flags.and_then(|text| u32::from_str_radix(text.trim(), 8).ok());
            // The two lowest bits are O_WRONLY and O_RDWR.
            if flags.is_some_and(|flags| flags & 3 != 0) {
                written.extend(open.link_target(&*number).ok());
            }
        }
    }
    Ok(written)
}

/// Tells whether a process with this id exists and is no zombie.
pub fn is_alive(id: u32) -> bool {
    super::fs::Dir::open(Path::new("/proc"))
        .ok()
        .and_then(|proc| look_at(&proc, id))
        .is_some_and(|process| process.state != 'Z')
}

/// Lists the ancestors of this process, the parent first.
pub fn ancestors() -> Result<Vec<u32>, FsError> {
    let parents: HashMap<u32, u32> = all()?.into_iter().map(|p| (p.id, p.parent)).collect();
    let mut line = Vec::new();
    let mut id = std::process::id();
    while let Some(parent) = parents.get(&id).copied().filter(|parent| *parent > 0) {
        if line.contains(&parent) {
            break;
        }
        line.push(parent);
        id = parent;
    }
    Ok(line)
}

/// Sends a signal to a process; one that has gone meanwhile is no error.
pub fn signal(id: u32, signal: Signal) {
    if let Some(pid) = i32::try_from(id).ok().and_then(Pid::from_raw) {
        let _ = rustix::process::kill_process(pid, signal);
    }
}

/// Ends every process that `find` gives: SIGTERM, up to `grace`, then SIGKILL until none is left.
/// Gives the number of processes that were ended.
pub fn end_all(
    find: impl Fn() -> Result<Vec<u32>, FsError>,
    grace: Duration,
) -> Result<usize, FsError> {
    let mut ended = HashSet::new();
    let mut terminated = HashSet::new();
    let until = Instant::now() + grace;
    let last = until + Duration::from_secs(5);
    loop {
        let found = find()?;
        if found.is_empty() || Instant::now() > last {
            return Ok(ended.len());
        }
        for id in found {
            ended.insert(id);
            if Instant::now() >= until {
                signal(id, Signal::KILL);
            } else if terminated.insert(id) {
                signal(id, Signal::TERM);
            }
        }
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// Reaps those of `orphans` that have ended, so that a script that waits for one sees it gone. They
/// must be adopted ones: reaping a child that somebody waits for would take its status away.
pub fn reap(orphans: &[u32]) {
    for pid in orphans.iter().filter_map(|id| Pid::from_raw(i32::try_from(*id).ok()?)) {
        // One that is not (yet) a child of this process is nobody to be reaped.
        let _ = rustix::process::waitpid(Some(pid), rustix::process::WaitOptions::NOHANG);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn descendants_are_found_without_a_look_at_the_others() {
        let mut shell = command(Path::new("/bin/bash"));
        shell.args(["-c", "(sleep 60 & sleep 60 & echo; wait) & wait"]);
        let mut child = shell.stdout(std::process::Stdio::piped()).spawn().unwrap();
        let mut line = [0];
        io::Read::read_exact(child.stdout.as_mut().unwrap(), &mut line).unwrap();
        let until = Instant::now() + Duration::from_secs(10);
        // bash, its second shell, and two that may not be `sleep` yet.
        while below(child.id()).unwrap().len() != 4 && Instant::now() < until {
            std::thread::sleep(Duration::from_millis(10));
        }
        let found: HashSet<u32> = below(child.id()).unwrap().iter().map(|one| one.id).collect();
        // The same by a look at all: whose parent, or whose parent's parent, is the shell.
        let all = super::all().unwrap();
        let mut descent = HashSet::from([child.id()]);
        for _ in 0..2 {
            let born = all.iter().filter(|one| descent.contains(&one.parent)).map(|one| one.id);
            let born: Vec<u32> = born.collect();
            descent.extend(born);
        }
        assert_eq!((found.len(), &found), (4, &descent));
        for id in descent {
            signal(id, Signal::KILL);
        }
        child.wait().unwrap();
    }
}
