//! Numbers and times for people. JSON gets bytes and RFC 3339 instead.

use crate::sys::clock::Moment;

const MINUTE: i64 = 60;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;

/// A number of bytes in IEC units, to one decimal: `14.0 MiB`.
pub fn size(bytes: u64) -> String {
    const UNITS: [&str; 6] = ["KiB", "MiB", "GiB", "TiB", "PiB", "EiB"];
    if bytes < 1024 {
        return format!("{bytes} B");
    }
    // Whole arithmetic: tenths of the unit, rounded to the nearest.
    let mut tenths = u128::from(bytes) * 10;
    let mut units = UNITS.iter();
    let mut unit = "B";
    while tenths >= 10 * 1024 - 5 {
        let Some(next) = units.next() else { break };
        unit = next;
        tenths = (tenths + 512) / 1024;
    }
    format!("{}.{} {unit}", tenths / 10, tenths % 10)
}

/// How long before `now` a moment was; a date when that is more than a month, or in the future.
pub fn ago(moment: Moment, now: Moment) -> String {
    let seconds = (now.0 - moment.0).div_euclid(1000);
    match seconds {
        0..MINUTE => "just now".into(),
        MINUTE..HOUR => format!("{} min ago", seconds / MINUTE),
        HOUR..DAY => format!("{} h ago", seconds / HOUR),
        _ if (DAY..2 * DAY).contains(&seconds) => "1 day ago".into(),
        _ if (2 * DAY..31 * DAY).contains(&seconds) => format!("{} days ago", seconds / DAY),
        _ => moment.rfc3339().chars().take_while(|c| *c != 'T').collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::{ago, size};
    use crate::sys::clock::Moment;

    #[test]
    fn sizes_have_one_decimal_and_never_four_digits() {
        for (bytes, text) in [
            (0, "0 B"),
            (1023, "1023 B"),
            (1024, "1.0 KiB"),
            (1536, "1.5 KiB"),
            (14 << 20, "14.0 MiB"),
            ((1 << 20) - 1, "1.0 MiB"),
            (5 << 30, "5.0 GiB"),
            (u64::MAX, "16.0 EiB"),
        ] {
            assert_eq!(size(bytes), text, "{bytes}");
        }
    }

    #[test]
    fn times_are_told_by_their_distance_and_old_ones_by_their_date() {
        let now = Moment(1_795_244_700_000);
        for (seconds, text) in [
            (0, "just now"),
            (59, "just now"),
            (60, "1 min ago"),
            (3 * 3600 + 5, "3 h ago"),
            (30 * 3600, "1 day ago"),
            (49 * 3600, "2 days ago"),
            (40 * 86_400, "2026-10-12"),
            (-3600, "2026-11-21"),
        ] {
            assert_eq!(ago(Moment(now.0 - seconds * 1000), now), text, "{seconds}");
        }
    }
}
