//! What is searched: the usual space of each network, a file, and flags.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context as _, Result, anyhow, bail};
use juggle_dataset::ImageShape;
use juggle_tuning::{Distribution, Space};
use serde_json::Value as Json;
use toml::{Table, Value};

use super::settings::{self, Settings};
use crate::args::tune::SearchArgs;
use crate::config::{Kind, RunConfig};
use crate::failure::Usage;

/// The usual space of a classifier.
const CLASSIFIER: &str = r#"
learning_rate = { type = "float", low = 1e-4, high = 1e-2, log = true }
weight_decay = { type = "float", low = 1e-6, high = 1e-1, log = true }
optimizer = { type = "categorical", choices = ["adam", "adamw"] }
batch_norm = { type = "categorical", choices = [false, true] }
batch_size = { type = "categorical", choices = [16, 32, 64, 128] }
schedule = { type = "categorical", choices = ["constant", "cosine"] }
label_smoothing = { type = "float", low = 0.0, high = 0.2 }
ema = { type = "categorical", choices = [0.0, 0.9, 0.98] }
augment = { type = "categorical", choices = ["none", "hflip,vflip", "hflip,vflip,transpose", "hflip,vflip,transpose,shift=2,gain=0.2,zoom=0.1"] }
"#;

/// The usual space of an autoencoder.
const AUTOENCODER: &str = r#"
learning_rate = { type = "float", low = 1e-4, high = 1e-2, log = true }
weight_decay = { type = "float", low = 1e-7, high = 1e-2, log = true }
optimizer = { type = "categorical", choices = ["adam", "adamw"] }
batch_norm = { type = "categorical", choices = [false, true] }
batch_size = { type = "categorical", choices = [8, 16, 32] }
schedule = { type = "categorical", choices = ["constant", "cosine"] }
ema = { type = "categorical", choices = [0.0, 0.98, 0.995] }
augment = { type = "categorical", choices = ["none", "hflip,vflip", "hflip,vflip,transpose"] }
widths = { type = "categorical", choices = ["16,32,64", "24,48,96", "32,64,128"] }
"#;

/// A space over the settings of a configuration.
#[derive(Clone, Debug)]
pub(super) struct Search {
    pub(super) space: Space,
    /// What a trial has besides the settings that are searched.
    pub(super) base: RunConfig,
}

