//! One line of a journal: an operation with Optuna's keys, in Optuna's order.

use std::collections::BTreeMap;
use std::str;
use std::sync::Arc;
use std::time::SystemTime;

use serde_json::{Map, Value, json};

use super::super::ledger::{Attr, Operation};
use crate::distribution::Distribution;
use crate::json::{self, Spacing};
use crate::record::{AttrKind, Direction, ParamRecord, StudyId, TrialContent, TrialId, TrialState};
use crate::timestamp;

/// An operation and who wrote it.
#[derive(Debug)]
pub(super) struct Record {
    pub(super) worker_id: String,
    pub(super) operation: Operation,
}

/// What is wrong with a line.
#[derive(Debug)]
pub(super) struct Flaw {
    /// Whether a write that did not end can have left it.
    pub(super) is_torn: bool,
    pub(super) found: String,
    pub(super) expected: String,
}

/// Writes a line, its end included.
pub(super) fn write(worker_id: &str, operation: &Operation) -> String {
    let mut record = Map::new();
    let mut put = |key: &str, value: Value| record.insert(key.to_owned(), value);
    put("op_code", json!(op_code(operation)));
    put("worker_id", json!(worker_id));
    match operation {
        Operation::CreateStudy { name, directions } => {
            put("study_name", json!(name));
            let codes = directions.iter().map(|direction| match direction {
                Direction::Minimize => 1,
                Direction::Maximize => 2,
            });
            put("directions", codes.collect());
        }
        Operation::DeleteStudy { study } => {
            put("study_id", json!(study.0));
        }
        Operation::SetStudyAttr { study, attr } => {
            put("study_id", json!(study.0));
            put(attr_key(attr.kind), json!({ &attr.key: attr.value }));
        }
        Operation::CreateTrial { study, content } => {
            put("study_id", json!(study.0));
            for (key, value) in content_entries(content) {
                put(key, value);
            }
        }
        Operation::SetParam { trial, name, param } => {
            put("trial_id", json!(trial.0));
            put("param_name", json!(name));
            put("param_value_internal", json::float(param.internal));
            put("distribution", json!(param.distribution.to_json()));
        }
        Operation::SetState {
            trial,
            state,
            values,
            at,
        } => {
            put("trial_id", json!(trial.0));
            put("state", json!(state.code()));
            put("values", values.as_deref().map_or(Value::Null, floats));
            if let Some(at) = at {
                let key = if *state == TrialState::Running {
                    "datetime_start"
                } else {
                    "datetime_complete"
                };
                put(key, json!(timestamp::write_aware(*at)));
            }
        }
        Operation::SetIntermediate { trial, step, value } => {
            put("trial_id", json!(trial.0));
            put("step", json!(step));
            put("intermediate_value", json::float(*value));
        }
        Operation::SetTrialAttr { trial, attr } => {
            put("trial_id", json!(trial.0));
            put(attr_key(attr.kind), json!({ &attr.key: attr.value }));
        }
        Operation::Discard => {}
    }
    let mut line = json::write(&Value::Object(record), Spacing::Compact);
    line.push('\n');
    line
}

/// Reads a line.
pub(super) fn read(line: &[u8]) -> Result<Record, Flaw> {
    let shown = || {
        let text = String::from_utf8_lossy(line);
        let start: String = text.trim_end().chars().take(60).collect();
        format!("`{start}`")
    };
    let record = str::from_utf8(line)
        .ok()
        .and_then(|text| json::read(text).ok());
    let Some(Value::Object(record)) = record else {
        return Err(Flaw {
            is_torn: true,
            found: shown(),
            expected: "a JSON object".to_owned(),
        });
    };
    let fields = Fields(&record);
    let parsed = fields.text("worker_id").and_then(|worker_id| {
        let operation = fields.operation()?;
        let worker_id = worker_id.to_owned();
        Ok(Record {
            worker_id,
            operation,
        })
    });
    parsed.map_err(|expected| Flaw {
        is_torn: false,
        found: shown(),
        expected,
    })
}

fn op_code(operation: &Operation) -> u8 {
    match operation {
        Operation::CreateStudy { .. } => 0,
        Operation::DeleteStudy { .. } => 1,
        Operation::SetStudyAttr { attr, .. } => match attr.kind {
            AttrKind::User => 2,
            AttrKind::System => 3,
        },
        Operation::CreateTrial { .. } => 4,
        Operation::SetParam { .. } => 5,
        Operation::SetState { .. } => 6,
        Operation::SetIntermediate { .. } => 7,
        Operation::SetTrialAttr { attr, .. } => match attr.kind {
            AttrKind::User => 8,
            AttrKind::System => 9,
        },
        Operation::Discard => 10,
    }
}

