//! Who runs a trial, and whether they still live.
//!
//! Neither a journal nor the storage proxy has Optuna's heartbeat, which is a table of its databases. So a worker
//! writes into each of its trials
//! - `juggle:worker`: its machine, process, when that process began, and when it took the trial. A worker on the same machine
//!   sees at once whether the process is still there;
//! - `juggle:claim:NAME`: the same, into a waiting trial before it is taken, so that a worker that dies before it has signed is
//!   known; taken back (null) by those who come too late;
//! - `juggle:beat`: the time, again and again. Seen from another machine, a trial whose last beat is old is a dead worker's.
//!
//! A trial without `juggle:worker` is another program's, and nobody here can tell whether that program lives.

use std::collections::hash_map::RandomState;
use std::fs;
use std::hash::BuildHasher as _;
use std::time::{Duration, SystemTime};

use serde_json::{Map, Value, json};

use crate::json;

pub(crate) const WORKER_KEY: &str = "juggle:worker";
pub(crate) const CLAIM_PREFIX: &str = "juggle:claim:";
pub(crate) const BEAT_KEY: &str = "juggle:beat";

/// A process on a machine.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Identity {
    host: String,
    /// Tells machines, their restarts and their containers apart where host names do not; empty where unknown.
    machine: String,
    pid: u32,
    /// When the process began, in the system's ticks, so that a later process of the same number is another.
    began: u64,
}

impl Identity {
    /// This process.
    pub(crate) fn here() -> Self {
        let pid = std::process::id();
        Self {
            host: gethostname::gethostname().to_string_lossy().into_owned(),
            machine: machine().unwrap_or_default(),
            pid,
            began: process_began(pid).unwrap_or(0),
        }
    }

    /// The value of [`WORKER_KEY`] in a trial that is taken now.
    pub(crate) fn to_value(&self) -> Value {
        json!({
            "host": self.host,
            "machine": self.machine,
            "pid": self.pid,
            "began": self.began,
            "at": beat(),
        })
    }

    fn from_value(value: &Value) -> Option<Self> {
        Some(Self {
            host: value.get("host")?.as_str()?.to_owned(),
            machine: value.get("machine")?.as_str()?.to_owned(),
            pid: u32::try_from(value.get("pid")?.as_u64()?).ok()?,
            began: value.get("began")?.as_u64()?,
        })
    }
}

/// The value of a beat now.
pub(crate) fn beat() -> Value {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    json::float(since.map_or(0.0, |since| since.as_secs_f64().round()))
}

/// Whether the worker of a running trial is dead, as seen from a process: the one who signed it or, before anyone has, all
/// who have claimed it.
pub(crate) fn is_dead(attrs: &Map<String, Value>, here: &Identity, patience: Duration) -> bool {
    let claims = || {
        let claims = attrs
            .iter()
            .filter(|(key, _)| key.starts_with(CLAIM_PREFIX));
        claims
            .map(|(_, claim)| claim)
            .filter(|claim| !claim.is_null())
    };
    let signatures: Vec<&Value> = match attrs.get(WORKER_KEY) {
        Some(signature) => vec![signature],
        None => claims().collect(),
    };
    let beat = attrs.get(BEAT_KEY);
    let has_ended = |signature: &&Value| has_ended(signature, beat, here, patience);
    !signatures.is_empty() && signatures.iter().all(has_ended)
}

fn has_ended(
    signature: &Value,
    beat_value: Option<&Value>,
    here: &Identity,
    patience: Duration,
) -> bool {
    let Some(worker) = Identity::from_value(signature) else {
        return false;
    };
    if !here.machine.is_empty() && worker.machine == here.machine {
        return process_began(worker.pid) != Some(worker.began);
    }
    let beats = [beat_value, signature.get("at")];
    let last = beats.into_iter().flatten().filter_map(json::as_float);
    let now = json::as_float(&beat());
    last.reduce(f64::max)
        .zip(now)
        .is_some_and(|(last, now)| now - last > patience.as_secs_f64())
}

