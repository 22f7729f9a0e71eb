//! What Ruby's `erb` prints for the same templates with the same variables.

use super::render;
use crate::template::{Fault, TemplateError};
use std::collections::BTreeMap;

fn env() -> BTreeMap<String, String> {
    [("A", "one"), ("DIR", "/home/gear/"), ("NAME", "A"), ("EMPTY", ""), ("RUBY", "<%= 1 %>")]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .into()
}

fn prints(template: &str, expected: &str) {
    assert_eq!(render(template, &env()).as_deref(), Ok(expected), "{template:?}");
}

fn fails(template: &str) -> TemplateError {
    render(template, &env()).expect_err(template)
}

#[test]
fn variables_texts_and_sums_are_printed() {
    prints("<%= ENV['A'] %>\n", "one\n");
    prints("x<%=ENV[\"A\"]%>y", "xoney");
    prints("<%= ENV[ 'A'] %>", "one");
    prints("<%= ENV['DIR'] + \"bin/\" + 'x' %>", "/home/gear/bin/x");
    prints("<%= \"#{ENV['DIR']}log/#{ENV['A']}\" %>", "/home/gear/log/one");
    prints("<%= (ENV['A'] + ('b')) %>", "oneb");
    prints("<%= ENV[ENV['NAME']] %>", "one");
    prints("<%= ENV[\"#{'A'}\"] %>", "one");
    prints("<%= ENV['DIR'] +\n  'next' %>", "/home/gear/next");
    prints("<%=\n ENV['A'] # a comment\n%>", "one");
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
        assert_eq!(error.variable.as_deref(), Some("UNSET"), "{template}");
        assert_eq!((error.line, error.column), (1, column), "{template}");
    }
}

#[test]
fn a_tag_without_equals_prints_nothing() {
    // The guide's own example forgets the `=`; Ruby prints nothing for it.
    prints("<% ENV['DIR'] + \"/mongodb/log/\" %>\n", "\n");
    prints("a<% 'x'; 'y'\n'z' %>b", "ab");
    prints("a<%# ENV['A'] %>b", "ab");
    prints("a<% # only a comment %>b", "ab");
}

#[test]
fn newlines_and_literals_stay_as_they_are() {
    prints("a\n<% %>\nb\n", "a\n\nb\n");
    prints("no tag at all", "no tag at all");
    prints("", "");
    prints("<%%= x %%> and %>\r\n", "<%= x %%> and %>\r\n");
    prints("%% erlang\n %mid\n", "% erlang\n %mid\n");
    prints("%%<%= ENV['A'] %>\n", "%one\n");
    prints("a\n% # a comment\n%\nb\n", "a\nb\n");
    prints("prefix = '<%u%%%d>' # x\nmore\n", "prefix = 'u%%%d>' # x\nmore\n");
}

#[test]
fn texts_have_rubys_escapes() {
    prints(r#"<%= "a\tb\n\"\\\#{x}\q" %>"#, "a\tb\n\"\\#{x}q");
    prints(r"<%= 'a\tb\'c\\d' %>", r"a\tb'c\d");
    prints(r##"<%= "# #x \s|" %>"##, "# #x  |");
    prints(r##"<%= "#{"}" + '{'}#{"#{ENV['A']}"}" %>"##, "}{one");
}

#[test]
fn what_is_not_understood_is_named_with_its_place() {
    for (template, place, word) in [
        ("x\n<% if ENV['A'] %>y<% end %>", (2, 4), "if"),
        ("<%= ENV['A'] || 'b' %>", (1, 14), "||"),
        ("<%= ENV['A'].to_i %>", (1, 13), "."),
        ("<%= ENV.each %>", (1, 5), "ENV"),
        ("a\n% ENV.each do |k| puts k end\n", (2, 3), "ENV"),
        ("<%= 5 %>", (1, 5), "5"),
        ("<%= `id` %>", (1, 5), "`"),
        ("<%= system('id') %>", (1, 5), "system"),
        ("<% ENV['A'] = 'x' %>", (1, 13), "="),
        ("<%= \"\\x41\" %>", (1, 6), "\\x"),
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
        "<%= \"#{ENV['A'] %>",
        "<%= ENV['A' %>",
        "<%= ENV['A'] + %>",
        "<%= ) %>",
        "<%= 'a' 'b' %>",
        "<%= ENV['A' -%>",
        "<%= (ENV['A'] %>",
    ] {
        let error = fails(template);
        assert!(matches!(error.fault, Fault::Syntax | Fault::Unsupported), "{template}: {error}");
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
    let sum = format!("<%= {}'a' %>", "'a'+".repeat(50_000));
    assert_eq!(render(&sum, &env()).unwrap().len(), 50_001);
}
