//! YAML as manifests need it: with line and column, and with the source text of every scalar, so
//! that `5.10` stays `5.10`. Lenient about what real manifests contain, each time with a note.

use super::ManifestError;
use crate::package::note::{Level, Note, Notes};
use saphyr_parser::{Event, Parser, ScalarStyle, Span};
use std::collections::HashMap;

/// The longest manifest.
pub(super) const LONGEST: u64 = 1 << 20;
/// The deepest nesting; a bomb is deeper.
const DEEPEST: usize = 64;
/// The most nodes, copies of anchored ones included.
const MOST_NODES: usize = 50_000;

/// A value, and where it stands.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Node {
    pub(super) value: Value,
    pub(super) line: usize,
    pub(super) column: usize,
}

/// What a node is.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Value {
    /// Nothing: an empty value, `~` or `null`.
    Null,
    /// A scalar: its text, and whether it was quoted.
    Scalar(String, Quoted),
    /// A list.
    List(Vec<Node>),
    /// A mapping, in the order of the file; each key once, the last one of several.
    Map(Vec<(String, Node)>),
}

/// Whether a scalar was quoted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Quoted {
    Yes,
    No,
}

/// Parses `bytes`, called `file` in messages. An empty document is [`Value::Null`].
pub(super) fn parse(bytes: &[u8], file: &str, notes: &mut Notes) -> Result<Node, ManifestError> {
    let text = String::from_utf8(bytes.to_vec()).map_err(|error| {
        let line = 1 + bytes
            .iter()
            .take(error.utf8_error().valid_up_to())
            .filter(|b| **b == b'\n')
            .count();
        syntax(file, (line, 1), "this is not UTF-8; save the file as UTF-8")
    })?;
    let text = clean(&text);
    let mut reader = Reader {
        events: Parser::new_from_str(&text),
        file,
        notes,
        anchors: HashMap::new(),
        nodes: 0,
    };
    reader.document()
}

/// Takes away what libyaml tolerates and this parser does not: a byte order mark, the `\r` of DOS
/// lines, and white space at the end of lines (a TAB after a quoted scalar, say).
fn clean(text: &str) -> String {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut clean: String = text.lines().flat_map(|line| [line.trim_end(), "\n"]).collect();
    if clean.is_empty() {
        clean.push('\n');
    }
    clean
}

struct Reader<'a, 'input> {
    events: Parser<'input, saphyr_parser::StrInput<'input>>,
    file: &'a str,
    notes: &'a mut Notes,
    anchors: HashMap<usize, Node>,
    nodes: usize,
}

