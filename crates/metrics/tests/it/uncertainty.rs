// long because each golden table has its reader beside its test
//! Intervals and tests: values that scipy and statsmodels produced (`tests/golden/generate_uncertainty.py` writes
//! them), coverage, and what an error says.

use std::sync::Mutex;

use juggle_metrics::{
    Bootstrap, BootstrapMethod, Error, Interval, PairedCounts, Sample, bca_interval,
    clopper_pearson_interval, mean_difference_interval, mean_interval, percentile_interval,
    prediction_interval, wilson_interval,
};
use serde_json::Value;

use crate::patterns::SplitMix64;

/// Against statsmodels and scipy, relative to the value.
const TOLERANCE: f64 = 1e-12;
/// Against scipy's beta quantiles, whose own largest error over these cases is 1.53e-10.
const BETA_QUANTILE: f64 = 1.6e-10;
/// Against scipy's quantiles of Student's t, where the probability outside is a millionth and loses digits.
const STUDENT: f64 = 1e-9;
/// Against the same quantiles in 40 digits; the largest deviation over these cases is 3.1e-15.
const EXACT: f64 = 5e-15;

fn golden() -> Value {
    serde_json::from_str(include_str!("../golden/uncertainty.json")).unwrap()
}

fn floats(value: &Value) -> Vec<f64> {
    serde_json::from_value(value.clone()).unwrap()
}

fn compare(found: Interval, expected: &Value, case: &str, tolerance: f64) {
    let expected = floats(expected);
    compare_numbers(found.low, expected[0], case, tolerance);
    compare_numbers(found.high, expected[1], case, tolerance);
}

fn compare_numbers(found: f64, expected: f64, case: &str, tolerance: f64) {
    let error = (found - expected).abs();
    assert!(
        error <= tolerance * expected.abs(),
        "{case}: found {found}, expected {expected}, off by {error:e}"
    );
}

#[test]
fn intervals_agree_with_statsmodels() {
    let document = golden();
    let levels = floats(&document["confidence_levels"]);
    let cases = document["intervals"].as_array().unwrap();
    assert!(cases.len() > 100, "{} cases", cases.len());
    for case in cases {
        let (successes, n) = (
            case["successes"].as_u64().unwrap(),
            case["n"].as_u64().unwrap(),
        );
        for (i, &level) in levels.iter().enumerate() {
            let name = format!("{successes} of {n} at {level}");
            let exact = clopper_pearson_interval(successes, n, level).unwrap();
            compare(exact, &case["exact"][i], &name, EXACT);
            compare(exact, &case["clopper_pearson"][i], &name, BETA_QUANTILE);
            let wilson = wilson_interval(successes, n, level).unwrap();
            // At these ends statsmodels leaves the rounding error of a difference that is zero.
            let mut expected = case["wilson"][i].clone();
            if successes == 0 {
                assert!(expected[0].as_f64().unwrap().abs() < 1e-15, "{name}");
                expected[0] = 0.0.into();
            }
            if successes == n {
                assert!(expected[1].as_f64().unwrap() > 1.0 - 1e-15, "{name}");
                expected[1] = 1.0.into();
            }
            compare(wilson, &expected, &name, TOLERANCE);
        }
    }
}

#[test]
fn intervals_over_few_values_agree_with_scipy() {
    let document = golden();
    let levels = floats(&document["confidence_levels"]);
    for case in document["student"].as_array().unwrap() {
        let (first, second) = (floats(&case["first"]), floats(&case["second"]));
        for (i, &level) in levels.iter().enumerate() {
            let name = format!("{} and {} values at {level}", first.len(), second.len());
            let found = mean_interval(&first, level).unwrap();
            compare(found, &case["mean"][i], &name, STUDENT);
            let found = prediction_interval(&first, level).unwrap();
            compare(found, &case["prediction"][i], &name, STUDENT);
            let found = mean_difference_interval(&first, &second, level).unwrap();
            compare(found, &case["difference"][i], &name, STUDENT);
        }
    }
}

#[test]
fn intervals_over_few_values_need_two_finite_ones() {
    assert_eq!(
        mean_interval(&[0.5], 0.95).unwrap_err().to_string(),
        Bootstrap::default().mean(&[0.5]).unwrap_err().to_string()
    );
    let refused = prediction_interval(&[0.5, f64::NAN], 0.95).unwrap_err();
    assert!(matches!(refused, Error::NonFiniteValue { position: 1, .. }));
    let refused = mean_difference_interval(&[0.5, 0.6], &[0.5, 0.6], 1.0).unwrap_err();
    assert!(matches!(refused, Error::ConfidenceLevel { .. }));
    let equal = mean_difference_interval(&[0.3; 3], &[0.1; 2], 0.95).unwrap();
    assert_eq!((equal.low, equal.high), (0.3 - 0.1, 0.3 - 0.1));
}

