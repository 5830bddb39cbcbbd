//! Two runs on the same images: McNemar's test, and the paired bootstrap.

use juggle_metrics::{Bootstrap, BootstrapMethod, McNemar, PairedCounts, PairedDifference};

use super::outcome::{Found, FramesFound, Outcome, mean};
use super::run::Run;

/// What two runs on the same images differ in.
#[derive(Debug)]
pub(crate) enum Paired {
    Classifier {
        mcnemar: McNemar,
        /// Of the accuracies.
        difference: Option<PairedDifference>,
    },
    /// Clip by clip, for the windows of a clip are not independent.
    Frames {
        n_clips: usize,
        psnr_db: Option<PairedDifference>,
        ssim: Option<PairedDifference>,
    },
}

/// Compares the runs, or says why they cannot be compared.
pub(crate) fn compare(first: &Run, second: &Run) -> Result<Paired, String> {
    let gap = |run: &Run| format!("{} was not measured", run.name);
    let a = first.outcome.as_ref().map_err(|_| gap(first))?;
    let b = second.outcome.as_ref().map_err(|_| gap(second))?;
    if a.pixels_sha256 != b.pixels_sha256 {
        return Err("they were measured on different images".to_owned());
    }
    pair(a, b)
}

fn pair(first: &Outcome, second: &Outcome) -> Result<Paired, String> {
    match (&first.found, &second.found) {
        (Found::Classifier(a), Found::Classifier(b)) => {
            if a.images.labels != b.images.labels {
                return Err("the same images have other classes".to_owned());
            }
            let labels = &a.images.labels;
            let mcnemar = PairedCounts::from_predictions(labels, &a.predicted, &b.predicted)
                .and_then(PairedCounts::mcnemar)
                .map_err(|error| error.to_string())?;
            let right = |predicted: &[usize]| -> Vec<f64> {
                let pairs = predicted.iter().zip(labels);
                pairs
                    .map(|(found, label)| f64::from(u8::from(found == label)))
                    .collect()
            };
            Ok(Paired::Classifier {
                mcnemar,
                difference: difference(&right(&a.predicted), &right(&b.predicted)),
            })
        }
        (Found::Frames(a), Found::Frames(b)) => {
            if a.clip_of_window != b.clip_of_window {
                return Err("they predict from other numbers of frames".to_owned());
            }
            let metric = |name: &str| difference(&clip_means(a, name)?, &clip_means(b, name)?);
            Ok(Paired::Frames {
                n_clips: n_clips(a),
                psnr_db: metric("psnr_db"),
                ssim: metric("ssim"),
            })
        }
        _ => Err("one counts and the other predicts frames".to_owned()),
    }
}

fn n_clips(found: &FramesFound) -> usize {
    found.clip_of_window.last().map_or(0, |last| last + 1)
}

/// The mean of a metric over the windows of each clip; nothing where it is not known for all.
pub(crate) fn clip_means(found: &FramesFound, metric: &str) -> Option<Vec<f64>> {
    let values = found.values(metric)?;
    let mut clips: Vec<Vec<f64>> = vec![vec![]; n_clips(found)];
    for (&clip, &value) in found.clip_of_window.iter().zip(values) {
        clips[clip].push(value);
    }
    // A clip shorter than a window has none.
    clips.retain(|clip| !clip.is_empty());
    Some(clips.iter().map(|clip| mean(clip)).collect())
}

/// The paired bootstrap; where BCa has no end points, as for equal values, their quantiles.
fn difference(first: &[f64], second: &[f64]) -> Option<PairedDifference> {
    let percentile = Bootstrap {
        method: BootstrapMethod::Percentile,
        ..Bootstrap::default()
    };
    let found = Bootstrap::default().mean_difference(first, second);
    found
        .or_else(|_| percentile.mean_difference(first, second))
        .ok()
}
