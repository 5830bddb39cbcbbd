//! The messages of Optuna's `StorageService`, as `optuna/storages/_grpc/api.proto` of 4.2 to 5.0 numbers their fields.
//!
//! They are written by hand, so that building needs no protocol compiler; the interop check runs them against the real
//! server. Attributes and distributions are texts of JSON.

use std::collections::HashMap;

use prost::Message;

#[derive(Clone, PartialEq, Message)]
pub(super) struct CreateNewStudyRequest {
    /// 0 minimizes, 1 maximizes.
    #[prost(int32, repeated, tag = "1")]
    pub(super) directions: Vec<i32>,
    #[prost(string, tag = "2")]
    pub(super) study_name: String,
}

/// A study's number, as a request or a reply.
#[derive(Clone, PartialEq, Message)]
pub(super) struct StudyNumber {
    #[prost(int64, tag = "1")]
    pub(super) study_id: i64,
}

/// A trial's number, as a request or a reply.
#[derive(Clone, PartialEq, Message)]
pub(super) struct TrialNumber {
    #[prost(int64, tag = "1")]
    pub(super) trial_id: i64,
}

/// A message without fields, as a request or a reply.
#[derive(Clone, PartialEq, Message)]
pub(super) struct Empty {}

/// `SetStudy…AttributeRequest` and `SetTrial…AttributeRequest`, which have the same fields.
#[derive(Clone, PartialEq, Message)]
pub(super) struct SetAttributeRequest {
    /// Of the study or the trial.
    #[prost(int64, tag = "1")]
    pub(super) id: i64,
    #[prost(string, tag = "2")]
    pub(super) key: String,
    #[prost(string, tag = "3")]
    pub(super) value: String,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct GetAllStudiesReply {
    #[prost(message, repeated, tag = "1")]
    pub(super) studies: Vec<Study>,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct CreateNewTrialRequest {
    #[prost(int64, tag = "1")]
    pub(super) study_id: i64,
    #[prost(message, optional, tag = "2")]
    pub(super) template_trial: Option<Trial>,
    #[prost(bool, tag = "3")]
    pub(super) template_trial_is_none: bool,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct SetTrialParameterRequest {
    #[prost(int64, tag = "1")]
    pub(super) trial_id: i64,
    #[prost(string, tag = "2")]
    pub(super) param_name: String,
    #[prost(double, tag = "3")]
    pub(super) param_value_internal: f64,
    #[prost(string, tag = "4")]
    pub(super) distribution: String,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct SetTrialStateValuesRequest {
    #[prost(int64, tag = "1")]
    pub(super) trial_id: i64,
    #[prost(int32, tag = "2")]
    pub(super) state: i32,
    #[prost(double, repeated, tag = "3")]
    pub(super) values: Vec<f64>,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct SetTrialStateValuesReply {
    #[prost(bool, tag = "1")]
    pub(super) trial_updated: bool,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct SetTrialIntermediateValueRequest {
    #[prost(int64, tag = "1")]
    pub(super) trial_id: i64,
    #[prost(int64, tag = "2")]
    pub(super) step: i64,
    #[prost(double, tag = "3")]
    pub(super) intermediate_value: f64,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct GetTrialReply {
    #[prost(message, optional, tag = "1")]
    pub(super) trial: Option<Trial>,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct GetTrialsRequest {
    #[prost(int64, tag = "1")]
    pub(super) study_id: i64,
    #[prost(int64, repeated, tag = "2")]
    pub(super) included_trial_ids: Vec<i64>,
    #[prost(int64, tag = "3")]
    pub(super) trial_id_greater_than: i64,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct GetTrialsReply {
    #[prost(message, repeated, tag = "1")]
    pub(super) trials: Vec<Trial>,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct Study {
    #[prost(int64, tag = "1")]
    pub(super) study_id: i64,
    #[prost(string, tag = "2")]
    pub(super) study_name: String,
    #[prost(int32, repeated, tag = "3")]
    pub(super) directions: Vec<i32>,
    #[prost(map = "string, string", tag = "4")]
    pub(super) user_attributes: HashMap<String, String>,
    #[prost(map = "string, string", tag = "5")]
    pub(super) system_attributes: HashMap<String, String>,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct Trial {
    #[prost(int64, tag = "1")]
    pub(super) trial_id: i64,
    #[prost(int64, tag = "2")]
    pub(super) number: i64,
    /// As in a journal.
    #[prost(int32, tag = "3")]
    pub(super) state: i32,
    #[prost(double, repeated, tag = "4")]
    pub(super) values: Vec<f64>,
    /// Without an offset, in the server's zone; empty for none.
    #[prost(string, tag = "5")]
    pub(super) datetime_start: String,
    #[prost(string, tag = "6")]
    pub(super) datetime_complete: String,
    /// Internal values.
    #[prost(map = "string, double", tag = "7")]
    pub(super) params: HashMap<String, f64>,
    #[prost(map = "string, string", tag = "8")]
    pub(super) distributions: HashMap<String, String>,
    #[prost(map = "string, string", tag = "9")]
    pub(super) user_attributes: HashMap<String, String>,
    #[prost(map = "string, string", tag = "10")]
    pub(super) system_attributes: HashMap<String, String>,
    #[prost(map = "int64, double", tag = "11")]
    pub(super) intermediate_values: HashMap<i64, f64>,
}
