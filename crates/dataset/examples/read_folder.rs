//! Times the reading of a folder of PNG files for `cargo xtask bench`: requests on stdin, one JSON answer a line on stdout.
//!
//! ```text
//! {"prepare":{"key":"a","folder":"target/bench/png-gray"}}
//! {"run":{"key":"a","seconds":0.5}}
//! {"drop":{}}
//! ```
//!
//! A run reads the whole folder, again and again until the time is over. The number of threads is `RAYON_NUM_THREADS`.

#![expect(
    clippy::print_stdout,
    reason = "the answers go to the program at the other end of the pipe"
)]

use std::collections::BTreeMap;
use std::error::Error;
use std::io::BufRead as _;
use std::path::{Path, PathBuf};
use std::time::Instant;

use juggle_dataset::{ImageFolder, ReadOptions};
use serde::Deserialize;
use serde_json::{Value, json};

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum Request {
    Prepare { key: String, folder: PathBuf },
    Run { key: String, seconds: f64 },
    Drop {},
}

fn main() -> Result<(), Box<dyn Error>> {
    let mut folders = BTreeMap::new();
    println!("{}", json!({}));
    for line in std::io::stdin().lock().lines() {
        let answer = serde_json::from_str(&line?)
            .map_err(Into::into)
            .and_then(|request| answer(request, &mut folders))
            .unwrap_or_else(|error| json!({"error": error.to_string()}));
        println!("{answer}");
    }
    Ok(())
}

fn answer(
    request: Request,
    folders: &mut BTreeMap<String, PathBuf>,
) -> Result<Value, Box<dyn Error>> {
    match request {
        Request::Prepare { key, folder } => {
            let (_, sum) = read(&folder)?;
            folders.insert(key, folder);
            Ok(json!({"sum": sum}))
        }
        Request::Run { key, seconds } => {
            let folder = folders.get(&key).ok_or("no such folder")?;
            let mut count = 0;
            let started = Instant::now();
            while count == 0 || started.elapsed().as_secs_f64() < seconds {
                count += read(folder)?.0;
            }
            Ok(json!({"seconds": started.elapsed().as_secs_f64(), "count": count}))
        }
        Request::Drop {} => {
            folders.clear();
            Ok(json!({}))
        }
    }
}

/// The number of images, and the sum of their pixels, which both sides must agree on.
fn read(folder: &Path) -> juggle_dataset::Result<(usize, u64)> {
    let folder = ImageFolder::read(folder, &ReadOptions::default())?;
    let splits = [Some(&folder.train), Some(&folder.val), folder.test.as_ref()];
    let images = splits.iter().flatten();
    Ok((
        images.clone().map(|split| split.len()).sum(),
        images
            .flat_map(|split| &split.pixels)
            .map(|&pixel| u64::from(pixel))
            .sum(),
    ))
}
