//! What the scripts of a gear are kept within, and what runs in there.

use crate::config::Config;
use crate::error::FsError;
use crate::gear::identity::{Identity, Sandbox};
use crate::gear::processes::{self, Fence};
use crate::gear::sdk;
use crate::layout::Layout;
use crate::sandbox::{self, Confinement, Level, Temporary, User};
use crate::sys::cgroup::Bounds;

/// What the scripts of `gear` are kept within.
pub fn confinement(layout: &Layout, config: &Config, gear: &Identity) -> Confinement {
    let home = layout.gears().join(gear.name.as_str());
    let mut readable = vec![layout.lib(), layout.library(), layout.templates()];
    readable.push(crate::sys::host::this_program());
    readable.extend(config.gears.readable.iter().cloned());
    Confinement {
        gear: gear.uuid.clone(),
        records: layout.running(),
        level: match gear.sandbox {
            Sandbox::Plain => Level::Plain,
            Sandbox::Namespaces => Level::Namespaces,
        },
        user: gear.owner.map(|(uid, gid)| User { uid, gid }),
        tmp: home.join(".tmp"),
        home,
        temporary: Temporary::Shared,
        state: layout.state().to_owned(),
        log: layout.log(),
        shims: sdk::commands(&layout.lib()),
        readable,
        bounds: Bounds {
            memory: Some(config.gears.memory_limit).filter(|limit| *limit > 0),
            processes: Some(config.gears.process_limit).filter(|limit| *limit > 0),
        },
    }
}

/// The living processes of `gear`, its supervisor excepted.
pub(super) fn living(layout: &Layout, gear: &Identity) -> Result<Vec<u32>, FsError> {
    let mut fence = Fence::default();
    for record in sandbox::all_running(&layout.running(), &gear.uuid) {
        fence.firsts.extend(record.first.map(|first| first.id));
        fence.members.extend(record.members());
    }
    processes::living(gear, &fence)
}
