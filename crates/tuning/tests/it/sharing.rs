//! Many workers, one study: every trial is there once, whoever made it.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use juggle_tuning::{
    JournalStorage, LockKind, LockOptions, MemoryStorage, Pruner, Sampler, Space, Storage, Study,
    StudyOptions, TrialState, Value, open,
};

const SPACE: &str = "x = { type = 'float', low = -5.0, high = 5.0 }";

fn options() -> StudyOptions {
    StudyOptions {
        sampler: Sampler::Random,
        pruner: Pruner::None,
        ..StudyOptions::new(Space::from_toml(SPACE).unwrap())
    }
}

/// The example `worker`, which cargo builds beside the tests.
pub(crate) fn worker(address: &str, n_trials: &str, seed: u32, milliseconds: u32) -> Child {
    let tests = std::env::current_exe().unwrap();
    let target = tests.parent().unwrap().parent().unwrap();
    let program = target.join("examples").join("worker");
    Command::new(&program)
        .args([address, "shared", n_trials])
        .args([seed, milliseconds].map(|number| number.to_string()))
        .stdout(Stdio::piped())
        .spawn()
        .unwrap_or_else(|error| panic!("{}: {error}", program.display()))
}

/// The study's trials, read anew.
pub(crate) fn trials(path: &Path) -> Vec<Arc<juggle_tuning::TrialRecord>> {
    let storage = JournalStorage::open(path).unwrap();
    let study = storage.find_study("shared").unwrap().unwrap();
    storage.trials(study.id).unwrap()
}

fn share_among_threads(storages: &[Arc<dyn Storage>]) {
    let numbers = Mutex::new(vec![]);
    thread::scope(|scope| {
        for storage in storages {
            scope.spawn(|| {
                let study = Study::open(Arc::clone(storage), "shared", options()).unwrap();
                for _ in 0..25 {
                    let trial = study.ask().unwrap().unwrap();
                    let number = trial.number();
                    let x = trial.float("x").unwrap();
                    trial.complete(x).unwrap();
                    numbers.lock().unwrap().push(number);
                }
            });
        }
    });
    let numbers = numbers.into_inner().unwrap();
    let n_trials = 25 * storages.len() as u64;
    let distinct: BTreeSet<_> = numbers.iter().copied().collect();
    assert_eq!(numbers.len() as u64, n_trials);
    assert_eq!(distinct, (0..n_trials).collect());
    let study = storages[0].find_study("shared").unwrap().unwrap();
    let trials = storages[0].trials(study.id).unwrap();
    assert_eq!(trials.len() as u64, n_trials);
    assert!(
        trials
            .iter()
            .all(|trial| trial.content.state == TrialState::Complete)
    );
}

#[test]
fn threads_share_a_memory() {
    let storage: Arc<dyn Storage> = Arc::new(MemoryStorage::new());
    share_among_threads(&[Arc::clone(&storage), Arc::clone(&storage), storage]);
}

#[test]
fn threads_share_a_journal() {
    let folder = tempfile::tempdir().unwrap();
    let storage = open(&format!(
        "journal:{}",
        folder.path().join("x.log").display()
    ))
    .unwrap();
    share_among_threads(&[Arc::clone(&storage), Arc::clone(&storage), storage]);
}

#[test]
fn openers_share_a_journal_under_either_lock() {
    for kind in [LockKind::Symlink, LockKind::Open] {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.log");
        let lock = LockOptions {
            kind,
            grace_period: Duration::from_secs(30),
        };
        let open =
            || -> Arc<dyn Storage> { Arc::new(JournalStorage::open_with(&path, lock).unwrap()) };
        share_among_threads(&[open(), open(), open()]);
        let left: Vec<_> = std::fs::read_dir(folder.path())
            .unwrap()
            .map(|entry| entry.unwrap().file_name())
            .collect();
        assert_eq!(left, ["x.log"], "locks are given back");
    }
}

#[test]
fn processes_share_a_journal() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.log");
    let address = format!("journal:{}", path.display());
    let workers: Vec<_> = (0..4).map(|seed| worker(&address, "10", seed, 0)).collect();
    let mut told = BTreeSet::new();
    for worker in workers {
        let output = worker.wait_with_output().unwrap();
        assert!(output.status.success());
        let text = String::from_utf8(output.stdout).unwrap();
        for line in text.lines() {
            assert!(told.insert(line.parse::<u64>().unwrap()), "{line} twice");
        }
    }
    assert_eq!(told, (0..40).collect());
    let trials = trials(&path);
    assert_eq!(trials.len(), 40);
    for trial in trials {
        assert_eq!(trial.content.state, TrialState::Complete);
        assert_eq!(trial.content.intermediate.len(), 3);
        assert_eq!(trial.content.user_attrs["worker"], Value::from("rust"));
    }
}

#[test]
fn one_of_many_takes_a_waiting_trial() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.log");
    let open = || -> Arc<dyn Storage> { Arc::new(JournalStorage::open(&path).unwrap()) };
    let first = Study::open(open(), "shared", options()).unwrap();
    for i in 0..10 {
        first
            .enqueue([("x", Value::from(0.1 * f64::from(i)))])
            .unwrap();
    }
    let taken = Mutex::new(vec![]);
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                let study = Study::open(open(), "shared", options()).unwrap();
                for _ in 0..5 {
                    let trial = study.ask().unwrap().unwrap();
                    taken.lock().unwrap().push(trial.number());
                    trial.complete(0.0).unwrap();
                }
            });
        }
    });
    let mut taken = taken.into_inner().unwrap();
    taken.sort_unstable();
    assert_eq!(taken, (0..20).collect::<Vec<_>>());
}
