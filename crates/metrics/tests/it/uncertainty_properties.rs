//! What must hold for intervals and tests of any input.

use juggle_metrics::{
    Bootstrap, BootstrapInterval, BootstrapMethod, Interval, PairedCounts, Result, bca_interval,
    clopper_pearson_interval, percentile_interval, wilson_interval,
};
use proptest::collection::vec;
use proptest::prelude::*;
use rayon::ThreadPoolBuilder;

/// Trials, and successes among them; as often few of either as many.
fn trials() -> impl Strategy<Value = (u64, u64)> {
    let n = prop_oneof![1..50_u64, 1..10_000_u64, 1..100_000_000_u64];
    n.prop_flat_map(|n| {
        let few = 0..=n.min(5);
        (
            prop_oneof![0..=n, few.clone(), few.prop_map(move |few| n - few)],
            Just(n),
        )
    })
}

type IntervalOfShare = fn(u64, u64, f64) -> Result<Interval>;

fn intervals() -> [IntervalOfShare; 2] {
    [wilson_interval, clopper_pearson_interval]
}

fn bits(found: BootstrapInterval) -> [u64; 4] {
    let BootstrapInterval {
        estimate,
        standard_error,
        interval,
    } = found;
    [estimate, standard_error, interval.low, interval.high].map(f64::to_bits)
}

fn any_value() -> impl Strategy<Value = f64> {
    prop_oneof![8 => -2.0..2.0_f64, 1 => any::<f64>(), 2 => Just(0.5)]
}

