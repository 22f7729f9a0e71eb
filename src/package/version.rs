//! Versions: the manifest's own text, ordered as the original orders it.

use std::cmp::Ordering;
use std::fmt;

/// A version. Two versions are the same when their text is (`5.1` is not `5.10`, and `1.0` is not
/// `1.0.0`); which one is newer is decided by number, segment by segment.
#[derive(Clone, Debug, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(transparent)]
pub struct Version(String);

impl Version {
    /// Takes `text` as it is, when it can stand in a path and an identifier: not empty, at most 64
    /// characters of letters, digits and `. _ + ~ -`, not beginning with `.` or `-`.
    pub fn parse(text: &str) -> Result<Self, VersionError> {
        let fine = !text.is_empty()
            && text.len() <= 64
            && text.starts_with(|c: char| c.is_ascii_alphanumeric())
            && text.chars().all(|c| c.is_ascii_alphanumeric() || "._+~-".contains(c));
        if fine {
            Ok(Self(text.to_owned()))
        } else {
            let text: String = text.chars().take(80).collect();
            Err(VersionError { text: text.escape_debug().to_string() })
        }
    }

    /// The release that stands for a release that makes no sense (the original's rule).
    pub fn unknown() -> Self {
        Self("0.0.0".into())
    }

    /// The version as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Which of two versions is newer, as `Gem::Version` sees it: segments by number, letters
    /// before numbers (a prerelease), missing segments as 0. Equal numbers fall back to the text,
    /// so that the order is total and agrees with equality.
    fn compare(&self, other: &Self) -> Ordering {
        let (left, right) = (segments(&self.0), segments(&other.0));
        for index in 0..left.len().max(right.len()) {
            let zero = Segment::Number("");
            let order = left.get(index).unwrap_or(&zero).cmp(right.get(index).unwrap_or(&zero));
            if order != Ordering::Equal {
                return order;
            }
        }
        self.0.cmp(&other.0)
    }
}

#[derive(PartialEq, Eq)]
enum Segment<'a> {
    Letters(&'a str),
    /// Digits without leading zeros; as text, so that no number is too large.
    Number(&'a str),
}

impl Ord for Segment<'_> {
    fn cmp(&self, other: &Self) -> Ordering {
        match (self, other) {
            (Self::Letters(a), Self::Letters(b)) => a.cmp(b),
            (Self::Letters(_), Self::Number(_)) => Ordering::Less,
            (Self::Number(_), Self::Letters(_)) => Ordering::Greater,
            (Self::Number(a), Self::Number(b)) => a.len().cmp(&b.len()).then_with(|| a.cmp(b)),
        }
    }
}

impl PartialOrd for Segment<'_> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

fn segments(text: &str) -> Vec<Segment<'_>> {
    let mut found = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let digit = first.is_ascii_digit();
        let same = |c: char| c.is_ascii_alphanumeric() && c.is_ascii_digit() == digit;
        let end = rest.find(|c| !same(c)).unwrap_or(rest.len());
        if end == 0 {
            rest = &rest[first.len_utf8()..];
            continue;
        }
        let part = &rest[..end];
        found.push(if digit {
            Segment::Number(part.trim_start_matches('0'))
        } else {
            Segment::Letters(part)
        });
        rest = &rest[end..];
    }
    found
}

impl Ord for Version {
    fn cmp(&self, other: &Self) -> Ordering {
        self.compare(other)
    }
}

impl PartialOrd for Version {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

/// A text that is no version.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "version `{text}` is not valid: letters, digits and `. _ + ~ -`, beginning with a letter or \
     digit, at most 64"
)]
pub struct VersionError {
    text: String,
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn newer_is_decided_by_number() {
        let sorted = ["0.9", "1.0.a", "1.0", "1.0.0", "1.0.1", "1.2", "1.10", "5.3", "10"];
        let mut versions: Vec<_> =
            sorted.iter().rev().map(|text| Version::parse(text).unwrap()).collect();
        versions.sort();
        assert_eq!(versions.iter().map(Version::as_str).collect::<Vec<_>>(), sorted);
        assert_ne!(Version::parse("5.10").unwrap(), Version::parse("5.1").unwrap());
    }

    #[test]
    fn a_version_cannot_leave_its_place_in_a_path() {
        for bad in ["", "..", "../1", "1/2", "-rf", "1:2", "1 2", "1\n"] {
            assert!(Version::parse(bad).is_err(), "{bad:?}");
        }
    }

    proptest! {
        #[test]
        fn the_order_is_total(a in "[0-9a-z.]{1,8}", b in "[0-9a-z.]{1,8}", c in "[0-9a-z.]{1,8}") {
            let parse = |text: &str| Version::parse(text);
            if let (Ok(a), Ok(b), Ok(c)) = (parse(&a), parse(&b), parse(&c)) {
                prop_assert_eq!(a.cmp(&b), b.cmp(&a).reverse());
                prop_assert_eq!(a.cmp(&b) == Ordering::Equal, a == b);
                if a <= b && b <= c {
                    prop_assert!(a <= c);
                }
            }
        }
    }
}
