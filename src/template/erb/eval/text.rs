//! The methods of texts.

use super::value::Value;
use super::{Machine, Outcome, beyond, nothing, number};
use crate::template::erb::ast::Block;
use crate::template::erb::scan::At;

/// What Ruby's `strip` takes away.
fn is_blank(c: char) -> bool {
    matches!(c, ' ' | '\t'..='\r' | '\0')
}

/// What Ruby's `split` takes for white space.
fn is_space(c: char) -> bool {
    matches!(c, ' ' | '\t'..='\r')
}

impl Machine<'_> {
    /// The methods of texts; nothing for one that they lack.
    pub(super) fn of_text(
        &mut self,
        text: &str,
        (name, at): (&str, At),
        (args, block): (&[Value], Option<&Block>),
    ) -> Outcome<Option<Value>> {
        if let Some(nil) = args.iter().find(|arg| matches!(arg, Value::Nil(_))) {
            return Err(nothing(nil, at, &format!("`{name}` needs a value")));
        }
        if args.is_empty()
            && let Some(value) = plain(text, name, at)?
        {
            if let Value::Text(made) = &value {
                self.make(made.len(), at)?;
            }
            return Ok(Some(value));
        }
        let text_of = |value: &Value| match value {
            Value::Text(text) => Some(text.clone()),
            _ => None,
        };
        let texts: Option<Vec<String>> = args.iter().map(text_of).collect();
        Ok(Some(match (name, texts.as_deref(), args) {
            ("include?", Some([part]), _) => text.contains(part.as_str()).into(),
            ("start_with?", Some(all), _) => {
                all.iter().any(|part| text.starts_with(part.as_str())).into()
            }
            ("end_with?", Some(all), _) => {
                all.iter().any(|part| text.ends_with(part.as_str())).into()
            }
            ("chomp", Some([end]), _) if !end.is_empty() && end != "\n" => {
                Value::Text(text.strip_suffix(end.as_str()).unwrap_or(text).to_owned())
            }
            ("index", Some([part]), _) => match text.find(part.as_str()) {
                Some(place) => characters(text.get(..place).unwrap_or_default()),
                None => Value::NIL,
            },
            ("match" | "match?", _, [Value::Pattern(pattern)]) => {
                let found = self.match_of(pattern, text, at)?;
                if name == "match" { found } else { found.is_true().into() }
            }
            ("sub" | "gsub", _, [wanted, Value::Text(with)]) => {
                Value::Text(self.replaced(text, (wanted, with), (name, at))?)
            }
            ("split", _, _) => self.split(text, args, at)?,
            ("lines" | "each_line", _, []) => {
                let lines: Vec<Value> =
                    text.split_inclusive('\n').map(|line| Value::Text(line.to_owned())).collect();
                return self.each_of(lines, block, (text, at)).map(Some);
            }
            ("chars", _, []) => {
                let all: Vec<Value> = text.chars().map(|c| Value::Text(c.to_string())).collect();
                return self.each_of(all, block, (text, at)).map(Some);
            }
            ("[]", _, _) => self.part(text, args, at)?,
            _ => return Ok(None),
        }))
    }

    /// Parts of a text: a list of them without a block, else the text again.
    fn each_of(
        &mut self,
        parts: Vec<Value>,
        block: Option<&Block>,
        (text, at): (&str, At),
    ) -> Outcome {
        self.make(text.len(), at)?;
        let Some(block) = block else { return Ok(Value::List(self.new_list(parts, at)?)) };
        for part in parts {
            self.round(block, vec![part], at)?;
        }
        Ok(Value::Text(text.to_owned()))
    }

    fn split(&mut self, text: &str, args: &[Value], at: At) -> Outcome {
        self.make(text.len(), at)?;
        let most = match args {
            [_, Value::Int(most)] => {
                usize::try_from(*most).map_err(|_| beyond(at, "split(…, -1)"))?
            }
            [] | [_] => 0,
            _ => return Err(beyond(at, ".split with these arguments")),
        };
        let mut parts: Vec<String> = match args.first() {
            None => words(text, most),
            Some(Value::Text(by)) if by == " " => words(text, most),
            Some(Value::Text(by)) if by.is_empty() => return Err(beyond(at, ".split('')")),
            Some(Value::Text(by)) if most > 0 => {
                text.splitn(most, by.as_str()).map(str::to_owned).collect()
            }
            Some(Value::Text(by)) => text.split(by.as_str()).map(str::to_owned).collect(),
            Some(Value::Pattern(pattern)) if most == 0 => {
                let mut parts = Vec::new();
                let mut rest = text;
                while let Some(found) = self.find(pattern, rest, at)? {
                    let whole = found.first().cloned().flatten().unwrap_or(0..0);
                    if whole.is_empty() || found.len() > 1 {
                        return Err(beyond(at, ".split by this pattern"));
                    }
                    parts.push(rest.get(..whole.start).unwrap_or_default().to_owned());
                    rest = rest.get(whole.end..).unwrap_or_default();
                }
                parts.push(rest.to_owned());
                parts
            }
            Some(_) => return Err(beyond(at, ".split by this")),
        };
        if text.is_empty() {
            parts.clear();
        }
        if most == 0 {
            while parts.last().is_some_and(String::is_empty) {
                parts.pop();
            }
        }
        let parts = parts.into_iter().map(Value::Text).collect();
        Ok(Value::List(self.new_list(parts, at)?))
    }

    /// `sub` and `gsub` with a text; a reference to a group in it is not understood.
    fn replaced(
        &mut self,
        text: &str,
        (wanted, with): (&Value, &str),
        (name, at): (&str, At),
    ) -> Outcome<String> {
        if with.contains('\\') {
            return Err(beyond(at, "\\ in a replacement"));
        }
        let mut made = String::new();
        let mut rest = text;
        loop {
            let found = match wanted {
                Value::Text(part) => {
                    rest.find(part.as_str()).map(|start| start..start + part.len())
                }
                Value::Pattern(pattern) => {
                    self.find(pattern, rest, at)?.and_then(|found| found.into_iter().next()?)
                }
                _ => return Err(beyond(at, &format!(".{name} of this"))),
            };
            let Some(found) = found else { break };
            // An empty match goes on behind the next character, and an anchor means the whole text.
            if found.is_empty()
                || (matches!(wanted, Value::Pattern(_)) && name == "gsub" && anchored(wanted))
            {
                return Err(beyond(at, &format!(".{name} with this pattern")));
            }
            made.push_str(rest.get(..found.start).unwrap_or_default());
            made.push_str(with);
            self.make(found.end + with.len(), at)?;
            rest = rest.get(found.end..).unwrap_or_default();
            if name == "sub" {
                break;
            }
        }
        made.push_str(rest);
        self.make(made.len(), at)?;
        Ok(made)
    }

    /// `text[…]`.
    fn part(&mut self, text: &str, args: &[Value], at: At) -> Outcome {
        let all: Vec<char> = text.chars().collect();
        self.make(all.len() * size_of::<char>(), at)?;
        let cut = |range: Option<std::ops::Range<usize>>| {
            let part = range.and_then(|range| all.get(range));
            part.map_or(Value::NIL, |part| Value::Text(part.iter().collect()))
        };
        Ok(match args {
            [Value::Int(index)] => {
                cut(place(*index, all.len()).filter(|at| *at < all.len()).map(|at| at..at + 1))
            }
            [Value::Span(first, last)] => cut(range((*first, *last), all.len())),
            [Value::Int(first), Value::Int(count)] => cut(counted((*first, *count), all.len())),
            [Value::Text(part)] if text.contains(part.as_str()) => Value::Text(part.clone()),
            [Value::Text(_)] => Value::NIL,
            [Value::Pattern(pattern)] => {
                self.find(pattern, text, at)?;
                self.group(0)
            }
            [Value::Pattern(pattern), Value::Int(group)] => {
                self.find(pattern, text, at)?;
                usize::try_from(*group).map_or(Value::NIL, |group| self.group(group))
            }
            _ => return Err(beyond(at, "[…] with these arguments")),
        })
    }
}

