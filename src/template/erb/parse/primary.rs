//! Values: literals, variables, and what stands in brackets.

use super::{DoBlock, Parsed, Parser, unexpected};
use crate::template::erb::ast::{Expr, ExprKind, Leave, Piece, Stmt, Voice};
use crate::template::erb::pattern::{Letters, Pattern};
use crate::template::erb::scan::At;
use crate::template::erb::token::{self, Kind, Token, syntax, unsupported};
use std::rc::Rc;

impl Parser<'_> {
    /// A value without what is called on it.
    pub(super) fn primary(&mut self) -> Parsed<Expr> {
        let Some(token) = self.peek() else {
            return Err(syntax(self.here(), "an expression is missing"));
        };
        let at = token.at;
        self.next += 1;
        let kind = match &token.kind {
            Kind::Str(pieces) => self.texts(pieces)?,
            Kind::Pattern(pieces, flags) => pattern(pieces, flags, at)?,
            Kind::Number(number) => literal(number, at)?,
            Kind::Global(name) => global(name, at)?,
            Kind::Word(word) => self.word(word, token)?,
            Kind::Sign("-") if self.is_number() => {
                self.next += 1;
                self.negative(at)?
            }
            Kind::Sign("(") => self.with_do(DoBlock::Here, |inner| inner.parens(at))?,
            Kind::Sign("[") => {
                ExprKind::List(self.with_do(DoBlock::Here, |inner| inner.arguments("]", at))?)
            }
            Kind::Sign(sign @ ("+" | "=" | "," | "." | "&&" | "||")) => {
                return Err(syntax(at, &format!("a value is missing before `{sign}`")));
            }
            Kind::Text(_) | Kind::Output | Kind::OutputEnd | Kind::Line | Kind::End => {
                return Err(syntax(at, "a value is missing here"));
            }
            Kind::Sign(_) => return Err(unexpected(Some(token), at)),
        };
        Ok(Expr { kind, at })
    }

    /// Tells whether a minus and the number that it belongs to follow.
    pub(super) fn sees_negative(&self) -> bool {
        self.sees("-") && self.tokens.get(self.next + 1).is_some_and(is_tight_number)
    }

    fn is_number(&self) -> bool {
        self.peek().is_some_and(is_tight_number)
    }

    /// The number just taken, with a minus.
    fn negative(&self, at: At) -> Parsed<ExprKind> {
        let number = self.next.checked_sub(1).and_then(|last| self.tokens.get(last));
        match number.map(|token| &token.kind) {
            Some(Kind::Number(number)) => match literal(number, at)? {
                ExprKind::Float(number) => Ok(ExprKind::Float(-number)),
                ExprKind::Int(number) => Ok(ExprKind::Int(-number)),
                other => Ok(other),
            },
            _ => Err(unsupported(at, "-")),
        }
    }

    fn word(&mut self, word: &str, token: &Token) -> Parsed<ExprKind> {
        let at = token.at;
        if let Some(slot) = self.local(word) {
            return Ok(ExprKind::Local(slot));
        }
        Ok(match word {
            "nil" => ExprKind::Nil,
            "true" => ExprKind::Bool(true),
            "false" => ExprKind::Bool(false),
            "ENV" => ExprKind::Env,
            "File" | "FileTest" => ExprKind::File,
            "if" => self.if_body(at)?,
            "unless" => self.unless_body(at)?,
            "case" => self.case_body(at)?,
            "for" => self.for_body(at)?,
            "next" => self.leave(Leave::Next, at)?,
            "break" => self.leave(Leave::Break, at)?,
            "defined?" => self.defined(at)?,
            "puts" => ExprKind::Say(Voice::Puts, self.call_arguments(at)?),
            "print" => ExprKind::Say(Voice::Print, self.call_arguments(at)?),
            _ => return Err(unexpected(Some(token), at)),
        })
    }

    /// Texts side by side are one, as in C.
    fn texts(&mut self, pieces: &[token::Piece]) -> Parsed<ExprKind> {
        let mut all = self.text(pieces)?;
        while let Some(Kind::Str(more)) = self.kind_at(0) {
            self.next += 1;
            all.extend(self.text(more)?);
        }
        Ok(ExprKind::Str(all))
    }

    fn text(&mut self, pieces: &[token::Piece]) -> Parsed<Vec<Piece>> {
        let mut parsed = Vec::with_capacity(pieces.len());
        for piece in pieces {
            parsed.push(match piece {
                token::Piece::Plain(text) => Piece::Plain(text.clone()),
                token::Piece::Code(tokens, at) => {
                    Piece::Value(self.deeper(|inner| inner.set_in(tokens, *at))?)
                }
            });
        }
        Ok(parsed)
    }

    /// What stands in `#{…}`: the same variables, other words.
    fn set_in(&mut self, tokens: &[Token], at: At) -> Parsed<Vec<Stmt>> {
        let mut inner = Parser {
            tokens,
            next: 0,
            depth: self.depth,
            scopes: std::mem::take(&mut self.scopes),
            slots: self.slots,
            blocks: self.blocks,
            do_block: DoBlock::Here,
        };
        let body = inner.body(&[], at);
        self.slots = inner.slots;
        self.scopes = std::mem::take(&mut inner.scopes);
        body
    }

    /// What stands in parentheses, after the first of them.
    fn parens(&mut self, at: At) -> Parsed<ExprKind> {
        let mut body = self.body(&[")"], at)?;
        self.needs(")", at)?;
        Ok(match body.pop() {
            None => ExprKind::Nil,
            // A value of its own: what stands beside it does not become part of its chain.
            last => {
                body.extend(last);
                ExprKind::Parens(body)
            }
        })
    }

    /// `defined?`, after its word: what Ruby would say, as far as that can be seen in the template.
    fn defined(&mut self, at: At) -> Parsed<ExprKind> {
        let closed = self.peek().is_some_and(|next| !next.spaced) && self.takes("(");
        let unknown = match (self.kind_at(0), self.kind_at(1)) {
            (Some(Kind::Word(word)), next) => {
                !super::is_keyword(word)
                    && self.local(word).is_none()
                    && !["ENV", "File", "puts", "print"].contains(&word.as_str())
                    && (!closed || matches!(next, Some(Kind::Sign(")"))))
            }
            _ => false,
        };
        let is_file = self.sees_word("File") && !matches!(self.kind_at(1), Some(Kind::Sign(".")));
        let what = if is_file {
            self.next += 1;
            Some("constant")
        } else if unknown {
            // Neither a variable nor, most likely, a method.
            self.next += 1;
            None
        } else {
            let inner = if closed { self.expression()? } else { self.deeper(Self::choice)? };
            described(&inner).map_err(|()| unsupported(at, "defined? of this"))?
        };
        if closed {
            self.needs(")", at)?;
        }
        Ok(ExprKind::Defined(what))
    }
}

