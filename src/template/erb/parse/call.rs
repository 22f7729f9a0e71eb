//! What is called on a value: methods, indexes, blocks.

use super::{DoBlock, Parsed, Parser, is_keyword, unexpected};
use crate::template::erb::ast::{Block, BlockBody, Call, Expr, ExprKind, Param};
use crate::template::erb::methods;
use crate::template::erb::scan::At;
use crate::template::erb::token::{Kind, Token, syntax, unsupported};

impl Parser<'_> {
    /// A value with all that is called on it.
    pub(super) fn called(&mut self) -> Parsed<Expr> {
        let on = self.primary()?;
        let at = on.at;
        let mut calls = Vec::new();
        loop {
            if self.takes("[") {
                let here = self.here();
                let args = self.with_do(DoBlock::Here, |inner| inner.arguments("]", at))?;
                let name = "[]".to_owned();
                calls.push(Call { name, safe: false, args, block: None, at: here });
            } else if let Some(safe) = self.dot() {
                calls.push(self.call(&on, safe)?);
            } else {
                break;
            }
        }
        if calls.is_empty() {
            if matches!(on.kind, ExprKind::File) {
                return Err(unsupported(at, "File without a question"));
            }
            return Ok(on);
        }
        Ok(Expr { kind: ExprKind::Calls(Box::new(on), calls), at })
    }

    /// Takes the point before a method, which may stand on a later line; tells whether it is `&.`.
    fn dot(&mut self) -> Option<bool> {
        let lines =
            self.tokens.iter().skip(self.next).take_while(|one| one.kind == Kind::Line).count();
        let safe = match self.kind_at(lines) {
            Some(Kind::Sign(".")) => false,
            Some(Kind::Sign("&.")) => true,
            Some(Kind::Sign("::")) if lines == 0 => false,
            _ => return None,
        };
        self.next += lines + 1;
        self.skip_lines();
        Some(safe)
    }

    fn call(&mut self, on: &Expr, safe: bool) -> Parsed<Call> {
        let Some(Token { kind: Kind::Word(name), at, .. }) = self.peek() else {
            return Err(unexpected(self.peek(), on.at));
        };
        let at = *at;
        let known = if matches!(on.kind, ExprKind::File) {
            methods::OF_FILES.contains(&name.as_str())
        } else {
            methods::OF_VALUES.contains(&name.as_str())
        };
        if !known {
            return Err(unsupported(at, &format!(".{name}")));
        }
        self.next += 1;
        let args = self.call_arguments(at)?;
        let block = self.block(at)?;
        Ok(Call { name: name.clone(), safe, args, block, at })
    }

    /// What a method is given: in parentheses that touch it, or up to the end of the line.
    pub(super) fn call_arguments(&mut self, at: At) -> Parsed<Vec<Expr>> {
        let touches = self.peek().is_some_and(|next| !next.spaced);
        if touches && self.takes("(") {
            return self.with_do(DoBlock::Here, |inner| inner.arguments(")", at));
        }
        if !self.begins_argument() {
            return Ok(Vec::new());
        }
        self.with_do(DoBlock::Further, |inner| {
            let mut all = vec![inner.deeper(Self::value)?];
            while inner.takes(",") {
                inner.skip_lines();
                all.push(inner.deeper(Self::value)?);
            }
            Ok(all)
        })
    }

    /// Tells whether an argument without parentheses follows.
    fn begins_argument(&self) -> bool {
        let Some(next) = self.peek().filter(|next| next.spaced) else { return false };
        let tight = self.tokens.get(self.next + 1).is_some_and(|after| !after.spaced);
        match &next.kind {
            Kind::Str(_)
            | Kind::Number(_)
            | Kind::Pattern(..)
            | Kind::Global(_)
            | Kind::Sign("[" | "(" | "!") => true,
            Kind::Word(word) => {
                !is_keyword(word) || ["nil", "true", "false", "defined?"].contains(&word.as_str())
            }
            Kind::Sign("-") => tight,
            _ => false,
        }
    }

    /// Values up to the closing `sign`.
    pub(super) fn arguments(&mut self, sign: &str, since: At) -> Parsed<Vec<Expr>> {
        let mut all = Vec::new();
        loop {
            self.skip_lines();
            if self.takes(sign) {
                return Ok(all);
            }
            if self.sees("&") && sign == ")" {
                // `&:name` is taken with the blocks.
                return Ok(all);
            }
            all.push(self.deeper(Self::value)?);
            self.skip_lines();
            if !self.takes(",") {
                self.needs(sign, since)?;
                return Ok(all);
            }
        }
    }

    fn block(&mut self, at: At) -> Parsed<Option<Block>> {
        if self.takes("&") {
            let name_at = self.here();
            let name = match (self.kind_at(0), self.kind_at(1)) {
                (Some(Kind::Sign(":")), Some(Kind::Word(name))) => name.clone(),
                _ => return Err(unsupported(name_at, "& before an argument")),
            };
            if !methods::OF_VALUES.contains(&name.as_str()) {
                return Err(unsupported(name_at, &format!("&:{name}")));
            }
            self.next += 2;
            self.needs(")", at)?;
            let body = BlockBody::Method(name, name_at);
            return Ok(Some(Block { takes: Vec::new(), body, own: 0..0 }));
        }
        if self.takes("{") {
            return self.deeper(|inner| inner.block_until("}", at)).map(Some);
        }
        if self.do_block == DoBlock::Here && self.takes_word("do") {
            return self.deeper(|inner| inner.block_until("end", at)).map(Some);
        }
        Ok(None)
    }

    fn block_until(&mut self, end: &str, at: At) -> Parsed<Block> {
        self.scopes.push(std::collections::BTreeMap::new());
        let first = self.slots;
        let mut takes = Vec::new();
        if !self.takes("||") && self.takes("|") {
            loop {
                takes.push(self.param(Self::declare_anew)?);
                if !self.takes(",") {
                    break;
                }
            }
            self.needs("|", at)?;
        }
        self.blocks += 1;
        let body = self.with_do(DoBlock::Here, |inner| inner.body(&[end], at))?;
        self.blocks -= 1;
        self.next += 1;
        self.scopes.pop();
        Ok(Block { takes, body: BlockBody::Written(body), own: first..self.slots })
    }

    /// A parameter: a name, or names in parentheses.
    pub(super) fn param(&mut self, declare: fn(&mut Self, &str) -> usize) -> Parsed<Param> {
        let at = self.here();
        if self.takes("(") {
            let mut parts = vec![self.deeper(|inner| inner.param(declare))?];
            while self.takes(",") {
                parts.push(self.deeper(|inner| inner.param(declare))?);
            }
            self.needs(")", at)?;
            return Ok(Param::Parts(parts));
        }
        match self.kind_at(0) {
            Some(Kind::Word(name)) if !is_keyword(name) => {
                self.next += 1;
                Ok(Param::Name(declare(self, name)))
            }
            Some(Kind::Sign(sign)) => Err(unsupported(at, &format!("|{sign}…|"))),
            _ => Err(syntax(at, "the name of a variable is missing")),
        }
    }
}
