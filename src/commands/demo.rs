//! stub
use crate::context::Context;
use crate::error::Exit;
/// stub
#[derive(Debug, clap::Args)]
pub struct Args {}
/// stub
pub async fn run(_args: Args, _context: &Context) -> anyhow::Result<Exit> {
    Ok(Exit::Done)
}
