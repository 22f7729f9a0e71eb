//! Customization points: what the owner of a site can choose (UBOS specification, 1.5).
//!
//! Owns which values a point takes. Messages never repeat a value: it may be a password.

use super::chosen::Chosen;
use super::name::PointName;
use regex_lite::{Regex, RegexBuilder};
use serde_json::Value as Json;

/// The most memory that a compiled pattern may take, in bytes.
const LARGEST_PATTERN: usize = 1 << 20;

/// One customization point.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Point {
    /// By which it is set, and known to templates.
    pub name: PointName,
    /// What people call it.
    pub label: Option<String>,
    /// Which values it takes.
    pub kind: PointKind,
    /// Whether a site must set it.
    pub required: bool,
    /// What it is where the site says nothing; always there when it is not required.
    pub default: Option<PointDefault>,
    /// What a text must have in it, somewhere.
    pub regex: Option<Pattern>,
    /// Whether it is nobody's business: shown to nobody, and never in a file.
    pub private: bool,
    /// Whether people are never asked for it.
    pub internal: bool,
    /// Its place among the questions.
    pub index: Option<i64>,
}

/// What a point is where nobody has chosen.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum PointDefault {
    /// This, which has been checked.
    Value(Chosen),
    /// What this text with variables becomes, evaluated once for each site.
    Expression(String),
}

/// The types of customization points.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum PointKind {
    /// A text of one line.
    String,
    /// An address for mail.
    Email,
    /// A URL of HTTP.
    Url,
    /// Any text.
    Text,
    /// A picture.
    Image,
    /// At least four characters, without white space.
    Password,
    /// True or false.
    Boolean,
    /// A whole number.
    Integer,
    /// A whole number from 1.
    PositiveInteger,
    /// A whole number from 0.
    PositiveIntegerOrZero,
    /// A number.
    Float,
}

impl PointKind {
    /// Every type with its name in manifests.
    pub const ALL: [(&'static str, Self); 11] = [
        ("string", Self::String),
        ("email", Self::Email),
        ("url", Self::Url),
        ("text", Self::Text),
        ("image", Self::Image),
        ("password", Self::Password),
        ("boolean", Self::Boolean),
        ("integer", Self::Integer),
        ("positiveinteger", Self::PositiveInteger),
        ("positiveintegerorzero", Self::PositiveIntegerOrZero),
        ("float", Self::Float),
    ];

    /// The type that manifests call `text`.
    pub fn named(text: &str) -> Option<Self> {
        Self::ALL.iter().find(|(name, _)| *name == text).map(|(_, kind)| *kind)
    }

    /// Tells whether a point of the type may have a pattern.
    pub fn takes_regex(self) -> bool {
        matches!(self, Self::String | Self::Password)
    }

    /// What it takes, in words.
    pub fn rule(self) -> &'static str {
        match self {
            Self::String => "a text of one line",
            Self::Email => "an address of mail, `name@host`",
            Self::Url => "a URL that begins with `http://` or `https://`",
            Self::Text => "a text",
            Self::Image => "an image",
            Self::Password => "at least four characters, without white space",
            Self::Boolean => "`true` or `false`",
            Self::Integer => "a whole number",
            Self::PositiveInteger => "a whole number from 1",
            Self::PositiveIntegerOrZero => "a whole number from 0",
            Self::Float => "a number",
        }
    }

    /// Tells whether `text` is written as the type has it.
    fn fits(self, text: &str) -> bool {
        let digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
        let unsigned = |text: &'_ str| digits(text.strip_prefix('-').unwrap_or(text));
        match self {
            Self::String => !text.contains('\n'),
            Self::Text | Self::Image => true,
            Self::Email => email(text),
            Self::Url => {
                let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
                rest.is_some_and(|rest| !rest.is_empty() && !rest.contains(char::is_whitespace))
            }
            Self::Password => text.chars().count() >= 4 && !text.contains(char::is_whitespace),
            Self::Boolean => truth(text).is_some(),
            Self::Integer => unsigned(text),
            Self::PositiveInteger => digits(text) && !text.starts_with('0'),
            Self::PositiveIntegerOrZero => digits(text),
            Self::Float => float(text),
        }
    }
}

