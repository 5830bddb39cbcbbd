//! Every report of `golden/pruners.json` is replayed, and each decision must be Optuna's.

use std::sync::Arc;

use juggle_tuning::{
    Direction, HalvingOptions, HyperbandOptions, MemoryStorage, PercentileOptions, Pruner, Sampler,
    Space, Study, StudyOptions, Trial, Value,
};

const GOLDEN: &str = include_str!("../golden/pruners.json");

fn pruner(settings: &Value) -> Pruner {
    let number = |key: &str| settings.get(key).and_then(Value::as_u64);
    let small = |key: &str| number(key).map(|x| u32::try_from(x).unwrap());
    let count = |key: &str, default| number(key).map_or(default, |x| usize::try_from(x).unwrap());
    let default = PercentileOptions::default();
    let options = PercentileOptions {
        n_startup_trials: count("n_startup_trials", default.n_startup_trials),
        n_warmup_steps: number("n_warmup_steps").map_or(0, u64::cast_signed),
        interval_steps: number("interval_steps").map_or(1, u64::cast_signed),
        n_min_trials: count("n_min_trials", default.n_min_trials),
    };
    let bootstrap_count = count("bootstrap_count", 0);
    match settings["name"].as_str().unwrap() {
        "MedianPruner" => Pruner::Median(options),
        "PercentilePruner" => Pruner::Percentile {
            percentile: settings["percentile"].as_f64().unwrap(),
            options,
        },
        "SuccessiveHalvingPruner" => Pruner::SuccessiveHalving(HalvingOptions {
            min_resource: small("min_resource"),
            reduction_factor: small("reduction_factor").unwrap_or(4),
            min_early_stopping_rate: small("min_early_stopping_rate").unwrap_or(0),
            bootstrap_count,
        }),
        "HyperbandPruner" => Pruner::Hyperband(HyperbandOptions {
            min_resource: small("min_resource").unwrap_or(1),
            max_resource: small("max_resource"),
            reduction_factor: small("reduction_factor").unwrap_or(3),
            bootstrap_count,
        }),
        other => panic!("a pruner called {other}"),
    }
}

#[test]
fn decisions_are_optuna_s() {
    let golden: Value = serde_json::from_str(GOLDEN).unwrap();
    let (mut n_reports, mut n_pruned) = (0, 0);
    for case in golden["cases"].as_array().unwrap() {
        let options = StudyOptions {
            direction: match case["direction"].as_str().unwrap() {
                "minimize" => Direction::Minimize,
                _ => Direction::Maximize,
            },
            sampler: Sampler::Random,
            pruner: pruner(&case["pruner"]),
            ..StudyOptions::new(Space::default())
        };
        let name = case["study_name"].as_str().unwrap();
        let study = Study::open(Arc::new(MemoryStorage::new()), name, options).unwrap();
        let mut trials: Vec<Option<Trial<'_>>> = vec![];
        for event in case["events"].as_array().unwrap() {
            let number = usize::try_from(event[1].as_u64().unwrap()).unwrap();
            match event[0].as_str().unwrap() {
                "begin" => {
                    assert_eq!(trials.len(), number);
                    trials.push(study.ask().unwrap());
                }
                "report" => {
                    let trial = trials[number].as_ref().unwrap();
                    let step = event[2].as_i64().unwrap();
                    let value = event[3].as_f64().unwrap_or(f64::NAN);
                    trial.report(step, value).unwrap();
                    let pruned = event[4].as_bool().unwrap();
                    assert_eq!(
                        trial.should_prune().unwrap(),
                        pruned,
                        "{} of {name}: trial {number}, step {step}, value {value}",
                        case["pruner"]
                    );
                    n_reports += 1;
                    n_pruned += u32::from(pruned);
                }
                "complete" => {
                    let value = event[2].as_f64().unwrap();
                    trials[number].take().unwrap().complete(value).unwrap();
                }
                "prune" => {
                    trials[number].take().unwrap().prune().unwrap();
                }
                other => panic!("an event called {other}"),
            }
        }
    }
    assert!(n_reports > 2000 && n_pruned > 300, "{n_reports} {n_pruned}");
}

#[test]
fn settings_out_of_range_are_refused() {
    let message = |pruner| {
        let options = StudyOptions {
            pruner,
            ..StudyOptions::new(Space::default())
        };
        let opened = Study::open(Arc::new(MemoryStorage::new()), "x", options);
        opened.unwrap_err().to_string()
    };
    let percentile = Pruner::Percentile {
        percentile: 101.0,
        options: PercentileOptions::default(),
    };
    assert_eq!(
        message(percentile),
        "percentile is 101, expected from 0 to 100"
    );
    let interval = PercentileOptions {
        interval_steps: 0,
        ..PercentileOptions::default()
    };
    assert_eq!(
        message(Pruner::Median(interval)),
        "interval_steps is 0, expected at least 1"
    );
    let halving = HalvingOptions {
        bootstrap_count: 1,
        ..HalvingOptions::default()
    };
    assert_eq!(
        message(Pruner::SuccessiveHalving(halving)),
        "bootstrap_count is 1, expected 0 where min_resource is not given"
    );
    let hyperband = HyperbandOptions {
        reduction_factor: 1,
        ..HyperbandOptions::default()
    };
    assert_eq!(
        message(Pruner::Hyperband(hyperband)),
        "reduction_factor is 1, expected at least 2"
    );
}
