//! Work on two threads: the same for many things, or two different things at once. Where the system
//! gives no further thread, one does all of it.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::{Builder, ScopedJoinHandle};

/// Below so many things a second thread costs more than it gives.
const WORTH_TWO: usize = 16;

/// Calls `work` for each of `jobs`, each thread with a `scratch` of its own, and returns the
/// results in the order of the jobs; the first failure ends both threads.
pub fn run<J, S, R, E>(
    jobs: &[J],
    scratch: [S; 2],
    work: impl Fn(&mut S, &J) -> Result<R, E> + Sync,
) -> Result<Vec<R>, E>
where
    J: Sync,
    S: Send,
    R: Send,
    E: Send,
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
    let mut done = if jobs.len() < WORTH_TWO { lane(mine)? } else { two(&lane, mine, other)? };
    done.sort_unstable_by_key(|(number, _)| *number);
    Ok(done.into_iter().map(|(_, result)| result).collect())
}

fn two<S: Send, T: Send, E: Send>(
    lane: &(impl Fn(S) -> Result<Vec<T>, E> + Sync),
    mine: S,
    other: S,
) -> Result<Vec<T>, E> {
    std::thread::scope(|scope| {
        // Without it there are as many jobs for the first.
        let second = Builder::new().spawn_scoped(scope, || lane(other)).ok();
        let first = lane(mine);
        let second = second.map_or_else(|| Ok(Vec::new()), join);
        let mut done = first?;
        done.extend(second?);
        Ok(done)
    })
}

/// Does `one` on this thread and `other` on a second one, and returns what both gave.
pub fn both<A, B: Send>(one: impl FnOnce() -> A, other: impl Fn() -> B + Sync) -> (A, B) {
    let other = &other;
    std::thread::scope(|scope| {
        let second = Builder::new().spawn_scoped(scope, other).ok();
        let first = one();
        (first, second.map_or_else(other, join))
    })
}

fn join<T>(thread: ScopedJoinHandle<'_, T>) -> T {
    thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_keep_the_order_of_the_jobs() {
        let jobs: Vec<u64> = (0..1000).collect();
        let double = run(&jobs, [(), ()], |(), job| Ok::<_, ()>(2 * job)).unwrap();
        assert!(double.iter().zip(&jobs).all(|(double, job)| *double == 2 * job));
        assert_eq!(double.len(), jobs.len());
    }

    #[test]
    fn one_failure_ends_the_work() {
        let jobs: Vec<u64> = (0..1000).collect();
        let odd = |(): &mut (), job: &u64| match job {
            500 => Err(*job),
            _ => Ok(()),
        };
        assert_eq!(run(&jobs, [(), ()], odd), Err(500));
    }

    #[test]
    fn both_are_done_and_each_is_given_back() {
        assert_eq!(both(|| "one", || 2), ("one", 2));
    }
}
