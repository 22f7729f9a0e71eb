//! Values as texts.

use super::value::{Value, float, inspected};
use super::{Machine, Outcome, beyond};
use crate::template::erb::scan::At;

/// How deep lists may lie in lists when they are shown or compared.
pub(super) const DEEPEST: usize = 16;

impl Machine<'_> {
    /// What Ruby's `to_s` gives: nothing for `nil`.
    pub(super) fn shown(&mut self, value: &Value, at: At) -> Outcome<String> {
        let text = match value {
            Value::Nil(_) => String::new(),
            Value::Text(text) => text.clone(),
            Value::Match(place) => match self.list(*place, at)?.into_iter().next() {
                Some(Value::Text(text)) => text,
                _ => String::new(),
            },
            other => self.inspect(other, at, 0)?,
        };
        self.make(text.len(), at)?;
        Ok(text)
    }

    /// What Ruby's `inspect` gives.
    pub(super) fn inspect(&mut self, value: &Value, at: At, depth: usize) -> Outcome<String> {
        self.step(at)?;
        if depth > DEEPEST {
            return Err(beyond(at, "lists in lists so deep"));
        }
        Ok(match value {
            Value::Nil(_) => "nil".into(),
            Value::Bool(value) => value.to_string(),
            Value::Int(number) => number.to_string(),
            Value::Float(number) => float(*number),
            Value::Text(text) => inspected(text),
            Value::List(place) => {
                let mut all = Vec::new();
                for item in self.list(*place, at)? {
                    all.push(self.inspect(&item, at, depth + 1)?);
                }
                let text = format!("[{}]", all.join(", "));
                self.make(text.len(), at)?;
                text
            }
            Value::Map(place) => {
                let mut all = Vec::new();
                for pair in self.list(*place, at)? {
                    let (key, value) = self.pair(&pair, at)?;
                    let key = self.inspect(&key, at, depth + 1)?;
                    all.push(format!("{key}=>{}", self.inspect(&value, at, depth + 1)?));
                }
                let text = format!("{{{}}}", all.join(", "));
                self.make(text.len(), at)?;
                text
            }
            Value::Span(first, last) => format!("{first}..{last}"),
            Value::Env => "ENV".into(),
            Value::Match(_) | Value::Pattern(_) | Value::File => {
                return Err(beyond(at, &format!("printing a {}", value.class())));
            }
        })
    }

    /// The key and the value of a pair.
    pub(super) fn pair(&mut self, pair: &Value, at: At) -> Outcome<(Value, Value)> {
        let Value::List(place) = pair else { return Ok((pair.clone(), Value::NIL)) };
        let mut both = self.list(*place, at)?.into_iter();
        Ok((both.next().unwrap_or(Value::NIL), both.next().unwrap_or(Value::NIL)))
    }
}
