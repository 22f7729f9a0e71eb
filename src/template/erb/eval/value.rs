//! Values, as Ruby has them.

use crate::template::erb::pattern::Pattern;
use std::fmt::Write;
use std::rc::Rc;

/// A value. Lists live in the machine, which makes sharing them and dropping them simple.
#[derive(Clone, Debug)]
pub(super) enum Value {
    /// `nil`, and the variable that it came from.
    Nil(Option<Rc<str>>),
    Bool(bool),
    Int(i64),
    Float(f64),
    Text(String),
    /// A list, by its place in the machine.
    List(usize),
    /// A hash: a list of pairs.
    Map(usize),
    /// What a pattern found: a list of texts.
    Match(usize),
    /// From the first number to the last, both included.
    Span(i64, i64),
    Pattern(Rc<Pattern>),
    Env,
    File,
}

impl Value {
    /// Nothing, out of nowhere.
    pub(super) const NIL: Self = Self::Nil(None);

    /// What counts as true: all but `nil` and `false`.
    pub(super) fn is_true(&self) -> bool {
        !matches!(self, Self::Nil(_) | Self::Bool(false))
    }

    /// What Ruby calls its kind.
    pub(super) fn class(&self) -> &'static str {
        match self {
            Self::Nil(_) => "nil",
            Self::Bool(_) => "Boolean",
            Self::Int(_) => "Integer",
            Self::Float(_) => "Float",
            Self::Text(_) => "String",
            Self::List(_) => "Array",
            Self::Map(_) => "Hash",
            Self::Match(_) => "MatchData",
            Self::Span(..) => "Range",
            Self::Pattern(_) => "Regexp",
            Self::Env => "ENV",
            Self::File => "File",
        }
    }
}

impl From<bool> for Value {
    fn from(value: bool) -> Self {
        Self::Bool(value)
    }
}

/// A number as Ruby prints it: the shortest digits that mean it, with a point, and with an exponent
/// where it is very large or very small.
pub(super) fn float(number: f64) -> String {
    if number.is_nan() {
        return "NaN".into();
    }
    if number.is_infinite() {
        return if number > 0.0 { "Infinity".into() } else { "-Infinity".into() };
    }
    let size = number.abs();
    if size != 0.0 && !(1e-4..1e15).contains(&size) {
        let written = format!("{number:e}");
        let (digits, power) = written.split_once('e').unwrap_or((&written, "0"));
        let point = if digits.contains('.') { "" } else { ".0" };
        let power: i32 = power.parse().unwrap_or_default();
        let sign = if power < 0 { '-' } else { '+' };
        return format!("{digits}{point}e{sign}{:02}", power.abs());
    }
    let written = format!("{number}");
    if written.contains('.') { written } else { format!("{written}.0") }
}

/// A text as Ruby's `inspect` writes it.
pub(super) fn inspected(text: &str) -> String {
    let mut written = String::from("\"");
    let mut rest = text.chars().peekable();
    while let Some(next) = rest.next() {
        match next {
            '"' | '\\' => written.extend(['\\', next]),
            '\n' => written.push_str("\\n"),
            '\t' => written.push_str("\\t"),
            '\r' => written.push_str("\\r"),
            '\u{7}' => written.push_str("\\a"),
            '\u{8}' => written.push_str("\\b"),
            '\u{b}' => written.push_str("\\v"),
            '\u{c}' => written.push_str("\\f"),
            '\u{1b}' => written.push_str("\\e"),
            '#' if matches!(rest.peek(), Some('{' | '$' | '@')) => written.push_str("\\#"),
            control if control.is_control() => {
                // Writing to a String cannot fail.
                let _ = write!(written, "\\u{:04X}", u32::from(control));
            }
            plain => written.push(plain),
        }
    }
    written.push('"');
    written
}
