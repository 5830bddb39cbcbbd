//! The report as scikit-learn's `output_dict`.

use std::collections::HashMap;

use serde::ser::{Serialize, SerializeMap, Serializer};

use super::{ClassificationReport, Scores};

impl Serialize for Scores {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(4))?;
        map.serialize_entry("precision", &self.precision)?;
        map.serialize_entry("recall", &self.recall)?;
        map.serialize_entry("f1-score", &self.f1_score)?;
        map.serialize_entry("support", &self.support)?;
        map.end()
    }
}

/// A value of the dictionary.
#[derive(Clone, Copy)]
enum Entry<'a> {
    Scores(&'a Scores),
    Accuracy(f64),
}

impl Serialize for Entry<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Scores(scores) => scores.serialize(serializer),
            Self::Accuracy(accuracy) => serializer.serialize_f64(*accuracy),
        }
    }
}

impl Serialize for ClassificationReport {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let names = self.class_names.iter().map(String::as_str);
        let classes = names.zip(self.classes.iter().map(Entry::Scores));
        let micro = if self.is_complete {
            ("accuracy", Entry::Accuracy(self.micro_avg.precision))
        } else {
            ("micro avg", Entry::Scores(&self.micro_avg))
        };
        let averages = [
            micro,
            ("macro avg", Entry::Scores(&self.macro_avg)),
            ("weighted avg", Entry::Scores(&self.weighted_avg)),
        ];

        let mut entries: Vec<(&str, Entry<'_>)> = Vec::new();
        let mut position_of = HashMap::new();
        for (name, entry) in classes.chain(averages) {
            let position = *position_of.entry(name).or_insert(entries.len());
            if position < entries.len() {
                entries[position].1 = entry;
            } else {
                entries.push((name, entry));
            }
        }
        serializer.collect_map(entries)
    }
}
