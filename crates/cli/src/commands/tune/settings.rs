//! The settings of a configuration by their names: what a search may vary, read and written.

use anyhow::{Context as _, Result, anyhow, bail};
use serde_json::Value as Json;
use toml::{Table, Value};

use crate::config::{RunConfig, check};
use crate::suggest::{closest, did_you_mean};

/// The tables of the configuration that hold settings.
const TABLES: [&str; 2] = ["network", "training"];
/// Settings of them that no search may vary: how long a training goes on is the pruner's business.
const NOT_SEARCHED: [&str; 3] = ["epochs", "on_nan", "patience"];

/// The configuration as a table, and the names of its settings.
#[derive(Clone, Debug)]
pub(super) struct Settings {
    table: Table,
}

impl Settings {
    pub(super) fn of(config: &RunConfig) -> Result<Self> {
        let table = Table::try_from(config).context("cannot write the configuration as TOML")?;
        Ok(Self { table })
    }

    /// The value that a setting has.
    pub(super) fn get(&self, name: &str) -> Result<&Value> {
        let tables = TABLES
            .iter()
            .filter_map(|table| self.table[*table].as_table());
        let found = tables
            .filter(|_| !NOT_SEARCHED.contains(&name))
            .find_map(|table| table.get(name));
        found.ok_or_else(|| {
            let names = self.names();
            let offer = did_you_mean(closest(name, names.iter().copied()).map(str::to_owned));
            anyhow!(
                "there is no setting `{name}`{offer} (settings: {})",
                names.join(", ")
            )
        })
    }

    fn names(&self) -> Vec<&str> {
        let tables = TABLES
            .iter()
            .filter_map(|table| self.table[*table].as_table());
        let names = tables.flat_map(|table| table.keys().map(String::as_str));
        names.filter(|name| !NOT_SEARCHED.contains(name)).collect()
    }

    /// Gives a setting a value of the kind that it has: a text of widths is a list.
    pub(super) fn set(&mut self, name: &str, value: &Json) -> Result<()> {
        let known = self.get(name)?;
        let new = convert(known, value)
            .with_context(|| format!("the setting `{name}` cannot be {value}"))?;
        for table in TABLES {
            if let Some(Value::Table(table)) = self.table.get_mut(table)
                && let Some(known) = table.get_mut(name)
            {
                *known = new;
                return Ok(());
            }
        }
        Ok(())
    }

    /// The configuration with these settings, each within its range.
    pub(super) fn to_config(&self) -> Result<RunConfig> {
        let config = self.table.clone().try_into::<RunConfig>();
        let config = config.map_err(|error| anyhow!("{}", error.message()))?;
        check(&config)?;
        Ok(config)
    }
}

/// A value as the configuration spells one of the kind of `known`.
fn convert(known: &Value, value: &Json) -> Result<Value> {
    let found = match (known, value) {
        (Value::Float(_), Json::Number(number)) => number.as_f64().map(Value::Float),
        (Value::Integer(_), Json::Number(number)) => number.as_i64().map(Value::Integer),
        (Value::Boolean(_), Json::Bool(flag)) => Some(Value::Boolean(*flag)),
        (Value::String(_), Json::String(text)) => Some(Value::String(text.clone())),
        (Value::Array(_), Json::String(text)) => {
            let numbers = text.split(',').map(|number| number.trim().parse());
            let numbers = numbers.map(|number| number.ok().map(Value::Integer));
            numbers.collect::<Option<Vec<_>>>().map(Value::Array)
        }
        _ => None,
    };
    match found {
        Some(found) => Ok(found),
        None => bail!("expected {}", kind(known)),
    }
}

fn kind(known: &Value) -> &'static str {
    match known {
        Value::Float(_) => "a number",
        Value::Integer(_) => "a whole number",
        Value::Boolean(_) => "true or false",
        Value::Array(_) => "whole numbers with commas between, like 16,32,64",
        _ => "a text",
    }
}

/// A value from the command line, as the setting's kind has it.
pub(super) fn parse(known: &Value, text: &str) -> Result<Json> {
    let text = text.trim();
    let found = match known {
        Value::Float(_) => text
            .parse::<f64>()
            .ok()
            .filter(|x| x.is_finite())
            .map(Json::from),
        Value::Integer(_) => text.parse::<i64>().ok().map(Json::from),
        Value::Boolean(_) => text.parse::<bool>().ok().map(Json::from),
        _ => Some(Json::from(text)),
    };
    match found {
        Some(found) => Ok(found),
        None => bail!("`{text}` is not {}", kind(known)),
    }
}
