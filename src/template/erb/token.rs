//! The words of the Ruby inside tags, of all tags as one stream.

use super::lex::Reader;
use super::scan::{At, Segment};
use crate::template::{Fault, TemplateError};

/// A word, and where it stands.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Token {
    /// What it is.
    pub(super) kind: Kind,
    /// Where it begins.
    pub(super) at: At,
    /// Whether white space stands before it.
    pub(super) spaced: bool,
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
    /// A regular expression, and its flags.
    Pattern(Vec<Piece>, String),
    /// A global variable, without its `$`.
    Global(String),
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
                    all.push(Token { kind: Kind::Text(text.to_owned()), at, spaced: true });
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
                no_dash(&all, code, *at)?;
                commented = reader.commented;
                all.push(Token { kind: Kind::End, at: reader.at, spaced: true });
            }
        }
    }
    Ok(all)
}

fn output(code: &str, at: At, all: &mut Vec<Token>) -> Result<(), TemplateError> {
    all.push(Token { kind: Kind::Output, at, spaced: true });
    let mut reader = Reader::new(code, at, 0);
    reader.read_all(all)?;
    no_dash(all, code, at)?;
    if reader.commented {
        return Err(syntax(at, "a comment hides the end of this tag"));
    }
    all.push(Token { kind: Kind::OutputEnd, at: reader.at, spaced: true });
    Ok(())
}

/// `-%>` is a minus without a second number, unless ERB is told otherwise, which nobody does.
fn no_dash(all: &[Token], code: &str, at: At) -> Result<(), TemplateError> {
    let dashed = all.last().is_some_and(|token| token.kind == Kind::Sign("-"));
    if dashed && code.ends_with('-') {
        return Err(syntax(at, "this tag ends in `-%>`, which is a minus without a second number"));
    }
    Ok(())
}

/// What follows the first line of `text`; nothing when it has no line end.
fn after_line(text: &str) -> Option<&str> {
    text.split_once('\n').map(|(_, rest)| rest)
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
