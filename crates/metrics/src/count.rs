//! Counting pairs of labels: one pass, on all threads, that also notices labels which are no class.
//!
//! Counts are integers, so that the order in which parts are added does not matter.

use rayon::prelude::*;

/// Pairs that one task counts: enough to pay for the task, and few enough for 32-bit counts.
const CHUNK: usize = 1 << 16;

/// The largest number of classes whose pairs are counted in four interleaved tables: neighbours that are of one pair would otherwise
/// wait for one another's sum, and larger tables leave the first-level cache.
const FEW_CLASSES: usize = 32;

/// The largest number of classes of which every thread may have a table of pairs.
const MANY_CLASSES: usize = 512;

const LANES: usize = 4;

/// What the classification report needs to know of the labels: three numbers for each class.
pub(crate) struct Counts {
    pub(crate) correct: Vec<u64>,
    pub(crate) predicted: Vec<u64>,
    pub(crate) truth: Vec<u64>,
}

impl Counts {
    /// Counts labels in slices of one length; nothing where one of them is not below `n_classes`.
    pub(crate) fn new(truth: &[usize], predicted: &[usize], n_classes: usize) -> Option<Self> {
        if n_classes <= FEW_CLASSES {
            let pairs = pairs(truth, predicted, n_classes)?;
            let (row, range) = (
                |t: usize| &pairs[t * n_classes..][..n_classes],
                0..n_classes,
            );
            return Some(Self {
                correct: range.clone().map(|class| row(class)[class]).collect(),
                predicted: range
                    .clone()
                    .map(|class| range.clone().map(|t| row(t)[class]).sum())
                    .collect(),
                truth: range.map(|class| row(class).iter().sum()).collect(),
            });
        }
        let counts = in_chunks(
            (truth, predicted),
            3 * n_classes,
            |counts, truth, predicted| {
                let (correct, rest) = counts.split_at_mut(n_classes);
                let (by_prediction, by_truth) = rest.split_at_mut(n_classes);
                for (&t, &p) in truth.iter().zip(predicted) {
                    if t >= n_classes || p >= n_classes {
                        return false;
                    }
                    by_truth[t] += 1;
                    by_prediction[p] += 1;
                    correct[t] += u64::from(t == p);
                }
                true
            },
        )?;
        let part = |i: usize| counts[i * n_classes..][..n_classes].to_vec();
        Some(Self {
            correct: part(0),
            predicted: part(1),
            truth: part(2),
        })
    }
}

/// The confusion matrix, row-major; nothing where a label is not below `n_classes`.
pub(crate) fn pairs(truth: &[usize], predicted: &[usize], n_classes: usize) -> Option<Vec<u64>> {
    let n_counts = n_classes * n_classes;
    if n_classes <= FEW_CLASSES {
        return in_chunks((truth, predicted), n_counts, |counts, truth, predicted| {
            add_few(counts, (truth, predicted), n_classes)
        });
    }
    let add = |counts: &mut [u64], truth: &[usize], predicted: &[usize]| {
        for (&t, &p) in truth.iter().zip(predicted) {
            if t >= n_classes || p >= n_classes {
                return false;
            }
            counts[t * n_classes + p] += 1;
        }
        true
    };
    if n_classes <= MANY_CLASSES {
        return in_chunks((truth, predicted), n_counts, add);
    }
    let mut counts = vec![0; n_counts];
    add(&mut counts, truth, predicted).then_some(counts)
}

