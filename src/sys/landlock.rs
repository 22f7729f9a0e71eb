//! Landlock: what a process, and all that it begins, may do to files, enforced by the kernel.
//!
//! Rules name directories and files by what they are, not by their paths, and only ever take rights
//! away. From version 2 of the interface on: version 1 forbids every rename between folders.

use rustix::fs::{CWD, FileType, Mode, OFlags, fstat, openat};
use std::io;
use std::os::fd::{AsFd, AsRawFd, FromRawFd, OwnedFd};
use std::path::Path;
use std::sync::OnceLock;

/// What may be done to a place and everything below it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Access {
    /// Reading and executing.
    Read,
    /// Reading, and writing into what exists: devices, files of `/proc`.
    Use,
    /// Everything that a place of one's own allows.
    Write,
}

const EXECUTE: u64 = 1;
const WRITE_FILE: u64 = 1 << 1;
const READ_FILE: u64 = 1 << 2;
const READ_DIR: u64 = 1 << 3;
/// Removing and making of every kind, and (version 2) moving between folders.
const CHANGE_DIR: u64 = 0b11_1111_1111 << 4;
const TRUNCATE: u64 = 1 << 14;
/// The rights that a single file has.
const OF_FILES: u64 = EXECUTE | WRITE_FILE | READ_FILE | TRUNCATE;

/// The least version of the interface that can be used.
const LEAST: i64 = 2;
const RULE_PATH_BENEATH: libc::c_int = 1;
const ASK_VERSION: u32 = 1;

/// What the kernel reads of a new ruleset in every version: the rights that it governs.
#[repr(C)]
struct RulesetAttr {
    handled: u64,
}

#[repr(C, packed)]
struct PathBeneathAttr {
    allowed: u64,
    parent: i32,
}

/// Rules in the making.
#[derive(Debug)]
pub struct Ruleset {
    rules: OwnedFd,
    handled: u64,
}

/// The version of the interface that this kernel has; 0 where it has none that can be used.
pub fn version() -> i64 {
    static VERSION: OnceLock<i64> = OnceLock::new();
    *VERSION.get_or_init(|| {
        let found = ask_version();
        if found < LEAST { 0 } else { found }
    })
}

#[expect(unsafe_code, reason = "no crate of ours knows this system call")]
fn ask_version() -> i64 {
    let nothing = std::ptr::null::<RulesetAttr>();
    // SAFETY: with this flag the kernel reads no memory and changes nothing.
    unsafe { libc::syscall(libc::SYS_landlock_create_ruleset, nothing, 0_usize, ASK_VERSION) }
}

impl Ruleset {
    /// Begins rules that allow nothing; nothing where the kernel cannot enforce any.
    #[expect(unsafe_code, reason = "no crate of ours knows this system call")]
    pub fn new() -> io::Result<Option<Self>> {
        let version = version();
        if version < LEAST {
            return Ok(None);
        }
        let truncate = if version >= 3 { TRUNCATE } else { 0 };
        let handled = EXECUTE | WRITE_FILE | READ_FILE | READ_DIR | CHANGE_DIR | truncate;
        let attr = RulesetAttr { handled };
        let size = size_of::<RulesetAttr>();
        // SAFETY: the structure lives longer than the call, and its size is told.
        let fd = unsafe {
            libc::syscall(libc::SYS_landlock_create_ruleset, &raw const attr, size, 0_u32)
        };
        let fd = i32::try_from(fd).unwrap_or(-1);
        if fd < 0 {
            return Err(io::Error::last_os_error());
        }
        // SAFETY: the kernel has just made this descriptor, and nobody else knows it.
        let rules = unsafe { OwnedFd::from_raw_fd(fd) };
        Ok(Some(Self { rules, handled }))
    }

    /// Allows `access` to what stands at `path`; nothing there is nothing allowed. A link is followed
    /// for reading alone: what is written to may have been replaced by one, by whom it is to hold.
    pub fn allow(&self, path: &Path, access: Access) -> io::Result<()> {
        let mut how = OFlags::PATH | OFlags::CLOEXEC;
        if access == Access::Write {
            how |= OFlags::NOFOLLOW;
        }
        match openat(CWD, path, how, Mode::empty()) {
            Ok(place) => match self.allow_open(&place, access) {
                // A socket or a pipe (`/dev/stdin`) is governed by no rule, and needs none.
                Err(error) if error.raw_os_error() == Some(libc::EBADFD) => Ok(()),
                done => done,
            },
            // What this user cannot reach, its scripts cannot reach either.
            Err(rustix::io::Errno::NOENT | rustix::io::Errno::ACCESS) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    /// Allows `access` to what is open there: a directory or a file.
    #[expect(unsafe_code, reason = "no crate of ours knows this system call")]
    pub fn allow_open(&self, place: &impl AsFd, access: Access) -> io::Result<()> {
        let is_folder = FileType::from_raw_mode(fstat(place)?.st_mode) == FileType::Directory;
        let read = EXECUTE | READ_FILE | READ_DIR;
        let wanted = match access {
            Access::Read => read,
            Access::Use => read | WRITE_FILE | TRUNCATE,
            Access::Write => read | WRITE_FILE | TRUNCATE | CHANGE_DIR,
        };
        let possible = if is_folder { self.handled } else { self.handled & OF_FILES };
        let allowed = wanted & possible;
        let parent = place.as_fd().as_raw_fd();
        let attr = PathBeneathAttr { allowed, parent };
        let rules = self.rules.as_raw_fd();
        // SAFETY: the structure lives longer than the call and has the shape that this kind of
        // rule has in every version; both descriptors are open.
        let done = unsafe {
            libc::syscall(
                libc::SYS_landlock_add_rule,
                rules,
                RULE_PATH_BENEATH,
                &raw const attr,
                0_u32,
            )
        };
        if done == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
    }

    /// Binds this process, and all that it begins, to the rules, for good. It must have given up
    /// gaining privileges. One system call: fit for the time between fork and exec.
    #[expect(unsafe_code, reason = "no crate of ours knows this system call")]
    pub fn restrict(&self) -> io::Result<()> {
        // SAFETY: the call reads no memory of ours.
        let done = unsafe {
            libc::syscall(libc::SYS_landlock_restrict_self, self.rules.as_raw_fd(), 0_u32)
        };
        if done == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
    }
}
