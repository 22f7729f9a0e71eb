//! Reading the words of Ruby.

use super::quote::Quote;
use super::scan::At;
use super::token::{Kind, Token, unsupported};
use crate::template::TemplateError;
use std::iter::Peekable;
use std::str::Chars;

/// The signs of Ruby, longest first. Some have no meaning here; they are known so that an error can
/// name them.
const SIGNS: [&str; 52] = [
    "<=>", "===", "**=", "||=", "&&=", "...", "<<=", ">>=", "==", "!=", "<=", ">=", "&&", "||",
    "=~", "!~", "+=", "-=", "*=", "/=", "%=", "::", "**", "..", "<<", ">>", "=>", "->", "&.", "+",
    "-", "*", "/", "%", "<", ">", "=", "!", "?", ":", ",", ".", "(", ")", "[", "]", "{", "}", "|",
    "&", "^", "~",
];

/// Words after which an expression begins, so that a `/` there begins a pattern.
const OPENING: [&str; 16] = [
    "if", "elsif", "unless", "while", "until", "and", "or", "not", "when", "case", "in", "then",
    "else", "do", "rescue", "return",
];

/// Reads the words of one piece of Ruby.
pub(super) struct Reader<'a> {
    pub(super) rest: Peekable<Chars<'a>>,
    pub(super) at: At,
    pub(super) depth: usize,
    /// Whether the end was reached inside a comment.
    pub(super) commented: bool,
    spaced: bool,
}

impl<'a> Reader<'a> {
    pub(super) fn new(code: &'a str, at: At, depth: usize) -> Self {
        Self { rest: code.chars().peekable(), at, depth, commented: false, spaced: true }
    }

    pub(super) fn next(&mut self) -> Option<char> {
        let next = self.rest.next()?;
        if next == '\n' {
            self.at = At { line: self.at.line + 1, column: 1 };
        } else {
            self.at.column += 1;
        }
        Some(next)
    }

    /// The characters ahead, without taking them.
    fn ahead(&self, count: usize) -> String {
        self.rest.clone().take(count).collect()
    }

    pub(super) fn read_all(&mut self, all: &mut Vec<Token>) -> Result<(), TemplateError> {
        while let Some(next) = self.rest.peek().copied() {
            if next == '#' {
                self.skip_comment();
                continue;
            }
            if (next.is_whitespace() && next != '\n') || self.ahead(2) == "\\\n" {
                self.next();
                if next == '\\' {
                    self.next();
                }
                self.spaced = true;
                continue;
            }
            let (at, spaced) = (self.at, self.spaced);
            self.spaced = matches!(next, '\n' | ';');
            let kind = self.kind(next, spaced, all)?;
            all.push(Token { kind, at, spaced });
        }
        Ok(())
    }

    fn kind(&mut self, next: char, spaced: bool, all: &[Token]) -> Result<Kind, TemplateError> {
        let at = self.at;
        Ok(match next {
            '\n' | ';' => {
                self.next();
                if next == '\n' { Kind::Line } else { Kind::End }
            }
            '\'' => Kind::Str(self.quoted(Quote::Single)?),
            '"' => Kind::Str(self.quoted(Quote::Double)?),
            '/' if self.begins_pattern(spaced, all) => {
                let pieces = self.quoted(Quote::Pattern)?;
                Kind::Pattern(pieces, self.run(char::is_alphabetic))
            }
            '$' => {
                self.next();
                Kind::Global(self.run(|c| c.is_alphanumeric() || c == '_'))
            }
            _ if next.is_ascii_digit() => Kind::Number(self.number()),
            _ if next.is_alphabetic() || next == '_' => Kind::Word(self.word()),
            _ => self.sign(at)?,
        })
    }

    /// Tells whether a `/` after the words `all` begins a pattern; otherwise it divides.
    fn begins_pattern(&self, spaced: bool, all: &[Token]) -> bool {
        let mut before = all.iter().rev();
        let (last, second) = (before.next(), before.next());
        let is_method = second.is_some_and(|token| matches!(token.kind, Kind::Sign("." | "&.")));
        match last.map(|token| &token.kind) {
            Some(Kind::Str(_) | Kind::Pattern(..) | Kind::Number(_) | Kind::Global(_)) => false,
            Some(Kind::Sign(sign)) => !matches!(*sign, ")" | "]" | "}"),
            Some(Kind::Word(word)) if !is_method && OPENING.contains(&word.as_str()) => true,
            Some(Kind::Word(word)) => {
                let divides = self.ahead(2).chars().nth(1).is_none_or(|c| c == ' ' || c == '=');
                (is_method || word == "puts" || word == "print") && spaced && !divides
            }
            _ => true,
        }
    }

    pub(super) fn skip_comment(&mut self) {
        while self.rest.peek().is_some_and(|next| *next != '\n') {
            self.next();
        }
        self.commented = self.rest.peek().is_none();
    }

    fn run(&mut self, fits: impl Fn(char) -> bool) -> String {
        let mut word = String::new();
        while let Some(next) = self.rest.peek().copied().filter(|next| fits(*next)) {
            word.push(next);
            self.next();
        }
        word
    }

    /// A name, with the `?` or `!` that may end it.
    fn word(&mut self) -> String {
        let mut word = self.run(|c| c.is_alphanumeric() || c == '_');
        let ahead = self.ahead(2);
        let ends = ahead.starts_with(['?', '!']) && !ahead.ends_with('=');
        if ends || ["?=", "!="].contains(&ahead.as_str()) && self.ahead(3).ends_with(['=', '~']) {
            word.extend(self.next());
        }
        word
    }

    fn number(&mut self) -> String {
        let mut number = self.run(|c| c.is_ascii_digit() || c == '_');
        let ahead = self.ahead(2);
        if ahead.starts_with('.') && ahead.ends_with(|c: char| c.is_ascii_digit()) {
            number.extend(self.next());
            number.push_str(&self.run(|c| c.is_ascii_digit() || c == '_'));
        }
        // `1e5`, and what is not understood: `0x1f`, `1r`.
        number.push_str(&self.run(|c| c.is_ascii_alphanumeric()));
        if number.ends_with(['e', 'E']) && self.ahead(1).starts_with(['-', '+']) {
            number.extend(self.next());
            number.push_str(&self.run(|c| c.is_ascii_digit()));
        }
        number
    }

    fn sign(&mut self, at: At) -> Result<Kind, TemplateError> {
        let ahead = self.ahead(3);
        let Some(sign) = SIGNS.into_iter().find(|sign| ahead.starts_with(sign)) else {
            let one: String = ahead.chars().take(1).collect();
            return Err(unsupported(at, &one));
        };
        for _ in sign.chars() {
            self.next();
        }
        Ok(Kind::Sign(sign))
    }
}
