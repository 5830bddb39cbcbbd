//! The configuration file laid over the defaults, key by key.
//!
//! Done on TOML tables, not by serde's own defaults, because the defaults differ between the kinds
//! and because an unknown key or a wrong type deserves a sentence that names the key.

use std::path::Path;

use anyhow::{Context as _, Result, anyhow, bail};
use toml::{Table, Value};

use super::{AutoencoderNetwork, ClassifierNetwork, Kind, RunConfig};

/// The defaults of `kind`, with the values of the file at `path` on top.
pub(super) fn read_over_defaults(kind: Kind, path: &Path) -> Result<RunConfig> {
    let text =
        std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    parse_over_defaults(kind, &text).with_context(|| path.display().to_string())
}

pub(super) fn parse_over_defaults(kind: Kind, text: &str) -> Result<RunConfig> {
    let file: Table = toml::from_str(text).map_err(|error| {
        let line = error
            .span()
            .map_or(1, |span| text[..span.start].matches('\n').count() + 1);
        anyhow!("line {line} is not TOML: {}", error.message())
    })?;
    if let Some(stated) = file.get("kind").and_then(Value::as_str)
        && stated != kind.to_string()
    {
        bail!("the configuration is for `juggle train {stated}`, not for `juggle train {kind}`");
    }
    let mut merged = defaults(kind)?;
    overlay(&mut merged, file, "")?;
    let network = merged["network"].clone();
    match kind {
        Kind::Classifier => network.try_into::<ClassifierNetwork>().map(drop),
        Kind::Autoencoder => network.try_into::<AutoencoderNetwork>().map(drop),
    }
    .map_err(|error| anyhow!("network: {}", one_line(&error)))?;
    merged.try_into().map_err(|error| one_line(&error))
}

/// A TOML error on one line; its own text has the key on a second one.
pub(super) fn one_line(error: &toml::de::Error) -> anyhow::Error {
    anyhow!(
        "{}",
        error
            .to_string()
            .trim()
            .lines()
            .map(str::trim)
            .collect::<Vec<_>>()
            .join(" ")
    )
}

/// The defaults as a table with every key that a file may have.
fn defaults(kind: Kind) -> Result<Table> {
    let mut table = Table::try_from(RunConfig::defaults(kind)).context("the defaults as TOML")?;
    if kind == Kind::Classifier
        && let Some(Value::Table(data)) = table.get_mut("data")
    {
        data.insert("classes".to_owned(), Value::Array(Vec::new()));
    }
    Ok(table)
}

fn overlay(base: &mut Table, file: Table, prefix: &str) -> Result<()> {
    for (key, value) in file {
        // Its keys depend on one of them: serde reads it as a whole.
        if prefix == "data." && key == "validation" {
            base.insert(key, value);
            continue;
        }
        let Some(known) = base.get_mut(&key) else {
            let keys: Vec<_> = base.keys().map(String::as_str).collect();
            bail!(
                "unknown key `{prefix}{key}` (known here: {})",
                keys.join(", ")
            );
        };
        match (known, value) {
            (Value::Table(known), Value::Table(value)) => {
                overlay(known, value, &format!("{prefix}{key}."))?;
            }
            (known @ Value::Float(_), Value::Integer(value)) => *known = Value::Float(value as f64),
            (known, value) if known.same_type(&value) => *known = value,
            (known, value) => {
                bail!(
                    "`{prefix}{key}` is {}, expected {}",
                    article(&value),
                    article(known)
                );
            }
        }
    }
    Ok(())
}

fn article(value: &Value) -> &'static str {
    match value {
        Value::String(_) => "a string",
        Value::Integer(_) => "a whole number",
        Value::Float(_) => "a number",
        Value::Boolean(_) => "true or false",
        Value::Datetime(_) => "a date",
        Value::Array(_) => "a list",
        Value::Table(_) => "a table",
    }
}
