//! Running the program that a template is.
//!
//! It ends: every act counts against [`MOST_STEPS`], every text that is made against [`MOST_MADE`],
//! and nothing nests deeper than the parser allowed.

mod call;
mod flow;
mod list;
mod number;
mod operate;
mod search;
mod show;
mod text;
mod value;

use super::ast::{Body, Expr, ExprKind, Piece, Program, Stmt};
use super::scan::At;
use super::token;
use crate::template::{Fault, Files, TemplateError};
use std::collections::BTreeMap;
use value::Value;

/// The longest output, in bytes: a few tags with a long variable must not fill the memory.
const LONGEST: usize = 16 << 20;
/// How many acts a template may take.
const MOST_STEPS: usize = 1_000_000;
/// How many bytes of text and of lists it may make, all in all.
const MOST_MADE: usize = 64 << 20;

/// What a template may look at.
#[derive(Clone, Copy)]
pub(super) struct World<'a> {
    /// Its variables.
    pub(super) env: &'a BTreeMap<String, String>,
    /// The files that it may ask about.
    pub(super) files: &'a dyn Files,
}

/// Runs `program` and gives what it prints.
pub(super) fn run(program: &Program, world: World<'_>) -> Result<String, TemplateError> {
    let mut machine = Machine {
        world,
        slots: vec![Value::NIL; program.slots],
        lists: Vec::new(),
        said: String::new(),
        text: String::new(),
        found: None,
        steps: 0,
        made: 0,
    };
    match machine.body(&program.body) {
        Ok(_) => {
            // What `puts` prints comes out while the template runs, the template's text at its end.
            machine.said.push_str(&machine.text);
            Ok(machine.said)
        }
        Err(Stop::Fault(error)) => Err(*error),
        Err(Stop::Next(_, at) | Stop::Break(_, at)) => {
            Err(token::syntax(at, "nothing is open here that could be left"))
        }
    }
}

/// Why evaluation does not go on to the next statement.
enum Stop {
    Fault(Box<TemplateError>),
    /// The value of this round of a block.
    Next(Value, At),
    /// The value of the whole call that the block belongs to.
    Break(Value, At),
}

impl From<TemplateError> for Stop {
    fn from(error: TemplateError) -> Self {
        Self::Fault(Box::new(error))
    }
}

type Outcome<T = Value> = Result<T, Stop>;

struct Machine<'a> {
    world: World<'a>,
    slots: Vec<Value>,
    lists: Vec<Vec<Value>>,
    /// What `puts` printed.
    said: String,
    /// What the template printed.
    text: String,
    /// What the last match found, for `$1`.
    found: Option<Vec<Option<String>>>,
    steps: usize,
    made: usize,
}

fn fault(at: At, fault: Fault, what: String) -> Stop {
    let (line, column) = (at.line, at.column);
    TemplateError { line, column, fault, what, variable: None }.into()
}

/// An error of the run that Ruby has, too.
fn raised(at: At, what: impl Into<String>) -> Stop {
    fault(at, Fault::Raised, what.into())
}

/// What Ruby does here, and this engine does not.
fn beyond(at: At, what: &str) -> Stop {
    token::unsupported(at, what).into()
}

/// There is nothing where a value is needed.
fn nothing(value: &Value, at: At, what_for: &str) -> Stop {
    let variable = match value {
        Value::Nil(Some(name)) => Some(name.to_string()),
        _ => None,
    };
    let what = match &variable {
        Some(name) => {
            format!("the variable `{}` is not set, and {what_for}", name.escape_debug())
        }
        None => format!("there is `nil`, and {what_for}"),
    };
    TemplateError { line: at.line, column: at.column, fault: Fault::Unset, what, variable }.into()
}

