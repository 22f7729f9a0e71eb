//! Calling an external: a program of the administrator's, by tpkg's contract (specification of tpkg, 3).
//!
//! `PROGRAM PACKAGE install|remove`, the data on its standard input and nothing added, the whole
//! environment of `cart` itself and what is named here, `/` as its directory, a time limit, its output
//! in files. Its input is a file: whoever does not read it ends with no error of ours.

use super::run::run_for_host;
use super::{Capture, CommandLine, ForHost, Leftovers, Outcome, SandboxError, Script, Time};
use crate::error::FsError;
use crate::package::external::{Action, Asker};
use crate::sys::host;
use crate::sys::process::Limits;
use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs::File;
use std::io::{Seek, SeekFrom, Write};
use std::path::Path;
use std::time::Duration;

/// How long a process of it may take to heed SIGTERM once time is up.
const GRACE: Duration = Duration::from_secs(5);
/// The variable that names the externals that wait for this `cart`, the innermost last.
const CHAIN: &str = "CART_EXTERNALS";

/// For whom an external is called, and whereto.
#[derive(Clone, Copy, Debug)]
pub struct Contract<'a> {
    /// The directory given with `--root`, when there was one.
    pub root: Option<&'a Path>,
    /// Who asks.
    pub asker: &'a Asker,
    /// What is being done to the package.
    pub action: Action,
}

impl Contract<'_> {
    /// The variables of the contract, the package's name for all its versions, and those by which
    /// externals, and `cart`s that they call, know of another root.
    pub fn variables(self) -> Vec<(String, OsString)> {
        let mut variables = vec![
            ("TPKG_HOME", OsString::from(&self.asker.home)),
            ("TPKG_ACTION", self.action.as_str().into()),
            ("CART_EXTERNAL_KEY", self.asker.key().into()),
        ];
        if let Some(root) = self.root {
            variables.push(("CART_ROOT", root.into()));
            variables.push(("CART_EXTERNAL_ROOT", root.into()));
        }
        variables.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
    }
}

/// One call of an external.
#[derive(Clone, Copy, Debug)]
pub struct ExternalCall<'a> {
    /// Its program.
    pub program: &'a Path,
    /// Its arguments.
    pub arguments: &'a [&'a str],
    /// What it may read.
    pub data: &'a [u8],
    /// What its environment says beyond that of `cart` itself.
    pub contract: Contract<'a>,
    /// The variables by which its processes are found again.
    pub marks: &'a [(String, String)],
    /// How long it may take.
    pub limit: Duration,
    /// Where its output goes.
    pub capture: Capture<'a>,
}

/// Calls an external and waits for it. What it leaves running goes on, as after a service was started.
pub fn call_external(call: &ExternalCall<'_>) -> Result<Outcome, SandboxError> {
    let input = input(call)?;
    let mut env = inherited();
    env.extend(call.contract.variables());
    let name = call.program.file_name().unwrap_or_default().to_string_lossy();
    let mut chain = chain();
    chain.push(name.into_owned());
    env.insert(CHAIN.into(), chain.join(":").into());
    let script = Script {
        line: &CommandLine::of(call.program, call.arguments.iter().copied())?,
        folder: Path::new("/"),
        env: &env,
        marks: call.marks,
        user: None,
        confinement: None,
        limits: Limits::default(),
        time: Time { limit: call.limit, grace: GRACE },
        leftovers: Leftovers::Keep,
        capture: call.capture,
    };
    run_for_host(&script, ForHost { input: Some(&input) })
}

/// The environment of `cart` itself.
pub fn inherited() -> BTreeMap<String, OsString> {
    let all = host::variables().into_iter();
    // A variable whose name is no text is nothing that an external could mean.
    all.filter_map(|(name, value)| Some((name.into_string().ok()?, value))).collect()
}

/// The externals that wait for this `cart`: it was called by what the last of them has called.
pub fn chain() -> Vec<String> {
    let chain = host::variable(CHAIN).unwrap_or_default();
    chain.split(':').filter(|name| !name.is_empty()).map(str::to_owned).collect()
}

fn input(call: &ExternalCall<'_>) -> Result<File, FsError> {
    let name = format!("{}.in", call.capture.name);
    call.capture.folder.remove_file(&name)?;
    let mut file = call.capture.folder.scratch_file(&name)?;
    let fail = |error| FsError::new("write", call.capture.folder.path_of(&name), error);
    file.write_all(call.data).map_err(fail)?;
    file.seek(SeekFrom::Start(0)).map_err(fail)?;
    Ok(file)
}
