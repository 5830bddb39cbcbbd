//! Numbers over seeds, and whether they reproduce a published one.

use juggle_metrics::{Interval, mean_difference_interval, mean_interval, prediction_interval};

/// The level of every interval in a report.
pub(crate) const LEVEL: f64 = 0.95;

/// A number over the runs of a group.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Spread {
    /// One a run, without those that are no finite number.
    pub(crate) values: Vec<f64>,
    pub(crate) mean: f64,
    pub(crate) min: f64,
    pub(crate) max: f64,
    /// Student's, of the mean; none with one run.
    pub(crate) interval: Option<Interval>,
}

/// What a metric can be: an interval of few runs that scatter would reach beyond it.
pub(crate) fn possible(metric: &str) -> Interval {
    let metric = metric.strip_prefix("final_").unwrap_or(metric);
    let bare = metric
        .split_once('_')
        .filter(|(split, _)| ["train", "val"].contains(split));
    let bare = bare.map_or(metric, |(_, bare)| bare);
    let bare = bare.split_once(':').map_or(bare, |(column, _)| column);
    let (low, high) = match bare {
        "accuracy" | "precision" | "recall" => (0.0, 1.0),
        "loss" => (0.0, f64::INFINITY),
        name if name.starts_with("ssim") => (-1.0, 1.0),
        _ => (f64::NEG_INFINITY, f64::INFINITY),
    };
    Interval { low, high }
}

fn cut(found: Interval, possible: Interval) -> Interval {
    Interval {
        low: found.low.clamp(possible.low, possible.high),
        high: found.high.clamp(possible.low, possible.high),
    }
}

impl Spread {
    /// Nothing when no run has the number. The interval is cut at what is possible.
    pub(crate) fn of(values: impl IntoIterator<Item = f64>, possible: Interval) -> Option<Self> {
        let values: Vec<f64> = values.into_iter().filter(|x| x.is_finite()).collect();
        if values.is_empty() {
            return None;
        }
        Some(Self {
            mean: values.iter().sum::<f64>() / values.len() as f64,
            min: values.iter().copied().fold(f64::INFINITY, f64::min),
            max: values.iter().copied().fold(f64::NEG_INFINITY, f64::max),
            interval: mean_interval(&values, LEVEL)
                .ok()
                .map(|found| cut(found, possible)),
            values,
        })
    }
}

/// What our runs say of a published number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    Reproduced,
    DirectionOnly,
    NotReproduced,
    /// Fewer than two runs say nothing about how far runs scatter.
    Undecided,
}

impl Verdict {
    pub(crate) fn words(self) -> &'static str {
        match self {
            Self::Reproduced => "reproduced",
            Self::DirectionOnly => "direction only",
            Self::NotReproduced => "not reproduced",
            Self::Undecided => "no verdict",
        }
    }
}

/// The rule of [`judge`], for the reader.
pub(crate) const RULE: &str = "A published number is one run of somebody else's. It counts as reproduced if it lies, \
    give or take its rounding, where one further run of ours is to be expected: in the 95% prediction interval over our \
    seeds (and, where a tolerance is stated, no farther than that from our mean). Where it was published as better or \
    worse than another recipe, the difference of our means must also have the published sign, with a 95% interval (Welch) \
    that excludes zero; if that holds and the number itself does not, the verdict is “direction only”. With fewer than two \
    seeds there is no verdict.";

/// A published number to be judged.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Published<'a> {
    pub(crate) value: f64,
    pub(crate) decimals: usize,
    pub(crate) tolerance: Option<f64>,
    /// What the metric can be.
    pub(crate) possible: Interval,
    /// Our runs of the recipe that it was compared with, and the number published for that.
    pub(crate) against: Option<(&'a [f64], f64)>,
}

/// A verdict with what it rests on.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Judgement {
    pub(crate) verdict: Verdict,
    /// Where one run more is to be expected.
    pub(crate) prediction: Option<Interval>,
    /// Of our means, first less second; none without a comparison.
    pub(crate) difference: Option<Interval>,
}

