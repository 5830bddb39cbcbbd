//! Where and when numbers were measured: commit, machine, compiler, date.

use std::fs;
use std::num::NonZero;
use std::process::Command;
use std::time::{SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};

/// What identifies the source and the machine behind a set of numbers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Provenance {
    pub(crate) date: String,
    pub(crate) commit: String,
    pub(crate) work_tree: WorkTree,
    pub(crate) cpu: String,
    pub(crate) n_cores: usize,
    pub(crate) system: String,
    pub(crate) rustc: String,
}

/// Whether the commit says everything about the source.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum WorkTree {
    Clean,
    Changed,
    Unknown,
}

pub(crate) fn provenance() -> Provenance {
    let rustc = std::env::var("RUSTC").unwrap_or_else(|_| "rustc".into());
    Provenance {
        date: now(),
        commit: output("git", &["rev-parse", "HEAD"]).unwrap_or_else(unknown),
        work_tree: match output("git", &["status", "--porcelain"]) {
            Some(changes) if changes.is_empty() => WorkTree::Clean,
            Some(_) => WorkTree::Changed,
            None => WorkTree::Unknown,
        },
        cpu: fs::read_to_string("/proc/cpuinfo")
            .ok()
            .and_then(|text| cpu_model(&text))
            .or_else(|| output("sysctl", &["-n", "machdep.cpu.brand_string"]))
            .unwrap_or_else(|| std::env::consts::ARCH.to_owned()),
        n_cores: n_cores(),
        system: output("uname", &["-srm"]).unwrap_or_else(|| std::env::consts::OS.to_owned()),
        rustc: output(&rustc, &["--version"]).unwrap_or_else(unknown),
    }
}

/// The processors that this process may use.
pub(crate) fn n_cores() -> usize {
    std::thread::available_parallelism().map_or(1, NonZero::get)
}

fn unknown() -> String {
    "unknown".to_owned()
}

/// The trimmed stdout of a program, or nothing when it is absent or fails.
fn output(program: &str, arguments: &[&str]) -> Option<String> {
    let output = Command::new(program).args(arguments).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    output.status.success().then(|| text.trim().to_owned())
}

fn cpu_model(cpuinfo: &str) -> Option<String> {
    let line = cpuinfo
        .lines()
        .find(|line| line.starts_with("model name"))?;
    Some(line.split_once(':')?.1.trim().to_owned())
}

/// Date and time in UTC, to the minute.
pub(crate) fn now() -> String {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    utc_from_unix_seconds(since.map_or(0, |duration| duration.as_secs()))
}

/// Days to a civil date as in Howard Hinnant's `chrono`-compatible algorithms: years begin in
/// March, so that the leap day is a year's last.
fn utc_from_unix_seconds(seconds: u64) -> String {
    let days = seconds / 86_400 + 719_468;
    let era = days / 146_097;
    let day_of_era = days % 146_097;
    let year_of_era =
        (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 {
        month_from_march + 3
    } else {
        month_from_march - 9
    };
    let year = year_of_era + era * 400 + u64::from(month <= 2);
    let (hour, minute) = (seconds / 3_600 % 24, seconds / 60 % 60);
    format!("{year:04}-{month:02}-{day:02} {hour:02}:{minute:02} UTC")
}

/// A wall time as a reader says it.
pub(crate) fn duration(seconds: f64) -> String {
    if seconds < 60.0 {
        return format!("{seconds:.1} s");
    }
    let minutes = (seconds / 60.0).floor();
    if minutes < 60.0 {
        format!("{minutes} min {:.0} s", (seconds - 60.0 * minutes).floor())
    } else {
        let hours = (minutes / 60.0).floor();
        format!("{hours} h {} min", minutes - 60.0 * hours)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_civil() {
        assert_eq!(utc_from_unix_seconds(0), "1970-01-01 00:00 UTC");
        assert_eq!(utc_from_unix_seconds(951_827_696), "2000-02-29 12:34 UTC");
        assert_eq!(utc_from_unix_seconds(1_767_225_599), "2025-12-31 23:59 UTC");
        assert_eq!(utc_from_unix_seconds(4_107_542_400), "2100-03-01 00:00 UTC");
    }

    #[test]
    fn durations_have_two_units_at_most() {
        assert_eq!(duration(5.04), "5.0 s");
        assert_eq!(duration(119.99), "1 min 59 s");
        assert_eq!(duration(3_725.0), "1 h 2 min");
    }

    #[test]
    fn the_processor_is_read_from_cpuinfo() {
        let text = "processor\t: 0\nmodel name\t: Example CPU @ 2.0GHz\nflags\t: fma\n";
        assert_eq!(cpu_model(text).as_deref(), Some("Example CPU @ 2.0GHz"));
        assert_eq!(cpu_model("processor : 0"), None);
    }
}
