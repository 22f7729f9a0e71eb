//! Other names for what comes out of a snapshot: the scripts of `restore_transforms`, as `tar
//! --transform` understands them (`s/BASIC-EXPRESSION/REPLACEMENT/FLAGS`, several with `;`).
//!
//! They come from a package: nothing is run for them, and what is found takes time in proportion to the
//! name.

use regex_lite::Regex;

/// The longest script, in bytes.
const LONGEST: usize = 4096;

/// One replacement.
#[derive(Clone, Debug)]
pub struct Transform {
    pattern: Regex,
    replacement: Vec<Piece>,
    flags: Flags,
}

/// A piece of what is put in the place of a match.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Piece {
    Text(String),
    Group(usize),
}

/// What is changed.
#[derive(Clone, Copy, Debug)]
struct Flags {
    /// The number of the first match that is replaced, from 1.
    from: usize,
    all: bool,
    names: bool,
    links: bool,
}

/// Why a script cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the restore transform `{}` {why}", script.escape_debug())]
pub struct TransformError {
    script: String,
    why: &'static str,
}

impl Transform {
    /// Reads a script, in which variables of the gear stand for their values; `value` gives these.
    pub fn parse(
        script: &str,
        value: &dyn Fn(&str) -> Option<String>,
    ) -> Result<Vec<Self>, TransformError> {
        let fail = |why| TransformError { script: script.chars().take(200).collect(), why };
        if script.len() > LONGEST {
            return Err(fail("is too long"));
        }
        let text = expanded(script.trim(), value).map_err(fail)?;
        let mut rest = text.as_str();
        let mut all = Vec::new();
        while !rest.is_empty() {
            let (one, after) = Self::first(rest).map_err(fail)?;
            all.push(one);
            rest = after;
        }
        Ok(all)
    }

    fn first(text: &str) -> Result<(Self, &str), &'static str> {
        const SHAPE: &str = "has not the form `s/PATTERN/REPLACEMENT/FLAGS`";
        let text = text.strip_prefix('s').ok_or(SHAPE)?;
        let mark = text.chars().next().filter(|mark| !mark.is_alphanumeric() && *mark != '\\');
        let mark = mark.ok_or(SHAPE)?;
        let text = text.strip_prefix(mark).ok_or(SHAPE)?;
        let (pattern, text) = until(text, mark).ok_or(SHAPE)?;
        let (replacement, text) = until(text, mark).ok_or(SHAPE)?;
        let (flags, after) = text.split_once(';').unwrap_or((text, ""));
        let ignores_case = flags.contains('i');
        let pattern = if flags.contains('x') { pattern } else { basic(&pattern)? };
        let pattern = if ignores_case { format!("(?i){pattern}") } else { pattern };
        let pattern = Regex::new(&pattern).map_err(|_| "has a pattern that is not understood")?;
        let (replacement, flags) = (pieces(&replacement)?, Flags::parse(flags)?);
        Ok((Self { pattern, replacement, flags }, after))
    }

    /// The name that `name` gets.
    pub fn name(&self, name: &str) -> String {
        if self.flags.names { self.replaced(name) } else { name.to_owned() }
    }

    /// The target that a link to `target` gets.
    pub fn target(&self, target: &str) -> String {
        if self.flags.links { self.replaced(target) } else { target.to_owned() }
    }

    fn replaced(&self, text: &str) -> String {
        let mut out = String::with_capacity(text.len());
        let mut end = 0;
        for (found, number) in self.pattern.captures_iter(text).zip(1..) {
            let Some(whole) = found.get(0).filter(|_| number >= self.flags.from) else { continue };
            out.push_str(text.get(end..whole.start()).unwrap_or_default());
            for piece in &self.replacement {
                match piece {
                    Piece::Text(text) => out.push_str(text),
                    Piece::Group(number) => {
                        out.push_str(found.get(*number).map_or("", |group| group.as_str()));
                    }
                }
            }
            end = whole.end();
            if !self.flags.all {
                break;
            }
        }
        out.push_str(text.get(end..).unwrap_or_default());
        out
    }
}

