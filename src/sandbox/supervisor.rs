//! The first process of a gear's namespaces, as it runs: this same program under another name.
//!
//! It makes the namespaces, gives up every right, and from then on runs scripts for `cart` and buries
//! the dead. It holds no database and no lock. Until it is told to stay it ends with the `cart` that
//! began it, and with it everything in the gear.
//!
//! Its standard input is the end of a wire of its own, into which errands are put: only who may
//! trace it can take that end, which are root, or the user whose gear it is. No name leads there.

use super::User;
use super::children::Children;
use super::confinement::Reach;
use super::mounts::{self, View};
use crate::sys::landlock::Access;
use crate::sys::namespace::{self, Side};
use crate::sys::{cgroup, packets, process};
use rustix::event::{PollFd, PollFlags, poll};
use rustix::fs::{CWD, Mode, OFlags, openat};
use rustix::process::{Signal, WaitOptions, set_parent_process_death_signal, wait};
use std::fs::File;
use std::io::{self, Read, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};

/// The name under which this program is the supervisor of a gear.
pub const SUPERVISOR: &str = "cart-supervisor";
/// What it is told when it is to stay.
pub(super) const STAY: [u8; 1] = *b"s";
/// The number of the descriptor into which errands are put.
pub(super) const DOOR: i32 = 0;

/// What a supervisor is told, in one line.
#[derive(Debug, Default, serde::Serialize, serde::Deserialize)]
pub(super) struct Orders {
    pub(super) user: Option<User>,
    pub(super) view: View,
    pub(super) groups: Vec<PathBuf>,
    pub(super) reach: Reach,
    /// What is written to when it was handed in open, and not seen otherwise.
    pub(super) handed_in: Option<PathBuf>,
}

/// Supervises a gear, as standard input says; gives the exit status.
pub fn supervise() -> u8 {
    let wire = io::stdin().as_fd().try_clone_to_owned().map(UnixStream::from);
    let Ok(mut wire) = wire else { return 1 };
    match begin(&mut wire) {
        Ok(None) => 0,
        Ok(Some((bell, children))) => stay(wire, &bell, children),
        Err(error) => {
            // Whoever reads it may have gone; then nobody needs it.
            let _ = say(&mut wire, &format!("error {error}"));
            1
        }
    }
}

/// Makes the namespaces; in their first process it gives the bell that rings for the dead.
fn begin(wire: &mut UnixStream) -> io::Result<Option<(UnixStream, Children)>> {
    // From here on there is one descriptor of the wire, and one place that closes it.
    rustix::stdio::dup2_stdin(null()?)?;
    let orders: Orders = serde_json::from_slice(&read_orders(wire)?)?;
    set_parent_process_death_signal(Some(Signal::KILL))?;
    for door in cgroup::doors(&orders.groups) {
        cgroup::enter(&door)?;
    }
    rustix::process::setsid()?;
    namespace::begin()?;
    match namespace::fork()? {
        Side::Parent(id) => say(wire, &format!("pid {id}")).map(|()| None),
        Side::Child => first_process(wire, &orders).map(Some),
    }
}

/// The first process of the gear's process namespace.
fn first_process(wire: &mut UnixStream, orders: &Orders) -> io::Result<(UnixStream, Children)> {
    let handed_in = orders.handed_in.as_ref().map(|place| {
        openat(CWD, place, OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())
    });
    mounts::lay(&orders.view)?;
    rustix::process::chdir("/")?;
    // What `ps` shows of it.
    rustix::thread::set_name(c"cart-supervisor")?;
    let (bell, rung) = UnixStream::pair()?;
    bell.set_nonblocking(true)?;
    signal_hook::low_level::pipe::register(signal_hook::consts::SIGCHLD, rung)?;
    let (asked, door) = packets::pair()?;
    rustix::stdio::dup2_stdin(door)?;
    let rules = orders.reach.rules(&[])?;
    if let (Some(rules), Some(place)) = (&rules, handed_in.transpose()?) {
        rules.allow_open(&place, Access::Use)?;
    }
    if let Some(User { uid, gid }) = orders.user {
        namespace::become_user(uid, gid)?;
    }
    namespace::drop_capabilities()?;
    rules.map_or(Ok(()), |rules| rules.restrict())?;
    say(wire, "ready")?;
    Ok((bell, Children::new(asked)))
}

/// Runs scripts and buries the dead; ends with the other end of the wire, unless that has said that
/// it is to stay.
fn stay(wire: UnixStream, bell: &UnixStream, mut children: Children) -> u8 {
    let mut wire = Some(wire);
    loop {
        let mut ends = vec![PollFd::new(bell, PollFlags::IN)];
        ends.extend(wire.as_ref().map(|wire| PollFd::new(wire, PollFlags::IN)));
        let ours = ends.len();
        ends.extend(children.ends());
        if poll(&mut ends, None).is_err() {
            continue;
        }
        let told: Vec<bool> = ends.iter().map(|end| !end.revents().is_empty()).collect();
        drop(ends);
        children.take_up(told.get(ours..).unwrap_or_default());
        bury(bell, &mut children);
        if wire.is_some()
            && told.get(1) == Some(&true)
            && let Some(mut told) = wire.take()
        {
            let mut word = [0];
            if !matches!(told.read(&mut word), Ok(1) if word == STAY) {
                return 0;
            }
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "a device of the host")]
fn null() -> io::Result<OwnedFd> {
    Ok(File::open(Path::new("/dev/null"))?.into())
}

fn bury(mut bell: &UnixStream, children: &mut Children) {
    let mut strokes = [0; 64];
    // Several deaths may have rung once, and one stroke be late: the dead are asked for anyway.
    while matches!(bell.read(&mut strokes), Ok(count) if count > 0) {}
    while let Ok(Some((id, status))) = wait(WaitOptions::NOHANG) {
        children.ended(id, status);
    }
}

/// Says a line in one piece: two processes speak at the same end.
fn say(wire: &mut UnixStream, line: &str) -> io::Result<()> {
    wire.write_all(format!("{line}\n").as_bytes())
}

/// Sends the orders, after their length.
pub(super) fn send_orders(wire: &mut UnixStream, orders: &Orders) -> io::Result<()> {
    let text = serde_json::to_vec(orders)?;
    let length = u32::try_from(text.len()).map_err(io::Error::other)?;
    wire.write_all(&length.to_le_bytes())?;
    wire.write_all(&text)
}

fn read_orders(wire: &mut UnixStream) -> io::Result<Vec<u8>> {
    let mut length = [0; 4];
    wire.read_exact(&mut length)?;
    let mut text = Vec::new();
    wire.take(u32::from_le_bytes(length).into()).read_to_end(&mut text)?;
    Ok(text)
}

/// A line of the wire, byte by byte: what follows it is for somebody else.
pub(super) fn read_line(wire: &mut UnixStream) -> io::Result<String> {
    let mut line = Vec::new();
    let mut byte = [0];
    loop {
        // Unlike `read` it goes on after a signal: one of a child that ends comes just then, and no
        // handler makes the kernel go on with a read that has a time limit.
        wire.read_exact(&mut byte)?;
        if byte == *b"\n" {
            break;
        }
        line.extend_from_slice(&byte);
    }
    String::from_utf8(line).map_err(io::Error::other)
}

/// A command that is this same program under the name `name`.
pub(super) fn ourselves(name: &str) -> std::process::Command {
    use std::os::unix::process::CommandExt;
    process::keep_inherited_descriptors();
    // This way it is found even when the file was replaced meanwhile.
    let mut command = process::command(Path::new("/proc/self/exe"));
    command.arg0(name);
    command
}