fn attr_key(kind: AttrKind) -> &'static str {
    match kind {
        AttrKind::User => "user_attr",
        AttrKind::System => "system_attr",
    }
}

fn floats(values: &[f64]) -> Value {
    values.iter().copied().map(json::float).collect()
}

/// The entries of a trial that does not begin empty, those that Optuna writes from a template.
fn content_entries(content: &TrialContent) -> Vec<(&'static str, Value)> {
    let time =
        |at: Option<SystemTime>| at.map_or(Value::Null, |at| timestamp::write_aware(at).into());
    let mut entries = vec![("datetime_start", time(content.started))];
    entries.push(("state", json!(content.state.code())));
    let (value, values) = match content.values.as_slice() {
        [] => (Value::Null, Value::Null),
        [value] => (json::float(*value), Value::Null),
        values => (Value::Null, floats(values)),
    };
    entries.extend([("value", value), ("values", values)]);
    if content.completed.is_some() {
        entries.push(("datetime_complete", time(content.completed)));
    }
    let params = content.params.iter();
    let distributions: Map<_, _> = params
        .clone()
        .map(|(name, param)| (name.clone(), param.distribution.to_json().into()))
        .collect();
    let internals: Map<_, _> = params
        .map(|(name, param)| (name.clone(), json::float(param.internal)))
        .collect();
    let intermediate: Map<_, _> = content
        .intermediate
        .iter()
        .map(|(step, value)| (step.to_string(), json::float(*value)))
        .collect();
    entries.extend([
        ("distributions", distributions.into()),
        ("params", internals.into()),
        ("user_attrs", content.user_attrs.clone().into()),
        ("system_attrs", content.system_attrs.clone().into()),
        ("intermediate_values", intermediate.into()),
    ]);
    entries
}

/// The entries of a record; what is missing or of another kind is an error in words.
struct Fields<'a>(&'a Map<String, Value>);

type Parsed<T> = Result<T, String>;

impl<'a> Fields<'a> {
    fn operation(&self) -> Parsed<Operation> {
        let study = || self.int("study_id").map(StudyId);
        let trial = || self.int("trial_id").map(TrialId);
        match self.int("op_code")? {
            0 => Ok(Operation::CreateStudy {
                name: self.text("study_name")?.to_owned(),
                directions: self.directions()?,
            }),
            1 => Ok(Operation::DeleteStudy { study: study()? }),
            code @ (2 | 3) => Ok(Operation::SetStudyAttr {
                study: study()?,
                attr: self.attr(if code == 2 {
                    AttrKind::User
                } else {
                    AttrKind::System
                })?,
            }),
            4 => Ok(Operation::CreateTrial {
                study: study()?,
                content: self.content()?,
            }),
            5 => Ok(Operation::SetParam {
                trial: trial()?,
                name: self.text("param_name")?.to_owned(),
                param: ParamRecord {
                    internal: self.float("param_value_internal")?,
                    distribution: Arc::new(distribution(self.text("distribution")?)?),
                },
            }),
            6 => {
                let state = self.state()?;
                let key = match state {
                    TrialState::Running => Some("datetime_start"),
                    TrialState::Waiting => None,
                    _ => Some("datetime_complete"),
                };
                Ok(Operation::SetState {
                    trial: trial()?,
                    state,
                    values: self.values()?,
                    at: key.map_or(Ok(None), |key| self.time(key))?,
                })
            }
            7 => Ok(Operation::SetIntermediate {
                trial: trial()?,
                step: self.int("step")?,
                value: self.float("intermediate_value")?,
            }),
            code @ (8 | 9) => Ok(Operation::SetTrialAttr {
                trial: trial()?,
                attr: self.attr(if code == 8 {
                    AttrKind::User
                } else {
                    AttrKind::System
                })?,
            }),
            10 => Ok(Operation::Discard),
            _ => Err("an op_code from 0 to 10".to_owned()),
        }
    }

