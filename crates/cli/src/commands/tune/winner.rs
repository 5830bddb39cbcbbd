//! The best settings, trained on all training images with seeds that the search has not used, and measured.

use std::path::Path;
use std::sync::{Mutex, PoisonError};

use anyhow::{Context as _, Error, Result};
use juggle_dataset::Split;
use juggle_tracking::Disk;
use juggle_tuning::TrialRecord;
use serde::Serialize;

use super::record;
use super::search::{Searching, words};
use super::show;
use super::trial::{is_pause, mean};
use crate::args::tune::SearchArgs;
use crate::args::{MachineArgs, Weights};
use crate::commands::train::{self, Begin, DataChange, DataHashes};
use crate::config::{NetworkConfig, RunConfig};
use crate::evaluation;
use crate::examples::Examples;
use crate::failure::Interrupted;
use crate::model;
use crate::run::Existing;

/// Between the seeds of the search and those of the winner.
const FRESH_SEEDS: u64 = 1000;

/// What the winner's networks achieved; kept in the study.
#[derive(Debug, Serialize)]
struct Winner {
    trial: u64,
    split: String,
    /// Images or windows.
    n: usize,
    seeds: Vec<u64>,
    runs: Vec<String>,
    loss: Vec<f64>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    accuracy: Vec<f64>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    psnr_db: Vec<f64>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    ssim: Vec<f64>,
}

/// One network of the winner on the images that nothing was chosen by.
struct Measured {
    split: Split,
    n: usize,
    loss: f64,
    accuracy: Option<f64>,
    psnr_db: Option<f64>,
    ssim: Option<f64>,
}

/// Writes the best settings, trains and measures them, and prints what was found.
pub(super) fn run(searching: &Searching<'_>, args: &SearchArgs, best: &TrialRecord) -> Result<()> {
    let config = searching.search.config(&record::params(best))?;
    let file = searching.out.join("best.toml");
    Disk::default().replace(&file, config.to_toml()?.as_bytes())?;
    if args.winner_seeds > 0 {
        let winner = train_all(searching, args, best.number, &config)?;
        let winner = serde_json::to_value(winner).context("the winner as JSON")?;
        searching.study.set_user_attr(record::WINNER, winner)?;
    }
    let storage = searching.study.storage();
    show::print_summary(&**storage, searching.study.name())?;
    searching.messages.note(format_args!(
        "the best settings are in {}: juggle train {} --config {}",
        file.display(),
        config.kind,
        file.display()
    ));
    Ok(())
}

fn train_all(
    searching: &Searching<'_>,
    args: &SearchArgs,
    trial: u64,
    config: &RunConfig,
) -> Result<Winner> {
    let folder = searching
        .out
        .join("winner")
        .join(format!("trial-{trial:05}"));
    let seeds: Vec<u64> = (0..args.winner_seeds)
        .map(|i| config.seed + FRESH_SEEDS + i)
        .collect();
    searching.messages.note(format_args!(
        "training the settings of trial {trial} on all training images with {}",
        words(seeds.len(), "fresh seed")
    ));
    let left = Mutex::new(seeds.iter().rev().copied().collect::<Vec<u64>>());
    let failed = Mutex::new(None);
    super::pool::side_by_side(args.workers, || {
        loop {
            let seed = left.lock().unwrap_or_else(PoisonError::into_inner).pop();
            let Some(seed) = seed else { return };
            let path = folder.join(format!("seed-{seed}"));
            if let Err(error) = train_one(searching, config, seed, &path) {
                searching.stop.request();
                let mut first = failed.lock().unwrap_or_else(PoisonError::into_inner);
                first.get_or_insert(error);
                return;
            }
        }
    })?;
    if let Some(error) = failed.into_inner().unwrap_or_else(PoisonError::into_inner) {
        let place = "the winner is not trained yet; the same command goes on with it";
        if is_pause(&error) {
            return Err(Interrupted(place.to_owned()).into());
        }
        return Err(Error::context(error, place));
    }
    let path = |seed: &u64| folder.join(format!("seed-{seed}"));
    let measured: Result<Vec<Measured>> = seeds
        .iter()
        .map(|seed| measure(&path(seed), config))
        .collect();
    let measured = measured?;
    let first = measured.first().context("the winner has seeds")?;
    let all = |of: fn(&Measured) -> Option<f64>| measured.iter().filter_map(of).collect();
    Ok(Winner {
        trial,
        split: first.split.to_string(),
        n: first.n,
        runs: seeds
            .iter()
            .map(|seed| path(seed).display().to_string())
            .collect(),
        loss: measured.iter().map(|measured| measured.loss).collect(),
        accuracy: all(|measured| measured.accuracy),
        psnr_db: all(|measured| measured.psnr_db),
        ssim: all(|measured| measured.ssim),
        seeds,
    })
}

fn train_one(searching: &Searching<'_>, config: &RunConfig, seed: u64, path: &Path) -> Result<()> {
    let mut config = config.clone();
    config.seed = seed;
    let data = config.data.path.clone();
    let begin = |hashes| Begin {
        existing: Existing::Resume,
        data: DataChange::Refused,
        hashes,
        disk: Disk::default(),
        stop: searching.stop.clone(),
        messages: searching.messages.silent(),
    };
    match config.network.clone() {
        NetworkConfig::Classifier(_) => {
            let folder = train::read_images(&mut config)?;
            let (train, val) = (
                Examples::Images(&folder.train),
                Examples::Images(&folder.val),
            );
            let hashes = DataHashes::read(&data, &[&train, &val])?;
            begin(hashes)
                .open(Some(path), &config, &train, &val)?
                .run()?;
        }
        NetworkConfig::Autoencoder(network) => {
            let folder = train::read_clips(&mut config)?;
            let train = Examples::windows(&folder.train, network.input_frames, &data)?;
            let val = Examples::windows(&folder.val, network.input_frames, &data)?;
            let hashes = DataHashes::read(&data, &[&train, &val])?;
            begin(hashes)
                .open(Some(path), &config, &train, &val)?
                .run()?;
        }
    }
    Ok(())
}

/// The last weights, as the search judged those of each trial; which epoch was best on leaking or absent validation images does
/// not matter then.
fn measure(path: &Path, config: &RunConfig) -> Result<Measured> {
    let machine = MachineArgs {
        threads: Some(config.threads),
        device: Some(config.device.clone()),
        engine: Some(config.engine),
    };
    let trained = model::with_engine(model::load(path, Weights::Last)?, &machine)?;
    let data = &config.data.path;
    match &config.network {
        NetworkConfig::Classifier(_) => {
            let found = evaluation::classifier::evaluate(&trained, data, None)?;
            Ok(Measured {
                split: found.split,
                n: found.images.len(),
                loss: found.loss,
                accuracy: Some(found.report.accuracy()),
                psnr_db: None,
                ssim: None,
            })
        }
        NetworkConfig::Autoencoder(network) => {
            let clips = evaluation::frames::read_clips(&trained, data, Split::Val)?;
            let examples = Examples::windows(&clips, network.input_frames, data)?;
            let found = evaluation::frames::measure(&trained, &examples, Split::Val)?;
            let mean = |rows: &Option<evaluation::frames::Rows>| {
                rows.as_ref().map(|rows| mean(&rows.prediction))
            };
            Ok(Measured {
                split: found.split,
                n: found.n,
                loss: found.loss,
                accuracy: None,
                psnr_db: mean(&found.psnr_db),
                ssim: mean(&found.ssim),
            })
        }
    }
}
