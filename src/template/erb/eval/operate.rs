//! Operators.

use super::show::DEEPEST;
use super::value::Value;
use super::{Machine, Outcome, beyond, nothing, number, raised};
use crate::template::erb::ast::{Expr, Op};
use crate::template::erb::scan::At;
use std::cmp::Ordering;

/// A value and where it stands.
type Placed = (Value, At);

impl Machine<'_> {
    /// Operators of one precedence, from the left.
    pub(super) fn chain(&mut self, first: &Expr, more: &[(Op, Expr)]) -> Outcome {
        let mut left = self.value(first)?;
        let mut at = first.at;
        for (op, right) in more {
            let value = self.value(right)?;
            left = self.operate(*op, (left, at), (value, right.at))?;
            at = first.at;
        }
        Ok(left)
    }

    pub(super) fn negate(&mut self, inner: &Expr) -> Outcome {
        match self.value(inner)? {
            Value::Int(number) => number
                .checked_neg()
                .map(Value::Int)
                .ok_or_else(|| beyond(inner.at, "a number so large")),
            Value::Float(number) => Ok(Value::Float(-number)),
            nil @ Value::Nil(_) => Err(nothing(&nil, inner.at, "`-` needs a number")),
            other => Err(raised(inner.at, format!("a {} cannot be made negative", other.class()))),
        }
    }

    pub(super) fn operate(&mut self, op: Op, left: Placed, right: Placed) -> Outcome {
        let at = left.1;
        Ok(match op {
            Op::Same => self.equal(&left.0, &right.0, at)?.into(),
            Op::Differs => (!self.equal(&left.0, &right.0, at)?).into(),
            Op::Fits => self.fits(&left.0, &right.0, at)?.into(),
            Op::Matches => return self.matches(&left.0, &right.0, at),
            Op::Misses => (!self.matches(&left.0, &right.0, at)?.is_true()).into(),
            Op::Order => match self.order(&left.0, &right.0, at)? {
                Some(order) => Value::Int(order as i64),
                None => Value::NIL,
            },
            Op::Less | Op::AtMost | Op::More | Op::AtLeast => {
                return self.compare(op, &left, &right);
            }
            Op::Add => return self.add(left, right),
            Op::Push => return self.push(left, right),
            Op::Mul => return self.multiply(left, right),
            Op::Sub | Op::Div | Op::Rem | Op::Power => return self.arithmetic(op, &left, &right),
        })
    }

    fn add(&mut self, left: Placed, right: Placed) -> Outcome {
        match (left.0, right.0) {
            (Value::Text(mut text), Value::Text(more)) => {
                self.make(more.len(), left.1)?;
                text.push_str(&more);
                Ok(Value::Text(text))
            }
            (Value::List(first), Value::List(second)) => {
                let mut all = self.list(first, left.1)?;
                all.extend(self.list(second, right.1)?);
                Ok(Value::List(self.new_list(all, left.1)?))
            }
            (nil @ Value::Nil(_), _) => {
                Err(nothing(&nil, left.1, "`+` needs a value on both sides"))
            }
            (_, nil @ Value::Nil(_)) => {
                Err(nothing(&nil, right.1, "`+` needs a value on both sides"))
            }
            (a, b) => self.arithmetic(Op::Add, &(a, left.1), &(b, right.1)),
        }
    }

    fn multiply(&mut self, left: Placed, right: Placed) -> Outcome {
        match (left.0, right.0) {
            (Value::Text(text), Value::Int(times)) => {
                let times = usize::try_from(times)
                    .map_err(|_| raised(right.1, "a text cannot be repeated so often"))?;
                self.make(text.len().saturating_mul(times), left.1)?;
                Ok(Value::Text(text.repeat(times)))
            }
            (Value::List(_), _) => Err(beyond(left.1, "* on a list")),
            (a, b) => self.arithmetic(Op::Mul, &(a, left.1), &(b, right.1)),
        }
    }

    fn push(&mut self, left: Placed, right: Placed) -> Outcome {
        match left.0 {
            Value::List(place) => {
                self.make(size_of::<Value>(), left.1)?;
                if let Some(list) = self.lists.get_mut(place) {
                    list.push(right.0);
                }
                Ok(Value::List(place))
            }
            nil @ Value::Nil(_) => Err(nothing(&nil, left.1, "`<<` needs a list")),
            other => Err(beyond(left.1, &format!("<< on a {}", other.class()))),
        }
    }

    fn arithmetic(&mut self, op: Op, left: &Placed, right: &Placed) -> Outcome {
        match (&left.0, &right.0) {
            (nil @ Value::Nil(_), _) => {
                Err(nothing(nil, left.1, "there is to be reckoned with it"))
            }
            (Value::Int(a), Value::Int(b)) => number::whole(op, (*a, *b), right.1),
            (Value::Int(a), Value::Float(b)) => {
                Ok(Value::Float(number::real(op, number::as_float(*a), *b)))
            }
            (Value::Float(a), Value::Int(b)) => {
                Ok(Value::Float(number::real(op, *a, number::as_float(*b))))
            }
            (Value::Float(a), Value::Float(b)) => Ok(Value::Float(number::real(op, *a, *b))),
            (Value::Int(_) | Value::Float(_), nil @ Value::Nil(_)) => {
                Err(nothing(nil, right.1, "there is to be reckoned with it"))
            }
            (Value::List(a), Value::List(b)) if op == Op::Sub => {
                let (all, without) = (self.list(*a, left.1)?, self.list(*b, right.1)?);
                let kept = self.without(all, &without, left.1)?;
                Ok(Value::List(self.new_list(kept, left.1)?))
            }
            (Value::Text(_), _) if op == Op::Rem => Err(beyond(left.1, "% on a text")),
            (Value::Text(_) | Value::Int(_) | Value::Float(_), other) => Err(raised(
                right.1,
                format!("a {} and a {} cannot be joined so", left.0.class(), other.class()),
            )),
            (other, _) => Err(raised(left.1, format!("a {} has no such operator", other.class()))),
        }
    }

    fn compare(&mut self, op: Op, left: &Placed, right: &Placed) -> Outcome {
        if let nil @ Value::Nil(_) = &left.0 {
            return Err(nothing(nil, left.1, "it is to be compared"));
        }
        if let nil @ Value::Nil(_) = &right.0 {
            return Err(nothing(nil, right.1, "it is to be compared"));
        }
        let number = |value: &Value| matches!(value, Value::Int(_) | Value::Float(_));
        let alike = matches!((&left.0, &right.0), (Value::Text(_), Value::Text(_)))
            || (number(&left.0) && number(&right.0));
        let is_nan = |value: &Value| matches!(value, Value::Float(number) if number.is_nan());
        if is_nan(&left.0) || is_nan(&right.0) {
            return Ok(Value::Bool(false));
        }
        let order = self.order(&left.0, &right.0, left.1)?.filter(|_| alike);
        let Some(order) = order else {
            let (a, b) = (left.0.class(), right.0.class());
            return Err(raised(left.1, format!("a {a} cannot be compared with a {b}")));
        };
        Ok(Value::Bool(match op {
            Op::Less => order == Ordering::Less,
            Op::AtMost => order != Ordering::Greater,
            Op::More => order == Ordering::Greater,
            _ => order != Ordering::Less,
        }))
    }

    /// Which comes first; nothing for what cannot be compared.
    pub(super) fn order(&mut self, a: &Value, b: &Value, at: At) -> Outcome<Option<Ordering>> {
        self.order_at(a, b, (at, 0))
    }

    fn order_at(
        &mut self,
        a: &Value,
        b: &Value,
        (at, depth): (At, usize),
    ) -> Outcome<Option<Ordering>> {
        self.step(at)?;
        if depth > DEEPEST {
            return Err(beyond(at, "lists in lists so deep"));
        }
        Ok(match (a, b) {
            (Value::Int(a), Value::Int(b)) => Some(a.cmp(b)),
            (Value::Int(a), Value::Float(b)) => number::as_float(*a).partial_cmp(b),
            (Value::Float(a), Value::Int(b)) => a.partial_cmp(&number::as_float(*b)),
            (Value::Float(a), Value::Float(b)) => a.partial_cmp(b),
            (Value::Text(a), Value::Text(b)) => Some(a.cmp(b)),
            (Value::Nil(_), Value::Nil(_)) => Some(Ordering::Equal),
            (Value::List(a), Value::List(b)) => {
                let (a, b) = (self.list(*a, at)?, self.list(*b, at)?);
                for (a, b) in a.iter().zip(&b) {
                    match self.order_at(a, b, (at, depth + 1))? {
                        Some(Ordering::Equal) => {}
                        other => return Ok(other),
                    }
                }
                Some(a.len().cmp(&b.len()))
            }
            _ => None,
        })
    }

    /// `==`.
    pub(super) fn equal(&mut self, a: &Value, b: &Value, at: At) -> Outcome<bool> {
        self.equal_at(a, b, (at, 0))
    }

    fn equal_at(&mut self, a: &Value, b: &Value, (at, depth): (At, usize)) -> Outcome<bool> {
        self.step(at)?;
        if depth > DEEPEST {
            return Err(beyond(at, "lists in lists so deep"));
        }
        Ok(match (a, b) {
            (Value::Nil(_), Value::Nil(_))
            | (Value::Env, Value::Env)
            | (Value::File, Value::File) => true,
            (Value::Bool(a), Value::Bool(b)) => a == b,
            (Value::Span(a, b), Value::Span(c, d)) => a == c && b == d,
            (Value::Pattern(a), Value::Pattern(b)) => a.source == b.source,
            (Value::List(a), Value::List(b)) | (Value::Map(a), Value::Map(b)) => {
                let (a, b) = (self.list(*a, at)?, self.list(*b, at)?);
                if a.len() != b.len() {
                    return Ok(false);
                }
                for (a, b) in a.iter().zip(&b) {
                    if !self.equal_at(a, b, (at, depth + 1))? {
                        return Ok(false);
                    }
                }
                true
            }
            (Value::Int(_) | Value::Float(_) | Value::Text(_), _) => {
                self.order_at(a, b, (at, depth))? == Some(Ordering::Equal)
            }
            _ => false,
        })
    }

    /// `===`, as `case` asks it.
    pub(super) fn fits(&mut self, wanted: &Value, value: &Value, at: At) -> Outcome<bool> {
        match (wanted, value) {
            (Value::Pattern(_), Value::Text(_)) => Ok(self.matches(value, wanted, at)?.is_true()),
            (Value::Span(first, last), Value::Int(number)) => Ok((first..=last).contains(&number)),
            (Value::Span(first, last), Value::Float(number)) => {
                let (first, last) = (number::as_float(*first), number::as_float(*last));
                Ok(first <= *number && *number <= last)
            }
            _ => self.equal(wanted, value, at),
        }
    }

    /// The items of `all` that are not in `without`.
    fn without(&mut self, all: Vec<Value>, without: &[Value], at: At) -> Outcome<Vec<Value>> {
        let mut kept = Vec::new();
        for item in all {
            if !self.holds(without, &item, at)? {
                kept.push(item);
            }
        }
        Ok(kept)
    }

    /// Tells whether `items` has `wanted`.
    pub(super) fn holds(&mut self, items: &[Value], wanted: &Value, at: At) -> Outcome<bool> {
        for item in items {
            if self.equal(item, wanted, at)? {
                return Ok(true);
            }
        }
        Ok(false)
    }
}
