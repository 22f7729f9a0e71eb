//! One component of a pattern, and the alternatives in braces.

/// The alternatives that one pattern may have.
const MOST_ALTERNATIVES: usize = 256;

/// One component of a pattern.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::gear) enum Part {
    /// A name without anything special.
    Exact(String),
    /// `**` before a slash: any number of directories, also none.
    Deep,
    /// A name with wildcards.
    Wild(Vec<Token>),
}

/// One piece of a wild name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::gear) enum Token {
    /// This character.
    Is(char),
    /// `?`: any one character.
    One,
    /// `*`: any characters, also none.
    Any,
    /// `[a-z]`: one of these, or with `[^…]` one of all others.
    Set {
        /// Whether the set is of those that do not match.
        negated: bool,
        /// First and last character of each range.
        ranges: Vec<(char, char)>,
    },
}

/// Takes the pattern of one path apart.
pub(in crate::gear) fn parts_of(pattern: &str) -> Vec<Part> {
    let names: Vec<&str> = pattern.split('/').collect();
    let mut parts = Vec::with_capacity(names.len());
    for (index, name) in names.iter().enumerate() {
        if *name == "**" && index + 1 < names.len() {
            // `**/**/` finds what `**/` finds.
            if parts.last() != Some(&Part::Deep) {
                parts.push(Part::Deep);
            }
        } else {
            parts.push(part_of(name));
        }
    }
    parts
}

fn part_of(name: &str) -> Part {
    let mut tokens = Vec::new();
    let mut rest = name.chars();
    while let Some(next) = rest.next() {
        tokens.push(match next {
            '*' => Token::Any,
            '?' => Token::One,
            '\\' => Token::Is(rest.next().unwrap_or('\\')),
            '[' => match set(rest.as_str()) {
                Some((token, after)) => {
                    rest = after.chars();
                    token
                }
                None => Token::Is('['),
            },
            other => Token::Is(other),
        });
    }
    let literal: Option<String> = tokens
        .iter()
        .map(|token| if let Token::Is(one) = token { Some(*one) } else { None })
        .collect();
    literal.map_or(Part::Wild(tokens), Part::Exact)
}

/// Reads a set after its `[`; gives it and what follows its `]`.
fn set(text: &str) -> Option<(Token, &str)> {
    let negated = text.starts_with(['^', '!']);
    let mut rest = text.get(usize::from(negated)..)?.chars();
    let mut ranges = Vec::new();
    loop {
        let first = match rest.next()? {
            ']' if !ranges.is_empty() => {
                return Some((Token::Set { negated, ranges }, rest.as_str()));
            }
            '\\' => rest.next()?,
            other => other,
        };
        let mut ahead = rest.clone();
        let last = match (ahead.next(), ahead.next()) {
            (Some('-'), Some(last)) if last != ']' => {
                rest = ahead;
                last
            }
            _ => first,
        };
        ranges.push((first, last));
    }
}

impl Part {
    /// Tells whether `name` is one that this part means. A leading dot is nothing special.
    pub(in crate::gear) fn matches(&self, name: &str) -> bool {
        match self {
            Self::Exact(own) => own == name,
            Self::Deep => true,
            Self::Wild(tokens) => matches(tokens, &name.chars().collect::<Vec<_>>()),
        }
    }
}

/// Matches with one point of return, the last `*`: linear in practice, quadratic at worst.
fn matches(tokens: &[Token], name: &[char]) -> bool {
    let (mut token, mut at) = (0, 0);
    let mut back: Option<(usize, usize)> = None;
    while at < name.len() {
        let one = name.get(at).copied().unwrap_or_default();
        match tokens.get(token) {
            Some(Token::Any) => {
                back = Some((token, at));
                token += 1;
                continue;
            }
            Some(other) if other.takes(one) => {
                token += 1;
                at += 1;
                continue;
            }
            _ => {}
        }
        let Some((star, from)) = back else { return false };
        back = Some((star, from + 1));
        token = star + 1;
        at = from + 1;
    }
    tokens.iter().skip(token).all(|rest| *rest == Token::Any)
}

impl Token {
    fn takes(&self, one: char) -> bool {
        match self {
            Self::Is(own) => *own == one,
            Self::One | Self::Any => true,
            Self::Set { negated, ranges } => {
                ranges.iter().any(|(first, last)| (*first..=*last).contains(&one)) != *negated
            }
        }
    }
}

/// The patterns that one with braces stands for: `a{b,c}` is `ab` and `ac`.
pub(in crate::gear) fn alternatives(pattern: &str) -> Vec<String> {
    let mut done = Vec::new();
    let mut open = vec![pattern.to_owned()];
    while let Some(next) = open.pop() {
        match first_brace(&next) {
            Some(split) if done.len() + open.len() < MOST_ALTERNATIVES => open.extend(split),
            _ => done.push(next),
        }
    }
    done
}

fn first_brace(pattern: &str) -> Option<Vec<String>> {
    let start = pattern.find('{')?;
    let (head, inner) = (pattern.get(..start)?, pattern.get(start + 1..)?);
    let (mut depth, mut from) = (0usize, 0);
    let mut choices = Vec::new();
    for (at, one) in inner.char_indices() {
        match one {
            '{' => depth += 1,
            '}' if depth == 0 => {
                choices.push(inner.get(from..at)?);
                let tail = inner.get(at + 1..)?;
                return Some(choices.iter().map(|one| format!("{head}{one}{tail}")).collect());
            }
            '}' => depth -= 1,
            ',' if depth == 0 => {
                choices.push(inner.get(from..at)?);
                from = at + 1;
            }
            _ => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_match_as_ruby_matches_them_with_dotmatch() {
        for (pattern, name, fits) in [
            ("*", ".hidden", true),
            ("*.erb", ".erb", true),
            ("*.erb", "a.erb.hidden", false),
            ("a*b*c", "aXXbYYc", true),
            ("a*b*c", "aXXbYY", false),
            ("*?", "", false),
            ("*[0-9]", "log.7", true),
            ("*[^0-9]", "log.7", false),
            ("*[]]", "x]", true),
            ("*[", "x[", true),
            ("x\\*", "x*", true),
            ("x\\*", "xy", false),
            ("**", "anything", true),
        ] {
            assert_eq!(part_of(pattern).matches(name), fits, "{pattern} {name}");
        }
    }

    #[test]
    fn braces_multiply_and_are_bounded() {
        let mut all = alternatives("{a,b}/{c,{d,e}}*");
        all.sort();
        assert_eq!(all, ["a/c*", "a/d*", "a/e*", "b/c*", "b/d*", "b/e*"]);
        assert_eq!(alternatives("{a*"), ["{a*"]);
        assert!(alternatives(&"{a,b}".repeat(40)).len() <= MOST_ALTERNATIVES + 1);
    }

    #[test]
    fn a_long_hopeless_match_ends() {
        let tokens = "*a".repeat(60);
        assert!(!part_of(&(tokens + "b")).matches(&"a".repeat(200)));
    }
}
