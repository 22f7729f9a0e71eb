//! Whether this host lets gears have namespaces: tried once in each run of the host.

use super::held::{self, Started};
use super::mounts::View;
use super::supervisor::Orders;
use crate::sys::fs::Dir;
use crate::sys::host;
use std::path::Path;

/// The file that remembers it, among the records.
pub(super) const FILE: &str = "ability";

#[derive(serde::Serialize, serde::Deserialize)]
struct Ability {
    boot: String,
    user: u32,
    program: String,
    namespaces: bool,
}

/// Tells whether this host lets a gear have namespaces with the commands in `shims`: by what was
/// found before in this run of the host, else by trying.
pub fn has_namespaces(records: &Path, shims: &Path) -> bool {
    known(records).unwrap_or_else(|| try_now(records, shims))
}

/// Finds it out, and remembers it.
pub(super) fn try_now(records: &Path, shims: &Path) -> bool {
    let view = View { shims: shims.to_owned(), ..View::default() };
    let begun = Started::with(&Orders { view, ..Orders::default() }).and_then(Started::ready);
    let namespaces = begun.is_ok();
    if let Ok((_, first)) = begun {
        held::kill(first);
    }
    remember(records, namespaces);
    namespaces
}

/// What was found before in this run of the host.
pub fn known(records: &Path) -> Option<bool> {
    let text = Dir::open(records).ok()?.read(FILE, 4096).ok()?;
    let found: Ability = serde_json::from_slice(&text).ok()?;
    let Ability { boot, user, program, .. } = ability(false);
    let is_ours = found.boot == boot && found.user == user && found.program == program;
    is_ours.then_some(found.namespaces)
}

fn ability(namespaces: bool) -> Ability {
    let program = host::this_program().display().to_string();
    Ability { boot: host::boot_id(), user: host::user_id(), program, namespaces }
}

/// Remembers what was found. Where that cannot be written, it is found again.
fn remember(records: &Path, namespaces: bool) {
    let text = serde_json::to_vec(&ability(namespaces)).unwrap_or_default();
    let _ = Dir::create(records, 0o700).and_then(|dir| dir.replace_file(FILE, &text, 0o600));
}
