//! ERB templates, as far as real cartridges use them most: lookups of variables, text, `+` and
//! interpolation (corpus, 4.2, level A). Everything beyond is an error that names the construct
//! and its line.
//!
//! The exact semantics are those of Ruby's `erb` command with its default trim mode `%` (corpus,
//! 4.4): a newline after a tag stays, a line that begins with `%` is code, `nil` prints nothing
//! and cannot be added to text.

mod expression;
mod scanner;

use scanner::Part;
use std::collections::BTreeMap;

/// A template cannot be rendered.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {what}")]
pub struct TemplateError {
    /// The line, from 1.
    pub line: usize,
    /// What is wrong there.
    pub what: String,
    /// The variable that is not set, where that is the reason.
    pub variable: Option<String>,
}

/// Renders `text` with these variables.
pub fn render(text: &str, variables: &BTreeMap<String, String>) -> Result<String, TemplateError> {
    let mut rendered = String::with_capacity(text.len());
    for part in scanner::parts(text) {
        match part {
            Part::Text(text) => rendered.push_str(&text),
            Part::Output { code, line } => {
                if let Some(value) = evaluate(&code, line, variables)? {
                    rendered.push_str(&value);
                }
            }
            // A forgotten `=`: Ruby evaluates it, and prints nothing.
            Part::Code { code, line } => {
                if !expression::is_nothing(&code) {
                    evaluate(&code, line, variables)?;
                }
            }
        }
    }
    Ok(rendered)
}

fn evaluate(
    code: &str,
    line: usize,
    variables: &BTreeMap<String, String>,
) -> Result<Option<String>, TemplateError> {
    let parsed =
        expression::parse(code).map_err(|what| TemplateError { line, what, variable: None })?;
    expression::value(&parsed, variables).map_err(|variable| TemplateError {
        line,
        what: format!("`{variable}` is not set, and nothing can be added to it"),
        variable: Some(variable),
    })
}

#[cfg(test)]
mod tests {
    fn render(text: &str) -> Result<String, String> {
        let variables = [("A", "a"), ("DIR", "/x/"), ("EMPTY", "")];
        let variables = variables.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
        super::render(text, &variables).map_err(|error| error.to_string())
    }

    #[test]
    fn renders_as_ruby_does() {
        for (template, expected) in [
            ("plain\n", "plain\n"),
            ("<%= ENV['A'] %>\n", "a\n"),
            ("<%=ENV[\"A\"]%>b", "ab"),
            ("<%= ENV[ 'A'] + \"/log/\" %>", "a/log/"),
            ("<%= \"#{ENV['DIR']}log/#{ENV['NONE']}\" %>", "/x/log/"),
            ("<%= ENV['NONE'] %>|<%= ENV['EMPTY'] %>|", "||"),
            ("<%= 'it\\'s ' + \"a\\ttab\" %>", "it's a\ttab"),
            ("<% ENV['A'] + \"x\" %>\nb", "\nb"),
            ("<%# a comment %>x<% # another %>y", "xy"),
            ("<%%= kept %%>", "<%= kept %%>"),
            ("%% erlang\na\n", "% erlang\na\n"),
            ("a % b\n", "a % b\n"),
            ("log '<%u%%%d>' here\n", "log 'u%%%d>' here\n"),
            ("<%=\n  ENV['A']\n%>\n", "a\n"),
            ("<%= (ENV['A'] + 'b') + 'c' %>", "abc"),
            ("<%= 'a' 'b' %>", "ab"),
            ("<%= 5 %>", "5"),
            ("<%= ENV['A'].to_s %>", "a"),
        ] {
            assert_eq!(render(template).as_deref(), Ok(expected), "{template:?}");
        }
    }

    #[test]
    fn what_fails_names_the_line_and_the_reason() {
        let error = render("a\nb <%= ENV['NONE'] + 'x' %>").unwrap_err();
        assert_eq!(error, "line 2: `NONE` is not set, and nothing can be added to it");
        assert!(render("<%= 'x' + ENV['NONE'] %>").unwrap_err().contains("NONE"));
        for (template, construct) in [
            ("<% if ENV['A'] %>x<% end %>", "if"),
            ("\n<%= ENV['A'].to_i * 2 %>", "to_i"),
            ("% puts 'x'\n", "puts"),
            ("<%= `id` %>", "`"),
            ("<%= ENV['A' %>", "]"),
            ("<%= %>", "nothing"),
        ] {
            let error = render(template).unwrap_err();
            assert!(error.contains(construct) && error.starts_with("line "), "{error}");
        }
    }

    proptest::proptest! {
        #[test]
        fn no_template_makes_the_engine_panic(text in "[<%=#\\-> A-Z'\"\\[\\]{}+\\\\\n]{0,60}") {
            let _ = render(&text);
        }
    }
}
