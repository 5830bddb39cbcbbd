//! What to search: parameters with their distributions and conditions.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::Value;

use crate::distribution::Distribution;
use crate::error::{Error, Result};

mod toml;

/// A set of parameters, each perhaps only there when another has a certain value.
///
/// ```
/// use juggle_tuning::Space;
///
/// let space = Space::from_toml(
///     r#"
///     optimizer = { type = "categorical", choices = ["adam", "sgd"] }
///     learning_rate = { type = "float", low = 1e-4, high = 1e-1, log = true }
///     momentum = { type = "float", low = 0.0, high = 0.99, when = { optimizer = "sgd" } }
///     "#,
/// )?;
/// assert_eq!(space.parameters().len(), 3);
/// # Ok::<(), juggle_tuning::Error>(())
/// ```
///
/// # TOML
///
/// A table for each parameter:
///
/// | key | for `type =` | meaning |
/// |---|---|---|
/// | `low`, `high` | `"float"`, `"int"` | the bounds, both included |
/// | `log = true` | `"float"`, `"int"` | evenly in logarithms |
/// | `step` | `"float"`, `"int"` | `low`, `low + step`, … `high`; not with `log` |
/// | `choices` | `"categorical"` | booleans, numbers and texts |
/// | `when = { NAME = VALUE }` | all | there only when NAME is VALUE, or one of a list of values; several must all hold |
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Space {
    /// Each behind those that its conditions name.
    parameters: Vec<Parameter>,
}

/// One parameter of a [`Space`].
#[derive(Clone, Debug, PartialEq)]
pub struct Parameter {
    /// Its name.
    pub name: String,
    /// What it may be.
    pub distribution: Arc<Distribution>,
    /// When it is there: all must hold.
    pub when: Vec<Condition>,
    /// The internal value that it always has, where a user gave one.
    pub fixed: Option<f64>,
}

/// That another parameter is there and has one of some values.
#[derive(Clone, Debug, PartialEq)]
pub struct Condition {
    /// The other parameter.
    pub parameter: String,
    /// Its values.
    pub any_of: Vec<Value>,
}

impl Parameter {
    /// A parameter that is always there.
    #[must_use]
    pub fn new(name: &str, distribution: Distribution) -> Self {
        Self {
            name: name.to_owned(),
            distribution: Arc::new(distribution),
            when: vec![],
            fixed: None,
        }
    }

    /// The same, there only when another parameter has this value too.
    #[must_use]
    pub fn when(mut self, parameter: &str, value: impl Into<Value>) -> Self {
        self.when.push(Condition {
            parameter: parameter.to_owned(),
            any_of: vec![value.into()],
        });
        self
    }
}

impl Space {
    /// A space of these parameters, in an order in which each stands behind those that its conditions name.
    ///
    /// # Errors
    ///
    /// [`Error::Space`] when a name is there twice, a condition names no parameter or a value that it cannot have, or
    /// conditions go round in a circle.
    pub fn new(parameters: impl IntoIterator<Item = Parameter>) -> Result<Self> {
        let mut waiting: Vec<_> = parameters.into_iter().collect();
        for (index, parameter) in waiting.iter().enumerate() {
            if waiting[..index]
                .iter()
                .any(|other| other.name == parameter.name)
            {
                return Err(wrong(
                    &parameter.name,
                    "name",
                    "there twice",
                    "a name of its own",
                ));
            }
        }
        let whens: Result<Vec<_>> = waiting.iter().map(|p| spelled(&waiting, p)).collect();
        for (parameter, when) in waiting.iter_mut().zip(whens?) {
            parameter.when = when;
        }
        let mut parameters: Vec<Parameter> = vec![];
        while !waiting.is_empty() {
            let is_placed = |name: &str| parameters.iter().any(|placed| placed.name == name);
            let is_ready = |parameter: &Parameter| {
                parameter
                    .when
                    .iter()
                    .all(|condition| is_placed(&condition.parameter))
            };
            let Some(index) = waiting.iter().position(is_ready) else {
                let names: Vec<_> = waiting.iter().map(|p| p.name.as_str()).collect();
                let found = format!("part of a circle: {}", names.join(", "));
                return Err(wrong(
                    names[0],
                    "when",
                    &found,
                    "conditions that end somewhere",
                ));
            };
            parameters.push(waiting.remove(index));
        }
        Ok(Self { parameters })
    }

