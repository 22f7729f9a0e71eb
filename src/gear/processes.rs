//! Which processes are a gear's.

use super::identity::Identity;
use crate::error::FsError;
use crate::sys::host;
use crate::sys::process::{self, Marked, Whose};
use std::collections::{HashMap, HashSet};

/// The variable by which every process of a gear is marked.
const MARK: &str = "OPENSHIFT_GEAR_UUID";

/// Where else the processes of a gear are found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Fence {
    /// The first processes of its namespaces, which are none of its own: all that descend from
    /// them are.
    pub firsts: Vec<u32>,
    /// Those in its control groups.
    pub members: Vec<u32>,
}

/// The living processes of `gear`: those that carry its mark, are within its fence and, where it has
/// an account of its own, all of that user. A user id without an account may be that of a gear below
/// another root, too; of its processes those count that show an environment without anybody's mark.
pub fn living(gear: &Identity, fence: &Fence) -> Result<Vec<u32>, FsError> {
    Ok(Census::of_gears(&[gear.owner])?.of(gear, fence))
}

/// All processes of this host, looked at once: what is asked about many gears costs no more than
/// what is asked about one.
#[derive(Clone, Debug)]
pub struct Census {
    all: Vec<Marked>,
    children: HashMap<u32, Vec<u32>>,
}

impl Census {
    /// Looks at every process that may be a gear's.
    pub fn take() -> Result<Self, FsError> {
        Self::look(Whose::All)
    }

    /// Looks at those that may belong to gears with these owners. Where the gears of root have users
    /// of their own, the processes of other gears are passed over: none can change its user.
    pub fn of_gears(owners: &[Option<(u32, u32)>]) -> Result<Self, FsError> {
        let users: Option<Vec<u32>> = owners.iter().map(|owner| Some((*owner)?.0)).collect();
        match users {
            Some(users) if host::is_root() => Self::look(Whose::Of(&users)),
            _ => Self::take(),
        }
    }

    fn look(whose: Whose<'_>) -> Result<Self, FsError> {
        let all = process::with_variable(MARK, whose)?;
        let mut children: HashMap<u32, Vec<u32>> = HashMap::new();
        for one in &all {
            children.entry(one.parent).or_default().push(one.id);
        }
        Ok(Self { all, children })
    }

    /// Those of `gear`, as [`living`] has them.
    pub fn of(&self, gear: &Identity, fence: &Fence) -> Vec<u32> {
        let mut fenced: HashSet<u32> = fence.members.iter().copied().collect();
        fenced.extend(fence.firsts.iter().flat_map(|first| self.descendants(*first)));
        let is_its_own = |one: &&Marked| {
            let is_its_user = gear.owner.is_some_and(|(uid, _)| one.user == uid);
            let is_marked = match &one.value {
                Some(value) if value == gear.uuid.as_bytes() => true,
                Some(_) => is_its_user && gear.account,
                None => is_its_user && (gear.account || one.shows_environment),
            };
            (is_marked || fenced.contains(&one.id)) && !fence.firsts.contains(&one.id)
        };
        self.all.iter().filter(is_its_own).map(|one| one.id).collect()
    }

    fn descendants(&self, first: u32) -> Vec<u32> {
        let mut found = Vec::new();
        let mut next = vec![first];
        while let Some(id) = next.pop() {
            let children = self.children.get(&id).map_or(&[][..], Vec::as_slice);
            found.extend_from_slice(children);
            next.extend_from_slice(children);
        }
        found
    }
}

/// The bytes of memory that processes hold now. Pages that several share count for each of them.
pub fn memory(processes: &[u32]) -> u64 {
    processes.iter().filter_map(|id| process::resident(*id)).sum()
}
