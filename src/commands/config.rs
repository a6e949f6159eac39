//! `tecnico config`.

use crate::config::EXAMPLE;
use crate::context::Context;
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

/// Runs `tecnico config`.
pub async fn run(args: &Args, context: &Context) -> anyhow::Result<Exit> {
    let text = if args.example { EXAMPLE } else { &context.settings().await?.toml };
    if context.ui.is_json() {
        let settings: toml::Table = toml::from_str(text)?;
        context.ui.json(&serde_json::json!({ "schema": "tecnico.config/1", "settings": settings }));
    } else {
        context.ui.say(text.trim_end());
    }
    Ok(Exit::Done)
}
