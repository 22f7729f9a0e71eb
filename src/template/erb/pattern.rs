//! Regular expressions, as far as templates use them: characters, classes, groups, alternatives,
//! repetitions and anchors, with Ruby's meaning (`^` and `$` are the ends of lines).
//!
//! Without references back, one place of the program at one place of the text need be tried only
//! once: a search takes no longer than both lengths multiplied.

mod program;

use program::Act;
use std::ops::Range;

/// The deepest nesting of groups.
const DEEPEST: usize = 20;
/// The largest number of repetitions that can be written out.
const MOST_TIMES: u32 = 1000;
/// A compiled pattern.
#[derive(Debug)]
pub(super) struct Pattern {
    program: Vec<Act>,
    groups: usize,
    /// As it was written, for messages.
    pub(super) source: String,
}

/// What a search found: the whole, then each group.
pub(super) type Found = Vec<Option<Range<usize>>>;

/// The text is too long for the pattern.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct TooHard;

#[derive(Debug)]
enum Node {
    /// One character of these ranges, or none of them.
    One(Vec<(char, char)>, bool),
    Any,
    Start,
    End,
    LineStart,
    LineEnd,
    EndOrNewline,
    Boundary,
    /// One after the other.
    All(Vec<Node>),
    /// One of these.
    Either(Vec<Node>),
    Group(usize, Box<Node>),
    Times {
        node: Box<Node>,
        least: u32,
        most: u32,
        greedy: bool,
    },
}

impl Pattern {
    /// Compiles `source`; the error is the construct that is not understood.
    pub(super) fn new(source: &str, letters: Letters) -> Result<Self, String> {
        let mut reader = Reader { rest: source.chars().collect(), at: 0, groups: 0, letters };
        let whole = reader.either(0)?;
        if reader.at < reader.rest.len() {
            return Err(")".into());
        }
        let program = program::compile(&whole).ok_or("a pattern so long")?;
        Ok(Self { program, groups: reader.groups, source: source.to_owned() })
    }

    /// Searches `text` for the first match; places are bytes.
    pub(super) fn find(&self, text: &str) -> Result<Option<Found>, TooHard> {
        program::find(&self.program, self.groups, text)
    }
}

/// Whether capitals and small letters are alike.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Letters {
    /// They are not.
    Exact,
    /// They are: the flag `i`.
    Folded,
}

struct Reader {
    rest: Vec<char>,
    at: usize,
    groups: usize,
    letters: Letters,
}

const DIGITS: &[(char, char)] = &[('0', '9')];
const WORD: &[(char, char)] = &[('0', '9'), ('A', 'Z'), ('_', '_'), ('a', 'z')];
const SPACE: &[(char, char)] = &[('\t', '\r'), (' ', ' ')];
const HEX: &[(char, char)] = &[('0', '9'), ('A', 'F'), ('a', 'f')];

impl Reader {
    fn peek(&self) -> Option<char> {
        self.rest.get(self.at).copied()
    }

    fn next(&mut self) -> Option<char> {
        let next = self.peek()?;
        self.at += 1;
        Some(next)
    }

    fn takes(&mut self, wanted: char) -> bool {
        let there = self.peek() == Some(wanted);
        self.at += usize::from(there);
        there
    }

    fn either(&mut self, depth: usize) -> Result<Node, String> {
        if depth > DEEPEST {
            return Err("groups nested so deep".into());
        }
        let mut ways = vec![self.sequence(depth)?];
        while self.takes('|') {
            ways.push(self.sequence(depth)?);
        }
        Ok(match ways.pop() {
            Some(only) if ways.is_empty() => only,
            last => {
                ways.extend(last);
                Node::Either(ways)
            }
        })
    }

    fn sequence(&mut self, depth: usize) -> Result<Node, String> {
        let mut all = Vec::new();
        while let Some(next) = self.peek().filter(|next| !matches!(next, '|' | ')')) {
            self.at += 1;
            let node = self.one(next, depth)?;
            all.push(self.repeated(node)?);
        }
        Ok(Node::All(all))
    }

    fn one(&mut self, next: char, depth: usize) -> Result<Node, String> {
        Ok(match next {
            '.' => Node::Any,
            '^' => Node::LineStart,
            '$' => Node::LineEnd,
            '(' => self.group(depth)?,
            '[' => self.class()?,
            '\\' => self.escape()?,
            '*' | '+' | '?' | '{' => return Err(next.to_string()),
            plain => self.plain(plain),
        })
    }

    fn plain(&self, plain: char) -> Node {
        let mut ranges = vec![(plain, plain)];
        if self.letters == Letters::Folded {
            fold(&mut ranges);
        }
        Node::One(ranges, false)
    }

