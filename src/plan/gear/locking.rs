//! When a cartridge's files are open to its scripts: around `setup`, `install` and `teardown` (the
//! guide, Lock context), and never otherwise; `post_install` and `control` find them locked.

use crate::gear::identity::Identity;
use crate::package::Package;
use crate::plan::Plan;
use crate::step::lock_files::{LockFiles, Turn};

/// Adds what opens the locked files of a cartridge of `gear`, and the gear's home.
pub(super) fn unlock(plan: &mut Plan, gear: &Identity, package: &Package) {
    plan.step(turn(gear, package, Turn::Unlock));
}

/// Adds what locks them, whatever the scripts have made of them meanwhile.
pub(super) fn lock(plan: &mut Plan, gear: &Identity, package: &Package) {
    plan.step(turn(gear, package, Turn::Lock));
}

fn turn(gear: &Identity, package: &Package, turn: Turn) -> LockFiles {
    LockFiles {
        gear: gear.clone(),
        dir: package.name.to_string(),
        patterns: package.managed.locked_files.clone(),
        turn,
    }
}
