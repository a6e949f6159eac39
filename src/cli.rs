//! The command line, whole: the global flags and one entry a command.

use clap::{Parser, Subcommand};

use crate::commands::{check, config, create, demo, import, list, man, sandbox, share, ssh_gate};
use crate::context::Global;

/// Folder trees for field technicians on a VM and on Google Drive, and the agent that files their work orders.
///
/// Every technician gets the same tree on both sides: novos, shared with them, where work orders arrive, and
/// processados and erro, where they end. See what that looks like, without an account or a config:
///
///     tecnico demo
#[derive(Debug, Parser)]
#[command(name = "tecnico", version, verbatim_doc_comment, arg_required_else_help = true, propagate_version = true)]
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
pub enum Command {
    /// Make a technician's folders on Drive and on the VM, and share novos with them
    Create(create::Args),
    /// Say what is missing or wrong, for one technician or all; --repair puts it right
    Check(check::Args),
    /// Say or change with whom a technician's novos is shared
    Share(share::Args),
    /// List the technicians
    List(list::Args),
    /// Adopt the technicians and trees of an existing tecnicos.json
    Import(import::Args),
    /// See it all work: an embedded Drive, three technicians, both trees, no account
    Demo(demo::Args),
    /// Keep an embedded Drive running in a directory, for trying things by hand
    Sandbox(sandbox::Args),
    /// Show the settings in force, or the commented example
    Config(config::Args),
    /// Let an SSH key run the commands it was given, and nothing else
    SshGate(ssh_gate::Args),
    /// Write the man pages
    #[command(hide = true)]
    Man(man::Args),
}
