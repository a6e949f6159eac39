//! `tecnico serve`.

use std::net::SocketAddr;

use schemars::JsonSchema;
use serde::Serialize;

use super::service::Service;
use crate::api::{self, Key};
use crate::config::env_names::VM_API_KEY;
use crate::context::Context;
use crate::document::Document;
use crate::error::Exit;

/// Serve the HTTP API of the old system, for a backend that still speaks it
///
/// POST /api/folders/create, /api/folders/status and /api/folders/process, GET /api/status/JOB and /api/health, with the
/// key that callers send as X-API-Key. What is accepted is recorded first: a crash loses nothing, and the next start goes on.
///
///     VM_API_KEY=$(openssl rand -hex 32) tecnico --sandbox sb serve
///
/// SIGTERM ends it after the requests and the steps in hand. Callbacks are delivered by it too; files that reach novos by
/// themselves are `tecnico watch`'s.
#[derive(Debug, clap::Args)]
#[command(verbatim_doc_comment)]
pub struct Args {
    /// Where to listen [default: serve.listen]
    #[arg(long, value_name = "ADDRESS:PORT")]
    listen: Option<SocketAddr>,
    /// DANGEROUS: accept an address that other machines reach. There is no TLS: whoever reads the network has the key,
    /// and with it can make folders, share them and start your processor
    #[arg(long)]
    allow_network: bool,
}

/// It listens.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Report {
    url: String,
}

impl Document for Report {
    const SCHEMA: &'static str = "tecnico.serve/1";
}

/// Runs `tecnico serve`.
pub async fn run(args: Args, context: &Context) -> anyhow::Result<Exit> {
    let settings = &context.settings().await?.serve;
    let key = Key::load(std::env::var(VM_API_KEY).ok(), settings.api_key_file.as_deref())?;
    let listener = api::listen(args.listen.unwrap_or(settings.listen), args.allow_network).await?;
    let agent = context.agent().await?;
    let turn = api::take_turn(&agent)?;
    let url = format!("http://{}", listener.local_addr()?);
    if context.ui.is_json() {
        context.ui.json(&Report { url });
    } else {
        context.ui.say(format!("listening on {url}"));
    }
    if !listener.local_addr()?.ip().is_loopback() {
        context.ui.warn("warning: other machines reach this address, and keys cross the network unencrypted");
    }
    let _service = Service::up("serving");
    api::run(turn, agent, key, listener).await?;
    Ok(Exit::Done)
}
