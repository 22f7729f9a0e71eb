//! What Ruby's `erb` prints for the same templates with the same variables.

use super::render as render_with;
use crate::sys::{host, process};
use crate::template::{Fault, NoFiles, TemplateError};
use proptest::prelude::{prop_assert, proptest};
use std::collections::BTreeMap;
use std::io::Write;
use std::process::Stdio;

fn env() -> BTreeMap<String, String> {
    [("VAR", "one"), ("DIR", "/home/gear/"), ("NAME", "VAR"), ("EMPTY", ""), ("RUBY", "<%= 1 %>")]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .into()
}

fn render(template: &str, env: &BTreeMap<String, String>) -> Result<String, TemplateError> {
    render_with(template, env, &NoFiles)
}

fn prints(template: &str, expected: &str) {
    assert_eq!(render(template, &env()).as_deref(), Ok(expected), "{template:?}");
    if let Some(printed) = rubys(template) {
        assert_eq!(printed.as_deref(), Ok(expected), "Ruby on {template:?}");
    }
}

/// What the host's own Ruby prints; nothing where there is no Ruby.
fn rubys(template: &str) -> Option<Result<String, ()>> {
    let path = host::variable_os("PATH")?;
    let ruby = std::env::split_paths(&path).map(|dir| dir.join("ruby")).find(|f| f.is_file())?;
    let mut child = process::command(&ruby)
        .args(["-Eutf-8", "-rerb", "-e", "print ERB.new(STDIN.read, trim_mode: '%').result"])
        .envs(env())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(template.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    let printed = String::from_utf8(output.stdout).unwrap();
    Some(if output.status.success() { Ok(printed) } else { Err(()) })
}

fn fails(template: &str) -> TemplateError {
    render(template, &env()).expect_err(template)
}

#[test]
fn variables_texts_and_sums_are_printed() {
    prints("<%= ENV['VAR'] %>\n", "one\n");
    prints("x<%=ENV[\"VAR\"]%>y", "xoney");
    prints("<%= ENV[ 'VAR'] %>", "one");
    prints("<%= ENV['DIR'] + \"bin/\" + 'x' %>", "/home/gear/bin/x");
    prints("<%= \"#{ENV['DIR']}log/#{ENV['VAR']}\" %>", "/home/gear/log/one");
    prints("<%= (ENV['VAR'] + ('b')) %>", "oneb");
    prints("<%= ENV[ENV['NAME']] %>", "one");
    prints("<%= ENV[\"#{'VAR'}\"] %>", "one");
    prints("<%= ENV['DIR'] +\n  'next' %>", "/home/gear/next");
    prints("<%=\n ENV['VAR'] # a comment\n%>", "one");
    prints("<%= 'a' \"b\" 'c' %>", "abc");
    prints("<%= ENV['RUBY'] %>", "<%= 1 %>");
}

#[test]
fn nil_prints_nothing_and_joins_nothing() {
    prints("[<%= ENV['UNSET'] %>]", "[]");
    prints("[<%= \"#{ENV['UNSET']}x#{}\" %>]", "[x]");
    prints("[<%= %>][<% %>][<%%>]", "[][][<%>]");
    prints("<%= ENV['EMPTY'] + 'x' %>", "x");
    for (template, column) in [
        ("ab<%= ENV['UNSET'] + 'bin' %>", 7),
        ("<%= 'bin' + ENV['UNSET'] %>", 13),
        ("<%= ENV[ENV['UNSET']] %>", 9),
        ("<% ENV['UNSET'] + 'x' %>", 4),
    ] {
        let error = fails(template);
        assert_eq!(error.fault, Fault::Unset, "{template}");
        assert!(!matches!(rubys(template), Some(Ok(_))), "Ruby prints {template}");
        assert_eq!(error.variable.as_deref(), Some("UNSET"), "{template}");
        assert_eq!((error.line, error.column), (1, column), "{template}");
    }
}

#[test]
fn a_tag_without_equals_prints_nothing() {
    // The guide's own example forgets the `=`; Ruby prints nothing for it.
    prints("<% ENV['DIR'] + \"/mongodb/log/\" %>\n", "\n");
    prints("a<% 'x'; 'y'\n'z' %>b", "ab");
    prints("a<%# ENV['VAR'] %>b", "ab");
}

#[test]
fn a_comment_goes_on_to_the_end_of_the_line() {
    prints("a<% # only a comment %>b\nc<% # x %>\nd", "acd");
    prints("a<% # one %>b<%= ENV['VAR'] %>c<% ENV['UNSET'] + '' %>\nd", "ad");
    prints("a<% # one %>b<% two\n'three' %>c", "ac");
    prints("<% # one\n 'two' %>b", "b");
    assert_eq!(fails("<%= ENV['VAR'] # why %>\n").fault, Fault::Syntax);
    assert_eq!(fails("<% # a %><%= ENV['VAR']\n %>\n").fault, Fault::Syntax);
}

#[test]
fn newlines_and_literals_stay_as_they_are() {
    prints("a\n<% %>\nb\n", "a\n\nb\n");
    prints("no tag at all", "no tag at all");
    prints("", "");
    prints("<%%= x %%> and %>\r\n", "<%= x %%> and %>\r\n");
    prints("%% erlang\n %mid\n", "% erlang\n %mid\n");
    prints("%%<%= ENV['VAR'] %>\n", "%one\n");
    prints("a\n% # a comment\n%\nb\n", "a\nb\n");
    prints("prefix = '<%u%%%d>' # x\nmore\n", "prefix = 'u%%%d>' # x\nmore\n");
}

#[test]
fn texts_have_rubys_escapes() {
    prints(r#"<%= "a\tb\n\"\\\#{x}\q" %>"#, "a\tb\n\"\\#{x}q");
    prints(r"<%= 'a\tb\'c\\d' %>", r"a\tb'c\d");
    prints(r##"<%= "# #x \s|" %>"##, "# #x  |");
    prints(r##"<%= "#{"}" + '{'}#{"#{ENV['VAR']}"}" %>"##, "}{one");
}

#[test]
fn what_is_not_understood_is_named_with_its_place() {
    for (template, place, word) in [
        ("x\n<% while ENV['VAR'] %>y<% end %>", (2, 4), "while"),
        ("<%= ENV['VAR'].tr('a', 'b') %>", (1, 16), ".tr"),
        ("<%= ENV['VAR'].first %>", (1, 16), ".first"),
        ("a\n% [1].each_slice(2)\n", (2, 7), ".each_slice"),
        ("<%= `id` %>", (1, 5), "`"),
        ("<%= system('id') %>", (1, 5), "system"),
        ("<% ENV['VAR'] = 'x' %>", (1, 15), "="),
        ("<%= \"\\x41\" %>", (1, 6), "\\x"),
        ("<%= 'a' =~ /(?<=b)/ %>", (1, 12), "(?<"),
        ("<% if false %><%= ENV['A'].unpack('x') %><% end %>", (1, 28), ".unpack"),
    ] {
        let error = fails(template);
        assert_eq!(error.fault, Fault::Unsupported, "{template}: {error}");
        assert_eq!((error.line, error.column), place, "{template}: {error}");
        let named = format!("`{}", word.escape_debug());
        assert!(error.what.contains(&named), "{template}: {error}");
    }
}

#[test]
fn what_is_no_ruby_is_refused() {
    for template in [
        "<%= 'never ends %>",
        "<%= \"#{ENV['VAR'] %>",
        "<%= ENV['VAR' %>",
        "<%= ENV['VAR'] + %>",
        "<% 'a' + ; 'b' %>",
        "<%= ) %>",
        "<%= ENV['VAR'] 'b' %>",
        "<%= ENV['VAR' -%>",
        "<%= (ENV['VAR'] %>",
    ] {
        let error = fails(template);
        assert!(matches!(error.fault, Fault::Syntax | Fault::Unsupported), "{template}: {error}");
        if error.fault == Fault::Syntax {
            assert!(!matches!(rubys(template), Some(Ok(_))), "Ruby prints {template}");
        }
    }
}

#[test]
fn a_hostile_template_ends_with_an_error() {
    assert!(
        render(&format!("<%= {}'a'{} %>", "(".repeat(9000), ")".repeat(9000)), &env()).is_err()
    );
    let nested = format!("<%= {}'a'{} %>", "\"#{".repeat(9000), "}\"".repeat(9000));
    assert!(render(&nested, &env()).is_err());
    assert!(render(&format!("<%= {} %>", "ENV[".repeat(9000)), &env()).is_err());
    let long = [("L".to_owned(), "x".repeat(100_000))].into();
    let error = render(&"<%= ENV['L'] %>".repeat(1000), &long).unwrap_err();
    assert_eq!(error.fault, Fault::TooLong);
    assert!(render(&"'+".repeat(50_000), &env()).is_ok(), "text is never read as Ruby");
    for (endless, fault) in [
        ("<% for i in 0..99999999999 do end %>", Fault::TooLong),
        ("<% 99999999999.times { |i| } %>", Fault::TooLong),
        ("<% a = 'x' * 9999999999 %>", Fault::TooLong),
        ("<% a = 'x'; 99.times { a += a } %>", Fault::TooLong),
        ("<% a = [1]; 99.times { a.concat a } %>", Fault::TooLong),
        ("<% a = []; a << a; puts a %>", Fault::TooLong),
        ("<% a = []; a << a %><%= a.inspect %>", Fault::Unsupported),
        ("<% a = []; 9999.times { a = [a] } %><%= a == a %>", Fault::Unsupported),
        ("<% 9999999.times { |i| 9999999.times { |j| puts j } } %>", Fault::TooLong),
        ("<%= ('a' * 99999) =~ /(a*)*(a*)*(b|c|a{999})*d/ %>", Fault::TooLong),
    ] {
        assert_eq!(fails(endless).fault, fault, "{endless}");
    }
    for deep in ["!", "-", "[", "x = ", "if ", "a ? ", "not ", "{ ", "[1].each { ", "case 1 when "]
    {
        assert!(render(&format!("<%= {} %>", deep.repeat(9000)), &env()).is_err(), "{deep}");
    }
    assert!(render(&format!("<% {} %>", "if 1 then ".repeat(9000)), &env()).is_err());
    assert!(render(&format!("<%= 1{} %>", " rescue 1".repeat(9000)), &env()).is_err());
    assert!(render(&format!("<%= 1{} %>", " && 1".repeat(50_000)), &env()).is_ok());
    assert!(render(&format!("<%= 'a'{} %>", ".strip".repeat(50_000)), &env()).is_ok());
    let deep = format!("<%= 'a' =~ /{}a{}/ %>", "(".repeat(9000), ")".repeat(9000));
    assert!(render(&deep, &env()).is_err());
    let sum = format!("<%= {}'a' %>", "'a'+".repeat(50_000));
    assert_eq!(render(&sum, &env()).unwrap().len(), 50_001);
}

proptest! {
    #[test]
    fn no_template_makes_it_panic(pieces in proptest::collection::vec(
        proptest::sample::select(vec![
            "<%", "<%=", "<%#", "<%%", "%%>", "%>", "%", "\n", "ENV", "[", "]", "'", "\"", "#{", "}",
            "+", "A", "\\", "é", " ", "(", ")", "#", ";", "$", "x", "if ", "end", "do ", "|", "{", ".",
            "each", "split", "/", "=", "=~", "1", "0.5", ",", "?", ":", "case ", "when ", "for ",
            "in ", "..", "puts ", "-", "*", "!", "rescue ", "else ", "&&", "<<", "$1", "next ",
        ]), 0..40))
    {
        let template = pieces.concat();
        if let Ok(printed) = render(&template, &env()) {
            prop_assert!(printed.len() <= 16 << 20);
        }
    }
}