    /// Reads a space from TOML; the tables are described [above](Self#toml).
    ///
    /// # Errors
    ///
    /// [`Error::Toml`] when the text is not TOML; [`Error::Space`] with the parameter, the key, what was found and what
    /// was expected.
    pub fn from_toml(text: &str) -> Result<Self> {
        toml::read(text)
    }

    /// The parameters, each behind those that its conditions name.
    #[must_use]
    pub fn parameters(&self) -> &[Parameter] {
        &self.parameters
    }

    /// The same space with a parameter that always has this value when it is there.
    ///
    /// # Errors
    ///
    /// [`Error::NoSuchParameter`], and [`Error::Value`] when its distribution does not have the value.
    pub fn fix(mut self, name: &str, value: &Value) -> Result<Self> {
        let names: Vec<_> = self.parameters.iter().map(|p| p.name.as_str()).collect();
        let expected = names.join(", ");
        let Some(parameter) = self.parameters.iter_mut().find(|p| p.name == name) else {
            let parameter = name.to_owned();
            return Err(Error::NoSuchParameter {
                parameter,
                expected,
            });
        };
        let internal = parameter.distribution.internal(value);
        parameter.fixed = Some(internal.ok_or_else(|| Error::Value {
            parameter: name.to_owned(),
            found: value.to_string(),
            expected: parameter.distribution.to_json(),
        })?);
        Ok(self)
    }

    /// Gives each parameter that is there an internal value, in order.
    ///
    /// A parameter is there when its conditions hold for the values given so far.
    pub(crate) fn assign(
        &self,
        mut draw: impl FnMut(&Parameter) -> f64,
    ) -> Vec<(String, f64, Arc<Distribution>)> {
        let mut values: BTreeMap<&str, Value> = BTreeMap::new();
        let mut assigned = vec![];
        for parameter in &self.parameters {
            let holds = |condition: &Condition| {
                values
                    .get(condition.parameter.as_str())
                    .is_some_and(|value| condition.any_of.contains(value))
            };
            if parameter.when.iter().all(holds) {
                let internal = parameter.fixed.unwrap_or_else(|| draw(parameter));
                values.insert(&parameter.name, parameter.distribution.value(internal));
                let distribution = Arc::clone(&parameter.distribution);
                assigned.push((parameter.name.clone(), internal, distribution));
            }
        }
        assigned
    }
}

/// The conditions of a parameter with their values spelled as the other parameters have them: a float's 1 is 1.0.
fn spelled(all: &[Parameter], parameter: &Parameter) -> Result<Vec<Condition>> {
    let condition = |condition: &Condition| {
        let key = format!("when.{}", condition.parameter);
        let named = all.iter().find(|other| other.name == condition.parameter);
        let Some(Parameter { distribution, .. }) = named else {
            let names: Vec<_> = all.iter().map(|p| p.name.as_str()).collect();
            let expected = format!("a condition on one of {}", names.join(", "));
            return Err(wrong(
                &parameter.name,
                &key,
                "about no parameter",
                &expected,
            ));
        };
        let spell = |value: &Value| match distribution.internal(value) {
            Some(internal) => Ok(distribution.value(internal)),
            None => {
                let expected = format!("a value of {}", distribution.to_json());
                Err(wrong(&parameter.name, &key, &value.to_string(), &expected))
            }
        };
        let any_of: Result<_> = condition.any_of.iter().map(spell).collect();
        Ok(Condition {
            parameter: condition.parameter.clone(),
            any_of: any_of?,
        })
    };
    parameter.when.iter().map(condition).collect()
}

fn wrong(parameter: &str, key: &str, found: &str, expected: &str) -> Error {
    Error::Space {
        parameter: parameter.to_owned(),
        key: key.to_owned(),
        found: found.to_owned(),
        expected: expected.to_owned(),
    }
}

#[cfg(test)]
mod tests;
