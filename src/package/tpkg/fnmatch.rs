//! Shell patterns as `tpkg` uses them for `allowed_versions`: Ruby's `File.fnmatch` without flags.

/// Tells whether `text` matches `pattern`: `*`, `?`, `[a-z]`, `[^a]` and `\x`. A `.` at the start
/// is matched by a `.` alone, and a `/` by `*` as well as by everything else.
pub fn matches(pattern: &str, text: &str) -> bool {
    let pattern: Vec<char> = pattern.chars().collect();
    let text: Vec<char> = text.chars().collect();
    if text.first() == Some(&'.') && !matches!(pattern.as_slice(), ['.', ..] | ['\\', '.', ..]) {
        return false;
    }
    // The usual way with one point of return: time is pattern × text at most, never exponential.
    let (mut at, mut pos) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    while let Some(c) = text.get(pos) {
        match step(pattern.get(at..).unwrap_or_default(), *c) {
            Met::Star => {
                star = Some((at + 1, pos));
                at += 1;
                continue;
            }
            Met::Yes(length) => {
                at += length;
                pos += 1;
                continue;
            }
            Met::No => {}
        }
        let Some((after, from)) = star else { return false };
        star = Some((after, from + 1));
        (at, pos) = (after, from + 1);
    }
    pattern.get(at..).unwrap_or_default().iter().all(|c| *c == '*')
}

enum Met {
    /// The pattern goes on with `*`.
    Star,
    /// The first so many characters of the pattern match.
    Yes(usize),
    No,
}

fn step(pattern: &[char], c: char) -> Met {
    let is = |fits: bool, length: usize| if fits { Met::Yes(length) } else { Met::No };
    match pattern {
        ['*', ..] => Met::Star,
        ['?', ..] => Met::Yes(1),
        ['[', rest @ ..] => match set(rest, c) {
            Some((fits, length)) => is(fits, length + 1),
            None => Met::No,
        },
        ['\\', escaped, ..] => is(*escaped == c, 2),
        [plain, ..] => is(*plain == c, 1),
        [] => Met::No,
    }
}

/// Whether the set after `[` has `c`, and its length with the `]`; nothing where it has no end.
fn set(pattern: &[char], c: char) -> Option<(bool, usize)> {
    let negated = matches!(pattern, ['!' | '^', ..]);
    let mut at = usize::from(negated);
    let mut has = false;
    loop {
        let mut next = || {
            let c = *pattern.get(at)?;
            at += 1;
            if c != '\\' {
                return Some((c, false));
            }
            let c = *pattern.get(at)?;
            at += 1;
            Some((c, true))
        };
        let (low, escaped) = next()?;
        if low == ']' && !escaped {
            return Some((has != negated, at));
        }
        let mut high = low;
        if pattern.get(at) == Some(&'-') && pattern.get(at + 1).is_some_and(|c| *c != ']') {
            at += 1;
            high = match pattern.get(at)? {
                '\\' => {
                    at += 1;
                    *pattern.get(at)?
                }
                other => *other,
            };
            at += 1;
        }
        has |= (low..=high).contains(&c);
    }
}

#[cfg(test)]
mod tests {
    use super::matches;

    #[test]
    fn patterns_match_as_in_ruby() {
        for (pattern, text) in [
            ("*", ""),
            ("1.*", "1.0-3"),
            ("1.?", "1.5"),
            ("1.[0-4]*", "1.4-1"),
            ("1.[^5]", "1.4"),
            ("1.[!5]", "1.4"),
            ("1.\\*", "1.*"),
            ("*-2", "1.0-2"),
            ("*a*b", "xaxbxb"),
            ("[\\]]", "]"),
            ("[a-]", "-"),
        ] {
            assert!(matches(pattern, text), "{pattern} {text}");
        }
        for (pattern, text) in [
            ("", "1"),
            ("1.*", "1"),
            ("1.?", "1.55"),
            ("1.[0-4]", "1.5"),
            ("1.[0-4", "1.2"),
            ("1.\\*", "1.2"),
            ("*", ".5"),
            ("[]", "]"),
        ] {
            assert!(!matches(pattern, text), "{pattern} {text}");
        }
    }

    #[test]
    fn a_hostile_pattern_costs_no_time_worth_speaking_of() {
        let pattern = "*a".repeat(500) + "b";
        assert!(!matches(&pattern, &"a".repeat(2000)));
    }
}
