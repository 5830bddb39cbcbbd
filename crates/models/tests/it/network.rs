//! Descriptions, summaries and initialisation.

use juggle_models::{
    AutoencoderConfig, CnnConfig, Layer, Network, Schedule, ScheduleKind, Source, Values,
    autoencoder, cnn, initialize,
};

const TASK_1: CnnConfig = CnnConfig {
    n_classes: 3,
    in_channels: 1,
    height: 32,
    width: 32,
    batch_norm: false,
};

fn coursework_autoencoder(skip: bool, batch_norm: bool) -> AutoencoderConfig {
    AutoencoderConfig {
        input_frames: 4,
        channels: 1,
        height: 32,
        width: 32,
        widths: vec![16, 32, 64],
        skip,
        batch_norm,
    }
}

#[test]
fn classifier_has_the_published_layers() {
    let summary = cnn(&TASK_1).unwrap().summary();
    let parameters: Vec<usize> = summary
        .layers
        .iter()
        .map(|layer| layer.parameters)
        .filter(|&n| n > 0)
        .collect();
    assert_eq!(parameters, [160, 4_640, 4_624, 2_320, 65_600, 195]);
    assert_eq!(summary.parameters, 77_539);
    assert_eq!(summary.multiply_adds, 6_701_248);
    let expected = "\
name   layer                output  parameters  multiply-adds
─────────────────────────────────────────────────────────────
0      Conv2d 1→16, 3×3   16×32×32         160        147,456
1      ReLU               16×32×32           –              –
2      Conv2d 16→32, 3×3  32×32×32       4,640      4,718,592
3      ReLU               32×32×32           –              –
4      MaxPool2d 2×2      32×16×16           –              –
5      Conv2d 32→16, 3×3  16×16×16       4,624      1,179,648
6      ReLU               16×16×16           –              –
7      Conv2d 16→16, 3×3  16×16×16       2,320        589,824
8      ReLU               16×16×16           –              –
9      MaxPool2d 2×2        16×8×8           –              –
10     Flatten                1024           –              –
11     Linear 1024→64           64      65,600         65,536
12     ReLU                     64           –              –
13     Linear 64→3               3         195            192
─────────────────────────────────────────────────────────────
total                                   77,539      6,701,248

input 1×32×32; the weights take 310,156 bytes";
    assert_eq!(summary.to_string(), expected);
}

#[test]
fn tensors_carry_the_names_of_a_sequential() {
    let network = cnn(&CnnConfig {
        batch_norm: true,
        ..TASK_1
    })
    .unwrap();
    let names: Vec<String> = network
        .tensors()
        .into_iter()
        .map(|tensor| tensor.name)
        .take(9)
        .collect();
    assert_eq!(
        names,
        [
            "0.weight",
            "0.bias",
            "1.weight",
            "1.bias",
            "1.running_mean",
            "1.running_var",
            "1.num_batches_tracked",
            "3.weight",
            "3.bias"
        ]
    );
}

#[test]
fn autoencoder_has_the_documented_modules() {
    let network = autoencoder(&coursework_autoencoder(true, false)).unwrap();
    let shapes: Vec<(String, Vec<usize>)> = network
        .tensors()
        .into_iter()
        .filter(|tensor| tensor.name.ends_with("weight"))
        .map(|tensor| (tensor.name, tensor.shape))
        .collect();
    let expected = [
        ("encoder1.0.weight", [16, 4, 3, 3]),
        ("encoder1.2.weight", [16, 16, 3, 3]),
        ("encoder2.0.weight", [32, 16, 3, 3]),
        ("encoder2.2.weight", [32, 32, 3, 3]),
        ("bottleneck.0.weight", [64, 32, 3, 3]),
        ("bottleneck.2.weight", [64, 64, 3, 3]),
        ("decoder2.0.weight", [32, 96, 3, 3]),
        ("decoder2.2.weight", [32, 32, 3, 3]),
        ("decoder1.0.weight", [16, 48, 3, 3]),
        ("decoder1.2.weight", [16, 16, 3, 3]),
        ("head.weight", [1, 16, 1, 1]),
    ];
    assert_eq!(
        shapes,
        expected.map(|(name, shape)| (name.to_owned(), shape.to_vec()))
    );
    let without = autoencoder(&coursework_autoencoder(false, true)).unwrap();
    assert!(
        without
            .nodes()
            .iter()
            .all(|node| node.layer != Layer::Concat)
    );
    assert!(
        without
            .tensors()
            .iter()
            .any(|tensor| tensor.name == "decoder1.4.running_var")
    );
}

