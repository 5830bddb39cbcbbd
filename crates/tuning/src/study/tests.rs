use serde_json::json;

use super::*;
use crate::storage::MemoryStorage;

const SPACE: &str = "
    kind = { type = 'categorical', choices = ['plain', 'bent'] }
    x = { type = 'float', low = 0, high = 1 }
    bend = { type = 'int', low = 1, high = 4, when = { kind = 'bent' } }
";

fn options() -> StudyOptions {
    StudyOptions {
        sampler: Sampler::Random,
        pruner: Pruner::None,
        ..StudyOptions::new(Space::from_toml(SPACE).unwrap())
    }
}

fn study(storage: &Arc<dyn Storage>) -> Study {
    Study::open(Arc::clone(storage), "test", options()).unwrap()
}

fn memory() -> Arc<dyn Storage> {
    Arc::new(MemoryStorage::new())
}

/// Makes a running trial of a process that has ended.
fn orphan(study: &Study) -> TrialId {
    let mut trial = study.ask().unwrap().unwrap();
    trial.abandon();
    let id = trial.id();
    let mut worker = study.here.to_value();
    worker["began"] = json!(1);
    study
        .storage
        .set_trial_attr(id, AttrKind::System, WORKER_KEY, worker)
        .unwrap();
    id
}

#[test]
fn a_trial_goes_from_ask_to_tell() {
    let storage = memory();
    let study = study(&storage);
    let trial = study.ask().unwrap().unwrap();
    assert_eq!(trial.number(), 0);
    let x = trial.float("x").unwrap();
    let kind = trial.text("kind").unwrap().to_owned();
    assert_eq!(trial.get("bend").is_some(), kind == "bent");
    trial.report(0, 0.5).unwrap();
    trial.set_user_attr("note", "hello").unwrap();
    assert_eq!(trial.complete(x).unwrap(), TrialState::Complete);
    let record = &study.trials().unwrap()[0].content;
    assert_eq!(record.value(), Some(x));
    assert_eq!(record.intermediate.get(&0), Some(&0.5));
    assert_eq!(record.user_attrs["note"], json!("hello"));
    assert_eq!(record.params["kind"].value(), json!(kind));
    assert!(record.completed >= record.started);
}

#[test]
fn the_best_is_by_direction() {
    for (direction, number) in [(Direction::Minimize, 1), (Direction::Maximize, 2)] {
        let options = StudyOptions {
            direction,
            ..options()
        };
        let study = Study::open(memory(), "test", options).unwrap();
        assert!(study.best().unwrap().is_none());
        for value in [0.5, -1.0, 3.0, 3.0] {
            study.ask().unwrap().unwrap().complete(value).unwrap();
        }
        study.ask().unwrap().unwrap().fail().unwrap();
        assert_eq!(study.best().unwrap().unwrap().number, number);
    }
}

#[test]
fn nan_is_no_value_and_a_dropped_trial_fails() {
    let storage = memory();
    let study = study(&storage);
    let trial = study.ask().unwrap().unwrap();
    assert_eq!(trial.complete(f64::NAN).unwrap(), TrialState::Fail);
    drop(study.ask().unwrap().unwrap());
    let trial = study.ask().unwrap().unwrap();
    trial.report(0, 2.0).unwrap();
    trial.report(4, 1.0).unwrap();
    trial.prune().unwrap();
    let states: Vec<_> = study
        .trials()
        .unwrap()
        .iter()
        .map(|trial| (trial.content.state, trial.content.value()))
        .collect();
    let expected = [
        (TrialState::Fail, None),
        (TrialState::Fail, None),
        (TrialState::Pruned, Some(1.0)),
    ];
    assert_eq!(states, expected);
}

#[test]
fn waiting_trials_come_first_with_their_values() {
    let storage = memory();
    let study = study(&storage);
    study
        .enqueue([("kind", json!("bent")), ("bend", json!(3))])
        .unwrap();
    study.enqueue([("x", json!(0.25))]).unwrap();
    let first = study.ask().unwrap().unwrap();
    assert_eq!(
        (first.text("kind").unwrap(), first.int("bend").unwrap()),
        ("bent", 3)
    );
    let second = study.ask().unwrap().unwrap();
    assert_eq!(second.float("x").unwrap(), 0.25);
    let third = study.ask().unwrap().unwrap();
    assert_eq!(third.number(), 2);
    let message = study.enqueue([("x", json!(2))]).unwrap_err().to_string();
    assert!(
        message.starts_with("parameter `x` is 2, expected "),
        "{message}"
    );
    let message = study.enqueue([("z", json!(2))]).unwrap_err().to_string();
    assert!(
        message.starts_with("there is no parameter `z`"),
        "{message}"
    );
}

