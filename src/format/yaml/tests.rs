use super::*;
use crate::package::note::Notes;
use proptest::prelude::*;

/// Reads `text`; its root as JSON, and the notes as `line:column text`.
fn read(text: &str) -> Result<(serde_json::Value, Vec<String>), String> {
    let mut notes = Notes::default();
    let mut reading = Reading::new("f.yml", &mut notes);
    let root = parse(text.as_bytes(), &mut reading)
        .map_err(|fault| format!("{} {}", fault.place, fault.text))?;
    let said = notes.into_vec().into_iter().map(|note| {
        format!("{}:{} {}", note.line.unwrap_or(0), note.column.unwrap_or(0), note.text)
    });
    Ok((root.map_or(serde_json::Value::Null, |root| root.to_json()), said.collect()))
}

fn json(text: &str) -> String {
    read(text).unwrap().0.to_string()
}

#[test]
fn what_real_manifests_do_is_read_as_the_original_reads_it() {
    for (text, expected) in [
        ("", "null"),
        ("# nothing\n", "null"),
        ("---\nName: x\n", r#"{"Name":"x"}"#),
        ("Name: x\n...\n", r#"{"Name":"x"}"#),
        ("Name: x\n---\n", r#"{"Name":"x"}"#),
        ("\u{FEFF}Name: x", r#"{"Name":"x"}"#),
        ("a: 1\r\nb:\r\n- \"x\"\r\n", r#"{"a":1,"b":["x"]}"#),
        ("a: \"x\"\t\nb: 'y' \t\n", r#"{"a":"x","b":"y"}"#),
        ("Publishes:\nNext: ~\n", r#"{"Publishes":null,"Next":null}"#),
        ("V: 5.10\nW: [1.0, 010, 7]\n", r#"{"V":"5.10","W":["1.0","010",7]}"#),
        ("5.3:\n  a: b\n", r#"{"5.3":{"a":"b"}}"#),
        ("Required : false\n", r#"{"Required":false}"#),
        ("P:\n  -postgresql\n", r#"{"P":"-postgresql"}"#),
        (":locked_files:\n- env/\n", r#"{":locked_files":["env/"]}"#),
        ("a: !ruby/sym x\nb: !!int 5.10\n", r#"{"a":"x","b":"5.10"}"#),
        ("b: &b {x: 1, y: 2}\nc:\n  <<: *b\n  y: 3\n", r#"{"b":{"x":1,"y":2},"c":{"y":3,"x":1}}"#),
        ("a: &x 5.10\nb: *x\n", r#"{"a":"5.10","b":"5.10"}"#),
    ] {
        assert_eq!(json(text), expected, "{text:?}");
        assert_eq!(read(text).unwrap().1, Vec::<String>::new(), "{text:?}");
    }
}

#[test]
fn of_two_equal_keys_the_last_wins_and_the_place_is_named() {
    let (root, notes) = read("a: 1\nb:\n  c: 2\n  c: 3\na: 4\n").unwrap();
    assert_eq!(root.to_string(), r#"{"a":4,"b":{"c":3}}"#);
    assert_eq!(notes.len(), 2);
    assert!(notes[0].starts_with("4:3 `c`") && notes[0].contains("line 3"), "{notes:?}");
    assert!(notes[1].starts_with("5:1 `a`"), "{notes:?}");
}

#[test]
fn a_star_that_is_no_alias_costs_a_warning_and_not_the_file() {
    let text = "locked_files:\n- a\n- **/*.erb # all\nt: [**/*.erb, *, b]\nu: *.it's\n";
    let (root, notes) = read(text).unwrap();
    assert_eq!(
        root.to_string(),
        r#"{"locked_files":["a","**/*.erb"],"t":["**/*.erb","*","b"],"u":"*.it's"}"#
    );
    assert_eq!(notes.len(), 4);
    assert!(notes[0].starts_with("3:3 `**/*.erb`") && notes[0].contains("quotes"), "{notes:?}");
}

#[test]
fn continuation_lines_need_no_indentation_as_for_the_original() {
    assert_eq!(json("a: \"x\ny \\\n z\"\nb: 1\n"), r#"{"a":"x y z","b":1}"#);
    assert_eq!(json("a: 'it''s\n\nx'\nb: 1\n"), r#"{"a":"it's\nx","b":1}"#);
    assert_eq!(json("a: [x,\ny,\nz]\nb: 1\n"), r#"{"a":["x","y","z"],"b":1}"#);
}

#[test]
fn what_cannot_be_read_is_named_with_place_and_remedy() {
    for (text, place, part) in [
        ("a: 1\n---\nb: 2\n", "3:1", "second document"),
        ("a: 1\n---\nb\n", "3:1", "second document"),
        ("D: a: b\n", "1:5", "quotes"),
        ("a:\n\t- b\n", "2:2", "spaces"),
        ("a: @b\n", "1:4", "quotes"),
        ("a: \"b\nc: 1\n", "1:4", "quote"),
        ("a: b\0c\n", "1:5", "control character"),
        ("é: b\u{1b}c\n", "1:5", "control character"),
        ("a: &x [*x]\n", "1:8", "alias"),
        (&"[".repeat(100), "", "nested"),
        (&"- ".repeat(100), "", "nested"),
        (&"[a],".repeat(20_000), "", ""),
        (&format!("[{}]", "a,".repeat(100_000)), "", "too many values"),
        (&"a".repeat(1 << 21), "1:1", "longer"),
    ] {
        let said = read(text).unwrap_err();
        let shown: String = text.chars().take(40).collect();
        assert!(said.starts_with(place) && said.contains(part), "{shown:?}: {said}");
    }
    let mut notes = Notes::default();
    let fault = parse(b"a: b\nc: \xff\n", &mut Reading::new("f", &mut notes)).unwrap_err();
    assert_eq!(fault.place, Place { line: 2, column: 4 });
}

#[test]
fn aliases_cannot_fill_the_memory() {
    let mut bomb = "a0: &a0 [x, x]\n".to_owned();
    for level in 1..40 {
        let below = level - 1;
        let line = format!("a{level}: &a{level} [*a{below}, *a{below}]\n");
        bomb.push_str(&line);
    }
    assert!(read(&bomb).unwrap_err().contains("too many values"));
    let mut tower = format!("a0: &a0 {}{}\n", "[".repeat(60), "]".repeat(60));
    tower.push_str("b: [[[[[[*a0]]]]]]\n");
    assert!(read(&tower).unwrap_err().contains("nested too deeply"));
}

#[test]
fn repairs_cannot_fill_the_memory() {
    let deep = " ".repeat(5000);
    let text = format!("a:\n{deep}b: \"{}\"\n", "x\n".repeat(50_000));
    assert!(read(&text).unwrap_err().contains("indentation"));
    let stars = "- *x\n".repeat(1_000);
    assert!(read(&stars).unwrap_err().contains("put them in quotes"));
}

#[test]
fn escapes_cannot_steer_a_terminal() {
    let (root, notes) = read("a: \"x\\e[2Jy\\n\"\n").unwrap();
    assert_eq!(root.to_string(), r#"{"a":"x[2Jy\n"}"#);
    assert_eq!(notes.len(), 1);
}

/// Texts made of what YAML gives a meaning to.
fn yamlish() -> impl Strategy<Value = String> {
    let piece = prop::sample::select(vec![
        "a", "Name", ": ", ":", "- ", "-", "\n", "\n  ", "\r\n", "\t", "*", "*a", "&a ", "!", "!!",
        "%", "'", "\"", "\\", "|", ">", "[", "]", "{", "}", ",", "#", " #", "?", "? ", "---",
        "...", "<<", "@", "`", "é", "~", "\u{85}", "\u{2028}", "5.10",
    ]);
    prop::collection::vec(piece, 0..60).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn no_text_makes_the_reader_panic(text in yamlish()) {
        let _ = read(&text);
    }

    #[test]
    fn no_bytes_make_the_reader_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let mut notes = Notes::default();
        let _ = parse(&bytes, &mut Reading::new("f", &mut notes));
    }

    #[test]
    fn quoted_text_comes_back_as_it_was(text in "[ -~é]{0,40}") {
        let source = format!("a: '{}'\n", text.replace('\'', "''"));
        let (root, _) = read(&source).unwrap();
        prop_assert_eq!(root["a"].as_str().unwrap(), text);
    }
}
