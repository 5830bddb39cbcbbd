use juggle_kernels::reference::{self, Image};
use juggle_kernels::{Accumulate, Finish, copy, norm, pool};

use crate::images::{Numbers, assert_image, assert_near, at_every_level, cases, floats, placed};

/// Height, width, channels, side of the square.
const SHAPES: [[usize; 4]; 6] = [
    [1, 1, 16, 1],
    [2, 2, 16, 2],
    [5, 7, 32, 2],
    [8, 6, 48, 2],
    [7, 9, 16, 3],
    [3, 3, 64, 2],
];

fn sum(a: &Image, b: &Image) -> Image {
    let values = a.values.iter().zip(&b.values).map(|(a, b)| a + b).collect();
    Image {
        values,
        ..a.clone()
    }
}

fn masked(image: &Image, mask: &Image) -> Image {
    let keep = |(&x, &mask)| if mask > 0.0 { x } else { 0.0 };
    let values = image.values.iter().zip(&mask.values).map(keep).collect();
    Image {
        values,
        ..image.clone()
    }
}

// Long because one set of inputs serves several checks in a row.
#[test]
fn pooling_is_the_reference() {
    for &[height, width, channels, side] in cases(&SHAPES) {
        for numbers in Numbers::ALL {
            // Small integers repeat inside a square, so that the first maximum is often one of several.
            let image = numbers.image(height, width, channels, 1);
            let (xs, x) = placed(&image, channels + 16, 1);
            let expected = reference::max_pool(&image, side);
            let (before, y) = placed(
                &Image::zeros(height / side, width / side, channels),
                channels,
                1,
            );
            let ys = at_every_level(|level| {
                let mut ys = before.clone();
                pool::max_pool(level, side, (&xs, x), (&mut ys, y));
                ys.to_vec()
            });
            assert_image("max pool", (&ys, y), &before, &expected, 0.0);

            let dys_image = numbers.image(y.height, y.width, channels, 2);
            let (dys, dy) = placed(&dys_image, channels, 1);
            let there = numbers.image(height, width, channels, 3);
            let (before, dx) = placed(&there, channels + 32, 0);
            let share = reference::max_pool_gradient(&image, &dys_image, side);
            let total = sum(&share, &there);
            for (accumulate, finish, expected) in [
                (Accumulate::Write, Finish::Keep, share.clone()),
                (Accumulate::Add, Finish::Keep, total.clone()),
                (
                    Accumulate::Write,
                    Finish::Mask(&xs, x),
                    masked(&share, &image),
                ),
                (
                    Accumulate::Add,
                    Finish::Mask(&xs, x),
                    masked(&total, &image),
                ),
            ] {
                let dxs = at_every_level(|level| {
                    let mut dxs = before.clone();
                    pool::max_pool_gradient(
                        level,
                        side,
                        (&xs, x),
                        (&dys, dy),
                        (&mut dxs, dx),
                        accumulate,
                        finish,
                    );
                    dxs.to_vec()
                });
                assert_image(
                    "max pool gradient",
                    (&dxs, dx),
                    &before,
                    &expected,
                    numbers.tolerance(),
                );
            }
        }
    }
}

#[test]
fn upsampling_is_the_reference() {
    for &[height, width, channels, side] in cases(&SHAPES) {
        for numbers in Numbers::ALL {
            let image = numbers.image(height, width, channels, 1);
            let (xs, x) = placed(&image, channels, 1);
            let expected = reference::upsample(&image, side);
            let (before, y) = placed(
                &Image::zeros(height * side, width * side, channels),
                channels + 16,
                1,
            );
            let ys = at_every_level(|level| {
                let mut ys = before.clone();
                pool::upsample(level, side, (&xs, x), (&mut ys, y));
                ys.to_vec()
            });
            assert_image("upsample", (&ys, y), &before, &expected, 0.0);

            let dys_image = numbers.image(y.height, y.width, channels, 2);
            let (dys, dy) = placed(&dys_image, channels + 16, 1);
            let there = numbers.image(height, width, channels, 3);
            let (before, dx) = placed(&there, channels, 0);
            let share = reference::upsample_gradient(&image, &dys_image, side);
            for (accumulate, finish, expected) in [
                (Accumulate::Write, Finish::Keep, share.clone()),
                (
                    Accumulate::Add,
                    Finish::Mask(&xs, x),
                    masked(&sum(&share, &there), &image),
                ),
            ] {
                let dxs = at_every_level(|level| {
                    let mut dxs = before.clone();
                    pool::upsample_gradient(
                        level,
                        side,
                        (&dys, dy),
                        (&mut dxs, dx),
                        accumulate,
                        finish,
                    );
                    dxs.to_vec()
                });
                assert_image(
                    "upsample gradient",
                    (&dxs, dx),
                    &before,
                    &expected,
                    numbers.tolerance(),
                );
            }
        }
    }
}

