//! Times other Rust crates of image metrics for `cargo xtask bench`: requests on stdin, one JSON answer a line on stdout.
//!
//! The protocol, images and rounding are those of `crates/metrics/examples/measure.rs`. image-compare
//! computes another quantity than ours: the mean over blocks of 8×8 side by side, without weights.

use std::collections::BTreeMap;
use std::error::Error;
use std::io::BufRead as _;
use std::time::Instant;

use image_compare::{Algorithm, gray_similarity_structure};
use serde::Deserialize;
use serde_json::{Value, json};

const UHD: (u32, u32) = (3840, 2160);

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum Request {
    Prepare { key: String, work: String },
    Run { key: String, seconds: f64 },
    Drop {},
}

type Work = Box<dyn Fn() -> Result<f64, Box<dyn Error>>>;

fn main() -> Result<(), Box<dyn Error>> {
    let mut works = BTreeMap::new();
    println!("{}", json!({"image-compare": "0.5.0", "iqa": "1.2.1"}));
    for line in std::io::stdin().lock().lines() {
        let answer = serde_json::from_str(&line?)
            .map_err(Into::into)
            .and_then(|request| answer(request, &mut works))
            .unwrap_or_else(|error| json!({"error": error.to_string()}));
        println!("{answer}");
    }
    Ok(())
}

fn answer(request: Request, works: &mut BTreeMap<String, Work>) -> Result<Value, Box<dyn Error>> {
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

fn prepare(work: &str) -> Result<Work, Box<dyn Error>> {
    let n = (UHD.0 * UHD.1) as usize;
    let x: Vec<u8> = (0..n).map(|i| (noise(i, 0) * 256.0) as u8).collect();
    let y: Vec<u8> = (0..n)
        .map(|i| ((noise(i, 0) + noise(i, 1)) / 2.0 * 256.0) as u8)
        .collect();
    Ok(match work {
        "iqa-psnr" | "iqa-ssim" => {
            let x = iqa::Image::gray8(UHD.0, UHD.1, x)?;
            let y = iqa::Image::gray8(UHD.0, UHD.1, y)?;
            if work == "iqa-psnr" {
                Box::new(move || Ok(iqa::psnr(&x, &y, iqa::PsnrOptions::default())?))
            } else {
                Box::new(move || Ok(iqa::ssim(&x, &y, iqa::SsimOptions::default())?))
            }
        }
        "image-compare-ssim" => {
            let image = |pixels| {
                image_compare::prelude::GrayImage::from_raw(UHD.0, UHD.1, pixels)
                    .ok_or("as many pixels as the image has")
            };
            let (x, y) = (image(x)?, image(y)?);
            Box::new(move || Ok(gray_similarity_structure(&Algorithm::MSSIMSimple, &x, &y)?.score))
        }
        _ => return Err(format!("no work is named {work}").into()),
    })
}

/// Values in [0, 1) without a pattern.
fn noise(i: usize, stream: u64) -> f64 {
    let mixed = (i as u64 + (stream << 40)).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    ((mixed ^ (mixed >> 29)) >> 40) as f64 / f64::from(1 << 24)
}
