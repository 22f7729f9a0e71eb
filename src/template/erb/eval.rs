//! Running the program that a template is.

use super::ast::{Expr, ExprKind, Piece, Stmt};
use super::scan::At;
use crate::template::{Fault, TemplateError};
use std::collections::BTreeMap;

/// The longest output, in bytes: a few tags with a long variable must not fill the memory.
const LONGEST: usize = 16 << 20;

/// Runs `program` and gives what it prints.
pub(super) fn run(
    program: &[Stmt],
    env: &BTreeMap<String, String>,
) -> Result<String, TemplateError> {
    let mut printed = String::new();
    for statement in program {
        match statement {
            Stmt::Text(text) => printed.push_str(text),
            Stmt::Output(expression) => {
                printed.push_str(&value(expression, env)?.into_text());
                check_length(&printed, expression.at)?;
            }
            Stmt::Drop(expression) => drop(value(expression, env)?),
        }
    }
    Ok(printed)
}

fn check_length(text: &str, at: At) -> Result<(), TemplateError> {
    if text.len() <= LONGEST {
        return Ok(());
    }
    let what = format!("the output is longer than {LONGEST} bytes");
    Err(TemplateError {
        line: at.line,
        column: at.column,
        fault: Fault::TooLong,
        what,
        variable: None,
    })
}

/// A value, as Ruby has it.
enum Value {
    /// `nil`, and the variable that it came from.
    Nil(Option<String>),
    Str(String),
}

impl Value {
    /// What Ruby's `to_s` gives: nothing for `nil`.
    fn into_text(self) -> String {
        match self {
            Self::Nil(_) => String::new(),
            Self::Str(text) => text,
        }
    }

    /// The text where nothing but a text will do.
    fn needed(self, at: At, what_for: &str) -> Result<String, TemplateError> {
        match self {
            Self::Str(text) => Ok(text),
            Self::Nil(variable) => {
                let name = variable.as_deref().unwrap_or("nil").escape_debug().to_string();
                let what = match variable {
                    Some(_) => format!("the variable `{name}` is not set, and {what_for}"),
                    None => format!("there is `nil`, and {what_for}"),
                };
                let (line, column) = (at.line, at.column);
                Err(TemplateError { line, column, fault: Fault::Unset, what, variable })
            }
        }
    }
}

fn value(expression: &Expr, env: &BTreeMap<String, String>) -> Result<Value, TemplateError> {
    match &expression.kind {
        ExprKind::Nil => Ok(Value::Nil(None)),
        ExprKind::Str(pieces) => text(pieces, expression.at, env).map(Value::Str),
        ExprKind::Env(name) => {
            let name = value(name, env)?.needed(name.at, "a variable's name is needed")?;
            Ok(match env.get(&name) {
                Some(value) => Value::Str(value.clone()),
                None => Value::Nil(Some(name)),
            })
        }
        ExprKind::Sum(terms) => {
            let mut text = String::new();
            for term in terms {
                let next = value(term, env)?;
                text.push_str(&next.needed(term.at, "`+` needs a text on both sides")?);
                check_length(&text, expression.at)?;
            }
            Ok(Value::Str(text))
        }
    }
}

fn text(pieces: &[Piece], at: At, env: &BTreeMap<String, String>) -> Result<String, TemplateError> {
    let mut text = String::new();
    for piece in pieces {
        match piece {
            Piece::Plain(plain) => text.push_str(plain),
            Piece::Value(all) => {
                let mut last = Value::Nil(None);
                for expression in all {
                    last = value(expression, env)?;
                }
                text.push_str(&last.into_text());
            }
        }
        check_length(&text, at)?;
    }
    Ok(text)
}
