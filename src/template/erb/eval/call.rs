//! Calls: which value has which method.

use super::value::Value;
use super::{Machine, Outcome, Stop, beyond, nothing, number, raised};
use crate::sys::fs::Kind;
use crate::template::Links;
use crate::template::erb::ast::{Block, Call, Expr};
use crate::template::erb::scan::At;

/// What a method is given.
type Given<'a> = (Vec<Value>, Option<&'a Block>);

impl Machine<'_> {
    pub(super) fn calls(&mut self, on: &Expr, calls: &[Call]) -> Outcome {
        let mut value = self.value(on)?;
        for call in calls {
            if call.safe && matches!(value, Value::Nil(_)) {
                continue;
            }
            self.step(call.at)?;
            let mut args = Vec::with_capacity(call.args.len());
            for arg in &call.args {
                args.push(self.value(arg)?);
            }
            if let (Value::Env, "[]", [name]) = (&value, call.name.as_str(), args.as_slice()) {
                value = self.variable(name, call.args.first().map_or(call.at, |arg| arg.at))?;
            } else {
                if let Value::Nil(_) = value {
                    value = of_nil(&value, &call.name, on.at)?;
                    continue;
                }
                let result =
                    self.call_method(&value, (&call.name, call.at), (args, call.block.as_ref()));
                value = match result {
                    Err(Stop::Break(value, _)) if call.block.is_some() => value,
                    other => other?,
                };
            }
        }
        Ok(value)
    }

    /// `ENV[name]`.
    fn variable(&mut self, name: &Value, at: At) -> Outcome {
        match name {
            Value::Text(name) => match self.world.env.get(name) {
                Some(value) => {
                    self.make(value.len(), at)?;
                    Ok(Value::Text(value.clone()))
                }
                None => Ok(Value::Nil(Some(name.as_str().into()))),
            },
            nil @ Value::Nil(_) => Err(nothing(nil, at, "a variable's name is needed")),
            other => Err(raised(at, format!("a {} is no variable's name", other.class()))),
        }
    }

    /// Calls one method of a value.
    pub(super) fn call_method(
        &mut self,
        on: &Value,
        (name, at): (&str, At),
        (args, block): Given<'_>,
    ) -> Outcome {
        if matches!(on, Value::Nil(_)) {
            return of_nil(on, name, at);
        }
        match (name, args.as_slice(), on) {
            ("nil?", [], _) => return Ok(Value::Bool(false)),
            ("to_s", [], _) => return Ok(Value::Text(self.shown(on, at)?)),
            ("inspect", [], _) => return Ok(Value::Text(self.inspect(on, at, 0)?)),
            ("[]", [index], Value::Match(place)) => {
                let all = self.list(*place, at)?;
                return self.element(&all, index, at);
            }
            ("to_a", [], Value::Match(place)) => return Ok(Value::List(*place)),
            ("match" | "match?", [Value::Text(text)], Value::Pattern(pattern)) => {
                let found = self.match_of(pattern, text, at)?;
                return Ok(if name == "match" { found } else { found.is_true().into() });
            }
            _ => {}
        }
        let class = on.class();
        let result = match on {
            Value::Text(text) => self.of_text(text, (name, at), (&args, block))?,
            Value::Int(first) if matches!(name, "times" | "upto") => {
                self.counted(*first, (name, at), (&args, block))?
            }
            Value::Int(_) | Value::Float(_) => number::of_number(on, (name, at), &args)?,
            Value::List(_) | Value::Map(_) | Value::Env | Value::Span(..) => {
                self.of_many(on, (name, at), (&args, block))?
            }
            Value::File => self.of_file((name, at), &args)?,
            _ => None,
        };
        result.ok_or_else(|| beyond(at, &format!(".{name} of a {class}")))
    }

    /// `times` and `upto`.
    fn counted(
        &mut self,
        first: i64,
        (name, at): (&str, At),
        (args, block): (&[Value], Option<&Block>),
    ) -> Outcome<Option<Value>> {
        let numbers = match (name, args) {
            ("times", []) => 0..first,
            ("upto", [Value::Int(last)]) => first..last.saturating_add(1),
            _ => return Ok(None),
        };
        let Some(block) = block else { return Ok(None) };
        for number in numbers {
            self.round(block, vec![Value::Int(number)], at)?;
        }
        Ok(Some(Value::Int(first)))
    }

    /// The questions about files, and what is done with paths.
    fn of_file(&mut self, (name, at): (&str, At), args: &[Value]) -> Outcome<Option<Value>> {
        let mut texts = Vec::new();
        for arg in args {
            match arg {
                Value::Text(text) => texts.push(text.as_str()),
                nil @ Value::Nil(_) => {
                    return Err(nothing(nil, at, "the name of a file is needed"));
                }
                other => {
                    return Err(raised(at, format!("a {} is no name of a file", other.class())));
                }
            }
        }
        if name == "join" {
            return Ok(Some(Value::Text(joined(&texts))));
        }
        let [path] = texts.as_slice() else { return Ok(None) };
        let files = self.world.files;
        let kind = |links| if path.contains('\0') { None } else { files.kind(path, links) };
        Ok(Some(match name {
            "exist?" | "exists?" => kind(Links::Followed).is_some().into(),
            "file?" => (kind(Links::Followed) == Some(Kind::File)).into(),
            "directory?" => (kind(Links::Followed) == Some(Kind::Directory)).into(),
            "symlink?" => (kind(Links::Themselves) == Some(Kind::Link)).into(),
            "basename" => Value::Text(basename(path).to_owned()),
            "dirname" => Value::Text(dirname(path).to_owned()),
            "extname" => Value::Text(extname(path).to_owned()),
            _ => return Ok(None),
        }))
    }
}

/// The methods of `nil`, which came from `at`.
fn of_nil(nil: &Value, name: &str, at: At) -> Outcome {
    match name {
        "nil?" => Ok(Value::Bool(true)),
        "to_s" => Ok(Value::Text(String::new())),
        "inspect" => Ok(Value::Text("nil".into())),
        "to_i" => Ok(Value::Int(0)),
        "to_f" => Ok(Value::Float(0.0)),
        "to_a" | "to_h" => Err(beyond(at, &format!(".{name} of nil"))),
        _ => Err(nothing(nil, at, &format!("`{name}` needs a value"))),
    }
}

/// Paths joined with one `/` between each two.
fn joined(parts: &[&str]) -> String {
    let mut path = String::new();
    for (index, part) in parts.iter().enumerate() {
        if index == 0 {
            path.push_str(part);
            continue;
        }
        match (path.ends_with('/'), part.starts_with('/')) {
            (true, true) => path.truncate(path.trim_end_matches('/').len()),
            (false, false) => path.push('/'),
            _ => {}
        }
        path.push_str(part);
    }
    path
}

fn basename(path: &str) -> &str {
    let trimmed = path.trim_end_matches('/');
    if trimmed.is_empty() {
        return if path.is_empty() { "" } else { "/" };
    }
    trimmed.rsplit('/').next().unwrap_or(trimmed)
}

fn dirname(path: &str) -> &str {
    let trimmed = path.trim_end_matches('/');
    match trimmed.rsplit_once('/') {
        _ if trimmed.is_empty() && !path.is_empty() => "/",
        None => ".",
        Some((before, _)) => {
            let before = before.trim_end_matches('/');
            if before.is_empty() { "/" } else { before }
        }
    }
}

fn extname(path: &str) -> &str {
    let base = basename(path);
    match base.trim_start_matches('.').rfind('.') {
        Some(_) => base.rfind('.').and_then(|at| base.get(at..)).unwrap_or_default(),
        None => "",
    }
}
