//! From words to a program.

use super::ast::{Expr, ExprKind, Piece, Stmt};
use super::scan::At;
use super::token::{self, Kind, Token, syntax, unsupported};
use crate::template::TemplateError;

/// The deepest nesting of expressions: a template must not exhaust the stack.
const DEEPEST: usize = 64;

/// Parses the words of a whole template.
pub(super) fn parse(tokens: &[Token]) -> Result<Vec<Stmt>, TemplateError> {
    let mut parser = Parser { tokens, next: 0, depth: 0 };
    let mut program = Vec::new();
    while let Some(token) = parser.peek() {
        let at = token.at;
        match &token.kind {
            Kind::Text(text) => {
                program.push(Stmt::Text(text.clone()));
                parser.next += 1;
            }
            Kind::Line | Kind::End => parser.next += 1,
            Kind::Output => {
                parser.next += 1;
                program.push(Stmt::Output(parser.output(at)?));
            }
            _ => {
                program.push(Stmt::Drop(parser.expression()?));
                parser.end_of_statement()?;
            }
        }
    }
    Ok(program)
}

struct Parser<'a> {
    tokens: &'a [Token],
    next: usize,
    depth: usize,
}

impl<'a> Parser<'a> {
    fn peek(&self) -> Option<&'a Token> {
        self.tokens.get(self.next)
    }

    fn skip_ends(&mut self) {
        while self.peek().is_some_and(|token| matches!(token.kind, Kind::Line | Kind::End)) {
            self.next += 1;
        }
    }

    fn skip_lines(&mut self) {
        while self.peek().is_some_and(|token| token.kind == Kind::Line) {
            self.next += 1;
        }
    }

    fn takes(&mut self, sign: &str) -> bool {
        let there =
            self.peek().is_some_and(|token| matches!(token.kind, Kind::Sign(own) if own == sign));
        self.next += usize::from(there);
        there
    }

    /// `<%= … %>`: one expression, or none. Ruby wraps it in parentheses, so line ends around it
    /// mean nothing.
    fn output(&mut self, at: At) -> Result<Expr, TemplateError> {
        self.skip_ends();
        let value = match self.peek() {
            Some(token) if token.kind == Kind::OutputEnd => Expr { kind: ExprKind::Nil, at },
            _ => self.expression()?,
        };
        self.skip_ends();
        match self.peek() {
            Some(token) if token.kind == Kind::OutputEnd => {
                self.next += 1;
                Ok(value)
            }
            other => Err(unexpected(other, at)),
        }
    }

    fn end_of_statement(&mut self) -> Result<(), TemplateError> {
        match self.peek() {
            None => Ok(()),
            Some(token) if matches!(token.kind, Kind::Line | Kind::End | Kind::Text(_)) => Ok(()),
            other => Err(unexpected(other, At { line: 1, column: 1 })),
        }
    }

    /// A sum: the loosest binding that is understood.
    fn expression(&mut self) -> Result<Expr, TemplateError> {
        self.depth += 1;
        let first = self.term()?;
        let at = first.at;
        let mut terms = vec![first];
        while self.takes("+") {
            // An operator at the end of a line goes on in the next.
            self.skip_lines();
            terms.push(self.term()?);
        }
        self.depth -= 1;
        Ok(match terms.pop() {
            Some(only) if terms.is_empty() => only,
            last => {
                terms.extend(last);
                Expr { kind: ExprKind::Sum(terms), at }
            }
        })
    }

    fn term(&mut self) -> Result<Expr, TemplateError> {
        let Some(token) = self.peek() else {
            let at = self.tokens.last().map_or(At { line: 1, column: 1 }, |token| token.at);
            return Err(syntax(at, "an expression is missing"));
        };
        let at = token.at;
        if self.depth > DEEPEST {
            return Err(unsupported(at, "expressions nested so deep"));
        }
        self.next += 1;
        let kind = match &token.kind {
            Kind::Str(pieces) => {
                let mut all = self.text(pieces)?;
                // Texts side by side are one, as in C.
                while let Some(Token { kind: Kind::Str(more), .. }) = self.peek() {
                    self.next += 1;
                    all.extend(self.text(more)?);
                }
                ExprKind::Str(all)
            }
            Kind::Word(word) if word == "ENV" => {
                if !self.takes("[") {
                    return Err(unsupported(at, "ENV without `[…]`"));
                }
                ExprKind::Env(Box::new(self.inside("]", at)?))
            }
            Kind::Word(word) if word == "nil" => ExprKind::Nil,
            Kind::Sign("(") => self.inside(")", at)?.kind,
            _ => return Err(unexpected(Some(token), at)),
        };
        Ok(Expr { kind, at })
    }

    /// The expression up to the closing `sign`; what it closes stands at `at`.
    fn inside(&mut self, sign: &str, at: At) -> Result<Expr, TemplateError> {
        self.skip_lines();
        let inner = self.expression()?;
        self.skip_lines();
        if self.takes(sign) { Ok(inner) } else { Err(unexpected(self.peek(), at)) }
    }

    fn text(&mut self, pieces: &[token::Piece]) -> Result<Vec<Piece>, TemplateError> {
        let mut parsed = Vec::with_capacity(pieces.len());
        for piece in pieces {
            parsed.push(match piece {
                token::Piece::Plain(text) => Piece::Plain(text.clone()),
                token::Piece::Code(tokens, _) => Piece::Value(self.set_in(tokens)?),
            });
        }
        Ok(parsed)
    }

    fn set_in(&self, tokens: &[Token]) -> Result<Vec<Expr>, TemplateError> {
        let mut inner = Parser { tokens, next: 0, depth: self.depth + 1 };
        let mut all = Vec::new();
        inner.skip_ends();
        while inner.peek().is_some() {
            all.push(inner.expression()?);
            inner.end_of_statement()?;
            inner.skip_ends();
        }
        Ok(all)
    }
}

/// The error for a word that stands where none of its kind is understood.
fn unexpected(token: Option<&Token>, before: At) -> TemplateError {
    let Some(token) = token else { return syntax(before, "what begins here never ends") };
    match &token.kind {
        Kind::Word(word) | Kind::Number(word) => unsupported(token.at, word),
        Kind::Sign(sign @ (")" | "]" | "}")) => {
            syntax(token.at, &format!("`{sign}` closes nothing"))
        }
        Kind::Sign(sign) => unsupported(token.at, sign),
        Kind::Str(_) => syntax(token.at, "a text stands where an operator should"),
        Kind::Text(_) | Kind::Output | Kind::OutputEnd | Kind::Line | Kind::End => {
            syntax(before, "the expression that begins here is not finished")
        }
    }
}
