//! What joins values: operators, the ternary, ranges.

use super::{Parsed, Parser};
use crate::template::erb::ast::{Both, Ends, Expr, ExprKind, Op, Stmt};
use crate::template::erb::token::{Kind, unsupported};

/// What two values can be joined by.
#[derive(Clone, Copy, PartialEq)]
enum Joint {
    Op(Op),
    Logic(Both),
}

/// The signs, what they are, and how tightly they bind. `**` binds tighter than all and to the
/// right.
const JOINTS: [(&str, Joint, u8); 18] = [
    ("||", Joint::Logic(Both::Or), 0),
    ("&&", Joint::Logic(Both::And), 1),
    ("<=>", Joint::Op(Op::Order), 2),
    ("===", Joint::Op(Op::Fits), 2),
    ("==", Joint::Op(Op::Same), 2),
    ("!=", Joint::Op(Op::Differs), 2),
    ("=~", Joint::Op(Op::Matches), 2),
    ("!~", Joint::Op(Op::Misses), 2),
    ("<", Joint::Op(Op::Less), 3),
    ("<=", Joint::Op(Op::AtMost), 3),
    (">", Joint::Op(Op::More), 3),
    (">=", Joint::Op(Op::AtLeast), 3),
    ("<<", Joint::Op(Op::Push), 4),
    ("+", Joint::Op(Op::Add), 5),
    ("-", Joint::Op(Op::Sub), 5),
    ("*", Joint::Op(Op::Mul), 6),
    ("/", Joint::Op(Op::Div), 6),
    ("%", Joint::Op(Op::Rem), 6),
];

impl Parser<'_> {
    /// `a ? b : c`, or what binds tighter.
    pub(super) fn choice(&mut self) -> Parsed<Expr> {
        let condition = self.span()?;
        let at = condition.at;
        if !self.takes("?") {
            return Ok(condition);
        }
        self.skip_lines();
        let then = self.deeper(Self::value)?;
        self.skip_lines();
        self.needs(":", at)?;
        self.skip_lines();
        let otherwise = self.deeper(Self::value)?;
        let arms = vec![(condition, vec![Stmt::Plain(then)])];
        Ok(Expr { kind: ExprKind::If(arms, vec![Stmt::Plain(otherwise)]), at })
    }

    fn span(&mut self) -> Parsed<Expr> {
        let first = self.joined()?;
        let ends = if self.takes("..") {
            Ends::Included
        } else if self.takes("...") {
            Ends::Excluded
        } else {
            return Ok(first);
        };
        let at = first.at;
        let last = self.joined()?;
        Ok(Expr { kind: ExprKind::Span(Box::new(first), Box::new(last), ends), at })
    }

    /// Values joined by operators; the tighter ones become one value first.
    fn joined(&mut self) -> Parsed<Expr> {
        let mut values = vec![self.unary()?];
        let mut waiting: Vec<(Joint, u8)> = Vec::new();
        while let Some((joint, level)) = self.joint() {
            self.next += 1;
            // An operator at the end of a line goes on in the next.
            self.skip_lines();
            while waiting.last().is_some_and(|(_, before)| *before >= level) {
                fold(&mut values, &mut waiting);
            }
            waiting.push((joint, level));
            values.push(self.unary()?);
        }
        while !waiting.is_empty() {
            fold(&mut values, &mut waiting);
        }
        values.pop().ok_or_else(|| super::unexpected(None, self.here()))
    }

    fn joint(&self) -> Option<(Joint, u8)> {
        let Some(Kind::Sign(sign)) = self.kind_at(0) else { return None };
        let found = JOINTS.iter().find(|(own, ..)| own == sign);
        found.map(|(_, joint, level)| (*joint, *level))
    }

    fn unary(&mut self) -> Parsed<Expr> {
        let at = self.here();
        if self.takes("!") {
            let inner = self.deeper(Self::unary)?;
            return Ok(Expr { kind: ExprKind::Not(Box::new(inner)), at });
        }
        if self.sees("-") && !self.sees_negative() {
            self.next += 1;
            let inner = self.deeper(Self::unary)?;
            return Ok(Expr { kind: ExprKind::Negate(Box::new(inner)), at });
        }
        let base = self.called()?;
        if !self.takes("**") {
            return Ok(base);
        }
        if matches!(base.kind, ExprKind::Int(..0)) {
            return Err(unsupported(base.at, "- before **"));
        }
        let power = self.deeper(Self::unary)?;
        let at = base.at;
        Ok(Expr { kind: ExprKind::Chain(Box::new(base), vec![(Op::Power, power)]), at })
    }
}

/// Makes one value of the last two. Chains of one level stay flat.
fn fold(values: &mut Vec<Expr>, waiting: &mut Vec<(Joint, u8)>) {
    let (Some(right), Some(left), Some((joint, level))) =
        (values.pop(), values.pop(), waiting.pop())
    else {
        return;
    };
    let at = left.at;
    let kind = match (left.kind, joint) {
        (ExprKind::Chain(first, mut more), Joint::Op(op)) if level_of(&more) == Some(level) => {
            more.push((op, right));
            ExprKind::Chain(first, more)
        }
        (ExprKind::Logic(first, mut more), Joint::Logic(both))
            if more.iter().all(|(own, _)| *own == both) =>
        {
            more.push((both, right));
            ExprKind::Logic(first, more)
        }
        (kind, Joint::Op(op)) => ExprKind::Chain(Box::new(Expr { kind, at }), vec![(op, right)]),
        (kind, Joint::Logic(both)) => {
            ExprKind::Logic(Box::new(Expr { kind, at }), vec![(both, right)])
        }
    };
    values.push(Expr { kind, at });
}

/// How tightly the operators of a chain bind; all of one chain do so alike.
fn level_of(more: &[(Op, Expr)]) -> Option<u8> {
    let (op, _) = more.last()?;
    JOINTS.iter().find(|(_, joint, _)| *joint == Joint::Op(*op)).map(|(.., level)| *level)
}
