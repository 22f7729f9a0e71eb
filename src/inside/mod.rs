//! The commands that cartridges call inside a gear: this program under other names.
//!
//! They see what any program of the gear sees, its environment, its files and its processes, and
//! have no other rights. None of them opens the database or takes a lock. Where a command imitates
//! an original, it keeps the original's output and exit status; what has no counterpart on one host
//! is refused in words, never pretended.

mod cgroup;
mod erb;
mod facter;
mod gear;
mod haproxy;
mod httpd;
mod lsof;
mod ports;
mod programs;
mod quota;
mod registry;
mod scl;

use crate::error::{Exit, Failure};
use crate::gear::sdk::{COMMANDS, FALLBACK_COMMANDS, STAND_INS};
use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io::{self, Write};
use std::net::Ipv4Addr;
use std::path::PathBuf;

/// One call of a command.
pub struct Call<'a> {
    /// The name that it was called by.
    pub name: &'a str,
    /// The arguments without that name.
    pub arguments: &'a [OsString],
    /// The environment.
    pub variables: &'a BTreeMap<OsString, OsString>,
    /// Standard output.
    pub out: &'a mut dyn Write,
}

/// A command that did not do what it was asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    /// The exit status that the original has for this.
    pub status: u8,
    /// What is told.
    pub failure: Failure,
}

impl Refused {
    fn new(status: u8, text: impl Into<String>) -> Self {
        Self { status, failure: Failure::new(Exit::Failed, text) }
    }

    #[must_use]
    fn hint(mut self, hint: impl Into<String>) -> Self {
        self.failure.hints.push(hint.into());
        self
    }
}

impl<E: Into<Failure>> From<E> for Refused {
    fn from(error: E) -> Self {
        Self { status: 1, failure: error.into() }
    }
}

/// Tells whether a program of this name is one of these commands.
pub fn is_command(name: &str) -> bool {
    COMMANDS.contains(&name) || FALLBACK_COMMANDS.contains(&name) || STAND_INS.contains(&name)
}

/// Runs a command; gives its exit status.
pub fn run(call: &mut Call<'_>) -> Result<u8, Refused> {
    match call.name {
        "gear" => gear::run(call),
        "facter" => facter::run(call),
        "scl" => scl::run(call),
        "haproxy" => haproxy::run(call),
        "httpd" => httpd::run(call),
        "lsof" => lsof::run(call),
        "oo-lists-ports" => ports::run(call),
        "oo-cgroup-read" => cgroup::run(call),
        "oo-gear-registry" => registry::run(call),
        "quota" => quota::run(call),
        "oo-erb" | "erb" => erb::run(call),
        "oo-ruby" | "oo-exec-ruby" => programs::ruby(call),
        "rotatelogs" => programs::same(call, "apache2-utils"),
        "rhc" => Err(Refused::new(1, "rhc: there is no broker that it could talk to")
            .hint("on the host, `cart gear` does what `rhc app` and `rhc cartridge` do")),
        "oo-ssh" => Err(Refused::new(1, "oo-ssh: a gear cannot log in to other gears")
            .hint("gears of one host reach each other by their addresses")),
        other => Err(Refused::new(127, format!("`{}` is not here yet", other.escape_debug()))),
    }
}

impl Call<'_> {
    /// A variable that is set and not empty.
    fn variable(&self, name: &str) -> Option<&OsString> {
        self.variables.get(std::ffi::OsStr::new(name)).filter(|value| !value.is_empty())
    }

    fn text(&self, name: &str) -> Option<String> {
        self.variable(name).map(|value| value.to_string_lossy().into_owned())
    }

    /// The arguments as text; what is not UTF-8 is replaced.
    fn words(&self) -> Vec<String> {
        self.arguments.iter().map(|word| word.to_string_lossy().into_owned()).collect()
    }

    /// Prints a line. A reader who has seen enough and gone away is no failure.
    fn say(&mut self, line: &str) -> Result<(), Refused> {
        match self.out.write_all(format!("{line}\n").as_bytes()) {
            Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
                Err(Refused::new(1, format!("{}: cannot write: {error}", self.name)))
            }
            _ => Ok(()),
        }
    }

    /// The gear's home, where the variables name one.
    fn home(&self) -> Option<PathBuf> {
        let home = self.variable("OPENSHIFT_HOMEDIR").or_else(|| self.variable("HOME"))?;
        Some(PathBuf::from(home))
    }

    /// The gear's own address: the first of the primary cartridge, else of any.
    fn address(&self) -> Ipv4Addr {
        let primary = self.primary_prefix();
        let of = |prefix: &str| {
            self.variables.iter().find_map(|(name, value)| {
                let rest = name.to_str()?.strip_prefix(prefix)?;
                let is_ip = rest.trim_end_matches(|one: char| one.is_ascii_digit()).ends_with("IP");
                if is_ip { value.to_str()?.parse().ok() } else { None }
            })
        };
        primary
            .and_then(|prefix| of(&prefix))
            .or_else(|| of("OPENSHIFT_"))
            .unwrap_or(Ipv4Addr::LOCALHOST)
    }

    /// How the variables of the primary cartridge begin.
    fn primary_prefix(&self) -> Option<String> {
        let folder = PathBuf::from(self.variable("OPENSHIFT_PRIMARY_CARTRIDGE_DIR")?).join("env");
        let names = crate::sys::fs::Dir::open(&folder).and_then(|dir| dir.names()).ok()?;
        names.iter().find_map(|name| {
            let prefix = name.to_str()?.strip_suffix("_IDENT")?;
            prefix.starts_with("OPENSHIFT_").then(|| format!("{prefix}_"))
        })
    }
}

#[cfg(test)]
mod tests;
