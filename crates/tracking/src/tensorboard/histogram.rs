//! How values are spread, in buckets of one width.

use super::proto::HistogramProto;

/// How many of some values lie where, between the smallest and the largest of them.
///
/// The buckets are those of TensorBoard's own `histogram_pb`: of one width, from the minimum to the maximum; bucket `i` holds
/// the values `x` with `⌊(x − min) / width⌋ = i`, and the maximum belongs to the last.
///
/// ```
/// use juggle_tracking::tensorboard::Histogram;
///
/// let histogram = Histogram::of(&[0.0, 0.1, 0.9, 1.0, f32::NAN], 2);
/// assert_eq!(histogram.counts(), [2, 2]);
/// assert_eq!(histogram.edges(), [0.0, 0.5, 1.0]);
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Histogram {
    edges: Vec<f64>,
    counts: Vec<u64>,
    sum: f64,
    sum_of_squares: f64,
}

impl Histogram {
    /// The histogram of the finite values. Those that are not finite have no bucket and are left out.
    ///
    /// Values that are all equal have one bucket, without a width; so have no values at all, at 0.
    ///
    /// # Panics
    ///
    /// When `n_buckets` is 0.
    #[must_use]
    pub fn of(values: &[f32], n_buckets: usize) -> Self {
        assert!(n_buckets > 0, "a histogram has at least one bucket");
        let finite = || {
            values
                .iter()
                .copied()
                .filter(|x| x.is_finite())
                .map(f64::from)
        };
        let (min, max) = finite().fold((f64::INFINITY, f64::NEG_INFINITY), |(min, max), x| {
            (min.min(x), max.max(x))
        });
        let mut histogram = Self {
            edges: vec![],
            counts: vec![],
            sum: finite().sum(),
            sum_of_squares: finite().map(|x| x * x).sum(),
        };
        if min >= max || min > f64::MAX {
            let at = if min > max { 0.0 } else { min };
            histogram.edges = vec![at, at];
            histogram.counts = vec![finite().count() as u64];
            return histogram;
        }
        let width = (max - min) / n_buckets as f64;
        histogram.edges = (0..n_buckets).map(|i| i as f64 * width + min).collect();
        histogram.edges.push(max);
        histogram.counts = vec![0; n_buckets];
        for x in finite() {
            #[expect(clippy::cast_possible_truncation, reason = "saturates, and is clamped")]
            #[expect(clippy::cast_sign_loss, reason = "no value lies below the minimum")]
            let bucket = ((x - min) / width) as usize;
            histogram.counts[bucket.min(n_buckets - 1)] += 1;
        }
        histogram
    }

    /// Where the buckets begin and end: one more than there are buckets, rising.
    #[must_use]
    pub fn edges(&self) -> &[f64] {
        &self.edges
    }

    /// How many values each bucket holds.
    #[must_use]
    pub fn counts(&self) -> &[u64] {
        &self.counts
    }

    pub(super) fn to_proto(&self) -> HistogramProto {
        let last = self.edges.len() - 1;
        HistogramProto {
            min: self.edges[0],
            max: self.edges[last],
            num: self.counts.iter().sum::<u64>() as f64,
            sum: self.sum,
            sum_squares: self.sum_of_squares,
            bucket_limit: self.edges[1..].to_vec(),
            bucket: self.counts.iter().map(|&count| count as f64).collect(),
        }
    }
}