    fn get(&self, key: &str) -> Option<&'a Value> {
        self.0.get(key).filter(|value| !value.is_null())
    }

    fn text(&self, key: &str) -> Parsed<&'a str> {
        let text = self.get(key).and_then(Value::as_str);
        text.ok_or_else(|| format!("a text `{key}`"))
    }

    fn int(&self, key: &str) -> Parsed<i64> {
        let int = self.get(key).and_then(Value::as_i64);
        int.ok_or_else(|| format!("an integer `{key}`"))
    }

    fn float(&self, key: &str) -> Parsed<f64> {
        let float = self.get(key).and_then(json::as_float);
        float.ok_or_else(|| format!("a number `{key}`"))
    }

    /// An object, empty when it is not there.
    fn object(&self, key: &str) -> Parsed<Map<String, Value>> {
        match self.get(key) {
            None => Ok(Map::new()),
            Some(Value::Object(object)) => Ok(object.clone()),
            Some(_) => Err(format!("an object `{key}`")),
        }
    }

    fn time(&self, key: &str) -> Parsed<Option<SystemTime>> {
        match self.get(key) {
            None => Ok(None),
            Some(value) => match value.as_str().and_then(timestamp::read) {
                Some(at) => Ok(Some(at)),
                None => Err(format!("a date and time `{key}`")),
            },
        }
    }

    fn state(&self) -> Parsed<TrialState> {
        let state = self.int("state").ok().and_then(TrialState::from_code);
        state.ok_or_else(|| "a `state` from 0 to 4".to_owned())
    }

    fn directions(&self) -> Parsed<Vec<Direction>> {
        let wrong = || "`directions` of 1 and 2".to_owned();
        let codes = self.get("directions").and_then(Value::as_array);
        let read = |code: &Value| match code.as_i64() {
            Some(1) => Ok(Direction::Minimize),
            Some(2) => Ok(Direction::Maximize),
            _ => Err(wrong()),
        };
        codes.ok_or_else(wrong)?.iter().map(read).collect()
    }

    fn values(&self) -> Parsed<Option<Vec<f64>>> {
        let Some(values) = self.get("values") else {
            return Ok(None);
        };
        let floats = |values: &'a Vec<Value>| values.iter().map(json::as_float).collect();
        let floats = values.as_array().and_then(floats);
        floats
            .map(Some)
            .ok_or_else(|| "numbers in `values`".to_owned())
    }

    fn attr(&self, kind: AttrKind) -> Parsed<Attr> {
        let object = self.object(attr_key(kind))?;
        let mut entries = object.into_iter();
        match (entries.next(), entries.next()) {
            (Some((key, value)), None) => Ok(Attr { kind, key, value }),
            _ => Err(format!("one entry in `{}`", attr_key(kind))),
        }
    }

    fn content(&self) -> Parsed<TrialContent> {
        let state = match self.get("state") {
            None => TrialState::Running,
            Some(_) => self.state()?,
        };
        let value = match self.get("value") {
            None => vec![],
            Some(_) => vec![self.float("value")?],
        };
        Ok(TrialContent {
            params: self.params()?,
            values: self.values()?.unwrap_or(value),
            intermediate: self.intermediate()?,
            user_attrs: self.object("user_attrs")?,
            system_attrs: self.object("system_attrs")?,
            started: self.time("datetime_start")?,
            completed: self.time("datetime_complete")?,
            ..TrialContent::new(state)
        })
    }

    fn params(&self) -> Parsed<BTreeMap<String, ParamRecord>> {
        let distributions = self.object("distributions")?;
        let mut params = BTreeMap::new();
        for (name, internal) in self.object("params")? {
            let text = distributions.get(&name).and_then(Value::as_str);
            let text = text.ok_or_else(|| format!("a distribution of `{name}`"))?;
            let param = ParamRecord {
                internal: json::as_float(&internal).ok_or("numbers in `params`")?,
                distribution: Arc::new(distribution(text)?),
            };
            params.insert(name, param);
        }
        Ok(params)
    }

    fn intermediate(&self) -> Parsed<BTreeMap<i64, f64>> {
        let read =
            |(step, value): (String, Value)| Some((step.parse().ok()?, json::as_float(&value)?));
        let values = self.object("intermediate_values")?.into_iter().map(read);
        let values: Option<_> = values.collect();
        values.ok_or_else(|| "steps and numbers in `intermediate_values`".to_owned())
    }
}

fn distribution(text: &str) -> Parsed<Distribution> {
    Distribution::from_json(text).map_err(|(_, expected)| expected)
}
