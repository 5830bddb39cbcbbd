//! A worker of a shared study, for the interop and crash checks: asks, computes, reports, tells, a number of times.
//!
//! `worker ADDRESS STUDY TRIALS SEED [MILLISECONDS]` runs so many trials of that many milliseconds each, prints the number of
//! each trial that it completed, and ends. With `show` in place of TRIALS it prints the study's trials as JSON lines.

use std::error::Error;
use std::io::{self, Write as _};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use juggle_tuning::{
    JournalStorage, LockKind, LockOptions, Pruner, Sampler, Space, Storage, Study, StudyOptions,
    TpeOptions, open,
};

const SPACE: &str = r#"
x = { type = "float", low = -5.0, high = 5.0 }
k = { type = "int", low = 1, high = 64, log = true }
kind = { type = "categorical", choices = ["plain", "bent"] }
bend = { type = "float", low = 0.001, high = 1.0, log = true, when = { kind = "bent" } }
"#;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [address, name, n_trials, seed, rest @ ..] = arguments.as_slice() else {
        return Err("expected ADDRESS STUDY TRIALS SEED [MILLISECONDS]".into());
    };
    let storage = storage(address)?;
    let options = StudyOptions {
        sampler: Sampler::Tpe(TpeOptions::default()),
        pruner: Pruner::None,
        seed: seed.parse()?,
        ..StudyOptions::new(Space::from_toml(SPACE)?)
    };
    let study = Study::open(storage, name, options)?;
    if n_trials == "show" {
        return show(&study);
    }
    let pause = Duration::from_millis(rest.first().map_or(Ok(0), |text| text.parse())?);
    for _ in 0..n_trials.parse()? {
        let trial = study.ask()?.ok_or("the sampler has no end")?;
        let x = trial.float("x")?;
        let k = trial.int("k")?;
        let bend = match trial.text("kind")? {
            "bent" => trial.float("bend")?,
            _ => 0.0,
        };
        let loss = (x - 1.0).powi(2) + (k as f64).log2() / 10.0 + bend;
        for step in 0..3 {
            thread::sleep(pause / 3);
            trial.report(step, loss + 1.0 / (step + 1) as f64)?;
        }
        trial.set_user_attr("worker", "rust")?;
        trial.set_user_attr("pid", std::process::id())?;
        let number = trial.number();
        trial.complete(loss)?;
        // Printed after the trial is safe: whoever kills this worker may rely on it.
        say(&number.to_string())?;
    }
    Ok(())
}

/// Beside what [`open`] knows, `journal-open:SECONDS:PATH`: the lock for file systems without links, with this grace period.
fn storage(address: &str) -> Result<Arc<dyn Storage>, Box<dyn Error>> {
    let Some(rest) = address.strip_prefix("journal-open:") else {
        return Ok(open(address)?);
    };
    let (seconds, path) = rest.split_once(':').ok_or("expected SECONDS:PATH")?;
    let lock = LockOptions {
        kind: LockKind::Open,
        grace_period: Duration::from_secs(seconds.parse()?),
    };
    Ok(Arc::new(JournalStorage::open_with(path, lock)?))
}

fn show(study: &Study) -> Result<(), Box<dyn Error>> {
    for trial in study.trials()? {
        let content = &trial.content;
        let params: serde_json::Map<_, _> = content
            .params
            .iter()
            .map(|(name, param)| (name.clone(), param.value()))
            .collect();
        say(&serde_json::json!({
            "number": trial.number,
            "state": content.state.to_string(),
            "values": content.values,
            "params": params,
            "intermediate": content.intermediate,
            "user_attrs": content.user_attrs,
        })
        .to_string())?;
    }
    Ok(())
}

/// Prints a line at once, whatever the output is.
fn say(line: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    writeln!(out, "{line}")?;
    out.flush()
}
