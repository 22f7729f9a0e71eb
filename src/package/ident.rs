//! Names: of formats, vendors, packages and variables.

use std::fmt;

/// The longest name or vendor (the original's rule).
const LONGEST: usize = 32;

/// A package format.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize,
)]
#[serde(rename_all = "lowercase")]
pub enum FormatName {
    /// A cartridge, as `OpenShift` v2 defined it.
    Cartridge,
    /// A package of `tpkg`.
    Tpkg,
    /// An app or accessory of UBOS.
    Ubos,
}

impl FormatName {
    /// The name as it stands in the database and in paths.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Cartridge => "cartridge",
            Self::Tpkg => "tpkg",
            Self::Ubos => "ubos",
        }
    }
}

/// Why a text is no name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum IdentError {
    /// It has characters that the rule does not allow.
    #[error("{what} `{text}` is not valid: {rule}")]
    Invalid {
        /// What the text should have been.
        what: &'static str,
        /// The text, escaped.
        text: String,
        /// The rule, in words.
        rule: &'static str,
    },
    /// It belongs to the platform.
    #[error("{what} `{text}` is reserved")]
    Reserved {
        /// What the text should have been.
        what: &'static str,
        /// The text.
        text: String,
    },
}

macro_rules! ident {
    ($(#[$doc:meta])* $name:ident, $check:expr) => {
        ident!($(#[$doc])* $name, $check, stored: $name::parse);
    };
    ($(#[$doc:meta])* $name:ident, $check:expr, stored: $stored:path) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
        #[serde(transparent)]
        pub struct $name(String);

        impl $name {
            /// Checks `text` against the rule.
            pub fn parse(text: &str) -> Result<Self, IdentError> {
                let check: fn(&str) -> Result<(), IdentError> = $check;
                check(text)?;
                Ok(Self(text.to_owned()))
            }

            /// The name as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(&self.0)
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
                let text = String::deserialize(from)?;
                $stored(&text).map_err(serde::de::Error::custom)
            }
        }
    };
}

pub(super) use ident;

ident!(
    /// Who distributes a package: `[a-z0-9][a-z0-9_]*`, at most 32 characters.
    Vendor,
    |text| {
        let rule = "lower-case letters, digits and `_`, beginning and ending with a letter or \
                    digit, at most 32";
        let fine = well_formed(text, |c| c == '_');
        if fine { Ok(()) } else { Err(invalid("vendor", text, rule)) }
    }
);
ident!(
    /// A package's name: `[a-z0-9][-._a-z0-9]*[a-z0-9]`, at most 32 characters, and neither
    /// `app-root` nor `git`, which are folders of every gear. A tpkg package, which never lies in a
    /// gear, may be called otherwise: see [`Name::of_tpkg`].
    Name,
    |text| {
        let rule = "lower-case letters, digits, `-`, `.` and `_`, beginning and ending with a \
                    letter or digit, at most 32";
        if !well_formed(text, |c| matches!(c, '-' | '.' | '_')) {
            return Err(invalid("name", text, rule));
        }
        if matches!(text, "app-root" | "git") {
            return Err(IdentError::Reserved { what: "name", text: text.to_owned() });
        }
        Ok(())
    },
    stored: Name::of_any
);

impl Name {
    /// Checks the name of a tpkg package: nearly everything that can be part of a file's name, as
    /// the original checks nothing at all.
    pub fn of_tpkg(text: &str) -> Result<Self, IdentError> {
        let rule = "no `/`, no control character, no blank, `.` or `-` at its beginning, no blank \
                    at its end, at most 240 bytes";
        let fine = !text.is_empty()
            && text.len() <= 240
            && !text.starts_with(['.', '-'])
            && text.trim() == text
            && !text.contains(|c: char| c == '/' || c.is_control());
        if fine { Ok(Self(text.to_owned())) } else { Err(invalid("name", text, rule)) }
    }

    /// Takes the name of a UBOS package, which may be longer than a cartridge's.
    pub fn of_ubos(name: &super::ubos::name::PackageName) -> Result<Self, IdentError> {
        Self::of_tpkg(name.as_str())
    }

    /// What is recorded was checked when it was read.
    fn of_any(text: &str) -> Result<Self, IdentError> {
        Self::parse(text).or_else(|_| Self::of_tpkg(text))
    }
}

ident!(
    /// The prefix of a package's variables: a part of a variable's name, upper case. It may begin
    /// with a digit, as the official `10GENMMSAGENT` does: `OPENSHIFT_` always stands before it.
    ShortName,
    |text| {
        let rule = "letters, digits and `_`, without `-`, beginning with a letter or digit, at most \
                    64";
        let fine = text.len() <= 64
            && text.starts_with(|c: char| c.is_ascii_uppercase() || c.is_ascii_digit())
            && text.chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_');
        if fine { Ok(()) } else { Err(invalid("short name", text, rule)) }
    }
);
ident!(
    /// The name of an environment variable: `[A-Za-z_][A-Za-z0-9_]*`, at most 128 characters.
    EnvName,
    |text| {
        let rule = "letters, digits and `_`, not beginning with a digit, at most 128";
        let fine = text.len() <= 128
            && text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
            && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
        if fine { Ok(()) } else { Err(invalid("variable", text, rule)) }
    }
);
ident!(
    /// A gear's name: `[a-z][a-z0-9-]*`, at most 32 characters; a folder and a part of a host name.
    GearName,
    |text| {
        let rule = "lower-case letters, digits and `-`, beginning with a letter, not ending with \
                    `-`, at most 32";
        let fine = text.len() <= LONGEST
            && text.starts_with(|c: char| c.is_ascii_lowercase())
            && !text.ends_with('-')
            && text.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-');
        if fine { Ok(()) } else { Err(invalid("gear name", text, rule)) }
    }
);
ident!(
    /// The name of a host in the DNS: labels of lower-case letters, digits and `-`, joined by dots,
    /// at most 253 characters, each label at most 63.
    HostName,
    |text| {
        let rule = "labels of lower-case letters, digits and `-`, none beginning or ending with \
                    `-`, joined by dots, each at most 63, all at most 253";
        let inner = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        let label = |label: &str| {
            !label.is_empty()
                && label.len() <= 63
                && !label.starts_with('-')
                && !label.ends_with('-')
                && label.chars().all(inner)
        };
        let fine = text.len() <= 253 && text.split('.').all(label);
        if fine { Ok(()) } else { Err(invalid("host name", text, rule)) }
    }
);

fn well_formed(text: &str, inner: fn(char) -> bool) -> bool {
    let edge = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    !text.is_empty()
        && text.len() <= LONGEST
        && text.starts_with(edge)
        && text.ends_with(edge)
        && text.chars().all(|c| edge(c) || inner(c))
}

/// The error of a text that is no `what`.
pub(super) fn invalid(what: &'static str, text: &str, rule: &'static str) -> IdentError {
    let text: String = text.chars().take(80).collect();
    IdentError::Invalid { what, text: text.escape_debug().to_string(), rule }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_follow_the_originals_rules() {
        for good in ["php", "php-5.3", "0a", "a", "mock-plugin", &"x".repeat(32)] {
            assert!(Name::parse(good).is_ok(), "{good}");
        }
        for bad in ["", "0a-", "PHP", "git", "app-root", "../x", "a/b", "é", &"x".repeat(33)] {
            assert!(Name::parse(bad).is_err(), "{bad}");
        }
        assert!(Vendor::parse("0a_").is_err());
        assert!(Vendor::parse(&"v".repeat(33)).is_err());
        assert!(Vendor::parse("red_hat2").is_ok());
        assert!(ShortName::parse("MOCK-PLUGIN").is_err());
        assert!(ShortName::parse("10GENMMSAGENT").is_ok());
        assert!(EnvName::parse("A=B").is_err());
        assert!(GearName::parse("blog-2").is_ok());
        assert!(GearName::parse("2blog").is_err());
        assert!(HostName::parse("blog-local.example.org").is_ok());
        for bad in ["", "a..b", "-a.b", "a-.b", "A.b", "a;b", "a b", "*.b", "~a", &"x".repeat(64)] {
            assert!(HostName::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn names_of_tpkg_packages_are_parts_of_file_names_whatever_else() {
        for good in ["php", "perl-XML-Parser", "a b", "it's", "$(id)", "a++", &"x".repeat(240)] {
            assert_eq!(Name::of_tpkg(good).unwrap().as_str(), good);
        }
        for bad in ["", "../x", "a/b", ".x", "-rf", "a\nb", " a", "a ", &"x".repeat(241)] {
            assert!(Name::of_tpkg(bad).is_err(), "{bad:?}");
        }
        let stored: Name = serde_json::from_str("\"Perl\"").unwrap();
        assert_eq!(stored.as_str(), "Perl");
        assert!(serde_json::from_str::<Name>("\"a/b\"").is_err());
    }

    #[test]
    fn what_is_printed_of_a_bad_name_cannot_steer_a_terminal() {
        let error = Name::parse("\x1b[2J").unwrap_err();
        assert!(!error.to_string().contains('\x1b'));
    }
}
