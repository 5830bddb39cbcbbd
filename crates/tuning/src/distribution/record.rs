//! Distributions as Optuna stores them: `{"name": "FloatDistribution", "attributes": {…}}`.

use serde_json::{Map, Value, json};

use super::{Distribution, FloatScale, IntScale, decimal};
use crate::json::{self, Spacing};

impl Distribution {
    /// Optuna's record of this distribution, byte for byte `optuna.distributions.distribution_to_json`.
    #[must_use]
    pub fn to_json(&self) -> String {
        let (name, attributes) = match self {
            Self::Float { low, high, scale } => {
                let step = match scale {
                    FloatScale::Step(step) => json::float(*step),
                    FloatScale::Linear | FloatScale::Log => Value::Null,
                };
                let log = *scale == FloatScale::Log;
                let attributes = json!({"step": step, "low": low, "high": high, "log": log});
                ("FloatDistribution", attributes)
            }
            Self::Int { low, high, scale } => {
                let (log, step) = match scale {
                    IntScale::Step(step) => (false, *step),
                    IntScale::Log => (true, 1),
                };
                let attributes = json!({"log": log, "step": step, "low": low, "high": high});
                ("IntDistribution", attributes)
            }
            Self::Categorical { choices } => {
                ("CategoricalDistribution", json!({ "choices": choices }))
            }
        };
        let record = json!({"name": name, "attributes": attributes});
        json::write(&record, Spacing::Spaced)
    }

    /// Reads a record of Optuna 2 to 5, the names that became deprecated in 3.0 included.
    ///
    /// A `high` that steps do not reach is lowered to the last step, as Optuna does. What is not a distribution is
    /// returned in words: found, expected.
    pub(crate) fn from_json(text: &str) -> Result<Self, (String, String)> {
        let wrong = |expected: &str| (text.to_owned(), expected.to_owned());
        let record = json::read(text).map_err(|_| wrong("a distribution in JSON"))?;
        let (name, attributes) = name_and_attributes(&record)
            .ok_or_else(|| wrong("a distribution with a name and attributes"))?;
        let distribution = read_attributes(name, attributes)
            .ok_or_else(|| wrong("a distribution of optuna 2 to 5 with its attributes"))?;
        match distribution.flaw() {
            None => Ok(distribution),
            // Optuna allows choices that are lists, with a warning, and choices that repeat.
            Some(flaw) if flaw.key == "choices" && flaw.found != "empty" => Ok(distribution),
            Some(flaw) => Err((
                format!("a distribution whose {} is {}", flaw.key, flaw.found),
                flaw.expected.to_owned(),
            )),
        }
    }
}

fn name_and_attributes(record: &Value) -> Option<(&str, &Map<String, Value>)> {
    if let Some(name) = record.get("name") {
        return Some((name.as_str()?, record.get("attributes")?.as_object()?));
    }
    // The short form that users write by hand.
    let name = match record.get("type")?.as_str()? {
        "float" => "FloatDistribution",
        "int" => "IntDistribution",
        "categorical" => "CategoricalDistribution",
        _ => return None,
    };
    Some((name, record.as_object()?))
}

fn read_attributes(name: &str, attributes: &Map<String, Value>) -> Option<Distribution> {
    if name == "CategoricalDistribution" {
        let choices = attributes.get("choices")?.as_array()?.clone();
        return Some(Distribution::Categorical { choices });
    }
    let log = match name {
        "LogUniformDistribution" | "IntLogUniformDistribution" => true,
        _ => match attributes.get("log") {
            Some(log) => log.as_bool()?,
            None => false,
        },
    };
    let step = ["step", "q"].iter().find_map(|key| attributes.get(*key));
    let step = step.filter(|step| !step.is_null());
    match name {
        "FloatDistribution"
        | "UniformDistribution"
        | "LogUniformDistribution"
        | "DiscreteUniformDistribution" => {
            let bound = |key| json::as_float(attributes.get(key)?);
            let (low, mut high) = (bound("low")?, bound("high")?);
            let scale = match step {
                Some(step) => {
                    let step = json::as_float(step)?;
                    if low < high && step > 0.0 {
                        high = decimal::last_step(low, high, step);
                    }
                    FloatScale::Step(step)
                }
                None if log => FloatScale::Log,
                None => FloatScale::Linear,
            };
            Some(Distribution::Float { low, high, scale })
        }
        "IntDistribution" | "IntUniformDistribution" | "IntLogUniformDistribution" => {
            let bound = |key| attributes.get(key)?.as_i64();
            let (low, mut high) = (bound("low")?, bound("high")?);
            let scale = if log {
                IntScale::Log
            } else {
                let step = step.map_or(Some(1), Value::as_i64)?;
                if low < high && step > 0 {
                    high = low + (high - low) / step * step;
                }
                IntScale::Step(step)
            };
            Some(Distribution::Int { low, high, scale })
        }
        _ => None,
    }
}