impl<'input> Reader<'_, 'input> {
    fn next(&mut self) -> Result<(Event<'input>, Span), ManifestError> {
        match self.events.next_event() {
            Some(Ok(event)) => Ok(event),
            Some(Err(error)) => {
                let at = error.marker();
                Err(syntax(self.file, (at.line(), at.col() + 1), error.info()))
            }
            None => Err(syntax(self.file, (1, 1), "the document ends too early")),
        }
    }

    fn document(&mut self) -> Result<Node, ManifestError> {
        let mut found = None;
        loop {
            let (event, span) = self.next()?;
            match event {
                Event::StreamEnd => break,
                Event::DocumentStart(_) if found.is_some() => {
                    return Err(self.at(&span, "a second document; a manifest has one"));
                }
                Event::StreamStart
                | Event::DocumentStart(_)
                | Event::DocumentEnd
                | Event::Nothing => {}
                event => found = Some(self.node(event, span, 0)?),
            }
        }
        Ok(found.unwrap_or(Node { value: Value::Null, line: 1, column: 1 }))
    }

    fn node(
        &mut self,
        event: Event<'input>,
        span: Span,
        depth: usize,
    ) -> Result<Node, ManifestError> {
        self.nodes += 1;
        if depth > DEEPEST || self.nodes > MOST_NODES {
            return Err(self.at(&span, "too large or too deeply nested for a manifest"));
        }
        let (line, column) = (span.start.line(), span.start.col() + 1);
        let made = |value| Node { value, line, column };
        let (node, anchor) = match event {
            Event::Scalar(text, style, anchor, _) => (made(scalar(&text, style)), anchor),
            Event::Alias(anchor) => {
                let Some(node) = self.anchors.get(&anchor).cloned() else {
                    return Err(
                        self.at(&span, "an alias of nothing; quote a value that begins with `*`")
                    );
                };
                self.nodes += count(&node);
                (node, 0)
            }
            Event::SequenceStart(anchor, _) => (made(self.list(depth)?), anchor),
            Event::MappingStart(anchor, _) => (made(self.map(depth)?), anchor),
            _ => return Err(self.at(&span, "a value is expected here")),
        };
        if anchor > 0 {
            self.anchors.insert(anchor, node.clone());
        }
        Ok(node)
    }

    fn list(&mut self, depth: usize) -> Result<Value, ManifestError> {
        let mut items = Vec::new();
        loop {
            match self.next()? {
                (Event::SequenceEnd, _) => return Ok(Value::List(items)),
                (event, span) => items.push(self.node(event, span, depth + 1)?),
            }
        }
    }

    fn map(&mut self, depth: usize) -> Result<Value, ManifestError> {
        let mut pairs: Vec<(String, Node)> = Vec::new();
        loop {
            let (event, span) = self.next()?;
            let key = match event {
                Event::MappingEnd => return Ok(Value::Map(pairs)),
                Event::Scalar(text, ..) => text.into_owned(),
                _ => return Err(self.at(&span, "a key must be plain text")),
            };
            let (event, value_span) = self.next()?;
            let value = self.node(event, value_span, depth + 1)?;
            if let Some(old) = pairs.iter().position(|(known, _)| *known == key) {
                let (line, column) = (span.start.line(), span.start.col() + 1);
                self.notes.push(Note {
                    level: Level::Warning,
                    file: self.file.to_owned(),
                    line: Some(line),
                    column: Some(column),
                    text: format!("`{}` stands twice; the last one counts", key.escape_debug()),
                });
                pairs.remove(old);
            }
            pairs.push((key, value));
        }
    }

    fn at(&self, span: &Span, text: &str) -> ManifestError {
        syntax(self.file, (span.start.line(), span.start.col() + 1), text)
    }
}

fn scalar(text: &str, style: ScalarStyle) -> Value {
    match style {
        ScalarStyle::Plain if matches!(text, "" | "~" | "null" | "Null" | "NULL") => Value::Null,
        ScalarStyle::Plain => Value::Scalar(text.to_owned(), Quoted::No),
        _ => Value::Scalar(text.to_owned(), Quoted::Yes),
    }
}

fn count(node: &Node) -> usize {
    match &node.value {
        Value::Null | Value::Scalar(..) => 1,
        Value::List(items) => 1 + items.iter().map(count).sum::<usize>(),
        Value::Map(pairs) => 1 + pairs.iter().map(|(_, node)| count(node)).sum::<usize>(),
    }
}

fn syntax(file: &str, (line, column): (usize, usize), text: &str) -> ManifestError {
    let text = text.escape_debug().to_string();
    ManifestError::Syntax { file: file.to_owned(), line, column, text }
}

impl Node {
    /// The value of a key; nothing when it is missing or null.
    pub(super) fn get(&self, key: &str) -> Option<&Node> {
        let found = self.pairs().iter().find(|(name, _)| name == key).map(|(_, node)| node);
        found.filter(|node| node.value != Value::Null)
    }

    /// The pairs of a mapping; none of anything else.
    pub(super) fn pairs(&self) -> &[(String, Node)] {
        match &self.value {
            Value::Map(pairs) => pairs,
            _ => &[],
        }
    }

    /// The text of a scalar.
    pub(super) fn text(&self) -> Option<&str> {
        match &self.value {
            Value::Scalar(text, _) => Some(text),
            _ => None,
        }
    }

