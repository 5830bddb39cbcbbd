//! The shares of `golden/importance.json` are those of Optuna's `PedAnovaImportanceEvaluator`.

use std::sync::Arc;

use juggle_tuning::{
    Direction, Distribution, ImportanceOptions, MemoryStorage, ParamRecord, Storage as _,
    TrialContent, TrialState, Value, importances,
};

const GOLDEN: &str = include_str!("../golden/importance.json");

/// The distributions of the generator's parameters, by their records.
fn distribution(text: &str) -> Distribution {
    let known = [
        Distribution::float(-3.0, 3.0),
        Distribution::log_float(1e-5, 0.1),
        Distribution::stepped_float(0.0, 1.0, 0.25),
        Distribution::log_int(8, 512),
        Distribution::int(1, 6),
        Distribution::int(4, 4),
        Distribution::categorical(["a", "b", "c"]),
        Distribution::float(0.0, 2.0),
        Distribution::float(0.0, 4.0),
    ];
    let mut known = known.into_iter().map(Result::unwrap);
    known.find(|known| known.to_json() == text).unwrap()
}

#[test]
fn shares_are_optuna_s() {
    let golden: Value = serde_json::from_str(GOLDEN).unwrap();
    for case in golden["cases"].as_array().unwrap() {
        let direction = match case["direction"].as_str().unwrap() {
            "minimize" => Direction::Minimize,
            _ => Direction::Maximize,
        };
        let record = |index: &Value| {
            let index = usize::try_from(index.as_u64().unwrap()).unwrap();
            case["distributions"][index].as_str().unwrap()
        };
        let storage = MemoryStorage::new();
        let study = storage.create_study("x", &[direction]).unwrap();
        for trial in case["trials"].as_array().unwrap() {
            let state = match trial["state"].as_str().unwrap() {
                "COMPLETE" => TrialState::Complete,
                _ => TrialState::Pruned,
            };
            let mut content = TrialContent::new(state);
            content.values = match &trial["value"] {
                Value::Null => vec![],
                Value::String(_) => vec![f64::INFINITY],
                value => vec![value.as_f64().unwrap()],
            };
            for (name, param) in trial["params"].as_object().unwrap() {
                let param = ParamRecord {
                    internal: param[0].as_f64().unwrap(),
                    distribution: Arc::new(distribution(record(&param[1]))),
                };
                content.params.insert(name.clone(), param);
            }
            storage.create_trial(study, &content).unwrap();
        }
        let options = ImportanceOptions {
            target_quantile: case["target_quantile"].as_f64().unwrap(),
            region_quantile: case["region_quantile"].as_f64().unwrap(),
        };
        let shares = importances(&storage.trials(study).unwrap(), direction, options);
        let expected = case["importances"].as_object().unwrap();
        assert_eq!(shares.len(), expected.len());
        assert!(shares.is_sorted_by(|a, b| a.1 >= b.1));
        for (name, share) in shares {
            let optuna = expected[&name].as_f64().unwrap();
            assert!(
                (share - optuna).abs() < 1e-9,
                "{name}: {share}, optuna {optuna}"
            );
        }
    }
}

#[test]
fn without_trials_all_shares_are_equal() {
    assert!(importances(&[], Direction::Minimize, ImportanceOptions::default()).is_empty());
}
