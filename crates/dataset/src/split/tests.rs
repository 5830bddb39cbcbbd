//! Properties of the seeded rule: disjoint and complete by construction (one answer an item), stratified,
//! grouped, stable.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;

fn stratum() -> Stratum<'static> {
    Stratum {
        dir: Path::new("animals"),
        class: Some("cat"),
        unit: "images",
    }
}

fn options(val_fraction: f64, test_fraction: f64, seed: u64) -> SplitOptions {
    SplitOptions {
        val_fraction,
        test_fraction,
        seed,
    }
}

fn names(n: usize) -> Vec<String> {
    (0..n).map(|i| format!("image{i}")).collect()
}

fn assign_names(names: &[String], options: &SplitOptions) -> Vec<Split> {
    let units: Vec<&str> = names.iter().map(String::as_str).collect();
    assign(stratum(), &units, Parts::TrainValTest, options).unwrap()
}

fn count(splits: &[Split], split: Split) -> usize {
    splits.iter().filter(|&&s| s == split).count()
}

proptest! {
    #[test]
    fn shares_are_within_one_of_exact_and_no_split_is_empty(
        n in 3_usize..200,
        val in 0.01_f64..0.4,
        test in 0.01_f64..0.4,
        seed in any::<u64>(),
    ) {
        let splits = assign_names(&names(n), &options(val, test, seed));
        prop_assert_eq!(splits.len(), n);
        for (split, fraction) in [(Split::Val, val), (Split::Test, test)] {
            let found = count(&splits, split);
            prop_assert!(found >= 1);
            prop_assert!((found as f64 - n as f64 * fraction).abs() <= 1.0);
        }
        prop_assert!(count(&splits, Split::Train) >= 1);
    }

    /// Even fractions that leave almost nothing to train leave it something.
    #[test]
    fn extreme_fractions_fill_every_split(n in 3_usize..50, val in 0.0_f64..1.0, part in 0.0_f64..1.0) {
        let val = val.clamp(0.001, 0.998);
        let options = options(val, ((1.0 - val) * part).clamp(0.0005, 0.999 - val), 0);
        prop_assume!(options.check().is_ok());
        let splits = assign_names(&names(n), &options);
        for split in Split::ALL {
            prop_assert!(count(&splits, split) >= 1, "{split}");
        }
    }

    #[test]
    fn listing_order_does_not_matter(n in 3_usize..60, seed in any::<u64>(), swaps in any::<u64>()) {
        let sorted = names(n);
        let mut listed = sorted.clone();
        Stream::new(swaps, Purpose::EpochOrder, 0, 0).shuffle(&mut listed);
        let by_name = |names: &[String]| -> BTreeMap<String, Split> {
            let splits = assign_names(names, &options(0.2, 0.2, seed));
            names.iter().cloned().zip(splits).collect()
        };
        prop_assert_eq!(by_name(&sorted), by_name(&listed));
    }

    #[test]
    fn a_unit_never_straddles_splits(
        sizes in prop::collection::vec(1_usize..20, 3..20),
        seed in any::<u64>(),
    ) {
        let units: Vec<String> = sizes
            .iter()
            .enumerate()
            .flat_map(|(group, &size)| vec![format!("clip{group}"); size])
            .collect();
        let splits = assign_names(&units, &options(0.15, 0.15, seed));
        let mut seen = BTreeMap::new();
        for (unit, split) in units.iter().zip(splits) {
            prop_assert_eq!(*seen.entry(unit).or_insert(split), split);
        }
    }
}

#[test]
fn a_seed_chooses_the_split_and_fixes_it() {
    let of_seed = |seed| assign_names(&names(30), &options(0.2, 0.2, seed));
    assert_eq!(of_seed(3), of_seed(3));
    assert_ne!(of_seed(3), of_seed(4));
}

/// The rule is part of every result: this list may only change with a new major version.
#[test]
fn the_rule_is_pinned() {
    let splits = assign_names(&names(10), &options(0.2, 0.2, 0));
    let letters: String = splits
        .iter()
        .map(|split| match split {
            Split::Train => '.',
            Split::Val => 'v',
            Split::Test => 't',
        })
        .collect();
    assert_eq!(letters, ".vv...t..t");
}

#[test]
fn clip_prefixes_are_clip_digits_and_a_separator() {
    assert_eq!(clip_prefix("clip07_frame12"), Some("clip07"));
    assert_eq!(clip_prefix("Clip7-12"), Some("Clip7"));
    for stem in [
        "clip",
        "clip07",
        "clip07_",
        "clip_07",
        "clipx_1",
        "film07_1",
        "",
        "éclip1_2",
    ] {
        assert_eq!(clip_prefix(stem), None, "{stem}");
    }
}

#[test]
fn too_few_units_are_an_error_that_counts_them() {
    let error = assign(
        stratum(),
        &["a", "b", "b"],
        Parts::TrainValTest,
        &SplitOptions::default(),
    );
    assert_eq!(
        error.unwrap_err().to_string(),
        "class cat in animals has too few images: 2, expected at least 3 so that train, val and test each get one"
    );
    let two = assign(
        stratum(),
        &["a", "b"],
        Parts::TrainVal,
        &SplitOptions::default(),
    )
    .unwrap();
    assert_eq!(count(&two, Split::Val), 1);
}
