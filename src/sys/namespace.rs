//! Namespaces of the kernel: beginning them, entering those of another process, and giving up all
//! rights over them.
//!
//! For processes with a single thread, which is what the supervisor of a gear and the helper that
//! enters it are.

use super::process::Stamp;
use rustix::process::{Gid, Uid};
use rustix::thread::{CapabilitySet, CapabilitySets, ThreadNameSpaceType, UnshareFlags};
use std::io;
use std::os::fd::AsFd;
use std::path::Path;

/// Which of the two sides of a fork goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// The one that was there before, with the new one's id.
    Parent(u32),
    /// The new one.
    Child,
}

/// Begins a mount and a process namespace; the next child is the first process of the latter. An
/// ordinary user gets a user namespace around them, in which it stays the same user.
#[expect(unsafe_code, reason = "one system call; no descriptor table is unshared")]
pub fn begin() -> io::Result<()> {
    let (uid, gid) = (super::host::user_id(), super::host::group_id());
    let mut flags = UnshareFlags::NEWNS | UnshareFlags::NEWPID;
    if uid != 0 {
        flags |= UnshareFlags::NEWUSER;
    }
    // SAFETY: only CLONE_FILES is dangerous, and it is not among the flags.
    unsafe { rustix::thread::unshare_unsafe(flags) }?;
    if uid != 0 {
        write("/proc/self/setgroups", "deny")?;
        write("/proc/self/uid_map", &format!("{uid} {uid} 1"))?;
        write("/proc/self/gid_map", &format!("{gid} {gid} 1"))?;
    }
    Ok(())
}

#[expect(clippy::disallowed_methods, reason = "files of the kernel, which are written in place")]
fn write(path: &str, text: &str) -> io::Result<()> {
    std::fs::write(Path::new(path), text)
}

/// Makes a second process of this one, which must have a single thread.
#[expect(unsafe_code, reason = "fork has no safe form")]
pub fn fork() -> io::Result<Side> {
    // SAFETY: with one thread, no lock can be held by another one that the child lacks.
    match unsafe { libc::fork() } {
        0 => Ok(Side::Child),
        id if id > 0 => Ok(Side::Parent(u32::try_from(id).unwrap_or_default())),
        _ => Err(io::Error::last_os_error()),
    }
}

/// Moves this process into the mount namespace of `first`, and its next children into its process
/// namespace.
pub fn enter(first: Stamp) -> io::Result<()> {
    let handle = first.handle()?;
    let mut kinds = ThreadNameSpaceType::MOUNT | ThreadNameSpaceType::PROCESS_ID;
    if !super::host::is_root() {
        kinds |= ThreadNameSpaceType::USER;
    }
    Ok(rustix::thread::move_into_thread_name_spaces(handle.as_fd(), kinds)?)
}

/// Becomes the user and group, in no further group, and makes sure of it. System calls alone: fit
/// for the time between fork and exec.
pub fn become_user(uid: u32, gid: u32) -> io::Result<()> {
    let (user, group) = (Uid::from_raw(uid), Gid::from_raw(gid));
    rustix::thread::set_thread_groups(&[])?;
    rustix::thread::set_thread_res_gid(group, group, group)?;
    rustix::thread::set_thread_res_uid(user, user, user)?;
    let is_it = rustix::process::getuid() == user && rustix::process::geteuid() == user;
    if !is_it || rustix::thread::set_thread_uid(Uid::ROOT).is_ok() && uid != 0 {
        return Err(rustix::io::Errno::PERM.into());
    }
    Ok(())
}

/// Gives up every capability of this process for good.
pub fn drop_capabilities() -> io::Result<()> {
    let none = CapabilitySet::empty();
    let sets = CapabilitySets { effective: none, permitted: none, inheritable: none };
    rustix::thread::set_capabilities(None, sets)?;
    Ok(rustix::thread::set_no_new_privs(true)?)
}
