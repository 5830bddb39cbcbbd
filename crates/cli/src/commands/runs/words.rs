//! Numbers, settings and names as the tables have them.

use std::collections::BTreeSet;

use juggle_tracking::{Epoch, Number};
use serde_json::Value;

use super::folder::Run;

/// Width that every table keeps to.
pub(super) const COLUMNS: usize = 80;

/// What stands where there is no value.
pub(super) const NOTHING: &str = "–";

/// A metric by its name in the log: what it is called, how many digits it has, whether more is better.
pub(super) fn metric(name: &str) -> (String, usize, bool) {
    match name {
        "loss" => ("loss".to_owned(), 5, false),
        "accuracy" => ("accuracy".to_owned(), 4, true),
        "psnr_db" => ("PSNR dB".to_owned(), 2, true),
        other => (other.to_owned(), 4, true),
    }
}

pub(super) fn value(name: &str, number: Option<&Number>) -> String {
    number.map_or_else(|| NOTHING.to_owned(), |x| digits(name, x.0))
}

/// A number with the digits of its metric; a large one by its power of ten, so that columns stay narrow.
pub(super) fn digits(name: &str, x: f64) -> String {
    let digits = metric(name).1;
    if x.is_finite() && x.abs() >= 1e4 {
        format!("{x:.2e}")
    } else {
        format!("{x:.digits$}")
    }
}

/// A metric that an epoch has, or does not have.
pub(super) fn of_epoch(epoch: Option<&Epoch>, name: &str) -> String {
    value(name, epoch.and_then(|epoch| epoch.val.get(name)))
}

/// The validation metrics of some runs; the loss comes first.
pub(super) fn metric_names<'a>(runs: impl IntoIterator<Item = &'a Run>) -> Vec<String> {
    let names: BTreeSet<String> = runs
        .into_iter()
        .filter_map(|run| run.history.last.as_ref())
        .flat_map(|epoch| epoch.val.keys().cloned())
        .collect();
    let mut names: Vec<String> = names.into_iter().collect();
    names.sort_by_key(|name| name != "loss");
    names
}

/// `12/25`, or `12` where nobody said how many there are to be.
pub(super) fn epochs(run: &Run) -> String {
    let planned = run.history.planned_epochs.or_else(|| {
        let epochs = run.settings.get("training.epochs")?.as_u64()?;
        usize::try_from(epochs).ok()
    });
    match planned {
        Some(planned) => format!("{}/{planned}", run.history.n_epochs),
        None => run.history.n_epochs.to_string(),
    }
}

/// `7.1s`, `2m 03s`, `1h 02m`.
pub(super) fn duration(seconds: f64) -> String {
    #[expect(clippy::cast_possible_truncation, reason = "saturates")]
    #[expect(clippy::cast_sign_loss, reason = "saturates")]
    let whole = seconds.round() as u64;
    match whole {
        0..10 => format!("{seconds:.1}s"),
        10..60 => format!("{whole}s"),
        60..3600 => format!("{}m {:02}s", whole / 60, whole % 60),
        _ => format!("{}h {:02}m", whole / 3600, whole % 3600 / 60),
    }
}

/// A time in UTC, to the second.
pub(super) fn date(unix_s: f64) -> String {
    #[expect(clippy::cast_possible_truncation, reason = "saturates")]
    let second = unix_s as i64;
    jiff::Timestamp::from_second(second)
        .map_or_else(|_| NOTHING.to_owned(), |time| time.to_string())
}

/// A setting as it would stand in the configuration, without quotes.
pub(super) fn setting(value: Option<&Value>) -> String {
    match value {
        None => NOTHING.to_owned(),
        Some(Value::String(text)) => text.clone(),
        Some(Value::Array(list)) => {
            let list: Vec<_> = list.iter().map(|value| setting(Some(value))).collect();
            format!("[{}]", list.join(", "))
        }
        Some(other) => other.to_string(),
    }
}

/// A key without its table where that says nothing more.
pub(super) fn short_key(key: &str) -> &str {
    key.strip_prefix("training.")
        .or_else(|| key.strip_prefix("network."))
        .unwrap_or(key)
}

/// Cut to a width from the left, where paths are alike.
pub(super) fn cut_left(text: &str, width: usize) -> String {
    let n = text.chars().count();
    if n <= width {
        return text.to_owned();
    }
    let kept: String = text.chars().skip(n + 1 - width).collect();
    format!("…{kept}")
}

/// Cut to a width from the right.
pub(super) fn cut_right(text: &str, width: usize) -> String {
    if text.chars().count() <= width {
        return text.to_owned();
    }
    let kept: String = text.chars().take(width.saturating_sub(1)).collect();
    format!("{kept}…")
}

pub(super) fn width(text: &str) -> usize {
    text.chars().count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_have_two_units_at_most() {
        let shown = [0.04, 9.4, 9.96, 59.4, 61.0, 3599.6, 7322.0].map(duration);
        let expected = ["0.0s", "9.4s", "10s", "59s", "1m 01s", "1h 00m", "2h 02m"];
        assert_eq!(shown, expected);
    }

    #[test]
    fn what_is_cut_says_so() {
        assert_eq!(cut_left("runs/some-name", 8), "…me-name");
        assert_eq!(cut_right("runs/some-name", 8), "runs/so…");
        assert_eq!(cut_left("zwölf", 5), "zwölf");
    }
}