impl Flags {
    fn parse(text: &str) -> Result<Self, &'static str> {
        let mut flags = Self { from: 1, all: false, names: true, links: true };
        let mut number = String::new();
        for flag in text.trim().chars() {
            match flag {
                'g' => flags.all = true,
                // Hard links come out as files of their own.
                'i' | 'x' | 'h' | 'H' => {}
                'r' => flags.names = true,
                'R' => flags.names = false,
                's' => flags.links = true,
                'S' => flags.links = false,
                digit if digit.is_ascii_digit() => number.push(digit),
                _ => return Err("has a flag that is not known"),
            }
        }
        if !number.is_empty() {
            let known = number.parse().ok().filter(|number| *number > 0);
            flags.from = known.ok_or("has a number that is none")?;
        }
        Ok(flags)
    }
}

/// What stands before the next `mark` that is not escaped, and what stands behind it.
fn until(text: &str, mark: char) -> Option<(String, &str)> {
    let mut found = String::new();
    let mut rest = text.chars();
    while let Some(next) = rest.next() {
        if next == mark {
            return Some((found, rest.as_str()));
        }
        if next == '\\' {
            let escaped = rest.next()?;
            if escaped != mark {
                found.push('\\');
            }
            found.push(escaped);
        } else {
            found.push(next);
        }
    }
    None
}

/// Puts values in the place of `${NAME}` and `$NAME`, as the original's shell did; nothing that would
/// have run a command there is taken.
fn expanded(text: &str, value: &dyn Fn(&str) -> Option<String>) -> Result<String, &'static str> {
    const COMMAND: &str = "would run a command";
    let mut out = String::new();
    let mut rest = text;
    while let Some(at) = rest.find(['$', '`']) {
        let (before, after) = rest.split_at(at);
        out.push_str(before);
        let Some(after) = after.strip_prefix('$') else { return Err(COMMAND) };
        if after.starts_with('(') {
            return Err(COMMAND);
        }
        let is_part = |c: char| c.is_ascii_alphanumeric() || c == '_';
        let (name, behind) = match after.strip_prefix('{').and_then(|inner| inner.split_once('}')) {
            Some((name, behind)) if name.chars().all(is_part) && !name.is_empty() => (name, behind),
            Some(_) => return Err("has a variable that is not understood"),
            None => after.split_at(after.find(|c| !is_part(c)).unwrap_or(after.len())),
        };
        if name.is_empty() || name.starts_with(|c: char| c.is_ascii_digit()) {
            out.push('$');
            rest = after;
            continue;
        }
        out.push_str(&value(name).unwrap_or_default());
        rest = behind;
    }
    out.push_str(rest);
    Ok(out)
}

/// The expression that means what the basic one of POSIX, with GNU's additions, means.
fn basic(text: &str) -> Result<String, &'static str> {
    let mut out = String::new();
    let mut rest = text.chars();
    let mut begins = true;
    while let Some(next) = rest.next() {
        let began = std::mem::replace(&mut begins, false);
        match next {
            '\\' => match rest.next().ok_or("ends in a `\\`")? {
                open @ ('(' | '|') => {
                    out.push(open);
                    begins = true;
                }
                special @ (')' | '{' | '}' | '+' | '?') => out.push(special),
                class @ ('w' | 'W' | 's' | 'S' | 'b' | 'B') => out.extend(['\\', class]),
                digit if digit.is_ascii_digit() => return Err("refers back to a group"),
                'n' => out.push('\n'),
                other => literal(&mut out, other),
            },
            '[' => rest = bracket(rest.as_str(), &mut out)?.chars(),
            '*' if began => out.push_str("\\*"),
            '^' if began => {
                out.push('^');
                begins = true;
            }
            '$' if rest.as_str().is_empty()
                || ["\\)", "\\|"].iter().any(|end| rest.as_str().starts_with(end)) =>
            {
                out.push('$');
            }
            '*' | '.' => out.push(next),
            other => literal(&mut out, other),
        }
    }
    Ok(out)
}

fn literal(out: &mut String, one: char) {
    out.push_str(&regex_lite::escape(one.encode_utf8(&mut [0; 4])));
}

/// Reads a set after its `[`; gives what follows it.
fn bracket<'a>(text: &'a str, out: &mut String) -> Result<&'a str, &'static str> {
    const OPEN: &str = "has a `[` without its `]`";
    out.push('[');
    let mut rest = text;
    if let Some(after) = rest.strip_prefix('^') {
        out.push('^');
        rest = after;
    }
    let mut is_first = true;
    loop {
        if let Some(class) = rest.strip_prefix("[:") {
            let (name, after) = class.split_once(":]").ok_or(OPEN)?;
            out.extend(["[:", name, ":]"]);
            rest = after;
        } else {
            let next = rest.chars().next().ok_or(OPEN)?;
            rest = rest.get(next.len_utf8()..).unwrap_or_default();
            match next {
                ']' if !is_first => break,
                '-' => out.push('-'),
                '\\' | '[' | ']' | '^' | '&' | '~' => out.extend(['\\', next]),
                other => out.push(other),
            }
        }
        is_first = false;
    }
    out.push(']');
    Ok(rest)
}

