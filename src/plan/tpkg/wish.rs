//! What somebody asks for by name: `name`, `name=1.2`, `name>=1.2=3`, `name=1.*`.

use crate::facts::tpkg::Candidate;
use crate::package::tpkg::{fnmatch, version};
use std::cmp::Ordering;

/// A package by name, with bounds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wish {
    /// Its name.
    pub name: String,
    version: Option<(Operator, String)>,
    package_version: Option<(Operator, String)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Operator {
    Less,
    LessOrEqual,
    Equal,
    GreaterOrEqual,
    Greater,
}

/// The operators, those of two characters first.
const OPERATORS: [(&str, Operator); 5] = [
    ("<=", Operator::LessOrEqual),
    (">=", Operator::GreaterOrEqual),
    ("<", Operator::Less),
    (">", Operator::Greater),
    ("=", Operator::Equal),
];

impl Wish {
    /// Reads `text`. The last one or two operators that stand before a version bind, so a name may
    /// have one in it, too.
    pub fn parse(text: &str) -> Self {
        let Some((rest, last, number)) = split(text) else {
            return Self { name: text.to_owned(), version: None, package_version: None };
        };
        match split(rest) {
            Some((name, first, version)) => Self {
                name: name.to_owned(),
                version: Some((first, version.to_owned())),
                package_version: Some((last, number.to_owned())),
            },
            None => Self {
                name: rest.to_owned(),
                version: Some((last, number.to_owned())),
                package_version: None,
            },
        }
    }

    /// Any release of the package of just this name.
    pub fn of_name(name: &str) -> Self {
        Self { name: name.to_owned(), version: None, package_version: None }
    }

    /// Tells whether `candidate`, which has this name, is meant.
    pub fn means(&self, candidate: &Candidate) -> bool {
        let packaging = candidate.package_version.as_deref().unwrap_or_default();
        [(&self.version, candidate.version.as_str()), (&self.package_version, packaging)]
            .into_iter()
            .all(|(bound, actual)| bound.as_ref().is_none_or(|bound| holds(bound, actual)))
    }

    /// Tells whether it says more than the name.
    pub fn has_bounds(&self) -> bool {
        self.version.is_some()
    }
}

/// What stands before the last operator that a version follows, the operator, and the version.
fn split(text: &str) -> Option<(&str, Operator, &str)> {
    for (at, _) in text.char_indices().rev() {
        let (before, after) = text.split_at(at);
        for (sign, operator) in OPERATORS {
            let Some(number) = after.strip_prefix(sign) else { continue };
            // `>=` is found at its first character.
            if sign.len() == 1 && sign == "=" && before.ends_with(['<', '>']) {
                break;
            }
            let is_version = number.starts_with(|c: char| c.is_ascii_digit() || c == '*');
            if is_version && !before.is_empty() {
                return Some((before, operator, number));
            }
            return None;
        }
    }
    None
}

fn holds((operator, bound): &(Operator, String), actual: &str) -> bool {
    if *operator == Operator::Equal && bound.contains(['*', '?', '[']) {
        return fnmatch::matches(bound, actual);
    }
    let order = version::compare(actual, bound);
    match operator {
        Operator::Less => order == Ordering::Less,
        Operator::LessOrEqual => order != Ordering::Greater,
        Operator::Equal => order == Ordering::Equal,
        Operator::GreaterOrEqual => order != Ordering::Less,
        Operator::Greater => order == Ordering::Greater,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::package::tpkg::RequirementKind;

    fn candidate(version: &str, packaging: &str) -> Candidate {
        Candidate {
            id: None,
            name: "a".into(),
            kind: RequirementKind::Tpkg,
            version: version.into(),
            package_version: Some(packaging.into()),
        }
    }

    #[test]
    fn every_pair_of_operators_is_read_and_means_what_it_says() {
        let signs = ["<", "<=", "=", ">=", ">"];
        let fits = |sign: &str, order: Ordering| match sign {
            "<" => order == Ordering::Less,
            "<=" => order != Ordering::Greater,
            "=" => order == Ordering::Equal,
            ">=" => order != Ordering::Less,
            _ => order == Ordering::Greater,
        };
        for first in signs {
            for last in signs {
                let wish = Wish::parse(&format!("a{first}2{last}5"));
                assert_eq!(wish.name, "a", "{first} {last}");
                for (version, order) in
                    [("1", Ordering::Less), ("2", Ordering::Equal), ("10", Ordering::Greater)]
                {
                    for (packaging, other) in
                        [("4", Ordering::Less), ("5", Ordering::Equal), ("6", Ordering::Greater)]
                    {
                        let expected = fits(first, order) && fits(last, other);
                        assert_eq!(wish.means(&candidate(version, packaging)), expected);
                    }
                }
            }
        }
    }

    #[test]
    fn names_may_have_operators_and_versions_may_be_patterns() {
        assert_eq!(Wish::parse("a=b=c=1=1").name, "a=b=c");
        assert_eq!(Wish::parse("a++=1").name, "a++");
        assert!(!Wish::parse("plain-name").has_bounds());
        assert_eq!(Wish::parse("a=b").name, "a=b");
        let wish = Wish::parse("a=1.*");
        assert!(wish.means(&candidate("1.7", "3")) && !wish.means(&candidate("2.1", "3")));
    }
}
