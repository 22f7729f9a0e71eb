//! From the parser's events to a tree, within limits.

use super::node::{Node, Pair, Value};
use crate::format::error::Fault;
use crate::format::place::Place;
use saphyr_parser::{Event, Marker, Parser, ScalarStyle, ScanError};
use std::collections::{HashMap, HashSet};

/// The deepest nesting; real manifests stay below 8.
const DEEPEST: usize = 64;
/// The most values in one file, those counted that aliases repeat. A tpkg.yml may list thousands of
/// files.
const MOST_NODES: usize = 100_000;
const TOO_DEEP: &str = "is nested too deeply: 64 levels are enough";
const TOO_MANY: &str = "has too many values: a manifest this large is none";
/// The most warnings about one file.
const MOST_WARNINGS: usize = 100;

/// A file that could be read.
pub(super) struct Built {
    /// Its only document.
    pub(super) root: Option<Node>,
    /// What was tolerated.
    pub(super) warnings: Vec<Fault>,
}

/// Why and where reading stopped.
pub(super) struct Stop {
    /// What to say about it.
    pub(super) fault: Fault,
    /// Where the parser stood, in characters from the start; nothing when a limit was met, which
    /// no repair can help.
    pub(super) at: Option<usize>,
}

/// Reads the one document in `text`.
pub(super) fn build(text: &str) -> Result<Built, Stop> {
    let mut builder = Builder::default();
    for event in Parser::new_from_str(text) {
        let (event, span) = event.map_err(|error| scan_stop(&error))?;
        builder.take(event, place_of(&span.start))?;
    }
    Ok(Built { root: builder.root, warnings: builder.warnings })
}

fn place_of(mark: &Marker) -> Place {
    Place { line: mark.line(), column: mark.col() + 1 }
}

fn scan_stop(error: &ScanError) -> Stop {
    let said = error.info();
    let remedy = match said {
        said if said.contains("mapping values are not allowed") => {
            "put a value that contains `: ` in quotes"
        }
        said if said.contains("tab") => "indent with spaces",
        said if said.contains("unexpected character") => "put the value in quotes",
        said if said.contains("quoted scalar") => "close the quote, and double a quote within",
        said if said.contains("unknown anchor") || said.contains("alias") => {
            "put a value that begins with `*` in quotes"
        }
        _ => "check the indentation and the quotes on this line and the one before",
    };
    let text = format!("is no valid YAML ({}): {remedy}", said.escape_debug());
    let mark = error.marker();
    Stop { fault: Fault { place: place_of(mark), text }, at: Some(mark.index()) }
}

/// A list or mapping that is not closed yet.
struct Open {
    anchor: usize,
    place: Place,
    body: Body,
}

enum Body {
    Sequence(Vec<Node>),
    Mapping { pairs: Vec<(Node, Node)>, key: Option<Node> },
}

#[derive(Default)]
struct Builder {
    root: Option<Node>,
    documents: usize,
    open: Vec<Open>,
    anchors: HashMap<usize, Node>,
    nodes: usize,
    warnings: Vec<Fault>,
}

impl Builder {
    fn take(&mut self, event: Event, place: Place) -> Result<(), Stop> {
        let stop = |text: &str| Stop { fault: Fault { place, text: text.into() }, at: None };
        self.check(&event).map_err(stop)?;
        match event {
            Event::DocumentStart(_) => self.documents += 1,
            Event::Scalar(text, style, anchor, _) => {
                let value = self.scalar(&text, style, place);
                self.add(anchor, Node { value, place });
            }
            Event::SequenceStart(anchor, _) => {
                self.open.push(Open { anchor, place, body: Body::Sequence(Vec::new()) });
            }
            Event::MappingStart(anchor, _) => {
                let body = Body::Mapping { pairs: Vec::new(), key: None };
                self.open.push(Open { anchor, place, body });
            }
            Event::SequenceEnd | Event::MappingEnd => self.close(),
            Event::Alias(anchor) => self.repeat(anchor, place).map_err(stop)?,
            Event::Nothing | Event::StreamStart | Event::StreamEnd | Event::DocumentEnd => {}
        }
        Ok(())
    }

