//! Splitting a template into text and Ruby, as Ruby's own ERB compiler does with `trim_mode: '%'`.

/// A place in the template, both from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct At {
    /// The line.
    pub(super) line: usize,
    /// The column, in characters.
    pub(super) column: usize,
}

/// A piece of a template.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Segment {
    /// Text that is printed.
    Text(String),
    /// `<%= … %>`: an expression whose value is printed.
    Output(String, At),
    /// `<% … %>`, or a line that begins with `%`: statements.
    Code(String, At),
}

/// What ends a piece of text or Ruby.
const MARKS: [&str; 6] = ["<%%", "%%>", "<%=", "<%#", "<%", "%>"];

struct Tag {
    opener: &'static str,
    at: At,
}

#[derive(Default)]
struct Scanner {
    segments: Vec<Segment>,
    /// Text outside of a tag, Ruby inside.
    content: String,
    tag: Option<Tag>,
}

/// Splits `text`.
pub(super) fn scan(text: &str) -> Vec<Segment> {
    let mut scanner = Scanner::default();
    for (index, line) in text.split_inclusive('\n').enumerate() {
        scanner.line(line, index + 1);
    }
    // A tag that never ends is no tag: ERB drops its opener and prints what follows.
    scanner.end_text();
    scanner.segments
}

impl Scanner {
    fn line(&mut self, line: &str, number: usize) {
        let code = line.strip_prefix('%').filter(|_| self.tag.is_none());
        let Some(rest) = code else {
            self.pieces(line, At { line: number, column: 1 });
            return;
        };
        let at = At { line: number, column: 2 };
        if rest.starts_with('%') {
            // `%%` at the start of a line is one literal `%`.
            self.pieces(rest, at);
        } else {
            self.end_text();
            // The line end is part of it: a comment ends there.
            let code = format!("{}\n", rest.trim_end_matches(['\n', '\r']));
            self.segments.push(Segment::Code(code, at));
        }
    }

    fn pieces(&mut self, line: &str, mut at: At) {
        let mut rest = line;
        while let Some(next) = rest.chars().next() {
            let mark = MARKS.into_iter().find(|mark| rest.starts_with(mark));
            let length = mark.map_or(next.len_utf8(), str::len);
            let (piece, after) = rest.split_at(length);
            at.column += piece.chars().count();
            self.piece(piece, mark, at);
            rest = after;
        }
    }

    /// Takes one mark or character; `after` is the place behind it.
    fn piece(&mut self, piece: &str, mark: Option<&'static str>, after: At) {
        match (&self.tag, mark) {
            (None, Some(opener @ ("<%=" | "<%#" | "<%"))) => {
                self.end_text();
                self.tag = Some(Tag { opener, at: after });
            }
            (None, Some("<%%")) => self.content.push_str("<%"),
            (Some(_), Some("%%>")) => self.content.push_str("%>"),
            (Some(_), Some("%>")) => self.end_tag(),
            _ => self.content.push_str(piece),
        }
    }

    fn end_text(&mut self) {
        if !self.content.is_empty() {
            self.segments.push(Segment::Text(std::mem::take(&mut self.content)));
        }
    }

    fn end_tag(&mut self) {
        let code = std::mem::take(&mut self.content);
        match self.tag.take() {
            Some(Tag { opener: "<%=", at }) => self.segments.push(Segment::Output(code, at)),
            Some(Tag { opener: "<%", at }) => self.segments.push(Segment::Code(code, at)),
            _ => {} // A comment.
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(text: &str) -> Segment {
        Segment::Text(text.into())
    }

    #[test]
    fn tags_literals_and_percent_lines_are_told_apart() {
        let at = |line, column| At { line, column };
        assert_eq!(
            scan("a<%= b %>\nc<%d%>e"),
            [
                text("a"),
                Segment::Output(" b ".into(), at(1, 5)),
                text("\nc"),
                Segment::Code("d".into(), at(2, 4)),
                text("e")
            ]
        );
        assert_eq!(scan("<%% x %%> y %>"), [text("<% x %%> y %>")]);
        assert_eq!(scan("<%= '%%>' %>"), [Segment::Output(" '%>' ".into(), at(1, 4))]);
        assert_eq!(scan("a<%# gone\n over %>b"), [text("a"), text("b")]);
        assert_eq!(
            scan("x\n% code\n%% text\n %no\n"),
            [text("x\n"), Segment::Code(" code\n".into(), at(2, 2)), text("% text\n %no\n")]
        );
        assert_eq!(
            scan("<%\n% inside\n%>"),
            [Segment::Code("\n% inside\n".into(), at(1, 3))],
            "a percent line only outside of tags"
        );
    }

    #[test]
    fn a_tag_without_end_is_text_without_its_opener() {
        assert_eq!(
            scan("log '<%u%%%d>' # c\nnext\n"),
            [text("log '"), text("u%%%d>' # c\nnext\n")]
        );
    }
}
