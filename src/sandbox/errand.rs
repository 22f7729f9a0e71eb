//! One command that is to be run inside a gear, and what came of it, as two processes of this
//! program tell each other.

use super::SandboxError;
use crate::sys::process::{self, Limits};
use rustix::fs::{MemfdFlags, memfd_create};
use std::ffi::OsString;
use std::fs::File;
use std::io::{self, Read, Seek, Write};
use std::path::{Path, PathBuf};
use std::process::Command;

/// What is to be run.
#[derive(Debug, serde::Serialize, serde::Deserialize)]
pub(super) struct Errand {
    pub(super) limits: Limits,
    pub(super) folder: PathBuf,
    pub(super) program: PathBuf,
    pub(super) arguments: Vec<OsString>,
    pub(super) environment: Vec<(OsString, OsString)>,
}

impl Errand {
    /// The command, unconfined still.
    pub(super) fn command(&self) -> Command {
        let mut command = process::command(&self.program);
        command
            .args(&self.arguments)
            .envs(self.environment.iter().map(|(name, value)| (name, value)))
            .current_dir(&self.folder);
        command
    }
}

/// Why a command was not run.
#[derive(Debug, serde::Serialize, serde::Deserialize)]
pub(super) struct Trouble {
    code: Option<i32>,
    text: String,
}

impl Trouble {
    pub(super) fn of(error: &io::Error) -> Self {
        Self { code: error.raw_os_error(), text: error.to_string() }
    }

    pub(super) fn with(self, program: &Path) -> SandboxError {
        let source = match self.code {
            Some(code) => io::Error::from_raw_os_error(code),
            None => io::Error::other(self.text),
        };
        SandboxError::Start { program: program.to_owned(), source }
    }
}

/// A file in memory with `what` in it: a gear's variables must not be those of a process that still
/// has its rights, and are too long for one message.
pub(super) fn sealed(what: &impl serde::Serialize) -> io::Result<File> {
    let mut file = blank()?;
    file.write_all(&serde_json::to_vec(what)?)?;
    Ok(file)
}

/// A file in memory with nothing in it.
pub(super) fn blank() -> io::Result<File> {
    Ok(File::from(memfd_create("cart-errand", MemfdFlags::CLOEXEC)?))
}

/// What stands in such a file.
pub(super) fn opened<T: serde::de::DeserializeOwned>(file: &mut File) -> io::Result<T> {
    let mut text = Vec::new();
    file.rewind()?;
    file.read_to_end(&mut text)?;
    Ok(serde_json::from_slice(&text)?)
}
