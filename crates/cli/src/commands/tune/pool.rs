//! Workers side by side, each with its share of the threads.

use anyhow::{Context as _, Result};

/// Calls `work` on so many threads at once; what it does in parallel runs on its share of the threads. One worker has them all.
pub(super) fn side_by_side(workers: usize, work: impl Fn() + Sync) -> Result<()> {
    if workers == 1 {
        work();
        return Ok(());
    }
    let threads = rayon::current_num_threads();
    let pools = (0..workers).map(|worker| {
        // What does not divide evenly goes to the first ones; everyone has one at least.
        let share = threads / workers + usize::from(worker < threads % workers);
        rayon::ThreadPoolBuilder::new()
            .num_threads(share.max(1))
            .build()
            .context("cannot start the threads of a worker")
    });
    let pools: Vec<_> = pools.collect::<Result<_>>()?;
    std::thread::scope(|scope| {
        for pool in &pools {
            scope.spawn(|| pool.install(&work));
        }
    });
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;

    #[test]
    fn threads_are_shared_out() {
        let seen = Mutex::new(vec![]);
        let three = rayon::ThreadPoolBuilder::new()
            .num_threads(3)
            .build()
            .unwrap();
        let run = |workers| {
            seen.lock().unwrap().clear();
            three
                .install(|| {
                    side_by_side(workers, || {
                        seen.lock().unwrap().push(rayon::current_num_threads());
                    })
                })
                .unwrap();
            let mut seen = seen.lock().unwrap().clone();
            seen.sort_unstable();
            seen
        };
        assert_eq!(run(1), [3]);
        assert_eq!(run(2), [1, 2]);
        assert_eq!(run(4), [1, 1, 1, 1]);
    }
}
