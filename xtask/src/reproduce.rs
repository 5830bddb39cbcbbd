//! `cargo xtask reproduce`: the published coursework, run again and set beside its numbers.
//!
//! Module map: [`stages`] is the table of what runs, [`schedule`] runs it side by side,
//! [`execute`] runs one stage, [`stamp`] knows what is up to date, [`outputs`] reads what the
//! stages left and [`results`] aggregates it, [`published`] holds the numbers to compare with,
//! [`report`] words it, [`document`] lays it out, [`plot`] draws the curves, [`study`] tells it for the page that `juggle report` makes,
//! [`committed`] keeps it in `docs/` and compares a repetition with that.

mod committed;
mod document;
mod execute;
mod outputs;
mod plot;
mod published;
mod report;
mod results;
mod schedule;
mod stages;
mod stamp;
mod study;

use std::fs::{self, File, TryLockError};
use std::num::NonZero;
use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::{Context as _, Result, bail};

use execute::Context;
use stages::{AUTOENCODER_EPOCHS, CLASSIFIER_EPOCHS, Plan, REPORT, Size, Stage};
use stamp::Stamps;

use crate::bench::ratios::Ratios;
use crate::provenance;

pub(crate) use outputs::is_epoch;
pub(crate) use stages::{BALLS, FRAMES};

/// Re-create the published coursework stage by stage.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// One seed, few epochs, a tenth of the clips: shows that every stage works, not the numbers
    #[arg(long)]
    quick: bool,

    /// Run only the stages whose names are or begin with this (`classifier/tuned`), with what
    /// they depend on; may be repeated. `report` alone writes the report from what is there
    #[arg(long, value_name = "STAGE")]
    only: Vec<String>,

    /// Seeds 0 to N-1 for every recipe [default: 5 for the classifier, 3 for the autoencoder]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=100))]
    seeds: Option<u64>,

    /// Train the autoencoder for fewer epochs than the published 30; the report says so
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=1000))]
    autoencoder_epochs: Option<u64>,

    /// Folder for everything that is written [default: reproduction, or reproduction-quick]
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,

    /// Run everything again into a folder of its own and compare the hashes of data, weights, predictions and evaluations with the
    /// committed ones: docs/reproduction.json, or docs/reproduction-quick.json
    #[arg(long, conflicts_with_all = ["only", "seeds", "autoencoder_epochs", "publish"])]
    verify: bool,

    /// Write what came out into docs/: reproduction.md, its figures and reproduction.json; of a quick run the hashes alone
    #[arg(long, conflicts_with_all = ["only", "seeds", "autoencoder_epochs"])]
    publish: bool,

    /// List the stages with what they show, and run nothing
    #[arg(long)]
    list: bool,

    /// Stages that run side by side, each on one thread [default: the number of cores]
    #[arg(long, value_name = "N")]
    jobs: Option<NonZero<usize>>,
}

impl Options {
    fn plan(&self) -> Plan {
        let (size, out, epochs, seeds) = if self.quick {
            (Size::Quick, "reproduction-quick", (3, 1), (1, 1))
        } else {
            (
                Size::Full,
                "reproduction",
                (CLASSIFIER_EPOCHS, AUTOENCODER_EPOCHS),
                (5, 3),
            )
        };
        Plan {
            size,
            classifier_epochs: epochs.0,
            autoencoder_epochs: self.autoencoder_epochs.unwrap_or(epochs.1),
            classifier_seeds: (0..self.seeds.unwrap_or(seeds.0)).collect(),
            autoencoder_seeds: (0..self.seeds.unwrap_or(seeds.1)).collect(),
            out: self.out.clone().unwrap_or_else(|| {
                let suffix = if self.verify { "-verify" } else { "" };
                format!("{out}{suffix}").into()
            }),
        }
    }

    /// The line that repeats this reproduction as a whole, whatever part of it runs now.
    fn command(&self) -> String {
        let mut line = "cargo xtask reproduce".to_owned();
        if self.quick {
            line.push_str(" --quick");
        }
        if let Some(seeds) = self.seeds {
            line.push_str(&format!(" --seeds {seeds}"));
        }
        if let Some(epochs) = self.autoencoder_epochs {
            line.push_str(&format!(" --autoencoder-epochs {epochs}"));
        }
        line
    }
}

