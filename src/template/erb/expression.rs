//! Expressions of Ruby, as far as templates of level A use them.

use std::collections::BTreeMap;

/// An expression whose value is text, or nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Expression {
    /// Text in quotes.
    Text(String),
    /// `ENV['NAME']`.
    Variable(String),
    /// `"text#{expression}"`: nothing counts as empty here.
    Interpolated(Vec<Expression>),
    /// `a + b`: nothing cannot be added.
    Sum(Box<Expression>, Box<Expression>),
}

/// Tells whether code is blank or a comment.
pub(super) fn is_nothing(code: &str) -> bool {
    let code = code.trim();
    code.is_empty() || (code.starts_with('#') && !code.contains('\n'))
}

/// Reads an expression. The error names what this engine does not know.
pub(super) fn parse(code: &str) -> Result<Expression, String> {
    let mut reader = Reader { rest: code };
    let expression = reader.sum()?;
    reader.skip_space();
    if reader.rest.is_empty() || reader.rest.starts_with('#') {
        Ok(expression)
    } else {
        Err(reader.unknown())
    }
}

/// The value of an expression; the error is the variable that is not set and would have to be.
pub(super) fn value(
    expression: &Expression,
    variables: &BTreeMap<String, String>,
) -> Result<Option<String>, String> {
    match expression {
        Expression::Text(text) => Ok(Some(text.clone())),
        Expression::Variable(name) => Ok(variables.get(name).cloned()),
        Expression::Interpolated(parts) => {
            let mut text = String::new();
            for part in parts {
                text.push_str(&value(part, variables)?.unwrap_or_default());
            }
            Ok(Some(text))
        }
        Expression::Sum(left, right) => {
            let both = [left, right].map(|side| {
                let found = value(side, variables)?;
                found.ok_or_else(|| unset(side))
            });
            let [left, right] = both;
            Ok(Some(left? + &right?))
        }
    }
}

/// The variable because of which an expression has no value.
fn unset(expression: &Expression) -> String {
    match expression {
        Expression::Variable(name) => name.clone(),
        Expression::Sum(left, _) => unset(left),
        Expression::Text(_) | Expression::Interpolated(_) => String::new(),
    }
}

struct Reader<'a> {
    rest: &'a str,
}

impl Reader<'_> {
    fn skip_space(&mut self) {
        self.rest = self.rest.trim_start();
    }

    fn eat(&mut self, token: &str) -> bool {
        self.skip_space();
        match self.rest.strip_prefix(token) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }

    fn unknown(&self) -> String {
        let shown: String = self.rest.trim().chars().take_while(|c| *c != '\n').take(40).collect();
        if shown.is_empty() {
            return "an expression is missing: there is nothing to print".into();
        }
        format!("`{}` is not supported in templates", shown.escape_debug())
    }

    fn sum(&mut self) -> Result<Expression, String> {
        let mut left = self.term()?;
        while self.eat("+") {
            left = Expression::Sum(Box::new(left), Box::new(self.term()?));
        }
        Ok(left)
    }

    fn term(&mut self) -> Result<Expression, String> {
        let mut term = self.operand()?;
        while self.eat(".to_s") {
            if self.rest.starts_with(|c: char| c.is_alphanumeric() || c == '_') {
                return Err(self.unknown());
            }
            term = Expression::Interpolated(vec![term]);
        }
        Ok(term)
    }

    fn operand(&mut self) -> Result<Expression, String> {
        self.skip_space();
        if self.eat("(") {
            let inner = self.sum()?;
            return if self.eat(")") { Ok(inner) } else { Err("`)` is missing".into()) };
        }
        if self.rest.starts_with(['\'', '"']) {
            return self.strings();
        }
        if self.rest.starts_with(|c: char| c.is_ascii_digit()) {
            return self.number();
        }
        if self.rest.starts_with("ENV") {
            return self.variable();
        }
        Err(self.unknown())
    }

    fn number(&mut self) -> Result<Expression, String> {
        let end = self.rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(self.rest.len());
        let (digits, rest) = self.rest.split_at(end);
        if digits.len() > 1 && digits.starts_with('0') {
            return Err(self.unknown());
        }
        self.rest = rest;
        Ok(Expression::Text(digits.to_owned()))
    }

    fn variable(&mut self) -> Result<Expression, String> {
        let whole = self.rest;
        self.rest = self.rest.strip_prefix("ENV").unwrap_or(self.rest);
        if !self.eat("[") {
            self.rest = whole;
            return Err(self.unknown());
        }
        let Expression::Text(name) = self.strings()? else {
            self.rest = whole;
            return Err(self.unknown());
        };
        if self.eat("]") { Ok(Expression::Variable(name)) } else { Err("`]` is missing".into()) }
    }

    /// One string, or several side by side, which Ruby joins.
    fn strings(&mut self) -> Result<Expression, String> {
        let mut parts = Vec::new();
        loop {
            self.skip_space();
            if self.eat("'") {
                parts.push(Expression::Text(self.single()?));
            } else if self.eat("\"") {
                self.double(&mut parts)?;
            } else {
                break;
            }
        }
        Ok(match parts.as_slice() {
            [] => return Err(self.unknown()),
            [Expression::Text(text)] => Expression::Text(text.clone()),
            _ => Expression::Interpolated(parts),
        })
    }

    /// The rest of a string in single quotes: `\'` and `\\` alone are escapes.
    fn single(&mut self) -> Result<String, String> {
        let mut text = String::new();
        let mut letters = self.rest.char_indices();
        while let Some((at, letter)) = letters.next() {
            match letter {
                '\'' => {
                    self.rest = self.rest.get(at + 1..).unwrap_or_default();
                    return Ok(text);
                }
                '\\' => match letters.next() {
                    Some((_, escaped @ ('\'' | '\\'))) => text.push(escaped),
                    Some((_, other)) => text.extend(['\\', other]),
                    None => break,
                },
                _ => text.push(letter),
            }
        }
        Err("a `'` is missing".into())
    }

    /// The rest of a string in double quotes, with its interpolations.
    fn double(&mut self, parts: &mut Vec<Expression>) -> Result<(), String> {
        let mut text = String::new();
        loop {
            if self.rest.starts_with("#{") {
                self.rest = self.rest.get(2..).unwrap_or_default();
                parts.push(Expression::Text(std::mem::take(&mut text)));
                let inner = self.sum()?;
                parts.push(Expression::Interpolated(vec![inner]));
                if !self.eat("}") {
                    return Err("`}` is missing".into());
                }
                continue;
            }
            let mut letters = self.rest.chars();
            match letters.next() {
                None => return Err("a `\"` is missing".into()),
                Some('"') => {
                    self.rest = letters.as_str();
                    if !text.is_empty() || parts.is_empty() {
                        parts.push(Expression::Text(text));
                    }
                    return Ok(());
                }
                Some('\\') => {
                    text.push(match letters.next() {
                        Some('n') => '\n',
                        Some('t') => '\t',
                        Some('r') => '\r',
                        Some('s') => ' ',
                        Some('e') => '\u{1b}',
                        Some('0') => '\0',
                        Some(letter @ ('u' | 'x')) => {
                            return Err(format!("`\\{letter}` is not supported in templates"));
                        }
                        Some(other) => other,
                        None => return Err("a `\"` is missing".into()),
                    });
                    self.rest = letters.as_str();
                }
                Some(letter) => {
                    text.push(letter);
                    self.rest = letters.as_str();
                }
            }
        }
    }
}
