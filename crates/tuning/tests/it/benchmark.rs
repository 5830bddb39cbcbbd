//! Is our TPE as good as Optuna's?
//!
//! The same three functions, fifty seeds, 100 trials each. The best values of Optuna 5.0.0 are in `golden/tpe.json`. Two samples
//! of fifty differ by chance; "no worse" means that our median is not beyond the upper end of the 95% interval of Optuna's median,
//! which the sign test's order statistics give: the 18th and the 33rd of fifty. `cargo test benchmark -- --nocapture` prints
//! all medians; `JUGGLE_TPE_GOLDEN` names another file, of more seeds.

use std::f64::consts::PI;
use std::sync::Arc;
use std::thread;

use juggle_tuning::{
    MemoryStorage, Pruner, Sampler, Space, Study, StudyOptions, TpeOptions, Trial, Value,
};

const GOLDEN: &str = include_str!("../golden/tpe.json");

const A: [[f64; 6]; 4] = [
    [10.0, 3.0, 17.0, 3.5, 1.7, 8.0],
    [0.05, 10.0, 17.0, 0.1, 8.0, 14.0],
    [3.0, 3.5, 1.7, 10.0, 17.0, 8.0],
    [17.0, 8.0, 0.05, 10.0, 0.1, 14.0],
];
const P: [[f64; 6]; 4] = [
    [1312.0, 1696.0, 5569.0, 124.0, 8283.0, 5886.0],
    [2329.0, 4135.0, 8307.0, 3736.0, 1004.0, 9991.0],
    [2348.0, 1451.0, 3522.0, 2883.0, 3047.0, 6650.0],
    [4047.0, 8828.0, 8732.0, 5743.0, 1091.0, 381.0],
];

