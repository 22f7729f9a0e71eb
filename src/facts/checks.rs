//! How things stand with one request to an external: what its `--check` says, where it has one.

use super::externals::Externals;
use crate::config::Config;
use crate::db::{ExternalRow, ExternalState};
use crate::error::Failure;
use crate::layout::Layout;
use crate::package::external::{Action, Way};
use crate::sandbox::{self, Capture, Contract, ExternalCall, Status};
use crate::sys::fs::Dir;
use crate::sys::{random, tree};
use std::time::Duration;

/// What an external exits with that would change something.
const WOULD_CHANGE: i32 = 20;

/// What was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checked {
    /// `fine`, `would change`, `failed`, `waiting`, `missing` or `present`.
    pub finding: &'static str,
    /// Whether everything is as it is asked for, as far as that can be known.
    pub is_fine: bool,
    /// What the external says.
    pub says: Vec<String>,
}

/// Looks how things stand with `row`.
pub fn checked(
    (layout, config): (&Layout, &Config),
    known: &Externals,
    row: &ExternalRow,
) -> Result<Checked, Failure> {
    let answer = |finding, is_fine| Checked {
        finding,
        is_fine,
        says: Vec::from_iter(row.answer.detail.clone()),
    };
    let failed = row.answer.state == ExternalState::Failed;
    Ok(match known.way_of(row) {
        Way::Missing => answer("missing", false),
        Way::Request if row.answer.state == ExternalState::Waiting => answer("waiting", false),
        Way::Request if failed => answer("failed", false),
        Way::Request => answer("fine", true),
        Way::Exec(program) => {
            // An external of others may take `--check` for the name of a package.
            if !known.program(&row.name).is_some_and(|program| program.is_shipped) {
                return Ok(if failed { answer("failed", false) } else { answer("present", true) });
            }
            sandbox::write_externals(&Dir::create(&layout.shipped_externals(), 0o755)?)?;
            ask((layout, config), &program, row)?
        }
    })
}

fn ask(
    (layout, config): (&Layout, &Config),
    program: &std::path::Path,
    row: &ExternalRow,
) -> Result<Checked, Failure> {
    let staging = Dir::create(&layout.staging(), 0o700)?;
    let name = format!("check-{}", random::hex(8)?);
    staging.make_dir(&name, 0o700)?;
    let folder = staging.dir(&name)?;
    let asked = sandbox::call_external(&ExternalCall {
        program,
        arguments: &["--check", &row.asker.file, "install"],
        data: &row.data,
        contract: Contract { root: layout.root(), asker: &row.asker, action: Action::Install },
        marks: &[],
        limit: Duration::from_secs(config.scripts.external_timeout),
        capture: Capture { folder: &folder, name: "check", keep: 1 << 16 },
    });
    tree::remove(&staging, &name)?;
    let outcome = asked?;
    let lines = outcome.stdout.text.lines().chain(outcome.stderr.text.lines());
    let says = lines.filter(|line| !line.trim().is_empty()).map(str::to_owned).collect();
    let (finding, is_fine) = match outcome.status {
        Status::Exited(0) => ("fine", true),
        Status::Exited(WOULD_CHANGE) => ("would change", false),
        _ => ("failed", false),
    };
    Ok(Checked { finding, is_fine, says })
}
