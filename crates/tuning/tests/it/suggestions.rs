//! What TPE suggests after the histories of `golden/suggestions.json`: a thousand draws beside Optuna's thousand.

use std::collections::BTreeMap;
use std::sync::Arc;

use juggle_tuning::{
    Direction, MemoryStorage, ParamRecord, Pruner, Sampler, Space, Storage, Study, StudyOptions,
    TpeOptions, TrialContent, TrialState, Value,
};

use crate::benchmark::BENCHMARKS;

const GOLDEN: &str = include_str!("../golden/suggestions.json");
const N_DRAWS: usize = 1000;

/// A storage with the study's history.
fn history(space: &Space, trials: &[Value]) -> Arc<dyn Storage> {
    let storage = MemoryStorage::new();
    let study = storage.create_study("x", &[Direction::Minimize]).unwrap();
    for trial in trials {
        let state = match trial["state"].as_str().unwrap() {
            "COMPLETE" => TrialState::Complete,
            _ => TrialState::Pruned,
        };
        let mut content = TrialContent::new(state);
        let value = trial["value"].as_f64().unwrap();
        content.values = vec![value];
        let step = trial["step"].as_i64().unwrap();
        content.intermediate.insert(step, value);
        for parameter in space.parameters() {
            let Some(internal) = trial["params"].get(&parameter.name) else {
                continue;
            };
            let param = ParamRecord {
                internal: internal.as_f64().unwrap(),
                distribution: Arc::clone(&parameter.distribution),
            };
            content.params.insert(parameter.name.clone(), param);
        }
        storage.create_trial(study, &content).unwrap();
    }
    Arc::new(storage)
}

#[test]
fn suggestions_are_distributed_as_optuna_s() {
    let golden: Value = serde_json::from_str(GOLDEN).unwrap();
    for case in golden["cases"].as_array().unwrap() {
        let function = case["function"].as_str().unwrap();
        let multivariate = case["multivariate"].as_bool().unwrap();
        let benchmark = BENCHMARKS.iter().find(|b| b.name == function).unwrap();
        let space = Space::from_toml(benchmark.space).unwrap();
        let storage = history(&space, case["trials"].as_array().unwrap());
        let options = StudyOptions {
            sampler: Sampler::Tpe(TpeOptions {
                multivariate,
                ..TpeOptions::default()
            }),
            pruner: Pruner::None,
            ..StudyOptions::new(space)
        };
        let study = Study::open(Arc::clone(&storage), "x", options).unwrap();
        let mut drawn: BTreeMap<String, Vec<f64>> = BTreeMap::new();
        for _ in 0..N_DRAWS {
            let trial = study.ask().unwrap().unwrap();
            let record = storage.trial(trial.id()).unwrap();
            for (name, param) in &record.content.params {
                let is_log = param.distribution.to_json().contains("\"log\": true");
                let internal = param.internal;
                let x = if is_log { internal.ln() } else { internal };
                drawn.entry(name.clone()).or_default().push(x);
            }
            // A trial that failed teaches nothing, so all are drawn after the same history.
            trial.fail().unwrap();
        }
        compare(
            &format!("{function}, {multivariate}"),
            &case["drawn"],
            &drawn,
        );
    }
}

fn compare(what: &str, optuna: &Value, drawn: &BTreeMap<String, Vec<f64>>) {
    for (name, optuna) in optuna.as_object().unwrap() {
        let number = |key: &str| optuna[key].as_f64().unwrap();
        let values = &drawn[name];
        let n = values.len() as f64;
        let mean = values.iter().sum::<f64>() / n;
        let deviation = (values.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / n).sqrt();
        // Four and a half standard errors of the difference of two means.
        let error = number("deviation").max(deviation) * (1.0 / n + 1.0 / number("n")).sqrt();
        assert!(
            (mean - number("mean")).abs() <= 4.5 * error + 1e-12,
            "{what}: {name} has the mean {mean}, optuna's {}, standard error {error}",
            number("mean")
        );
        // The two-sample test of Kolmogorov and Smirnov at a level of one in a hundred thousand.
        let limit = 2.47 * (1.0 / n + 1.0 / number("n")).sqrt();
        for point in optuna["shares_up_to"].as_array().unwrap() {
            let [point, expected] = [0, 1].map(|i| point[i].as_f64().unwrap());
            let share = values.iter().filter(|&&x| x <= point + 1e-9).count() as f64 / n;
            assert!(
                (share - expected).abs() <= limit,
                "{what}: {share} of {name} are up to {point}, {expected} of optuna's"
            );
        }
        // How often a conditional parameter is there.
        let (share, optuna_share) = (n / N_DRAWS as f64, number("n") / N_DRAWS as f64);
        let spread = 4.5 * (0.5 / N_DRAWS as f64).sqrt();
        assert!(
            (share - optuna_share).abs() < spread,
            "{what}: {name} {share} {optuna_share}"
        );
    }
}
