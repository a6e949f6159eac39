//! `tecnico changes`.

use serde_json::json;

use crate::context::Context;
use crate::domain::clock::rfc3339;
use crate::drive::FeedEntry;
use crate::error::{Exit, Failure};

/// Print Drive's change feed as JSON lines, for your own scripts
///
/// The last line has the token to go on from. Without --since nothing but that line is printed: from now on. The agent's
/// own place in the feed is not touched.
///
///     TOKEN=$(tecnico changes | jq -r .next)
///     tecnico changes --since "$TOKEN"
#[derive(Debug, clap::Args)]
#[command(verbatim_doc_comment)]
pub struct Args {
    /// The token that an earlier run printed last
    #[arg(long, value_name = "TOKEN")]
    since: Option<String>,
    /// The feed of the shared drive of the configuration, instead of the account's own
    #[arg(long)]
    shared_drive: bool,
}

/// Runs `tecnico changes`.
pub async fn run(args: Args, context: &Context) -> anyhow::Result<Exit> {
    let drive = context.drive().await?;
    let feed = if args.shared_drive { drive.shared_drive_id() } else { None };
    if args.shared_drive && feed.is_none() {
        return Err(Failure::new(Exit::Config, "no_shared_drive", "no shared drive is configured")
            .hint("set `drive.shared_drive_id`")
            .into());
    }
    let mut token = match args.since {
        Some(token) => token,
        None => drive.start_token(feed).await?,
    };
    loop {
        let page = drive.changes(&token, feed).await?;
        page.changes.iter().for_each(|change| context.ui.json(&line(change)));
        match (page.next, page.new_start) {
            (Some(next), _) if next != token => token = next,
            (_, end) => {
                let next = end.unwrap_or(token);
                context.ui.json(&json!({ "schema": "tecnico.changes/1", "next": next }));
                return Ok(Exit::Done);
            }
        }
    }
}

fn line(change: &FeedEntry) -> serde_json::Value {
    let mut line = json!({
        "schema": "tecnico.change/1", "file_id": change.file_id.as_str(), "removed": change.removed, "time": change.time.map(rfc3339),
    });
    if let Some(entry) = &change.entry {
        let parents: Vec<&str> = entry.parents.iter().map(crate::drive::FileId::as_str).collect();
        line["file"] = json!({
            "name": entry.name, "mime_type": entry.mime_type, "parents": parents, "trashed": entry.trashed, "size": entry.size,
            "md5": entry.md5, "version": entry.head_revision, "modified_at": entry.modified_time.map(rfc3339),
        });
    }
    line
}