#[test]
fn mcnemar_agrees_with_statsmodels() {
    for case in golden()["mcnemar"].as_array().unwrap() {
        let counts: [u64; 4] = serde_json::from_value(case["counts"].clone()).unwrap();
        let [both_right, only_first, only_second, both_wrong] = counts;
        let counts = PairedCounts {
            both_right,
            only_first,
            only_second,
            both_wrong,
        };
        let test = counts.mcnemar().unwrap();
        assert_eq!(test.counts, counts);
        let name = case.to_string();
        compare_numbers(
            test.p_value,
            case["p_value"].as_f64().unwrap(),
            &name,
            TOLERANCE,
        );
        compare_numbers(
            test.mid_p_value,
            case["mid_p_value"].as_f64().unwrap(),
            &name,
            TOLERANCE,
        );
    }
}

#[test]
fn pairs_are_counted() {
    let first = [true, true, true, false, false, true];
    let second = [true, false, false, true, false, true];
    let counts = PairedCounts::from_correctness(&first, &second).unwrap();
    let expected = PairedCounts {
        both_right: 2,
        only_first: 2,
        only_second: 1,
        both_wrong: 1,
    };
    assert_eq!(counts, expected);
    let labels = ["a", "b", "c", "a", "b", "c"];
    let predictions = |right: [bool; 6]| {
        let mut predictions = labels;
        for (prediction, right) in predictions.iter_mut().zip(right) {
            if !right {
                *prediction = "d";
            }
        }
        predictions
    };
    let counts = PairedCounts::from_predictions(&labels, &predictions(first), &predictions(second));
    assert_eq!(counts, Ok(expected));
}

fn statistic(name: &str, data: &[f64], drawn: &[usize]) -> f64 {
    let mut values: Vec<f64> = drawn.iter().map(|&i| data[i]).collect();
    let n = values.len();
    let mean = values.iter().sum::<f64>() / n as f64;
    values.sort_by(f64::total_cmp);
    match name {
        "mean" => mean,
        "median" => f64::midpoint(values[(n - 1) / 2], values[n / 2]),
        "standard deviation" => {
            let squares: f64 = values.iter().map(|x| (x - mean).powi(2)).sum();
            (squares / n as f64).sqrt()
        }
        "maximum" => values[n - 1],
        name => panic!("unknown statistic {name}"),
    }
}

#[test]
fn end_points_agree_with_scipy() {
    let document = golden();
    let levels = floats(&document["confidence_levels"]);
    let cases = document["bootstrap"].as_array().unwrap();
    assert!(cases.len() > 10, "{} cases", cases.len());
    let mut n_undefined = 0;
    for case in cases {
        let (name, data) = (case["statistic"].as_str().unwrap(), floats(&case["data"]));
        let indices: Vec<Vec<usize>> = serde_json::from_value(case["indices"].clone()).unwrap();
        let of = |drawn: &[usize]| statistic(name, &data, drawn);
        let replicates: Vec<f64> = indices.iter().map(|drawn| of(drawn)).collect();
        let all: Vec<usize> = (0..data.len()).collect();
        let without = |i| of(&[&all[..i], &all[i + 1..]].concat());
        let jackknife: Vec<f64> = all.iter().map(|&i| without(i)).collect();
        for (i, &level) in levels.iter().enumerate() {
            let name = format!("{} at {level}", case["name"]);
            let percentile = percentile_interval(&replicates, level).unwrap();
            compare(percentile, &case["percentile"][i], &name, TOLERANCE);
            let bca = bca_interval(of(&all), &replicates, &jackknife, level);
            if replicates
                .iter()
                .all(|&replicate| replicate == replicates[0])
            {
                // scipy has NaN; ours is documented.
                assert!(case["bca"][i].is_null(), "{name}");
                assert_eq!(bca, Ok(percentile), "{name}");
            } else if case["bca"][i].is_null() {
                assert!(
                    matches!(bca, Err(Error::BcaUndefined { .. })),
                    "{name}: {bca:?}"
                );
                n_undefined += 1;
            } else {
                compare(bca.unwrap(), &case["bca"][i], &name, TOLERANCE);
            }
        }
    }
    assert!(n_undefined > 0);
}

/// Normal values with mean 0 by Box and Muller's method, or exponential ones with mean 1.
fn sample(rng: &mut SplitMix64, n: usize, is_skew: bool) -> Vec<f64> {
    let mut draw = || {
        let radius = -(1.0 - rng.unit()).ln();
        if is_skew {
            radius
        } else {
            (2.0 * radius).sqrt() * (std::f64::consts::TAU * rng.unit()).cos()
        }
    };
    (0..n).map(|_| draw()).collect()
}

