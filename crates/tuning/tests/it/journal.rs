//! Journals as files: what Python wrote, what is torn, who holds the lock.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use juggle_tuning::{
    AttrKind, Direction, Distribution, JournalStorage, LockKind, LockOptions, Storage as _,
    TrialContent, TrialState, Value, open,
};

fn golden(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden");
    folder.join(name)
}

/// A value with `null` for what JSON cannot hold, as the golden file has it.
fn number(x: f64) -> Value {
    if x.is_finite() {
        Value::from(x)
    } else {
        Value::from(x.to_string())
    }
}

/// A journal's studies as `golden/journals/*.json` says them.
fn summary(path: &Path) -> Value {
    let storage = JournalStorage::open(path).unwrap();
    let studies = storage.studies().unwrap();
    let study = |study: juggle_tuning::StudyRecord| {
        let trials = storage.trials(study.id).unwrap();
        let trial = |trial: &Arc<juggle_tuning::TrialRecord>| {
            let content = &trial.content;
            let params = content.params.iter();
            let params: serde_json::Map<_, _> = params
                .map(|(name, param)| (name.clone(), param.value()))
                .collect();
            let intermediate = content.intermediate.iter();
            let intermediate: serde_json::Map<_, _> = intermediate
                .map(|(step, x)| (step.to_string(), number(*x)))
                .collect();
            serde_json::json!({
                "number": trial.number,
                "state": content.state.to_string(),
                "values": content.values.iter().copied().map(number).collect::<Vec<_>>(),
                "params": params,
                "intermediate": intermediate,
                "user_attrs": content.user_attrs,
                "system_attrs": content.system_attrs,
                "has_started": content.started.is_some(),
                "has_completed": content.completed.is_some(),
            })
        };
        serde_json::json!({
            "name": study.name,
            "directions": study.directions.iter().map(ToString::to_string).collect::<Vec<_>>(),
            "user_attrs": study.user_attrs,
            "trials": trials.iter().map(trial).collect::<Vec<_>>(),
        })
    };
    studies.into_iter().map(study).collect()
}

#[test]
fn journals_of_three_versions_of_optuna_are_read() {
    for version in ["3.6.2", "4.5.0", "5.0.0"] {
        let text = fs::read_to_string(golden(&format!("journals/{version}.json"))).unwrap();
        let expected: Value = serde_json::from_str(&text).unwrap();
        let found = summary(&golden(&format!("journals/{version}.log")));
        assert_eq!(found, expected, "{version}");
    }
}

#[test]
fn a_journal_of_python_is_continued() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.log");
    fs::copy(golden("journals/4.5.0.log"), &path).unwrap();
    let storage = JournalStorage::open(&path).unwrap();
    let study = storage.find_study("first").unwrap().unwrap();
    let before = storage.trials(study.id).unwrap();
    let id = storage
        .create_trial(study.id, &TrialContent::new(TrialState::Running))
        .unwrap();
    assert_eq!(storage.trial(id).unwrap().number, before.len() as u64);
    // `x` is a float in Python's trials.
    let int = Arc::new(Distribution::int(0, 3).unwrap());
    let message = storage
        .set_params(id, &[("x".to_owned(), 1.0, int)])
        .unwrap_err()
        .to_string();
    assert!(
        message.starts_with("parameter `x` is {\"name\": \"IntDistribution\""),
        "{message}"
    );
    let finished = before
        .iter()
        .find(|trial| trial.content.state == TrialState::Complete)
        .unwrap();
    let message = storage
        .set_intermediate(finished.id, 0, 1.0)
        .unwrap_err()
        .to_string();
    assert_eq!(
        message,
        format!("trial {} has ended and cannot change", finished.number)
    );
    let message = storage
        .create_study("first", &[Direction::Minimize])
        .unwrap_err()
        .to_string();
    assert_eq!(message, "there is a study `first` already");
    // What was refused is in the file, and refused by the next reader too.
    let again = JournalStorage::open(&path).unwrap();
    let read = |storage: &JournalStorage| format!("{:?}", storage.trials(study.id).unwrap());
    // As text, since NaN is not equal to itself.
    assert!(read(&again) == read(&storage));
}

/// A journal with one study and two trials.
fn journal(folder: &Path) -> (PathBuf, JournalStorage) {
    let path = folder.join("x.log");
    let storage = JournalStorage::open(&path).unwrap();
    let study = storage.create_study("x", &[Direction::Minimize]).unwrap();
    for value in [0.5, f64::INFINITY] {
        let id = storage
            .create_trial(study, &TrialContent::new(TrialState::Running))
            .unwrap();
        storage.set_intermediate(id, 0, f64::NAN).unwrap();
        storage
            .set_state(id, TrialState::Complete, &[value])
            .unwrap();
    }
    (path, storage)
}

fn append(path: &Path, bytes: &[u8]) {
    let mut file = fs::OpenOptions::new().append(true).open(path).unwrap();
    file.write_all(bytes).unwrap();
}

#[test]
fn a_line_torn_at_any_byte_is_repaired_before_appending() {
    let folder = tempfile::tempdir().unwrap();
    let (path, storage) = journal(folder.path());
    let whole = fs::read(&path).unwrap();
    let start = whole[..whole.len() - 1]
        .iter()
        .rposition(|&byte| byte == b'\n')
        .unwrap()
        + 1;
    let study = storage.find_study("x").unwrap().unwrap().id;
    for cut in start..whole.len() {
        fs::write(&path, &whole[..cut]).unwrap();
        let storage = JournalStorage::open(&path).unwrap();
        let trials = storage.trials(study).unwrap();
        assert_eq!(trials[1].content.state, TrialState::Running, "{cut}");
        storage
            .set_state(trials[1].id, TrialState::Complete, &[2.0])
            .unwrap();
        let text = fs::read_to_string(&path).unwrap();
        assert!(
            text.lines()
                .all(|line| serde_json::from_str::<Value>(&line.replace("NaN", "0")).is_ok())
        );
        let again = JournalStorage::open(&path).unwrap();
        assert_eq!(
            again.trials(study).unwrap()[1].content.value(),
            Some(2.0),
            "{cut}"
        );
    }
}

