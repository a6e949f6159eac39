//! The command line, whole: the global flags and one entry a command.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

use crate::commands::{check, config, create, demo, import, list, man, sandbox, share};
use crate::ui::Color;

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

/// Flags that every command takes.
#[derive(Debug, Args)]
#[command(next_help_heading = "Global options")]
pub struct Global {
    /// The configuration file [default: the first of $TECNICO_CONFIG, $XDG_CONFIG_HOME/tecnico/config.toml, /etc/tecnico/config.toml]
    #[arg(long, global = true, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Use an embedded Drive kept in DIR, with everything else, instead of Google's
    #[arg(long, global = true, value_name = "DIR")]
    pub sandbox: Option<PathBuf>,
    /// Where the technicians' folders lie on the VM (also VM_BASE_FOLDER)
    #[arg(long, global = true, value_name = "DIR")]
    pub base_dir: Option<PathBuf>,
    /// The credentials file (also GOOGLE_APPLICATION_CREDENTIALS)
    #[arg(long, global = true, value_name = "FILE")]
    pub credentials: Option<PathBuf>,
    /// Print the result as one JSON document (streams: one a line); errors too
    #[arg(long, global = true)]
    pub json: bool,
    /// Say nothing on stderr but what must be heard
    #[arg(long, short, global = true)]
    pub quiet: bool,
    /// Log more: -v what is done, -vv every Drive call
    #[arg(long, short, global = true, action = clap::ArgAction::Count)]
    pub verbose: u8,
    /// When to colour
    #[arg(long, global = true, value_enum, default_value = "auto", value_name = "WHEN")]
    pub color: Color,
    /// Show no progress bars
    #[arg(long, global = true)]
    pub no_progress: bool,
    /// Never ask; fail where an answer would be needed
    #[arg(long, global = true)]
    pub no_input: bool,
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
    /// Write the man pages
    #[command(hide = true)]
    Man(man::Args),
}