/// Over 1,000 samples of 50, the share of 95 % intervals that contain the true mean has a standard deviation of 0.7 %.
/// A bootstrap of the mean of so few is known to fall a little short, and more so where the distribution is skew.
#[test]
fn coverage_is_what_the_level_says() {
    let cases = [
        (BootstrapMethod::Percentile, false, 0.915..0.965),
        (BootstrapMethod::Bca, false, 0.915..0.965),
        (BootstrapMethod::Percentile, true, 0.89..0.95),
        (BootstrapMethod::Bca, true, 0.90..0.96),
    ];
    for (method, is_skew, band) in cases {
        let mut rng = SplitMix64::new(50);
        let mut n_covered = 0;
        for trial in 0..1000 {
            let bootstrap = Bootstrap {
                n_replicates: 999,
                method,
                seed: trial,
                ..Bootstrap::default()
            };
            let found = bootstrap.mean(&sample(&mut rng, 50, is_skew)).unwrap();
            let true_mean = if is_skew { 1.0 } else { 0.0 };
            n_covered += i32::from(found.interval.contains(true_mean));
        }
        let coverage = f64::from(n_covered) / 1000.0;
        assert!(
            band.contains(&coverage),
            "{method:?}, skew {is_skew}: {coverage}"
        );
    }
}

/// Under the hypothesis a p-value is below 0.05 in 5 % of the samples, give or take.
#[test]
fn p_values_are_small_as_often_as_they_say() {
    let mut rng = SplitMix64::new(51);
    let mut n_small = 0;
    for trial in 0..1000 {
        let (first, second) = (sample(&mut rng, 50, false), sample(&mut rng, 50, false));
        let bootstrap = Bootstrap {
            n_replicates: 999,
            seed: trial,
            ..Bootstrap::default()
        };
        let found = bootstrap.mean_difference(&first, &second).unwrap();
        n_small += i32::from(found.p_value <= 0.05);
    }
    assert!((30..85).contains(&n_small), "{n_small}");
}

#[test]
fn a_difference_is_tested_as_its_documentation_says() {
    let mut rng = SplitMix64::new(52);
    let (first, second) = (sample(&mut rng, 30, false), sample(&mut rng, 30, true));
    let bootstrap = Bootstrap {
        n_replicates: 500,
        seed: 7,
        ..Bootstrap::default()
    };
    let found = bootstrap.mean_difference(&first, &second).unwrap();
    let differences: Vec<f64> = first.iter().zip(&second).map(|(x, y)| x - y).collect();
    let means = Mutex::new(vec![]);
    let of_differences = Bootstrap {
        method: BootstrapMethod::Percentile,
        ..bootstrap
    };
    let mean = |drawn: &[usize]| {
        let mean = drawn.iter().map(|&i| differences[i]).sum::<f64>() / drawn.len() as f64;
        means.lock().unwrap().push(mean);
        mean
    };
    let expected = of_differences.interval(30, mean).unwrap();
    assert_eq!(found.estimate, expected.estimate);
    assert_eq!(found.standard_error, expected.standard_error);
    let means = means.into_inner().unwrap();
    assert_eq!(means.len(), 501);
    // The estimate is the first of them, and is what the 1 in the formula counts.
    let is_as_large = |mean: &&f64| (**mean - found.estimate).abs() >= found.estimate.abs();
    let n_as_large = means[1..].iter().filter(is_as_large).count();
    assert_eq!(found.p_value, (n_as_large + 1) as f64 / 501.0);
    assert_eq!(
        bootstrap.mean(&differences).unwrap().interval,
        found.interval
    );
    let n_larger = differences.iter().filter(|&&d| d > 0.0).count() as u64;
    let counts = (found.first_larger, found.second_larger, found.equal);
    assert_eq!(counts, (n_larger, 30 - n_larger, 0));
    let same = bootstrap.mean_difference(&first, &first).unwrap();
    assert_eq!((same.estimate, same.p_value, same.equal), (0.0, 1.0, 30));
    assert_eq!((same.interval.low, same.interval.high), (0.0, 0.0));
}

#[test]
fn equal_replicates_are_an_interval_of_no_width() {
    let found = Bootstrap::default().mean(&[0.25; 10]).unwrap();
    assert_eq!((found.estimate, found.standard_error), (0.25, 0.0));
    assert_eq!((found.interval.low, found.interval.high), (0.25, 0.25));
    let constant = Bootstrap::default().interval(10, |_| 3.0).unwrap();
    assert_eq!((constant.interval.low, constant.interval.high), (3.0, 3.0));
}