#[test]
fn any_sensible_size_builds() {
    for (height, width, in_channels, n_classes) in [(4, 4, 1, 2), (28, 28, 1, 10), (33, 47, 3, 100)]
    {
        let network = cnn(&CnnConfig {
            n_classes,
            in_channels,
            height,
            width,
            batch_norm: true,
        })
        .unwrap();
        assert_eq!(network.output_shape(), [n_classes]);
    }
    for widths in [vec![8], vec![8, 12], vec![4, 8, 12, 16]] {
        let config = AutoencoderConfig {
            channels: 3,
            height: 16,
            width: 24,
            widths,
            ..coursework_autoencoder(true, true)
        };
        assert_eq!(autoencoder(&config).unwrap().output_shape(), [3, 16, 24]);
    }
}

#[test]
fn sizes_that_cannot_work_are_refused_in_one_sentence() {
    let refused = |config| cnn(&config).unwrap_err().to_string();
    assert_eq!(
        refused(CnnConfig {
            n_classes: 1,
            ..TASK_1
        }),
        "the number of classes is 1, expected at least 2"
    );
    assert_eq!(
        refused(CnnConfig {
            height: 3,
            ..TASK_1
        }),
        "the image height is 3, expected at least 4"
    );
    let refused = |config| autoencoder(&config).unwrap_err().to_string();
    let base = coursework_autoencoder(true, false);
    assert_eq!(
        refused(AutoencoderConfig {
            width: 30,
            ..base.clone()
        }),
        "the image width is 30, expected a multiple of 2^2 pixels, since 3 widths mean that many poolings"
    );
    assert_eq!(
        refused(AutoencoderConfig {
            input_frames: 0,
            ..base.clone()
        }),
        "the number of input frames is 0, expected at least 1"
    );
    assert_eq!(
        refused(AutoencoderConfig {
            widths: vec![],
            ..base
        }),
        "the number of widths is 0, expected at least 1"
    );
}

#[test]
fn sizes_of_zero_are_refused() {
    let conv = |kernel_size, stride| Layer::Conv2d {
        in_channels: 1,
        out_channels: 4,
        kernel_size,
        stride,
        padding: 1,
    };
    for layer in [
        conv(0, 1),
        conv(3, 0),
        Layer::MaxPool2d { kernel_size: 0 },
        Layer::UpsampleNearest2d { scale_factor: 0 },
    ] {
        let mut network = Network::new([1, 8, 8]);
        let error = network.push("0", layer, &[Source::Input]).unwrap_err();
        let message = error.to_string();
        assert!(message.contains("a layer without a size of 0"), "{message}");
    }
}

