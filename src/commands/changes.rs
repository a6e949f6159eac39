//! `tecnico changes`.

use schemars::JsonSchema;
use serde::Serialize;

use crate::context::Context;
use crate::document::Document;
use crate::domain::clock::rfc3339;
use crate::drive::{FeedEntry, Kind};
use crate::error::{Exit, Failure};

/// Print Drive's change feed as JSON lines, for your own scripts
///
/// The last line has the token to go on from. Without --since nothing but that line is printed: from now on. The agent's
/// own place in the feed is not touched. A token that Drive does not know (any more) ends with 65.
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

/// One entry of Drive's feed: a line of its own.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Line {
    file_id: String,
    /// Deleted for good, or out of sight.
    removed: bool,
    time: Option<String>,
    /// How the file is now; absent where it is removed.
    #[serde(skip_serializing_if = "Option::is_none")]
    file: Option<File>,
}

#[derive(Debug, Serialize, JsonSchema)]
struct File {
    name: String,
    mime_type: String,
    parents: Vec<String>,
    trashed: bool,
    /// In bytes.
    size: Option<u64>,
    md5: Option<String>,
    /// `headRevisionId`.
    version: Option<String>,
    modified_at: Option<String>,
}

impl Document for Line {
    const SCHEMA: &'static str = "tecnico.change/1";
}

/// The last line: where to go on from.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct End {
    /// For `--since`.
    next: String,
}

impl Document for End {
    const SCHEMA: &'static str = "tecnico.changes/1";
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
    let since = args.since.is_some();
    let mut token = match args.since {
        Some(token) => token,
        None => drive.start_token(feed).await?,
    };
    loop {
        let page = match drive.changes(&token, feed).await {
            // Asking again with it does not help: a script must not.
            Err(e) if e.kind == Kind::BadToken && since => return Err(rejected(&token).because(e).into()),
            page => page?,
        };
        page.changes.iter().for_each(|change| context.ui.json(&line(change)));
        match (page.next, page.new_start) {
            (Some(next), _) if next != token => token = next,
            (_, end) => {
                let next = end.unwrap_or(token);
                context.ui.json(&End { next });
                return Ok(Exit::Done);
            }
        }
    }
}

fn rejected(token: &str) -> Failure {
    Failure::new(
        Exit::Data,
        "since_rejected",
        format!("Drive does not know the token {token:?}: it is too old, of another feed, or no token"),
    )
    .hint("run `tecnico changes` without --since: it prints a token to go on from; what happened before that, only a listing tells")
}

fn line(change: &FeedEntry) -> Line {
    let file = change.entry.as_ref().map(|entry| File {
        name: entry.name.clone(),
        mime_type: entry.mime_type.clone(),
        parents: entry.parents.iter().map(ToString::to_string).collect(),
        trashed: entry.trashed,
        size: entry.size,
        md5: entry.md5.clone(),
        version: entry.head_revision.clone(),
        modified_at: entry.modified_time.map(rfc3339),
    });
    Line { file_id: change.file_id.to_string(), removed: change.removed, time: change.time.map(rfc3339), file }
}
