//! `cart list`.

use super::package::Shown;
use super::tpkg_choice::listed;
use crate::cli::app::App;
use crate::db::{Db, ListedPackage, PackageRow};
use crate::error::{Exit, Failure};
use crate::package::ident::FormatName;
use crate::package::tpkg::version;
use crate::ui::report::Form;
use crate::ui::table::Table;
use clap::Args;
use serde::Serialize;

const EXAMPLES: &str = "\
Examples:
  cart list --json
  cart list --available --source https://packages.example.org/tpkg";

/// The arguments of `cart list`.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub struct ListArgs {
    /// List what sources of tpkg packages have for this host instead
    #[arg(long)]
    pub available: bool,
    /// Look there as well, a directory or URL with `metadata.yml`; repeatable
    #[arg(long = "source", value_name = "PLACE", requires = "available")]
    pub sources: Vec<String>,
}

#[derive(Serialize)]
struct Offered {
    available: Vec<Offer>,
}

#[derive(Serialize)]
struct Offer {
    name: String,
    version: String,
    package_version: Option<String>,
    file_name: String,
    source: String,
    needs: Vec<String>,
}

#[derive(Serialize)]
struct Answer<'a> {
    packages: Vec<Shown<'a>>,
    unfinished: Vec<Unfinished>,
}

#[derive(Serialize)]
struct Unfinished {
    transaction: i64,
    title: String,
    state: &'static str,
}

/// Lists the installed packages, and says which transactions are not over.
pub fn run(args: &ListArgs, app: &mut App) -> Result<Exit, Failure> {
    if args.available {
        return available(args, app);
    }
    let db = app.reading()?;
    let unfinished = db.as_ref().map_or(Ok(Vec::new()), Db::unfinished)?;
    let unfinished: Vec<_> = unfinished
        .into_iter()
        .map(|row| Unfinished { transaction: row.id, title: row.title, state: row.state.as_str() })
        .collect();
    let holds = db.as_ref().map_or(Ok(Vec::new()), Db::holds)?;
    if app.form() == Form::Json {
        let packages = db.as_ref().map_or(Ok(Vec::new()), Db::packages)?;
        let hold = |row: &PackageRow| {
            holds.iter().find(|one| (&one.vendor, &one.name) == (&row.vendor, &row.name))
        };
        let packages = packages.iter().map(|row| Shown::new(row, hold(row))).collect();
        app.printer().json(&Answer { packages, unfinished });
        return Ok(Exit::Done);
    }
    let mut table = Table::new(["PACKAGE", "RELEASE", "FORMAT", "TRUST", "SOURCE", "HELD"]);
    let show = |row: ListedPackage<'_>| {
        let held = holds.iter().any(|one| one.name == row.name && one.vendor == row.vendor);
        let held = if held { "held" } else { "" };
        // All packages of tpkg are of one vendor, whom nobody knows.
        let own = format!("{}-{}", row.name, row.package_version);
        let title = if row.format == FormatName::Tpkg.as_str() { &own } else { row.title };
        table.row([title, row.package_version, row.format, row.trust, row.source, held]);
    };
    db.as_ref().map_or(Ok(()), |db| db.list_packages(show))?;
    app.printer().table(&table);
    for Unfinished { transaction, title, state } in unfinished {
        app.printer()
            .warn(&format!("transaction {transaction} ({title}) is {state}: `cart doctor`"));
    }
    Ok(Exit::Done)
}

/// Lists what the sources have that runs here, by name; the newest first.
fn available(args: &ListArgs, app: &App) -> Result<Exit, Failure> {
    let places: Vec<String> =
        args.sources.iter().chain(&app.config()?.tpkg.sources).cloned().collect();
    if places.is_empty() {
        let text = "no source of tpkg packages is known";
        return Err(Failure::new(Exit::Usage, text)
            .hint("name one: `--source PLACE`, or `tpkg.sources` in the settings"));
    }
    let mut offers: Vec<Offer> = listed(app, &places)?
        .into_iter()
        .map(|one| Offer {
            source: one.from.to_string(),
            needs: one.listed.dependencies.iter().map(ToString::to_string).collect(),
            name: one.listed.name,
            version: one.listed.version,
            package_version: one.listed.package_version,
            file_name: one.listed.file_name,
        })
        .collect();
    let packaging = |one: &Offer| one.package_version.clone().unwrap_or_default();
    offers.sort_by(|a, b| {
        let newer = version::compare(&b.version, &a.version);
        let newer = newer.then_with(|| version::compare(&packaging(b), &packaging(a)));
        a.name.cmp(&b.name).then(newer)
    });
    if app.form() == Form::Json {
        app.printer().json(&Offered { available: offers });
        return Ok(Exit::Done);
    }
    let mut table = Table::new(["PACKAGE", "VERSION", "SOURCE"]);
    for one in &offers {
        let version = match &one.package_version {
            Some(packaging) => format!("{}-{packaging}", one.version),
            None => one.version.clone(),
        };
        table.row([&one.name, &version, &one.source]);
    }
    app.printer().table(&table);
    Ok(Exit::Done)
}
