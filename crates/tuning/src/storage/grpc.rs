//! `grpc://HOST:PORT`, Optuna's storage proxy: a server in Python in front of a database, the way to many machines.
//!
//! `optuna.storages.run_grpc_proxy_server` is the server; this is a client of its `StorageService`. A call that was not
//! answered because the server is away is tried again for half a minute, unless trying again could do it twice: a
//! trial is created or taken once.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use prost::Message;
use serde_json::Value;
use tokio::runtime::Runtime;
use tonic::codegen::http::uri::PathAndQuery;
use tonic::transport::{Channel, Endpoint};
use tonic::{Code, Request, Status};
use tonic_prost::ProstCodec;

use self::messages::{
    CreateNewStudyRequest, CreateNewTrialRequest, Empty, GetAllStudiesReply, GetTrialReply,
    GetTrialsReply, GetTrialsRequest, SetAttributeRequest, SetTrialIntermediateValueRequest,
    SetTrialParameterRequest, SetTrialStateValuesReply, SetTrialStateValuesRequest, StudyNumber,
    TrialNumber,
};
use self::seen::Seen;
use super::Storage;
use crate::distribution::Distribution;
use crate::error::{Error, Result};
use crate::record::{
    AttrKind, Direction, StudyId, StudyRecord, TrialContent, TrialId, TrialRecord, TrialState,
};

mod convert;
mod messages;
mod seen;

const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
const CALL_TIMEOUT: Duration = Duration::from_secs(60);
const RETRY_FOR: Duration = Duration::from_secs(30);

/// Studies behind a storage proxy.
#[derive(Debug)]
pub struct GrpcStorage {
    address: String,
    runtime: Runtime,
    channel: Channel,
    seen: Mutex<BTreeMap<StudyId, Seen>>,
}

/// Whether a call may be made again when nobody answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Again {
    May,
    MustNot,
}

impl GrpcStorage {
    /// Connects to a proxy at `HOST:PORT`.
    ///
    /// # Errors
    ///
    /// [`Error::Address`] when that is none; [`Error::Proxy`] when nobody answers.
    pub fn connect(place: &str) -> Result<Self> {
        let address = format!("grpc://{place}");
        let port = place.rsplit_once(':').map(|(_, port)| port.parse::<u16>());
        let endpoint = match Endpoint::from_shared(format!("http://{place}")) {
            Ok(endpoint) if matches!(port, Some(Ok(_))) => endpoint,
            _ => return Err(Error::Address { found: address }),
        };
        let endpoint = endpoint
            .connect_timeout(CONNECT_TIMEOUT)
            .timeout(CALL_TIMEOUT)
            .tcp_nodelay(true);
        let failed = |message: String| Error::Proxy {
            address: address.clone(),
            call: "connect",
            message,
        };
        // All calls wait for their answer, so one thread, the caller's own, does.
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|error| failed(error.to_string()))?;
        let connected = runtime.block_on(endpoint.connect());
        let channel = connected.map_err(|error| failed(with_sources(&error)))?;
        Ok(Self {
            address,
            runtime,
            channel,
            seen: Mutex::default(),
        })
    }

    /// Calls a procedure; an answer that is no answer comes back with the procedure's name.
    fn call<Q, A>(&self, procedure: &'static str, again: Again, request: &Q) -> Result<A, Refusal>
    where
        Q: Message + Clone + Send + Sync + 'static,
        A: Message + Default + Send + Sync + 'static,
    {
        let path = format!("/optuna.StorageService/{procedure}");
        let path = PathAndQuery::try_from(path).expect("a procedure's name is a path");
        let started = Instant::now();
        let mut pause = Duration::from_millis(50);
        loop {
            let answer = self.runtime.block_on(async {
                let mut client = tonic::client::Grpc::new(self.channel.clone())
                    .max_decoding_message_size(usize::MAX);
                let ready = client.ready().await;
                ready.map_err(|error| Status::unavailable(with_sources(&error)))?;
                let codec = ProstCodec::<Q, A>::default();
                let request = Request::new(request.clone());
                client.unary(request, path.clone(), codec).await
            });
            match answer {
                Ok(answer) => return Ok(answer.into_inner()),
                Err(status)
                    if status.code() == Code::Unavailable
                        && again == Again::May
                        && started.elapsed() < RETRY_FOR =>
                {
                    std::thread::sleep(pause);
                    pause = (pause * 2).min(Duration::from_secs(2));
                }
                Err(status) => {
                    return Err(Refusal {
                        procedure,
                        status,
                        has_repeated: pause > Duration::from_millis(50),
                    });
                }
            }
        }
    }

    fn failed(&self, refusal: &Refusal) -> Error {
        Error::Proxy {
            address: self.address.clone(),
            call: refusal.procedure,
            message: format!("{}: {}", refusal.status.code(), refusal.status.message()),
        }
    }

    fn of_study(&self, study: StudyId) -> impl Fn(Refusal) -> Error {
        move |refusal| match refusal.status.code() {
            Code::NotFound => Error::NoSuchStudy {
                study: format!("with the storage's number {study}"),
            },
            _ => self.failed(&refusal),
        }
    }

    fn of_trial(&self, trial: TrialId) -> impl Fn(Refusal) -> Error {
        move |refusal| match refusal.status.code() {
            Code::NotFound => Error::NoSuchTrial { id: trial.0 },
            Code::FailedPrecondition => match self.trial(trial) {
                Ok(record) => Error::TrialFinished {
                    number: record.number,
                },
                Err(error) => error,
            },
            _ => self.failed(&refusal),
        }
    }

    fn unreadable(&self, (found, expected): convert::Flaw) -> Error {
        Error::ProxyRecord {
            address: self.address.clone(),
            found,
            expected,
        }
    }
}

