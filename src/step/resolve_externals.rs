//! Reads and makes the data that a package has for its externals, once, compares them with what was
//! asked for before, and asks for what is different: first everything that is not wanted any more is
//! taken back, then the new is asked for, each as a step of its own, directly behind this one.
//!
//! What is the same byte for byte is not called again; the version that comes takes it over.

use super::call_external::{CallExternal, Turn};
use super::{Cx, Said, Step, sandboxed};
use crate::db::{Change, ExternalRow};
use crate::error::{Exit, Failure, FsError};
use crate::gear::environment;
use crate::gear::identity::Identity;
use crate::package::external::{
    Action, Asker, ExternalData, ExternalName, MOST_DATA, Way, compare,
};
use crate::sandbox::{self, Capture, CommandLine, Contract, Leftovers, Script, Status, Time};
use crate::sys::fs::{Dir, Kind};
use crate::sys::interrupt;
use crate::sys::path::RelPath;
use crate::sys::process::Limits;
use std::time::Duration;

/// The most bytes that all externals of one package are given together.
const MOST_TOGETHER: usize = 8 << 20;
/// How long a process of a script may take to heed SIGTERM once time is up.
const GRACE: Duration = Duration::from_secs(5);

/// What a package asks for, and what was asked for in its name before.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct ResolveExternals {
    /// Who asks.
    pub asker: Asker,
    /// The package's tree, relative to the state: files of it are read, scripts of it begin there.
    pub tree: RelPath,
    /// The gear, and the folder of the cartridge, as which its scripts run; `cart` itself otherwise.
    pub gear: Option<(Identity, String)>,
    /// What it asks for, in its order.
    pub wanted: Vec<Wanted>,
    /// What was asked for before.
    pub present: Vec<Present>,
    /// What is being done to the package.
    pub action: Action,
}

/// One thing that is asked for.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Wanted {
    /// Which external.
    pub name: ExternalName,
    /// Where its data come from.
    pub data: ExternalData,
    /// How it is reached.
    pub way: Way,
    /// Whether its failure fails the transaction.
    pub strict: bool,
}

/// One thing that was asked for.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Present {
    /// Its record.
    pub row: ExternalRow,
    /// How the external is reached.
    pub way: Way,
    /// Whether its failure fails the transaction.
    pub strict: bool,
}

/// What becomes of requests when those of `present` are to be `wanted`, each with its data: what is
/// written down, and the calls, in their order.
pub fn difference(
    asker: &Asker,
    (present, wanted): (&[Present], &[(Wanted, Vec<u8>)]),
    action: Action,
) -> (Vec<Change>, Vec<CallExternal>) {
    let old: Vec<_> =
        present.iter().map(|one| (one.row.name.as_str(), one.row.data.as_slice())).collect();
    let new: Vec<_> =
        wanted.iter().map(|(one, data)| (one.name.as_str(), data.as_slice())).collect();
    let compared = compare(&old, &new);
    let ordinal = |index: usize| u32::try_from(index).unwrap_or(u32::MAX);
    let mut records = Vec::new();
    for (was, is) in compared.kept {
        let Some(Present { row, .. }) = present.get(was) else { continue };
        if row.holder != asker.file || row.ordinal != ordinal(is) {
            records.push(Change::KeepExternal {
                key: row.key.clone(),
                holder: asker.file.clone(),
                ordinal: ordinal(is),
            });
        }
    }
    let gone = compared.gone.iter().filter_map(|index| present.get(*index));
    let withdraw =
        |one: &Present| CallExternal::withdrawing(&one.row, action, (one.way.clone(), one.strict));
    let mut calls: Vec<CallExternal> = gone.map(withdraw).collect();
    for index in compared.new {
        let Some((one, data)) = wanted.get(index) else { continue };
        calls.push(CallExternal {
            asker: asker.clone(),
            name: one.name.clone(),
            ordinal: ordinal(index),
            data: data.clone(),
            turn: Turn::Install,
            action,
            way: one.way.clone(),
            strict: one.strict,
        });
    }
    (records, calls)
}

impl ResolveExternals {
    fn resolve(&self, cx: &Cx<'_>, index: usize, data: &ExternalData) -> Result<Vec<u8>, Failure> {
        match data {
            ExternalData::None => Ok(Vec::new()),
            ExternalData::Inline(bytes) => Ok(bytes.clone()),
            ExternalData::File(path) => {
                let tree = cx.state.dir(&self.tree)?;
                match tree.meta(path)? {
                    Some(meta) if meta.kind == Kind::File => Ok(tree.read(path, MOST_DATA)?),
                    _ => {
                        let text = format!("the package has no file `{path}` (`datafile`)");
                        Err(Failure::new(Exit::Failed, text))
                    }
                }
            }
            ExternalData::Script(path) => self.printed(cx, index, path),
        }
    }

