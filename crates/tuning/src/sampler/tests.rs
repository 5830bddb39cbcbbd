use std::collections::BTreeSet;

use serde_json::json;

use super::*;
use crate::record::{ParamRecord, TrialContent, TrialId};

const SPACE: &str = "
    kind = { type = 'categorical', choices = ['a', 'b'] }
    depth = { type = 'int', low = 1, high = 3, when = { kind = 'a' } }
    rate = { type = 'float', low = 0.001, high = 1.0, log = true }
";

fn space() -> Space {
    Space::from_toml(SPACE).unwrap()
}

fn situation<'a>(space: &'a Space, number: u64, trials: &'a [Arc<TrialRecord>]) -> Situation<'a> {
    Situation {
        space,
        direction: Direction::Minimize,
        seed: 7,
        number,
        trials,
    }
}

/// A trial with these parameters.
fn ended(number: u64, state: TrialState, value: f64, params: &Assignment) -> Arc<TrialRecord> {
    let mut content = TrialContent::new(state);
    content.values = vec![value];
    for (name, internal, distribution) in params {
        let param = ParamRecord {
            internal: *internal,
            distribution: Arc::clone(distribution),
        };
        content.params.insert(name.clone(), param);
    }
    Arc::new(TrialRecord {
        id: TrialId(number.cast_signed()),
        number,
        content,
    })
}

#[test]
fn what_does_not_learn_depends_on_seed_and_number_only() {
    let space = space();
    let far = Sampler::Random.draw(&situation(&space, 0, &[]));
    let trials = [ended(0, TrialState::Complete, 1.0, &far)];
    for sampler in [
        Sampler::Random,
        Sampler::Halton,
        Sampler::Grid { resolution: 4 },
    ] {
        for number in 0..12 {
            let alone = sampler.draw(&situation(&space, number, &[]));
            let among = sampler.draw(&situation(&space, number, &trials));
            assert_eq!(alone, among, "{sampler:?} {number}");
        }
        let other = Situation {
            seed: 8,
            ..situation(&space, 3, &[])
        };
        let first = sampler.draw(&situation(&space, 3, &[]));
        assert_ne!(first, sampler.draw(&other), "{sampler:?}");
    }
}

#[test]
fn every_sampler_stays_in_the_space() {
    let space = space();
    let mut trials = vec![];
    for sampler in [
        Sampler::Random,
        Sampler::Halton,
        Sampler::Grid { resolution: 3 },
        Sampler::Tpe(TpeOptions::default()),
        Sampler::Tpe(TpeOptions {
            multivariate: false,
            ..TpeOptions::default()
        }),
    ] {
        for _ in 0..40 {
            let number = trials.len() as u64;
            let params = sampler.draw(&situation(&space, number, &trials));
            for (name, internal, distribution) in &params {
                assert!(distribution.contains(*internal), "{name} {internal}");
            }
            let has = |name: &str| params.iter().any(|(other, ..)| other == name);
            let kind = params.iter().find(|(name, ..)| name == "kind").unwrap().1;
            assert_eq!(has("depth"), kind == 0.0);
            assert!(has("rate"));
            let value = params.iter().map(|(_, internal, _)| internal).sum();
            trials.push(ended(number, TrialState::Complete, value, &params));
        }
    }
}

#[test]
fn a_grid_has_every_combination_once() {
    let space = space();
    let sampler = Sampler::Grid { resolution: 4 };
    // (3 depths of a, or b) times 4 rates.
    let mut trials = vec![];
    let mut seen = BTreeSet::new();
    for number in 0..16 {
        assert!(!sampler.is_exhausted(&space, &trials));
        let params = sampler.draw(&situation(&space, number, &trials));
        let key: Vec<_> = params
            .iter()
            .map(|(name, internal, _)| format!("{name} {internal:.6}"))
            .collect();
        assert!(seen.insert(key.join(" ")), "{key:?}");
        let state = if number == 5 {
            TrialState::Fail
        } else {
            TrialState::Complete
        };
        trials.push(ended(number, state, 0.0, &params));
    }
    // The one that failed is left.
    assert!(!sampler.is_exhausted(&space, &trials));
    let left = sampler.draw(&situation(&space, 16, &trials));
    trials.push(ended(16, TrialState::Running, 0.0, &left));
    assert!(sampler.is_exhausted(&space, &trials));
    let lost = &trials[5].content.params;
    assert!(
        left.iter()
            .all(|(name, internal, _)| lost[name].internal == *internal)
    );
}

