//! Occlusion maps of a network whose answer is known, and what is refused.

use juggle_models::{
    CpuEngine, Layer, Loss, Network, Occlusion, Optimizer, Source, State, StateTensor,
    TrainingOptions, occlusion_map, softmax,
};

const SHAPE: [usize; 3] = [2, 5, 6];

/// Logits of 0 and of the sum of the weights times the pixels.
fn engine(weights: &[f32]) -> CpuEngine {
    let mut network = Network::new(SHAPE);
    let xs = network
        .push("flat", Layer::Flatten, &[Source::Input])
        .unwrap();
    let linear = Layer::Linear {
        in_features: 60,
        out_features: 2,
    };
    network.push("linear", linear, &[xs]).unwrap();
    let mut state = State::default();
    let weight = [&[0.0; 60], weights].concat();
    state.insert(
        "linear.weight".to_owned(),
        StateTensor::floats(vec![2, 60], weight),
    );
    state.insert(
        "linear.bias".to_owned(),
        StateTensor::floats(vec![2], vec![0.0; 2]),
    );
    let options = TrainingOptions {
        loss: Loss::CrossEntropy {
            label_smoothing: 0.0,
        },
        optimizer: Optimizer::Adam { weight_decay: 0.0 },
        ema_decay: None,
        clip_norm: None,
    };
    CpuEngine::new(&network, &state, options).unwrap()
}

fn index(c: usize, y: usize, x: usize) -> usize {
    (c * SHAPE[1] + y) * SHAPE[2] + x
}

#[test]
fn the_map_is_the_drop_of_the_probability_at_each_place() {
    // One pixel speaks for class 1, one against it, and the fill differs from channel to channel.
    let mut weights = [0.0; 60];
    weights[index(1, 2, 3)] = 3.0;
    weights[index(0, 4, 5)] = -2.0;
    let engine = engine(&weights);
    let image = [1.0; 60];
    let occlusion = Occlusion {
        patch: 2,
        stride: 2,
        fill: vec![0.25, 0.5],
    };
    let map = occlusion_map(&engine, SHAPE, &image, None, &occlusion).unwrap();
    assert_eq!((map.class_idx, map.patch), (1, 2));
    assert_eq!((&*map.tops, &*map.lefts), (&[0, 2, 3][..], &[0, 2, 4][..]));
    let probability = |logit: f32| softmax(&[0.0, logit])[1];
    assert_eq!(map.probability, probability(1.0));
    let expected: Vec<f32> = [
        [1.0, 1.0, 1.0],
        // Rows 2 and 3, columns 2 and 3 hide the pixel that speaks for it: 3 · 0.5 is left of 3.
        [1.0, -0.5, 1.0],
        // Rows 3 and 4, columns 4 and 5 hide the one against it.
        [1.0, 1.0, 2.5],
    ]
    .concat()
    .iter()
    .map(|&logit| probability(1.0) - probability(logit))
    .collect();
    for (found, expected) in map.drop.iter().zip(&expected) {
        assert!((found - expected).abs() < 1e-6, "{found} {expected}");
    }
    assert_eq!(map.largest(), (2, 2, map.drop[4]));

    let pixels = map.per_pixel(5, 6);
    // Pixel (3, 3) is under the places in rows 2 and 3: the one with the drop and the one below it without.
    let mean = f32::midpoint(map.drop[4], map.drop[7]);
    assert!((pixels[3 * 6 + 3] - mean).abs() < 1e-7);
    assert_eq!(pixels[2 * 6 + 3], map.drop[4]);
    assert_eq!(pixels[0], 0.0);

    let other = occlusion_map(&engine, SHAPE, &image, Some(0), &occlusion).unwrap();
    for (a, b) in other.drop.iter().zip(&map.drop) {
        assert!((a + b).abs() < 1e-6, "what one class loses the other gains");
    }
}

#[test]
fn a_patch_as_large_as_the_image_has_one_row_of_places() {
    let occlusion = Occlusion {
        patch: 5,
        stride: 3,
        fill: vec![0.0; 2],
    };
    let map = occlusion_map(&engine(&[0.1; 60]), SHAPE, &[1.0; 60], None, &occlusion).unwrap();
    assert_eq!((&*map.tops, &*map.lefts), (&[0][..], &[0, 1][..]));
}

#[test]
fn what_does_not_fit_is_refused() {
    let engine = engine(&[0.1; 60]);
    let refused = |patch, stride, n_fill, image: &[f32], class_idx| {
        let occlusion = Occlusion {
            patch,
            stride,
            fill: vec![0.0; n_fill],
        };
        let map = occlusion_map(&engine, SHAPE, image, class_idx, &occlusion);
        map.unwrap_err().to_string()
    };
    let image = [1.0; 60];
    for (message, expected) in [
        (
            refused(6, 1, 2, &image, None),
            "the patch's side is 6, expected 1 to 5, the image's shorter side",
        ),
        (refused(0, 1, 2, &image, None), "the patch's side is 0"),
        (
            refused(2, 3, 2, &image, None),
            "the patch's stride is 3, expected 1 to 2, the patch's side",
        ),
        (refused(2, 0, 2, &image, None), "the patch's stride is 0"),
        (refused(2, 2, 1, &image, None), "values is 1, expected 2"),
        (refused(2, 2, 2, &image, Some(2)), "label 2"),
        (refused(2, 2, 2, &image[1..], None), "hold 59 values"),
    ] {
        assert!(message.contains(expected), "{message}");
    }
}
