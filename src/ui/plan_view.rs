//! A plan, shown before it is carried out.

use super::colour::{HINT, TITLE, WARNING, paint};
use super::printer::Printer;
use super::{escape, format};
use serde::Serialize;
use std::fmt::Write;

/// What a person should know of a plan, as plain data.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct PlanView {
    /// What will be done, in a line.
    pub title: String,
    /// The steps, each described in a line.
    pub steps: Vec<String>,
    /// What else is worth knowing: warnings of manifests, what is left out.
    pub notes: Vec<String>,
    /// What no undo can bring back.
    pub irreversible: Vec<String>,
    /// Bytes still to be fetched, where that is known.
    pub download_bytes: Option<u64>,
    /// Bytes more on the disk afterwards, less than zero when it gets emptier, where known.
    pub disk_bytes: Option<i64>,
}

/// To whom a plan is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Audience {
    /// To whoever asked for it and nothing more (`--dry-run`): it is the data, on stdout.
    DryRun,
    /// To a person who is asked about it next, on stderr.
    Asked,
}

#[derive(Serialize)]
struct Body<'a> {
    plan: &'a PlanView,
}

impl PlanView {
    /// Writes the plan as text.
    pub fn show(&self, printer: &Printer, audience: Audience) {
        match audience {
            Audience::DryRun => printer.styled_data(&self.text()),
            Audience::Asked => printer.styled_talk(&self.text()),
        }
    }

    /// Writes the plan as JSON on stdout, in a field `plan`.
    pub fn show_json(&self, printer: &Printer) {
        printer.json(&Body { plan: self });
    }

    /// The plan in numbers, for the line before a question: `2 steps, 14.0 MiB to download`.
    pub fn summary(&self) -> String {
        let steps = self.steps.len();
        let mut summary = format!("{steps} {}", if steps == 1 { "step" } else { "steps" });
        // Writing to a String cannot fail.
        if let Some(bytes) = self.download_bytes.filter(|bytes| *bytes > 0) {
            let _ = write!(summary, ", {} to download", format::size(bytes));
        }
        if let Some(bytes) = self.disk_bytes.filter(|bytes| *bytes != 0) {
            let way = if bytes > 0 { "more" } else { "less" };
            let _ = write!(summary, ", {} {way} on disk", format::size(bytes.unsigned_abs()));
        }
        summary
    }

    fn text(&self) -> String {
        let mut text = paint(TITLE, escape::line(&self.title));
        let places = self.steps.len().to_string().len();
        for (number, step) in (1..).zip(&self.steps) {
            let _ = write!(text, "\n  {number:>places$}. {}", escape::line(step));
        }
        for note in &self.notes {
            let _ = write!(text, "\n  {} {}", paint(HINT, "note:"), escape::line(note));
        }
        for loss in &self.irreversible {
            let label = paint(WARNING, "cannot be undone:");
            let _ = write!(text, "\n  {label} {}", escape::line(loss));
        }
        let _ = write!(text, "\n{}", self.summary());
        text
    }
}

#[cfg(test)]
mod tests {
    use super::{Audience, PlanView};
    use crate::ui::page::pages;
    use crate::ui::printer::Verbosity;

    fn sample() -> PlanView {
        PlanView {
            title: "install `diy-0.1`".into(),
            steps: (1..=10).map(|n| format!("step\n{n}")).collect(),
            notes: vec!["manifest.yml:3: unknown key `Foo`".into()],
            irreversible: vec!["`bin/setup` runs".into()],
            download_bytes: Some(14 << 20),
            disk_bytes: Some(-(31 << 20)),
        }
    }

    #[test]
    fn a_plan_shows_every_step_what_is_lost_and_what_it_costs() {
        let (printer, out, err) = pages(Verbosity::Quiet);
        sample().show(&printer, Audience::DryRun);
        let text = out.text();
        let lines: Vec<_> = text.lines().collect();
        assert_eq!(lines[0], "install `diy-0.1`");
        assert_eq!(lines[1], r"   1. step\n1");
        assert_eq!(lines[10], r"  10. step\n10");
        assert_eq!(lines[11], "  note: manifest.yml:3: unknown key `Foo`");
        assert_eq!(lines[12], "  cannot be undone: `bin/setup` runs");
        assert_eq!(lines[13], "10 steps, 14.0 MiB to download, 31.0 MiB less on disk");
        assert_eq!(err.text(), "");
        sample().show(&printer, Audience::Asked);
        assert_eq!(err.text(), text, "who is asked sees the same, on stderr, even with -q");
    }

    #[test]
    fn a_plan_as_json_is_the_same_plan() {
        let (printer, out, _) = pages(Verbosity::Normal);
        sample().show_json(&printer);
        let said: serde_json::Value = serde_json::from_str(&out.text()).unwrap();
        assert_eq!(said["schema"], 1);
        assert_eq!(said["plan"], serde_json::to_value(sample()).unwrap());
    }

    #[test]
    fn what_is_unknown_or_nothing_is_not_mentioned() {
        let view = PlanView { steps: vec!["x".into()], disk_bytes: Some(0), ..PlanView::default() };
        assert_eq!(view.summary(), "1 step");
    }
}
