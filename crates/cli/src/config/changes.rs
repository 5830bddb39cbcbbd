//! What may change when a run is resumed, and what did.

use anyhow::{Context as _, Result};
use juggle_tracking::manifest;
use toml::{Table, Value};

use super::{RunConfig, ScheduleName};

/// Keys that decide how long a training goes on, on what, and what it saves, but no bit of its weights. Where the data lie
/// is one, since their content is compared.
const FREE: [&str; 6] = [
    "threads",
    "data.path",
    "training.epochs",
    "training.patience",
    "training.on_nan",
    "saving",
];

/// The keys that may not change and do, each as `key is new value, but the run has old value`; `what` stands for `run`.
pub(crate) fn differences(what: &str, run: &RunConfig, new: &RunConfig) -> Result<Vec<String>> {
    let (run, new) = (fixed(run)?, fixed(new)?);
    let text = |value: Option<&Value>| value.map_or("nothing".to_owned(), Value::to_string);
    let mut keys: Vec<_> = run.keys().chain(new.keys()).collect();
    keys.sort_unstable();
    keys.dedup();
    let differing = keys.into_iter().filter(|&key| run.get(key) != new.get(key));
    Ok(differing
        .map(|key| {
            let (old, new) = (text(run.get(key)), text(new.get(key)));
            format!("{key} is {new}, but the {what} has {old}")
        })
        .collect())
}

/// The SHA-256 of what may not change.
pub(crate) fn digest(config: &RunConfig) -> Result<String> {
    Ok(manifest::sha256(fixed(config)?.to_string().as_bytes()))
}

/// What may not change, by dotted keys.
fn fixed(config: &RunConfig) -> Result<Table> {
    let table = Table::try_from(config).context("cannot write the configuration as TOML")?;
    let mut flat = Table::new();
    flatten(table, "", &mut flat);
    // A cosine ends with the last epoch: with more of them every step before would have had another learning rate.
    let bound = config.training.schedule == ScheduleName::Cosine;
    flat.retain(|key, _| (bound && key == "training.epochs") || !is_free(key));
    Ok(flat)
}

fn is_free(key: &str) -> bool {
    FREE.iter().any(|free| {
        key == *free
            || key
                .strip_prefix(free)
                .is_some_and(|rest| rest.starts_with('.'))
    })
}

fn flatten(table: Table, prefix: &str, flat: &mut Table) {
    for (key, value) in table {
        let key = format!("{prefix}{key}");
        match value {
            Value::Table(table) => flatten(table, &format!("{key}."), flat),
            value => {
                flat.insert(key, value);
            }
        }
    }
}
