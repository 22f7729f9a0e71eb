//! What patterns find.

use super::value::Value;
use super::{Machine, Outcome, fault, raised};
use crate::template::Fault;
use crate::template::erb::pattern::{Found, Pattern};
use crate::template::erb::scan::At;

impl Machine<'_> {
    /// Searches, and remembers what was found.
    pub(super) fn find(&mut self, pattern: &Pattern, text: &str, at: At) -> Outcome<Option<Found>> {
        self.make(text.len(), at)?;
        let found = pattern
            .find(text)
            .map_err(|_| fault(at, Fault::TooLong, "a pattern meets a text so long".into()))?;
        self.found = found.as_ref().map(|groups| {
            let text = |range: &Option<std::ops::Range<usize>>| {
                range.clone().and_then(|range| text.get(range)).map(str::to_owned)
            };
            groups.iter().map(text).collect()
        });
        Ok(found)
    }

    /// `=~`: where the first match begins, in characters.
    pub(super) fn matches(&mut self, left: &Value, right: &Value, at: At) -> Outcome {
        let (pattern, text) = match (left, right) {
            (Value::Pattern(pattern), Value::Text(text))
            | (Value::Text(text), Value::Pattern(pattern)) => (pattern, text),
            (Value::Nil(_), _) => return Ok(Value::NIL),
            (Value::Pattern(_), Value::Nil(_)) => {
                self.found = None;
                return Ok(Value::NIL);
            }
            _ => {
                let (a, b) = (left.class(), right.class());
                return Err(raised(at, format!("`=~` needs a pattern, not a {a} and a {b}")));
            }
        };
        let found = self.find(pattern, text, at)?.and_then(|groups| groups.into_iter().next()?);
        let characters = found.map(|range| text.get(..range.start).unwrap_or("").chars().count());
        Ok(characters.and_then(|count| i64::try_from(count).ok()).map_or(Value::NIL, Value::Int))
    }

    /// `match`: what was found, and `nil` if nothing was.
    pub(super) fn match_of(&mut self, pattern: &Pattern, text: &str, at: At) -> Outcome {
        if self.find(pattern, text, at)?.is_none() {
            return Ok(Value::NIL);
        }
        let groups = self.found.clone().unwrap_or_default();
        let groups = groups.into_iter().map(|one| one.map_or(Value::NIL, Value::Text)).collect();
        Ok(Value::Match(self.new_list(groups, at)?))
    }
}
