//! The methods of lists, hashes, ranges and the environment.

use super::value::Value;
use super::{Machine, Outcome, beyond, nothing, raised, text};
use crate::template::erb::ast::{Block, Op};
use crate::template::erb::scan::At;
use std::cmp::Ordering;

/// What a method is given.
type Given<'a> = (&'a [Value], Option<&'a Block>);

impl Machine<'_> {
    /// What there is to go through: elements, or pairs.
    pub(super) fn items(&mut self, on: &Value, (at, name): (At, &str)) -> Outcome<Vec<Value>> {
        match on {
            Value::List(place) | Value::Map(place) => self.list(*place, at),
            Value::Span(first, last) => {
                let count = usize::try_from(last.saturating_sub(*first).saturating_add(1));
                self.make(count.unwrap_or(0).saturating_mul(size_of::<Value>()), at)?;
                Ok((*first..=*last).map(Value::Int).collect())
            }
            Value::Env => {
                let env = self.world.env;
                let mut all = Vec::with_capacity(env.len());
                for (name, value) in env {
                    self.make(name.len() + value.len(), at)?;
                    let pair = vec![Value::Text(name.clone()), Value::Text(value.clone())];
                    all.push(Value::List(self.new_list(pair, at)?));
                }
                Ok(all)
            }
            nil @ Value::Nil(_) => Err(nothing(nil, at, &format!("`{name}` needs a list"))),
            other => Err(raised(at, format!("a {} has no elements", other.class()))),
        }
    }

    /// The methods of what has elements; nothing for one that it lacks.
    pub(super) fn of_many(
        &mut self,
        on: &Value,
        (name, at): (&str, At),
        (args, block): Given<'_>,
    ) -> Outcome<Option<Value>> {
        if matches!(on, Value::Map(_) | Value::Env)
            && let Some(value) = self.of_pairs(on, (name, at), (args, block))?
        {
            return Ok(Some(value));
        }
        if let (Value::List(place), "push" | "concat") = (on, name) {
            return self.grow(*place, (name, at), args).map(Some);
        }
        let items = self.items(on, (at, name))?;
        if let Some(block) = block {
            return self.with_block(on, (name, at), (items, args, block));
        }
        let rest: Option<Value> = match (name, args) {
            ("[]", [index]) if matches!(on, Value::List(_)) => {
                Some(self.element(&items, index, at)?)
            }
            ("[]", [Value::Int(first), Value::Int(count)]) => {
                let part = text::counted((*first, *count), items.len());
                return self.cut(&items, part, at).map(Some);
            }
            ("first" | "take", [Value::Int(count)]) => {
                return self.cut(&items, text::counted((0, *count), items.len()), at).map(Some);
            }
            ("drop", [Value::Int(count)]) => {
                let from = usize::try_from(*count).unwrap_or(0).min(items.len());
                return self.cut(&items, Some(from..items.len()), at).map(Some);
            }
            ("last", [Value::Int(count)]) => {
                let from = items.len().saturating_sub(usize::try_from(*count).unwrap_or(0));
                return self.cut(&items, Some(from..items.len()), at).map(Some);
            }
            ("include?", [wanted]) => Some(self.holds(&items, wanted, at)?.into()),
            ("index", [wanted]) => Some(self.index(&items, wanted, at)?),
            ("join", []) => Some(Value::Text(self.join(items, "", at)?)),
            ("join", [Value::Text(by)]) => Some(Value::Text(self.join(items, by, at)?)),
            (_, []) => return self.whole(items, (name, at)),
            _ => None,
        };
        Ok(rest)
    }

    /// The methods without arguments and without a block.
    fn whole(&mut self, items: Vec<Value>, (name, at): (&str, At)) -> Outcome<Option<Value>> {
        let count = i64::try_from(items.len()).unwrap_or(i64::MAX);
        let made = match name {
            "length" | "size" | "count" => return Ok(Some(Value::Int(count))),
            "empty?" => return Ok(Some(items.is_empty().into())),
            "any?" => return Ok(Some(items.iter().any(Value::is_true).into())),
            "all?" => return Ok(Some(items.iter().all(Value::is_true).into())),
            "none?" => return Ok(Some((!items.iter().any(Value::is_true)).into())),
            "first" => return Ok(Some(items.into_iter().next().unwrap_or(Value::NIL))),
            "last" => return Ok(Some(items.into_iter().next_back().unwrap_or(Value::NIL))),
            "min" => {
                return Ok(Some(self.sorted(items, at)?.into_iter().next().unwrap_or(Value::NIL)));
            }
            "max" => {
                return Ok(Some(
                    self.sorted(items, at)?.into_iter().next_back().unwrap_or(Value::NIL),
                ));
            }
            "sum" => {
                let mut sum = Value::Int(0);
                for item in items {
                    sum = self.operate(Op::Add, (sum, at), (item, at))?;
                }
                return Ok(Some(sum));
            }
            "to_a" | "each_line" | "lines" => items,
            "compact" => items.into_iter().filter(|one| !matches!(one, Value::Nil(_))).collect(),
            "reverse" => items.into_iter().rev().collect(),
            "sort" => self.sorted(items, at)?,
            "uniq" => {
                let mut kept: Vec<Value> = Vec::new();
                for item in items {
                    if !self.holds(&kept, &item, at)? {
                        kept.push(item);
                    }
                }
                kept
            }
            "flatten" => {
                let mut all = Vec::new();
                for item in items {
                    all.extend(self.flat(&item, at)?);
                }
                all
            }
            _ => return Ok(None),
        };
        Ok(Some(Value::List(self.new_list(made, at)?)))
    }

    /// The methods that ask a block about each element.
    fn with_block(
        &mut self,
        on: &Value,
        (name, at): (&str, At),
        (items, args, block): (Vec<Value>, &[Value], &Block),
    ) -> Outcome<Option<Value>> {
        if !args.is_empty() {
            return Ok(None);
        }
        let mut kept = Vec::new();
        for (index, item) in items.into_iter().enumerate() {
            let given = match (name, on) {
                ("each_with_index", _) => {
                    vec![item.clone(), Value::Int(i64::try_from(index).unwrap_or(i64::MAX))]
                }
                // Hashes give these the key and the value, not a pair.
                ("select" | "filter" | "reject", Value::Map(_) | Value::Env) => {
                    let (key, value) = self.pair(&item, at)?;
                    vec![key, value]
                }
                _ => vec![item.clone()],
            };
            let said = self.round(block, given, at)?;
            let is_true = said.is_true();
            match name {
                "map" | "collect" => kept.push(said),
                "select" | "filter" | "count" if is_true => kept.push(item),
                "reject" if !is_true => kept.push(item),
                "find" | "detect" if is_true => return Ok(Some(item)),
                "any?" if is_true => return Ok(Some(true.into())),
                "all?" if !is_true => return Ok(Some(false.into())),
                "none?" if is_true => return Ok(Some(false.into())),
                "each" | "each_pair" | "each_with_index" | "select" | "filter" | "reject"
                | "find" | "detect" | "any?" | "all?" | "none?" | "count" => {}
                _ => return Ok(None),
            }
        }
        Ok(Some(match name {
            "each" | "each_pair" | "each_with_index" => on.clone(),
            "find" | "detect" => Value::NIL,
            "any?" => false.into(),
            "all?" | "none?" => true.into(),
            "count" => Value::Int(i64::try_from(kept.len()).unwrap_or(i64::MAX)),
            "select" | "filter" | "reject" if matches!(on, Value::Map(_) | Value::Env) => {
                Value::Map(self.new_list(kept, at)?)
            }
            "map" | "collect" | "select" | "filter" | "reject" => {
                Value::List(self.new_list(kept, at)?)
            }
            _ => return Ok(None),
        }))
    }

    /// The methods that hashes and the environment have beyond those of lists.
    fn of_pairs(
        &mut self,
        on: &Value,
        (name, at): (&str, At),
        (args, block): Given<'_>,
    ) -> Outcome<Option<Value>> {
        if block.is_some() {
            return Ok(None);
        }
        let side = match (name, args) {
            ("keys", []) => 0,
            ("values", []) => 1,
            ("to_h" | "to_hash", []) => {
                let all = self.items(on, (at, name))?;
                return Ok(Some(Value::Map(self.new_list(all, at)?)));
            }
            ("[]" | "fetch" | "key?" | "has_key?" | "include?", [key, ..]) => {
                return self.looked_up(on, (name, at), (key, args.get(1)));
            }
            _ => return Ok(None),
        };
        let mut all = Vec::new();
        for pair in self.items(on, (at, name))? {
            let (key, value) = self.pair(&pair, at)?;
            all.push(if side == 0 { key } else { value });
        }
        Ok(Some(Value::List(self.new_list(all, at)?)))
    }

    fn looked_up(
        &mut self,
        on: &Value,
        (name, at): (&str, At),
        (key, otherwise): (&Value, Option<&Value>),
    ) -> Outcome<Option<Value>> {
        if let (Value::Env, nil @ Value::Nil(_)) = (on, key) {
            return Err(nothing(nil, at, "a variable's name is needed"));
        }
        let mut found = None;
        for pair in self.items(on, (at, name))? {
            let (own, value) = self.pair(&pair, at)?;
            if self.equal(&own, key, at)? {
                found = Some(value);
                break;
            }
        }
        Ok(Some(match (name, found, otherwise) {
            ("[]" | "fetch", Some(value), _) => value,
            ("[]", None, None) => Value::NIL,
            ("fetch", None, Some(otherwise)) => otherwise.clone(),
            ("fetch", None, None) => {
                let variable = match (on, key) {
                    (Value::Env, Value::Text(name)) => Value::Nil(Some(name.as_str().into())),
                    _ => Value::NIL,
                };
                return Err(nothing(&variable, at, "`fetch` needs it"));
            }
            (_, found, _) => found.is_some().into(),
        }))
    }

    /// `push` and `concat`, which change the list itself.
    fn grow(&mut self, place: usize, (name, at): (&str, At), args: &[Value]) -> Outcome {
        let mut more = Vec::new();
        for arg in args {
            match (name, arg) {
                ("push", one) => more.push(one.clone()),
                (_, Value::List(other)) => more.extend(self.list(*other, at)?),
                (_, nil @ Value::Nil(_)) => return Err(nothing(nil, at, "`concat` needs a list")),
                (_, other) => {
                    return Err(raised(
                        at,
                        format!("`concat` needs a list, not a {}", other.class()),
                    ));
                }
            }
        }
        self.make(size_of_val(more.as_slice()), at)?;
        if let Some(list) = self.lists.get_mut(place) {
            list.extend(more);
        }
        Ok(Value::List(place))
    }

    /// `list[index]`.
    pub(super) fn element(&mut self, items: &[Value], index: &Value, at: At) -> Outcome {
        match index {
            Value::Int(index) => {
                let place = text::place(*index, items.len());
                Ok(place.and_then(|place| items.get(place)).cloned().unwrap_or(Value::NIL))
            }
            Value::Span(first, last) => {
                self.cut(items, text::range((*first, *last), items.len()), at)
            }
            nil @ Value::Nil(_) => Err(nothing(nil, at, "an index is needed")),
            other => Err(raised(at, format!("a {} is no index", other.class()))),
        }
    }

    fn cut(&mut self, items: &[Value], part: Option<std::ops::Range<usize>>, at: At) -> Outcome {
        match part.and_then(|part| items.get(part)) {
            Some(part) => Ok(Value::List(self.new_list(part.to_vec(), at)?)),
            None => Ok(Value::NIL),
        }
    }

    fn index(&mut self, items: &[Value], wanted: &Value, at: At) -> Outcome {
        for (index, item) in items.iter().enumerate() {
            if self.equal(item, wanted, at)? {
                return Ok(Value::Int(i64::try_from(index).unwrap_or(i64::MAX)));
            }
        }
        Ok(Value::NIL)
    }

    fn join(&mut self, items: Vec<Value>, by: &str, at: At) -> Outcome<String> {
        let mut text = String::new();
        let mut first = true;
        for item in items {
            for one in self.flat(&item, at)? {
                if !std::mem::take(&mut first) {
                    text.push_str(by);
                }
                let shown = self.shown(&one, at)?;
                self.make(shown.len() + by.len(), at)?;
                text.push_str(&shown);
            }
        }
        Ok(text)
    }

    /// The elements of a list and of the lists in it; any other value alone.
    pub(super) fn flat(&mut self, value: &Value, at: At) -> Outcome<Vec<Value>> {
        let mut open = vec![value.clone()];
        let mut all = Vec::new();
        while let Some(next) = open.pop() {
            self.step(at)?;
            match next {
                Value::List(place) => open.extend(self.list(place, at)?.into_iter().rev()),
                other => all.push(other),
            }
        }
        Ok(all)
    }

    /// Sorted, if all can be compared with each other.
    fn sorted(&mut self, mut items: Vec<Value>, at: At) -> Outcome<Vec<Value>> {
        if let (Some(first), true) = (items.first().cloned(), items.len() > 1) {
            for item in items.iter().skip(1) {
                if self.order(&first, item, at)?.is_none() {
                    let (a, b) = (first.class(), item.class());
                    return Err(raised(at, format!("a {a} cannot be compared with a {b}")));
                }
            }
        }
        let mut failed = None;
        items.sort_by(|a, b| {
            if failed.is_some() {
                return Ordering::Equal;
            }
            match self.order(a, b, at) {
                Ok(Some(order)) => order,
                Ok(None) => {
                    failed = Some(beyond(at, ".sort of these"));
                    Ordering::Equal
                }
                Err(stop) => {
                    failed = Some(stop);
                    Ordering::Equal
                }
            }
        });
        failed.map_or(Ok(items), Err)
    }
}
