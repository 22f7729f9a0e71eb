//! Makes the account of a gear, and removes it.

use super::{Cx, Said, Step};
use crate::error::{Exit, Failure};
use crate::sys::fs;
use crate::sys::path::RelPath;
use crate::sys::process;
use std::path::Path;
use std::time::Duration;

/// How often an account is tried to be deleted, and how long it is waited in between.
const TRIES: u32 = 50;
const BETWEEN: Duration = Duration::from_millis(100);

/// An account of this host, without a password and outside every other group.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct MakeUser {
    /// Its name: the gear's identifier.
    pub name: String,
    /// Its user id.
    pub uid: u32,
    /// Its group id; the group has the same name.
    pub gid: u32,
    /// Its home, relative to the state directory.
    pub home: Option<RelPath>,
}

impl MakeUser {
    /// Removes the account `name`, when it is there and has that user id; a stranger's stays.
    pub fn remove(name: &str, uid: u32) -> Result<(), Failure> {
        if find(name)? == Some(uid) {
            delete(name)?;
        }
        // userdel removes the group of the same name, unless it found no user; a half-made
        // account may have left it.
        if group(name)?.is_some() {
            run("/usr/sbin/groupdel", &["--", name])?;
        }
        Ok(())
    }
}

impl Step for MakeUser {
    type Undo = ();

    fn describe(&self) -> String {
        format!("make the account `{}` with user id {}", self.name, self.uid)
    }

    fn prepare(&self, _cx: &Cx<'_>) -> Result<(), Failure> {
        if find(&self.name)?.is_none() {
            Ok(())
        } else {
            let taken = format!("the account `{}` exists already", self.name);
            Err(Failure::new(Exit::Conflict, taken).hint("try again"))
        }
    }

    fn apply(&self, _undo: &(), cx: &Cx<'_>) -> Result<Said, Failure> {
        if find(&self.name)? == Some(self.uid) {
            return Ok(Said::default());
        }
        let (uid, gid) = (self.uid.to_string(), self.gid.to_string());
        // With the same number, the group is made by the same program: each takes its time.
        let is_paired = self.uid == self.gid;
        let has_group = group(&self.name)?.is_some();
        if !has_group && !is_paired {
            run("/usr/sbin/groupadd", &["--gid", &gid, "--", &self.name])?;
        }
        let home = cx.state.path_of(self.home.as_ref().map_or("", RelPath::as_str));
        let home = home.display().to_string();
        let mut arguments = vec!["--uid", &uid, "--no-create-home", "--home-dir", &home];
        arguments.extend(["--shell", "/bin/bash"]);
        if has_group || !is_paired {
            arguments.extend(["--gid", &gid]);
        } else {
            arguments.push("--user-group");
        }
        arguments.extend(["--", &self.name]);
        run("/usr/sbin/useradd", &arguments)?;
        if group(&self.name)? == Some(self.gid) {
            return Ok(Said::default());
        }
        let other = format!("the group `{}` did not get the number {gid}", self.name);
        Err(Failure::new(Exit::Conflict, other).hint("try again: another program took it"))
    }

    fn revert(&self, _undo: &(), _cx: &Cx<'_>) -> Result<(), Failure> {
        Self::remove(&self.name, self.uid)
    }
}

/// Deletes an account. What was killed a moment ago may still be on its way out, and `userdel`
/// refuses an account that is in use.
fn delete(name: &str) -> Result<(), Failure> {
    for _ in 1..TRIES {
        if run("/usr/sbin/userdel", &["--", name]).is_ok() || find(name)?.is_none() {
            return Ok(());
        }
        std::thread::sleep(BETWEEN);
    }
    run("/usr/sbin/userdel", &["--", name])
}

fn find(name: &str) -> Result<Option<u32>, Failure> {
    Ok(number(&fs::read_text("/etc/passwd".as_ref())?, name))
}

/// The third field of the line of `name`, which is the number in both files.
fn number(lines: &str, name: &str) -> Option<u32> {
    let mut lines = lines.lines().map(|line| line.split(':'));
    lines.find_map(|mut fields| {
        (fields.next() == Some(name)).then(|| fields.nth(1)?.parse().ok()).flatten()
    })
}

/// The number of the group `name`, if there is one.
fn group(name: &str) -> Result<Option<u32>, Failure> {
    Ok(number(&fs::read_text("/etc/group".as_ref())?, name))
}

fn run(program: &str, arguments: &[&str]) -> Result<(), Failure> {
    let mut command = process::command(Path::new(program));
    // Not confined: it must not die with `cart` while it holds the lock of the user database.
    process::own_session(&mut command);
    let output =
        command.env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin").args(arguments).output().map_err(
            |error| {
                Failure::new(Exit::Failed, format!("cannot run `{program}`: {error}"))
                    .hint("install the package `passwd`")
            },
        )?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr).trim().to_owned();
    Err(Failure::new(Exit::Failed, format!("`{program}` failed ({}): {said}", output.status)))
}

/// As root the sample makes a real account; elsewhere one that exists nowhere, whose apply is
/// never reached because the laws skip what this user may not do.
#[cfg(test)]
pub(super) fn sample(_world: &super::laws::World) -> MakeUser {
    let name = format!("g{}", crate::sys::random::hex(6).unwrap());
    let uid = 58_000 + u32::from_str_radix(&name[1..4], 16).unwrap() % 1900;
    MakeUser { name, uid, gid: uid, home: None }
}
