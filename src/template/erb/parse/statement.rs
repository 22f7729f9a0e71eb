//! Statements: what ends with its line.

use super::{MOST_MODIFIERS, Parsed, Parser, unexpected};
use crate::template::erb::ast::{Body, Both, Expr, ExprKind, Leave, Op, Stmt};
use crate::template::erb::scan::At;
use crate::template::erb::token::{Kind, Token, syntax, unsupported};

/// What assigns, and the operator that it applies first.
const ASSIGNING: [(&str, Op); 6] = [
    ("+=", Op::Add),
    ("-=", Op::Sub),
    ("*=", Op::Mul),
    ("/=", Op::Div),
    ("%=", Op::Rem),
    ("**=", Op::Power),
];

fn closes(token: &Token, ends: &[&str]) -> bool {
    match &token.kind {
        Kind::Word(word) => ends.contains(&word.as_str()),
        Kind::Sign(sign) => ends.contains(sign),
        Kind::OutputEnd => ends.contains(&"%>"),
        _ => false,
    }
}

impl Parser<'_> {
    /// Statements up to one of `ends`, which stays; up to the last word where there is none. What
    /// they belong to begins at `since`.
    pub(super) fn body(&mut self, ends: &[&str], since: At) -> Parsed<Body> {
        let mut all = Vec::new();
        loop {
            self.skip_ends();
            let Some(token) = self.peek() else {
                if ends.is_empty() {
                    return Ok(all);
                }
                return Err(syntax(since, "what begins here never ends"));
            };
            if closes(token, ends) {
                return Ok(all);
            }
            match &token.kind {
                Kind::Text(text) => {
                    self.next += 1;
                    all.push(Stmt::Text(text.clone()));
                }
                Kind::Output => {
                    self.next += 1;
                    let value = self.deeper(|inner| inner.body(&["%>"], token.at))?;
                    self.next += 1;
                    all.push(Stmt::Output(value, token.at));
                }
                _ => {
                    all.push(Stmt::Plain(self.deeper(Self::statement)?));
                    self.end_of_statement(ends)?;
                }
            }
        }
    }

    fn end_of_statement(&mut self, ends: &[&str]) -> Parsed<()> {
        match self.peek() {
            None => Ok(()),
            Some(token) if matches!(token.kind, Kind::Line | Kind::End | Kind::Text(_)) => Ok(()),
            Some(token) if token.kind == Kind::Output || closes(token, ends) => Ok(()),
            other => Err(unexpected(other, self.here())),
        }
    }

    /// One statement with its modifiers.
    fn statement(&mut self) -> Parsed<Expr> {
        let mut value = self.expression()?;
        for _ in 0..MOST_MODIFIERS {
            let at = value.at;
            let kind = if self.takes_word("if") {
                let condition = self.expression()?;
                ExprKind::If(vec![(condition, vec![Stmt::Plain(value)])], Vec::new())
            } else if self.takes_word("unless") {
                let condition = self.expression()?;
                ExprKind::If(vec![(condition, Vec::new())], vec![Stmt::Plain(value)])
            } else if self.takes_word("rescue") {
                let instead = self.expression()?;
                ExprKind::Rescue(Box::new(value), Box::new(instead))
            } else {
                return Ok(value);
            };
            value = Expr { kind, at };
        }
        Err(unsupported(value.at, "so many modifiers"))
    }

    /// An expression with `not`, `and` and `or`, which bind loosest.
    pub(super) fn expression(&mut self) -> Parsed<Expr> {
        let first = self.negation()?;
        let at = first.at;
        let mut more = Vec::new();
        loop {
            let both = if self.takes_word("and") {
                Both::And
            } else if self.takes_word("or") {
                Both::Or
            } else {
                break;
            };
            self.skip_lines();
            more.push((both, self.negation()?));
        }
        if more.is_empty() {
            return Ok(first);
        }
        Ok(Expr { kind: ExprKind::Logic(Box::new(first), more), at })
    }

    fn negation(&mut self) -> Parsed<Expr> {
        let at = self.here();
        if self.takes_word("not") {
            let inner = self.deeper(Self::negation)?;
            return Ok(Expr { kind: ExprKind::Not(Box::new(inner)), at });
        }
        self.value()
    }

    /// An assignment, or a value without `and` and `or`.
    pub(super) fn value(&mut self) -> Parsed<Expr> {
        let at = self.here();
        let (Some(Kind::Word(name)), Some(Kind::Sign(sign))) = (self.kind_at(0), self.kind_at(1))
        else {
            return self.deeper(Self::choice);
        };
        if super::is_keyword(name) {
            return self.deeper(Self::choice);
        }
        let assigning = ASSIGNING.iter().find(|(own, _)| own == sign).map(|(_, op)| *op);
        let kind = match *sign {
            "=" => {
                let slot = self.declare(name);
                ExprKind::Assign(slot, Box::new(self.assigned()?))
            }
            "||=" | "&&=" => {
                let both = if *sign == "||=" { Both::Or } else { Both::And };
                let slot = self.declare(name);
                ExprKind::AssignIf(slot, both, Box::new(self.assigned()?))
            }
            "," => match self.targets() {
                Some(targets) => ExprKind::Spread(targets, Box::new(self.assigned_list(at)?)),
                None => return self.deeper(Self::choice),
            },
            _ => match assigning {
                Some(op) => {
                    let slot = self.declare(name);
                    let old = Expr { kind: ExprKind::Local(slot), at };
                    let more = vec![(op, self.assigned()?)];
                    let sum = Expr { kind: ExprKind::Chain(Box::new(old), more), at };
                    ExprKind::Assign(slot, Box::new(sum))
                }
                None => return self.deeper(Self::choice),
            },
        };
        Ok(Expr { kind, at })
    }

    /// What follows the name and the sign of an assignment.
    fn assigned(&mut self) -> Parsed<Expr> {
        self.next += 2;
        self.assigned_value()
    }

    fn assigned_value(&mut self) -> Parsed<Expr> {
        self.skip_lines();
        let value = self.deeper(Self::value)?;
        if !self.takes_word("rescue") {
            return Ok(value);
        }
        // In `a = b rescue c` the rescue is the value's.
        let instead = self.deeper(Self::value)?;
        let at = value.at;
        Ok(Expr { kind: ExprKind::Rescue(Box::new(value), Box::new(instead)), at })
    }

    /// The targets of `a, b = …`, taken up to the sign; nothing, and nothing taken, if that is not
    /// what follows.
    fn targets(&mut self) -> Option<Vec<usize>> {
        let mut names = Vec::new();
        let mut ahead = 0;
        loop {
            let Some(Kind::Word(name)) = self.kind_at(ahead) else { return None };
            names.push(name);
            match self.kind_at(ahead + 1) {
                Some(Kind::Sign(",")) => ahead += 2,
                Some(Kind::Sign("=")) => break,
                _ => return None,
            }
        }
        self.next += ahead + 2;
        Some(names.into_iter().map(|name| self.declare(name)).collect())
    }

    /// The right side of `a, b = …`: one list, or several values.
    fn assigned_list(&mut self, at: At) -> Parsed<Expr> {
        let first = self.assigned_value()?;
        if !self.sees(",") {
            return Ok(first);
        }
        let mut all = vec![first];
        while self.takes(",") {
            self.skip_lines();
            all.push(self.deeper(Self::value)?);
        }
        Ok(Expr { kind: ExprKind::List(all), at })
    }

    /// `next` and `break`, with what they give.
    pub(super) fn leave(&mut self, leave: Leave, at: At) -> Parsed<ExprKind> {
        if self.blocks == 0 {
            return Err(syntax(at, "nothing is open here that could be left"));
        }
        let ends = self.peek().is_none_or(|token| match &token.kind {
            Kind::Word(word) => {
                super::is_keyword(word) && !["nil", "true", "false"].contains(&word.as_str())
            }
            Kind::Sign(sign) => *sign == "}" || *sign == ")",
            Kind::Str(_) | Kind::Number(_) | Kind::Pattern(..) | Kind::Global(_) => false,
            _ => true,
        });
        let value = if ends { None } else { Some(Box::new(self.deeper(Self::value)?)) };
        Ok(ExprKind::Leave(leave, value))
    }
}
