//! Whether a stream gets colour, and which: `--color`, then `NO_COLOR`, then `CLICOLOR_FORCE`,
//! then whether it is a terminal that can. Colour never carries meaning alone.

use anstyle::{AnsiColor, Style};
use std::fmt;

/// Labels of failures.
pub(super) const ERROR: Style = AnsiColor::Red.on_default().bold();
/// Labels of warnings.
pub(super) const WARNING: Style = AnsiColor::Yellow.on_default().bold();
/// Labels of remedies.
pub(super) const HINT: Style = AnsiColor::Cyan.on_default();
/// What matters least: headers, labels.
pub(super) const DIM: Style = Style::new().dimmed();
/// Titles.
pub(super) const TITLE: Style = Style::new().bold();

/// When to use colour (`--color`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Colour {
    /// On a terminal, unless the environment says otherwise
    #[default]
    Auto,
    /// Always, into files and pipes too
    Always,
    /// Never
    Never,
}

impl Colour {
    /// Decides for one stream; `variable` looks up the environment.
    pub fn applies(self, is_terminal: bool, variable: impl Fn(&str) -> Option<String>) -> bool {
        let is_set = |name: &str| variable(name).is_some_and(|value| !value.is_empty());
        let is_forced =
            || is_set("CLICOLOR_FORCE") && variable("CLICOLOR_FORCE") != Some("0".into());
        match self {
            Self::Always => true,
            Self::Never => false,
            Self::Auto if is_set("NO_COLOR") => false,
            Self::Auto => is_forced() || is_terminal && can_colour(&variable),
        }
    }
}

/// Whether the terminal understands escapes at all.
pub(super) fn can_colour(variable: impl Fn(&str) -> Option<String>) -> bool {
    variable("TERM").is_some_and(|term| term != "dumb")
}

/// `text` in `style`, and nothing after it.
pub(super) fn paint(style: Style, text: impl fmt::Display) -> String {
    format!("{style}{text}{style:#}")
}

#[cfg(test)]
mod tests {
    use super::Colour;

    #[test]
    fn the_option_beats_the_environment_and_the_environment_beats_the_terminal() {
        let term = ("TERM", "xterm");
        for (wish, is_terminal, environment, expected) in [
            (Colour::Auto, true, vec![term], true),
            (Colour::Auto, false, vec![term], false),
            (Colour::Auto, true, vec![("TERM", "dumb")], false),
            (Colour::Auto, true, vec![], false),
            (Colour::Auto, true, vec![term, ("NO_COLOR", "1")], false),
            (Colour::Auto, true, vec![term, ("NO_COLOR", "")], true),
            (Colour::Auto, false, vec![("CLICOLOR_FORCE", "1")], true),
            (Colour::Auto, false, vec![("CLICOLOR_FORCE", "0")], false),
            (Colour::Auto, false, vec![("CLICOLOR_FORCE", "1"), ("NO_COLOR", "1")], false),
            (Colour::Always, false, vec![("NO_COLOR", "1")], true),
            (Colour::Never, true, vec![term, ("CLICOLOR_FORCE", "1")], false),
        ] {
            let look_up = |name: &str| {
                environment.iter().find(|(n, _)| *n == name).map(|(_, v)| (*v).to_owned())
            };
            assert_eq!(
                wish.applies(is_terminal, look_up),
                expected,
                "{wish:?} {is_terminal} {environment:?}"
            );
        }
    }
}
