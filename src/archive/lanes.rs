//! The same work for many things, on two threads.

use super::error::ArchiveError;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::Builder;

/// Below so many things a second thread costs more than it gives.
const WORTH_TWO: usize = 16;

/// Calls `work` for each of `jobs`, each thread with a `scratch` of its own, and returns the
/// results in the order of the jobs; the first failure ends both threads.
pub(super) fn run<J, S, R>(
    jobs: &[J],
    scratch: [S; 2],
    work: impl Fn(&mut S, &J) -> Result<R, ArchiveError> + Sync,
) -> Result<Vec<R>, ArchiveError>
where
    J: Sync,
    S: Send,
    R: Send,
{
    let (next, stop) = (AtomicUsize::new(0), AtomicBool::new(false));
    let lane = |mut scratch: S| {
        let mut done = Vec::new();
        while !stop.load(Ordering::Relaxed) {
            let number = next.fetch_add(1, Ordering::Relaxed);
            let Some(job) = jobs.get(number) else { break };
            let result = work(&mut scratch, job);
            stop.fetch_or(result.is_err(), Ordering::Relaxed);
            done.push((number, result?));
        }
        Ok(done)
    };
    let [mine, other] = scratch;
    let mut done =
        if jobs.len() < WORTH_TWO { lane(mine) } else { side_by_side(&lane, mine, other) }?;
    done.sort_unstable_by_key(|(number, _)| *number);
    Ok(done.into_iter().map(|(_, result)| result).collect())
}

fn side_by_side<S: Send, T: Send>(
    lane: &(impl Fn(S) -> Result<Vec<T>, ArchiveError> + Sync),
    mine: S,
    other: S,
) -> Result<Vec<T>, ArchiveError> {
    std::thread::scope(|scope| {
        let second =
            Builder::new().spawn_scoped(scope, || lane(other)).map_err(ArchiveError::Thread)?;
        let first = lane(mine);
        let second = second.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        let mut done = first?;
        done.extend(second?);
        Ok(done)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::archive::error::Limit;

    #[test]
    fn results_keep_the_order_of_the_jobs() {
        let jobs: Vec<u64> = (0..1000).collect();
        let double = run(&jobs, [(), ()], |(), job| Ok(2 * job)).unwrap();
        assert!(double.iter().zip(&jobs).all(|(double, job)| *double == 2 * job));
        assert_eq!(double.len(), jobs.len());
    }

    #[test]
    fn one_failure_ends_the_work() {
        let jobs: Vec<u64> = (0..1000).collect();
        let odd = |(): &mut (), job: &u64| match job {
            500 => Err(ArchiveError::from(Limit::Total(*job))),
            _ => Ok(()),
        };
        assert!(matches!(run(&jobs, [(), ()], odd), Err(ArchiveError::Limit(Limit::Total(500)))));
    }
}
