//! Parsing, and what each transform does to pixels.

use proptest::prelude::*;

use super::*;

const SHAPE: ImageShape = ImageShape {
    channels: 2,
    height: 3,
    width: 3,
};

fn apply(transform: Transform, pixels: &[u8], shape: ImageShape) -> Vec<u32> {
    let mut xs = Vec::new();
    transform.apply(pixels, shape, &mut xs);
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "values lie in [0, 1]"
    )]
    let bytes = xs.iter().map(|x| (x * 255.0).round() as u32).collect();
    bytes
}

const IDENTITY: Transform = Transform {
    transpose: false,
    horizontal_flip: false,
    vertical_flip: false,
    dx: 0,
    dy: 0,
    gain: 1.0,
    zoom: 1.0,
};

const PIXELS: [u8; 9] = [1, 2, 3, 4, 5, 6, 7, 8, 9];

#[test]
fn each_transform_does_what_it_says() {
    let shape = ImageShape {
        channels: 1,
        ..SHAPE
    };
    let cases = [
        (IDENTITY, [1, 2, 3, 4, 5, 6, 7, 8, 9]),
        (
            Transform {
                horizontal_flip: true,
                ..IDENTITY
            },
            [3, 2, 1, 6, 5, 4, 9, 8, 7],
        ),
        (
            Transform {
                vertical_flip: true,
                ..IDENTITY
            },
            [7, 8, 9, 4, 5, 6, 1, 2, 3],
        ),
        (
            Transform {
                transpose: true,
                ..IDENTITY
            },
            [1, 4, 7, 2, 5, 8, 3, 6, 9],
        ),
        (Transform { dx: 1, ..IDENTITY }, [0, 1, 2, 0, 4, 5, 0, 7, 8]),
        (
            Transform { dy: -1, ..IDENTITY },
            [4, 5, 6, 7, 8, 9, 0, 0, 0],
        ),
        // Transpose first, then the flip: a turn to the right.
        (
            Transform {
                transpose: true,
                horizontal_flip: true,
                ..IDENTITY
            },
            [7, 4, 1, 8, 5, 2, 9, 6, 3],
        ),
    ];
    for (transform, expected) in cases {
        assert_eq!(apply(transform, &PIXELS, shape), expected, "{transform:?}");
    }
}

#[test]
fn channels_move_together() {
    let pixels: Vec<u8> = PIXELS.iter().chain(&PIXELS).copied().collect();
    let flipped = apply(
        Transform {
            dx: 1,
            dy: 1,
            ..IDENTITY
        },
        &pixels,
        SHAPE,
    );
    assert_eq!(flipped[..9], flipped[9..]);
}

#[test]
fn a_gain_multiplies_and_bright_values_are_clamped() {
    let shape = ImageShape {
        channels: 1,
        height: 1,
        width: 1,
    };
    let mut xs = Vec::new();
    Transform {
        gain: 1.9,
        ..IDENTITY
    }
    .apply(&[255], shape, &mut xs);
    assert_eq!(xs, [1.0]);
    let dimmed = Transform {
        gain: 0.5,
        ..IDENTITY
    };
    assert_eq!(apply(dimmed, &[200], shape), [100]);
}

#[test]
fn zooming_scales_about_the_centre_with_zeros_around() {
    let shape = ImageShape {
        channels: 1,
        ..SHAPE
    };
    let zoomed = |zoom| {
        apply(
            Transform { zoom, ..IDENTITY },
            &[40, 80, 40, 80, 120, 80, 40, 80, 40],
            shape,
        )
    };
    // Twice as large: between the old pixels lie their means.
    assert_eq!(zoomed(2.0), [80, 100, 80, 100, 120, 100, 80, 100, 80]);
    // Half as large: every second pixel, of which one is left.
    assert_eq!(zoomed(0.5), [0, 0, 0, 0, 120, 0, 0, 0, 0]);
}

#[test]
fn lists_are_read_and_written() {
    for list in [
        "none",
        "hflip",
        "hflip,vflip,transpose,shift=2,gain=0.1,zoom=0.2,compose=1",
        "shift=3",
    ] {
        let augment: Augment = list.parse().unwrap();
        assert_eq!(augment.to_string(), list);
        assert_eq!(augment.is_none(), list == "none");
    }
    assert_eq!("".parse::<Augment>().unwrap(), Augment::default());
    for list in [
        "flip",
        "shift",
        "shift=-1",
        "shift=x",
        "gain=1",
        "gain=-0.1",
        "gain=nan",
        "hflip,",
        "zoom=2",
        "zoom=1",
        "compose=1.5",
        "compose=",
    ] {
        let error = list.parse::<Augment>().unwrap_err();
        let sentence = error.to_string();
        assert!(
            sentence.starts_with("unknown augmentation \""),
            "{list}: {sentence}"
        );
        assert!(
            sentence.contains("expected hflip, vflip, transpose, shift=N"),
            "{sentence}"
        );
    }
}

