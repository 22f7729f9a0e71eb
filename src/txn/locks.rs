//! The locks of a transaction: sorted, so that two transactions never wait for each other.

use crate::error::{Exit, Failure};
use crate::plan::Resource;
use crate::sys::fs::Dir;
use crate::sys::lock::{Asked, Holder, Lock, Sharing};
use crate::sys::{host, process};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::time::Duration;

/// The lock that everybody shares who locks a package. Who wants many packages takes this one
/// alone instead: a thousand lock files take as long to make as a thousand small packages.
const LIBRARY: &str = "library";
/// From how many packages on.
const MANY: usize = 16;

/// Locks held until they are dropped.
#[derive(Debug)]
pub struct Locks {
    held: BTreeMap<String, Lock>,
    dir: Dir,
    command: String,
}

impl Locks {
    /// Takes the locks of `resources`, waiting for at most `wait` for each.
    pub fn take(
        state: &Dir,
        resources: &BTreeSet<Resource>,
        wait: Duration,
        command: &str,
    ) -> Result<Self, Failure> {
        state.make_dirs("locks", 0o700)?;
        let dir = state.dir("locks")?;
        let mut locks = Self { held: BTreeMap::new(), dir, command: command.to_owned() };
        let packages = resources
            .iter()
            .filter(|one| matches!(one, Resource::Package(_) | Resource::PackageInUse(_)))
            .count();
        let whole_library = packages >= MANY;
        if whole_library {
            locks.add(LIBRARY, Sharing::Exclusive, wait)?;
        } else if packages > 0 {
            locks.add(LIBRARY, Sharing::Shared, wait)?;
        }
        for resource in resources {
            // Changing a package includes using it.
            let sharing = match resource {
                Resource::PackageInUse(name)
                    if !whole_library && !resources.contains(&Resource::Package(name.clone())) =>
                {
                    Sharing::Shared
                }
                Resource::PackageInUse(_) => continue,
                Resource::Package(_) if whole_library => continue,
                Resource::Package(_)
                | Resource::Gear(_)
                | Resource::Site(_)
                | Resource::HostLinks
                | Resource::HostFiles => Sharing::Exclusive,
            };
            locks.add(&resource.to_string(), sharing, wait)?;
        }
        Ok(locks)
    }

    /// Takes one more lock, without waiting, for a recovery; one that is held already is fine.
    pub(super) fn also(&mut self, resource: &str) -> Result<(), Failure> {
        let (name, sharing) = Resource::lock_of(resource);
        if self.held.contains_key(name) {
            return Ok(());
        }
        if Resource::is_package(name) && !self.held.contains_key(LIBRARY) {
            self.add(LIBRARY, Sharing::Shared, Duration::ZERO)?;
        }
        self.add(name, sharing, Duration::ZERO)
    }

    fn add(&mut self, resource: &str, sharing: Sharing, wait: Duration) -> Result<(), Failure> {
        let name = file_name(resource);
        match Lock::ask(&self.dir, Path::new(&name), sharing, wait, &self.command)? {
            Asked::Got(lock) => {
                self.held.insert(resource.to_owned(), lock);
                Ok(())
            }
            Asked::Held(holder) => Err(busy(resource, holder.as_ref())),
        }
    }
}

/// The lock file of a resource: its name, with what cannot stand in a file name replaced (names
/// of packages and gears hold nothing of the kind).
fn file_name(resource: &str) -> String {
    resource.replace([' ', '/'], "-")
}

/// The lock that the transaction `txn` holds for its whole life.
pub(super) fn of_transaction(
    state: &Dir,
    txn: i64,
    (wait, command): (Duration, &str),
) -> Result<Option<Lock>, Failure> {
    state.make_dirs("locks", 0o700)?;
    let name = format!("transaction-{txn}");
    let dir = state.dir("locks")?;
    let asked = Lock::ask(&dir, Path::new(&name), Sharing::Exclusive, wait, command)?;
    Ok(match asked {
        Asked::Got(lock) => Some(lock),
        Asked::Held(_) => None,
    })
}

/// Removes the lock file of a transaction that is over; its number never comes again.
pub(super) fn forget_transaction(state: &Dir, txn: i64) -> Result<(), Failure> {
    Ok(state.remove_file(format!("locks/transaction-{txn}"))?)
}

fn busy(resource: &str, holder: Option<&Holder>) -> Failure {
    let Some(Holder { process, command, since }) = holder else {
        return Failure::new(Exit::Busy, format!("the {resource} is in use by another process"))
            .hint("wait for it with `--wait SECONDS`");
    };
    let since = since.rfc3339();
    let text = format!("the {resource} is locked by process {process} (`{command}`) since {since}");
    let failure = Failure::new(Exit::Busy, text);
    let ancestor = process::ancestors().is_ok_and(|line| line.contains(process));
    if ancestor || host::variable("CART_TRANSACTION").is_some() {
        failure.hint("this `cart` was called from inside that transaction, which waits for it")
    } else {
        failure.hint("wait for it with `--wait SECONDS`")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn packages(count: usize) -> BTreeSet<Resource> {
        (0..count).map(|number| Resource::Package(format!("v-p{number}"))).collect()
    }

    fn take(state: &Dir, resources: &BTreeSet<Resource>) -> Result<Locks, Failure> {
        Locks::take(state, resources, Duration::ZERO, "test")
    }

    #[test]
    fn many_packages_are_one_lock_that_excludes_each_of_them() {
        let temp = tempfile::tempdir().unwrap();
        let state = Dir::open(temp.path()).unwrap();
        let (few, others) = (packages(2), BTreeSet::from([Resource::Package("v-x".into())]));
        let held = take(&state, &few).unwrap();
        drop(take(&state, &others).unwrap());
        assert!(take(&state, &few).is_err(), "the same packages");
        let failure = take(&state, &packages(MANY)).unwrap_err();
        assert_eq!(failure.exit, Exit::Busy, "{failure:?}");
        drop(held);

        // A child that another test has just forked holds locks until it is a program of its own.
        let mut tries = std::iter::repeat_with(|| {
            std::thread::sleep(Duration::from_millis(10));
            take(&state, &packages(MANY)).ok()
        });
        let held = tries.by_ref().take(1000).flatten().next().unwrap();
        assert!(take(&state, &others).is_err(), "any package is one of them");
        let mut recovery = take(&state, &BTreeSet::new()).unwrap();
        assert!(recovery.also("package v-x").is_err());
        recovery.also("gear blog").unwrap();
        drop(held);
        let is_free = || {
            std::thread::sleep(Duration::from_millis(10));
            recovery.also("package v-x").is_ok()
        };
        assert!(std::iter::repeat_with(is_free).take(1000).any(|is_free| is_free));
    }
}
