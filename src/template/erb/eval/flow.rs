//! What decides which statements run: conditions, cases, loops, assignments, leaving.

use super::value::Value;
use super::{Machine, Outcome, Stop, beyond};
use crate::template::Fault;
use crate::template::erb::ast::{
    Block, BlockBody, Body, Both, Case, Ends, Expr, Leave, Loop, Param, Voice,
};
use crate::template::erb::scan::At;

impl Machine<'_> {
    pub(super) fn logic(&mut self, first: &Expr, more: &[(Both, Expr)]) -> Outcome {
        let mut value = self.value(first)?;
        for (both, next) in more {
            if value.is_true() == (*both == Both::And) {
                value = self.value(next)?;
            }
        }
        Ok(value)
    }

    pub(super) fn branch(&mut self, arms: &[(Expr, Body)], otherwise: &Body) -> Outcome {
        for (condition, body) in arms {
            if self.value(condition)?.is_true() {
                return self.body(body);
            }
        }
        self.body(otherwise)
    }

    pub(super) fn case(&mut self, case: &Case, at: At) -> Outcome {
        let subject = case.subject.as_ref().map(|subject| self.value(subject)).transpose()?;
        for (values, body) in &case.arms {
            for value in values {
                let wanted = self.value(value)?;
                let fits = match &subject {
                    Some(subject) => self.fits(&wanted, subject, at)?,
                    None => wanted.is_true(),
                };
                if fits {
                    return self.body(body);
                }
            }
        }
        self.body(&case.otherwise)
    }

    pub(super) fn repeat(&mut self, each: &Loop, at: At) -> Outcome {
        let over = self.value(&each.over)?;
        let items = self.items(&over, (at, "for"))?;
        for item in items {
            self.step(at)?;
            self.bind(&each.takes, vec![item], at)?;
            match self.body(&each.body) {
                Ok(_) | Err(Stop::Next(..)) => {}
                Err(Stop::Break(value, _)) => return Ok(value),
                Err(fault) => return Err(fault),
            }
        }
        Ok(over)
    }

    pub(super) fn assign(&mut self, slot: usize, value: &Expr) -> Outcome {
        let value = self.value(value)?;
        self.set(slot, value.clone());
        Ok(value)
    }

    fn set(&mut self, slot: usize, value: Value) {
        if let Some(place) = self.slots.get_mut(slot) {
            *place = value;
        }
    }

    pub(super) fn assign_if(
        &mut self,
        (slot, both): (usize, Both),
        value: &Expr,
        at: At,
    ) -> Outcome {
        let old = self.local(slot, at)?;
        if old.is_true() == (both == Both::And) { self.assign(slot, value) } else { Ok(old) }
    }

    pub(super) fn spread(&mut self, slots: &[usize], value: &Expr) -> Outcome {
        let at = value.at;
        let value = self.value(value)?;
        let mut parts = self.parts(&value, at)?.into_iter();
        for slot in slots {
            self.set(*slot, parts.next().unwrap_or(Value::NIL));
        }
        Ok(value)
    }

    /// The elements of a list; any other value alone.
    fn parts(&mut self, value: &Value, at: At) -> Outcome<Vec<Value>> {
        match value {
            Value::List(place) => self.list(*place, at),
            other => Ok(vec![other.clone()]),
        }
    }

    pub(super) fn span(&mut self, (first, last): (&Expr, &Expr), ends: Ends, at: At) -> Outcome {
        match (self.value(first)?, self.value(last)?) {
            (Value::Int(first), Value::Int(last)) if ends == Ends::Included => {
                Ok(Value::Span(first, last))
            }
            // `0...-1` as an index would mean something else.
            (Value::Int(first), Value::Int(last)) if first >= 0 && last >= 0 => {
                Ok(Value::Span(first, last.saturating_sub(1)))
            }
            (nil @ Value::Nil(_), _) | (_, nil @ Value::Nil(_)) => {
                Err(super::nothing(&nil, at, "a range needs numbers"))
            }
            _ => Err(beyond(at, "..")),
        }
    }

    pub(super) fn rescue(&mut self, value: &Expr, instead: &Expr) -> Outcome {
        match self.value(value) {
            Err(Stop::Fault(error)) if matches!(error.fault, Fault::Raised | Fault::Unset) => {
                self.value(instead)
            }
            other => other,
        }
    }

    pub(super) fn leave(&mut self, leave: Leave, value: Option<&Expr>, at: At) -> Outcome {
        let value = value.map(|value| self.value(value)).transpose()?.unwrap_or(Value::NIL);
        Err(match leave {
            Leave::Next => Stop::Next(value, at),
            Leave::Break => Stop::Break(value, at),
        })
    }

    /// `puts` and `print`.
    pub(super) fn say(&mut self, voice: Voice, args: &[Expr], at: At) -> Outcome {
        if args.is_empty() && voice == Voice::Puts {
            self.said.push('\n');
        }
        for arg in args {
            let value = self.value(arg)?;
            self.say_one(voice, &value, at)?;
        }
        self.check_length(at)?;
        Ok(Value::NIL)
    }

    fn say_one(&mut self, voice: Voice, value: &Value, at: At) -> Outcome<()> {
        if let (Value::List(_), Voice::Puts) = (value, voice) {
            // Each on a line of its own, and for an empty list nothing at all.
            let flat = self.flat(value, at)?;
            for one in flat {
                let line = self.shown(&one, at)?;
                self.say_line(&line);
            }
            return Ok(());
        }
        let text = self.shown(value, at)?;
        match voice {
            Voice::Puts => self.say_line(&text),
            Voice::Print => self.said.push_str(&text),
        }
        Ok(())
    }

    fn say_line(&mut self, text: &str) {
        self.said.push_str(text);
        if !text.ends_with('\n') {
            self.said.push('\n');
        }
    }

    /// Runs a block once.
    pub(super) fn round(&mut self, block: &Block, given: Vec<Value>, at: At) -> Outcome {
        self.step(at)?;
        let body = match &block.body {
            BlockBody::Written(body) => body,
            BlockBody::Method(name, at) => {
                let on = given.into_iter().next().unwrap_or(Value::NIL);
                return self.call_method(&on, (name, *at), (Vec::new(), None));
            }
        };
        for slot in block.own.clone() {
            self.set(slot, Value::NIL);
        }
        self.bind(&block.takes, given, at)?;
        match self.body(body) {
            Err(Stop::Next(value, _)) => Ok(value),
            other => other,
        }
    }

    /// Gives the parameters their values: a single list is spread over several of them.
    fn bind(&mut self, takes: &[Param], mut given: Vec<Value>, at: At) -> Outcome<()> {
        if let ([only @ Value::List(_)], 2..) = (given.as_slice(), takes.len()) {
            let only = only.clone();
            given = self.parts(&only, at)?;
        }
        let mut given = given.into_iter();
        for param in takes {
            let value = given.next().unwrap_or(Value::NIL);
            match param {
                Param::Name(slot) => self.set(*slot, value),
                Param::Parts(params) => {
                    let parts = self.parts(&value, at)?;
                    // The parts are what they are, even a single list.
                    let mut parts = parts.into_iter();
                    for param in params {
                        let part = parts.next().unwrap_or(Value::NIL);
                        self.bind(std::slice::from_ref(param), vec![part], at)?;
                    }
                }
            }
        }
        Ok(())
    }
}