    /// What the script at `path` prints.
    fn printed(&self, cx: &Cx<'_>, index: usize, path: &RelPath) -> Result<Vec<u8>, Failure> {
        let tree = cx.state.dir(&self.tree)?;
        let fail = |how: &str| {
            Failure::new(Exit::Failed, format!("the script `{path}` (`datascript`) {how}"))
        };
        match tree.meta(path)? {
            Some(meta) if meta.kind == Kind::File && meta.mode & 0o111 != 0 => {}
            Some(meta) if meta.kind == Kind::File => return Err(fail("is not executable")),
            _ => return Err(fail("is not in the package")),
        }
        let (log, name) = cx.log(&format!("datascript-{}", index + 1))?;
        let status = self.run(cx, &tree, (path, &log, &name))?;
        match status {
            Status::Exited(0) => {}
            Status::Interrupted => {
                interrupt::check()?;
                return Err(fail("was interrupted"));
            }
            Status::TimedOut => return Err(fail("was not over in time, and was ended")),
            Status::Exited(status) => {
                let errors = log.read(format!("{name}.err"), MOST_DATA).unwrap_or_default();
                let mut failure = fail(&format!("exited with status {status}"));
                let errors = String::from_utf8_lossy(&errors).into_owned();
                let lines = errors.lines().take(10).map(|line| line.escape_debug().to_string());
                failure.causes.extend(lines);
                return Err(failure);
            }
            Status::Signalled(signal) => {
                return Err(fail(&format!("was ended by signal {signal}")));
            }
            Status::Flooded => return Err(fail("printed without end, and was ended")),
        }
        let file = format!("{name}.out");
        if log.meta(&file)?.is_some_and(|meta| meta.size > MOST_DATA) {
            return Err(fail(&format!("printed more than {MOST_DATA} bytes")));
        }
        Ok(log.read(&file, MOST_DATA)?)
    }

    /// Runs it: as the gear and within it, or as `cart` itself.
    fn run(
        &self,
        cx: &Cx<'_>,
        tree: &Dir,
        (path, log, name): (&RelPath, &Dir, &str),
    ) -> Result<Status, Failure> {
        let marks = cx.marks();
        let mut confinement = None;
        let mut env = match &self.gear {
            None => sandbox::inherited(),
            Some((gear, dir)) => {
                let home = cx.state.dir(gear.home())?;
                confinement = Some(sandboxed::confinement(cx.layout, cx.config, gear));
                environment::of(cx.host(), &home, gear, Some(dir)).variables
            }
        };
        let (root, asker) = (cx.layout.root(), &self.asker);
        env.extend(Contract { root, asker, action: self.action }.variables());
        let script = Script {
            line: &CommandLine::of(&tree.path_of(path), [""; 0])?,
            folder: tree.path(),
            env: &env,
            marks: &marks,
            user: confinement.as_ref().and_then(|confinement| confinement.user),
            confinement: confinement.as_ref(),
            limits: Limits::default(),
            time: Time {
                limit: Duration::from_secs(cx.config.scripts.external_timeout),
                grace: GRACE,
            },
            leftovers: Leftovers::End,
            capture: Capture { folder: log, name, keep: MOST_DATA },
        };
        Ok(sandbox::run(&script)?.status)
    }
}

impl Step for ResolveExternals {
    type Undo = ();

    fn describe(&self) -> String {
        let names: Vec<_> = self.wanted.iter().map(|one| format!("`{}`", one.name)).collect();
        format!("make the data of `{}` for {}", self.asker.file, names.join(", "))
    }

    fn prepare(&self, _cx: &Cx<'_>) -> Result<(), Failure> {
        Ok(())
    }

    fn apply(&self, (): &(), cx: &Cx<'_>) -> Result<Said, Failure> {
        let mut wanted = Vec::with_capacity(self.wanted.len());
        let mut together = 0;
        for (index, one) in self.wanted.iter().enumerate() {
            let data = self.resolve(cx, index, &one.data)?;
            together += data.len();
            if together > MOST_TOGETHER {
                let text = format!("the data are longer than {MOST_TOGETHER} bytes together");
                return Err(Failure::from(FsError::new(
                    "read",
                    self.tree.as_path(),
                    std::io::Error::other(text),
                )));
            }
            wanted.push((one.clone(), data));
        }
        let (records, calls) = difference(&self.asker, (&self.present, &wanted), self.action);
        let then = calls.into_iter().map(Into::into).collect();
        Ok(Said { records, then, ..Said::default() })
    }

    /// It has changed nothing; what it asked for has steps of its own.
    fn revert(&self, (): &(), _cx: &Cx<'_>) -> Result<(), Failure> {
        Ok(())
    }

    fn runs_scripts(&self) -> bool {
        self.wanted.iter().any(|one| matches!(one.data, ExternalData::Script(_)))
    }
}

#[cfg(test)]
pub(super) fn sample(world: &super::laws::World) -> ResolveExternals {
    world.script("calculate", "#!/bin/bash\necho \"$TPKG_HOME $TPKG_ACTION $PWD\"\n");
    let wanted = Wanted {
        name: ExternalName::parse("sysctl").unwrap(),
        data: ExternalData::Script(RelPath::parse("calculate").unwrap()),
        way: Way::Request,
        strict: false,
    };
    world.state.make_dirs("library/a", 0o755).unwrap();
    world.state.rename("calculate", &world.state, "library/a/calculate").unwrap();
    ResolveExternals {
        asker: super::call_external::sample_asker(),
        tree: RelPath::parse("library/a").unwrap(),
        gear: None,
        wanted: vec![wanted],
        present: Vec::new(),
        action: Action::Install,
    }
}
