//! The records of TensorBoard's HParams page. They say everything in their metadata; their values are empty.

use prost::Message as _;

use super::proto::{
    self, DATA_CLASS_UNKNOWN, DT_FLOAT, Datum, Dim, HParamInfo, HParamsData, HParamsPluginData,
    JsonKind, JsonValue, MetricInfo, MetricName, PluginData, SessionEndInfo, SessionStartInfo,
    SummaryMetadata, TensorProto, TensorShapeProto, Value,
};

const EXPERIMENT: &str = "_hparams_/experiment";
const SESSION_START: &str = "_hparams_/session_start_info";
pub(super) const SESSION_END: &str = "_hparams_/session_end_info";

/// The columns of the HParams page.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Experiment {
    /// The name of each hyper-parameter and what kind of value it has.
    pub hparams: Vec<(String, HParamKind)>,
    /// The tags of the scalars to show, each with its heading.
    pub metrics: Vec<(String, String)>,
}

/// What kind of value a hyper-parameter has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HParamKind {
    /// A word or a list.
    Text,
    /// On or off.
    Flag,
    /// Any number.
    Number,
}

/// The value of a hyper-parameter.
#[derive(Debug, Clone, PartialEq)]
pub enum HParam {
    /// A word or a list.
    Text(String),
    /// On or off.
    Flag(bool),
    /// Any number.
    Number(f64),
}

/// How a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// It did what it was asked to do.
    Finished,
    /// An error ended it.
    Failed,
}

impl HParam {
    /// What kind of value it is.
    #[must_use]
    pub fn kind(&self) -> HParamKind {
        match self {
            Self::Text(_) => HParamKind::Text,
            Self::Flag(_) => HParamKind::Flag,
            Self::Number(_) => HParamKind::Number,
        }
    }
}

pub(super) fn experiment(experiment: &Experiment) -> Value {
    let hparam_info = |(name, kind): &(String, HParamKind)| HParamInfo {
        name: name.clone(),
        data_type: match kind {
            HParamKind::Text => 1,
            HParamKind::Flag => 2,
            HParamKind::Number => 3,
        },
    };
    let metric_info = |(tag, heading): &(String, String)| MetricInfo {
        name: Some(MetricName { tag: tag.clone() }),
        display_name: heading.clone(),
    };
    let data = proto::Experiment {
        hparam_infos: experiment.hparams.iter().map(hparam_info).collect(),
        metric_infos: experiment.metrics.iter().map(metric_info).collect(),
    };
    value(EXPERIMENT, HParamsData::Experiment(data))
}

pub(super) fn session_start<'a>(
    hparams: impl IntoIterator<Item = (&'a str, HParam)>,
    start_time_secs: f64,
) -> Value {
    let json = |hparam| JsonValue {
        kind: Some(match hparam {
            HParam::Text(text) => JsonKind::String(text),
            HParam::Flag(flag) => JsonKind::Bool(flag),
            HParam::Number(number) => JsonKind::Number(number),
        }),
    };
    let data = SessionStartInfo {
        hparams: hparams
            .into_iter()
            .map(|(name, hparam)| (name.to_owned(), json(hparam)))
            .collect(),
        start_time_secs,
    };
    value(SESSION_START, HParamsData::SessionStartInfo(data))
}

pub(super) fn session_end(outcome: Outcome, end_time_secs: f64) -> Value {
    let data = SessionEndInfo {
        status: match outcome {
            Outcome::Finished => 1,
            Outcome::Failed => 2,
        },
        end_time_secs,
    };
    value(SESSION_END, HParamsData::SessionEndInfo(data))
}

fn value(tag: &str, data: HParamsData) -> Value {
    let content = HParamsPluginData { data: Some(data) }.encode_to_vec();
    Value {
        tag: tag.to_owned(),
        metadata: Some(SummaryMetadata {
            plugin_data: Some(PluginData {
                plugin_name: "hparams".to_owned(),
                content,
            }),
            data_class: DATA_CLASS_UNKNOWN,
        }),
        // The shortest value that readers take.
        value: Some(Datum::Tensor(TensorProto {
            dtype: DT_FLOAT,
            tensor_shape: Some(TensorShapeProto {
                dim: vec![Dim { size: 0 }],
            }),
            string_val: vec![],
        })),
    }
}
