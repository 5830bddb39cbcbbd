//! What a storage holds: studies and trials, in Optuna's terms.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::time::SystemTime;

use serde_json::{Map, Value};

use crate::distribution::Distribution;

/// A study's number in its storage.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StudyId(pub i64);

/// A trial's number in its storage, over all studies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TrialId(pub i64);

/// What a study is after.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// The least value is the best.
    Minimize,
    /// The greatest value is the best.
    Maximize,
}

/// Where a trial stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TrialState {
    /// A worker has it.
    Running,
    /// It ended with a value.
    Complete,
    /// A pruner stopped it.
    Pruned,
    /// It ended without a value, or its worker died.
    Fail,
    /// It waits for a worker, with its parameters given.
    Waiting,
}

/// Whose an attribute is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AttrKind {
    /// The user's, shown by dashboards.
    User,
    /// The program's.
    System,
}

/// A study as its storage holds it.
#[derive(Clone, Debug, PartialEq)]
pub struct StudyRecord {
    /// Its number in the storage.
    pub id: StudyId,
    /// Its name.
    pub name: String,
    /// One for each objective.
    pub directions: Vec<Direction>,
    /// The user's attributes.
    pub user_attrs: Map<String, Value>,
    /// The program's attributes.
    pub system_attrs: Map<String, Value>,
}

/// A parameter of a trial.
#[derive(Clone, Debug, PartialEq)]
pub struct ParamRecord {
    /// The internal value, see [`Distribution`].
    pub internal: f64,
    /// What it was drawn from.
    pub distribution: Arc<Distribution>,
}

/// A trial as its storage holds it.
#[derive(Clone, Debug, PartialEq)]
pub struct TrialRecord {
    /// Its number in the storage.
    pub id: TrialId,
    /// Its number in the study, from 0.
    pub number: u64,
    /// Its state and all that a worker said of it.
    pub content: TrialContent,
}

/// All of a trial but its numbers; also what a new trial begins with.
#[derive(Clone, Debug, PartialEq)]
pub struct TrialContent {
    /// Where it stands.
    pub state: TrialState,
    /// The parameters by name.
    pub params: BTreeMap<String, ParamRecord>,
    /// One for each objective; empty until there are any.
    pub values: Vec<f64>,
    /// Values reported on the way, by step.
    pub intermediate: BTreeMap<i64, f64>,
    /// The user's attributes.
    pub user_attrs: Map<String, Value>,
    /// The program's attributes.
    pub system_attrs: Map<String, Value>,
    /// When a worker began.
    pub started: Option<SystemTime>,
    /// When it ended.
    pub completed: Option<SystemTime>,
}

impl ParamRecord {
    /// The value that a user sees.
    #[must_use]
    pub fn value(&self) -> Value {
        self.distribution.value(self.internal)
    }
}

impl TrialContent {
    /// A trial in this state, with nothing else; one that runs has started now.
    #[must_use]
    pub fn new(state: TrialState) -> Self {
        Self {
            state,
            params: BTreeMap::new(),
            values: vec![],
            intermediate: BTreeMap::new(),
            user_attrs: Map::new(),
            system_attrs: Map::new(),
            started: (state != TrialState::Waiting).then(SystemTime::now),
            completed: None,
        }
    }

    /// The value of a study with one objective.
    #[must_use]
    pub fn value(&self) -> Option<f64> {
        self.values.first().copied()
    }

    /// The greatest step with a value, and that value.
    #[must_use]
    pub fn last_intermediate(&self) -> Option<(i64, f64)> {
        let (&step, &value) = self.intermediate.last_key_value()?;
        Some((step, value))
    }

    pub(crate) fn attrs_mut(&mut self, kind: AttrKind) -> &mut Map<String, Value> {
        match kind {
            AttrKind::User => &mut self.user_attrs,
            AttrKind::System => &mut self.system_attrs,
        }
    }
}

impl TrialState {
    /// Whether it cannot change any more.
    #[must_use]
    pub fn is_finished(self) -> bool {
        matches!(self, Self::Complete | Self::Pruned | Self::Fail)
    }

    /// Optuna's number of it.
    pub(crate) fn code(self) -> u8 {
        match self {
            Self::Running => 0,
            Self::Complete => 1,
            Self::Pruned => 2,
            Self::Fail => 3,
            Self::Waiting => 4,
        }
    }

    pub(crate) fn from_code(code: i64) -> Option<Self> {
        let all = [
            Self::Running,
            Self::Complete,
            Self::Pruned,
            Self::Fail,
            Self::Waiting,
        ];
        all.into_iter()
            .find(|state| i64::from(state.code()) == code)
    }
}

impl Direction {
    /// Whether `a` is better than `b`.
    #[must_use]
    pub fn is_better(self, a: f64, b: f64) -> bool {
        match self {
            Self::Minimize => a < b,
            Self::Maximize => a > b,
        }
    }

    /// A value whose least is the best.
    pub(crate) fn loss(self, value: f64) -> f64 {
        match self {
            Self::Minimize => value,
            Self::Maximize => -value,
        }
    }
}

impl fmt::Display for Direction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Minimize => "minimize",
            Self::Maximize => "maximize",
        })
    }
}

impl fmt::Display for TrialState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Running => "RUNNING",
            Self::Complete => "COMPLETE",
            Self::Pruned => "PRUNED",
            Self::Fail => "FAIL",
            Self::Waiting => "WAITING",
        })
    }
}

impl fmt::Display for StudyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