    /// The items of a list; a scalar or mapping is a list of one, null an empty one.
    pub(super) fn items(&self) -> Vec<&Node> {
        match &self.value {
            Value::Null => Vec::new(),
            Value::List(items) => items.iter().filter(|node| node.value != Value::Null).collect(),
            _ => vec![self],
        }
    }

    /// The node as JSON. Unquoted booleans and whole numbers become such; everything else stays
    /// the text that it is.
    pub(super) fn json(&self) -> serde_json::Value {
        use serde_json::Value as Json;
        match &self.value {
            Value::Null => Json::Null,
            Value::Scalar(text, Quoted::No) if matches!(text.as_str(), "true" | "false") => {
                Json::Bool(text == "true")
            }
            Value::Scalar(text, Quoted::No) => match text.parse::<i64>() {
                Ok(number) if number.to_string() == *text => Json::from(number),
                _ => Json::String(text.clone()),
            },
            Value::Scalar(text, Quoted::Yes) => Json::String(text.clone()),
            Value::List(items) => Json::Array(items.iter().map(Node::json).collect()),
            Value::Map(pairs) => {
                Json::Object(pairs.iter().map(|(key, node)| (key.clone(), node.json())).collect())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn read(text: &str) -> (Node, Vec<Note>) {
        let mut notes = Notes::default();
        let node = parse(text.as_bytes(), "manifest.yml", &mut notes).unwrap();
        (node, notes.into_vec())
    }

    #[test]
    fn scalars_keep_their_text() {
        let (node, _) = read("a: 5.10\nb: '1'\nc: yes\nd: ~\ne:\nf: 010\n");
        assert_eq!(node.get("a").unwrap().text(), Some("5.10"));
        assert_eq!(node.get("c").unwrap().text(), Some("yes"));
        assert_eq!(node.get("f").unwrap().text(), Some("010"));
        assert_eq!((node.get("d"), node.get("e")), (None, None));
        assert_eq!(node.json()["b"], "1");
    }

    #[test]
    fn what_real_manifests_do_is_tolerated_and_noted() {
        let (node, notes) = read("\u{feff}a: 'x'\t\r\na: 2\r\nb: &k [1, 2]\nc: *k\n");
        assert_eq!(node.get("a").unwrap().text(), Some("2"));
        assert_eq!(node.get("c").unwrap().items().len(), 2);
        assert_eq!((notes[0].line, notes[0].column), (Some(2), Some(1)));
        assert!(notes[0].text.contains("`a` stands twice"), "{}", notes[0].text);
    }

    #[test]
    fn errors_name_the_place_and_bombs_are_refused() {
        let fail = |text: &str| {
            parse(text.as_bytes(), "m.yml", &mut Notes::default()).unwrap_err().to_string()
        };
        assert!(fail("a: b\nc: [1\n").starts_with("m.yml:"), "{}", fail("a: b\nc: [1\n"));
        assert!(fail("- **/*.erb\n").contains("m.yml:1:"), "{}", fail("- **/*.erb\n"));
        assert!(fail("a: 1\n---\nb: 2\n").contains("second document"));
        assert!(fail(&"[".repeat(100)).starts_with("m.yml:1:"));
        let mut bomb = String::from("a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n");
        for n in 1..9 {
            let refs = vec![format!("*a{}", n - 1); 10].join(",");
            bomb.extend([format!("a{n}: &a{n} [{refs}]\n")]);
        }
        assert!(fail(&bomb).contains("too large"));
    }

    proptest! {
        #[test]
        fn no_input_makes_the_reader_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = parse(&bytes, "m", &mut Notes::default());
        }

        #[test]
        fn no_yaml_like_input_makes_the_reader_panic(text in "[a-c:\\-\\[\\]{},&*!|>#'\"%@ \\n\\t?~0-9.]{0,80}") {
            let _ = parse(text.as_bytes(), "m", &mut Notes::default());
        }
    }
}