    fn check(&mut self, event: &Event) -> Result<(), &'static str> {
        self.nodes += 1;
        if self.nodes > MOST_NODES {
            return Err(TOO_MANY);
        }
        if self.open.len() > DEEPEST {
            return Err(TOO_DEEP);
        }
        // A further document without content (a stray `---` at the end) changes nothing.
        if self.documents > 1 && self.has_content() && is_content(event) {
            return Err("begins a second document: one `---` and one manifest in a file");
        }
        Ok(())
    }

    /// Puts a copy of the value with this anchor in the place of an alias.
    fn repeat(&mut self, anchor: usize, place: Place) -> Result<(), &'static str> {
        let Some(node) = self.anchors.get(&anchor) else {
            return Err("has an alias within the value that it stands for: write the value out");
        };
        let (weight, depth) = measure(node);
        if self.open.len() + depth > DEEPEST {
            return Err(TOO_DEEP);
        }
        let node = Node { place, ..node.clone() };
        self.nodes += weight;
        self.add(0, node);
        Ok(())
    }

    fn has_content(&self) -> bool {
        self.root.as_ref().is_some_and(|root| !root.is_null())
    }

    fn scalar(&mut self, text: &str, style: ScalarStyle, place: Place) -> Value {
        let shown = |c: &char| !c.is_control() || matches!(c, '\n' | '\t');
        let clean: String = text.chars().filter(shown).collect();
        if clean != text {
            self.warn(place, "has control characters in its escapes: they are left out".into());
        }
        match style {
            ScalarStyle::Plain => Value::Plain(clean),
            _ => Value::Quoted(clean),
        }
    }

    fn close(&mut self) {
        let Some(Open { anchor, place, body }) = self.open.pop() else { return };
        let value = match body {
            Body::Sequence(items) => Value::Sequence(items),
            Body::Mapping { pairs, .. } => Value::Mapping(self.pairs(pairs)),
        };
        self.add(anchor, Node { value, place });
    }

    fn add(&mut self, anchor: usize, node: Node) {
        if anchor > 0 {
            self.nodes += measure(&node).0;
            self.anchors.insert(anchor, node.clone());
        }
        match self.open.last_mut().map(|open| &mut open.body) {
            None if self.root.as_ref().is_none_or(Node::is_null) => self.root = Some(node),
            None => {}
            Some(Body::Sequence(items)) => items.push(node),
            Some(Body::Mapping { pairs, key }) => match key.take() {
                None => *key = Some(node),
                Some(key) => pairs.push((key, node)),
            },
        }
    }

    /// Makes each key stand once: of two the last wins, as in the original's reader.
    fn pairs(&mut self, raw: Vec<(Node, Node)>) -> Vec<Pair> {
        let mut pairs: Vec<Pair> = Vec::with_capacity(raw.len());
        let mut merged = Vec::new();
        let mut index: HashMap<String, usize> = HashMap::new();
        for (key, value) in raw {
            let place = key.place;
            let key = match key.value {
                Value::Plain(key) if key == "<<" => {
                    merged.push(value);
                    continue;
                }
                Value::Plain(key) | Value::Quoted(key) => key,
                _ => {
                    self.warn(place, "has a key that is no text: it is left out".into());
                    continue;
                }
            };
            let earlier = index.get(&key).and_then(|at| pairs.get_mut(*at));
            if let Some(earlier) = earlier {
                let text = format!(
                    "`{}` stands here again (first in line {}): the last one counts, remove the \
                     other",
                    key.escape_debug(),
                    earlier.place.line
                );
                *earlier = Pair { key, place, value };
                self.warn(place, text);
            } else {
                index.insert(key.clone(), pairs.len());
                pairs.push(Pair { key, place, value });
            }
        }
        merge(&mut pairs, merged);
        pairs
    }

    fn warn(&mut self, place: Place, text: String) {
        if self.warnings.len() < MOST_WARNINGS {
            self.warnings.push(Fault { place, text });
        }
    }
}

/// Adds the pairs of `<<: *anchor`; what the mapping itself says, and the first merged, wins.
fn merge(pairs: &mut Vec<Pair>, merged: Vec<Node>) {
    let mut known: HashSet<String> = pairs.iter().map(|pair| pair.key.clone()).collect();
    let sources = merged.into_iter().flat_map(|node| match node.value {
        Value::Sequence(items) => items,
        _ => vec![node],
    });
    for source in sources {
        let Value::Mapping(more) = source.value else { continue };
        for pair in more {
            if known.insert(pair.key.clone()) {
                pairs.push(pair);
            }
        }
    }
}

/// Tells whether an event says anything.
fn is_content(event: &Event) -> bool {
    match event {
        Event::Scalar(text, style, ..) => *style != ScalarStyle::Plain || text != "~",
        Event::SequenceStart(..) | Event::MappingStart(..) | Event::Alias(_) => true,
        _ => false,
    }
}

/// The number of values in a node, and how deep they are nested.
fn measure(node: &Node) -> (usize, usize) {
    let inner: Vec<(usize, usize)> = match &node.value {
        Value::Plain(_) | Value::Quoted(_) => return (1, 0),
        Value::Sequence(items) => items.iter().map(measure).collect(),
        Value::Mapping(pairs) => pairs.iter().map(|pair| measure(&pair.value)).collect(),
    };
    let weight = inner.iter().map(|(weight, _)| weight).sum::<usize>();
    let depth = inner.iter().map(|(_, depth)| *depth).max().unwrap_or_default();
    (weight + 1, depth + 1)
}
