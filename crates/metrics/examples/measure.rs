//! Times single metrics for `cargo xtask bench`: requests on stdin, one JSON answer a line on stdout.
//!
//! ```text
//! {"prepare":{"key":"a","work":"ssim-f32"}}
//! {"run":{"key":"a","seconds":0.5}}
//! {"drop":{}}
//! ```
//!
//! The answer to `prepare` has the metric's value, rounded, as `sum`: the other side must have the same. `xtask/bench/metrics_peer.py` draws the
//! same images and labels. The number of threads is `RAYON_NUM_THREADS`.

#![expect(
    clippy::print_stdout,
    reason = "the answers go to the program at the other end of the pipe"
)]
#![expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "values in [0, 1) become pixels and labels"
)]

use std::collections::BTreeMap;
use std::error::Error;
use std::io::BufRead as _;
use std::time::Instant;

use juggle_metrics::ndarray::{Array2, Array3, Array4, Axis};
use juggle_metrics::{ClassificationReport, Convention, MsSsim, Pixel, Result, Ssim, psnr};
use serde::Deserialize;
use serde_json::{Value, json};

/// Of the 4K pair.
const UHD: (usize, usize) = (2160, 3840);
const N_SMALL: usize = 2000;
const N_LABELS: usize = 10_000_000;
/// Words that are read of one array before the other has its turn, where both are read side by side: 1 KiB.
const SIDE_BY_SIDE: usize = 256;

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum Request {
    Prepare { key: String, work: String },
    Run { key: String, seconds: f64 },
    Drop {},
}

/// Computes one metric of something that it holds.
type Work = Box<dyn Fn() -> Result<f64>>;

fn main() -> std::result::Result<(), Box<dyn Error>> {
    let mut works = BTreeMap::new();
    println!("{}", json!({}));
    for line in std::io::stdin().lock().lines() {
        let answer = serde_json::from_str(&line?)
            .map_err(Into::into)
            .and_then(|request| answer(request, &mut works))
            .unwrap_or_else(|error| json!({"error": error.to_string()}));
        println!("{answer}");
    }
    Ok(())
}

fn answer(
    request: Request,
    works: &mut BTreeMap<String, Work>,
) -> std::result::Result<Value, Box<dyn Error>> {
    match request {
        Request::Prepare { key, work } => {
            let work = prepare(&work)?;
            let value = work()?;
            works.insert(key, work);
            Ok(json!({"sum": (value * 1e4).round() as u64}))
        }
        Request::Run { key, seconds } => {
            let work = works.get(&key).ok_or("no such work")?;
            let mut count = 0;
            let started = Instant::now();
            while count == 0 || started.elapsed().as_secs_f64() < seconds {
                work()?;
                count += 1;
            }
            Ok(json!({"seconds": started.elapsed().as_secs_f64(), "count": count}))
        }
        Request::Drop {} => {
            works.clear();
            Ok(json!({}))
        }
    }
}

fn prepare(work: &str) -> std::result::Result<Work, Box<dyn Error>> {
    use Convention::{PytorchMsssim, ScikitImage, ScikitImageGaussian, Torchmetrics};
    let single: fn(f64) -> f32 = |x| x as f32;
    let byte: fn(f64) -> u8 = |x| (x * 256.0) as u8;
    Ok(match work {
        "psnr-f32" => psnr_of(single, 1.0),
        "psnr-u8" => psnr_of(byte, 255.0),
        "ssim-f32" => ssim_of(single, Ssim::new(ScikitImage, 1.0)),
        "ssim-u8" => ssim_of(byte, Ssim::new(ScikitImage, 255.0)),
        "ssim-gaussian" => ssim_of(single, Ssim::new(ScikitImageGaussian, 1.0)),
        "ssim-torchmetrics" => ssim_of(single, Ssim::new(Torchmetrics, 1.0)),
        "ms-ssim" => {
            let (x, y) = uhd(single);
            let ms_ssim = MsSsim::new(Torchmetrics, 1.0);
            Box::new(move || ms_ssim.mean(x.view(), y.view()))
        }
        "ssim-gaussian-u8" => ssim_of(byte, Ssim::new(PytorchMsssim, 255.0)),
        "ssim-rgb" => {
            let (x, y) = pair(512 * 512 * 3, byte);
            let shape = (512, 512, 3);
            let (x, y) = (
                Array3::from_shape_vec(shape, x)?,
                Array3::from_shape_vec(shape, y)?,
            );
            let ssim = Ssim::new(ScikitImage, 255.0);
            Box::new(move || ssim.channel_mean(x.view(), y.view(), Axis(2)))
        }
        "ssim-batch" => {
            let (x, y) = pair(N_SMALL * 32 * 32, single);
            let shape = (N_SMALL, 1, 32, 32);
            let (x, y) = (
                Array4::from_shape_vec(shape, x)?,
                Array4::from_shape_vec(shape, y)?,
            );
            let ssim = Ssim::new(ScikitImage, 1.0);
            Box::new(move || ssim.batch_mean(x.view(), y.view()))
        }
        "read-images-in-turn" => reading_of(images_to_read(), added_in_turn),
        "read-images-side-by-side" => reading_of(images_to_read(), added_side_by_side),
        "read-labels-in-turn" => reading_of(labels_to_read(), added_in_turn),
        "read-labels-side-by-side" => reading_of(labels_to_read(), added_side_by_side),
        "report-3" => report_of(3),
        "report-1000" => report_of(1000),
        _ => return Err(format!("no work is named {work}").into()),
    })
}

