//! The specified outputs of the generator, number by number.

use super::write::pixel_sha256;
use super::*;

#[test]
fn splitmix64_matches_its_published_outputs() {
    let mut rng = SplitMix64::new(0);
    let outputs = [(); 3].map(|()| rng.next_u64());
    let expected = [
        0xe220_a839_7b1d_cdaf,
        0x6e78_9e6a_a1b9_65f4,
        0x06c4_5d18_8009_454f,
    ];
    assert_eq!(outputs, expected);
}

#[test]
fn a_stream_is_seeded_through_its_tag() {
    let mut rng = stream(DEFAULT_SEED, StreamKind::Pool, 1, 0);
    let outputs = [(); 3].map(|()| rng.next_u64());
    let expected = [
        0xdcd8_14c9_430e_f8a5,
        0xd2cb_557d_9f24_02c0,
        0x3680_be06_1a7d_4307,
    ];
    assert_eq!(outputs, expected);
}

#[test]
fn uniform_uses_a_draw_even_for_an_empty_range() {
    let (mut a, mut b) = (SplitMix64::new(7), SplitMix64::new(7));
    assert_eq!(a.uniform((3.2, 3.2)), 3.2);
    b.next_u64();
    assert_eq!(a.next_u64(), b.next_u64());
}

#[test]
fn the_start_of_a_test_clip_is_exact() {
    let mut rng = stream(DEFAULT_SEED, StreamKind::Test, 2, 0);
    let ball = start(&mut rng, 2, &TEST)[0];
    let expected = Ball {
        x: 26.126117520207586,
        y: 6.647383602192995,
        vx: -0.7161900171665,
        vy: 1.1884624176412866,
        radius: 2.569185165687192,
        brightness: 0.934234966357119,
    };
    assert_eq!(ball, expected);
}

#[test]
fn every_split_has_the_specified_pixels() {
    let expected = [
        (
            "balls/train",
            1200,
            "17dd29021f88dba340ac116680849e2fa5f39bf594baf3baafcacd4c0e09fe13",
        ),
        (
            "balls/val",
            240,
            "de66039341369b9b25a1e21618bd41fd7484f850ed325c7c433822a0d0369aa3",
        ),
        (
            "balls/test",
            200,
            "7b96141a7a851abcca7e598c31ed72d79e1e9a6ef734820bb334e491038317f6",
        ),
        (
            "frames/train",
            4800,
            "821b65bb374893c91ae7219f7cb157e64e7c01742273fcc5fe958e0625dd8639",
        ),
        (
            "frames/val",
            320,
            "762a2f3c4e791aa342b1cfb5710554f2b50abc6a2f836fb38d8fbef2659dae75",
        ),
    ];
    let splits = generate(DEFAULT_SEED);
    for (split, (name, images, sha256)) in splits.iter().zip(expected) {
        assert_eq!(split.name, name);
        assert_eq!(split.images.len(), images);
        assert_eq!(pixel_sha256(split), sha256, "{name}");
    }
}

#[test]
fn another_seed_gives_other_images_in_the_same_places() {
    let (a, b) = (generate(DEFAULT_SEED), generate(1));
    let test_paths = |splits: &[SynthSplit; 5]| {
        let images = splits[2].images.iter();
        images.map(|image| image.path.clone()).collect::<Vec<_>>()
    };
    assert_eq!(test_paths(&a), test_paths(&b));
    assert_ne!(pixel_sha256(&a[2]), pixel_sha256(&b[2]));
}

fn ball(x: f64, vx: f64) -> Ball {
    Ball {
        x,
        y: 16.0,
        vx,
        vy: 0.0,
        radius: 3.0,
        brightness: 1.0,
    }
}

#[test]
fn a_wall_mirrors_position_and_velocity() {
    let mut balls = [ball(28.0, 2.0)];
    step(&mut balls, Collisions::Bounce);
    assert_eq!((balls[0].x, balls[0].vx), (28.0, -2.0));
}

#[test]
fn equal_balls_swap_velocities_in_a_head_on_collision() {
    let pair = [ball(12.0, 1.0), ball(19.0, -1.0)];
    let (mut bouncing, mut passing) = (pair, pair);
    step(&mut bouncing, Collisions::Bounce);
    step(&mut passing, Collisions::PassThrough);
    assert_eq!((bouncing[0].vx, bouncing[1].vx), (-1.0, 1.0));
    assert_eq!((passing[0].vx, passing[1].vx), (1.0, -1.0));
}

