//! What a client knows of a study's trials.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::record::{TrialId, TrialRecord};

/// The trials of a study that are known, so that only what can have changed is asked for.
#[derive(Debug, Default)]
pub(super) struct Seen {
    by_number: BTreeMap<u64, Arc<TrialRecord>>,
    unfinished: BTreeSet<TrialId>,
}

impl Seen {
    pub(super) fn take(&mut self, record: TrialRecord) {
        if record.content.state.is_finished() {
            self.unfinished.remove(&record.id);
        } else {
            self.unfinished.insert(record.id);
        }
        self.by_number.insert(record.number, Arc::new(record));
    }

    /// The id behind which trials may be unknown: that of the last known trial before the first gap in the numbers.
    ///
    /// A database gives ids when trials begin to be created and shows them when that ends, which may be in another
    /// order; a client that only asked for ids above the greatest it knows would never see the late one.
    pub(super) fn horizon(&self) -> i64 {
        let known = self.by_number.iter().zip(0..);
        let gapless = known.take_while(|&((&number, _), expected)| number == expected);
        gapless
            .map(|((_, trial), _)| trial.id.0)
            .max()
            .unwrap_or(-1)
    }

    pub(super) fn unfinished(&self) -> impl Iterator<Item = i64> {
        self.unfinished.iter().map(|trial| trial.0)
    }

    pub(super) fn trials(&self) -> Vec<Arc<TrialRecord>> {
        self.by_number.values().cloned().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::{TrialContent, TrialState};

    fn record(id: i64, number: u64, state: TrialState) -> TrialRecord {
        TrialRecord {
            id: TrialId(id),
            number,
            content: TrialContent::new(state),
        }
    }

    #[test]
    fn a_trial_that_appears_late_is_asked_for() {
        let mut seen = Seen::default();
        assert_eq!(seen.horizon(), -1);
        seen.take(record(11, 0, TrialState::Running));
        seen.take(record(13, 1, TrialState::Complete));
        assert_eq!(seen.horizon(), 13);
        assert_eq!(seen.unfinished, BTreeSet::from([TrialId(11)]));
        // Number 2 is not there yet.
        seen.take(record(20, 3, TrialState::Complete));
        assert_eq!(seen.horizon(), 13);
        seen.take(record(17, 2, TrialState::Complete));
        seen.take(record(11, 0, TrialState::Fail));
        assert_eq!(seen.horizon(), 20);
        assert!(seen.unfinished.is_empty());
    }
}
