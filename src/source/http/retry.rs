//! Patience: how often and how long to wait before a request is made again.

use super::super::error::SourceError;
use super::super::feed::Link;
use crate::sys::clock::Moment;
use crate::sys::random;
use std::time::Duration;

/// The first pause; each further one is twice as long.
const FIRST: Duration = Duration::from_millis(250);
/// The longest pause of our own choice.
const LONGEST: Duration = Duration::from_secs(20);
/// The longest pause that a server may ask for; beyond that the person decides.
const LONGEST_ASKED: Duration = Duration::from_secs(120);
/// After so many new bytes an earlier failure is forgotten.
const PROGRESS: u64 = 1 << 20;

/// What is left of the will to try again.
pub(super) struct Patience {
    retries: u32,
    used: u32,
    at: u64,
}

impl Patience {
    /// Allows `retries` failures in a row.
    pub(super) fn new(retries: u32) -> Self {
        Self { retries, used: 0, at: 0 }
    }

    /// Waits if the failure may pass and patience is left, else gives it back. `length` is how
    /// much has come so far.
    pub(super) fn after(
        &mut self,
        error: SourceError,
        length: u64,
        link: &Link,
    ) -> Result<(), SourceError> {
        if length >= self.at + PROGRESS {
            self.used = 0;
        }
        self.at = length;
        if !error.may_pass() || self.used >= self.retries {
            return Err(error);
        }
        let pause = match &error {
            SourceError::Status { retry_after: Some(asked), .. } => *asked,
            _ => backoff(self.used),
        };
        if pause > LONGEST_ASKED || link.time_left().is_some_and(|left| left <= pause) {
            return Err(error);
        }
        self.used += 1;
        link.note(format!("{error}; trying again in {:.1} s", pause.as_secs_f64()));
        link.wait(pause)
    }
}

/// Doubles with each failure, between half and one and a half times that: many clients that failed
/// together should not come back together.
fn backoff(used: u32) -> Duration {
    let pause = FIRST.saturating_mul(1 << used.min(16)).min(LONGEST);
    let random = random::hex(1).ok().and_then(|digits| u8::from_str_radix(&digits, 16).ok());
    pause.mul_f64(0.5 + f64::from(random.unwrap_or(128)) / 256.0)
}

/// Reads a `Retry-After`: seconds, or a date.
pub(super) fn retry_after(text: &str, now: Moment) -> Option<Duration> {
    if let Ok(seconds) = text.trim().parse() {
        return Some(Duration::from_secs(seconds));
    }
    let then = http_date(text.trim())?;
    let seconds = then.saturating_sub(now.0.div_euclid(1000));
    Some(Duration::from_secs(u64::try_from(seconds).unwrap_or(0)))
}

/// Reads `Sat, 21 Nov 2026 07:05:00 GMT`, the one form that servers may send, as seconds since 1970.
fn http_date(text: &str) -> Option<i64> {
    const MONTHS: [&str; 12] =
        ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let (_, date) = text.split_once(", ")?;
    let [day, month, year, time, "GMT"] = date.split(' ').collect::<Vec<_>>()[..] else {
        return None;
    };
    let month = i64::try_from(MONTHS.iter().position(|name| *name == month)?).ok()? + 1;
    let [hour, minute, second] = time.split(':').collect::<Vec<_>>()[..] else { return None };
    let number =
        |text: &str, most: i64| text.parse::<i64>().ok().filter(|n| (0..=most).contains(n));
    let days = days_since_1970(number(year, 9999)?, month, number(day, 31)?);
    Some(days * 86_400 + number(hour, 23)? * 3600 + number(minute, 59)? * 60 + number(second, 60)?)
}

/// Days from 1970 to a date of the Gregorian calendar.
fn days_since_1970(year: i64, month: i64, day: i64) -> i64 {
    // Years that begin in March put the leap day last.
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let leap_days = year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400);
    year * 365 + leap_days + (153 * month + 2) / 5 + day - 1 - 719_468
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn retry_after_is_seconds_or_a_date() {
        let now = Moment(1_795_244_690_000);
        for (text, seconds) in [
            ("1", Some(1)),
            (" 120 ", Some(120)),
            ("Sat, 21 Nov 2026 07:05:00 GMT", Some(10)),
            ("Tue, 29 Feb 2000 00:00:00 GMT", Some(0)),
            ("-1", None),
            ("soon", None),
            ("Sat, 21 Nix 2026 07:05:00 GMT", None),
        ] {
            assert_eq!(retry_after(text, now), seconds.map(Duration::from_secs), "{text}");
        }
        assert_eq!(http_date("Tue, 29 Feb 2000 00:00:00 GMT"), Some(951_782_400));
    }

    #[test]
    fn pauses_grow_and_stay_within_bounds() {
        for used in 0..40 {
            let middle = FIRST.saturating_mul(1 << used.min(16)).min(LONGEST);
            let pause = backoff(used);
            assert!(pause >= middle / 2 && pause <= middle * 3 / 2, "{used}: {pause:?}");
        }
    }
}
