//! `tecnico list`.

use schemars::JsonSchema;
use serde::Serialize;

use crate::context::Context;
use crate::document::Document;
use crate::domain::clock::rfc3339;
use crate::domain::folder::Role;
use crate::error::Exit;

/// List the technicians.
///
/// Reads the ledger only: no call to Drive. `tecnico check` says whether it is all still so.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Also those who were removed
    #[arg(long)]
    all: bool,
}

/// The technicians.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Report {
    technicians: Vec<Line>,
}

#[derive(Debug, Serialize, JsonSchema)]
struct Line {
    user: String,
    name: String,
    email: Option<String>,
    folder: String,
    user_folder_id: Option<String>,
    novos_folder_id: Option<String>,
    created_at: String,
    /// When they were removed; theirs lies in the archive.
    removed_at: Option<String>,
}

impl Document for Report {
    const SCHEMA: &'static str = "tecnico.list/1";
}

/// Runs `tecnico list`.
pub async fn run(args: &Args, context: &Context) -> anyhow::Result<Exit> {
    let ledger = context.ledger().await?;
    let settings = context.settings().await?;
    let mut technicians = Vec::new();
    let mut known = ledger.technicians().await?;
    if args.all {
        known.extend(ledger.removed_technicians().await?);
    }
    for technician in known {
        let rows = ledger.folder_ids(&technician.user).await?;
        let id = |role| {
            let path = settings.layout.path_of(role);
            rows.iter().find(|r| r.path == path).map(|r| r.drive_id.clone())
        };
        technicians.push(Line {
            user_folder_id: id(Role::Usuario),
            novos_folder_id: id(Role::Novos),
            user: technician.user.to_string(),
            name: technician.name,
            email: technician.email.map(|e| e.to_string()),
            folder: technician.folder,
            created_at: rfc3339(technician.created_at),
            removed_at: technician.removed_at.map(rfc3339),
        });
    }
    if context.ui.is_json() {
        context.ui.json(&Report { technicians });
        return Ok(Exit::Done);
    }
    if technicians.is_empty() {
        context.ui.note("no technicians yet: `tecnico create ana@example.com` makes the first");
        return Ok(Exit::Done);
    }
    context.ui.table(
        ["USER", "FOLDER", "E-MAIL", "NAME", ""],
        technicians.into_iter().map(|t| {
            let removed = t.removed_at.map(|at| format!("removed {at}")).unwrap_or_default();
            [t.user, t.folder, t.email.unwrap_or_else(|| "-".into()), t.name, removed]
        }),
    );
    Ok(Exit::Done)
}
