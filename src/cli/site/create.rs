//! `cart site create`.

use super::certificate::certify;
use crate::cli::app::App;
use crate::error::{Context as _, Exit, Failure};
use crate::format::ubos::{Fill, sites};
use crate::package::note::Notes;
use crate::package::ubos::site_file::{Telling, to_json};
use crate::sys::fs::Dir;
use crate::ui::report::Form;
use clap::Args;
use serde_json::{Map, Value as Json, json};
use std::path::{Path, PathBuf};

const EXAMPLES: &str = "\
Examples:
  cart site create blog.example.org --app wordpress --email me@example.org
  cart site create '*' --app wiki --context /w --set wiki.title=Notes --out wiki.json";

/// The arguments of `cart site create`.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub struct CreateArgs {
    /// To which host name the site answers; `*` for any
    #[arg(value_name = "HOSTNAME")]
    pub hostname: String,
    /// The app
    #[arg(long, value_name = "NAME")]
    pub app: String,
    /// Where it lies [default: where the app says]
    #[arg(long, value_name = "PATH")]
    pub context: Option<String>,
    /// An accessory; repeatable
    #[arg(long = "accessory", value_name = "NAME")]
    pub accessories: Vec<String>,
    /// The value of a customization point; repeatable
    #[arg(long = "set", value_name = "PACKAGE.POINT=VALUE")]
    pub points: Vec<String>,
    /// The administrator's account in apps
    #[arg(long, value_name = "NAME", default_value = "admin")]
    pub userid: String,
    /// What people call the administrator
    #[arg(long, value_name = "NAME", default_value = "Administrator")]
    pub username: String,
    /// The administrator's address
    #[arg(long, value_name = "ADDRESS", default_value = "root@localhost")]
    pub email: String,
    /// Get certificates from Let's Encrypt
    #[arg(long)]
    pub letsencrypt: bool,
    /// Make a certificate that the site signs itself
    #[arg(long, conflicts_with = "letsencrypt")]
    pub self_signed: bool,
    /// Write the file there, for its owner alone [default: standard output]
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
}

/// Writes a site file.
pub fn run(args: &CreateArgs, app: &mut App) -> Result<Exit, Failure> {
    let text = made(args)?.to_string();
    let include = |_: &str| Err("a site that is made includes no files".to_owned());
    let mut notes = Notes::default();
    let read =
        sites(("the command line", text.as_bytes()), Fill::Missing(&certify), &include, &mut notes)
            .doing(|| "cannot make that site".into())?;
    let Some(site) = read.first() else {
        return Err(Failure::new(Exit::Failed, "cannot make that site"));
    };
    let json = to_json(site, Telling::Everything);
    if let Some(out) = &args.out {
        write(out, &json)?;
        app.printer().talk(&format!("wrote `{}`", out.display()));
    } else if app.form() == Form::Json {
        app.printer().json(&json);
    } else {
        for line in pretty(&json).lines() {
            app.printer().data(line);
        }
    }
    Ok(Exit::Done)
}

fn pretty(json: &Json) -> String {
    // An object made here can always be written.
    serde_json::to_string_pretty(json).unwrap_or_default()
}

fn write(out: &Path, json: &Json) -> Result<(), Failure> {
    let path = std::path::absolute(out).unwrap_or_else(|_| out.to_owned());
    let (Some(folder), Some(name)) = (path.parent(), path.file_name()) else {
        let text = format!("`{}` cannot be a file", out.display());
        return Err(Failure::new(Exit::Usage, text).hint("give `--out` the name of a file"));
    };
    Ok(Dir::open(folder)?.write_new(name, (pretty(json) + "\n").as_bytes(), 0o600)?)
}

fn made(args: &CreateArgs) -> Result<Json, Failure> {
    let mut points: Map<String, Json> = Map::new();
    for given in &args.points {
        let parts = given.split_once('=');
        let parts = parts.and_then(|(name, value)| Some((name.rsplit_once('.')?, value)));
        let Some(((package, point), value)) = parts else {
            let text = format!("`--set {}` sets nothing", given.escape_debug());
            return Err(Failure::new(Exit::Usage, text).hint("write `PACKAGE.POINT=VALUE`"));
        };
        let package = points.entry(package).or_insert_with(|| json!({}));
        package[point] = json!({ "value" : value });
    }
    let mut app = json!({ "appid" : args.app, "customizationpoints" : points });
    if !args.accessories.is_empty() {
        app["accessoryids"] = args.accessories.clone().into();
    }
    if let Some(context) = &args.context {
        app["context"] = context.trim_end_matches('/').into();
    }
    let mut site = json!({
        "hostname" : args.hostname,
        "admin" : { "userid" : args.userid, "username" : args.username, "email" : args.email },
        "appconfigs" : [ app ],
    });
    if args.letsencrypt {
        site["tls"] = json!({ "letsencrypt" : true });
    } else if args.self_signed {
        site["tls"] = json!({});
    }
    Ok(site)
}
