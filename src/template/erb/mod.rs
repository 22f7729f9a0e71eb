//! ERB: `<%= ENV['NAME'] %>` and what real cartridges put into such tags.
//!
//! Four passes: `scan` splits the text into tags as Ruby's ERB compiler does; `token`, `lex` and
//! `quote` read the Ruby inside them; `parse` makes one program out of all of it, so that a
//! statement may begin in one tag and end in another; `eval` runs the program. `pattern` has the
//! regular expressions. A further construct is a variant of `ast::ExprKind`, its rule in `parse`,
//! its meaning in `eval`; a further method is a name in `methods` and its meaning in `eval`.
//!
//! Anything else of Ruby is an error that names it, so that a real Ruby may be asked instead.

mod ast;
mod eval;
mod lex;
mod methods;
mod parse;
mod pattern;
mod quote;
mod scan;
mod token;

use super::{Files, TemplateError};
use std::collections::BTreeMap;

/// Renders the template `text` with the variables `env`.
///
/// As the `erb` command of Ruby with its usual settings: a line that begins with `%` is Ruby, the
/// newline after a tag stays, an unset variable prints nothing but cannot be joined to a text
/// (specification of the corpus, 4.4). `ENV` is gone through in the order of its names.
pub fn render(
    text: &str,
    env: &BTreeMap<String, String>,
    files: &dyn Files,
) -> Result<String, TemplateError> {
    let segments = scan::scan(text);
    let tokens = token::tokens(&segments)?;
    let program = parse::parse(&tokens)?;
    eval::run(&program, eval::World { env, files })
}

#[cfg(test)]
mod tests;
