//! Digests: of what was downloaded, of files, of trees.

use std::fmt;

macro_rules! digest {
    ($(#[$doc:meta])* $name:ident, $bytes:literal, $what:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub [u8; $bytes]);

        impl $name {
            /// Reads hexadecimal digits, upper or lower case.
            pub fn parse(text: &str) -> Result<Self, DigestError> {
                let mut bytes = [0; $bytes];
                let wrong = || DigestError {
                    text: text.to_owned(), algorithm: $what, digits: 2 * $bytes,
                };
                if text.len() != 2 * $bytes || !text.bytes().all(|b| b.is_ascii_hexdigit()) {
                    return Err(wrong());
                }
                for (byte, digits) in bytes.iter_mut().zip(text.as_bytes().chunks(2)) {
                    let digits = std::str::from_utf8(digits).map_err(|_| wrong())?;
                    *byte = u8::from_str_radix(digits, 16).map_err(|_| wrong())?;
                }
                Ok(Self(bytes))
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{self}")
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
                to.collect_str(self)
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
                let text = String::deserialize(from)?;
                Self::parse(&text).map_err(serde::de::Error::custom)
            }
        }
    };
}

digest!(
    /// An MD5 digest: finds damage, stops nobody with intent.
    Md5, 16, "MD5"
);
digest!(
    /// A SHA-256 digest.
    Sha256, 32, "SHA-256"
);

/// A text that is no digest.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is no {algorithm} digest: {digits} hexadecimal digits are expected")]
pub struct DigestError {
    text: String,
    algorithm: &'static str,
    digits: usize,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_both_cases_and_nothing_else() {
        let text = "835ed97b00a61f0dae2e2b7a75c672db";
        assert_eq!(Md5::parse(text).unwrap().to_string(), text);
        assert_eq!(Md5::parse(&text.to_uppercase()).unwrap().to_string(), text);
        for wrong in [
            "",
            "83",
            &text[1..],
            "+35ed97b00a61f0dae2e2b7a75c672db",
            "é35ed97b00a61f0dae2e2b7a75c672d",
        ] {
            assert!(Md5::parse(wrong).is_err(), "{wrong}");
        }
    }
}
