//! Telling a web proxy something.

use super::script::{self, Call};
use super::{Cx, Said, sandboxed};
use crate::error::Failure;
use crate::gear::action::Action;
use crate::gear::identity::Identity;
use crate::sandbox::{CommandLine, Leftovers};
use crate::sys::fs::Dir;

/// Calls `bin/control` of the cartridge `dir` with the action and these words, without anybody's
/// hooks. What it leaves running belongs to a gear that runs, and to no other.
pub(super) fn tell(
    cx: &Cx<'_>,
    home: &Dir,
    (gear, dir): (&Identity, &str),
    (action, words): (Action, &[String]),
) -> Result<Said, Failure> {
    if !home.has(format!("{dir}/bin/control"))? {
        return Ok(Said::default());
    }
    let runs = !sandboxed::living(cx.layout, gear)?.is_empty();
    let all = std::iter::once(action.as_str()).chain(words.iter().map(String::as_str));
    let call = Call {
        gear,
        dir,
        folder: dir,
        name: &format!("control-{action}"),
        line: CommandLine::of(&home.path_of(dir).join("bin/control"), all)?,
        seconds: cx.config.scripts.control_timeout,
        leftovers: if runs { Leftovers::Keep } else { Leftovers::End },
    };
    script::run(cx, home, &call)
}

/// A proxy that cannot be told something on the way back is no reason to hold up the rest: it finds out
/// that nobody answers.
pub(super) fn was_not_told(cx: &Cx<'_>, (gear, dir): (&Identity, &str), failure: &Failure) {
    let (gear, why) = (&gear.name, failure.one_line());
    cx.fall_short(format!("`{dir}` of the gear `{gear}` was not told: {why}"));
}
