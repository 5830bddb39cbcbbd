//! Which folders are runs, and what is in them.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use juggle_tracking::run::{CONFIG, EVENTS, METRICS};
use juggle_tracking::{Epoch, Events, History, RunLock, Settings, Signs, read_events, settings};
use serde_json::{Value, json};

use crate::config::RunConfig;
use crate::output::Messages;

/// A run as its folder tells it. The configuration may be one of another version, so its keys are taken as they come.
#[derive(Debug)]
pub(super) struct Run {
    /// The folder, as it was named.
    pub(super) name: String,
    pub(super) kind: String,
    pub(super) config: Value,
    pub(super) settings: Settings,
    pub(super) events: Events,
    pub(super) history: History,
    /// The final metrics, once the run is finished.
    pub(super) metrics: Option<Value>,
    /// Why the events could not be read.
    pub(super) unreadable: Option<String>,
}

/// Reads the runs that the arguments name. What is wrong with one run is told, and the others are read all the same.
pub(super) fn read_all(arguments: &[PathBuf], messages: Messages) -> Result<Vec<Run>> {
    let mut runs = vec![];
    for path in find(arguments)? {
        let run = Run::read(&path)?;
        if let Some(reason) = &run.unreadable {
            messages.error("warning", reason);
        }
        runs.push(run);
    }
    Ok(runs)
}

impl Run {
    /// Reads one folder; where its events are unreadable, the rest.
    pub(super) fn read(path: &Path) -> Result<Self> {
        let file = path.join(CONFIG);
        if !RunConfig::is_at(&file) {
            if let Ok([first, ..]) = runs_inside(path).as_deref() {
                bail!(
                    "{} holds run folders and is none itself: name one of them, such as {}",
                    path.display(),
                    first.display()
                );
            }
            bail!("{}", no_run(path));
        }
        let text = std::fs::read_to_string(&file);
        let text = text.with_context(|| format!("cannot read {}", file.display()))?;
        let table: toml::Table = toml::from_str(&text)?;
        let config = serde_json::to_value(table).context("the configuration as JSON")?;
        let metrics = path.join(METRICS);
        let metrics = match std::fs::read(&metrics) {
            Ok(bytes) => serde_json::from_slice(&bytes)
                .with_context(|| format!("{} is not JSON", metrics.display()))?,
            Err(_) => None,
        };
        let (events, unreadable) = match events(path) {
            Ok(events) => (events, None),
            Err(error) => (Events::default(), Some(format!("{error:#}"))),
        };
        let signs = Signs {
            is_locked: RunLock::is_held(path),
            has_metrics: metrics.is_some(),
        };
        Ok(Self {
            name: path.display().to_string(),
            kind: config["kind"].as_str().unwrap_or("?").to_owned(),
            settings: settings(&config),
            config,
            history: History::of(&events, signs),
            events,
            metrics,
            unreadable,
        })
    }

    pub(super) fn status(&self) -> String {
        if self.unreadable.is_some() {
            "unreadable".to_owned()
        } else {
            self.history.status.to_string()
        }
    }

    /// What `--json` prints of a run.
    pub(super) fn to_json(&self) -> Value {
        let history = &self.history;
        let epoch = |epoch: &Option<Epoch>| {
            epoch.as_ref().map(|epoch| {
                json!({
                    "epoch": epoch.epoch,
                    "step": epoch.step,
                    "train": epoch.train,
                    "val": epoch.val,
                })
            })
        };
        let mut document = json!({
            "run": self.name,
            "kind": self.kind,
            "status": self.status(),
            "best": epoch(&history.best),
            "last": epoch(&history.last),
            "epochs": history.n_epochs,
            "planned_epochs": history.planned_epochs,
            "steps": history.n_steps,
            "resumptions": history.n_resumptions,
            "started_unix_s": history.started_unix_s,
            "elapsed_s": history.elapsed_s,
            "metrics": self.metrics,
            "config": self.config,
        });
        if let Some(reason) = &self.unreadable {
            document["error"] = json!(reason);
        }
        document
    }
}

/// The run folders that the arguments name, each once, `run-2` before `run-10`.
fn find(arguments: &[PathBuf]) -> Result<Vec<PathBuf>> {
    let mut found = vec![];
    for path in arguments {
        let inside = if RunConfig::is_at(&path.join(CONFIG)) {
            vec![path.clone()]
        } else {
            runs_inside(path)?
        };
        found.extend(
            inside
                .into_iter()
                .filter(|run| !found.contains(run))
                .collect::<Vec<_>>(),
        );
    }
    Ok(found)
}

fn runs_inside(path: &Path) -> Result<Vec<PathBuf>> {
    if !path.is_dir() {
        bail!("{}", no_run(path));
    }
    let entries =
        std::fs::read_dir(path).with_context(|| format!("cannot list {}", path.display()))?;
    let mut runs = vec![];
    for entry in entries {
        let folder = entry
            .with_context(|| format!("cannot list {}", path.display()))?
            .path();
        if RunConfig::is_at(&folder.join(CONFIG)) {
            runs.push(folder);
        }
    }
    if runs.is_empty() {
        bail!("{}", no_run(path));
    }
    runs.sort_by_cached_key(|run| in_natural_order(&run.display().to_string()));
    Ok(runs)
}

/// Why a folder is no run, for what it is.
fn no_run(path: &Path) -> String {
    let shown = path.display();
    if !path.exists() {
        format!("there is no folder {shown}: name a run folder, or a folder that holds run folders")
    } else if !path.is_dir() {
        format!("{shown} is a file: expected a run folder, or a folder that holds run folders")
    } else {
        format!("{shown} is not a run folder (no {CONFIG} of a run in it), and holds none")
    }
}

fn events(run: &Path) -> Result<Events> {
    let path = run.join(EVENTS);
    if !path.exists() {
        // The configuration is written first.
        return Ok(Events::default());
    }
    Ok(read_events(&path)?)
}

/// Runs of digits count as the number that they are.
fn in_natural_order(name: &str) -> Vec<(u64, String)> {
    let mut parts = vec![];
    let mut rest = name;
    while !rest.is_empty() {
        let text = rest
            .find(|c: char| c.is_ascii_digit())
            .unwrap_or(rest.len());
        let (text, after) = rest.split_at(text);
        let digits = after
            .find(|c: char| !c.is_ascii_digit())
            .unwrap_or(after.len());
        let (digits, after) = after.split_at(digits);
        parts.push((0, text.to_owned()));
        parts.push((digits.parse().unwrap_or(u64::MAX), digits.to_owned()));
        rest = after;
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::in_natural_order;

    #[test]
    fn numbers_in_names_are_numbers() {
        let mut names = ["run-10", "run-9", "b", "run-9b", "9", "10", "run-09"];
        names.sort_by_cached_key(|name| in_natural_order(name));
        assert_eq!(
            names,
            ["9", "10", "b", "run-09", "run-9", "run-9b", "run-10"]
        );
    }
}
