//! Digests of what was fetched, and the step from *staged* to *verified*.

use crate::error::{Exit, Explain};
use crate::package::digest::{Md5, Sha256};
use sha2::Digest;

/// The digests that somebody expects; what is not given is not checked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Checks {
    /// The expected MD5.
    pub md5: Option<Md5>,
    /// The expected SHA-256.
    pub sha256: Option<Sha256>,
}

impl Checks {
    /// Tells whether nothing is expected.
    pub fn is_empty(&self) -> bool {
        self.md5.is_none() && self.sha256.is_none()
    }
}

/// What was seen of a stream when it had ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seen {
    /// The MD5 of all its bytes.
    pub md5: Md5,
    /// The SHA-256 of all its bytes.
    pub sha256: Sha256,
    /// How many bytes there were.
    pub length: u64,
}

/// Computes both digests and the length in one pass.
#[derive(Clone, Debug, Default)]
pub struct Hasher {
    md5: md5::Md5,
    sha256: sha2::Sha256,
    length: u64,
}

impl Hasher {
    /// Adds `bytes`.
    pub fn update(&mut self, bytes: &[u8]) {
        self.md5.update(bytes);
        self.sha256.update(bytes);
        self.length += bytes.len() as u64;
    }

    /// How many bytes were added so far.
    pub fn length(&self) -> u64 {
        self.length
    }

    /// The digests of what was added so far.
    pub fn seen(&self) -> Seen {
        Seen {
            md5: Md5(self.md5.clone().finalize().into()),
            sha256: Sha256(self.sha256.clone().finalize().into()),
            length: self.length,
        }
    }
}

/// The bytes are not those that were expected.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the {algorithm} of `{what}` is {seen}, but {expected} was expected")]
pub struct WrongDigest {
    what: String,
    algorithm: &'static str,
    expected: String,
    seen: String,
}

impl Explain for WrongDigest {
    fn exit(&self) -> Exit {
        Exit::Integrity
    }
    fn hint(&self) -> Option<String> {
        Some("the file is damaged, or it is another release than the one that was meant".into())
    }
}

/// Something made from bytes that nobody has judged yet. It lies in private staging.
#[derive(Debug)]
pub struct Staged<T> {
    value: T,
    seen: Seen,
}

/// Something made from bytes of which every expected digest held.
#[derive(Debug)]
pub struct Verified<T> {
    value: T,
    seen: Seen,
}

impl<T> Staged<T> {
    /// Says that `value` was made from the bytes that gave `seen`.
    pub fn new(value: T, seen: Seen) -> Self {
        Self { value, seen }
    }

    /// Compares with every one of `checks`; `what` names the source in the error.
    pub fn verify(self, checks: &[Checks], what: &str) -> Result<Verified<T>, WrongDigest> {
        let Self { value, seen } = self;
        let wrong = |algorithm, expected: String, seen: String| {
            Err(WrongDigest { what: what.to_owned(), algorithm, expected, seen })
        };
        for check in checks {
            if let Some(sha256) = check.sha256.filter(|expected| *expected != seen.sha256) {
                return wrong("SHA-256", sha256.to_string(), seen.sha256.to_string());
            }
            if let Some(md5) = check.md5.filter(|expected| *expected != seen.md5) {
                return wrong("MD5", md5.to_string(), seen.md5.to_string());
            }
        }
        Ok(Verified { value, seen })
    }
}

impl<T> Verified<T> {
    /// What was verified, and the digests that were seen.
    pub fn into_parts(self) -> (T, Seen) {
        (self.value, self.seen)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(bytes: &[u8]) -> Seen {
        let mut hasher = Hasher::default();
        bytes.chunks(2).for_each(|chunk| hasher.update(chunk));
        hasher.seen()
    }

    #[test]
    fn both_digests_are_those_of_the_whole() {
        let seen = seen(b"abc");
        assert_eq!(seen.md5.to_string(), "900150983cd24fb0d6963f7d28e17f72");
        assert!(seen.sha256.to_string().starts_with("ba7816bf8f01cfea"));
        assert_eq!(seen.length, 3);
    }

    #[test]
    fn every_check_must_hold_and_the_error_names_both_digests() {
        let (abc, other) = (seen(b"abc"), seen(b"abd"));
        let right = Checks { md5: Some(abc.md5), sha256: Some(abc.sha256) };
        let upper = abc.md5.to_string().to_uppercase();
        let upper = Checks { md5: Md5::parse(&upper).ok(), sha256: None };
        assert!(Staged::new((), abc).verify(&[right, upper, Checks::default()], "x").is_ok());
        for wrong in [
            Checks { md5: Some(other.md5), sha256: Some(abc.sha256) },
            Checks { md5: Some(abc.md5), sha256: Some(other.sha256) },
        ] {
            let error = Staged::new((), abc).verify(&[right, wrong], "x").unwrap_err();
            let text = error.to_string();
            assert!(text.contains("of `x` is") && text.contains("was expected"), "{text}");
            assert_eq!(error.exit(), Exit::Integrity);
        }
    }
}
