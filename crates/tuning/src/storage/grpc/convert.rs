//! Records to messages and back.

use std::collections::HashMap;
use std::sync::Arc;

use serde_json::{Map, Value};

use super::messages;
use crate::distribution::Distribution;
use crate::json::{self, Spacing};
use crate::record::{
    Direction, ParamRecord, StudyId, StudyRecord, TrialContent, TrialId, TrialRecord, TrialState,
};
use crate::timestamp;

/// What a message holds that no record can be made of: found, expected.
pub(super) type Flaw = (String, String);

pub(super) fn direction_code(direction: Direction) -> i32 {
    match direction {
        Direction::Minimize => 0,
        Direction::Maximize => 1,
    }
}

pub(super) fn study(message: messages::Study) -> Result<StudyRecord, Flaw> {
    let direction = |&code: &i32| match code {
        0 => Direction::Minimize,
        _ => Direction::Maximize,
    };
    Ok(StudyRecord {
        id: StudyId(message.study_id),
        name: message.study_name,
        directions: message.directions.iter().map(direction).collect(),
        user_attrs: read_attrs(message.user_attributes)?,
        system_attrs: read_attrs(message.system_attributes)?,
    })
}

pub(super) fn trial(message: messages::Trial) -> Result<TrialRecord, Flaw> {
    let wrong = |found: String, expected: &str| (found, expected.to_owned());
    let state = TrialState::from_code(i64::from(message.state))
        .ok_or_else(|| wrong(format!("the state {}", message.state), "0 to 4"))?;
    let number = u64::try_from(message.number)
        .map_err(|_| wrong(format!("the trial number {}", message.number), "0 or more"))?;
    let time = |text: &str| match text {
        "" => Ok(None),
        _ => match timestamp::read(text) {
            Some(at) => Ok(Some(at)),
            None => Err(wrong(format!("the time `{text}`"), "a date and a time")),
        },
    };
    let param = |(name, internal): (String, f64)| {
        let text = message.distributions.get(&name);
        let text = text.ok_or_else(|| wrong(format!("`{name}`"), "a distribution with it"))?;
        let distribution = Arc::new(Distribution::from_json(text)?);
        let param = ParamRecord {
            internal,
            distribution,
        };
        Ok((name, param))
    };
    let params: Result<_, Flaw> = message.params.into_iter().map(param).collect();
    let content = TrialContent {
        state,
        params: params?,
        values: message.values,
        intermediate: message.intermediate_values.into_iter().collect(),
        user_attrs: read_attrs(message.user_attributes)?,
        system_attrs: read_attrs(message.system_attributes)?,
        started: time(&message.datetime_start)?,
        completed: time(&message.datetime_complete)?,
    };
    Ok(TrialRecord {
        id: TrialId(message.trial_id),
        number,
        content,
    })
}

/// A trial that begins with this content.
pub(super) fn template(content: &TrialContent) -> messages::Trial {
    let time = |at: Option<_>| at.map(timestamp::write_local).unwrap_or_default();
    let params = || content.params.iter();
    messages::Trial {
        trial_id: 0,
        number: 0,
        state: i32::from(content.state.code()),
        values: content.values.clone(),
        datetime_start: time(content.started),
        datetime_complete: time(content.completed),
        params: params()
            .map(|(name, param)| (name.clone(), param.internal))
            .collect(),
        distributions: params()
            .map(|(name, param)| (name.clone(), param.distribution.to_json()))
            .collect(),
        user_attributes: write_attrs(&content.user_attrs),
        system_attributes: write_attrs(&content.system_attrs),
        intermediate_values: content.intermediate.clone().into_iter().collect(),
    }
}

pub(super) fn write_attr(value: &Value) -> String {
    json::write(value, Spacing::Spaced)
}

fn write_attrs(attrs: &Map<String, Value>) -> HashMap<String, String> {
    let write = |(key, value): (&String, &Value)| (key.clone(), write_attr(value));
    attrs.iter().map(write).collect()
}

fn read_attrs(attrs: HashMap<String, String>) -> Result<Map<String, Value>, Flaw> {
    let read = |(key, text): (String, String)| match json::read(&text) {
        Ok(value) => Ok((key, value)),
        Err(_) => Err((format!("`{text}` for `{key}`"), "JSON".to_owned())),
    };
    attrs.into_iter().map(read).collect()
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, UNIX_EPOCH};

    use serde_json::json;

    use super::*;

    #[test]
    fn a_trial_survives_its_message() {
        let mut content = TrialContent::new(TrialState::Running);
        content.started = Some(UNIX_EPOCH + Duration::from_micros(1_795_622_692_654_321));
        let distribution = Arc::new(Distribution::categorical(["a", "b"]).unwrap());
        let param = ParamRecord {
            internal: 1.0,
            distribution,
        };
        content.params.insert("x".to_owned(), param);
        content.intermediate.insert(3, 0.5);
        content.values = vec![1.5];
        content
            .user_attrs
            .insert("deep".to_owned(), json!({"er": [1, null]}));
        let back = trial(template(&content)).unwrap();
        assert_eq!(back.content, content);
    }

    #[test]
    fn what_is_no_trial_is_refused() {
        let content = TrialContent::new(TrialState::Waiting);
        let mut states = template(&content);
        states.state = 9;
        let mut times = template(&content);
        times.datetime_start = "noon".to_owned();
        let mut params = template(&content);
        params.params.insert("x".to_owned(), 1.0);
        let mut attrs = template(&content);
        attrs.user_attributes.insert("a".to_owned(), "{".to_owned());
        for message in [states, times, params, attrs] {
            assert!(trial(message).is_err());
        }
    }
}