fn email(text: &str) -> bool {
    let Some((name, host)) = text.rsplit_once('@') else { return false };
    let fine = |c: char| !c.is_whitespace() && !c.is_control();
    !name.is_empty()
        && !name.contains('@')
        && name.chars().all(fine)
        && host.split('.').count() > 1
        && host.split('.').all(|label| !label.is_empty() && label.chars().all(fine))
}

fn truth(text: &str) -> Option<bool> {
    match text {
        "true" | "1" => Some(true),
        "false" | "0" => Some(false),
        _ => None,
    }
}

/// `-?d+(.d+)?(e±d+)?`
fn float(text: &str) -> bool {
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    let text = text.strip_prefix('-').unwrap_or(text);
    let (number, exponent) = match text.split_once(['e', 'E']) {
        Some((number, exponent)) => (number, Some(exponent)),
        None => (text, None),
    };
    let (whole, fraction) = match number.split_once('.') {
        Some((whole, fraction)) => (whole, Some(fraction)),
        None => (number, None),
    };
    let signed = |text: &str| digits(text.strip_prefix(['+', '-']).unwrap_or(text));
    digits(whole) && fraction.is_none_or(digits) && exponent.is_none_or(signed)
}

/// A pattern that a text must have in it, somewhere: it is not anchored.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(transparent)]
pub struct Pattern(String);

impl Pattern {
    /// Checks that `text` is a pattern that can be matched in bounded time; the error says why not.
    pub fn parse(text: &str) -> Result<Self, String> {
        compiled(text).map(|_| Self(text.to_owned()))
    }

    /// The pattern as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Tells whether it is found in `text`.
    pub fn is_in(&self, text: &str) -> bool {
        compiled(&self.0).is_ok_and(|regex| regex.is_match(text))
    }
}

impl<'de> serde::Deserialize<'de> for Pattern {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = String::deserialize(from)?;
        Self::parse(&text).map_err(serde::de::Error::custom)
    }
}

fn compiled(text: &str) -> Result<Regex, String> {
    let built = RegexBuilder::new(text).size_limit(LARGEST_PATTERN).build();
    built.map_err(|error| error.to_string().escape_debug().to_string())
}