fn check<T: std::fmt::Debug>(result: Result<T, Error>, message: &str) {
    assert_eq!(result.unwrap_err().to_string(), message);
}

#[test]
fn shares_that_have_no_interval() {
    for interval in [wilson_interval, clopper_pearson_interval] {
        check(
            interval(0, 0, 0.95),
            "expected at least one trial, found none",
        );
        check(interval(3, 2, 0.95), "found 3 successes among 2 trials");
        check(
            interval(0, u64::MAX, 0.95),
            "found 18446744073709551615 trials, expected at most 1099511627776",
        );
        for level in [0.0, 1.0, 95.0, -0.5, f64::NAN, f64::INFINITY] {
            let message = format!("confidence level must be above 0 and below 1, found {level}");
            check(interval(1, 2, level), &message);
        }
    }
    let counts = PairedCounts {
        only_first: u64::MAX,
        only_second: 1,
        ..PairedCounts::default()
    };
    let message = "found 18446744073709551615 trials, expected at most 1099511627776";
    check(counts.mcnemar(), message);
}

#[test]
fn pairs_that_do_not_match() {
    let message = "found 2 results of the first model but 1 of the second";
    check(
        PairedCounts::from_correctness(&[true, true], &[true]),
        message,
    );
    check(PairedCounts::from_predictions(&[1], &[1, 2], &[1]), message);
    check(
        Bootstrap::default().mean_difference(&[1.0, 2.0], &[1.0]),
        message,
    );
    check(
        PairedCounts::from_predictions(&[1], &[1, 2], &[1, 2]),
        "found 1 true labels but 2 predicted labels",
    );
}

#[test]
fn samples_that_have_no_bootstrap() {
    let values = [1.0, 2.0, 4.0];
    let bootstrap = Bootstrap::default();
    for n_items in [0, 1, 1 << 29, usize::MAX] {
        let message =
            format!("found {n_items} items to draw from, expected between 2 and 268435456");
        check(bootstrap.interval(n_items, |_| 1.0), &message);
    }
    check(
        bootstrap.mean(&[1.0]),
        "found 1 items to draw from, expected between 2 and 268435456",
    );
    for n_replicates in [0, 1, usize::MAX] {
        let few = Bootstrap {
            n_replicates,
            ..bootstrap
        };
        let message =
            format!("found {n_replicates} bootstrap replicates, expected between 2 and 268435456");
        check(few.mean(&values), &message);
        check(few.interval(3, |_| 1.0), &message);
    }
    let percent = Bootstrap {
        confidence_level: 95.0,
        ..bootstrap
    };
    let message = "confidence level must be above 0 and below 1, found 95";
    check(percent.mean(&values), message);
    check(percent.interval(3, |_| 1.0), message);
    let message = "the value at position 1 is inf, expected finite values";
    check(bootstrap.mean(&[1.0, f64::INFINITY]), message);
    check(
        bootstrap.mean_difference(&[1.0, f64::INFINITY], &[1.0, f64::INFINITY]),
        message,
    );
    check(
        bootstrap.mean(&[f64::MAX, f64::MAX]),
        "the statistic of all items is inf, expected a finite number",
    );
}

#[test]
fn statistics_that_are_not_finite() {
    let bootstrap = Bootstrap::default();
    let message = "the statistic of all items is NaN, expected a finite number";
    check(bootstrap.interval(3, |_| f64::NAN), message);
    // The first sample in order is named, whichever thread fails first.
    let spoilt = |drawn: &[usize]| if drawn == [0, 1, 2] { 1.0 } else { f64::NAN };
    let Err(Error::NonFiniteStatistic { sample, value }) = bootstrap.interval(3, spoilt) else {
        panic!("expected a statistic that is not finite");
    };
    assert_eq!(sample, Sample::Replicate(0));
    assert!(value.is_nan());
    let jackknife_only = |drawn: &[usize]| {
        if drawn.len() == 3 {
            drawn[0] as f64
        } else {
            1.0 / (drawn[0] as f64)
        }
    };
    check(
        bootstrap.interval(3, jackknife_only),
        "the statistic of all items but 1 is inf, expected a finite number",
    );
    // Leaving out one value never moves this median.
    let values = [0.0, 0.0, 1.0, 1.0, 1.0, 1.0, 1.0];
    let median = |drawn: &[usize]| statistic("median", &values, drawn);
    let Err(Error::BcaUndefined { acceleration, .. }) = bootstrap.interval(7, median) else {
        panic!("a jackknife without influence has no acceleration");
    };
    assert!(acceleration.is_nan());
}
