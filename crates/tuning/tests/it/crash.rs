//! Workers are killed while they share a journal. `cargo xtask interop` does it a hundred times with Optuna reading; here a few
//! times.

use std::collections::BTreeSet;
use std::io::{BufRead as _, BufReader, Read as _};
use std::thread;
use std::time::Duration;

use juggle_tuning::TrialState;

use crate::sharing::{trials, worker};

const ROUNDS: u32 = 6;

#[test]
fn killed_workers_lose_no_finished_trial() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.log");
    // A short grace period: a worker that is killed with the lock holds the others up that long.
    let address = format!("journal-open:1:{}", path.display());
    let mut told = BTreeSet::new();
    for round in 0..ROUNDS {
        let mut workers: Vec<_> = (0..2)
            .map(|i| worker(&address, "1000", 10 * round + i, 3))
            .collect();
        let mut outputs: Vec<_> = workers
            .iter_mut()
            .map(|worker| BufReader::new(worker.stdout.take().unwrap()))
            .collect();
        // Killed in the middle of its work, at another place each time.
        let mut first = String::new();
        outputs[0].read_line(&mut first).unwrap();
        thread::sleep(Duration::from_millis(u64::from(7 * round)));
        for worker in &mut workers {
            worker.kill().unwrap();
            worker.wait().unwrap();
        }
        for mut output in outputs {
            let mut text = std::mem::take(&mut first);
            output.read_to_string(&mut text).unwrap();
            // A number without its end may be cut short.
            let whole = text.rsplit_once('\n').map_or("", |(whole, _)| whole);
            for line in whole.lines() {
                assert!(told.insert(line.parse::<u64>().unwrap()), "{line} twice");
            }
        }
        let complete: BTreeSet<u64> = trials(&path)
            .iter()
            .filter(|trial| trial.content.state == TrialState::Complete)
            .map(|trial| trial.number)
            .collect();
        assert!(complete.is_superset(&told), "{told:?} {complete:?}");
    }
    assert!(told.len() >= 6, "{told:?}");
    // The next worker fails what the dead ones left.
    assert!(worker(&address, "1", 99, 0).wait().unwrap().success());
    let running = trials(&path)
        .iter()
        .filter(|trial| trial.content.state == TrialState::Running)
        .count();
    assert_eq!(running, 0);
}