pub(crate) struct Benchmark {
    pub(crate) name: &'static str,
    pub(crate) space: &'static str,
    objective: fn(&Trial<'_>) -> f64,
}

pub(crate) const BENCHMARKS: [Benchmark; 3] = [
    Benchmark {
        name: "branin",
        space: "
            x = { type = 'float', low = -5, high = 10 }
            y = { type = 'float', low = 0, high = 15 }
        ",
        objective: branin,
    },
    Benchmark {
        name: "hartmann6",
        space: "
            x0 = { type = 'float', low = 0, high = 1 }
            x1 = { type = 'float', low = 0, high = 1 }
            x2 = { type = 'float', low = 0, high = 1 }
            x3 = { type = 'float', low = 0, high = 1 }
            x4 = { type = 'float', low = 0, high = 1 }
            x5 = { type = 'float', low = 0, high = 1 }
        ",
        objective: hartmann6,
    },
    Benchmark {
        name: "mixed",
        space: "
            rate = { type = 'float', low = 1e-5, high = 1.0, log = true }
            width = { type = 'int', low = 4, high = 512, log = true }
            dropout = { type = 'float', low = 0.0, high = 0.5, step = 0.05 }
            kind = { type = 'categorical', choices = ['adam', 'sgd', 'none'] }
            momentum = { type = 'float', low = 0.0, high = 1.0, when = { kind = 'sgd' } }
        ",
        objective: mixed,
    },
];

fn branin(trial: &Trial<'_>) -> f64 {
    let (x, y) = (trial.float("x").unwrap(), trial.float("y").unwrap());
    let bent = y - 5.1 / (4.0 * PI * PI) * x * x + 5.0 / PI * x - 6.0;
    bent * bent + 10.0 * (1.0 - 1.0 / (8.0 * PI)) * x.cos() + 10.0
}

fn hartmann6(trial: &Trial<'_>) -> f64 {
    let xs: [f64; 6] = std::array::from_fn(|i| trial.float(&format!("x{i}")).unwrap());
    let bump = |(a, p): (&[f64; 6], &[f64; 6])| {
        let distances = xs
            .iter()
            .zip(a)
            .zip(p)
            .map(|((x, a), p)| a * (x - 1e-4 * p).powi(2));
        (-distances.sum::<f64>()).exp()
    };
    let alphas = [1.0, 1.2, 3.0, 3.2];
    -A.iter()
        .zip(&P)
        .map(bump)
        .zip(alphas)
        .map(|(bump, alpha)| alpha * bump)
        .sum::<f64>()
}

fn mixed(trial: &Trial<'_>) -> f64 {
    let float = |name| trial.float(name).unwrap();
    let loss = (float("rate").log10() + 2.5).powi(2)
        + 0.5 * (float("width").log2() - 6.0).powi(2)
        + 4.0 * (float("dropout") - 0.2).powi(2);
    match trial.text("kind").unwrap() {
        "sgd" => loss + 2.0 * (float("momentum") - 0.9).powi(2),
        "adam" => loss + 0.3,
        _ => loss + 2.0,
    }
}

fn best(benchmark: &Benchmark, multivariate: bool, seed: u64) -> f64 {
    let options = StudyOptions {
        sampler: Sampler::Tpe(TpeOptions {
            multivariate,
            ..TpeOptions::default()
        }),
        pruner: Pruner::None,
        seed,
        ..StudyOptions::new(Space::from_toml(benchmark.space).unwrap())
    };
    let study = Study::open(Arc::new(MemoryStorage::new()), "x", options).unwrap();
    for _ in 0..100 {
        let trial = study.ask().unwrap().unwrap();
        let value = (benchmark.objective)(&trial);
        trial.complete(value).unwrap();
    }
    study.best().unwrap().unwrap().content.value().unwrap()
}

fn sorted(values: impl IntoIterator<Item = f64>) -> Vec<f64> {
    let mut values: Vec<f64> = values.into_iter().collect();
    values.sort_by(f64::total_cmp);
    values
}

fn median(sorted: &[f64]) -> f64 {
    let half = sorted.len() / 2;
    f64::midpoint(sorted[half - 1], sorted[half])
}

/// The places of the ends of the median's 95% interval among sorted values.
#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a place among a few hundred"
)]
fn interval(n: usize) -> (usize, usize) {
    let lower = (n as f64 / 2.0 - 0.98 * (n as f64).sqrt()).floor() as usize - 1;
    (lower, n - 1 - lower)
}

#[test]
#[expect(
    clippy::print_stdout,
    reason = "the medians are what --nocapture is for"
)]
fn our_median_is_no_worse_than_optuna_s() {
    let text = match std::env::var("JUGGLE_TPE_GOLDEN") {
        Ok(path) => std::fs::read_to_string(path).unwrap(),
        Err(_) => GOLDEN.to_owned(),
    };
    let golden: Value = serde_json::from_str(&text).unwrap();
    let cases = golden["cases"].as_array().unwrap();
    thread::scope(|scope| {
        for case in cases {
            scope.spawn(move || {
                let name = case["function"].as_str().unwrap();
                let multivariate = case["multivariate"].as_bool().unwrap();
                let benchmark = BENCHMARKS.iter().find(|benchmark| benchmark.name == name).unwrap();
                let optuna = case["best_values"].as_array().unwrap();
                let optuna = sorted(optuna.iter().map(|value| value.as_f64().unwrap()));
                let (lower, upper) = interval(optuna.len());
                let ours = sorted((0..optuna.len() as u64).map(|seed| best(benchmark, multivariate, seed)));
                println!(
                    "{name:10} multivariate {multivariate:5}  ours {:.5} ({:.5} to {:.5})  optuna {:.5} ({:.5} to {:.5})",
                    median(&ours), ours[lower], ours[upper], median(&optuna), optuna[lower], optuna[upper],
                );
                assert!(
                    median(&ours) <= optuna[upper],
                    "{name}, multivariate {multivariate}: our median {} is beyond {}",
                    median(&ours),
                    optuna[upper]
                );
            });
        }
    });
}