/// An answer that is none.
#[derive(Debug)]
struct Refusal {
    procedure: &'static str,
    status: Status,
    /// Whether an earlier try may have done what was asked.
    has_repeated: bool,
}

impl Storage for GrpcStorage {
    fn create_study(&self, name: &str, directions: &[Direction]) -> Result<StudyId> {
        let request = CreateNewStudyRequest {
            directions: directions
                .iter()
                .copied()
                .map(convert::direction_code)
                .collect(),
            study_name: name.to_owned(),
        };
        let reply = self.call("CreateNewStudy", Again::MustNot, &request);
        let reply: StudyNumber = reply.map_err(|refusal| match refusal.status.code() {
            Code::AlreadyExists => Error::StudyExists {
                name: name.to_owned(),
            },
            _ => self.failed(&refusal),
        })?;
        Ok(StudyId(reply.study_id))
    }

    fn delete_study(&self, study: StudyId) -> Result<()> {
        let request = StudyNumber { study_id: study.0 };
        let _: Empty = self
            .call("DeleteStudy", Again::MustNot, &request)
            .map_err(self.of_study(study))?;
        self.seen
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .remove(&study);
        Ok(())
    }

    fn find_study(&self, name: &str) -> Result<Option<StudyRecord>> {
        // The procedure that finds a name does not tell the directions.
        let studies = self.studies()?;
        Ok(studies.into_iter().find(|study| study.name == name))
    }

    fn studies(&self) -> Result<Vec<StudyRecord>> {
        let reply = self.call("GetAllStudies", Again::May, &Empty {});
        let reply: GetAllStudiesReply = reply.map_err(|refusal| self.failed(&refusal))?;
        let read = |study| convert::study(study).map_err(|flaw| self.unreadable(flaw));
        reply.studies.into_iter().map(read).collect()
    }

    fn set_study_attr(
        &self,
        study: StudyId,
        kind: AttrKind,
        key: &str,
        value: Value,
    ) -> Result<()> {
        let procedure = match kind {
            AttrKind::User => "SetStudyUserAttribute",
            AttrKind::System => "SetStudySystemAttribute",
        };
        let _: Empty = self
            .call(procedure, Again::May, &attribute(study.0, key, &value))
            .map_err(self.of_study(study))?;
        Ok(())
    }

    fn create_trial(&self, study: StudyId, content: &TrialContent) -> Result<TrialId> {
        let request = CreateNewTrialRequest {
            study_id: study.0,
            template_trial: Some(convert::template(content)),
            template_trial_is_none: false,
        };
        let reply: TrialNumber = self
            .call("CreateNewTrial", Again::MustNot, &request)
            .map_err(self.of_study(study))?;
        Ok(TrialId(reply.trial_id))
    }

