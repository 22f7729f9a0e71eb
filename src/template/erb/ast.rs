//! The program that a template is.

use super::scan::At;

/// A statement.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Stmt {
    /// Prints text of the template.
    Text(String),
    /// Prints the value of an expression.
    Output(Expr),
    /// Evaluates an expression and drops its value, as Ruby does for a tag without `=`.
    Drop(Expr),
}

/// An expression, and where it begins.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Expr {
    /// What it is.
    pub(super) kind: ExprKind,
    /// Where it begins.
    pub(super) at: At,
}

/// What an expression is.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum ExprKind {
    /// Nothing, as in an empty tag.
    Nil,
    /// A text with expressions set into it.
    Str(Vec<Piece>),
    /// `ENV[name]`.
    Env(Box<Expr>),
    /// `a + b + …`, from the left; flat, so that a long one needs no deep stack.
    Sum(Vec<Expr>),
}

/// A part of a text.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Piece {
    /// Characters.
    Plain(String),
    /// The value of an expression; the last one where there are several.
    Value(Vec<Expr>),
}
