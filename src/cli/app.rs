//! What every command is given: where things lie, the settings, and the way to the person.

use super::globals::Globals;
use crate::config::Config;
use crate::db::Db;
use crate::error::{Context, Exit, Failure};
use crate::layout::Layout;
use crate::sys::fs;
use crate::ui::printer::Printer;
use crate::ui::progress::Progress;
use crate::ui::report::Form;
use std::cell::{Cell, OnceCell};
use std::time::Duration;

/// One run of `cart`. Settings and progress are made when they are first asked for: many commands
/// need neither.
pub struct App {
    globals: Globals,
    command_line: String,
    layout: Layout,
    printer: Printer,
    config: OnceCell<Config>,
    progress: OnceCell<Progress>,
    status: Cell<Option<u8>>,
}

impl App {
    /// Prepares a run. A relative `--root` is meant from the present directory; links and
    /// environments are going to contain it, so it is made absolute here.
    pub fn new(globals: Globals, printer: Printer, command_line: String) -> Result<Self, Failure> {
        let layout = match &globals.root {
            None => Layout::of_this_user(),
            Some(root) => {
                let absolute = std::path::absolute(root).map_err(|error| {
                    let mut failure =
                        Failure::new(Exit::Failed, format!("cannot use `{}`", root.display()));
                    failure.causes.push(error.to_string());
                    failure.hint("give `--root` an absolute path")
                })?;
                Layout::below(&absolute)
            }
        };
        let (config, progress) = (OnceCell::new(), OnceCell::new());
        Ok(Self {
            globals,
            command_line,
            layout,
            printer,
            config,
            progress,
            status: Cell::new(None),
        })
    }

    /// Every path that this run uses.
    pub fn layout(&self) -> &Layout {
        &self.layout
    }

    /// The settings, read when first asked for.
    pub fn config(&self) -> Result<&Config, Failure> {
        if let Some(config) = self.config.get() {
            return Ok(config);
        }
        let mut config = Config::read(&self.layout).doing(|| "cannot use the settings".into())?;
        if self.globals.strict_externals {
            config.demand_success();
        }
        if self.globals.allow_missing_externals {
            config.allow_missing();
        }
        Ok(self.config.get_or_init(|| config))
    }

    /// The way to stdout and stderr.
    pub fn printer(&self) -> &Printer {
        &self.printer
    }

    /// Those who show how far long work has come.
    pub fn progress(&self) -> &Progress {
        self.progress.get_or_init(|| Progress::new(&self.printer))
    }

    /// The form in which to answer.
    pub fn form(&self) -> Form {
        self.globals.form()
    }

    /// How long to wait for another process's lock.
    pub fn wait(&self) -> Duration {
        Duration::from_secs(self.globals.wait)
    }

    /// Whether `--yes` agrees to everything.
    pub fn agrees(&self) -> bool {
        self.globals.yes
    }

    /// The options that a `cart` is given which does a part of this run's work.
    pub(super) fn handed_down(&self) -> Vec<String> {
        let mut words = vec![format!("--wait={}", self.globals.wait)];
        // The root has become absolute, and is text: `Layout` holds what the command line said.
        if let Some(root) = self.layout.root() {
            words.push(format!("--root={}", root.display()));
        }
        let flags = [
            (self.globals.json, "--json"),
            (self.globals.yes, "--yes"),
            (self.globals.quiet, "--quiet"),
            (self.globals.strict_externals, "--strict-externals"),
            (self.globals.allow_missing_externals, "--allow-missing-externals"),
        ];
        words.extend(flags.iter().filter(|(set, _)| *set).map(|(_, flag)| (*flag).to_owned()));
        words.extend((0..self.globals.verbose).map(|_| "--verbose".to_owned()));
        words
    }

    /// The command line, for the history and for whoever meets the locks; without credentials.
    pub fn command_line(&self) -> &str {
        &self.command_line
    }

    /// The package database for reading; nothing while nothing was ever installed.
    pub fn reading(&self) -> Result<Option<Db>, Failure> {
        Ok(Db::open_reading(&self.layout.database())?)
    }

    /// Tells whether anything was ever installed here.
    pub fn has_database(&self) -> bool {
        fs::kind_of(&self.layout.database()).is_some()
    }

    /// The package database for changing it.
    pub fn changing(&self) -> Result<Db, Failure> {
        Db::open(&self.layout.database()).doing(|| "cannot open the package database".into())
    }

    /// Makes another program's exit status that of this run, should the run succeed: a gear's
    /// answer to `status`, a command run inside it.
    pub fn answer_with(&self, status: u8) {
        self.status.set(Some(status));
    }

    /// The other program's exit status, where there is one.
    pub(super) fn status(&self) -> Option<u8> {
        self.status.get()
    }
}

#[cfg(test)]
mod tests {
    use super::App;
    use crate::cli::globals::Globals;
    use crate::error::Exit;
    use crate::ui::printer::{Printer, Wishes};
    use clap::Parser;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        globals: Globals,
    }

    fn app(line: &[&str]) -> App {
        let printer = Printer::new(Wishes::default());
        App::new(Line::parse_from(line).globals, printer, line.join(" ")).unwrap()
    }

    #[test]
    fn a_relative_root_is_meant_from_here() {
        let app = app(&["cart", "--root", "x/../y"]);
        let root = app.layout().root().unwrap();
        assert!(root.is_absolute() && root.ends_with("x/../y"), "{}", root.display());
    }

    #[test]
    fn bad_settings_fail_the_command_that_needs_them_and_no_other() {
        let temp = tempfile::tempdir().unwrap();
        let app = app(&["cart", "--root", temp.path().to_str().unwrap()]);
        let dir = crate::sys::fs::Dir::create(app.layout().settings(), 0o755).unwrap();
        dir.write_new("config.yml", b"nonsense: 1\n", 0o644).unwrap();
        let failure = app.config().unwrap_err();
        assert_eq!(failure.exit, Exit::Usage);
        assert_eq!(failure.summary, "cannot use the settings");
        dir.replace_file("config.yml", b"stash_limit: 7\n", 0o644).unwrap();
        assert_eq!(app.config().unwrap().stash_limit, 7);
    }
}
