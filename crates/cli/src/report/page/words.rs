//! Numbers in words.

use juggle_metrics::Interval;

pub(super) fn number(value: f64, decimals: usize) -> String {
    match value {
        _ if value.is_nan() => "not a number".to_owned(),
        f64::INFINITY => "∞".to_owned(),
        f64::NEG_INFINITY => "−∞".to_owned(),
        _ => {
            let text = format!("{value:.decimals$}");
            // A minus sign is as wide as a digit, a hyphen is not.
            match text.strip_prefix('-') {
                Some(digits) if digits.chars().any(|c| ('1'..='9').contains(&c)) => {
                    format!("−{digits}")
                }
                Some(digits) => digits.to_owned(),
                None => text,
            }
        }
    }
}

/// `0.772 to 0.876`.
pub(super) fn range(low: f64, high: f64, decimals: usize) -> String {
    format!("{} to {}", number(low, decimals), number(high, decimals))
}

pub(super) fn interval(interval: Interval, decimals: usize) -> String {
    range(interval.low, interval.high, decimals)
}

/// `1,200 images`, `1 image`.
pub(super) fn count(n: usize, one: &str, many: &str) -> String {
    format!("{} {}", thousands(n), if n == 1 { one } else { many })
}

pub(super) fn thousands(n: usize) -> String {
    let digits = n.to_string();
    let mut text = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A duration of at most two units.
pub(super) fn duration(seconds: f64) -> String {
    if !seconds.is_finite() || seconds < 0.0 {
        return "unknown".to_owned();
    }
    if seconds < 60.0 {
        return format!("{seconds:.1} s");
    }
    let minutes = (seconds / 60.0).floor();
    if minutes < 60.0 {
        return format!("{minutes} min {:.0} s", (seconds - 60.0 * minutes).floor());
    }
    let hours = (minutes / 60.0).floor();
    format!("{hours} h {} min", minutes - 60.0 * hours)
}

/// A p-value: never as zero.
pub(super) fn p_value(p: f64) -> String {
    if p < 1e-4 {
        "below 0.0001".to_owned()
    } else {
        number(p, 4)
    }
}

/// Digits after the point of a metric, and its name with the unit.
pub(super) fn metric(name: &str) -> (usize, String) {
    if let Some((column @ ("precision" | "recall"), class)) = name.split_once(':') {
        return (3, format!("{column} of {class}"));
    }
    let (split, bare) = match name.strip_prefix("final_").unwrap_or(name).split_once('_') {
        Some(("train", bare)) => ("training ", bare),
        Some(("val", bare)) => ("validation ", bare),
        _ => ("", name),
    };
    let (decimals, words) = match bare {
        "accuracy" => (3, "accuracy"),
        "loss" => (4, "loss"),
        "psnr_db" => (2, "PSNR, dB"),
        "psnr_db_vs_last_frame" => (2, "PSNR against the last frame, dB"),
        "psnr_db_last_frame" => (2, "PSNR of copying, dB"),
        "ssim" => (4, "SSIM"),
        "ssim_vs_last_frame" => (4, "SSIM against the last frame"),
        "ssim_last_frame" => (4, "SSIM of copying"),
        "ssim_gaussian" => (4, "SSIM, Gaussian window"),
        other => (4, other),
    };
    (decimals, format!("{split}{words}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_that_are_none_are_said() {
        assert_eq!(number(f64::NAN, 2), "not a number");
        assert_eq!(number(f64::INFINITY, 2), "∞");
        assert_eq!(number(-0.004, 2), "0.00");
        assert_eq!(number(-0.25, 2), "−0.25");
    }

    #[test]
    fn words_fit_their_numbers() {
        assert_eq!(count(1, "image", "images"), "1 image");
        assert_eq!(count(77_539, "value", "values"), "77,539 values");
        assert_eq!(duration(119.99), "1 min 59 s");
        assert_eq!(duration(f64::NAN), "unknown");
        assert_eq!(p_value(1e-9), "below 0.0001");
        assert_eq!(metric("val_psnr_db"), (2, "validation PSNR, dB".to_owned()));
        assert_eq!(metric("final_train_loss"), (4, "training loss".to_owned()));
        assert_eq!(metric("recall:3"), (3, "recall of 3".to_owned()));
    }
}
