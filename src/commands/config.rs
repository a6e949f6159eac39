//! `tecnico config`.

use schemars::JsonSchema;
use serde::Serialize;

use crate::config::EXAMPLE;
use crate::context::Context;
use crate::document::Document;
use crate::error::Exit;

/// Show the settings in force, or the commented example
///
///     tecnico config --example > config.toml
#[derive(Debug, clap::Args)]
#[command(verbatim_doc_comment)]
pub struct Args {
    /// Print every setting at its default, with why: a file to start from
    #[arg(long)]
    example: bool,
}

/// The settings in force, as tecnico-config(5) describes them.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Report {
    #[schemars(with = "serde_json::Map<String, serde_json::Value>")]
    settings: toml::Table,
}

impl Document for Report {
    const SCHEMA: &'static str = "tecnico.config/1";
}

/// Runs `tecnico config`.
pub async fn run(args: &Args, context: &Context) -> anyhow::Result<Exit> {
    let text = if args.example { EXAMPLE } else { &context.settings().await?.toml };
    if context.ui.is_json() {
        context.ui.json(&Report { settings: toml::from_str(text)? });
    } else {
        context.ui.say(text.trim_end());
    }
    Ok(Exit::Done)
}
