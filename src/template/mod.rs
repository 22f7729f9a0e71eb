//! Templates: ERB as cartridges use it, evaluated by us.
//!
//! A template comes from a package. Rendering it reads nothing but the template's text and the
//! environment that is passed in, runs nothing, and ends: what real Ruby would do beyond that is
//! an error that names the place.

pub mod erb;

use crate::error::{Exit, Explain};

/// Why a template cannot be rendered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// It uses a variable that is not set, where a text is needed.
    Unset,
    /// It uses Ruby beyond what is understood here.
    Unsupported,
    /// It is not valid: Ruby would refuse it too.
    Syntax,
    /// Its output would be too long.
    TooLong,
}

/// A template that cannot be rendered, and where.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}, column {column}: {what}")]
pub struct TemplateError {
    /// The line, from 1.
    pub line: usize,
    /// The column, from 1, in characters.
    pub column: usize,
    /// The kind of fault.
    pub fault: Fault,
    /// What is wrong, naming the construct; escaped.
    pub what: String,
    /// The variable that is not set, when that is the fault.
    pub variable: Option<String>,
}

impl Explain for TemplateError {
    fn exit(&self) -> Exit {
        Exit::Failed
    }
    fn hint(&self) -> Option<String> {
        match self.fault {
            Fault::Unset => Some(match &self.variable {
                Some(name) => format!("the template needs the variable `{name}`"),
                None => "the template needs a variable that is not set".into(),
            }),
            Fault::Unsupported => Some("`ENV['NAME']`, `+`, text and `#{…}` are understood".into()),
            Fault::Syntax | Fault::TooLong => None,
        }
    }
}
