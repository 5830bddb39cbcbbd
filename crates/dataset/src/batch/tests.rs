//! Orders and batches.

use proptest::prelude::*;

use super::*;
use crate::clips::Clip;
use crate::png::ImageShape;

proptest! {
    #[test]
    fn an_epoch_visits_every_sample_once(n in 0_usize..500, seed in any::<u64>(), epoch in any::<u64>()) {
        let order = epoch_order(n, seed, epoch);
        prop_assert_eq!(&order, &epoch_order(n, seed, epoch));
        let mut sorted = order;
        sorted.sort_unstable();
        prop_assert_eq!(sorted, (0..n).collect::<Vec<_>>());
    }
}

/// The order is part of every result: it may only change with a new major version.
#[test]
fn orders_are_pinned_and_differ_by_seed_and_epoch() {
    assert_eq!(epoch_order(8, 0, 1), [2, 0, 6, 5, 1, 3, 7, 4]);
    assert_ne!(epoch_order(8, 0, 1), epoch_order(8, 0, 2));
    assert_ne!(epoch_order(8, 0, 1), epoch_order(8, 1, 1));
}

#[test]
fn every_position_is_equally_likely() {
    let mut counts = [[0_u32; 4]; 4];
    for epoch in 0..4000 {
        for (position, sample) in epoch_order(4, 0, epoch).into_iter().enumerate() {
            counts[position][sample] += 1;
        }
    }
    // 1000 expected, standard deviation 27.
    assert!(
        counts
            .iter()
            .flatten()
            .all(|count| count.abs_diff(1000) < 140),
        "{counts:?}"
    );
}

fn images() -> LabelledImages {
    LabelledImages {
        shape: ImageShape {
            channels: 1,
            height: 1,
            width: 2,
        },
        classes: vec!["a".into(), "b".into()],
        pixels: vec![0, 51, 102, 255],
        labels: vec![1, 0],
        paths: vec!["0.png".into(), "1.png".into()],
    }
}

#[test]
fn a_batch_replaces_what_was_there() {
    let (mut xs, mut labels) = (vec![9.0], vec![9]);
    images().fill_batch(&[1, 0, 1], &mut xs, &mut labels);
    assert_eq!(xs, [0.4, 1.0, 0.0, 0.2, 0.4, 1.0]);
    assert_eq!(labels, [0, 1, 0]);
    images().fill_batch(&[], &mut xs, &mut labels);
    assert!(xs.is_empty() && labels.is_empty());
}

#[test]
fn augmenting_by_nothing_changes_nothing() {
    let (mut plain, mut augmented, mut labels) = (Vec::new(), Vec::new(), Vec::new());
    images().fill_batch(&[0, 1], &mut plain, &mut labels);
    let none = Augment::default();
    images()
        .fill_augmented_batch(&[0, 1], &none, 3, 4, &mut augmented, &mut labels)
        .unwrap();
    assert_eq!(plain, augmented);
    assert_eq!(labels, [1, 0]);
}

#[test]
fn a_transform_depends_on_the_image_not_on_the_batch() {
    let augment: Augment = "hflip,gain=0.5".parse().unwrap();
    let batch = |indices: &[usize], epoch| {
        let (mut xs, mut labels) = (Vec::new(), Vec::new());
        images()
            .fill_augmented_batch(indices, &augment, 0, epoch, &mut xs, &mut labels)
            .unwrap();
        xs
    };
    assert_eq!(batch(&[0, 1], 1)[2..], batch(&[1], 1));
    assert_ne!(batch(&[1], 1), batch(&[1], 2));
}

fn clips() -> Clips {
    let clip = |name: &str, first, frames| Clip {
        name: name.to_owned(),
        first,
        frames,
        paths: vec![format!("train/{name}/0.png").into(); frames],
    };
    Clips {
        shape: ImageShape {
            channels: 1,
            height: 2,
            width: 1,
        },
        pixels: (0..10).map(|v| 5 * v).collect(),
        clips: vec![clip("a", 0, 3), clip("b", 3, 2)],
    }
}

#[test]
fn windows_stay_within_a_clip() {
    let windows = clips().windows(1).unwrap();
    let pairs: Vec<(usize, usize)> = windows.iter().map(|w| (w.clip, w.first)).collect();
    assert_eq!(pairs, [(0, 0), (0, 1), (1, 3)]);
    assert_eq!(
        clips().windows(2).unwrap_err().to_string(),
        "clip train/b has 2 frames, expected at least 3 (2 input frames and one target)"
    );
    assert_eq!(
        clips().windows(0).unwrap_err().to_string(),
        "input frames is 0, expected at least 1"
    );
}