#[test]
fn copies_masks_and_layouts_keep_every_value() {
    for &[height, width, channels, _] in cases(&SHAPES) {
        let image = Numbers::Fractions.image(height, width, channels, 1);
        let (xs, x) = placed(&image, channels + 16, 1);
        let there = Numbers::Fractions.image(height, width, channels, 2);
        let (before, y) = placed(&there, channels, 2);
        for (accumulate, finish, expected) in [
            (Accumulate::Write, Finish::Keep, image.clone()),
            (Accumulate::Write, Finish::Relu, masked(&image, &image)),
            (Accumulate::Add, Finish::Keep, sum(&image, &there)),
        ] {
            let ys = at_every_level(|level| {
                let mut ys = before.clone();
                copy::copy(level, (&xs, x), (&mut ys, y), accumulate, finish);
                ys.to_vec()
            });
            assert_image("copy", (&ys, y), &before, &expected, 1e-7);
        }
        let ys = at_every_level(|level| {
            let mut ys = before.clone();
            copy::mask(level, (&xs, x), (&mut ys, y));
            ys.to_vec()
        });
        assert_image("mask", (&ys, y), &before, &masked(&there, &image), 0.0);

        let positions: Vec<usize> = (0..channels).rev().step_by(3).collect();
        let mut planes = vec![0.0; positions.len() * height * width];
        copy::to_nchw((&xs, x), &positions, &mut planes);
        assert_eq!(
            f64::from(planes[0]),
            image.values[image.at(0, 0, positions[0])]
        );
        let (mut back, view) = placed(&there, channels, 1);
        copy::from_nchw(&planes, &positions, (&mut back, view));
        let mut expected = there.clone();
        for pixel in 0..height * width {
            for &channel in &positions {
                expected.values[pixel * channels + channel] =
                    image.values[pixel * channels + channel];
            }
        }
        assert_image("there and back", (&back, view), &back, &expected, 0.0);
    }
}

// Long because one set of inputs serves several checks in a row.
#[test]
fn batch_normalisation_is_the_reference() {
    for &[height, width, channels, _] in cases(&SHAPES) {
        let images: Vec<Image> = (0..3)
            .map(|i| Numbers::Fractions.image(height, width, channels, 10 + i))
            .collect();
        let gradients: Vec<Image> = (0..3)
            .map(|i| Numbers::Fractions.image(height, width, channels, 20 + i))
            .collect();
        let (mean, variance) = reference::batch_moments(&images);
        let ours = at_every_level(|level| {
            let mut all = Vec::new();
            for image in &images {
                let (xs, x) = placed(image, channels + 16, 1);
                let (mut mean, mut squares) = (vec![0.0; channels], vec![0.0; channels]);
                norm::moments(level, (&xs, x), &mut mean, &mut squares);
                all.extend([mean, squares].concat());
            }
            let (mut mean, mut variance) = (vec![0.0; channels], vec![0.0; channels]);
            norm::batch_moments(&all, height * width, &mut mean, &mut variance);
            (mean, variance)
        });
        assert_near("mean", &ours.0, &mean, 1e-6);
        assert_near("variance", &ours.1, &variance, 1e-6);

        let rstd: Vec<f64> = variance.iter().map(|v| 1.0 / (v + 1e-2).sqrt()).collect();
        let (mean32, rstd32) = (floats(&mean), floats(&rstd));
        let shift: Vec<f32> = mean32
            .iter()
            .zip(&rstd32)
            .map(|(mean, rstd)| -mean * rstd)
            .collect();
        let expected = reference::batch_norm_input_gradient(&images, &gradients, 1e-2);
        let count = (3 * height * width) as f64;
        let placed_all = |images: &[Image]| {
            images
                .iter()
                .map(|image| placed(image, channels, 1))
                .collect::<Vec<_>>()
        };
        let (xs, dys) = (placed_all(&images), placed_all(&gradients));
        let sums = at_every_level(|level| {
            let mut sums = vec![[0.0_f64; 2]; channels];
            for ((xs, x), (dys, dy)) in xs.iter().zip(&dys) {
                let (mut sum, mut product) = (vec![0.0; channels], vec![0.0; channels]);
                norm::gradient_sums(
                    level,
                    (xs, *x),
                    (dys, *dy),
                    (&mean32, &rstd32),
                    (&mut sum, &mut product),
                );
                for (c, total) in sums.iter_mut().enumerate() {
                    total[0] += f64::from(sum[c]);
                    total[1] += f64::from(product[c]);
                }
            }
            sums
        });
        let means = |i: usize| {
            sums.iter()
                .map(|sum| (sum[i] / count) as f32)
                .collect::<Vec<_>>()
        };
        let batch = norm::BatchGradient {
            mean: &mean32,
            rstd: &rstd32,
            scale: &rstd32,
            mean_dy: &means(0),
            mean_product: &means(1),
        };
        for (i, expected) in expected.iter().enumerate() {
            let ((xs, x), (dys, dy)) = (&xs[i], &dys[i]);
            let (before, dx) = placed(&Image::zeros(height, width, channels), channels, 0);
            let dxs = at_every_level(|level| {
                let mut dxs = before.clone();
                let into = (&mut *dxs, dx);
                norm::input_gradient(
                    level,
                    (xs, *x),
                    (dys, *dy),
                    batch,
                    into,
                    Accumulate::Write,
                    Finish::Keep,
                );
                dxs.to_vec()
            });
            assert_image("input gradient", (&dxs, dx), &before, expected, 2e-5);
            let normal = at_every_level(|level| {
                let mut ys = before.clone();
                norm::normalize(
                    level,
                    (xs, *x),
                    (&rstd32, &shift),
                    (&mut ys, dx),
                    Finish::Keep,
                );
                ys.to_vec()
            });
            let values = images[i].values.iter().enumerate();
            let values = values
                .map(|(i, x)| (x - mean[i % channels]) * rstd[i % channels])
                .collect();
            assert_image(
                "normalize",
                (&normal, dx),
                &before,
                &Image {
                    values,
                    ..images[i].clone()
                },
                2e-6,
            );
        }
    }
}