#[test]
fn a_ball_is_full_inside_and_fades_over_one_pixel() {
    let image = render(&[Ball {
        x: 16.5,
        brightness: 0.5,
        ..ball(0.0, 0.0)
    }]);
    // Row 15 has its centres half a pixel above the ball's centre.
    let row = &image[15 * SIDE..16 * SIDE];
    assert_eq!(row[16], 128);
    assert_eq!(row[16 - 4], 0);
    assert!(row[16 - 3] > 0 && row[16 - 3] < 128);
    assert_eq!(row[16 - 3], row[16 + 3]);
}

#[test]
fn fresh_images_are_fresh_even_with_neighbouring_seeds() {
    let fresh = |seed, ranges| {
        let images = Fresh {
            seed,
            images: 300,
            ranges,
        };
        images.generate()
    };
    let committed = generate(DEFAULT_SEED);
    let mut seen: std::collections::HashSet<Vec<u8>> = committed
        .into_iter()
        .flat_map(|split| split.images)
        .map(|image| image.pixels)
        .collect();
    for seed in [FRESH_SEED, FRESH_SEED + 1, DEFAULT_SEED, DEFAULT_SEED + 1] {
        for image in fresh(seed, Ranges::Test) {
            assert!(seen.insert(image.pixels), "{} of seed {seed}", image.path);
        }
    }
}

#[test]
fn fresh_images_keep_to_their_ranges() {
    for (ranges, recipe) in [(Ranges::Test, TEST), (Ranges::Wide, WIDE)] {
        let images = Fresh {
            seed: 5,
            images: 301,
            ranges,
        }
        .generate();
        let of_class = |n| images.iter().filter(|image| image.balls.len() == n).count();
        assert_eq!([1, 2, 3].map(of_class), [101, 100, 100]);
        for ball in images.iter().flat_map(|image| &image.balls) {
            assert!((recipe.radius.0..recipe.radius.1).contains(&ball.radius));
            assert!((recipe.brightness.0..recipe.brightness.1).contains(&ball.brightness));
        }
        for image in &images {
            let nearest = fresh::nearest_pair(&image.balls);
            assert_eq!(nearest.is_none(), image.balls.len() == 1);
            assert!(nearest.is_none_or(|share| share >= recipe.gap));
            let first = image.balls[0];
            let alike =
                |ball: &Ball| (ball.radius, ball.brightness) == (first.radius, first.brightness);
            assert!(ranges == Ranges::Test || image.balls.iter().all(alike));
        }
    }
}

#[test]
fn fresh_images_are_written_with_a_table_and_repeat() {
    let dir = tempfile::tempdir().unwrap();
    let fresh = Fresh {
        seed: 9,
        images: 7,
        ranges: Ranges::Wide,
    };
    let read =
        |name: &str, file: &str| std::fs::read_to_string(dir.path().join(name).join(file)).unwrap();
    for name in ["a", "b"] {
        let summary = write_fresh(&dir.path().join(name), &fresh).unwrap();
        assert_eq!(summary.images, 7);
    }
    assert_eq!(read("a", "SHA256SUMS"), read("b", "SHA256SUMS"));
    let table = read("a", "images.csv");
    let lines: Vec<&str> = table.lines().collect();
    assert_eq!(lines.len(), 8);
    assert!(lines[1].starts_with("test/1/00000.png,1,"), "{}", lines[1]);
    assert!(lines[1].ends_with(','), "one ball has no nearest pair");
    assert!(lines[7].starts_with("test/3/00001.png,3,"), "{}", lines[7]);
    let image = &fresh.generate()[0];
    let [ball] = image.balls[..] else {
        panic!("one ball");
    };
    let expected = format!(",{:.6},{:.6},", ball.radius, ball.radius);
    assert!(lines[1].contains(&expected), "{} {expected}", lines[1]);
    let again = write_fresh(&dir.path().join("a"), &fresh).unwrap_err();
    assert!(matches!(again, crate::Error::DestinationNotEmpty { .. }));
}
