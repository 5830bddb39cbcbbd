//! Moments as Optuna writes them: ISO 8601 with or without an offset.

use std::time::SystemTime;

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

/// In UTC with its offset and six digits, which Optuna 3.6 to 5.0 read.
pub(crate) fn write_aware(at: SystemTime) -> String {
    civil(at, &TimeZone::UTC)
        .strftime("%Y-%m-%dT%H:%M:%S.%6f+00:00")
        .to_string()
}

/// Without an offset, in this machine's zone: what the storage proxy takes and sends.
#[cfg(feature = "grpc")]
pub(crate) fn write_local(at: SystemTime) -> String {
    civil(at, &TimeZone::system())
        .strftime("%Y-%m-%d %H:%M:%S.%6f")
        .to_string()
}

/// With an offset or, as Optuna until 4.x and the storage proxy write it, without one: then in this machine's zone.
pub(crate) fn read(text: &str) -> Option<SystemTime> {
    let at = match text.parse::<Timestamp>() {
        Ok(at) => at,
        Err(_) => {
            let local: DateTime = text.parse().ok()?;
            TimeZone::system().to_timestamp(local).ok()?
        }
    };
    SystemTime::try_from(at).ok()
}

fn civil(at: SystemTime, zone: &TimeZone) -> DateTime {
    // Times beyond the year 9999 can only come from a broken clock.
    zone.to_datetime(Timestamp::try_from(at).unwrap_or(Timestamp::MAX))
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, UNIX_EPOCH};

    use super::*;

    fn at(seconds: u64, micros: u32) -> SystemTime {
        UNIX_EPOCH + Duration::new(seconds, micros * 1000)
    }

    #[test]
    fn moments_are_written_in_utc() {
        let text = "2026-11-25T16:04:52.000123+00:00";
        assert_eq!(write_aware(at(1_795_622_692, 123)), text);
        assert_eq!(read(text), Some(at(1_795_622_692, 123)));
    }

    #[test]
    fn offsets_are_read() {
        let early = read("2026-11-25T17:04:52+01:00");
        assert_eq!(early, Some(at(1_795_622_692, 0)));
        assert_eq!(read("yesterday"), None);
    }

    #[cfg(feature = "grpc")]
    #[test]
    fn local_moments_come_back() {
        let text = write_local(at(1_795_622_692, 654_321));
        assert_eq!(text.len(), "2026-11-25 16:04:52.654321".len());
        assert_eq!(read(&text), Some(at(1_795_622_692, 654_321)));
    }
}