#[test]
fn impossible_transforms_are_refused() {
    let shape = ImageShape {
        channels: 1,
        height: 4,
        width: 6,
    };
    let check = |list: &str| list.parse::<Augment>().unwrap().check(shape);
    assert_eq!(
        check("transpose").unwrap_err().to_string(),
        "augmentation transpose needs square images, found 4×6 (height×width)"
    );
    assert_eq!(
        check("shift=4").unwrap_err().to_string(),
        "augmentation shift=4 moves 4×6 images out of view, expected less than the shorter side"
    );
    assert!(check("hflip,vflip,shift=3,gain=0.5").is_ok());
}

#[test]
fn switching_one_transform_on_leaves_the_others_as_they_were() {
    let draw = |list: &str| Transform::draw(&list.parse().unwrap(), 1, 2, 3);
    let (few, all) = (
        draw("vflip,gain=0.3"),
        draw("hflip,vflip,transpose,shift=4,gain=0.3,zoom=0.1"),
    );
    assert_eq!((few.vertical_flip, few.gain), (all.vertical_flip, all.gain));
}

/// The definition, value by value.
fn apply_plainly(transform: Transform, pixels: &[u8], shape: ImageShape) -> Vec<f32> {
    let ImageShape { height, width, .. } = shape;
    let mut xs = vec![];
    for plane in pixels.chunks_exact(height * width) {
        for y in 0..height {
            for x in 0..width {
                let source = |at: usize, offset: isize, n: usize, flipped: bool| {
                    let at = at.checked_add_signed(-offset).filter(|&at| at < n)?;
                    Some(if flipped { n - 1 - at } else { at })
                };
                let y = source(y, transform.dy, height, transform.vertical_flip);
                let x = source(x, transform.dx, width, transform.horizontal_flip);
                let (y, x) = if transform.transpose { (x, y) } else { (y, x) };
                let value = match (y, x) {
                    (Some(y), Some(x)) => f32::from(plane[y * width + x]) / 255.0,
                    _ => 0.0,
                };
                xs.push((value * transform.gain).clamp(0.0, 1.0));
            }
        }
    }
    xs
}

proptest! {
    #[test]
    fn walking_through_rows_gives_the_same_bits(
        height in 1_usize..6,
        width in 1_usize..6,
        flips in any::<[bool; 3]>(),
        (dx, dy) in (-6_isize..=6, -6_isize..=6),
        gain in 0.0_f32..2.0,
        bytes in prop::collection::vec(any::<u8>(), 75),
    ) {
        let shape = ImageShape { channels: 3, height, width };
        let [transpose, horizontal_flip, vertical_flip] = flips;
        let transpose = transpose && height == width;
        let transform = Transform { transpose, horizontal_flip, vertical_flip, dx, dy, gain, zoom: 1.0 };
        let pixels = &bytes[..shape.len()];
        let mut xs = vec![];
        transform.apply(pixels, shape, &mut xs);
        prop_assert_eq!(xs, apply_plainly(transform, pixels, shape));
    }

    #[test]
    fn flips_and_transpose_only_move_values(
        pixels in prop::collection::vec(any::<u8>(), 18),
        seed in any::<u64>(),
        index in any::<u64>(),
    ) {
        let augment: Augment = "hflip,vflip,transpose".parse().unwrap();
        let transform = Transform::draw(&augment, seed, 0, index);
        let mut moved = apply(transform, &pixels, SHAPE);
        let mut original: Vec<u32> = pixels.iter().map(|&v| u32::from(v)).collect();
        moved.sort_unstable();
        original.sort_unstable();
        prop_assert_eq!(moved, original);
    }

    #[test]
    fn draws_stay_in_range_and_are_repeatable(seed in any::<u64>(), epoch in any::<u64>(), index in any::<u64>()) {
        let augment: Augment = "shift=2,gain=0.25,zoom=0.5".parse().unwrap();
        let transform = Transform::draw(&augment, seed, epoch, index);
        prop_assert_eq!(transform, Transform::draw(&augment, seed, epoch, index));
        prop_assert!(transform.dx.abs() <= 2 && transform.dy.abs() <= 2);
        prop_assert!((0.75..=1.25).contains(&transform.gain));
        prop_assert!((0.5..=1.5).contains(&transform.zoom));
        prop_assert!(!transform.transpose && !transform.horizontal_flip && !transform.vertical_flip);
    }
}