/// Applies [`RULE`].
pub(crate) fn judge(published: Published<'_>, ours: &[f64]) -> Judgement {
    let prediction = prediction_interval(ours, LEVEL).ok();
    let difference = published
        .against
        .map(|(other, _)| mean_difference_interval(ours, other, LEVEL).ok());
    let verdict = match (prediction, difference) {
        (None, _) | (_, Some(None)) => Verdict::Undecided,
        (Some(prediction), None) => {
            if fits(published, prediction) {
                Verdict::Reproduced
            } else {
                Verdict::NotReproduced
            }
        }
        (Some(prediction), Some(Some(difference))) => {
            let sign = published
                .against
                .map_or(0.0, |(_, other)| published.value - other);
            let has_sign = sign * difference.low > 0.0 && sign * difference.high > 0.0;
            match (has_sign, fits(published, prediction)) {
                (true, true) => Verdict::Reproduced,
                (true, false) => Verdict::DirectionOnly,
                (false, _) => Verdict::NotReproduced,
            }
        }
    };
    Judgement {
        verdict,
        prediction: prediction.map(|found| cut(found, published.possible)),
        difference: difference.flatten(),
    }
}

/// Whether the number is one that could come from another run of ours.
fn fits(published: Published<'_>, prediction: Interval) -> bool {
    let decimals = i32::try_from(published.decimals).unwrap_or(i32::MAX);
    let rounding = 0.5 * 10_f64.powi(-decimals);
    let value = published.value;
    let middle = 0.5 * (prediction.low + prediction.high);
    value >= prediction.low - rounding
        && value <= prediction.high + rounding
        && published
            .tolerance
            .is_none_or(|tolerance| (value - middle).abs() <= tolerance + rounding)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn published(value: f64) -> Published<'static> {
        Published {
            value,
            decimals: 2,
            tolerance: None,
            possible: possible("accuracy"),
            against: None,
        }
    }

    #[test]
    fn a_number_that_another_run_could_give_is_reproduced() {
        let ours = [0.83, 0.85, 0.84, 0.82, 0.86];
        // The prediction interval is [0.792, 0.888].
        for (value, verdict) in [
            (0.83, Verdict::Reproduced),
            (0.79, Verdict::Reproduced),
            (0.78, Verdict::NotReproduced),
            (0.90, Verdict::NotReproduced),
        ] {
            assert_eq!(judge(published(value), &ours).verdict, verdict, "{value}");
        }
        assert_eq!(judge(published(0.83), &[0.83]).verdict, Verdict::Undecided);
        assert_eq!(judge(published(0.83), &[]).verdict, Verdict::Undecided);
        let equal = judge(published(0.84), &[0.8449, 0.8449]);
        assert_eq!(equal.verdict, Verdict::Reproduced, "rounded to 0.84");
    }

    #[test]
    fn scatter_is_no_excuse_where_a_tolerance_is_stated() {
        let ours = [0.6, 0.99, 0.95];
        assert_eq!(judge(published(0.7), &ours).verdict, Verdict::Reproduced);
        let strict = Published {
            tolerance: Some(0.05),
            ..published(0.7)
        };
        assert_eq!(judge(strict, &ours).verdict, Verdict::NotReproduced);
    }

    #[test]
    fn a_direction_needs_a_difference_that_is_not_zero() {
        let original = [0.83, 0.85, 0.84];
        let against = |value, ours: &[f64]| {
            let claim = Published {
                against: Some((&original, 0.83)),
                ..published(value)
            };
            judge(claim, ours).verdict
        };
        assert_eq!(against(0.97, &[0.96, 0.97, 0.965]), Verdict::Reproduced);
        assert_eq!(against(0.97, &[0.90, 0.91, 0.905]), Verdict::DirectionOnly);
        assert_eq!(
            against(0.97, &[0.6, 0.99, 0.8]),
            Verdict::NotReproduced,
            "too wide"
        );
        assert_eq!(
            against(0.97, &[0.70, 0.71, 0.72]),
            Verdict::NotReproduced,
            "worse"
        );
        assert_eq!(against(0.97, &[0.97]), Verdict::Undecided);
    }

    #[test]
    fn a_spread_leaves_out_what_is_no_number_and_stays_within_what_is_possible() {
        let anything = possible("psnr_db");
        let spread = Spread::of([1.0, f64::NAN, 3.0, f64::INFINITY], anything).unwrap();
        assert_eq!((spread.mean, spread.min, spread.max), (2.0, 1.0, 3.0));
        assert!(spread.interval.unwrap().low < 0.0);
        assert_eq!(Spread::of([f64::NAN], anything), None);
        assert_eq!(Spread::of([0.5], anything).unwrap().interval, None);
        for metric in ["val_accuracy", "final_train_accuracy", "recall:2 balls"] {
            let spread = Spread::of([0.5, 1.0], possible(metric)).unwrap();
            let ends = spread.interval.map(|found| (found.low, found.high));
            assert_eq!(ends, Some((0.0, 1.0)), "{metric}");
        }
    }
}