fn anchored(wanted: &Value) -> bool {
    matches!(wanted, Value::Pattern(pattern) if pattern.source.contains(['^', '$', '\\']))
}

/// The methods that are given nothing.
fn plain(text: &str, name: &str, at: At) -> Outcome<Option<Value>> {
    let made = match name {
        "to_i" => return number::leading_int(text, at).map(Some),
        "to_f" => return Ok(Some(Value::Float(number::leading_float(text)))),
        "empty?" => return Ok(Some(text.is_empty().into())),
        "length" | "size" => return Ok(Some(characters(text))),
        "strip" => text.trim_start_matches(is_blank).trim_end_matches(is_blank).to_owned(),
        "lstrip" => text.trim_start_matches(is_blank).to_owned(),
        "rstrip" => text.trim_end_matches(is_blank).to_owned(),
        "chomp" => chomped(text).to_owned(),
        "chop" => {
            let last = text.char_indices().next_back().map_or(0, |(at, _)| at);
            text.strip_suffix("\r\n").or_else(|| text.get(..last)).unwrap_or_default().to_owned()
        }
        "downcase" => text.to_lowercase(),
        "upcase" => text.to_uppercase(),
        "capitalize" => {
            let mut rest = text.chars();
            let first: String = rest.next().into_iter().flat_map(char::to_uppercase).collect();
            first + &rest.as_str().to_lowercase()
        }
        "reverse" => text.chars().rev().collect(),
        _ => return Ok(None),
    };
    Ok(Some(Value::Text(made)))
}

