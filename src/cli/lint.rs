//! `cart lint`.

use super::request::source;
use crate::archive::Modes;
use crate::cli::app::App;
use crate::error::{Context, Exit, Failure};
use crate::gather::{self, Content, Gathered, Gatherer};
use crate::package::note::{Level, Note};
use crate::sys::interrupt;
use crate::ui::report::Form;
use clap::Args;
use serde::Serialize;

const EXAMPLES: &str = "\
Examples:
  cart lint ./my-cartridge
  cart lint https://example.org/diy.tar.gz
  cart lint . --json";

/// The arguments of `cart lint`.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub struct LintArgs {
    /// The package: a directory, an archive, a URL or a git repository
    #[arg(value_name = "SOURCE")]
    pub source: String,
}

#[derive(Serialize)]
struct Answer<'a> {
    notes: &'a [Note],
}

/// Checks a package for its author; exit status 1 when there is an error among the notes.
pub fn run(args: &LintArgs, app: &mut App) -> Result<Exit, Failure> {
    let gathered = gather(args, app).doing(|| "cannot look at the package".into())?;
    let notes = &*gather::lint(&gathered)?;
    let failed = notes.iter().any(|note| note.level == Level::Error);
    let exit = if failed { Exit::Failed } else { Exit::Done };
    if app.form() == Form::Json {
        app.printer().json(&Answer { notes });
        return Ok(exit);
    }
    for note in notes {
        app.printer().data(&line(note));
    }
    match notes.len() {
        0 => app.printer().talk("nothing to remark"),
        1 => app.printer().talk("1 remark"),
        many => app.printer().talk(&format!("{many} remarks")),
    }
    Ok(exit)
}

/// The package as it is packed, whatever it is: what cannot be installed can be looked at, too.
fn gather(args: &LintArgs, app: &App) -> Result<Gathered, Failure> {
    interrupt::watch_or_fail()?;
    let mut request = source(&args.source)?;
    request.content = Content::Raw;
    request.modes = Modes::AsPacked;
    let gatherer = Gatherer::new(app.layout(), app.config()?);
    let label = request.what.to_string();
    let progress = app.progress();
    let gathered = gatherer.gather(&[request], &|_| progress.watch(&label))?;
    let nothing = || Failure::new(Exit::Failed, "the source gave nothing");
    gathered.into_iter().next().ok_or_else(nothing)
}

/// `file:line:column: level: text`, as compilers write it.
fn line(note: &Note) -> String {
    let mut place = note.file.clone();
    for number in [note.line, note.column].into_iter().flatten() {
        place.extend([":".to_owned(), number.to_string()]);
    }
    let level = match note.level {
        Level::Advice => "advice",
        Level::Warning => "warning",
        Level::Error => "error",
    };
    format!("{place}: {level}: {}", note.text)
}