#[test]
fn a_dead_worker_s_trial_fails_and_is_tried_again_once() {
    let storage = memory();
    let study = study(&storage);
    let lost = orphan(&study);
    let values = storage.trial(lost).unwrap().content.params.clone();
    let again = study.ask().unwrap().unwrap();
    assert_eq!(again.number(), 1);
    assert_eq!(again.repeats(), [0]);
    for (name, param) in &values {
        assert_eq!(again.get(name), Some(&param.value()));
    }
    assert_eq!(storage.trial(lost).unwrap().content.state, TrialState::Fail);
    again.complete(1.0).unwrap();

    // The second time there is no third.
    let mut options = options();
    options.max_retries = 0;
    let strict = Study::open(Arc::clone(&storage), "test", options).unwrap();
    orphan(&strict);
    assert_eq!(strict.fail_dead().unwrap(), [2]);
    assert_eq!(strict.ask().unwrap().unwrap().repeats(), [] as [u64; 0]);
}

#[test]
fn a_waiting_trial_whose_taker_died_before_it_signed_is_tried_again() {
    let storage = memory();
    let study = study(&storage);
    let id = study.enqueue([("x", json!(0.25))]).unwrap();
    let mut claim = study.here.to_value();
    claim["began"] = json!(1);
    let key = format!("{CLAIM_PREFIX}dead");
    storage
        .set_trial_attr(id, AttrKind::System, &key, claim)
        .unwrap();
    assert!(storage.set_state(id, TrialState::Running, &[]).unwrap());
    let again = study.ask().unwrap().unwrap();
    assert_eq!((again.number(), again.repeats()), (1, &[0][..]));
    assert_eq!(again.float("x").unwrap(), 0.25);
    assert_eq!(storage.trial(id).unwrap().content.state, TrialState::Fail);
}

#[test]
fn a_living_worker_s_trial_and_a_stranger_s_are_left_alone() {
    let storage = memory();
    let study = study(&storage);
    let mine = study.ask().unwrap().unwrap();
    let stranger = storage
        .create_trial(study.id, &TrialContent::new(TrialState::Running))
        .unwrap();
    assert_eq!(study.fail_dead().unwrap(), [] as [u64; 0]);
    assert_eq!(
        storage.trial(stranger).unwrap().content.state,
        TrialState::Running
    );
    drop(mine);
}

#[test]
fn a_worker_that_must_stop_hands_its_trial_on() {
    let storage = memory();
    let study = study(&storage);
    let trial = study.ask().unwrap().unwrap();
    let x = trial.float("x").unwrap();
    trial.repeat().unwrap();
    let again = study.ask().unwrap().unwrap();
    assert_eq!((again.float("x").unwrap(), again.repeats()), (x, &[0][..]));
}

#[test]
fn beats_are_written_while_a_trial_runs() {
    let storage = memory();
    let options = StudyOptions {
        beat_interval: Duration::from_millis(5),
        ..options()
    };
    let study = Study::open(Arc::clone(&storage), "test", options).unwrap();
    let trial = study.ask().unwrap().unwrap();
    let has_beaten = || {
        let record = storage.trial(trial.id()).unwrap();
        record
            .content
            .system_attrs
            .contains_key(crate::worker::BEAT_KEY)
    };
    let started = std::time::Instant::now();
    while !has_beaten() {
        assert!(started.elapsed() < Duration::from_secs(60), "no beat");
        std::thread::sleep(Duration::from_millis(5));
    }
    trial.complete(0.0).unwrap();
}

#[test]
fn another_direction_is_refused() {
    let storage = memory();
    drop(study(&storage));
    let other = StudyOptions {
        direction: Direction::Maximize,
        ..options()
    };
    let message = Study::open(storage, "test", other).unwrap_err().to_string();
    assert_eq!(
        message,
        "study `test` is to minimize, expected one that is to maximize"
    );
}

#[test]
fn a_grid_ends() {
    let options = StudyOptions {
        sampler: Sampler::Grid { resolution: 2 },
        ..options()
    };
    let study = Study::open(memory(), "test", options).unwrap();
    // Two x for plain, two x and two bends for bent.
    for _ in 0..6 {
        study.ask().unwrap().unwrap().complete(0.0).unwrap();
    }
    assert!(study.ask().unwrap().is_none());
}

#[test]
fn one_worker_repeats_itself() {
    let run = || {
        let options = StudyOptions {
            sampler: Sampler::Tpe(TpeOptions::default()),
            ..options()
        };
        let study = Study::open(memory(), "test", options).unwrap();
        let values = (0..30).map(|_| {
            let trial = study.ask().unwrap().unwrap();
            let x = trial.float("x").unwrap();
            trial.complete((x - 0.3).abs()).unwrap();
            x
        });
        values.collect::<Vec<_>>()
    };
    assert_eq!(run(), run());
}
