//! Runs stages side by side: each as soon as what it waits for is done, long ones first.

use std::collections::HashSet;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use anyhow::Result;

use super::stages::Stage;

#[derive(Default)]
struct State {
    started: HashSet<String>,
    done: HashSet<String>,
    errors: Vec<anyhow::Error>,
}

/// Executes every stage on `jobs` threads.
///
/// After a failure no further stage starts, those under way are waited for, and the first error
/// is returned. A dependency that is not among `stages` counts as done.
pub(crate) fn run(
    stages: &[Stage],
    jobs: usize,
    execute: impl Fn(&Stage) -> Result<()> + Sync,
) -> Result<()> {
    let state = Mutex::new(State::default());
    let changed = Condvar::new();
    std::thread::scope(|scope| {
        for _ in 0..jobs.clamp(1, stages.len().max(1)) {
            scope.spawn(|| work(stages, &state, &changed, &execute));
        }
    });
    let state = state.into_inner().unwrap_or_else(PoisonError::into_inner);
    state.errors.into_iter().next().map_or(Ok(()), Err)
}

fn work(
    stages: &[Stage],
    state: &Mutex<State>,
    changed: &Condvar,
    execute: &(impl Fn(&Stage) -> Result<()> + Sync),
) {
    let mut guard = lock(state);
    while guard.errors.is_empty() && guard.started.len() < stages.len() {
        let Some(stage) = next(stages, &guard) else {
            guard = changed.wait(guard).unwrap_or_else(PoisonError::into_inner);
            continue;
        };
        guard.started.insert(stage.name.clone());
        drop(guard);
        let outcome = execute(stage);
        guard = lock(state);
        match outcome {
            Ok(()) => _ = guard.done.insert(stage.name.clone()),
            Err(error) => guard.errors.push(error),
        }
        changed.notify_all();
    }
}

/// The costliest stage that has not started and waits for nothing; the earlier one among equals.
fn next<'a>(stages: &'a [Stage], state: &State) -> Option<&'a Stage> {
    let known = |name: &String| stages.iter().any(|stage| &stage.name == name);
    stages
        .iter()
        .rev()
        .filter(|stage| !state.started.contains(&stage.name))
        .filter(|stage| {
            stage
                .after
                .iter()
                .all(|name| !known(name) || state.done.contains(name))
        })
        .max_by_key(|stage| stage.cost)
}

fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use anyhow::bail;

    use super::*;

    fn stage(name: &str, after: &[&str], cost: u64) -> Stage {
        Stage {
            name: name.into(),
            shows: "",
            after: after.iter().map(|&name| name.to_owned()).collect(),
            steps: vec![],
            outputs: vec![],
            cost,
        }
    }

    fn order(stages: &[Stage]) -> Vec<String> {
        let order = Mutex::new(vec![]);
        run(stages, 1, |stage| {
            order.lock().unwrap().push(stage.name.clone());
            Ok(())
        })
        .unwrap();
        order.into_inner().unwrap()
    }

    #[test]
    fn long_stages_start_first_but_never_before_what_they_wait_for() {
        let stages = [
            stage("data", &[], 1),
            stage("short", &["data"], 5),
            stage("long", &["data", "elsewhere"], 9),
            stage("free", &[], 2),
        ];
        assert_eq!(order(&stages), ["free", "data", "long", "short"]);
    }

    #[test]
    fn equal_stages_keep_their_order() {
        let stages = [stage("a", &[], 1), stage("b", &[], 1), stage("c", &[], 1)];
        assert_eq!(order(&stages), ["a", "b", "c"]);
    }

    #[test]
    fn every_stage_runs_once_on_many_threads() {
        let mut stages: Vec<_> = (0..40)
            .map(|i| stage(&format!("s{i}"), &["first"], 1))
            .collect();
        stages.insert(0, stage("first", &[], 0));
        let runs = AtomicUsize::new(0);
        let first = AtomicUsize::new(0);
        run(&stages, 8, |stage| {
            runs.fetch_add(1, Ordering::SeqCst);
            if stage.name == "first" {
                std::thread::sleep(std::time::Duration::from_millis(5));
                first.store(1, Ordering::SeqCst);
            } else {
                assert_eq!(first.load(Ordering::SeqCst), 1);
            }
            Ok(())
        })
        .unwrap();
        assert_eq!(runs.into_inner(), 41);
    }

    #[test]
    fn a_failure_stops_what_has_not_started() {
        let stages = [stage("a", &[], 1), stage("b", &["a"], 1)];
        let runs = AtomicUsize::new(0);
        let outcome = run(&stages, 2, |stage| {
            runs.fetch_add(1, Ordering::SeqCst);
            bail!("{} failed", stage.name)
        });
        assert_eq!(outcome.unwrap_err().to_string(), "a failed");
        assert_eq!(runs.into_inner(), 1);
    }

    #[test]
    fn no_stages_is_no_work() {
        run(&[], 4, |_| bail!("never")).unwrap();
    }
}
