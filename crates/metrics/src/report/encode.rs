//! From labels to class indices.

use std::collections::{BTreeSet, HashMap};
use std::fmt::Display;

/// The names of all labels in the order of the labels, and the two lists of labels as indices of names.
pub(super) fn encode_in_order<L: Ord + Display>(
    true_labels: &[L],
    predicted_labels: &[L],
) -> (Vec<String>, Vec<usize>, Vec<usize>) {
    let labels = true_labels.iter().chain(predicted_labels);
    let classes: Vec<&L> = labels.collect::<BTreeSet<_>>().into_iter().collect();
    let names = classes.iter().map(ToString::to_string).collect();
    let indices = |labels: &[L]| {
        let class_of = |label| classes.partition_point(|class| *class < label);
        labels.iter().map(class_of).collect()
    };
    (names, indices(true_labels), indices(predicted_labels))
}

/// The sorted names of all labels, and the two lists of labels as indices of names.
pub(super) fn encode<S: AsRef<str>>(
    true_labels: &[S],
    predicted_labels: &[S],
) -> (Vec<String>, Vec<usize>, Vec<usize>) {
    let labels = true_labels.iter().chain(predicted_labels);
    let texts: BTreeSet<&str> = labels.map(AsRef::as_ref).collect();
    let (names, class_of) = number_classes(&texts);
    let indices = |labels: &[S]| {
        labels
            .iter()
            .map(|label| class_of[label.as_ref()])
            .collect()
    };
    (names, indices(true_labels), indices(predicted_labels))
}

/// Names in order, and the class of each text; several texts may be the same integer.
fn number_classes<'a>(texts: &BTreeSet<&'a str>) -> (Vec<String>, HashMap<&'a str, usize>) {
    let integers: Option<Vec<(i64, &str)>> = texts
        .iter()
        .map(|&text| Some((text.parse().ok()?, text)))
        .collect();
    let Some(mut integers) = integers else {
        // Bytes of UTF-8 sort like code points.
        let names = texts.iter().map(|&text| text.to_owned()).collect();
        let class_of = texts
            .iter()
            .enumerate()
            .map(|(class_idx, &text)| (text, class_idx));
        return (names, class_of.collect());
    };
    integers.sort_unstable();
    let mut names = Vec::new();
    let mut class_of = HashMap::new();
    for same in integers.chunk_by(|a, b| a.0 == b.0) {
        class_of.extend(same.iter().map(|&(_, text)| (text, names.len())));
        names.push(same[0].0.to_string());
    }
    (names, class_of)
}