#[test]
fn fixed_parameters_shrink_a_grid() {
    let space = space().fix("kind", &json!("b")).unwrap();
    let sampler = Sampler::Grid { resolution: 4 };
    let draw = |number| sampler.draw(&situation(&space, number, &[]));
    let rates: BTreeSet<_> = (0..4).map(|number| format!("{:?}", draw(number))).collect();
    assert_eq!(rates.len(), 4);
    assert_eq!(draw(0), draw(4));
}

#[test]
fn the_halton_sequence_is_more_even_than_chance() {
    let space = Space::from_toml(
        "x = { type = 'float', low = 0, high = 1 }\ny = { type = 'float', low = 0, high = 1 }",
    )
    .unwrap();
    // The greatest difference between the share of points in a corner's box and its area.
    let discrepancy = |sampler: &Sampler| {
        let points: Vec<(f64, f64)> = (0..256)
            .map(|number| {
                let params = sampler.draw(&situation(&space, number, &[]));
                (params[0].1, params[1].1)
            })
            .collect();
        let mut worst: f64 = 0.0;
        for &(x, _) in &points {
            for &(_, y) in &points {
                let inside = points.iter().filter(|p| p.0 < x && p.1 < y).count();
                worst = worst.max((inside as f64 / 256.0 - x * y).abs());
            }
        }
        worst
    };
    let (even, chance) = (discrepancy(&Sampler::Halton), discrepancy(&Sampler::Random));
    assert!(even < 0.5 * chance, "{even} {chance}");
}

#[test]
fn running_trials_count_as_bad_when_lying() {
    let space = Space::from_toml("x = { type = 'float', low = 0, high = 1 }").unwrap();
    let distribution = Arc::clone(&space.parameters()[0].distribution);
    let at = |x: f64| vec![("x".to_owned(), x, Arc::clone(&distribution))];
    let mut trials: Vec<_> = (0..20)
        .map(|number| {
            let x = (number as f64 + 0.5) / 20.0;
            ended(number, TrialState::Complete, (x - 0.5).abs(), &at(x))
        })
        .collect();
    // Many workers are busy close to the optimum.
    for number in 20..40 {
        let x = 0.47 + 0.003 * (number - 20) as f64;
        trials.push(ended(number, TrialState::Running, 0.0, &at(x)));
    }
    let mean_distance = |constant_liar| {
        let sampler = Sampler::Tpe(TpeOptions {
            constant_liar,
            ..TpeOptions::default()
        });
        let distance =
            |number| (sampler.draw(&situation(&space, number, &trials))[0].1 - 0.5).abs();
        (100..200).map(distance).sum::<f64>() / 100.0
    };
    assert!(mean_distance(true) > 2.0 * mean_distance(false));
}

#[test]
fn settings_out_of_range_are_refused() {
    let space = space();
    let message = |sampler: Sampler| sampler.check(&space).unwrap_err().to_string();
    assert_eq!(
        message(Sampler::Grid { resolution: 1 }),
        "resolution of the grid is 1, expected at least 2"
    );
    assert_eq!(
        message(Sampler::Grid { resolution: 30_000 }),
        "number of combinations of the grid is more than 100000, expected at most 100000"
    );
    let tpe = |change: fn(&mut TpeOptions)| {
        let mut options = TpeOptions::default();
        change(&mut options);
        message(Sampler::Tpe(options))
    };
    assert_eq!(
        tpe(|options| options.n_candidates = 0),
        "n_candidates is 0, expected at least 1"
    );
    assert_eq!(
        tpe(|options| options.gamma = 1.0),
        "gamma is 1, expected above 0 and below 1"
    );
    assert_eq!(
        tpe(|options| options.prior_weight = 0.0),
        "prior_weight is 0, expected a finite number above 0"
    );
}
