//! Which processes are a gear's.

use super::identity::Identity;
use crate::error::FsError;
use crate::sys::process::{self, Marked};

/// The variable by which every process of a gear is marked.
const MARK: &str = "OPENSHIFT_GEAR_UUID";

/// The living processes of `gear`: those that carry its mark and, where it has an account of its
/// own, all of that user. A user id without an account may be that of a gear below another root,
/// too; of its processes those count that show an environment without anybody's mark.
pub fn living(gear: &Identity) -> Result<Vec<u32>, FsError> {
    Ok(Census::take()?.of(gear))
}

/// All processes of this host, looked at once: what is asked about many gears costs no more than
/// what is asked about one.
#[derive(Clone, Debug)]
pub struct Census(Vec<Marked>);

impl Census {
    /// Looks at every process that may be a gear's.
    pub fn take() -> Result<Self, FsError> {
        Ok(Self(process::with_variable(MARK)?))
    }

    /// Those of `gear`, as [`living`] has them.
    pub fn of(&self, gear: &Identity) -> Vec<u32> {
        let is_its_own = |one: &&Marked| {
            let is_its_user = gear.owner.is_some_and(|(uid, _)| one.user == uid);
            match &one.value {
                Some(value) if value == gear.uuid.as_bytes() => true,
                Some(_) => is_its_user && gear.account,
                None => is_its_user && (gear.account || one.shows_environment),
            }
        };
        self.0.iter().filter(is_its_own).map(|one| one.id).collect()
    }
}

/// The bytes of memory that processes hold now. Pages that several share count for each of them.
pub fn memory(processes: &[u32]) -> u64 {
    processes.iter().filter_map(|id| process::resident(*id)).sum()
}
