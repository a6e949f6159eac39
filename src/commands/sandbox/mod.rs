//! `tecnico sandbox`.

pub(super) mod drop;

use std::collections::BTreeMap;
use std::path::PathBuf;

use clap::Subcommand;
use schemars::JsonSchema;
use serde::Serialize;
use tokio::signal::unix::{SignalKind, signal};

use crate::context::{Context, Global};
use crate::document::Document;
use crate::domain::text::shell_path;
use crate::embedded::{ADMIN, Embedded};
use crate::error::{Exit, Failure};

/// Keep an embedded Drive running in a directory, or act as its technicians
///
/// Every command takes --sandbox DIR and needs no server for it:
///
///     tecnico --sandbox ./sandbox create 42 --email ana@example.com
///     tecnico sandbox ./sandbox drop 42 16517189.pdf
///     tecnico --sandbox ./sandbox watch
///
/// Alone, this keeps a server up until ctrl-c, so that a browser, curl or Google's own client can look at the same Drive
/// and act as its people:
///
///     tecnico sandbox ./sandbox --as ana@example.com
#[derive(Debug, clap::Args)]
#[command(verbatim_doc_comment, override_usage = USAGE)]
pub struct Args {
    /// Where the sandbox lies; begun where there is nothing yet [default: that of --sandbox]
    dir: Option<PathBuf>,
    /// The port to listen on, on this machine only
    #[arg(long, default_value_t = 0)]
    port: u16,
    /// Print a token to act as this person; may be given again
    #[arg(long = "as", value_name = "E-MAIL")]
    people: Vec<String>,
    #[command(subcommand)]
    what: Option<What>,
}

/// The directory stands before what is to be done in it.
const USAGE: &str = "tecnico sandbox DIR [OPTIONS]\n       tecnico sandbox DIR drop USER FILE…";

#[derive(Debug, Subcommand)]
enum What {
    Drop(drop::Args),
}

/// Where the embedded Drive listens, and who may come in.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Report {
    url: String,
    parent_folder_id: String,
    /// A token by e-mail address.
    #[schemars(with = "BTreeMap<String, String>")]
    tokens: serde_json::Map<String, serde_json::Value>,
}

impl Document for Report {
    const SCHEMA: &'static str = "tecnico.sandbox/1";
}

/// Runs `tecnico sandbox`.
pub async fn run(args: &Args, context: &Context) -> anyhow::Result<Exit> {
    let dir = args.dir.as_ref().or(context.global.sandbox.as_ref()).ok_or_else(|| {
        Failure::new(Exit::Usage, "usage", "there is no directory of a sandbox in that command")
            .hint("`tecnico sandbox DIR`, `tecnico sandbox DIR drop USER FILE`")
    })?;
    if let Some(What::Drop(args)) = &args.what {
        let global = Global { sandbox: Some(dir.clone()), ..context.global.clone() };
        let inside = Context::new(context.ui.clone().repeating(global.same()), global, false);
        let done = drop::run(args, &inside).await;
        inside.close().await;
        return done;
    }
    let embedded = Embedded::open(dir, args.port, true).await?;
    let ui = &context.ui;
    // Listened for before anything is printed: whoever reads the line may end it at once.
    let mut interrupted = signal(SignalKind::interrupt())?;
    let mut people = vec![ADMIN.to_owned()];
    people.extend(args.people.iter().filter(|email| *email != ADMIN).cloned());
    let mut tokens = Vec::new();
    for email in people {
        tokens.push((email.clone(), embedded.control().user(&email)?.token));
    }
    if ui.is_json() {
        ui.json(&Report {
            url: embedded.url().to_owned(),
            parent_folder_id: embedded.parent_folder_id().to_owned(),
            tokens: tokens.into_iter().map(|(e, t)| (e, t.into())).collect(),
        });
    } else {
        ui.say(format!("Drive     {}", ui.bold(embedded.url())));
        ui.say(format!("parent    {}", embedded.parent_folder_id()));
        for (email, token) in tokens {
            ui.say(format!("token     {token}  {email}"));
        }
        ui.say(format!("try       tecnico --sandbox {} create ana@example.com", shell_path(dir)));
        ui.note("ctrl-c ends it; everything stays in the directory");
    }
    interrupted.recv().await;
    Ok(Exit::Done)
}
