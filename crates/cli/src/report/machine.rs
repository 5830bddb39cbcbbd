//! Where and when a report was made.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// What made a report.
#[derive(Debug, Clone)]
pub(crate) struct Made {
    /// As it was typed.
    pub(crate) command: String,
    pub(crate) version: &'static str,
    /// In UTC.
    pub(crate) date: String,
    pub(crate) cpu: String,
    pub(crate) system: String,
    pub(crate) threads: usize,
}

impl Made {
    /// By this process, now.
    pub(crate) fn now() -> Self {
        let words: Vec<String> = std::env::args_os()
            .skip(1)
            .map(|word| quoted(&word.to_string_lossy()))
            .collect();
        Self {
            command: format!("juggle {}", words.join(" ")),
            version: env!("CARGO_PKG_VERSION"),
            date: date(SystemTime::now()),
            cpu: cpu(),
            system: format!("{} {}", std::env::consts::OS, std::env::consts::ARCH),
            threads: rayon::current_num_threads(),
        }
    }
}

/// Seconds since 1970 as a date in UTC; nothing for 0, which stands for unknown.
pub(crate) fn date_of(unix_time_s: f64) -> Option<String> {
    let since = Duration::try_from_secs_f64(unix_time_s).ok()?;
    (unix_time_s > 0.0).then(|| date(UNIX_EPOCH + since))
}

fn date(time: SystemTime) -> String {
    humantime::format_rfc3339_seconds(time).to_string()
}

fn cpu() -> String {
    let text = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = text.lines().find_map(|line| {
        let (key, value) = line.split_once(':')?;
        (key.trim() == "model name").then(|| value.trim().to_owned())
    });
    model.unwrap_or_else(|| "unknown".to_owned())
}

/// A word as a shell takes it.
pub(crate) fn quoted(word: &str) -> String {
    let is_plain = |c: char| c.is_alphanumeric() || "-_./:=,+@%".contains(c);
    if !word.is_empty() && word.chars().all(is_plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_of_a_command_line_survive_a_shell() {
        assert_eq!(quoted("runs/a-1"), "runs/a-1");
        assert_eq!(quoted("two words"), "'two words'");
        assert_eq!(quoted("it's"), r"'it'\''s'");
        assert_eq!(quoted(""), "''");
    }

    #[test]
    fn dates_are_in_utc_and_unknown_ones_are_left_out() {
        assert_eq!(
            date_of(951_827_696.7).as_deref(),
            Some("2000-02-29T12:34:56Z")
        );
        assert_eq!(date_of(0.0), None);
        assert_eq!(date_of(f64::NAN), None);
    }
}
