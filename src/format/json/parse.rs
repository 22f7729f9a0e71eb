//! From a text to a [`Node`].

use super::node::{Content, Node, Pair};
use crate::format::error::Fault;
use crate::format::place::Place;
use serde_json::Value;

/// The longest text that is read: the largest manifest known has 30 kB.
pub(in crate::format) const LONGEST: u64 = 4 << 20;
/// The deepest nesting that is read; manifests have 8.
const DEEPEST: usize = 64;

/// Reads `bytes`.
pub(in crate::format) fn parse(bytes: &[u8]) -> Result<Node, Fault> {
    if bytes.len() as u64 > LONGEST {
        let text = format!("is longer than {LONGEST} bytes: shorten it");
        return Err(Fault { place: Place::START, text });
    }
    let text = std::str::from_utf8(bytes).map_err(|error| Fault {
        place: Place::of(bytes, error.valid_up_to()),
        text: "is not UTF-8 from here on: save it as UTF-8".into(),
    })?;
    let rest = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut parser = Parser { rest, place: Place::START };
    parser.space();
    if parser.rest.is_empty() {
        return Err(parser.fault("is empty: write a JSON value"));
    }
    let node = parser.value(0)?;
    parser.space();
    if parser.rest.is_empty() {
        return Ok(node);
    }
    Err(parser.fault("goes on after its end: remove what follows, or look for a bracket too many"))
}

struct Parser<'a> {
    rest: &'a str,
    place: Place,
}

impl<'a> Parser<'a> {
    fn fault(&self, text: impl Into<String>) -> Fault {
        Fault { place: self.place, text: text.into() }
    }

    fn peek(&self) -> Option<char> {
        self.rest.chars().next()
    }