impl Search {
    /// What the flags ask for. `given` are the settings that have flags of their own on the command line; they are not
    /// searched.
    pub(super) fn new(
        mut base: RunConfig,
        args: &SearchArgs,
        given: &[&'static str],
        shape: ImageShape,
    ) -> Result<Self> {
        let mut settings = Settings::of(&base)?;
        let mut table = match &args.space {
            Some(file) => read(file)?,
            None if !args.only.is_empty() => Table::new(),
            None => usual(base.kind, shape)?,
        };
        let flags = [("--only", &args.only), ("--search", &args.search)];
        for (flag, range) in flags
            .iter()
            .flat_map(|(flag, ranges)| ranges.iter().map(move |range| (flag, range)))
        {
            let parsed = parse_range(&settings, range).with_context(|| format!("{flag} {range}"));
            let (name, entry) = parsed.map_err(usage)?;
            table.insert(name, entry);
        }
        for fix in &args.fix {
            let name = set(&mut settings, fix).with_context(|| format!("--fix {fix}"));
            settle(&mut table, &settings, name.map_err(usage)?)?;
        }
        for name in given {
            settle(&mut table, &settings, name)?;
        }
        base = settings.to_config().map_err(usage)?;
        if table.is_empty() {
            return Err(Usage::new("nothing is left to search: every setting is given").into());
        }
        let text = toml::to_string(&table).context("cannot write the space as TOML")?;
        let named = || match &args.space {
            Some(file) => file.display().to_string(),
            None => "the space".to_owned(),
        };
        let search = Self {
            space: Space::from_toml(&text).with_context(named)?,
            base,
        };
        search.check().with_context(named)?;
        Ok(search)
    }

    /// The configuration with these settings.
    pub(super) fn config(&self, params: &BTreeMap<String, Json>) -> Result<RunConfig> {
        configure(&self.base, params)
    }

    /// The ends of every range and every choice must be values that the settings can have: found now, not in trial 30.
    fn check(&self) -> Result<()> {
        for parameter in self.space.parameters() {
            let ends = match &*parameter.distribution {
                Distribution::Float { low, high, .. } => vec![Json::from(*low), Json::from(*high)],
                Distribution::Int { low, high, .. } => vec![Json::from(*low), Json::from(*high)],
                Distribution::Categorical { choices, .. } => choices.clone(),
            };
            for value in ends {
                self.config(&BTreeMap::from([(parameter.name.clone(), value)]))?;
            }
        }
        Ok(())
    }
}

/// A configuration with some settings changed.
pub(super) fn configure(base: &RunConfig, params: &BTreeMap<String, Json>) -> Result<RunConfig> {
    let mut settings = Settings::of(base)?;
    for (name, value) in params {
        settings.set(name, value)?;
    }
    settings.to_config()
}

fn usage(error: anyhow::Error) -> anyhow::Error {
    Usage::new(format!("{error:#}")).into()
}

fn read(file: &Path) -> Result<Table> {
    let text =
        std::fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?;
    text.parse::<Table>()
        .map_err(|error| anyhow!("{} is not TOML: {}", file.display(), error.message()))
}

fn usual(kind: Kind, shape: ImageShape) -> Result<Table> {
    let text = match kind {
        Kind::Classifier => CLASSIFIER,
        Kind::Autoencoder => AUTOENCODER,
    };
    let mut table: Table = text.parse().context("the usual space")?;
    if shape.height != shape.width
        && let Some(Value::Array(choices)) = table
            .get_mut("augment")
            .and_then(|augment| augment.get_mut("choices"))
    {
        choices.retain(|choice| {
            !choice
                .as_str()
                .is_some_and(|text| text.contains("transpose"))
        });
    }
    Ok(table)
}

/// Takes a setting whose value is known out of the space, and the conditions on it out of the others.
fn settle(table: &mut Table, settings: &Settings, name: &str) -> Result<()> {
    table.remove(name);
    let value = settings.get(name)?;
    let mut gone = vec![];
    for (other, entry) in table.iter_mut() {
        let Some(Value::Table(when)) = entry.get_mut("when") else {
            continue;
        };
        let Some(condition) = when.remove(name) else {
            continue;
        };
        let holds = match &condition {
            Value::Array(any_of) => any_of.contains(value),
            one => one == value,
        };
        if !holds {
            gone.push(other.clone());
        }
    }
    for name in gone {
        settle(table, settings, &name)?;
    }
    Ok(())
}

/// Gives the setting in `NAME=VALUE` the value, which must be in its range; its name.
fn set<'a>(settings: &mut Settings, fix: &'a str) -> Result<&'a str> {
    let (name, value) = split(fix, "NAME=VALUE")?;
    let value = settings::parse(settings.get(name)?, value)?;
    settings.set(name, &value)?;
    settings.to_config()?;
    Ok(name)
}

fn split<'a>(text: &'a str, expected: &str) -> Result<(&'a str, &'a str)> {
    match text.split_once('=') {
        Some((name, value)) if !name.is_empty() => Ok((name.trim(), value.trim())),
        _ => bail!("expected {expected}"),
    }
}

/// `NAME=LOW..HIGH`, with `:log` or `:step=X` behind it, or `NAME=A,B,C`.
fn parse_range(settings: &Settings, text: &str) -> Result<(String, Value)> {
    let (name, range) = split(text, "NAME=RANGE")?;
    let known = settings.get(name)?;
    let mut entry = Table::new();
    let mut put = |key: &str, value: Value| entry.insert(key.to_owned(), value);
    let number = |text: &str| -> Result<Value> {
        let value = settings::parse(known, text).with_context(|| format!("in `{range}`"))?;
        Value::try_from(value).context("a number as TOML")
    };
    match (range.split_once(".."), known) {
        (Some((low, rest)), Value::Float(_) | Value::Integer(_)) => {
            let (high, scale) = rest.split_once(':').unwrap_or((rest, ""));
            let kind = if known.is_float() { "float" } else { "int" };
            put("type", kind.into());
            put("low", number(low)?);
            put("high", number(high)?);
            match scale.split_once('=') {
                None if scale.is_empty() => None,
                None if scale == "log" => put("log", true.into()),
                Some(("step", step)) => put("step", number(step)?),
                _ => bail!("`{range}` ends with `:{scale}`, expected :log or :step=X"),
            };
        }
        _ => {
            let separator = if range.contains(';') { ';' } else { ',' };
            let choices: Result<Vec<_>> = range.split(separator).map(number).collect();
            put("type", "categorical".into());
            put("choices", Value::Array(choices?));
        }
    }
    Ok((name.to_owned(), Value::Table(entry)))
}

#[cfg(test)]
mod tests;
