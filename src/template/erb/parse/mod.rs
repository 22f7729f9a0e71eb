//! From words to a program.
//!
//! `mod` has the words and the local variables, `statement` what ends with a line, `control` what
//! ends with `end`, `operator` what joins values, `primary` values, `call` what is called on them.

mod call;
mod control;
mod operator;
mod primary;
mod statement;

use super::ast::Program;
use super::scan::At;
use super::token::{Kind, Token, syntax, unsupported};
use crate::template::TemplateError;
use std::collections::BTreeMap;

/// The deepest nesting of expressions: a template must not exhaust the stack.
const DEEPEST: usize = 40;
/// How many modifiers one statement may have: each nests what stands before it.
const MOST_MODIFIERS: usize = 8;

type Parsed<T> = Result<T, TemplateError>;

/// Parses the words of a whole template.
pub(super) fn parse(tokens: &[Token]) -> Parsed<Program> {
    let mut parser = Parser {
        tokens,
        next: 0,
        depth: 0,
        scopes: vec![BTreeMap::new()],
        slots: 0,
        blocks: 0,
        do_block: DoBlock::Here,
    };
    let body = parser.body(&[], At { line: 1, column: 1 })?;
    Ok(Program { body, slots: parser.slots })
}

/// Whose a `do` is that comes next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum DoBlock {
    /// The call's that is being read.
    Here,
    /// That of something further left: `puts a.map do …`, `for a in b do …`.
    Further,
}

struct Parser<'a> {
    tokens: &'a [Token],
    next: usize,
    depth: usize,
    /// Local variables with their places, the innermost block last.
    scopes: Vec<BTreeMap<String, usize>>,
    slots: usize,
    /// How many blocks and loops are open.
    blocks: usize,
    do_block: DoBlock,
}

impl<'a> Parser<'a> {
    fn peek(&self) -> Option<&'a Token> {
        self.tokens.get(self.next)
    }

    /// The word `ahead` places further.
    fn kind_at(&self, ahead: usize) -> Option<&'a Kind> {
        self.tokens.get(self.next + ahead).map(|token| &token.kind)
    }

    /// Where the next word stands.
    fn here(&self) -> At {
        let last = self.peek().or_else(|| self.tokens.last());
        last.map_or(At { line: 1, column: 1 }, |token| token.at)
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

    fn sees(&self, sign: &str) -> bool {
        matches!(self.kind_at(0), Some(Kind::Sign(own)) if *own == sign)
    }

    fn sees_word(&self, word: &str) -> bool {
        matches!(self.kind_at(0), Some(Kind::Word(own)) if own == word)
    }

    fn takes(&mut self, sign: &str) -> bool {
        let there = self.sees(sign);
        self.next += usize::from(there);
        there
    }

    fn takes_word(&mut self, word: &str) -> bool {
        let there = self.sees_word(word);
        self.next += usize::from(there);
        there
    }

    fn needs(&mut self, sign: &str, since: At) -> Parsed<()> {
        if self.takes(sign) { Ok(()) } else { Err(unexpected(self.peek(), since)) }
    }

    fn needs_word(&mut self, word: &str, since: At) -> Parsed<()> {
        if self.takes_word(word) { Ok(()) } else { Err(unexpected(self.peek(), since)) }
    }

    /// Reads something that is nested in what is being read.
    fn deeper<T>(&mut self, read: impl FnOnce(&mut Self) -> Parsed<T>) -> Parsed<T> {
        if self.depth >= DEEPEST {
            return Err(unsupported(self.here(), "expressions nested so deep"));
        }
        self.depth += 1;
        let read = read(self);
        self.depth -= 1;
        read
    }

    /// Reads something whose `do` blocks belong to `owner`.
    fn with_do<T>(
        &mut self,
        owner: DoBlock,
        read: impl FnOnce(&mut Self) -> Parsed<T>,
    ) -> Parsed<T> {
        let before = std::mem::replace(&mut self.do_block, owner);
        let read = read(self);
        self.do_block = before;
        read
    }

    fn local(&self, name: &str) -> Option<usize> {
        self.scopes.iter().rev().find_map(|scope| scope.get(name)).copied()
    }

    /// The place of a local variable, which is made if there is none.
    fn declare(&mut self, name: &str) -> usize {
        self.local(name).unwrap_or_else(|| self.declare_anew(name))
    }

    /// Makes a variable in the innermost scope, whatever there is outside.
    fn declare_anew(&mut self, name: &str) -> usize {
        let slot = self.slots;
        self.slots += 1;
        if let Some(scope) = self.scopes.last_mut() {
            scope.insert(name.to_owned(), slot);
        }
        slot
    }
}

/// The error for a word that stands where none of its kind is understood.
fn unexpected(token: Option<&Token>, before: At) -> TemplateError {
    let Some(token) = token else { return syntax(before, "what begins here never ends") };
    match &token.kind {
        Kind::Word(word)
            if ["end", "else", "elsif", "when", "then", "in"].contains(&word.as_str()) =>
        {
            syntax(token.at, &format!("`{word}` stands where nothing is open for it"))
        }
        Kind::Word(word) | Kind::Number(word) => unsupported(token.at, word),
        Kind::Global(name) => unsupported(token.at, &format!("${name}")),
        Kind::Sign(sign @ (")" | "]" | "}")) => {
            syntax(token.at, &format!("`{sign}` closes nothing"))
        }
        Kind::Sign(sign) => unsupported(token.at, sign),
        Kind::Str(_) | Kind::Pattern(..) => {
            syntax(token.at, "a text stands where an operator should")
        }
        Kind::Text(_) | Kind::Output | Kind::OutputEnd | Kind::Line | Kind::End => {
            syntax(before, "the expression that begins here is not finished")
        }
    }
}

/// Tells whether `word` is one of Ruby's own.
fn is_keyword(word: &str) -> bool {
    const KEYWORDS: [&str; 37] = [
        "if", "unless", "elsif", "else", "end", "case", "when", "then", "for", "in", "do", "while",
        "until", "and", "or", "not", "nil", "true", "false", "defined?", "begin", "rescue",
        "ensure", "def", "class", "module", "return", "next", "break", "redo", "retry", "yield",
        "self", "super", "alias", "undef", "BEGIN",
    ];
    KEYWORDS.contains(&word)
}