fn pieces(text: &str) -> Result<Vec<Piece>, &'static str> {
    let mut all = Vec::new();
    let mut plain = String::new();
    let mut rest = text.chars();
    let group = |plain: &mut String, all: &mut Vec<Piece>, number: usize| {
        if !plain.is_empty() {
            all.push(Piece::Text(std::mem::take(plain)));
        }
        all.push(Piece::Group(number));
    };
    while let Some(next) = rest.next() {
        match next {
            '&' => group(&mut plain, &mut all, 0),
            '\\' => match rest.next().ok_or("ends in a `\\`")? {
                'L' | 'U' | 'l' | 'u' | 'E' => return Err("changes letters to others"),
                'n' => plain.push('\n'),
                digit => match digit.to_digit(10) {
                    Some(number) => group(&mut plain, &mut all, number as usize),
                    None => plain.push(digit),
                },
            },
            other => plain.push(other),
        }
    }
    if !plain.is_empty() {
        all.push(Piece::Text(plain));
    }
    Ok(all)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(name: &str) -> Option<String> {
        (name == "OPENSHIFT_GEAR_NAME").then(|| "blog".to_owned())
    }

    fn changed(script: &str, name: &str) -> String {
        let all = Transform::parse(script, &value).unwrap();
        all.iter().fold(name.to_owned(), |name, one| one.name(&name))
    }

    #[test]
    fn names_change_as_tar_changes_them() {
        for (script, name, became) in [
            (
                "s|${OPENSHIFT_GEAR_NAME}/data|app-root/data|",
                "./u/blog/data/x",
                "./u/app-root/data/x",
            ),
            (
                r"s|git/.*\.git|git/$OPENSHIFT_GEAR_NAME.git|",
                "./u/git/old.git/HEAD",
                "./u/git/blog.git/HEAD",
            ),
            ("s/a/b/", "aaa", "baa"),
            ("s/a/b/g", "aaa", "bbb"),
            ("s/a/b/2", "aaa", "aba"),
            ("s/a/b/2g", "aaaa", "abbb"),
            ("s/A/b/i", "xa", "xb"),
            ("s/a/b/;s/b/c/", "a", "c"),
            (r"s,\(x\)\(y*\),<\2\1&>,", "xyyz", "<yyxxyy>z"),
            (r"s/a+(b)/c/", "a+(b)", "c"),
            (r"s/a\+\(b\)/c/", "aab", "c"),
            ("s/a+(b)/c/x", "aab", "c"),
            ("s/[[:digit:]x-z]*$/!/", "a1y", "a!"),
            ("s/[^]a]/!/g", "a]b", "a]!"),
            (r"s/[\]/!/", r"a\b", "a!b"),
            (r"s/\//_/g", "a/b/c", "a_b_c"),
            ("s/*/!/", "a*", "a!"),
            ("s/$UNSET//", "name", "name"),
            ("s/x$/!/", "xax", "xa!"),
            ("s/nothing/x/", "name", "name"),
            ("", "name", "name"),
            ("s/a/b/R", "a", "a"),
        ] {
            assert_eq!(changed(script, name), became, "{script}");
        }
        let all = Transform::parse("s/a/b/S", &value).unwrap();
        assert_eq!(all[0].target("a"), "a");
        assert_eq!(all[0].name("a"), "b");
    }

    #[test]
    fn what_would_run_something_or_is_not_understood_is_refused() {
        for (script, why) in [
            ("s/$(id)/x/", "would run"),
            ("s/`id`/x/", "would run"),
            ("s/${a:-b}/x/", "variable"),
            ("y/a/b/", "form"),
            ("s/a/b", "form"),
            ("s/a/b/q", "flag"),
            ("s/a/b/0", "number"),
            (r"s/\(a\)\1/b/", "back"),
            (r"s/a/\U&/", "letters"),
            ("s/[a/b/", "without its"),
            (r"s/\(a/b/", "not understood"),
        ] {
            let error = Transform::parse(script, &value).unwrap_err().to_string();
            assert!(error.contains(why), "{script}: {error}");
        }
        assert!(Transform::parse(&"s".repeat(5000), &value).is_err());
    }
}
