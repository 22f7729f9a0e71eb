//! A pattern as a program, and its search.

use super::{Found, Node, TooHard};

/// The longest program, in acts.
const LONGEST: usize = 5000;
/// How many pairs of an act and a place in the text one search may meet.
const MOST_PAIRS: usize = 32 << 20;

/// One act of a program.
#[derive(Clone, Debug)]
pub(super) enum Act {
    One(Vec<(char, char)>, bool),
    Any,
    Start,
    End,
    LineStart,
    LineEnd,
    EndOrNewline,
    Boundary,
    /// Remembers the place.
    Save(usize),
    /// Goes on at the first; if that leads nowhere, at the second.
    Split(usize, usize),
    Jump(usize),
    Found,
}

/// Writes the program of `node`; nothing when it would be too long.
pub(super) fn compile(node: &Node) -> Option<Vec<Act>> {
    let mut acts = vec![Act::Save(0)];
    write(node, &mut acts)?;
    acts.push(Act::Save(1));
    acts.push(Act::Found);
    Some(acts)
}

fn write(node: &Node, acts: &mut Vec<Act>) -> Option<()> {
    if acts.len() > LONGEST {
        return None;
    }
    match node {
        Node::One(ranges, negated) => acts.push(Act::One(ranges.clone(), *negated)),
        Node::Any => acts.push(Act::Any),
        Node::Start => acts.push(Act::Start),
        Node::End => acts.push(Act::End),
        Node::LineStart => acts.push(Act::LineStart),
        Node::LineEnd => acts.push(Act::LineEnd),
        Node::EndOrNewline => acts.push(Act::EndOrNewline),
        Node::Boundary => acts.push(Act::Boundary),
        Node::All(nodes) => {
            for node in nodes {
                write(node, acts)?;
            }
        }
        Node::Either(ways) => either(ways, acts)?,
        Node::Group(number, node) => {
            acts.push(Act::Save(2 * number));
            write(node, acts)?;
            acts.push(Act::Save(2 * number + 1));
        }
        Node::Times { node, least, most, greedy } => {
            for _ in 0..*least {
                write(node, acts)?;
            }
            if *most == u32::MAX {
                let split = acts.len();
                acts.push(Act::Found);
                write(node, acts)?;
                acts.push(Act::Jump(split));
                set_split(acts, split, *greedy);
            } else {
                let mut splits = Vec::new();
                for _ in *least..*most {
                    splits.push(acts.len());
                    acts.push(Act::Found);
                    write(node, acts)?;
                }
                for split in splits {
                    set_split(acts, split, *greedy);
                }
            }
        }
    }
    Some(())
}

/// Fills in the split at `split`: into what follows it, or to the end of the program so far.
fn set_split(acts: &mut [Act], split: usize, greedy: bool) {
    let (inside, behind) = (split + 1, acts.len());
    if let Some(act) = acts.get_mut(split) {
        *act = if greedy { Act::Split(inside, behind) } else { Act::Split(behind, inside) };
    }
}

fn either(ways: &[Node], acts: &mut Vec<Act>) -> Option<()> {
    let mut jumps = Vec::new();
    for (index, way) in ways.iter().enumerate() {
        if index + 1 == ways.len() {
            write(way, acts)?;
            break;
        }
        let split = acts.len();
        acts.push(Act::Found);
        write(way, acts)?;
        jumps.push(acts.len());
        acts.push(Act::Found);
        set_split(acts, split, true);
    }
    let end = acts.len();
    for jump in jumps {
        if let Some(act) = acts.get_mut(jump) {
            *act = Act::Jump(end);
        }
    }
    Some(())
}

/// What is to be tried, or put back when that led nowhere.
enum Todo {
    Try(usize, usize),
    Restore(usize, Option<usize>),
}

/// Searches `text`.
pub(super) fn find(acts: &[Act], groups: usize, text: &str) -> Result<Option<Found>, TooHard> {
    let chars: Vec<char> = text.chars().collect();
    let pairs = acts.len().saturating_mul(chars.len() + 1);
    if pairs > MOST_PAIRS {
        return Err(TooHard);
    }
    let mut tried = vec![0_u64; pairs / 64 + 1];
    for start in 0..=chars.len() {
        let mut saved = vec![None; 2 * (groups + 1)];
        if run(acts, &chars, (start, &mut tried, &mut saved)) {
            let places: Vec<usize> =
                text.char_indices().map(|(at, _)| at).chain([text.len()]).collect();
            let place = |index: &Option<usize>| places.get((*index)?).copied();
            let range = |pair: &[Option<usize>]| Some(place(pair.first()?)?..place(pair.get(1)?)?);
            return Ok(Some(saved.chunks(2).map(range).collect()));
        }
    }
    Ok(None)
}

type Attempt<'a> = (usize, &'a mut Vec<u64>, &'a mut Vec<Option<usize>>);

fn run(acts: &[Act], chars: &[char], (start, tried, saved): Attempt<'_>) -> bool {
    let mut todo = vec![Todo::Try(0, start)];
    while let Some(next) = todo.pop() {
        let (mut act, mut at) = match next {
            Todo::Try(act, at) => (act, at),
            Todo::Restore(slot, old) => {
                if let Some(place) = saved.get_mut(slot) {
                    *place = old;
                }
                continue;
            }
        };
        loop {
            let pair = act * (chars.len() + 1) + at;
            let Some(word) = tried.get_mut(pair / 64) else { break };
            if *word & (1 << (pair % 64)) != 0 {
                break;
            }
            *word |= 1 << (pair % 64);
            match acts.get(act) {
                Some(Act::Found) => return true,
                Some(Act::Jump(to)) => {
                    act = *to;
                    continue;
                }
                Some(Act::Split(first, second)) => {
                    todo.push(Todo::Try(*second, at));
                    act = *first;
                    continue;
                }
                Some(Act::Save(slot)) => {
                    if let Some(place) = saved.get_mut(*slot) {
                        todo.push(Todo::Restore(*slot, *place));
                        *place = Some(at);
                    }
                }
                Some(Act::One(..) | Act::Any) => match chars.get(at) {
                    Some(next) if takes(acts.get(act), *next) => at += 1,
                    _ => break,
                },
                Some(anchor) if holds(anchor, chars, at) => {}
                _ => break,
            }
            act += 1;
        }
    }
    false
}

fn takes(act: Option<&Act>, next: char) -> bool {
    match act {
        Some(Act::One(ranges, negated)) => {
            ranges.iter().any(|(first, last)| (*first..=*last).contains(&next)) != *negated
        }
        _ => next != '\n',
    }
}

/// Tells whether an anchor holds before the character at `at`.
fn holds(anchor: &Act, chars: &[char], at: usize) -> bool {
    let before = at.checked_sub(1).and_then(|index| chars.get(index)).copied();
    let after = chars.get(at).copied();
    let is_word = |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric() || c == '_');
    match anchor {
        Act::Start => before.is_none(),
        Act::End => after.is_none(),
        Act::LineStart => before.is_none() || (before == Some('\n') && after.is_some()),
        Act::LineEnd => after.is_none() || after == Some('\n'),
        Act::EndOrNewline => after.is_none() || (after == Some('\n') && at + 1 == chars.len()),
        Act::Boundary => is_word(before) != is_word(after),
        _ => false,
    }
}
