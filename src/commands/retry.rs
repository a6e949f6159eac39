//! `tecnico retry`.

use schemars::JsonSchema;
use serde::Serialize;

use super::check;
use crate::context::Context;
use crate::document::Document;
use crate::domain::clock;
use crate::domain::item::{Act, shown};
use crate::domain::text::{count, quoted, shell_word, visible};
use crate::error::{Exit, Failure};

/// Send refused files through again: the same item, the next attempt; or a waiting one now
///
///     tecnico retry 42
///     tecnico retry --file 1AbCdEfGhIjKlMnOpQrStUvWxYz
///
/// Without USER and --file, every file in erro. A file that waits for a later try waits no longer when --file names it. The
/// next cycle takes them: `tecnico watch`, or the timer.
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
    /// `erro`: it was refused. `waiting`: it waited for a later try.
    #[schemars(extend("enum" = ["erro", "waiting"]))]
    was: &'static str,
    /// Why it was refused, or waited.
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
    let now = clock::now();
    let items = match &args.file {
        None => ledger.refused_items(user.as_ref()).await?,
        Some(wanted) => {
            let mut called = ledger.items_called(wanted).await?;
            called.retain(|i| user.as_ref().is_none_or(|user| *user == i.sighted.user));
            called.retain(|i| i.standing.after(&Act::Retry).is_ok() || i.is_put_off(now));
            if called.is_empty() {
                let message = format!("no file {} is in erro, and none waits for a later try", quoted(wanted));
                let hint = format!("`tecnico why {}` says where it is", shell_word(wanted));
                return Err(Failure::new(Exit::Data, "not_in_erro", message).hint(hint).into());
            }
            called
        }
    };
    let mut retried = Vec::new();
    for item in &items {
        let act = if item.is_open() { Act::Asked { by: "asked for by `tecnico retry`".into() } } else { Act::Retry };
        if !args.dry_run {
            ledger.advance(item, &act, None, now).await?;
        }
        retried.push(Retried {
            user: item.sighted.user.to_string(),
            item_id: item.id.clone(),
            file_id: item.sighted.key.file_id.clone(),
            name: item.sighted.name.clone(),
            was: if item.is_open() { "waiting" } else { "erro" },
            reason: item.reason.clone(),
        });
    }
    let ui = &context.ui;
    if ui.is_json() {
        ui.json(&Report { dry_run: args.dry_run, items: retried });
        return Ok(Exit::Done);
    }
    for item in &items {
        let reason = visible(item.reason.as_deref().unwrap_or("-"));
        let was = if item.is_open() { "waited" } else { "was refused" };
        ui.say(format!("{}  {}  {was}: {reason}", item.sighted.user, shown(&item.sighted.name)));
    }
    match (items.len(), args.dry_run) {
        (0, _) => match &user {
            Some(user) => ui.say(format!("no file of {user} is in erro")),
            None => ui.say("no file is in erro"),
        },
        (n, true) => ui.say(format!("{} would go through again; nothing was changed", count(n, "file", "files"))),
        (n, false) => ui.say(format!("{} through again with the next cycle", count(n, "file goes", "files go"))),
    }
    Ok(Exit::Done)
}
