//! What the values of many images come to.

use std::fmt::Write as _;

use juggle_metrics::{Bootstrap, BootstrapMethod, Interval};
use serde::{Serialize, Serializer};

use super::metric::Metric;
use crate::output::json_number;

/// How many of the lowest values are listed.
const N_WORST: usize = 5;

/// What `--json` prints.
#[derive(Debug, Serialize)]
pub(super) struct Summary {
    metric: &'static str,
    convention: Option<&'static str>,
    data_range: f64,
    n: usize,
    /// Infinite if one of the values is.
    #[serde(serialize_with = "number")]
    mean: f64,
    /// Identical images, whose PSNR is infinite.
    n_infinite: usize,
    /// `null` if there are none.
    mean_of_finite: Option<f64>,
    /// For the mean of the finite values.
    interval: Option<LevelInterval>,
    /// Why there is no interval.
    #[serde(skip_serializing_if = "Option::is_none")]
    no_interval: Option<String>,
    worst: Vec<FileValue>,
    files: Vec<FileValue>,
}

#[derive(Clone, Debug, Serialize)]
pub(super) struct FileValue {
    pub(super) file: String,
    #[serde(serialize_with = "number")]
    pub(super) value: f64,
}

#[derive(Debug, Serialize)]
struct LevelInterval {
    level: f64,
    #[serde(flatten)]
    ends: Interval,
}

impl Summary {
    /// Of at least one file.
    pub(super) fn new(metric: &Metric, files: Vec<FileValue>) -> Self {
        let values: Vec<f64> = files.iter().map(|file| file.value).collect();
        let finite: Vec<f64> = values.iter().copied().filter(|x| x.is_finite()).collect();
        let (interval, no_interval) = match interval(&finite, values.len()) {
            Ok(interval) => (Some(interval), None),
            Err(reason) => (None, Some(reason)),
        };
        let mut worst = files.clone();
        // Stable: equal values stay in the order of their names.
        worst.sort_by(|a, b| a.value.total_cmp(&b.value));
        worst.truncate(N_WORST);
        Self {
            metric: metric.name(),
            convention: metric.convention(),
            data_range: metric.data_range,
            n: values.len(),
            mean: mean(&values),
            n_infinite: values.len() - finite.len(),
            mean_of_finite: (!finite.is_empty()).then(|| mean(&finite)),
            interval,
            no_interval,
            worst,
            files,
        }
    }

    /// The value of a single pair, on one line.
    pub(super) fn to_line(&self, metric: &Metric) -> String {
        format!("{}  {}", self.files[0].file, metric.format(self.mean))
    }

    /// The summary of two folders.
    pub(super) fn to_text(&self, metric: &Metric) -> String {
        let convention = self.convention.map(|name| format!(" as {name}"));
        let title = format!(
            "{}{}, data range {}",
            metric.title(),
            convention.unwrap_or_default(),
            self.data_range
        );
        let (mut images, mut mean) = (self.n.to_string(), metric.format(self.mean));
        let mut interval = match (&self.interval, &self.no_interval) {
            (Some(interval), _) => {
                let (ends, digits) = (interval.ends, metric.digits());
                format!("{ends:.digits$}{}", metric.unit())
            }
            (None, reason) => format!("none: {}", reason.as_deref().unwrap_or_default()),
        };
        if self.n_infinite > 0 {
            images += &format!(", {} of them identical to the truth", self.n_infinite);
            if let Some(finite) = self.mean_of_finite {
                mean += &format!("; {} without the identical ones", metric.format(finite));
            }
            if self.interval.is_some() {
                interval += ", without the identical ones";
            }
        }
        let mut text = format!(
            "metric        {title}\nimages        {images}\nmean          {mean}\n95% interval  {interval}\n"
        );
        let lengths = self.worst.iter().map(|worst| worst.file.chars().count());
        let width = lengths.max().unwrap_or(0);
        for (i, FileValue { file, value }) in self.worst.iter().enumerate() {
            let name = if i == 0 { "worst" } else { "" };
            let value = metric.format(*value);
            let _ = writeln!(text, "{name:12}  {file:width$}  {value}");
        }
        text
    }
}

/// The interval of the mean of the finite values among `n`, or why there is none.
fn interval(finite: &[f64], n: usize) -> Result<LevelInterval, String> {
    match finite.len() {
        0 | 1 if n == 1 => return Err("1 image, expected at least 2".to_owned()),
        found @ (0 | 1) => {
            return Err(format!(
                "{found} of {n} images with a finite value, expected at least 2"
            ));
        }
        _ => {}
    }
    // The help of the commands names these numbers.
    let bootstrap = Bootstrap {
        n_replicates: 9_999,
        confidence_level: 0.95,
        method: BootstrapMethod::Bca,
        seed: 0,
    };
    let found = bootstrap.mean(finite).map_err(|error| error.to_string())?;
    Ok(LevelInterval {
        level: bootstrap.confidence_level,
        ends: found.interval,
    })
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

fn number<S: Serializer>(x: &f64, serializer: S) -> Result<S::Ok, S::Error> {
    json_number(*x).serialize(serializer)
}
