//! The program that a template is.
//!
//! Chains of operators and of calls are flat, so that a long one needs no deep stack; everything
//! else is only as deep as the parser lets it be.

use super::pattern::Pattern;
use super::scan::At;
use std::ops::Range;
use std::rc::Rc;

/// Statements, one after the other; the value is that of the last.
pub(super) type Body = Vec<Stmt>;

/// A whole template.
#[derive(Debug)]
pub(super) struct Program {
    /// What it does.
    pub(super) body: Body,
    /// How many places for local variables it needs.
    pub(super) slots: usize,
}

/// A statement.
#[derive(Debug)]
pub(super) enum Stmt {
    /// Prints text of the template.
    Text(String),
    /// Prints the value of `<%= … %>`.
    Output(Body, At),
    /// Evaluates an expression and drops its value, as Ruby does for a tag without `=`.
    Plain(Expr),
}

/// An expression, and where it begins.
#[derive(Debug)]
pub(super) struct Expr {
    /// What it is.
    pub(super) kind: ExprKind,
    /// Where it begins.
    pub(super) at: At,
}

/// What an expression is.
#[derive(Debug)]
pub(super) enum ExprKind {
    /// Nothing, as in an empty tag.
    Nil,
    /// `true` or `false`.
    Bool(bool),
    /// A whole number.
    Int(i64),
    /// A number with a point.
    Float(f64),
    /// A text with expressions set into it.
    Str(Vec<Piece>),
    /// A regular expression.
    Pattern(Rc<Pattern>),
    /// `[a, b]`.
    List(Vec<Expr>),
    /// `a..b`; whether the last belongs to it.
    Span(Box<Expr>, Box<Expr>, Ends),
    /// `ENV`.
    Env,
    /// `File`.
    File,
    /// A local variable, by its place.
    Local(usize),
    /// `$SAFE` and other globals that nobody sets: nothing.
    Unset,
    /// `$1` and on: what the last match found.
    Group(usize),
    /// `a + b - …`: operators of one precedence, from the left.
    Chain(Box<Expr>, Vec<(Op, Expr)>),
    /// `a && b`, `a and b or c`: from the left.
    Logic(Box<Expr>, Vec<(Both, Expr)>),
    /// `!a`.
    Not(Box<Expr>),
    /// `-a`.
    Negate(Box<Expr>),
    /// `if … elsif … else … end`, the ternary, and the modifiers.
    If(Vec<(Expr, Body)>, Body),
    /// `case`.
    Case(Box<Case>),
    /// `for a in b`.
    For(Box<Loop>),
    /// `a = b`.
    Assign(usize, Box<Expr>),
    /// `a ||= b` and `a &&= b`.
    AssignIf(usize, Both, Box<Expr>),
    /// `a, b = c`.
    Spread(Vec<usize>, Box<Expr>),
    /// `defined?(a)`: what Ruby calls it.
    Defined(Option<&'static str>),
    /// Something, and what is called on it.
    Calls(Box<Expr>, Vec<Call>),
    /// `puts` or `print` with what follows.
    Say(Voice, Vec<Expr>),
    /// `a rescue b`.
    Rescue(Box<Expr>, Box<Expr>),
    /// `(a; b)`.
    Parens(Body),
    /// `next` and `break`.
    Leave(Leave, Option<Box<Expr>>),
}

/// Whether the last number of a range belongs to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ends {
    /// `a..b`.
    Included,
    /// `a...b`.
    Excluded,
}

/// How a block is left early.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Leave {
    /// For its next round.
    Next,
    /// For good.
    Break,
}

/// What prints at once, before the text of the template.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Voice {
    /// `puts`.
    Puts,
    /// `print`.
    Print,
}

/// What joins two conditions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Both {
    /// `&&`, `and`.
    And,
    /// `||`, `or`.
    Or,
}

/// An operator on two values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Op {
    /// `+`.
    Add,
    /// `-`.
    Sub,
    /// `*`.
    Mul,
    /// `/`.
    Div,
    /// `%`.
    Rem,
    /// `**`.
    Power,
    /// `<<`.
    Push,
    /// `==`.
    Same,
    /// `!=`.
    Differs,
    /// `===`.
    Fits,
    /// `<=>`.
    Order,
    /// `<`.
    Less,
    /// `<=`.
    AtMost,
    /// `>`.
    More,
    /// `>=`.
    AtLeast,
    /// `=~`.
    Matches,
    /// `!~`.
    Misses,
}

/// `case … end`.
#[derive(Debug)]
pub(super) struct Case {
    /// What is compared; without it, conditions are asked.
    pub(super) subject: Option<Expr>,
    /// Each `when`.
    pub(super) arms: Vec<(Vec<Expr>, Body)>,
    /// `else`.
    pub(super) otherwise: Body,
}

/// `for … in … end`.
#[derive(Debug)]
pub(super) struct Loop {
    /// The variables.
    pub(super) takes: Vec<Param>,
    /// What is gone through.
    pub(super) over: Expr,
    /// What is done each time.
    pub(super) body: Body,
}

/// One call in a chain of calls.
#[derive(Debug)]
pub(super) struct Call {
    /// The method; `[]` for an index.
    pub(super) name: String,
    /// Whether it is left out on `nil`: `&.`.
    pub(super) safe: bool,
    /// What it is given.
    pub(super) args: Vec<Expr>,
    /// Its block.
    pub(super) block: Option<Block>,
    /// Where its name stands.
    pub(super) at: At,
}

/// `{ |a, b| … }` or `do |a, b| … end`.
#[derive(Debug)]
pub(super) struct Block {
    /// What it takes.
    pub(super) takes: Vec<Param>,
    /// What it does.
    pub(super) body: BlockBody,
    /// The places of its own variables, which begin as `nil` each time.
    pub(super) own: Range<usize>,
}

/// What a block does.
#[derive(Debug)]
pub(super) enum BlockBody {
    /// Statements.
    Written(Body),
    /// `&:name`: the method of that name.
    Method(String, At),
}

/// A parameter of a block.
#[derive(Debug)]
pub(super) enum Param {
    /// A variable.
    Name(usize),
    /// `(a, b)`: the elements of a list.
    Parts(Vec<Param>),
}

/// A part of a text.
#[derive(Debug)]
pub(super) enum Piece {
    /// Characters.
    Plain(String),
    /// The value of what stands in `#{…}`.
    Value(Body),
}
