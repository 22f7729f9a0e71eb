//! The words of the Ruby inside tags, of all tags as one stream.

use super::scan::{At, Segment};
use crate::template::{Fault, TemplateError};
use std::iter::Peekable;
use std::str::Chars;

/// The deepest nesting of `#{…}`.
const DEEPEST: usize = 32;

/// A word, and where it stands.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Token {
    /// What it is.
    pub(super) kind: Kind,
    /// Where it begins.
    pub(super) at: At,
}

/// What a word is.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Kind {
    /// Text of the template between tags.
    Text(String),
    /// The start of `<%= … %>`.
    Output,
    /// The end of `<%= … %>`.
    OutputEnd,
    /// The end of a line: ends a statement, unless that cannot be complete yet.
    Line,
    /// The end of a statement in any case: a `;`, or the end of a tag.
    End,
    /// A text, with what is set into it.
    Str(Vec<Piece>),
    /// A name or keyword.
    Word(String),
    /// A number, as it is written.
    Number(String),
    /// A sign such as `+` or `[`.
    Sign(&'static str),
}

/// A part of a text.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Piece {
    /// Characters, escapes resolved.
    Plain(String),
    /// `#{…}`: the words inside.
    Code(Vec<Token>, At),
}

/// The signs of Ruby, longest first. Most have no meaning here yet; they are known so that an error
/// can name them.
const SIGNS: [&str; 52] = [
    "<=>", "===", "**=", "||=", "&&=", "...", "<<=", ">>=", "==", "!=", "<=", ">=", "&&", "||",
    "=~", "!~", "+=", "-=", "*=", "/=", "%=", "::", "**", "..", "<<", ">>", "=>", "->", "&.", "+",
    "-", "*", "/", "%", "<", ">", "=", "!", "?", ":", ",", ".", "(", ")", "[", "]", "{", "}", "|",
    "&", "^", "~",
];

/// Reads all segments.
pub(super) fn tokens(segments: &[Segment]) -> Result<Vec<Token>, TemplateError> {
    let mut all = Vec::new();
    // A `#` comment that is open at the end of a tag goes on to the end of the line: Ruby's ERB
    // makes one line of Ruby out of one line of template.
    let mut commented = false;
    for segment in segments {
        match segment {
            Segment::Text(text) => {
                let text = if commented { after_line(text) } else { Some(text.as_str()) };
                commented = text.is_none();
                if let Some(text) = text.filter(|text| !text.is_empty()) {
                    // The place of a text is never told: nothing about it can be wrong.
                    let at = At { line: 0, column: 0 };
                    all.push(Token { kind: Kind::Text(text.to_owned()), at });
                }
            }
            Segment::Output(code, at) if commented => {
                if code.contains('\n') {
                    return Err(syntax(*at, "this tag begins inside a comment and ends outside"));
                }
            }
            Segment::Output(code, at) => output(code, *at, &mut all)?,
            Segment::Code(code, at) => {
                let mut reader = Reader::new(code, *at, 0);
                if commented {
                    reader.skip_comment();
                }
                reader.read_all(&mut all)?;
                commented = reader.commented;
                all.push(Token { kind: Kind::End, at: reader.at });
            }
        }
    }
    Ok(all)
}

fn output(code: &str, at: At, all: &mut Vec<Token>) -> Result<(), TemplateError> {
    all.push(Token { kind: Kind::Output, at });
    let mut reader = Reader::new(code, at, 0);
    reader.read_all(all)?;
    if reader.commented {
        return Err(syntax(at, "a comment hides the end of this tag"));
    }
    all.push(Token { kind: Kind::OutputEnd, at: reader.at });
    Ok(())
}

/// What follows the first line of `text`; nothing when it has no line end.
fn after_line(text: &str) -> Option<&str> {
    text.split_once('\n').map(|(_, rest)| rest)
}

struct Reader<'a> {
    rest: Peekable<Chars<'a>>,
    at: At,
    depth: usize,
    /// Whether the end was reached inside a comment.
    commented: bool,
}

impl<'a> Reader<'a> {
    fn new(code: &'a str, at: At, depth: usize) -> Self {
        Self { rest: code.chars().peekable(), at, depth, commented: false }
    }

    fn next(&mut self) -> Option<char> {
        let next = self.rest.next()?;
        if next == '\n' {
            self.at = At { line: self.at.line + 1, column: 1 };
        } else {
            self.at.column += 1;
        }
        Some(next)
    }

    fn read_all(&mut self, all: &mut Vec<Token>) -> Result<(), TemplateError> {
        while let Some(next) = self.rest.peek().copied() {
            let at = self.at;
            let kind = match next {
                '\n' => {
                    self.next();
                    Kind::Line
                }
                ';' => {
                    self.next();
                    Kind::End
                }
                _ if next.is_whitespace() => {
                    self.next();
                    continue;
                }
                '#' => {
                    self.skip_comment();
                    continue;
                }
                '\'' | '"' => self.text(next)?,
                _ if next.is_ascii_digit() => {
                    Kind::Number(self.run(|c| c.is_ascii_digit() || c == '.'))
                }
                _ if next.is_alphabetic() || next == '_' => {
                    Kind::Word(self.run(|c| c.is_alphanumeric() || c == '_'))
                }
                _ => self.sign(at)?,
            };
            all.push(Token { kind, at });
        }
        Ok(())
    }

    fn skip_comment(&mut self) {
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

    fn sign(&mut self, at: At) -> Result<Kind, TemplateError> {
        let ahead: String = self.rest.clone().take(3).collect();
        let Some(sign) = SIGNS.into_iter().find(|sign| ahead.starts_with(sign)) else {
            let one: String = ahead.chars().take(1).collect();
            return Err(unsupported(at, &one));
        };
        for _ in sign.chars() {
            self.next();
        }
        Ok(Kind::Sign(sign))
    }

    /// Reads a text after checking its quote.
    fn text(&mut self, quote: char) -> Result<Kind, TemplateError> {
        let start = self.at;
        self.next();
        let mut pieces = Vec::new();
        let mut plain = String::new();
        loop {
            let at = self.at;
            match self.next() {
                None => return Err(syntax(start, "the text that begins here never ends")),
                Some(next) if next == quote => break,
                Some('\\') if quote == '\'' => self.single_escape(&mut plain),
                Some('\\') => self.double_escape(&mut plain, at)?,
                Some('#') if quote == '"' => match self.rest.peek() {
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
        Ok(Kind::Str(pieces))
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

/// The error for Ruby that is not understood here.
pub(super) fn unsupported(at: At, construct: &str) -> TemplateError {
    let short: String = construct.chars().take(60).collect();
    TemplateError {
        line: at.line,
        column: at.column,
        fault: Fault::Unsupported,
        what: format!("the Ruby construct `{}` is not supported", short.escape_debug()),
        variable: None,
    }
}

/// The error for what is no Ruby.
pub(super) fn syntax(at: At, what: &str) -> TemplateError {
    TemplateError {
        line: at.line,
        column: at.column,
        fault: Fault::Syntax,
        what: what.to_owned(),
        variable: None,
    }
}