/// Adds up what `add` counts of each part; nothing once it says that a label is no class.
fn in_chunks(
    (truth, predicted): (&[usize], &[usize]),
    n_counts: usize,
    add: impl Fn(&mut [u64], &[usize], &[usize]) -> bool + Sync,
) -> Option<Vec<u64>> {
    let zeros = || vec![0; n_counts];
    if truth.len() <= CHUNK {
        // One task needs no other thread.
        let mut counts = zeros();
        return add(&mut counts, truth, predicted).then_some(counts);
    }
    let chunks = truth.par_chunks(CHUNK).zip(predicted.par_chunks(CHUNK));
    let parts = chunks.try_fold(zeros, |mut counts, (truth, predicted)| {
        add(&mut counts, truth, predicted).then_some(counts)
    });
    parts.try_reduce(zeros, |mut sums, counts| {
        for (sum, count) in sums.iter_mut().zip(counts) {
            *sum += count;
        }
        Some(sums)
    })
}

/// Adds the pairs of one chunk, every fourth of them in the same table.
fn add_few(counts: &mut [u64], (truth, predicted): (&[usize], &[usize]), n_classes: usize) -> bool {
    let n_classes = n_classes.min(FEW_CLASSES);
    let mut tables = [[0_u32; FEW_CLASSES * FEW_CLASSES]; LANES];
    let ((truth, last_truth), (predicted, last_predicted)) =
        (truth.as_chunks::<LANES>(), predicted.as_chunks::<LANES>());
    for (truth, predicted) in truth.iter().zip(predicted) {
        for ((table, &t), &p) in tables.iter_mut().zip(truth).zip(predicted) {
            if t >= n_classes || p >= n_classes {
                return false;
            }
            table[t * FEW_CLASSES + p] += 1;
        }
    }
    for (&t, &p) in last_truth.iter().zip(last_predicted) {
        if t >= n_classes || p >= n_classes {
            return false;
        }
        tables[0][t * FEW_CLASSES + p] += 1;
    }
    for t in 0..n_classes {
        for p in 0..n_classes {
            let at = t * FEW_CLASSES + p;
            counts[t * n_classes + p] +=
                tables.iter().map(|table| u64::from(table[at])).sum::<u64>();
        }
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Labels of every class, in an order that repeats nothing soon.
    fn labels(n: usize, n_classes: usize, factor: usize) -> Vec<usize> {
        (0..n)
            .map(|i| i.wrapping_mul(factor) / 7 % n_classes)
            .collect()
    }

    #[test]
    fn every_way_of_counting_counts_the_same() {
        for n_classes in [
            1,
            3,
            FEW_CLASSES,
            FEW_CLASSES + 1,
            MANY_CLASSES,
            MANY_CLASSES + 1,
        ] {
            for n in [1, 5, CHUNK, CHUNK + 1, 3 * CHUNK + 2] {
                let (truth, predicted) = (labels(n, n_classes, 11), labels(n, n_classes, 29));
                let mut expected = vec![0_u64; n_classes * n_classes];
                for (&t, &p) in truth.iter().zip(&predicted) {
                    expected[t * n_classes + p] += 1;
                }
                assert_eq!(
                    pairs(&truth, &predicted, n_classes).as_ref(),
                    Some(&expected)
                );
                let counts = Counts::new(&truth, &predicted, n_classes).expect("all are classes");
                for class in 0..n_classes {
                    let row = &expected[class * n_classes..][..n_classes];
                    assert_eq!(counts.truth[class], row.iter().sum::<u64>());
                    assert_eq!(counts.correct[class], row[class]);
                    let column = expected.iter().skip(class).step_by(n_classes);
                    assert_eq!(counts.predicted[class], column.sum::<u64>());
                }
            }
        }
    }

    #[test]
    fn one_label_too_large_is_noticed_wherever_it_is() {
        for n_classes in [3, FEW_CLASSES + 1] {
            for at in [0, 6, CHUNK + 3, 2 * CHUNK] {
                let right = labels(2 * CHUNK + 1, n_classes, 11);
                let mut wrong = right.clone();
                wrong[at] = n_classes;
                for (truth, predicted) in [(&right, &wrong), (&wrong, &right)] {
                    assert!(Counts::new(truth, predicted, n_classes).is_none());
                    assert!(pairs(truth, predicted, n_classes).is_none());
                }
            }
        }
    }
}
