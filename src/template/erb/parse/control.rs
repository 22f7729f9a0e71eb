//! What ends with `end`: `if`, `unless`, `case`, `for`.

use super::{DoBlock, Parsed, Parser, unexpected};
use crate::template::erb::ast::{Body, Case, ExprKind, Loop};
use crate::template::erb::scan::At;
use crate::template::erb::token::Kind;

impl Parser<'_> {
    /// `if`, after its word.
    pub(super) fn if_body(&mut self, at: At) -> Parsed<ExprKind> {
        let mut arms = Vec::new();
        loop {
            let condition = self.with_do(DoBlock::Here, Self::expression)?;
            self.then(at)?;
            arms.push((condition, self.body(&["elsif", "else", "end"], at)?));
            if !self.takes_word("elsif") {
                break;
            }
        }
        let otherwise = self.otherwise(at)?;
        Ok(ExprKind::If(arms, otherwise))
    }

    /// `unless`, after its word.
    pub(super) fn unless_body(&mut self, at: At) -> Parsed<ExprKind> {
        let condition = self.expression()?;
        self.then(at)?;
        let body = self.body(&["else", "end"], at)?;
        let otherwise = self.otherwise(at)?;
        Ok(ExprKind::If(vec![(condition, otherwise)], body))
    }

    /// What follows a condition: `then`, or the end of its line or tag.
    fn then(&mut self, since: At) -> Parsed<()> {
        let ended = matches!(self.kind_at(0), Some(Kind::Line | Kind::End));
        self.skip_ends();
        if self.takes_word("then") || ended {
            return Ok(());
        }
        Err(unexpected(self.peek(), since))
    }

    /// `else` if there is one, and `end`.
    fn otherwise(&mut self, at: At) -> Parsed<Body> {
        let body = if self.takes_word("else") { self.body(&["end"], at)? } else { Vec::new() };
        self.needs_word("end", at)?;
        Ok(body)
    }

    /// `case`, after its word.
    pub(super) fn case_body(&mut self, at: At) -> Parsed<ExprKind> {
        let ends = matches!(self.kind_at(0), None | Some(Kind::Line | Kind::End))
            || self.sees_word("when");
        let subject = if ends { None } else { Some(self.expression()?) };
        self.skip_ends();
        let mut arms = Vec::new();
        self.needs_word("when", at)?;
        loop {
            let mut values = vec![self.value()?];
            while self.takes(",") {
                self.skip_lines();
                values.push(self.value()?);
            }
            self.then(at)?;
            arms.push((values, self.body(&["when", "else", "end"], at)?));
            if !self.takes_word("when") {
                break;
            }
        }
        let otherwise = self.otherwise(at)?;
        Ok(ExprKind::Case(Box::new(Case { subject, arms, otherwise })))
    }

    /// `for`, after its word.
    pub(super) fn for_body(&mut self, at: At) -> Parsed<ExprKind> {
        let mut takes = vec![self.param(Self::declare)?];
        while self.takes(",") {
            takes.push(self.param(Self::declare)?);
        }
        self.needs_word("in", at)?;
        let over = self.with_do(DoBlock::Further, Self::expression)?;
        self.skip_ends();
        self.takes_word("do");
        self.blocks += 1;
        let body = self.body(&["end"], at)?;
        self.blocks -= 1;
        self.needs_word("end", at)?;
        Ok(ExprKind::For(Box::new(Loop { takes, over, body })))
    }
}
