//! From samples to ratios.

use serde::{Deserialize, Serialize};

/// One timed stretch of work.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub(crate) struct Sample {
    /// Wall time.
    pub(crate) seconds: f64,
    /// Processor time of the whole process, all threads, where the system tells.
    pub(crate) cpu_seconds: Option<f64>,
    /// Images, or runs of a whole command.
    pub(crate) count: u64,
    /// The share of its processors' time that other programs took meanwhile.
    pub(crate) others: Option<f64>,
}

impl Sample {
    /// Wall time an item.
    pub(crate) fn each(&self) -> f64 {
        self.seconds / self.count as f64
    }

    fn cpu_each(&self) -> Option<f64> {
        Some(self.cpu_seconds? / self.count as f64).filter(|each| *each > 0.0)
    }
}

/// What a set of rounds says about a ratio.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub(crate) struct Spread {
    pub(crate) median: f64,
    pub(crate) min: f64,
    pub(crate) max: f64,
}

impl Spread {
    pub(crate) fn of(values: &[f64]) -> Option<Self> {
        Some(Self {
            median: median(values)?,
            min: values.iter().copied().fold(f64::INFINITY, f64::min),
            max: values.iter().copied().fold(f64::NEG_INFINITY, f64::max),
        })
    }
}

/// The middle value, or the mean of the two in the middle.
pub(crate) fn median(values: &[f64]) -> Option<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let middle = sorted.len() / 2;
    let upper = *sorted.get(middle)?;
    Some(if sorted.len().is_multiple_of(2) {
        f64::midpoint(sorted[middle - 1], upper)
    } else {
        upper
    })
}

pub(crate) fn median_each(samples: &[Sample]) -> Option<f64> {
    median(&samples.iter().map(Sample::each).collect::<Vec<_>>())
}

/// How many times as fast as the other side we were, round by round: above 1 we are faster.
pub(crate) fn ratios(ours: &[Sample], theirs: &[Sample]) -> Option<Spread> {
    let pairs = ours.iter().zip(theirs);
    Spread::of(
        &pairs
            .map(|(ours, theirs)| theirs.each() / ours.each())
            .collect::<Vec<_>>(),
    )
}

/// [`ratios`] by processor time, which neighbours on a shared machine disturb less; nothing where it is not known.
pub(crate) fn cpu_ratios(ours: &[Sample], theirs: &[Sample]) -> Option<Spread> {
    let pairs = ours.iter().zip(theirs);
    let values: Option<Vec<_>> = pairs
        .map(|(ours, theirs)| Some(theirs.cpu_each()? / ours.cpu_each()?))
        .collect();
    Spread::of(&values?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample(seconds: f64, cpu_seconds: Option<f64>, count: u64) -> Sample {
        Sample {
            seconds,
            cpu_seconds,
            count,
            others: None,
        }
    }

    #[test]
    fn the_median_is_the_middle() {
        assert_eq!(median(&[]), None);
        assert_eq!(median(&[3.0, 1.0, 2.0]), Some(2.0));
        assert_eq!(median(&[4.0, 1.0, 2.0, 3.0]), Some(2.5));
    }

    #[test]
    fn ratios_are_taken_round_by_round() {
        let ours = [
            sample(1.0, Some(1.0), 10),
            sample(2.0, Some(1.0), 10),
            sample(1.0, Some(1.0), 20),
        ];
        let theirs = [
            sample(2.0, Some(3.0), 10),
            sample(2.0, Some(3.0), 10),
            sample(2.0, None, 10),
        ];
        let spread = ratios(&ours, &theirs).unwrap();
        assert_eq!((spread.min, spread.median, spread.max), (1.0, 2.0, 4.0));
        assert_eq!(cpu_ratios(&ours, &theirs), None);
        let median = cpu_ratios(&ours[..2], &theirs[..2]).unwrap().median;
        assert!((median - 3.0).abs() < 1e-12, "{median}");
        assert_eq!(ratios(&[], &[]), None);
    }
}