/// A name that no other process, thread or call makes: two numbers of the system's randomness.
pub(crate) fn unique_name() -> String {
    // Every `RandomState` has keys of its own, of which the first come from the system.
    let [high, low] = [0, 1].map(|salt| RandomState::new().hash_one((salt, std::process::id())));
    format!("{high:016x}{low:016x}")
}

/// What a process number means something in: a boot of a machine and a namespace of its processes.
fn machine() -> Option<String> {
    let boot = fs::read_to_string("/proc/sys/kernel/random/boot_id").ok()?;
    let namespace = fs::read_link("/proc/self/ns/pid").ok()?;
    Some(format!("{} {}", boot.trim(), namespace.display()))
}

/// The 22nd field of `/proc/PID/stat`; nothing for a process that has ended.
fn process_began(pid: u32) -> Option<u64> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The second field, the program's name, is in brackets and may hold anything.
    let (_, fields) = stat.rsplit_once(") ")?;
    let mut fields = fields.split(' ');
    let state = fields.next()?;
    let began = fields.nth(18)?.parse().ok()?;
    // A zombie has ended, its parent has only not looked yet.
    (!matches!(state, "Z" | "X")).then_some(began)
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;

    const PATIENCE: Duration = Duration::from_secs(300);

    fn attrs(worker: &Identity, beat: f64) -> Map<String, Value> {
        let mut signature = worker.to_value();
        signature["at"] = json!(beat - 1000.0);
        Map::from_iter([
            (WORKER_KEY.to_owned(), signature),
            (BEAT_KEY.to_owned(), json!(beat)),
        ])
    }

    #[test]
    fn this_process_lives() {
        let here = Identity::here();
        assert!(!is_dead(&attrs(&here, 0.0), &here, PATIENCE));
        assert_eq!(Identity::from_value(&here.to_value()), Some(here));
    }

    #[test]
    fn an_ended_process_is_dead_even_when_its_number_is_used_again() {
        let here = Identity::here();
        let mut child = Command::new("true").spawn().unwrap();
        let pid = child.id();
        child.wait().unwrap();
        let ended = Identity {
            pid,
            ..here.clone()
        };
        assert!(is_dead(&attrs(&ended, 1e12), &here, PATIENCE));
        let earlier = Identity {
            began: here.began + 1,
            ..here.clone()
        };
        assert!(is_dead(&attrs(&earlier, 1e12), &here, PATIENCE));
    }

    #[test]
    fn elsewhere_the_last_beat_counts() {
        let here = Identity::here();
        let there = Identity {
            machine: "other".to_owned(),
            ..here.clone()
        };
        let now = json::as_float(&beat()).unwrap();
        assert!(!is_dead(&attrs(&there, now - 299.0), &here, PATIENCE));
        assert!(is_dead(&attrs(&there, now - 302.0), &here, PATIENCE));
        let taken = Map::from_iter([(WORKER_KEY.to_owned(), there.to_value())]);
        assert!(!is_dead(&taken, &here, PATIENCE));
        assert!(!is_dead(&Map::new(), &here, PATIENCE));
    }

    #[test]
    fn an_unsigned_trial_is_dead_when_all_who_claimed_it_are() {
        let here = Identity::here();
        let ended = Identity {
            began: here.began + 1,
            ..here.clone()
        };
        let claims = |claims: &[Value]| {
            let claim = |(i, claim): (usize, &Value)| (format!("{CLAIM_PREFIX}{i}"), claim.clone());
            claims.iter().enumerate().map(claim).collect::<Map<_, _>>()
        };
        let (dead, alive) = (ended.to_value(), here.to_value());
        let cases = [
            (vec![dead.clone()], true),
            (vec![dead.clone(), Value::Null], true),
            (vec![dead.clone(), alive.clone()], false),
            (vec![Value::Null], false),
        ];
        for (values, expected) in cases {
            let mut attrs = claims(&values);
            assert_eq!(is_dead(&attrs, &here, PATIENCE), expected, "{values:?}");
            attrs.insert(WORKER_KEY.to_owned(), alive.clone());
            assert!(!is_dead(&attrs, &here, PATIENCE));
        }
    }

    #[test]
    fn names_differ() {
        assert_ne!(unique_name(), unique_name());
        assert_eq!(unique_name().len(), 32);
    }
}
