//! Why a template cannot be rendered.

use crate::error::Explain;

/// What is wrong with a variable or function.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// No scope has the variable.
    #[error("is not known here")]
    Missing,
    /// Its value leads back to itself, or through too many others.
    #[error("leads through too many other variables, or back to itself")]
    Loop,
    /// There is no such function.
    #[error("has an unknown function; known are {}", super::functions::NAMES.join(", "))]
    Function,
    /// The function cannot do anything with what it is given.
    #[error("gives its function what it cannot take: {0}")]
    Argument(&'static str),
    /// The result is longer than any file that a template could mean.
    #[error("makes the text longer than {0} bytes")]
    TooLong(usize),
    /// The kernel gives no random bytes.
    #[error("needs random bytes, and the kernel gives none")]
    Random,
}

/// A variable that cannot be resolved, and where it stands. No value is in it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}, column {column}: `${{{}}}` {fault}{}", shown(variable), within(through))]
pub struct VariableError {
    /// The line in the template, from 1.
    pub line: usize,
    /// The column, from 1, in characters.
    pub column: usize,
    /// What stands between the braces: there, or in the value of the variable that stands there.
    pub variable: String,
    /// The variables whose values led to it, the one of the template first.
    pub through: Vec<String>,
    /// What is wrong.
    pub fault: Fault,
}

fn shown(text: &str) -> String {
    text.chars().take(80).collect::<String>().escape_debug().to_string()
}

fn within(through: &[String]) -> String {
    let Some(first) = through.first() else { return String::new() };
    format!(" (in the value of `${{{}}}`)", shown(first))
}

impl Explain for VariableError {
    fn hint(&self) -> Option<String> {
        match self.fault {
            Fault::Missing => Some(
                "correct the name, or write `\\${` where no variable is meant; a database or port \
                 is known once an item of the manifest has its name"
                    .into(),
            ),
            _ => None,
        }
    }
}
