//! `tecnico ledger`.

use std::path::{Path, PathBuf};

use clap::Subcommand;
use schemars::JsonSchema;
use serde::Serialize;

use super::{ledger_rebuild, ledger_restore};
use crate::context::Context;
use crate::document::Document;
use crate::domain::text::count;
use crate::error::Exit;
use crate::ledger::Ledger;

/// Check the ledger for damage, copy it while everything goes on, put a copy back, or make a new one from Drive
///
/// The ledger is the one file in which tecnico keeps what it knows and has promised. Put a copy back
/// with `restore`, not with cp: SQLite would take the log of the ledger that lay there (its -wal) for
/// the copy's, and damage it. What was filed since the backup stays where it lies, unknown to `why`;
/// `tecnico check` says what else differs. Without a backup, or to know those files too, `rebuild` in
/// its stead.
///
///     tecnico ledger check
///     tecnico ledger backup /var/backups/tecnico-2026-11-23.db
///     tecnico ledger restore /var/backups/tecnico-2026-11-23.db
///     tecnico ledger rebuild --dry-run
#[derive(Debug, clap::Args)]
#[command(verbatim_doc_comment)]
pub struct Args {
    #[command(subcommand)]
    act: Act,
}

#[derive(Debug, Subcommand)]
enum Act {
    /// Read the whole ledger for damage
    Check,
    /// Write a checked copy to a new file; other runs go on meanwhile
    Backup {
        /// The file to make; it must not exist
        file: PathBuf,
    },
    /// Put a copy that `backup` made in the ledger's place; what lies there is set aside and kept
    ///
    /// The copy is read for damage and brought up to this program's schema before anything is moved, and stays as it is. Refused
    /// while an agent, a `serve` or a cycle works with the ledger: it says which, and how to end it. Cut off, it is finished by the
    /// next run.
    Restore {
        /// The backup
        file: PathBuf,
        /// Say what would be known, and change nothing
        #[arg(long)]
        dry_run: bool,
    },
    /// Make a new ledger from what Drive, the VM and tecnicos.json say; writes nothing else
    ///
    /// Technicians are known by the mark on their folders, files in processados and erro as ended, files in
    /// novos are found anew. It says what no other place knows. A damaged ledger that is there is set aside and kept.
    /// Ends with 1 when somebody should look at something.
    Rebuild {
        /// Say what would be known, and write nothing
        #[arg(long)]
        dry_run: bool,
        /// Set a whole ledger aside too
        #[arg(long)]
        set_aside: bool,
    },
}

/// The ledger is whole.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Checked {
    path: String,
    technicians: usize,
}

impl Document for Checked {
    const SCHEMA: &'static str = "tecnico.ledger.check/1";
}

/// The ledger is copied.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Copied {
    path: String,
    /// The copy.
    file: String,
    technicians: usize,
}

impl Document for Copied {
    const SCHEMA: &'static str = "tecnico.ledger.backup/1";
}

/// Runs `tecnico ledger`.
pub async fn run(args: &Args, context: &Context) -> anyhow::Result<Exit> {
    match &args.act {
        Act::Check => check(context).await,
        Act::Backup { file } => backup(file, context).await,
        Act::Restore { file, dry_run } => ledger_restore::run(file, *dry_run, context).await,
        Act::Rebuild { dry_run, set_aside } => ledger_rebuild::run(*dry_run, *set_aside, context).await,
    }
}

async fn check(context: &Context) -> anyhow::Result<Exit> {
    let (ledger, technicians) = whole(context).await?;
    let path = ledger.path().display().to_string();
    context.ui.say(format!("{path} is whole: {}", count(technicians, "technician", "technicians")));
    if context.ui.is_json() {
        context.ui.json(&Checked { path, technicians });
    }
    Ok(Exit::Done)
}

async fn backup(file: &Path, context: &Context) -> anyhow::Result<Exit> {
    let (ledger, technicians) = whole(context).await?;
    ledger.backup(file).await?;
    let path = ledger.path().display().to_string();
    let bytes = file.metadata().map_or(0, |m| m.len());
    let known = count(technicians, "technician", "technicians");
    context.ui.say(format!("{path} is copied to {}: {known}, {bytes} bytes", file.display()));
    if context.ui.is_json() {
        context.ui.json(&Copied { path, file: file.display().to_string(), technicians });
    }
    Ok(Exit::Done)
}

/// The ledger, read for damage, and how many technicians it knows.
async fn whole(context: &Context) -> anyhow::Result<(&Ledger, usize)> {
    let ledger = context.standing_ledger().await?;
    ledger.check().await?;
    Ok((ledger, ledger.technicians().await?.len()))
}