pub(crate) fn run(options: &Options) -> Result<()> {
    let plan = options.plan();
    let all = plan.stages();
    let selected = stages::select(all.clone(), &options.only).map_err(|unknown| {
        anyhow::anyhow!("no stage is named `{unknown}`; `cargo xtask reproduce --list` lists them")
    })?;
    if options.list {
        list(&selected);
        return Ok(());
    }
    let started = Instant::now();
    let jobs = options.jobs.map_or_else(provenance::n_cores, NonZero::get);
    let binary = crate::juggle::build()?;
    let stamps = Stamps::new(&plan.out);
    // Held until the end, so that two reproductions never write into one folder.
    let _lock = claim(&plan.out, &stamps)?;
    if options.verify {
        stamps.clear()?;
    }
    let context = Context::new(&binary, Path::new(stages::CHECKSUMS), &plan.out, stamps)?;
    let n_stages = selected.len();
    eprintln!(
        "{n_stages} stages, {jobs} at a time, into {}",
        plan.out.display()
    );
    let outcome = schedule::run(&selected, jobs, |stage| context.run(stage, n_stages));
    outcome.context("the reproduction stopped; what is done is kept and will not run again")?;

    let run = results::Invocation {
        command: options.command(),
        jobs,
        wall_s: started.elapsed().as_secs_f64(),
    };
    let results = results::collect(&plan, &all, &context, run)?;
    let ratios = Ratios::read()?;
    report::write(&plan, &results, ratios.as_ref())?;
    print!(
        "{}",
        document::to_terminal(&report::blocks(&results, ratios.as_ref()))
    );
    for file in ["report.md", "results.json"] {
        eprintln!("wrote {}", plan.out.join(file).display());
    }
    match study::write(&plan, &results, ratios.as_ref(), &binary)? {
        Some(page) => eprintln!("wrote {}", page.display()),
        None => eprintln!("no run is there yet, so there is no report.html"),
    }
    let broken = report::broken_checks(&results);
    if !broken.is_empty() {
        bail!("what must hold exactly does not: {}", broken.join("; "));
    }
    if options.verify {
        committed::verify(&plan, &results)?;
    }
    if options.publish {
        committed::publish(&plan, &results)?;
    }
    Ok(())
}

fn list(stages: &[Stage]) {
    let width = stages
        .iter()
        .map(|stage| stage.name.len())
        .max()
        .unwrap_or(0)
        .max(REPORT.len());
    for stage in stages {
        println!("{:width$}  {}", stage.name, stage.shows);
    }
    println!(
        "{REPORT:width$}  report.html, report.md, results.json and figures, from what the stages left"
    );
}

/// Makes the output folder ours, and refuses one that holds something else: stages remove and
/// overwrite folders in it.
fn claim(out: &Path, stamps: &Stamps) -> Result<File> {
    let is_empty = match fs::read_dir(out) {
        Ok(mut entries) => entries.next().is_none(),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => true,
        Err(error) => return Err(error).with_context(|| format!("cannot list {}", out.display())),
    };
    if !is_empty && !stamps.folder().is_dir() {
        bail!(
            "{} holds files of something else; choose another --out",
            out.display()
        );
    }
    fs::create_dir_all(stamps.folder())
        .with_context(|| format!("cannot create {}", stamps.folder().display()))?;
    let path = stamps.folder().join("lock");
    let lock = File::create(&path).with_context(|| format!("cannot create {}", path.display()))?;
    match lock.try_lock() {
        Ok(()) => Ok(lock),
        Err(TryLockError::WouldBlock) => {
            bail!("another reproduction is writing into {}", out.display())
        }
        Err(TryLockError::Error(error)) => {
            Err(error).with_context(|| format!("cannot lock {}", path.display()))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_of_something_else_is_refused_and_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("thesis.txt"), "mine").unwrap();
        let error = claim(folder.path(), &Stamps::new(folder.path())).unwrap_err();
        assert!(error.to_string().contains("something else"), "{error}");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_folder_is_claimed_once_at_a_time() {
        let folder = tempfile::tempdir().unwrap();
        let out = folder.path().join("new");
        let held = claim(&out, &Stamps::new(&out)).unwrap();
        let error = claim(&out, &Stamps::new(&out)).unwrap_err();
        assert!(
            error.to_string().contains("another reproduction"),
            "{error}"
        );
        drop(held);
        claim(&out, &Stamps::new(&out)).unwrap();
    }
}
