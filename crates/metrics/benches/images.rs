//! Image metrics on the sizes that their users have, in megapixels a second: `cargo bench -p juggle-metrics --bench images`.
//!
//! One thread: what a core does is what can be compared. `RAYON_NUM_THREADS` changes that.

use std::hint::black_box;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use juggle_metrics::{Convention, MsSsim, Pixel, Ssim, psnr, psnr_batch};
use ndarray::{Array2, Array4, ArrayView2, ArrayView4};

const UHD: (usize, usize) = (2160, 3840);

/// Values in [0, 1) without a pattern.
fn noise(i: usize) -> f64 {
    let mixed = (i as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    ((mixed ^ (mixed >> 29)) >> 40) as f64 / f64::from(1 << 24)
}

fn image<T: Pixel>(pixel: fn(f64) -> T, seed: usize) -> Array2<T> {
    Array2::from_shape_fn(UHD, |(i, j)| pixel(noise(seed + i * UHD.1 + j)))
}

type Metric<T> = fn(ArrayView2<'_, T>, ArrayView2<'_, T>) -> f64;

fn of_type<T: Pixel>(
    c: &mut Criterion,
    name: &str,
    pixel: fn(f64) -> T,
    metrics: [(&str, Metric<T>); 4],
) {
    let mut group = c.benchmark_group(format!("3840×2160 {name}"));
    group
        .throughput(Throughput::Elements((UHD.0 * UHD.1) as u64))
        .sample_size(10);
    let (xs, ys) = (image(pixel, 0), image(pixel, 1 << 40));
    for (metric, f) in metrics {
        group.bench_function(BenchmarkId::from_parameter(metric), |b| {
            b.iter(|| f(black_box(xs.view()), black_box(ys.view())));
        });
    }
}

macro_rules! metrics {
    ($range:expr) => {
        [
            ("psnr", |x, y| psnr(x, y, $range).unwrap_or(f64::NAN)),
            ("ssim", |x, y| ssim(Convention::ScikitImage, $range, x, y)),
            ("ssim gaussian", |x, y| {
                ssim(Convention::ScikitImageGaussian, $range, x, y)
            }),
            ("ms-ssim", |x, y| {
                MsSsim::new(Convention::PytorchMsssim, $range)
                    .mean(x, y)
                    .unwrap_or(f64::NAN)
            }),
        ]
    };
}

fn ssim<T: Pixel>(
    convention: Convention,
    range: f64,
    x: ArrayView2<'_, T>,
    y: ArrayView2<'_, T>,
) -> f64 {
    Ssim::new(convention, range).mean(x, y).unwrap_or(f64::NAN)
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "values in [0, 1) become pixels"
)]
fn large(c: &mut Criterion) {
    of_type(c, "u8", |x| (x * 256.0) as u8, metrics!(255.0));
    of_type(c, "u16", |x| (x * 65536.0) as u16, metrics!(65_535.0));
    of_type(c, "f32", |x| x as f32, metrics!(1.0));
    of_type(c, "f64", |x| x, metrics!(1.0));
}

#[expect(clippy::cast_possible_truncation, reason = "rounding to f32 is meant")]
fn small(c: &mut Criterion) {
    let mut group = c.benchmark_group("2000 of 32×32 f32");
    group
        .throughput(Throughput::Elements(2000 * 32 * 32))
        .sample_size(10);
    let batch = |seed: usize| {
        Array4::from_shape_fn((2000, 1, 32, 32), |(n, _, i, j)| {
            noise(seed + (n * 32 + i) * 32 + j) as f32
        })
    };
    let (xs, ys) = (batch(0), batch(1 << 40));
    type Batch = fn(ArrayView4<'_, f32>, ArrayView4<'_, f32>) -> juggle_metrics::Result<Vec<f64>>;
    let metrics: [(&str, Batch); 3] = [
        ("psnr", |x, y| psnr_batch(x, y, 1.0)),
        ("ssim", |x, y| {
            Ssim::new(Convention::ScikitImage, 1.0).batch(x, y)
        }),
        ("ssim gaussian", |x, y| {
            Ssim::new(Convention::ScikitImageGaussian, 1.0).batch(x, y)
        }),
    ];
    for (name, f) in metrics {
        group.bench_function(BenchmarkId::from_parameter(name), |b| {
            b.iter(|| f(black_box(xs.view()), black_box(ys.view())));
        });
    }
}

criterion_group!(benches, large, small);
criterion_main!(benches);
