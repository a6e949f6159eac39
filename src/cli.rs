//! The command line, whole: the global flags and one entry a command.

use clap::{Parser, Subcommand};

use crate::commands::{
    callbacks, changes, check, completions, config, create, demo, doctor, import, init, ledger, list, man, process, remove, rename, retry,
    sandbox, schema, serve, share, ssh_gate, status, watch, why,
};
use crate::context::Global;

/// What `--version` prints: the version, the commit, and what was built in.
const LONG_VERSION: &str = concat!(
    env!("CARGO_PKG_VERSION"),
    " (",
    env!("TECNICO_BUILT"),
    ")\nbuilt in: ledger on SQLite, TLS by rustls and ring, the system's CA certificates, embedded Drive"
);

/// Folder trees for field technicians on a VM and on Google Drive, and the agent that files
/// their work orders.
///
/// Every technician gets the same tree on both sides: novos, shared with them, where work
/// orders arrive, and processados and erro, where they end. See what that looks like, without
/// an account or a config:
///
///     tecnico demo
#[derive(Debug, Parser)]
#[command(name = "tecnico", version, long_version = LONG_VERSION, verbatim_doc_comment, arg_required_else_help = true, propagate_version = true)]
pub struct Cli {
    /// Flags that every command takes.
    #[command(flatten)]
    pub global: Global,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// The commands.
#[derive(Debug, Subcommand)]
#[expect(missing_docs, reason = "each command's help stands on its own arguments")]
pub enum Command {
    Create(create::Args),
    Check(check::Args),
    Share(share::Args),
    Remove(remove::Args),
    Rename(rename::Args),
    List(list::Args),
    Import(import::Args),
    Watch(watch::Args),
    Process(process::Args),
    Status(status::Args),
    Why(why::Args),
    Retry(retry::Args),
    Callbacks(callbacks::Args),
    Changes(changes::Args),
    Demo(demo::Args),
    Sandbox(sandbox::Args),
    Config(config::Args),
    Init(init::Args),
    Doctor(doctor::Args),
    Ledger(ledger::Args),
    Serve(serve::Args),
    SshGate(ssh_gate::Args),
    Completions(completions::Args),
    #[command(hide = true)]
    Man(man::Args),
    #[command(hide = true)]
    Schema(schema::Args),
}