proptest! {
    #[test]
    fn intervals_contain_the_share((successes, n) in trials(), level in 1e-9..1.0_f64) {
        for interval in intervals() {
            let found = interval(successes, n, level).unwrap();
            prop_assert!(0.0 <= found.low && found.high <= 1.0, "{:?}", found);
            prop_assert!(found.contains(successes as f64 / n as f64), "{:?}", found);
        }
    }

    #[test]
    fn more_successes_are_a_higher_interval((successes, n) in trials(), level in 0.01..0.999_999_f64) {
        let successes = successes.min(n - 1);
        for interval in intervals() {
            let (less, more) =
                (interval(successes, n, level).unwrap(), interval(successes + 1, n, level).unwrap());
            prop_assert!(less.low < more.low && less.high < more.high, "{:?} {:?}", less, more);
        }
    }

    #[test]
    fn failures_are_successes_seen_from_one((successes, n) in trials(), level in 0.01..0.999_999_f64) {
        for interval in intervals() {
            let found = interval(successes, n, level).unwrap();
            let flipped = interval(n - successes, n, level).unwrap();
            prop_assert!((found.low - (1.0 - flipped.high)).abs() < 1e-15, "{:?} {:?}", found, flipped);
            prop_assert!((found.high - (1.0 - flipped.low)).abs() < 1e-15, "{:?} {:?}", found, flipped);
        }
    }

    #[test]
    fn more_confidence_is_a_wider_interval(
        (successes, n) in trials(),
        level in 0.01..0.99_f64,
        step in 1e-3..1.0_f64,
    ) {
        let higher = level + step * (0.999_999 - level);
        for interval in intervals() {
            let (inner, outer) =
                (interval(successes, n, level).unwrap(), interval(successes, n, higher).unwrap());
            prop_assert!(outer.low <= inner.low && inner.high <= outer.high, "{:?} {:?}", inner, outer);
        }
    }

    #[test]
    fn exact_is_wider_than_its_tests_level((successes, n) in trials(), level in 0.5..0.999_f64) {
        // Every share in a Wilson interval of a much lower level is in the exact one.
        let exact = clopper_pearson_interval(successes, n, level).unwrap();
        let inner = wilson_interval(successes, n, level * 0.5).unwrap();
        prop_assert!(exact.low <= inner.low && inner.high <= exact.high, "{:?} {:?}", exact, inner);
    }

    #[test]
    fn no_trials_make_an_interval_panic(
        successes: u64,
        n in prop_oneof![any::<u64>(), 0..10_u64, 0..1_000_000_u64],
        level: f64,
        small: bool,
    ) {
        let successes = if small { successes % (n.saturating_add(2).max(1)) } else { successes };
        for interval in intervals() {
            for level in [level, level.abs().fract(), 1.0 - f64::EPSILON / 2.0, f64::MIN_POSITIVE] {
                if let Ok(found) = interval(successes, n, level) {
                    prop_assert!(0.0 <= found.low && found.low <= found.high && found.high <= 1.0);
                }
            }
        }
    }

    #[test]
    fn mcnemar_is_a_probability_and_symmetric(only_first in 0..100_000_u64, only_second in 0..100_000_u64, both: u64) {
        let test = |only_first, only_second| {
            let counts = PairedCounts { both_right: both, only_first, only_second, both_wrong: both };
            counts.mcnemar().unwrap()
        };
        let (found, swapped) = (test(only_first, only_second), test(only_second, only_first));
        prop_assert!((0.0..=1.0).contains(&found.p_value) && (0.0..=1.0).contains(&found.mid_p_value));
        prop_assert!(found.mid_p_value <= found.p_value);
        prop_assert_eq!(found.p_value.to_bits(), swapped.p_value.to_bits());
        prop_assert_eq!(found.mid_p_value.to_bits(), swapped.mid_p_value.to_bits());
    }

    #[test]
    fn no_counts_make_mcnemar_panic(
        (both_right, only_first) in any::<(u64, u64)>(),
        (only_second, both_wrong) in any::<(u64, u64)>(),
        shift in 0..64_u32,
    ) {
        // Far beyond half a million trials a run of the fraction takes long, so one count stays small.
        let counts = PairedCounts { both_right, only_first: only_first >> shift.max(44), only_second: only_second >> shift, both_wrong };
        if let Ok(test) = counts.mcnemar() {
            prop_assert!((0.0..=1.0).contains(&test.p_value));
        }
    }

    #[test]
    fn bootstraps_have_the_same_bits_for_any_number_of_threads(
        values in vec(-1.0..1.0_f64, 2..40),
        n_replicates in 2..300_usize,
        seed: u64,
        is_percentile: bool,
    ) {
        let method = if is_percentile { BootstrapMethod::Percentile } else { BootstrapMethod::Bca };
        let bootstrap = Bootstrap { n_replicates, seed, method, ..Bootstrap::default() };
        let maximum = |drawn: &[usize]| drawn.iter().map(|&i| values[i].powi(3)).sum::<f64>();
        let run = |n_threads| {
            let pool = ThreadPoolBuilder::new().num_threads(n_threads).build().unwrap();
            pool.install(|| {
                (
                    bootstrap.mean(&values).map(bits),
                    bootstrap.interval(values.len(), maximum).map(bits),
                    bootstrap.mean_difference(&values, &vec![0.25; values.len()]).map(|found| found.p_value.to_bits()),
                )
            })
        };
        let one = run(1);
        for n_threads in [2, 3, 7] {
            prop_assert_eq!(&run(n_threads), &one);
        }
    }

    #[test]
    fn the_fast_mean_is_the_mean(values in vec(-1.0..1.0_f64, 2..40), seed: u64) {
        let mean = |drawn: &[usize]| drawn.iter().map(|&i| values[i]).sum::<f64>() / drawn.len() as f64;
        let bootstrap = Bootstrap { n_replicates: 200, seed, ..Bootstrap::default() };
        let percentile = Bootstrap { method: BootstrapMethod::Percentile, ..bootstrap };
        let (fast, any) = (percentile.mean(&values).unwrap(), percentile.interval(values.len(), mean).unwrap());
        prop_assert_eq!(bits(fast), bits(any));
        if let (Ok(fast), Ok(any)) = (bootstrap.mean(&values), bootstrap.interval(values.len(), mean)) {
            prop_assert!((fast.interval.low - any.interval.low).abs() < 1e-12);
            prop_assert!((fast.interval.high - any.interval.high).abs() < 1e-12);
        }
    }

    #[test]
    fn seeds_matter_and_repeat(values in vec(-1.0..1.0_f64, 10..40), seed: u64) {
        let run = |seed| Bootstrap { n_replicates: 100, seed, ..Bootstrap::default() }.mean(&values);
        prop_assert_eq!(run(seed), run(seed));
        prop_assert_ne!(run(seed), run(!seed));
    }

    #[test]
    fn end_points_are_within_the_replicates(
        replicates in vec(-1.0..1.0_f64, 2..60),
        jackknife in vec(-1.0..1.0_f64, 2..20),
        estimate in -1.0..1.0_f64,
        level in 0.01..0.999_f64,
    ) {
        let smallest = replicates.iter().copied().fold(f64::INFINITY, f64::min);
        let largest = replicates.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let found = [percentile_interval(&replicates, level), bca_interval(estimate, &replicates, &jackknife, level)];
        for found in found.into_iter().flatten() {
            prop_assert!(smallest <= found.low + 1e-15 && found.low <= found.high && found.high <= largest + 1e-15);
        }
    }

    #[test]
    fn no_values_make_a_bootstrap_panic(
        first in vec(any_value(), 0..12),
        second in vec(any_value(), 0..12),
        n_replicates in 0..30_usize,
        confidence_level in prop_oneof![0.0..1.0_f64, any::<f64>()],
        seed: u64,
    ) {
        for method in [BootstrapMethod::Percentile, BootstrapMethod::Bca] {
            let bootstrap = Bootstrap { n_replicates, confidence_level, method, seed };
            if let Ok(found) = bootstrap.mean(&first) {
                prop_assert!(found.interval.low <= found.interval.high, "{:?}", found);
            }
            if let Ok(found) = bootstrap.mean_difference(&first, &second) {
                prop_assert!(found.p_value > 0.0 && found.p_value <= 1.0, "{:?}", found);
            }
            let extreme = |drawn: &[usize]| drawn.iter().map(|&i| first[i]).fold(f64::NAN, f64::max);
            if let Ok(found) = bootstrap.interval(first.len(), extreme) {
                prop_assert!(found.interval.low <= found.interval.high, "{:?}", found);
            }
        }
        if let Ok(found) = bca_interval(0.5, &first, &second, confidence_level) {
            prop_assert!(found.low <= found.high, "{:?}", found);
        }
    }
}
