//! Templates: ERB as cartridges use it, evaluated by us.
//!
//! A template comes from a package. Rendering it reads nothing but the template's text and the
//! environment that is passed in, asks about files only whom it is given to ask, runs nothing, and
//! ends: what real Ruby would do beyond that is an error that names the place.

pub mod erb;
pub mod ubos;

use crate::error::{Exit, Explain};
use crate::sys::fs::Kind;

/// What `ruby` is given to render the template in the file that is named behind, else
/// on its standard input, as its own `erb`
/// would: what a template prints by itself comes first.
pub const RUBY: [&str; 5] = [
    "-W0",
    "-Eutf-8:utf-8",
    "-rerb",
    "-e",
    "src = ARGV.empty? ? STDIN.read : File.read(ARGV[0]); \
     text = ERB.new(src, trim_mode: '%').result; STDOUT.write(text)",
];

/// Whether a question is about a symbolic link or about what it leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Links {
    /// About what it leads to.
    Followed,
    /// About the link.
    Themselves,
}

/// Answers what a template asks about files (`File.exist?` and its like).
pub trait Files {
    /// What lies at `path`, as far as the template may know; nothing where nothing is to be seen.
    fn kind(&self, path: &str, links: Links) -> Option<Kind>;
}

/// No file is to be seen.
#[derive(Clone, Copy, Debug)]
pub struct NoFiles;

impl Files for NoFiles {
    fn kind(&self, _path: &str, _links: Links) -> Option<Kind> {
        None
    }
}

/// Why a template cannot be rendered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// It uses a variable that is not set, where a text is needed.
    Unset,
    /// It does what no Ruby could: a division by 0, a text minus a number.
    Raised,
    /// It uses Ruby beyond what is understood here.
    Unsupported,
    /// It is not valid: Ruby would refuse it too.
    Syntax,
    /// It takes too long, or prints too much.
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
            Fault::Unsupported => Some(
                "a host with `ruby` can render it; cart-manifest(5) tells what needs none".into(),
            ),
            Fault::Raised | Fault::Syntax | Fault::TooLong => None,
        }
    }
}