fn chomped(text: &str) -> &str {
    let cut = text.strip_suffix("\r\n").or_else(|| text.strip_suffix('\n'));
    cut.or_else(|| text.strip_suffix('\r')).unwrap_or(text)
}

fn characters(text: &str) -> Value {
    Value::Int(i64::try_from(text.chars().count()).unwrap_or(i64::MAX))
}

/// The words of a text; the last of at most `most` has all the rest.
fn words(text: &str, most: usize) -> Vec<String> {
    if most == 0 {
        return text.split(is_space).filter(|word| !word.is_empty()).map(str::to_owned).collect();
    }
    let mut words = Vec::new();
    let mut rest = text.trim_start_matches(is_space);
    while words.len() + 1 < most {
        let Some((word, after)) = rest.split_once(is_space) else { break };
        words.push(word.to_owned());
        rest = after.trim_start_matches(is_space);
    }
    words.push(rest.to_owned());
    words
}

/// The place of an index that counts from the end where it is negative.
pub(super) fn place(index: i64, length: usize) -> Option<usize> {
    if index >= 0 {
        return usize::try_from(index).ok();
    }
    length.checked_sub(usize::try_from(index.unsigned_abs()).ok()?)
}

/// The places that `first..last` means.
pub(super) fn range((first, last): (i64, i64), length: usize) -> Option<std::ops::Range<usize>> {
    let first = place(first, length).filter(|first| *first <= length)?;
    let end = if last < 0 {
        // One before the first of all means that there is none.
        place(last, length).map_or(0, |last| last + 1)
    } else {
        usize::try_from(last).unwrap_or(usize::MAX).saturating_add(1)
    };
    Some(first..end.min(length).max(first))
}

/// The places that `first, count` means.
pub(super) fn counted((first, count): (i64, i64), length: usize) -> Option<std::ops::Range<usize>> {
    let first = place(first, length).filter(|first| *first <= length)?;
    let count = usize::try_from(count).ok()?;
    Some(first..first.saturating_add(count).min(length))
}
