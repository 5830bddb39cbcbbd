//! A space from TOML, key by key, so that an error can name the key.

use std::sync::Arc;

use serde_json::Value;
use toml::{Table, Value as Toml};

use super::{Condition, Parameter, Space, wrong};
use crate::distribution::{Distribution, FloatScale, IntScale};
use crate::error::{Error, Result};

const KINDS: &str = "\"float\", \"int\" or \"categorical\"";

pub(super) fn read(text: &str) -> Result<Space> {
    let table: Table = text.parse().map_err(|error: toml::de::Error| Error::Toml {
        message: error.to_string().trim_end().to_owned(),
    })?;
    let parameters: Result<Vec<_>> = table
        .iter()
        .map(|(name, entry)| parameter(name, entry))
        .collect();
    Space::new(parameters?)
}

fn parameter(name: &str, entry: &Toml) -> Result<Parameter> {
    let Toml::Table(table) = entry else {
        return Err(wrong(name, "type", &shown(entry), "a table with `type`"));
    };
    let keys = Keys { name, table };
    let kind = keys
        .get("type")
        .ok_or_else(|| wrong(name, "type", "missing", KINDS))?;
    let distribution = match kind.as_str() {
        Some("float") => keys.float()?,
        Some("int") => keys.int()?,
        Some("categorical") => keys.categorical()?,
        _ => return Err(wrong(name, "type", &shown(kind), KINDS)),
    };
    if let Some(flaw) = distribution.flaw() {
        return Err(wrong(name, flaw.key, &flaw.found, flaw.expected));
    }
    Ok(Parameter {
        name: name.to_owned(),
        distribution: Arc::new(distribution),
        when: keys.conditions()?,
        fixed: None,
    })
}

/// The table of one parameter.
struct Keys<'a> {
    name: &'a str,
    table: &'a Table,
}

impl<'a> Keys<'a> {
    fn float(&self) -> Result<Distribution> {
        self.only(&["type", "low", "high", "log", "step", "when"])?;
        let number = |key| {
            let read = |value: &Toml| value.as_float().or_else(|| whole(value));
            self.read(key, read, "a number")
        };
        let required = |key| number(key)?.ok_or_else(|| self.missing(key, "a number"));
        let (low, high) = (required("low")?, required("high")?);
        let scale = match (self.is_log()?, number("step")?) {
            (true, Some(_)) => return Err(self.both()),
            (true, None) => FloatScale::Log,
            (false, Some(step)) => FloatScale::Step(step),
            (false, None) => FloatScale::Linear,
        };
        Ok(Distribution::Float { low, high, scale })
    }

    fn int(&self) -> Result<Distribution> {
        self.only(&["type", "low", "high", "log", "step", "when"])?;
        let integer = |key| self.read(key, Toml::as_integer, "an integer");
        let required = |key| integer(key)?.ok_or_else(|| self.missing(key, "an integer"));
        let (low, high) = (required("low")?, required("high")?);
        let scale = match (self.is_log()?, integer("step")?) {
            (true, Some(_)) => return Err(self.both()),
            (true, None) => IntScale::Log,
            (false, step) => IntScale::Step(step.unwrap_or(1)),
        };
        Ok(Distribution::Int { low, high, scale })
    }

    fn categorical(&self) -> Result<Distribution> {
        self.only(&["type", "choices", "when"])?;
        let expected = "a list of booleans, numbers and texts";
        let choices = self
            .get("choices")
            .ok_or_else(|| self.missing("choices", expected))?;
        let list = choices
            .as_array()
            .ok_or_else(|| self.wrong("choices", choices, expected))?;
        let read = |choice| json(choice).ok_or_else(|| self.wrong("choices", choice, expected));
        let choices: Result<_> = list.iter().map(read).collect();
        Ok(Distribution::Categorical { choices: choices? })
    }

    fn conditions(&self) -> Result<Vec<Condition>> {
        let Some(when) = self.get("when") else {
            return Ok(vec![]);
        };
        let expected = "a table of names and values";
        let when = when
            .as_table()
            .ok_or_else(|| self.wrong("when", when, expected))?;
        let condition = |(parameter, value): (&String, &'a Toml)| {
            let values = match value {
                Toml::Array(values) => values.iter().collect(),
                other => vec![other],
            };
            let key = format!("when.{parameter}");
            let read = |value| {
                json(value).ok_or_else(|| self.wrong(&key, value, "booleans, numbers and texts"))
            };
            let any_of: Result<Vec<_>> = values.into_iter().map(read).collect();
            let (parameter, any_of) = (parameter.clone(), any_of?);
            Ok(Condition { parameter, any_of })
        };
        when.iter().map(condition).collect()
    }

    fn is_log(&self) -> Result<bool> {
        let log = self.read("log", Toml::as_bool, "true or false")?;
        Ok(log.unwrap_or(false))
    }

    /// Refuses keys that mean nothing here, which are mostly misspelt.
    fn only(&self, known: &[&str]) -> Result<()> {
        match self.table.keys().find(|key| !known.contains(&key.as_str())) {
            None => Ok(()),
            Some(key) => {
                let expected = format!("only {}", known.join(", "));
                Err(wrong(self.name, key, "unknown", &expected))
            }
        }
    }

    fn get(&self, key: &str) -> Option<&'a Toml> {
        self.table.get(key)
    }

    fn read<T>(
        &self,
        key: &str,
        read: impl Fn(&'a Toml) -> Option<T>,
        expected: &str,
    ) -> Result<Option<T>> {
        let Some(value) = self.get(key) else {
            return Ok(None);
        };
        let read = read(value).ok_or_else(|| self.wrong(key, value, expected))?;
        Ok(Some(read))
    }

    fn wrong(&self, key: &str, found: &Toml, expected: &str) -> Error {
        wrong(self.name, key, &shown(found), expected)
    }

    fn missing(&self, key: &str, expected: &str) -> Error {
        wrong(self.name, key, "missing", expected)
    }

    fn both(&self) -> Error {
        wrong(self.name, "step", "there beside log = true", "one of them")
    }
}

#[expect(
    clippy::cast_precision_loss,
    reason = "who writes an integer of more than 53 bits for a float wants the nearest"
)]
fn whole(value: &Toml) -> Option<f64> {
    Some(value.as_integer()? as f64)
}

fn json(value: &Toml) -> Option<Value> {
    match value {
        Toml::Boolean(flag) => Some(Value::from(*flag)),
        Toml::Integer(number) => Some(Value::from(*number)),
        Toml::Float(number) if number.is_finite() => Some(Value::from(*number)),
        Toml::String(text) => Some(Value::from(text.as_str())),
        _ => None,
    }
}

fn shown(value: &Toml) -> String {
    match value {
        Toml::String(text) => format!("the text \"{text}\""),
        Toml::Table(_) => "a table".to_owned(),
        Toml::Array(_) => "a list".to_owned(),
        other => other.to_string(),
    }
}
