//! Reading texts and patterns, with what is set into them.

use super::lex::Reader;
use super::scan::At;
use super::token::{Piece, syntax, unsupported};
use crate::template::TemplateError;

/// The deepest nesting of `#{…}`.
const DEEPEST: usize = 32;

/// How a text is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Quote {
    /// `'…'`.
    Single,
    /// `"…"`.
    Double,
    /// `/…/`: escapes stay as they are.
    Pattern,
}

impl Quote {
    fn end(self) -> char {
        match self {
            Self::Single => '\'',
            Self::Double => '"',
            Self::Pattern => '/',
        }
    }
}

impl Reader<'_> {
    /// Reads a text with its quotes.
    pub(super) fn quoted(&mut self, quote: Quote) -> Result<Vec<Piece>, TemplateError> {
        let start = self.at;
        self.next();
        let mut pieces = Vec::new();
        let mut plain = String::new();
        loop {
            let at = self.at;
            match self.next() {
                None => return Err(syntax(start, "the text that begins here never ends")),
                Some(next) if next == quote.end() => break,
                Some('\\') if quote == Quote::Single => self.single_escape(&mut plain),
                Some('\\') if quote == Quote::Pattern => self.pattern_escape(&mut plain),
                Some('\\') => self.double_escape(&mut plain, at)?,
                Some('#') if quote != Quote::Single => match self.rest.peek() {
                    Some('{') => {
                        self.next();
                        if !plain.is_empty() {
                            pieces.push(Piece::Plain(std::mem::take(&mut plain)));
                        }
                        pieces.push(self.set_in(at)?);
                    }
                    Some('$' | '@') => return Err(unsupported(at, "#$")),
                    _ => plain.push('#'),
                },
                Some(other) => plain.push(other),
            }
        }
        if !plain.is_empty() || pieces.is_empty() {
            pieces.push(Piece::Plain(plain));
        }
        Ok(pieces)
    }

    fn single_escape(&mut self, plain: &mut String) {
        match self.rest.peek().copied() {
            Some(next @ ('\'' | '\\')) => {
                self.next();
                plain.push(next);
            }
            _ => plain.push('\\'),
        }
    }

    /// Ruby reads `\/` as `/` in a pattern, and leaves every other escape to the pattern.
    fn pattern_escape(&mut self, plain: &mut String) {
        match self.next() {
            Some('/') => plain.push('/'),
            next => {
                plain.push('\\');
                plain.extend(next);
            }
        }
    }

    fn double_escape(&mut self, plain: &mut String, at: At) -> Result<(), TemplateError> {
        let Some(next) = self.next() else { return Ok(()) };
        plain.push(match next {
            'n' => '\n',
            't' => '\t',
            'r' => '\r',
            's' => ' ',
            'e' => '\u{1b}',
            'a' => '\u{7}',
            'b' => '\u{8}',
            'v' => '\u{b}',
            'f' => '\u{c}',
            '\n' => return Ok(()),
            'x' | 'u' | 'c' | 'C' | 'M' | '0'..='9' => {
                return Err(unsupported(at, &format!("\\{next}")));
            }
            other => other,
        });
        Ok(())
    }

    /// Reads `#{…}` after its brace: the words up to the brace that closes it.
    fn set_in(&mut self, at: At) -> Result<Piece, TemplateError> {
        if self.depth >= DEEPEST {
            return Err(unsupported(at, "#{…} nested so deep"));
        }
        let from = self.at;
        let code = self.until_brace(at)?;
        let mut words = Vec::new();
        Reader::new(&code, from, self.depth + 1).read_all(&mut words)?;
        Ok(Piece::Code(words, at))
    }

    /// Takes the characters up to the closing brace; braces in texts inside do not count.
    fn until_brace(&mut self, at: At) -> Result<String, TemplateError> {
        let mut code = String::new();
        let mut open: Vec<char> = Vec::new();
        loop {
            let Some(next) = self.next() else {
                return Err(syntax(at, "the `#{` that begins here never ends"));
            };
            match (open.last().copied(), next) {
                (None, '}') => return Ok(code),
                (Some('\'' | '"'), '\\') => {
                    code.push('\\');
                    code.extend(self.next());
                    continue;
                }
                (Some(quote @ ('\'' | '"')), _) if next == quote => drop(open.pop()),
                (Some('"'), '#') if self.rest.peek() == Some(&'{') => {
                    code.push('#');
                    code.extend(self.next());
                    open.push('{');
                    continue;
                }
                (Some('\'' | '"'), _) => {}
                (_, '\'' | '"' | '{') => open.push(next),
                (Some('{'), '}') => drop(open.pop()),
                _ => {}
            }
            code.push(next);
        }
    }
}
