//! `tecnico retry`.

use schemars::JsonSchema;
use serde::Serialize;

use super::check;
use crate::context::Context;
use crate::document::Document;
use crate::domain::clock;
use crate::domain::item::Act;
use crate::error::{Exit, Failure};

/// Send refused files through again: the same item, the next attempt
///
///     tecnico retry 42
///     tecnico retry --file 1AbCdEfGhIjKlMnOpQrStUvWxYz
///
/// Without USER and --file, every file in erro. The next cycle takes them: `tecnico watch`, or the timer.
#[derive(Debug, clap::Args)]
#[command(verbatim_doc_comment)]
pub struct Args {
    /// Only the files of this technician
    user: Option<String>,
    /// Only this file: its id on Drive, its name, or its item id
    #[arg(long, value_name = "ID")]
    file: Option<String>,
    /// Say which files would go through again, and change nothing
    #[arg(long)]
    dry_run: bool,
}

/// The files that go through again.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Report {
    dry_run: bool,
    items: Vec<Retried>,
}

#[derive(Debug, Serialize, JsonSchema)]
struct Retried {
    user: String,
    item_id: String,
    file_id: String,
    name: String,
    /// Why it was refused.
    reason: Option<String>,
}

impl Document for Report {
    const SCHEMA: &'static str = "tecnico.retry/1";
}

/// Runs `tecnico retry`.
pub async fn run(args: Args, context: &Context) -> anyhow::Result<Exit> {
    let ledger = context.ledger().await?;
    let user = match &args.user {
        Some(user) => Some(check::known(user, &context.provisioner().await?).await?.user),
        None => None,
    };
    let mut items = ledger.refused_items(user.as_ref()).await?;
    if let Some(wanted) = &args.file {
        items.retain(|i| [&i.sighted.key.file_id, &i.sighted.name, &i.id].contains(&wanted));
        if items.is_empty() {
            return Err(Failure::new(Exit::Data, "not_in_erro", format!("no file {wanted:?} is in erro"))
                .hint(format!("`tecnico why {wanted}` says where it is"))
                .into());
        }
    }
    let mut retried = Vec::new();
    for item in &items {
        if !args.dry_run {
            ledger.advance(item, &Act::Retry, None, clock::now()).await?;
        }
        retried.push(Retried {
            user: item.sighted.user.to_string(),
            item_id: item.id.clone(),
            file_id: item.sighted.key.file_id.clone(),
            name: item.sighted.name.clone(),
            reason: item.reason.clone(),
        });
    }
    let ui = &context.ui;
    if ui.is_json() {
        ui.json(&Report { dry_run: args.dry_run, items: retried });
        return Ok(Exit::Done);
    }
    for item in &items {
        let reason = item.reason.as_deref().unwrap_or("-").escape_debug();
        ui.say(format!("{}  {}  was refused: {reason}", item.sighted.user, item.sighted.name.escape_debug()));
    }
    match (items.len(), args.dry_run) {
        (0, _) => ui.say("no file is in erro"),
        (n, true) => ui.say(format!("{n} would go through again; nothing was changed")),
        (n, false) => ui.say(format!("{n} go through again with the next cycle")),
    }
    Ok(Exit::Done)
}
