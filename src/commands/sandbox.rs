//! `tecnico sandbox`.

use std::collections::BTreeMap;
use std::path::PathBuf;

use schemars::JsonSchema;
use serde::Serialize;
use tokio::signal::unix::{SignalKind, signal};

use crate::context::Context;
use crate::document::Document;
use crate::embedded::{ADMIN, Embedded};
use crate::error::Exit;

/// Keep an embedded Drive running in a directory, for trying things by hand
///
/// Every command takes --sandbox DIR and needs no server for it; this one keeps a server up, so
/// that a browser, curl or Google's own client can look at the same Drive and act as its
/// people.
///
///     tecnico sandbox ./sandbox --as ana@example.com
///     tecnico --sandbox ./sandbox create ana@example.com
#[derive(Debug, clap::Args)]
#[command(verbatim_doc_comment)]
pub struct Args {
    /// Where the sandbox lies; made on first use
    dir: PathBuf,
    /// The port to listen on, on this machine only
    #[arg(long, default_value_t = 0)]
    port: u16,
    /// Print a token to act as this person; may be given again
    #[arg(long = "as", value_name = "E-MAIL")]
    people: Vec<String>,
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
    let embedded = Embedded::open(&args.dir, args.port).await?;
    let ui = &context.ui;
    // Listened for before anything is printed: whoever reads the line may end it at once.
    let mut interrupted = signal(SignalKind::interrupt())?;
    let mut people = vec![ADMIN.to_owned()];
    people.extend(args.people.iter().cloned());
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
        ui.say(format!("try       tecnico --sandbox {} create ana@example.com", args.dir.display()));
        ui.note("ctrl-c ends it; everything stays in the directory");
    }
    interrupted.recv().await;
    Ok(Exit::Done)
}
