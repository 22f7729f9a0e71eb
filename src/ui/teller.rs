//! Tells a person about a transaction: what will be done, what is being done, what was done.

use super::confirm::{self, Answer};
use super::plan_view::{Audience, PlanView};
use super::printer::Printer;
use super::report::Form;
use crate::error::{Exit, Failure};
use crate::gear::replies;
use crate::plan::{Consent, Plan};
use crate::progress::Listen;
use crate::txn::{Person, Receipt, Witness};
use serde::Serialize;
use serde_json::Value;
use std::cell::RefCell;
use std::io::IsTerminal;

/// Tells about one transaction.
pub struct Teller<'a> {
    printer: &'a Printer,
    form: Form,
    agreed: bool,
    echo: Option<Echo<'a>>,
    kept: Option<&'a RefCell<Value>>,
}

/// Prints what scripts print, but for what is told anyway: lines of the protocol.
struct Echo<'a>(&'a Printer);

impl std::fmt::Debug for Echo<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Echo")
    }
}

impl Listen for Echo<'_> {
    fn hear(&self, line: &str) {
        if replies::is_plain(line) {
            self.0.talk(line);
        }
    }
}

#[derive(Serialize)]
struct Answered<'a> {
    plan: &'a PlanView,
    changed: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    transaction: Option<i64>,
    messages: &'a [String],
    results: &'a [String],
    errors: &'a [String],
    warnings: Vec<&'a String>,
}

impl<'a> Teller<'a> {
    /// Makes one that speaks through `printer`; `agreed` is `--yes`.
    pub fn new(printer: &'a Printer, form: Form, agreed: bool) -> Self {
        Self { printer, form, agreed, echo: None, kept: None }
    }

    /// The same, which leaves its answer in JSON in `kept`, as a part of another one.
    #[must_use]
    pub fn keeping(mut self, kept: &'a RefCell<Value>) -> Self {
        self.kept = Some(kept);
        self
    }

    /// The same, which also tells what scripts print, while they run.
    #[must_use]
    pub fn with_output(mut self) -> Self {
        self.echo = (self.form == Form::Text).then_some(Echo(self.printer));
        self
    }

    /// Tells that there was nothing to do.
    pub fn nothing(&self, plan: &Plan) {
        match self.form {
            Form::Json => self.answer(plan, None),
            Form::Text => {
                plan.warnings.iter().for_each(|text| self.printer.warn(text));
                plan.summary.iter().for_each(|line| self.printer.talk(line));
                self.printer.talk("nothing to do");
            }
        }
    }

    /// Shows a plan that was only to be shown.
    pub fn planned(&self, plan: &Plan) {
        let view = view(plan);
        match (self.form, self.kept) {
            (Form::Json, Some(kept)) => drop(kept.replace(serde_json::json!({ "plan" : view }))),
            (Form::Json, None) => view.show_json(self.printer),
            (Form::Text, _) => view.show(self.printer, Audience::DryRun),
        }
    }

    /// Tells what was done.
    pub fn done(&self, plan: &Plan, receipt: &Receipt) {
        match self.form {
            Form::Json => self.answer(plan, Some(receipt)),
            Form::Text => {
                plan.summary.iter().for_each(|line| self.printer.talk(line));
                let Receipt { txn, .. } = receipt;
                self.printer.talk(&format!("done: {} (transaction {txn})", plan.title));
                receipt.results.iter().for_each(|line| self.printer.talk(line));
            }
        }
    }

    fn answer(&self, plan: &Plan, receipt: Option<&Receipt>) {
        let warned = receipt.map(|receipt| receipt.warnings.as_slice()).unwrap_or_default();
        let answered = Answered {
            plan: &view(plan),
            changed: receipt.is_some(),
            transaction: receipt.map(|receipt| receipt.txn),
            messages: receipt.map(|receipt| receipt.messages.as_slice()).unwrap_or_default(),
            results: receipt.map(|receipt| receipt.results.as_slice()).unwrap_or_default(),
            errors: receipt.map(|receipt| receipt.errors.as_slice()).unwrap_or_default(),
            warnings: plan.warnings.iter().chain(warned).collect(),
        };
        match self.kept {
            Some(kept) => drop(kept.replace(serde_json::to_value(answered).unwrap_or_default())),
            None => self.printer.json(&answered),
        }
    }
}

impl Witness for Teller<'_> {
    fn step(&self, number: &str, title: &str) {
        self.printer.detail(&format!("{number}. {title}"));
    }

    fn message(&self, text: &str) {
        self.printer.talk(text);
    }

    fn error(&self, text: &str) {
        self.printer.complain(text);
    }

    fn debug(&self, text: &str) {
        self.printer.detail(text);
    }

    fn warning(&self, text: &str) {
        self.printer.warn(text);
    }

    fn listener(&self) -> Option<&dyn Listen> {
        self.echo.as_ref().map(|echo| echo as &dyn Listen)
    }

    fn unwinding(&self, title: &str) {
        self.printer.detail(&format!("putting back: {title}"));
    }
}

impl Person for Teller<'_> {
    fn agree(&self, plan: &Plan) -> Result<(), Failure> {
        plan.warnings.iter().for_each(|text| self.printer.warn(text));
        let is_asked = match plan.consent {
            _ if self.agreed => false,
            Consent::Given => false,
            // Nobody to be courteous to where no terminal is.
            Consent::Courtesy => std::io::stdin().is_terminal() && self.form == Form::Text,
            Consent::Needed => true,
        };
        if !is_asked {
            return Ok(());
        }
        view(plan).show(self.printer, Audience::Asked);
        match confirm::ask(self.printer, "Proceed?", Answer::No)? {
            Answer::Yes => Ok(()),
            Answer::No => Err(confirm::declined()),
        }
    }

    fn agree_again(&self, _before: &Plan, now: &Plan) -> Result<(), Failure> {
        // Who was not asked the first time has not seen what is different.
        if self.agreed || now.consent == Consent::Given {
            return Ok(());
        }
        self.printer.warn("something else was changed meanwhile; this is the plan now:");
        view(now).show(self.printer, Audience::Asked);
        match confirm::ask(self.printer, "Proceed?", Answer::No) {
            Ok(Answer::Yes) => Ok(()),
            Ok(Answer::No) => Err(confirm::declined()),
            Err(mut failure) => {
                failure.exit = Exit::Conflict;
                Err(failure)
            }
        }
    }

    fn view(&self, plan: &Plan) -> Value {
        serde_json::to_value(view(plan)).unwrap_or_default()
    }
}

fn view(plan: &Plan) -> PlanView {
    let notes = plan.summary.iter().chain(&plan.warnings).cloned().collect();
    PlanView {
        title: plan.title.clone(),
        steps: plan.descriptions(),
        notes,
        irreversible: plan.irreversible.clone(),
        download_bytes: None,
        disk_bytes: None,
    }
}
