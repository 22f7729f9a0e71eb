//! The processes that a script begins: found, ended, reaped.
//!
//! Three nets, as each alone has a hole: descent (a double fork leaves it), marks in the
//! environment (`env -i` drops them), and having been seen as a descendant before.

use crate::error::FsError;
use crate::sys::process::{self, Process};
use std::collections::{HashMap, HashSet};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// Orphans that this process may have adopted from any script. A later script may wait for one of
/// them to be gone (`stop` after `start` in one run of `cart`), so they must be reaped.
static STRAYS: Mutex<Option<HashSet<u32>>> = Mutex::new(None);

/// The processes of one script.
pub(super) struct Family {
    /// The script's own process, until it has been reaped.
    script: Option<u32>,
    marks: Vec<String>,
    seen: HashSet<u32>,
    /// The first process of the gear's namespaces, from which all in there descend.
    first: Option<u32>,
    /// Who adopts its orphans: this process, and that first one.
    adopters: Vec<u32>,
}

impl Family {
    pub(super) fn new(script: Option<u32>, marks: &[(String, String)], first: Option<u32>) -> Self {
        let marks = marks.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let adopters = first.into_iter().chain([std::process::id()]).collect();
        Self { script, marks, seen: HashSet::new(), first, adopters }
    }

    /// The processes among which those of the script are. Looking at a whole host, for every script,
    /// would make each gear dearer than the one before.
    fn all(&self) -> Result<Vec<Process>, FsError> {
        self.first.and_then(process::below).map_or_else(process::all, Ok)
    }

    /// Forgets the script's own process: its id may soon be somebody else's.
    pub(super) fn without_script(&mut self) {
        self.script = None;
    }

    /// Notes who belongs to the family now, and reaps its dead.
    pub(super) fn look(&mut self) -> Result<(), FsError> {
        let all = self.all()?;
        let kin = self.kin(&all);
        // An id that has gone may be given to a child that is none of this family.
        let there: HashSet<u32> = all.iter().map(|process| process.id).collect();
        self.seen.retain(|id| there.contains(id));
        self.seen.extend(kin);
        self.seen.extend(process::marked_among(&all, &self.marks)?);
        self.seen.retain(|id| Some(*id) != self.script);
        process::reap(&self.seen.iter().copied().collect::<Vec<_>>());
        reap_strays();
        Ok(())
    }

    /// The living, the script's own process among them.
    fn living(&self) -> Result<Vec<u32>, FsError> {
        let living = self.living_now()?;
        // A child can be missed while a sibling ends.
        if living.is_empty() && self.first.is_some() { self.living_now() } else { Ok(living) }
    }

    fn living_now(&self) -> Result<Vec<u32>, FsError> {
        let all = self.all()?;
        let mut living = self.kin(&all);
        living.extend(process::marked_among(&all, &self.marks)?);
        let zombies: HashSet<u32> = all.iter().filter(|p| p.state == 'Z').map(|p| p.id).collect();
        Ok(living.difference(&zombies).copied().collect())
    }

    /// The script, those that were seen and are orphans of ours now, and all that descend from
    /// them. (An id that was seen and has another parent now may have been given anew.)
    fn kin(&self, all: &[Process]) -> HashSet<u32> {
        let mut children: HashMap<u32, Vec<u32>> = HashMap::new();
        let mut next: Vec<u32> = self.script.into_iter().collect();
        for process in all {
            children.entry(process.parent).or_default().push(process.id);
            if self.adopters.contains(&process.parent) && self.seen.contains(&process.id) {
                next.push(process.id);
            }
        }
        let mut kin = HashSet::new();
        while let Some(id) = next.pop() {
            if kin.insert(id) {
                next.extend(children.remove(&id).unwrap_or_default());
            }
        }
        kin
    }

    /// Ends them all; gives how many there were.
    pub(super) fn end(&self, grace: Duration) -> Result<usize, FsError> {
        let ended = process::end_all(|| self.living(), grace);
        reap_strays();
        ended
    }

    /// Lets those that live go on, and remembers to reap them.
    pub(super) fn let_go(&self) -> Result<(), FsError> {
        let living = self.living()?;
        let mut strays = STRAYS.lock().unwrap_or_else(PoisonError::into_inner);
        strays.get_or_insert_default().extend(living);
        Ok(())
    }
}

/// Reaps strays of any script that have ended.
fn reap_strays() {
    let mut strays = STRAYS.lock().unwrap_or_else(PoisonError::into_inner);
    let strays = strays.get_or_insert_default();
    process::reap(&strays.iter().copied().collect::<Vec<_>>());
    strays.retain(|id| process::is_alive(*id));
}