#[test]
fn a_window_is_its_frames_oldest_first_and_the_next_one() {
    let (mut inputs, mut targets) = (vec![9.0], vec![9.0]);
    let window = Window { clip: 0, first: 0 };
    clips().fill_batch(&[window], 2, &mut inputs, &mut targets);
    let unit = |v: u8| f32::from(v) / 255.0;
    assert_eq!(inputs, [0, 5, 10, 15].map(unit));
    assert_eq!(targets, [20, 25].map(unit));
}

#[test]
fn all_frames_of_a_window_get_the_same_transform() {
    let augment: Augment = "vflip".parse().unwrap();
    let windows = clips().windows(1).unwrap();
    let (mut inputs, mut targets) = (Vec::new(), Vec::new());
    let mut flips = 0;
    for epoch in 0..20 {
        clips()
            .fill_augmented_batch(&windows, 1, &augment, 0, epoch, &mut inputs, &mut targets)
            .unwrap();
        for (input, target) in inputs.chunks(2).zip(targets.chunks(2)) {
            assert_eq!(input[0] > input[1], target[0] > target[1]);
            flips += usize::from(input[0] > input[1]);
        }
    }
    assert!((15..=45).contains(&flips), "{flips} of 60");
}

/// Images of one pixel each; those of class 1 hold 1, 2, 3, …, all others 200.
fn counted(classes: &[&str], labels: &[usize]) -> LabelledImages {
    let is_one = |label: usize| classes[label] == "1";
    LabelledImages {
        shape: ImageShape {
            channels: 1,
            height: 1,
            width: 1,
        },
        classes: classes.iter().map(|&class| class.to_owned()).collect(),
        pixels: (1..)
            .zip(labels)
            .map(|(i, &label)| if is_one(label) { i } else { 200 })
            .collect(),
        labels: labels.to_vec(),
        paths: vec!["x.png".into(); labels.len()],
    }
}

#[test]
fn composed_images_keep_their_labels_and_hold_images_of_class_one_only() {
    let labels = [0, 0, 0, 0, 1, 2];
    let images = counted(&["1", "2", "40"], &labels);
    let augment: Augment = "compose=1".parse().unwrap();
    let (mut xs, mut of_batch) = (vec![], vec![]);
    let mut seen = [[0; 5]; 3];
    for epoch in 0..200 {
        images
            .fill_augmented_batch(&[5, 4, 0], &augment, 7, epoch, &mut xs, &mut of_batch)
            .unwrap();
        assert_eq!(of_batch, [2, 1, 0]);
        for (x, &label) in xs.iter().zip(&of_batch) {
            let value = (1..=4).find(|&value: &u8| f32::from(value) / 255.0 == *x);
            let value = value.expect("a pixel of class 1");
            seen[label as usize][usize::from(value)] += 1;
        }
    }
    // One image of four is each of them alike; the brighter of two is 1 in one of 16; the brightest of forty is 4.
    assert!(seen[0][1..].iter().all(|&n| n > 25), "{seen:?}");
    assert!((1..30).contains(&seen[1][1]) && seen[1][4] > 60, "{seen:?}");
    assert_eq!(seen[2][4], 200);
}

#[test]
fn composing_replaces_the_share_that_was_asked_for_and_leaves_the_rest_alone() {
    let images = counted(&["1", "2"], &[0, 1]);
    let fill = |list: &str, epoch| {
        let (mut xs, mut labels) = (vec![], vec![]);
        let augment: Augment = list.parse().unwrap();
        images
            .fill_augmented_batch(&[1], &augment, 0, epoch, &mut xs, &mut labels)
            .unwrap();
        xs[0]
    };
    let mut kept = 0;
    for epoch in 0..400 {
        let gained = fill("gain=0.2,compose=0.25", epoch);
        if gained > 0.5 {
            assert_eq!(
                gained,
                fill("gain=0.2", epoch),
                "the same gain as without composing"
            );
            kept += 1;
        }
    }
    assert!((260..340).contains(&kept), "{kept} of 400");
}

#[test]
fn composing_needs_classes_that_are_counts() {
    let augment: Augment = "compose=0.5".parse().unwrap();
    for classes in [["cat", "1"], ["2", "3"]] {
        let error = counted(&classes, &[0, 1])
            .check_augment(&augment)
            .unwrap_err();
        assert_eq!(
            error.to_string(),
            format!(
                "augmentation compose needs class names that are counts, 1 among them, found classes {}",
                classes.join(", ")
            )
        );
    }
    assert!(
        counted(&["1", "2"], &[1, 1])
            .check_augment(&augment)
            .is_err()
    );
    assert!(
        counted(&["1", "x"], &[0, 1])
            .check_augment(&Augment::default())
            .is_ok()
    );
}
