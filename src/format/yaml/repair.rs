//! Mends what the original's reader, or its authors, took for fine and the parser refuses.
//!
//! Works from the place where the parser stopped, so that text in blocks and quotes is never
//! touched. A repair never changes the number of lines.

use super::build::Stop;
use crate::format::error::Fault;

/// The indentation that a continuation line with too little of it is given.
const INDENT: usize = 64;

/// A mended text, to be read again.
pub(super) struct Mended {
    /// The whole text.
    pub(super) text: String,
    /// What the author should change, unless the file was fine for the original.
    pub(super) warning: Option<Fault>,
}

/// Mends `text` where reading stopped; nothing when the cause is another one.
pub(super) fn mend(text: &str, stop: &Stop) -> Option<Mended> {
    let offset = text.char_indices().nth(stop.at?).map(|(offset, _)| offset)?;
    let (before, after) = text.split_at_checked(offset)?;
    if after.starts_with('*') {
        return quote_star(before, after, stop);
    }
    let mended = |text| Some(Mended { text, warning: None });
    if stop.fault.text.contains("indentation in quoted scalar") {
        return mended(format!("{before}{}", indent_quoted(after)?));
    }
    if stop.fault.text.contains("indentation in flow construct") {
        let (before, line) = text.split_at_checked(before.rfind('\n')? + 1)?;
        return mended(format!("{before}{}{line}", " ".repeat(INDENT)));
    }
    None
}

/// Puts a value that begins with `*`, and is no alias, in quotes (`- **/*.erb`).
fn quote_star(before: &str, after: &str, stop: &Stop) -> Option<Mended> {
    let line = after.lines().next()?;
    let in_flow = before.rsplit('\n').next()?.contains(['[', '{']);
    let end = if in_flow { line.find([',', ']', '}']) } else { line.find(" #") };
    let value = line.get(..end.unwrap_or(line.len()))?.trim_end();
    let rest = after.get(value.len()..)?;
    let shown: String = value.chars().take(80).collect();
    let text = format!(
        "`{}` begins with `*`, which makes it an alias in YAML; it is taken as text: put it in \
         quotes",
        shown.escape_debug()
    );
    Some(Mended {
        text: format!("{before}'{}'{rest}", value.replace('\'', "''")),
        warning: Some(Fault { place: stop.fault.place, text }),
    })
}

/// Indents the further lines of the quoted text at the beginning of `after`. YAML folds the
/// indentation of such lines away, so the text stays the same; libyaml does not ask for any.
fn indent_quoted(after: &str) -> Option<String> {
    let quote = after.chars().next().filter(|c| matches!(c, '"' | '\''))?;
    let mut mended = String::with_capacity(after.len() + 2 * INDENT);
    let mut characters = after.char_indices();
    mended.extend(characters.next().map(|(_, c)| c));
    while let Some((at, c)) = characters.next() {
        mended.push(c);
        if c == '\n' {
            mended.push_str(&" ".repeat(INDENT));
        } else if c == '\\' && quote == '"' {
            // An escaped line break needs its indentation as well.
            let next = characters.next().map(|(_, c)| c)?;
            mended.push(next);
            if next == '\n' {
                mended.push_str(&" ".repeat(INDENT));
            }
        } else if c == quote {
            let rest = after.get(at + c.len_utf8()..)?;
            if !rest.starts_with(quote) {
                mended.push_str(rest);
                return Some(mended);
            }
            mended.extend(characters.next().map(|(_, c)| c));
        }
    }
    None
}
