//! `tecnico schema`: the schemas of everything `--json` prints, from the types that are printed.

use std::path::PathBuf;

use anyhow::Context as _;
use schemars::Schema;

use super::{
    callbacks, changes, check, config, create_bulk, create_plan, cycle_report, demo, doctor, import, init, ledger, ledger_rebuild,
    ledger_restore, list, remove, rename, report, retry, sandbox, serve, share, ssh_gate, status, why,
};
use crate::document::{Document, schema_of};
use crate::error::Exit;
use crate::verdict::ErrorDocument;

/// Write the JSON schemas into a directory
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Where to
    dir: PathBuf,
}

/// Runs `tecnico schema`.
pub fn run(args: &Args) -> anyhow::Result<Exit> {
    for (name, schema) in all() {
        let path = args.dir.join(format!("{}.json", name.replace('/', "-")));
        let text = serde_json::to_string_pretty(&schema)? + "\n";
        std::fs::write(&path, text).with_context(|| format!("cannot write {}", path.display()))?;
    }
    Ok(Exit::Done)
}

fn one<D: Document>() -> (&'static str, Schema) {
    (D::SCHEMA, schema_of::<D>())
}

fn all() -> Vec<(&'static str, Schema)> {
    vec![
        one::<ErrorDocument>(),
        one::<report::Created>(),
        one::<create_bulk::Bulk>(),
        one::<create_plan::DryRun>(),
        one::<check::Report>(),
        one::<share::Report>(),
        one::<remove::Report>(),
        one::<remove::DryRun>(),
        one::<rename::Report>(),
        one::<rename::DryRun>(),
        one::<list::Report>(),
        one::<import::Report>(),
        one::<cycle_report::Watched>(),
        one::<cycle_report::Processed>(),
        one::<status::Report>(),
        one::<why::Report>(),
        one::<retry::Report>(),
        one::<callbacks::List>(),
        one::<callbacks::One>(),
        one::<callbacks::Resent>(),
        one::<changes::Line>(),
        one::<changes::End>(),
        one::<sandbox::Report>(),
        one::<sandbox::drop::Report>(),
        one::<serve::Report>(),
        one::<demo::Report>(),
        one::<init::Report>(),
        one::<config::Report>(),
        one::<doctor::Report>(),
        one::<ledger::Checked>(),
        one::<ledger::Copied>(),
        one::<ledger_rebuild::Rebuilt>(),
        one::<ledger_restore::Restored>(),
        one::<ssh_gate::Audit<'_>>(),
    ]
}
