//! ERB: `<%= ENV['NAME'] %>` and what real cartridges put into such tags.
//!
//! Four passes, each in its own file: `scan` splits the text into tags as Ruby's ERB compiler
//! does; `token` reads the Ruby inside them; `parse` makes one program out of all of it, so
//! that a statement may begin in one tag and end in another; `eval` runs the program. A further
//! construct is a variant of `ast::Expr` or `ast::Stmt`, its rule in `parse`, its meaning in
//! `eval`.

mod ast;
mod eval;
mod parse;
mod scan;
mod token;

use super::TemplateError;
use std::collections::BTreeMap;

/// Renders the template `text` with the variables `env`.
///
/// As the `erb` command of Ruby with its usual settings: a line that begins with `%` is Ruby, the
/// newline after a tag stays, an unset variable prints nothing but cannot be joined to a text
/// (specification of the corpus, 4.4).
pub fn render(text: &str, env: &BTreeMap<String, String>) -> Result<String, TemplateError> {
    let segments = scan::scan(text);
    let tokens = token::tokens(&segments)?;
    let program = parse::parse(&tokens)?;
    eval::run(&program, env)
}

#[cfg(test)]
mod tests;