    fn group(&mut self, depth: usize) -> Result<Node, String> {
        let mut number = None;
        if self.takes('?') {
            if !self.takes(':') {
                let kind = self.peek().map(String::from).unwrap_or_default();
                return Err(format!("(?{kind}"));
            }
        } else {
            self.groups += 1;
            number = Some(self.groups);
        }
        let inner = self.either(depth + 1)?;
        if !self.takes(')') {
            return Err("(".into());
        }
        Ok(match number {
            Some(number) => Node::Group(number, Box::new(inner)),
            None => inner,
        })
    }

    fn escape(&mut self) -> Result<Node, String> {
        let next = self.next().ok_or("\\")?;
        Ok(match next {
            'A' => Node::Start,
            'z' => Node::End,
            'Z' => Node::EndOrNewline,
            'b' => Node::Boundary,
            _ => match named(next) {
                Some((ranges, negated)) => Node::One(ranges.to_vec(), negated),
                None => self.plain(escaped(next)?),
            },
        })
    }

    fn class(&mut self) -> Result<Node, String> {
        let negated = self.takes('^');
        let mut ranges = Vec::new();
        loop {
            let next = self.next().ok_or("[")?;
            let first = match next {
                ']' if !ranges.is_empty() => break,
                '[' | '&' if self.peek() == Some(':') || self.peek() == Some('&') => {
                    return Err(format!("[{next}"));
                }
                '\\' => {
                    let next = self.next().ok_or("\\")?;
                    match named(next) {
                        Some((_, true)) => return Err(format!("[\\{next}")),
                        Some((more, false)) => {
                            ranges.extend(more);
                            continue;
                        }
                        None => escaped(next)?,
                    }
                }
                other => other,
            };
            let is_range =
                self.peek() == Some('-') && self.rest.get(self.at + 1).is_some_and(|c| *c != ']');
            let mut last = first;
            if is_range {
                self.at += 1;
                last = self.next().ok_or("[")?;
                if last == '\\' {
                    last = escaped(self.next().ok_or("\\")?)?;
                }
            }
            ranges.push((first, last));
        }
        if self.letters == Letters::Folded {
            fold(&mut ranges);
        }
        Ok(Node::One(ranges, negated))
    }

    fn repeated(&mut self, node: Node) -> Result<Node, String> {
        let (least, most) = match self.peek() {
            Some('*') => (0, u32::MAX),
            Some('+') => (1, u32::MAX),
            Some('?') => (0, 1),
            Some('{') => return self.counted(node),
            _ => return Ok(node),
        };
        self.at += 1;
        self.times(node, least, most)
    }

    fn counted(&mut self, node: Node) -> Result<Node, String> {
        self.at += 1;
        let least = self.number();
        let most = if self.takes(',') { self.number().or(Some(u32::MAX)) } else { least };
        let counts = least.or(Some(0)).zip(most).filter(|_| self.takes('}'));
        let (least, most) = counts.ok_or("{")?;
        if least > MOST_TIMES || (most > MOST_TIMES && most != u32::MAX) {
            return Err("{…} so large".into());
        }
        self.times(node, least, most)
    }

    fn number(&mut self) -> Option<u32> {
        let mut number = None;
        while let Some(digit) = self.peek().and_then(|next| next.to_digit(10)) {
            self.at += 1;
            number = Some(number.unwrap_or(0_u32).saturating_mul(10).saturating_add(digit));
        }
        number
    }

    fn times(&mut self, node: Node, least: u32, most: u32) -> Result<Node, String> {
        let greedy = !self.takes('?');
        if let Some(next @ ('*' | '+' | '?' | '{')) = self.peek() {
            return Err(format!("{next} after a repetition"));
        }
        Ok(Node::Times { node: Box::new(node), least, most, greedy })
    }
}

fn named(letter: char) -> Option<(&'static [(char, char)], bool)> {
    Some(match letter {
        'd' => (DIGITS, false),
        'D' => (DIGITS, true),
        'w' => (WORD, false),
        'W' => (WORD, true),
        's' => (SPACE, false),
        'S' => (SPACE, true),
        'h' => (HEX, false),
        'H' => (HEX, true),
        _ => return None,
    })
}

fn escaped(next: char) -> Result<char, String> {
    Ok(match next {
        'n' => '\n',
        't' => '\t',
        'r' => '\r',
        'f' => '\u{c}',
        'v' => '\u{b}',
        'e' => '\u{1b}',
        other if other.is_alphanumeric() => return Err(format!("\\{other}")),
        other => other,
    })
}

/// Adds the other case of the ASCII letters.
fn fold(ranges: &mut Vec<(char, char)>) {
    for (first, last) in ranges.clone() {
        for letter in 'a'..='z' {
            let upper = letter.to_ascii_uppercase();
            if (first..=last).contains(&letter) {
                ranges.push((upper, upper));
            }
            if (first..=last).contains(&upper) {
                ranges.push((letter, letter));
            }
        }
    }
}
