//! What is wrong with a command line, in the words of every other failure.

use crate::error::{Exit, Failure};
use crate::ui::colour::Colour;
use crate::ui::printer::Wishes;
use crate::ui::report::Form;
use clap::ValueEnum;
use clap::builder::StyledStr;
use clap::error::{ContextKind, ContextValue, ErrorKind};
use std::error::Error;
use std::ffi::OsString;

/// Turns clap's error into a [`Failure`] with exit code 2.
pub(super) fn failure(error: &clap::Error) -> Failure {
    let mut failure = Failure::new(Exit::Usage, summary(error));
    if error.kind() == ErrorKind::ValueValidation {
        failure.causes.extend(error.source().map(ToString::to_string));
    }
    for kind in
        [ContextKind::SuggestedSubcommand, ContextKind::SuggestedArg, ContextKind::SuggestedValue]
    {
        if let Some(name) = said(error, kind).last() {
            failure = failure.hint(format!("did you mean `{name}`?"));
        }
    }
    let values = said(error, ContextKind::ValidValue);
    if !values.is_empty() {
        failure = failure.hint(format!("it can be `{}`", values.join("`, `")));
    }
    match path(error) {
        Some(path) if failure.hints.is_empty() => {
            failure.hint(format!("`{path} --help` shows what it accepts"))
        }
        _ => failure,
    }
}

/// The command that was named, such as `cart gear create`.
fn path(error: &clap::Error) -> Option<String> {
    let Some(ContextValue::StyledStr(usage)) = error.get(ContextKind::Usage) else { return None };
    let usage = usage.to_string();
    let words = usage.trim_start_matches("Usage:").split_whitespace();
    let is_name = |word: &&str| !word.starts_with(['-', '[', '<']);
    Some(words.take_while(is_name).collect::<Vec<_>>().join(" "))
}

/// The help of the command group that was named without one of its commands.
pub(super) fn help(error: &clap::Error, cli: &mut clap::Command) -> StyledStr {
    cli.build();
    let path = said(error, ContextKind::InvalidSubcommand).concat();
    let names = path.split_whitespace().skip(1);
    let group = names.fold(&*cli, |group, name| group.find_subcommand(name).unwrap_or(group));
    group.clone().render_help()
}

fn summary(error: &clap::Error) -> String {
    let first = |kind| said(error, kind).into_iter().next().unwrap_or_default();
    let argument = || first(ContextKind::InvalidArg);
    match error.kind() {
        ErrorKind::InvalidSubcommand => {
            format!("there is no command `{}`", first(ContextKind::InvalidSubcommand))
        }
        ErrorKind::UnknownArgument if argument().starts_with('-') => {
            format!("there is no option `{}` here", argument())
        }
        ErrorKind::MissingSubcommand | ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => {
            "no command is named".into()
        }
        ErrorKind::UnknownArgument => format!("`{}` is one argument too many", argument()),
        ErrorKind::MissingRequiredArgument => {
            format!("missing: `{}`", said(error, ContextKind::InvalidArg).join("`, `"))
        }
        ErrorKind::InvalidValue | ErrorKind::ValueValidation => {
            match first(ContextKind::InvalidValue) {
                value if value.is_empty() => format!("`{}` needs a value", argument()),
                value => format!("`{value}` is no value for `{}`", argument()),
            }
        }
        ErrorKind::ArgumentConflict => match first(ContextKind::PriorArg) {
            other if other.is_empty() => format!("`{}` does not go with the rest", argument()),
            other if other == argument() => format!("`{other}` is given more than once"),
            other => format!("`{}` does not go with `{other}`", argument()),
        },
        _ => clap_s_own_words(error),
    }
}

fn clap_s_own_words(error: &clap::Error) -> String {
    let text = error.render().to_string();
    text.lines().next().unwrap_or_default().trim_start_matches("error: ").to_owned()
}

fn said(error: &clap::Error, kind: ContextKind) -> Vec<String> {
    match error.get(kind) {
        Some(ContextValue::String(text)) => vec![text.clone()],
        Some(ContextValue::Strings(texts)) => texts.clone(),
        _ => Vec::new(),
    }
}

/// What can be told of the wanted output although the command line makes no sense as a whole.
pub(super) fn glance(arguments: &[OsString]) -> (Wishes, Form) {
    let mut wishes = Wishes::default();
    let mut form = Form::Text;
    let options = arguments.iter().skip(1).map_while(|argument| {
        let argument = argument.to_str().unwrap_or_default();
        (argument != "--").then_some(argument)
    });
    let mut before = "";
    for option in options {
        if option == "--json" {
            form = Form::Json;
        }
        let colour =
            if before == "--color" { Some(option) } else { option.strip_prefix("--color=") };
        if let Some(Ok(colour)) = colour.map(|when| Colour::from_str(when, false)) {
            wishes.colour = colour;
        }
        before = option;
    }
    (wishes, form)
}

/// The command line as it is remembered: words in a row, without credentials in URLs and values of
/// variables, which are secrets as often as not.
pub(super) fn command_line(arguments: &[OsString]) -> String {
    let texts: Vec<_> = arguments.iter().map(|argument| argument.to_string_lossy()).collect();
    let sets = texts.windows(2).position(|two| two == ["env", "set"]);
    let words = texts.iter().enumerate().map(|(index, text)| match text.split_once('=') {
        _ if index == 0 => "cart".to_owned(),
        Some((name, _)) if sets.is_some_and(|at| index > at) && !name.starts_with('-') => {
            format!("{name}=…")
        }
        Some(("--with-value", _)) => "--with-value=…".to_owned(),
        _ if index > 0 && texts.get(index - 1).is_some_and(|text| text == "--with-value") => {
            "…".to_owned()
        }
        _ => redact(text),
    });
    words.collect::<Vec<_>>().join(" ")
}

/// `scheme://user:secret@host/…` without what stands before the `@`.
pub(super) fn redact(text: &str) -> String {
    let Some((scheme, rest)) = text.split_once("://") else { return text.to_owned() };
    let authority = rest.split('/').next().unwrap_or(rest);
    match authority.rfind('@').and_then(|at| rest.get(at + 1..)) {
        Some(rest) => format!("{scheme}://{rest}"),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::command_line;
    use std::ffi::OsString;

    #[test]
    fn no_secret_is_remembered() {
        for (line, remembered) in [
            ("/bin/cart install https://me:secret@host/x", "cart install https://host/x"),
            ("cart gear env set blog A=secret B=x=y", "cart gear env set blog A=… B=…"),
            ("cart env set A=secret --wait=3", "cart env set A=… --wait=3"),
            ("cart oo-env-var-add --with-value secret", "cart oo-env-var-add --with-value …"),
            ("cart oo-env-var-add --with-value=secret", "cart oo-env-var-add --with-value=…"),
            ("cart gear create env a=b", "cart gear create env a=b"),
        ] {
            let words: Vec<OsString> = line.split(' ').map(OsString::from).collect();
            assert_eq!(command_line(&words), remembered);
        }
    }
}