fn is_tight_number(token: &Token) -> bool {
    !token.spaced && matches!(token.kind, Kind::Number(_))
}

/// What `defined?` says.
fn described(inner: &Expr) -> Result<Option<&'static str>, ()> {
    Ok(Some(match &inner.kind {
        ExprKind::Env | ExprKind::File => "constant",
        ExprKind::Local(_) => "local-variable",
        ExprKind::Unset => return Ok(None),
        // A method of the environment is always there; of anything else only a run would tell.
        ExprKind::Calls(on, calls)
            if calls.len() == 1 && matches!(on.kind, ExprKind::Env | ExprKind::File) =>
        {
            "method"
        }
        ExprKind::Assign(..) | ExprKind::AssignIf(..) => "assignment",
        ExprKind::Nil | ExprKind::Str(_) | ExprKind::Int(_) | ExprKind::Float(_) => "expression",
        _ => return Err(()),
    }))
}

fn global(name: &str, at: At) -> Parsed<ExprKind> {
    match name {
        "SAFE" => Ok(ExprKind::Unset),
        digit => match digit.parse() {
            Ok(number @ 1..=9) => Ok(ExprKind::Group(number)),
            _ => Err(unsupported(at, &format!("${name}"))),
        },
    }
}

fn literal(written: &str, at: At) -> Parsed<ExprKind> {
    let number = written.replace('_', "");
    let octal = number.len() > 1 && number.starts_with('0') && !number.starts_with("0.");
    let parsed = if octal {
        None
    } else if number.bytes().all(|byte| byte.is_ascii_digit()) {
        number.parse().ok().map(ExprKind::Int)
    } else {
        number.parse().ok().map(ExprKind::Float)
    };
    parsed.ok_or_else(|| unsupported(at, written))
}

fn pattern(pieces: &[token::Piece], flags: &str, at: At) -> Parsed<ExprKind> {
    let mut source = String::new();
    for piece in pieces {
        match piece {
            token::Piece::Plain(text) => source.push_str(text),
            token::Piece::Code(..) => return Err(unsupported(at, "#{…} in a pattern")),
        }
    }
    let letters = match flags {
        "" => Letters::Exact,
        "i" => Letters::Folded,
        _ => return Err(unsupported(at, &format!("/…/{flags}"))),
    };
    let compiled = Pattern::new(&source, letters)
        .map_err(|construct| unsupported(at, &format!("{construct} in a pattern")))?;
    Ok(ExprKind::Pattern(Rc::new(compiled)))
}