impl Point {
    /// The value that `given` is for this point: booleans become those of JSON, whatever way they
    /// were written, and everything else stays as it is. The error is the rule, without the value.
    pub fn accept(&self, given: &Chosen) -> Result<Chosen, String> {
        let rule = || self.kind.rule().to_owned();
        let value = match given {
            Chosen::Plain(value) => value,
            Chosen::Bytes(_) if self.kind == PointKind::Image => return Ok(given.clone()),
            Chosen::Bytes(bytes) => {
                let text = std::str::from_utf8(bytes).map_err(|_| rule())?;
                return self.accept(&Chosen::Plain(text.into()));
            }
        };
        let text = match value {
            Json::String(text) => text.clone(),
            Json::Number(number) => number.to_string(),
            Json::Bool(true) => "1".to_owned(),
            // What Perl makes of false in a text.
            Json::Bool(false) if self.kind == PointKind::Boolean => "0".to_owned(),
            Json::Bool(false) => String::new(),
            Json::Null | Json::Array(_) | Json::Object(_) => return Err(rule()),
        };
        if !self.kind.fits(&text) {
            return Err(rule());
        }
        if let Some(regex) = self.regex.as_ref().filter(|regex| !regex.is_in(&text)) {
            return Err(format!("a text in which `{}` matches", regex.as_str().escape_debug()));
        }
        Ok(match self.kind {
            PointKind::Boolean => Chosen::Plain(Json::Bool(truth(&text) == Some(true))),
            _ => given.clone(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn point(kind: &str, regex: Option<&str>) -> Point {
        Point {
            name: PointName::parse("p").unwrap(),
            label: None,
            kind: PointKind::named(kind).unwrap(),
            required: true,
            default: None,
            regex: regex.map(|regex| Pattern::parse(regex).unwrap()),
            private: false,
            internal: false,
            index: None,
        }
    }

    fn plain(value: &Json) -> Chosen {
        Chosen::Plain(value.clone())
    }

    #[test]
    fn bytes_are_an_image_or_the_text_that_they_spell() {
        let bytes = Chosen::Bytes(vec![0xff, 0]);
        assert_eq!(point("image", None).accept(&bytes), Ok(bytes.clone()));
        assert!(point("text", None).accept(&bytes).is_err());
        let text = Chosen::Bytes(b"abc".to_vec());
        assert_eq!(point("string", None).accept(&text), Ok(plain(&json!("abc"))));
        assert!(point("password", None).accept(&text).is_err());
    }

    #[test]
    fn every_type_takes_what_it_says_and_nothing_else() {
        for (kind, good, bad) in [
            ("string", vec![json!(""), json!("a b"), json!(7)], vec![json!("a\nb"), json!(null)]),
            ("email", vec![json!("a@b.c")], vec![json!("a@b"), json!("@b.c"), json!("a b@c.d")]),
            ("url", vec![json!("http://x")], vec![json!("ftp://x"), json!("http://"), json!("x")]),
            ("text", vec![json!("a\nb")], vec![json!([]), json!({})]),
            ("password", vec![json!("abcd")], vec![json!("abc"), json!("ab cd")]),
            ("integer", vec![json!(-12), json!("12"), json!(0)], vec![json!(1.5), json!("+1")]),
            ("positiveinteger", vec![json!(1)], vec![json!(0), json!(-1), json!("01")]),
            ("positiveintegerorzero", vec![json!(0), json!("01")], vec![json!(-1), json!("")]),
            ("float", vec![json!(1.5), json!("-1.5e+3")], vec![json!("1."), json!("e1")]),
            ("boolean", vec![json!(true), json!("0")], vec![json!("yes"), json!(2), json!("")]),
        ] {
            let point = point(kind, None);
            for value in good {
                assert!(point.accept(&Chosen::Plain(value.clone())).is_ok(), "{kind} {value}");
            }
            for value in bad {
                assert!(point.accept(&Chosen::Plain(value.clone())).is_err(), "{kind} {value}");
            }
        }
    }

    #[test]
    fn booleans_become_those_of_json() {
        let point = point("boolean", None);
        for (given, value) in [
            (json!(0), false),
            (json!(1), true),
            (json!("0"), false),
            (json!("1"), true),
            (json!("false"), false),
            (json!("true"), true),
            (json!(false), false),
            (json!(true), true),
        ] {
            assert_eq!(point.accept(&plain(&given)), Ok(plain(&json!(value))), "{given}");
        }
        let number = super::tests::point("integer", None);
        let given = plain(&json!("07"));
        assert_eq!(number.accept(&given), Ok(given), "written as the user did");
    }

    #[test]
    fn a_pattern_need_not_cover_the_whole_text() {
        let point = point("string", Some("[-a-z]+[1-9]"));
        assert!(point.accept(&plain(&json!("  ab1  "))).is_ok());
        let error = point.accept(&plain(&json!("SECRET"))).unwrap_err();
        assert!(error.contains("[1-9]") && !error.contains("SECRET"), "{error}");
    }

    #[test]
    fn a_pattern_that_would_take_for_ever_does_not() {
        let long = "a".repeat(5000);
        let point = point("string", Some("^(a+)+$"));
        assert!(point.accept(&plain(&json!(format!("{long}!")))).is_err());
        for bad in ["(", "a{1,9999999}{1,9999999}", &"(".repeat(10_000)] {
            assert!(Pattern::parse(bad).is_err());
        }
    }
}