impl Machine<'_> {
    /// Counts an act.
    fn step(&mut self, at: At) -> Outcome<()> {
        self.steps += 1;
        if self.steps <= MOST_STEPS {
            return Ok(());
        }
        Err(fault(at, Fault::TooLong, "the template takes too long".into()))
    }

    /// Counts bytes that are about to be made.
    fn make(&mut self, bytes: usize, at: At) -> Outcome<()> {
        self.made = self.made.saturating_add(bytes);
        if self.made <= MOST_MADE {
            return Ok(());
        }
        Err(fault(at, Fault::TooLong, format!("the template makes more than {MOST_MADE} bytes")))
    }

    fn check_length(&self, at: At) -> Outcome<()> {
        if self.text.len().saturating_add(self.said.len()) <= LONGEST {
            return Ok(());
        }
        Err(fault(at, Fault::TooLong, format!("the output is longer than {LONGEST} bytes")))
    }

    /// Makes a list.
    fn new_list(&mut self, items: Vec<Value>, at: At) -> Outcome<usize> {
        self.make((items.len() + 1) * size_of::<Value>(), at)?;
        self.lists.push(items);
        Ok(self.lists.len() - 1)
    }

    /// The elements of a list, copied.
    fn list(&mut self, place: usize, at: At) -> Outcome<Vec<Value>> {
        let items = self.lists.get(place).map(Vec::as_slice).unwrap_or_default();
        let texts: usize =
            items.iter().map(|one| if let Value::Text(text) = one { text.len() } else { 0 }).sum();
        self.steps += items.len();
        self.make(texts + size_of_val(items), at)?;
        Ok(self.lists.get(place).cloned().unwrap_or_default())
    }

    /// Runs statements; the value of the last is theirs.
    fn body(&mut self, body: &Body) -> Outcome {
        let mut last = Value::NIL;
        for statement in body {
            last = match statement {
                Stmt::Text(text) => {
                    self.text.push_str(text);
                    self.check_length(At { line: 1, column: 1 })?;
                    Value::NIL
                }
                Stmt::Output(body, at) => {
                    let value = self.body(body)?;
                    let shown = self.shown(&value, *at)?;
                    self.text.push_str(&shown);
                    self.check_length(*at)?;
                    Value::NIL
                }
                Stmt::Plain(expression) => self.value(expression)?,
            };
        }
        Ok(last)
    }

    fn value(&mut self, expression: &Expr) -> Outcome {
        let at = expression.at;
        self.step(at)?;
        match &expression.kind {
            ExprKind::Nil | ExprKind::Unset => Ok(Value::NIL),
            ExprKind::Bool(value) => Ok(Value::Bool(*value)),
            ExprKind::Int(number) => Ok(Value::Int(*number)),
            ExprKind::Float(number) => Ok(Value::Float(*number)),
            ExprKind::Str(pieces) => self.pieces(pieces, at),
            ExprKind::Pattern(pattern) => Ok(Value::Pattern(pattern.clone())),
            ExprKind::List(items) => self.items_of(items, at),
            ExprKind::Span(first, last, ends) => self.span((first, last), *ends, at),
            ExprKind::Env => Ok(Value::Env),
            ExprKind::File => Ok(Value::File),
            ExprKind::Local(slot) => self.local(*slot, at),
            ExprKind::Group(number) => Ok(self.group(*number)),
            ExprKind::Chain(first, more) => self.chain(first, more),
            ExprKind::Logic(first, more) => self.logic(first, more),
            ExprKind::Not(inner) => Ok(Value::Bool(!self.value(inner)?.is_true())),
            ExprKind::Negate(inner) => self.negate(inner),
            ExprKind::If(arms, otherwise) => self.branch(arms, otherwise),
            ExprKind::Case(case) => self.case(case, at),
            ExprKind::For(each) => self.repeat(each, at),
            ExprKind::Assign(slot, value) => self.assign(*slot, value),
            ExprKind::AssignIf(slot, both, value) => self.assign_if((*slot, *both), value, at),
            ExprKind::Spread(slots, value) => self.spread(slots, value),
            ExprKind::Defined(what) => {
                Ok(what.map_or(Value::NIL, |what| Value::Text(what.to_owned())))
            }
            ExprKind::Calls(on, calls) => self.calls(on, calls),
            ExprKind::Say(voice, args) => self.say(*voice, args, at),
            ExprKind::Rescue(value, instead) => self.rescue(value, instead),
            ExprKind::Parens(body) => self.body(body),
            ExprKind::Leave(leave, value) => self.leave(*leave, value.as_deref(), at),
        }
    }

    fn pieces(&mut self, pieces: &[Piece], at: At) -> Outcome {
        let mut text = String::new();
        for piece in pieces {
            match piece {
                Piece::Plain(plain) => text.push_str(plain),
                Piece::Value(body) => {
                    let value = self.body(body)?;
                    text.push_str(&self.shown(&value, at)?);
                }
            }
        }
        self.make(text.len(), at)?;
        Ok(Value::Text(text))
    }

    fn items_of(&mut self, items: &[Expr], at: At) -> Outcome {
        let mut all = Vec::with_capacity(items.len());
        for item in items {
            all.push(self.value(item)?);
        }
        Ok(Value::List(self.new_list(all, at)?))
    }

    fn local(&mut self, slot: usize, at: At) -> Outcome {
        let value = self.slots.get(slot).cloned().unwrap_or(Value::NIL);
        if let Value::Text(text) = &value {
            self.make(text.len(), at)?;
        }
        Ok(value)
    }

    fn group(&self, number: usize) -> Value {
        let found = self.found.as_ref().and_then(|groups| groups.get(number)?.clone());
        found.map_or(Value::NIL, Value::Text)
    }
}
