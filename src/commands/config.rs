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
    if args.example {
        context.ui.say(EXAMPLE.trim_end());
        return Ok(Exit::Done);
    }
    // Secrets are files: their paths may be shown, their content never enters the settings.
    context.ui.say(format!("{:#?}", context.settings().await?));
    Ok(Exit::Done)
}