#[test]
fn a_record_on_a_torn_line_is_passed_over_and_cut_off() {
    let folder = tempfile::tempdir().unwrap();
    let (path, storage) = journal(folder.path());
    let study = storage.find_study("x").unwrap().unwrap().id;
    // A program that repairs nothing has written behind a torn line.
    append(
        &path,
        b"{\"op_code\":2,\"wor{\"op_code\":1,\"worker_id\":\"a\",\"study_id\":0}\n",
    );
    let reader = JournalStorage::open(&path).unwrap();
    assert_eq!(reader.trials(study).unwrap().len(), 2);
    reader
        .set_study_attr(study, AttrKind::User, "a", Value::from(1))
        .unwrap();
    let text = fs::read_to_string(&path).unwrap();
    assert!(!text.contains("wor{"));
    assert_eq!(
        storage.find_study("x").unwrap().unwrap().user_attrs["a"],
        Value::from(1)
    );
}

#[test]
fn zeros_that_a_loss_of_power_left_are_cut_off() {
    let folder = tempfile::tempdir().unwrap();
    let (path, _) = journal(folder.path());
    append(&path, &[0; 300]);
    let storage = JournalStorage::open(&path).unwrap();
    let study = storage.find_study("x").unwrap().unwrap().id;
    storage
        .set_study_attr(study, AttrKind::User, "a", Value::from(1))
        .unwrap();
    assert!(!fs::read(&path).unwrap().contains(&0));
}

#[test]
fn what_no_write_can_have_left_is_an_error_that_names_the_line() {
    let cases = [
        (
            "{\"op_code\":11,\"worker_id\":\"a\"}\n",
            "an op_code from 0 to 10",
        ),
        (
            "{\"op_code\":6,\"worker_id\":\"a\",\"trial_id\":0,\"state\":7,\"values\":null}\n",
            "a `state` from 0 to 4",
        ),
        (
            "{\"op_code\":7,\"worker_id\":\"a\",\"trial_id\":0,\"step\":1}\n",
            "a number `intermediate_value`",
        ),
        ("{\"worker_id\":\"a\"}\n", "an integer `op_code`"),
        ("{\"op_code\":1}\n", "a text `worker_id`"),
        (
            "torn\n{\"op_code\":10,\"worker_id\":\"a\"}\n",
            "a JSON object",
        ),
    ];
    for (lines, expected) in cases {
        let folder = tempfile::tempdir().unwrap();
        let (path, storage) = journal(folder.path());
        let length = fs::metadata(&path).unwrap().len();
        append(&path, lines.as_bytes());
        let message = JournalStorage::open(&path).unwrap_err().to_string();
        assert!(message.contains("x.log line 8: found `"), "{message}");
        assert!(
            message.ends_with(&format!("expected {expected}")),
            "{message}"
        );
        // Nor is it appended to.
        assert!(storage.create_study("y", &[Direction::Minimize]).is_err());
        assert_eq!(
            fs::metadata(&path).unwrap().len(),
            length + lines.len() as u64
        );
    }
}

#[test]
fn rustuna_s_discard_is_ignored() {
    let folder = tempfile::tempdir().unwrap();
    let (path, storage) = journal(folder.path());
    append(
        &path,
        b"{\"op_code\":10,\"worker_id\":\"a\",\"study_id\":0,\"trial_ids\":[0]}\n",
    );
    let study = storage.find_study("x").unwrap().unwrap().id;
    assert_eq!(storage.trials(study).unwrap().len(), 2);
}

#[test]
fn a_journal_that_shrinks_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let (path, storage) = journal(folder.path());
    fs::write(&path, "").unwrap();
    let message = storage.studies().unwrap_err().to_string();
    assert!(
        message.contains("x.log has 0 bytes, expected at least the "),
        "{message}"
    );
}

#[test]
fn a_lock_that_nobody_gives_back_is_taken_away() {
    for kind in [LockKind::Symlink, LockKind::Open] {
        let folder = tempfile::tempdir().unwrap();
        let (path, _) = journal(folder.path());
        // What a killed process leaves; either kind blocks the other.
        fs::write(folder.path().join("x.log.lock"), "").unwrap();
        let grace_period = Duration::from_millis(300);
        let lock = LockOptions { kind, grace_period };
        let storage = JournalStorage::open_with(&path, lock).unwrap();
        let started = Instant::now();
        storage.create_study("y", &[Direction::Minimize]).unwrap();
        assert!(started.elapsed() >= grace_period);
        assert!(!folder.path().join("x.log.lock").exists());
    }
}

#[test]
fn addresses_are_told_apart() {
    let message = open("sqlite:///x.db").unwrap_err().to_string();
    assert_eq!(
        message,
        "the storage `sqlite:///x.db` is unknown, expected journal:PATH, grpc://HOST:PORT or memory:"
    );
    assert!(open("journal:").is_err());
    assert!(open("memory:").is_ok());
    let message = open("journal:/no/such/folder/x.log")
        .unwrap_err()
        .to_string();
    assert_eq!(message, "cannot create /no/such/folder/x.log");
}