fn psnr_of<T: Pixel>(pixel: fn(f64) -> T, data_range: f64) -> Work {
    let (x, y) = uhd(pixel);
    Box::new(move || psnr(x.view(), y.view(), data_range))
}

fn ssim_of<T: Pixel>(pixel: fn(f64) -> T, ssim: Ssim) -> Work {
    let (x, y) = uhd(pixel);
    Box::new(move || ssim.mean(x.view(), y.view()))
}

/// The text of a report; its value is the accuracy.
fn report_of(n_classes: usize) -> Work {
    let class = |x: f64| (x * n_classes as f64) as usize;
    let truth: Vec<usize> = (0..N_LABELS).map(|i| class(noise(i, 0))).collect();
    let predicted: Vec<usize> = (0..N_LABELS)
        .map(|i| {
            if noise(i, 1) < 0.8 {
                truth[i]
            } else {
                class(noise(i, 2))
            }
        })
        .collect();
    let names: Vec<String> = (0..n_classes).map(|class| class.to_string()).collect();
    Box::new(move || {
        let report = ClassificationReport::new(&truth, &predicted, &names)?;
        std::hint::black_box(report.to_text(2));
        Ok(report.accuracy())
    })
}

/// As fast as memory can be read: words are added up, which is less work than waiting for them.
fn reading_of([a, b]: [Vec<u32>; 2], added: fn(&[u32], &[u32]) -> u32) -> Work {
    Box::new(move || Ok(f64::from(added(&a, &b))))
}

fn added_in_turn(a: &[u32], b: &[u32]) -> u32 {
    [a, b].map(sum).into_iter().fold(0, u32::wrapping_add)
}

fn added_side_by_side(a: &[u32], b: &[u32]) -> u32 {
    let pairs = a.chunks(SIDE_BY_SIDE).zip(b.chunks(SIDE_BY_SIDE));
    pairs.fold(0, |total, (a, b)| total.wrapping_add(added_in_turn(a, b)))
}

fn sum(words: &[u32]) -> u32 {
    words.iter().fold(0, |sum, &word| sum.wrapping_add(word))
}

/// The bits of the pair of images that PSNR is measured on.
fn images_to_read() -> [Vec<u32>; 2] {
    let (x, y) = pair(UHD.0 * UHD.1, |x| x as f32);
    [x, y].map(|image| image.into_iter().map(f32::to_bits).collect())
}

/// As many words as the report's labels have.
fn labels_to_read() -> [Vec<u32>; 2] {
    let n = N_LABELS * size_of::<usize>() / size_of::<u32>();
    [vec![1; n], vec![2; n]]
}

fn uhd<T: Pixel>(pixel: fn(f64) -> T) -> (Array2<T>, Array2<T>) {
    let (x, y) = pair(UHD.0 * UHD.1, pixel);
    let image = |values: Vec<T>| Array2::from_shape_fn(UHD, |(i, j)| values[i * UHD.1 + j]);
    (image(x), image(y))
}

/// Noise, and a mixture of it with other noise.
fn pair<T>(n: usize, pixel: fn(f64) -> T) -> (Vec<T>, Vec<T>) {
    (
        (0..n).map(|i| pixel(noise(i, 0))).collect(),
        (0..n)
            .map(|i| pixel((noise(i, 0) + noise(i, 1)) / 2.0))
            .collect(),
    )
}

/// Values in [0, 1) without a pattern.
fn noise(i: usize, stream: u64) -> f64 {
    let mixed = (i as u64 + (stream << 40)).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    ((mixed ^ (mixed >> 29)) >> 40) as f64 / f64::from(1 << 24)
}