    /// Goes over the next `length` bytes, which end where a character does.
    fn take(&mut self, length: usize) -> &'a str {
        let (taken, rest) = self.rest.split_at_checked(length).unwrap_or((self.rest, ""));
        for character in taken.chars() {
            match character {
                '\n' => self.place = Place { line: self.place.line + 1, column: 1 },
                _ => self.place.column += 1,
            }
        }
        self.rest = rest;
        taken
    }

    fn takes(&mut self, wanted: char) -> bool {
        let there = self.peek() == Some(wanted);
        if there {
            self.take(wanted.len_utf8());
        }
        there
    }

    /// Goes over white space and comments.
    fn space(&mut self) {
        loop {
            let white = |c: char| !matches!(c, ' ' | '\t' | '\r' | '\n');
            let blank = self.rest.find(white).unwrap_or(self.rest.len());
            self.take(blank);
            if self.peek() != Some('#') {
                return;
            }
            let comment = self.rest.find('\n').unwrap_or(self.rest.len());
            self.take(comment);
        }
    }

    fn value(&mut self, depth: usize) -> Result<Node, Fault> {
        if depth > DEEPEST {
            return Err(self.fault(format!("is nested deeper than {DEEPEST}: flatten it")));
        }
        let place = self.place;
        let content = match self.peek() {
            Some('{') => self.object(depth)?,
            Some('[') => self.list(depth)?,
            Some('"') => Content::Scalar(Value::String(self.string()?)),
            _ => Content::Scalar(self.word()?),
        };
        Ok(Node { place, content })
    }

    fn object(&mut self, depth: usize) -> Result<Content, Fault> {
        let mut pairs = Vec::new();
        self.takes('{');
        loop {
            self.space();
            if self.takes('}') {
                return Ok(Content::Object(pairs));
            }
            if self.peek() != Some('"') {
                return Err(self.expected("a key in double quotes or `}`"));
            }
            let place = self.place;
            let key = self.string()?;
            self.space();
            if !self.takes(':') {
                return Err(self.expected("`:` after the key"));
            }
            self.space();
            let value = self.value(depth + 1)?;
            pairs.push(Pair { key, place, value });
            self.separator('}')?;
        }
    }

    fn list(&mut self, depth: usize) -> Result<Content, Fault> {
        let mut items = Vec::new();
        self.takes('[');
        loop {
            self.space();
            if self.takes(']') {
                return Ok(Content::List(items));
            }
            items.push(self.value(depth + 1)?);
            self.separator(']')?;
        }
    }

    /// Goes over a comma; without one, the bracket `close` must follow.
    fn separator(&mut self, close: char) -> Result<(), Fault> {
        self.space();
        if self.takes(',') || self.peek() == Some(close) {
            return Ok(());
        }
        Err(self.expected(&format!("`,` or `{close}`")))
    }

    fn string(&mut self) -> Result<String, Fault> {
        let start = self.place;
        let bytes = self.rest.as_bytes();
        let mut at = 1;
        loop {
            match bytes.get(at) {
                Some(b'"') => break,
                Some(b'\\') => at += 2,
                Some(_) => at += 1,
                None => {
                    let text = "this text never ends: close it with a double quote".into();
                    return Err(Fault { place: start, text });
                }
            }
        }
        let raw = self.take(at + 1);
        // Tabs stand in texts of real manifests; strict JSON knows them escaped only.
        serde_json::from_str(&raw.replace('\t', "\\t")).map_err(|_| Fault {
            place: start,
            text: "this text has a line break, a control character or an unknown escape: write \
                   `\\n`, `\\\\` or `\\u....`"
                .into(),
        })
    }

    /// A number, true, false or null.
    fn word(&mut self) -> Result<Value, Fault> {
        let inner = |c: char| !(c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.'));
        let length = self.rest.find(inner).unwrap_or(self.rest.len());
        let word = self.rest.get(..length).unwrap_or_default();
        match serde_json::from_str(word) {
            Ok(value) => {
                self.take(length);
                Ok(value)
            }
            Err(_) => Err(self.expected(
                "a value: a text in double quotes, a number, `true`, \
                                         `false`, `null`, `{` or `[`",
            )),
        }
    }

    fn expected(&self, what: &str) -> Fault {
        match self.peek() {
            None => self.fault(format!("ends too early: write {what}")),
            Some(found) => {
                self.fault(format!("has `{}` where {what} should be", found.escape_debug()))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::{ProptestConfig, any, proptest};
    use serde_json::json;

    fn read(text: &str) -> Value {
        parse(text.as_bytes()).unwrap().to_json()
    }

    fn fault(text: &str) -> String {
        let fault = parse(text.as_bytes()).unwrap_err();
        format!("{}: {}", fault.place, fault.text)
    }

    #[test]
    fn comments_last_commas_and_tabs_are_read() {
        let text =
            "# head\n{ \"a#\" : [1, 2,], # why\n  \"b\":{\"c\":null,},\n\"t\":\"x\ty\", }\n#";
        assert_eq!(read(text), json!({"a#": [1, 2], "b": {"c": null}, "t": "x\ty"}));
        assert_eq!(read("\"alone\""), json!("alone"));
        assert_eq!(read(" -1.5e3 # n"), json!(-1500.0));
        assert_eq!(read("\u{feff}\"\\u00e9\\ud83d\\ude00\\/\""), json!("é😀/"));
    }

    #[test]
    fn order_is_kept_and_the_last_of_a_repeated_key_counts() {
        let node = parse(b"{\"z\":1,\n \"a\":2,\n \"z\":{\"k\":1,\"k\":2}}").unwrap();
        assert_eq!(node.get("z").unwrap().to_json(), json!({"k": 2}));
        let repeated: Vec<_> =
            node.repeated().iter().map(|pair| format!("{} {}", pair.key, pair.place)).collect();
        assert_eq!(repeated, ["z 3:2", "k 3:13"]);
        let keys: Vec<_> = node.pairs().unwrap().iter().map(|pair| pair.key.as_str()).collect();
        assert_eq!(keys, ["z", "a", "z"]);
    }

    #[test]
    fn places_count_characters() {
        let node = parse("{\"é\": 1,\n\t\"b\" : [ \"é\", 2 ]}".as_bytes()).unwrap();
        let list = node.get("b").unwrap();
        assert_eq!(list.place, Place { line: 2, column: 8 });
        assert_eq!(list.items().unwrap()[1].place, Place { line: 2, column: 15 });
    }

    #[test]
    fn what_is_wrong_is_said_with_its_place() {
        for (text, said) in [
            ("", "1:1: is empty"),
            ("# only\n", "2:1: is empty"),
            ("{\n  a: 1}", "2:3: has `a` where a key"),
            ("{\"a\" 1}", "1:6: has `1` where `:`"),
            ("[1 2]", "1:4: has `2` where `,` or `]`"),
            ("[,]", "1:2: has `,` where a value"),
            ("[1,,]", "1:4: has `,` where a value"),
            ("[1\n", "2:1: ends too early"),
            ("{\"a\":\n \"b", "2:2: this text never ends"),
            ("\"\\\"", "1:1: this text never ends"),
            ("\"a\nb\"", "1:1: this text has"),
            ("\"\\x\"", "1:1: this text has"),
            ("\"\\ud800\"", "1:1: this text has"),
            ("[True]", "1:2: has `T` where a value"),
            ("01", "1:1: has `0` where a value"),
            ("1e999", "1:1: has `1` where a value"),
            ("// no\n1", "1:1: has `/` where a value"),
            ("{} {}", "1:4: goes on"),
            ("[\u{1b}]", "1:2: has `\\u{1b}` where a value"),
        ] {
            assert!(fault(text).starts_with(said), "{text:?}: {}", fault(text));
        }
        assert_eq!(parse(b"[\n\xff]").unwrap_err().place, Place { line: 2, column: 1 });
    }

    #[test]
    fn depth_and_length_are_bounded() {
        let deep = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        assert!(parse(deep(DEEPEST).as_bytes()).is_ok());
        assert!(fault(&deep(100_000)).contains("nested deeper"));
        let long = vec![b' '; usize::try_from(LONGEST).unwrap() + 1];
        assert!(parse(&long).unwrap_err().text.contains("longer than"));
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 256, ..ProptestConfig::default() })]
        #[test]
        fn strict_json_means_what_it_meant(text in "[\\[\\]{},:0-9a-e\" \\\\u]{0,24}") {
            if let Ok(strict) = serde_json::from_str::<Value>(&text) {
                assert_eq!(parse(text.as_bytes()).unwrap().to_json(), strict, "{text}");
            }
        }

        #[test]
        fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..64)) {
            let _ = parse(&bytes);
        }
    }
}