    fn set_params(
        &self,
        trial: TrialId,
        params: &[(String, f64, Arc<Distribution>)],
    ) -> Result<()> {
        for (name, internal, distribution) in params {
            let request = SetTrialParameterRequest {
                trial_id: trial.0,
                param_name: name.clone(),
                param_value_internal: *internal,
                distribution: distribution.to_json(),
            };
            let reply = self.call("SetTrialParameter", Again::May, &request);
            let _: Empty = reply.map_err(|refusal| match refusal.status.code() {
                Code::InvalidArgument => Error::Incompatible {
                    parameter: name.clone(),
                    found: distribution.to_json(),
                    expected: refusal.status.message().to_owned(),
                },
                _ => self.of_trial(trial)(refusal),
            })?;
        }
        Ok(())
    }

    fn set_state(&self, trial: TrialId, state: TrialState, values: &[f64]) -> Result<bool> {
        let request = SetTrialStateValuesRequest {
            trial_id: trial.0,
            state: i32::from(state.code()),
            values: values.to_vec(),
        };
        let again = match state {
            TrialState::Running => Again::MustNot,
            _ => Again::May,
        };
        let reply = self.call("SetTrialStateValues", again, &request);
        match reply {
            Ok(SetTrialStateValuesReply { trial_updated }) => Ok(trial_updated),
            Err(refusal)
                if refusal.has_repeated && refusal.status.code() == Code::FailedPrecondition =>
            {
                // The first try may have ended the trial before its answer was lost.
                let content = &self.trial(trial)?.content;
                if content.state == state && content.values == values {
                    return Ok(true);
                }
                Err(self.of_trial(trial)(refusal))
            }
            Err(refusal) => Err(self.of_trial(trial)(refusal)),
        }
    }

    fn set_intermediate(&self, trial: TrialId, step: i64, value: f64) -> Result<()> {
        let request = SetTrialIntermediateValueRequest {
            trial_id: trial.0,
            step,
            intermediate_value: value,
        };
        let _: Empty = self
            .call("SetTrialIntermediateValue", Again::May, &request)
            .map_err(self.of_trial(trial))?;
        Ok(())
    }

    fn set_trial_attr(
        &self,
        trial: TrialId,
        kind: AttrKind,
        key: &str,
        value: Value,
    ) -> Result<()> {
        let procedure = match kind {
            AttrKind::User => "SetTrialUserAttribute",
            AttrKind::System => "SetTrialSystemAttribute",
        };
        let _: Empty = self
            .call(procedure, Again::May, &attribute(trial.0, key, &value))
            .map_err(self.of_trial(trial))?;
        Ok(())
    }

    fn trial(&self, trial: TrialId) -> Result<Arc<TrialRecord>> {
        let request = TrialNumber { trial_id: trial.0 };
        let reply = self.call("GetTrial", Again::May, &request);
        let reply: GetTrialReply = reply.map_err(|refusal| match refusal.status.code() {
            Code::NotFound => Error::NoSuchTrial { id: trial.0 },
            _ => self.failed(&refusal),
        })?;
        let message = reply.trial.ok_or(Error::NoSuchTrial { id: trial.0 })?;
        let record = convert::trial(message).map_err(|flaw| self.unreadable(flaw))?;
        Ok(Arc::new(record))
    }

    fn trials(&self, study: StudyId) -> Result<Vec<Arc<TrialRecord>>> {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let seen = seen.entry(study).or_default();
        let request = GetTrialsRequest {
            study_id: study.0,
            included_trial_ids: seen.unfinished().collect(),
            trial_id_greater_than: seen.horizon(),
        };
        let reply: GetTrialsReply = self
            .call("GetTrials", Again::May, &request)
            .map_err(self.of_study(study))?;
        for message in reply.trials {
            let record = convert::trial(message).map_err(|flaw| self.unreadable(flaw))?;
            seen.take(record);
        }
        Ok(seen.trials())
    }
}

fn attribute(id: i64, key: &str, value: &Value) -> SetAttributeRequest {
    SetAttributeRequest {
        id,
        key: key.to_owned(),
        value: convert::write_attr(value),
    }
}

/// An error with all that caused it.
fn with_sources(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text.push_str(&format!(": {cause}"));
        source = cause.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_address_is_refused() {
        for place in ["", "host", "a b:1", "host:port", "host:70000"] {
            let error = GrpcStorage::connect(place).unwrap_err();
            assert!(matches!(error, Error::Address { .. }), "{place}: {error}");
        }
    }
}