#[test]
fn layers_that_do_not_fit_are_refused_with_both_shapes() {
    let mut network = Network::new([3, 8, 8]);
    let conv = Layer::Conv2d {
        in_channels: 1,
        out_channels: 4,
        kernel_size: 3,
        stride: 1,
        padding: 1,
    };
    let error = network.push("0", conv, &[Source::Input]).unwrap_err();
    assert_eq!(
        error.to_string(),
        "layer `0` (Conv2d) got an input of shape [3, 8, 8], expected 1 channels"
    );
    let flat = network
        .push("flat", Layer::Flatten, &[Source::Input])
        .unwrap();
    let linear = Layer::Linear {
        in_features: 10,
        out_features: 2,
    };
    let error = network.push("fc", linear, &[flat]).unwrap_err();
    assert_eq!(
        error.to_string(),
        "layer `fc` (Linear) got an input of shape [192], expected a vector of 10"
    );
    let error = network
        .push("cat", Layer::Concat, &[Source::Input, flat])
        .unwrap_err();
    assert_eq!(
        error.to_string(),
        "layer `cat` (Concat) got an input of shape [192], expected images of 8×8"
    );
    assert!(
        network.push("flat", Layer::Relu, &[flat]).is_err(),
        "a name twice"
    );
    assert!(
        network
            .push("later", Layer::Relu, &[Source::Node(9)])
            .is_err(),
        "an input that comes later"
    );
}

#[test]
fn initialisation_follows_pytorchs_rule_and_the_seed() {
    let network = cnn(&CnnConfig {
        batch_norm: true,
        ..TASK_1
    })
    .unwrap();
    let state = initialize(&network, 3);
    for spec in network.tensors() {
        let Values::F32(values) = &state.get(&spec.name).unwrap().values else {
            continue;
        };
        if spec.name.starts_with("15.") {
            let bound = 1.0 / 1024_f32.sqrt();
            assert!(
                values.iter().all(|value| value.abs() <= bound),
                "{}",
                spec.name
            );
            if values.len() > 10_000 {
                let mean = values.iter().sum::<f32>() / values.len() as f32;
                let variance = values.iter().map(|x| x * x).sum::<f32>() / values.len() as f32;
                assert!(mean.abs() < bound / 50.0, "mean {mean}");
                assert!(
                    (variance / (bound * bound / 3.0) - 1.0).abs() < 0.02,
                    "variance {variance}"
                );
            }
        }
    }
    assert_eq!(state.floats("1.weight").unwrap(), [1.0; 16]);
    assert_eq!(state.floats("1.running_var").unwrap(), [1.0; 16]);
    assert_eq!(state, initialize(&network, 3));
    assert_ne!(
        state.floats("0.weight"),
        initialize(&network, 4).floats("0.weight")
    );
    assert_ne!(
        state.floats("0.weight").unwrap()[..16],
        state.floats("0.bias").unwrap()[..]
    );
}

#[test]
fn schedules_follow_their_formulas() {
    let base = Schedule {
        kind: ScheduleKind::Constant,
        learning_rate: 0.1,
        warmup_steps: 4,
        total_steps: 24,
    };
    let rates = |kind| {
        (0..25)
            .map(|step| Schedule { kind, ..base }.learning_rate_at(step))
            .collect::<Vec<_>>()
    };
    let constant = rates(ScheduleKind::Constant);
    assert_eq!(constant[..5], [0.025, 0.05, 0.1 * 3.0 / 4.0, 0.1, 0.1]);
    let stepped = rates(ScheduleKind::Step {
        every_steps: 10,
        gamma: 0.5,
    });
    assert_eq!((stepped[13], stepped[14], stepped[24]), (0.1, 0.05, 0.025));
    let cosine = rates(ScheduleKind::Cosine);
    assert!((cosine[14] - 0.05).abs() < 1e-15 && cosine[24].abs() < 1e-15);
    assert!(cosine.windows(2).skip(4).all(|pair| pair[1] < pair[0]));
    assert!(
        Schedule {
            learning_rate: 0.0,
            ..base
        }
        .check()
        .is_err()
    );
    assert!(
        Schedule {
            learning_rate: f64::NAN,
            ..base
        }
        .check()
        .is_err()
    );
    assert!(
        Schedule {
            kind: ScheduleKind::Step {
                every_steps: 0,
                gamma: 0.1
            },
            ..base
        }
        .check()
        .is_err()
    );
    assert!(base.check().is_ok());
}
