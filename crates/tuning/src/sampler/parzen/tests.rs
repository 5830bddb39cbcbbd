use serde_json::Value;

use super::*;
use crate::sampler::normal;

const GOLDEN: &str = include_str!("../../../tests/golden/parzen.json");

fn golden() -> Value {
    serde_json::from_str(GOLDEN).unwrap()
}

fn rows(value: &Value) -> Vec<Vec<f64>> {
    let row = |row: &Value| {
        let numbers = row.as_array().unwrap().iter();
        numbers.map(|x| x.as_f64().unwrap()).collect()
    };
    value.as_array().unwrap().iter().map(row).collect()
}

#[test]
fn densities_are_optuna_s() {
    let golden = golden();
    let cases = golden["cases"].as_array().unwrap();
    assert!(cases.len() > 40);
    for case in cases {
        let texts = case["distributions"].as_array().unwrap().iter();
        let distributions: Vec<_> = texts
            .map(|text| Arc::new(Distribution::from_json(text.as_str().unwrap()).unwrap()))
            .collect();
        let options = ParzenOptions {
            prior_weight: case["prior_weight"].as_f64().unwrap(),
            magic_clip: case["magic_clip"].as_bool().unwrap(),
        };
        let observations = rows(&case["observations"]);
        let mixture = Mixture::estimate(&distributions, &observations, options);
        let expected = case["log_densities"].as_array().unwrap();
        for (row, expected) in rows(&case["rows"]).iter().zip(expected) {
            let (found, expected) = (mixture.log_density(row), expected.as_f64().unwrap());
            assert!(
                (found - expected).abs() < 1e-8 * expected.abs().max(1.0),
                "{} observations of {distributions:?}: {found}, optuna {expected}",
                observations.len()
            );
        }
    }
}

#[test]
fn quantiles_are_optuna_s() {
    for case in rows(&golden()["quantiles"]) {
        let [q, a, b, expected] = case[..] else {
            panic!("a case of {} numbers", case.len())
        };
        let found = normal::quantile(q, a, b);
        assert!(
            (found - expected).abs() < 1e-7 * expected.abs().max(1e-3),
            "{q} of {a}..{b}: {found}, optuna {expected}"
        );
    }
}

#[test]
fn samples_follow_the_density() {
    let distribution = Distribution::stepped_int(0, 9, 1).unwrap();
    let observations = [vec![2.0], vec![3.0], vec![8.0]];
    let options = ParzenOptions {
        prior_weight: 1.0,
        magic_clip: true,
    };
    let mixture = Mixture::estimate(&[Arc::new(distribution)], &observations, options);
    let mut stream = Stream::new(0, "test", 0);
    let mut counts = [0_u32; 10];
    for _ in 0..20_000 {
        counts[to_index(mixture.sample(&mut stream)[0])] += 1;
    }
    let mut total = 0.0;
    for (x, count) in counts.into_iter().enumerate() {
        let probability = mixture.log_density(&[x as f64]).exp();
        let share = f64::from(count) / 20_000.0;
        // Five standard deviations.
        let spread = 5.0 * (probability * (1.0 - probability) / 20_000.0).sqrt();
        assert!(
            (share - probability).abs() < spread,
            "{x}: {share} {probability}"
        );
        total += probability;
    }
    assert!((total - 1.0).abs() < 1e-9, "{total}");
}

#[test]
fn old_observations_fade() {
    assert_eq!(age_weights(25), vec![1.0; 25]);
    let weights = age_weights(27);
    assert_eq!(weights[..2], [1.0 / 27.0, 1.0]);
    assert_eq!(age_weights(26)[0], 1.0 / 26.0);
}
