//! The command line, whole: the global flags and one entry a command.

use std::ffi::OsString;

use clap::{Arg, CommandFactory, FromArgMatches, Parser, Subcommand};

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

impl Cli {
    /// What was typed, read by a command line whose help fits the terminal: paragraphs are as wide as it is, and the global
    /// options, which would be most of each command's page, are explained on the program's own.
    pub fn read(args: &[OsString]) -> Result<Self, clap::Error> {
        let mut cli = Self::command_in_paragraphs();
        let globals: Vec<Arg> = cli.get_arguments().filter(|a| a.is_global_set()).cloned().collect();
        let names: Vec<String> = globals.iter().filter_map(|a| a.get_long().map(|long| format!("--{long}"))).collect();
        let named = format!("Options of every command, explained by `tecnico --help`: {}", names.join(", "));
        let mut page = clap::Command::new("global").disable_help_flag(true).help_template("{all-args}").args(globals);
        cli = cli.mut_args(|a| if a.is_global_set() { a.hide(true) } else { a }).after_help(page.render_help());
        cli = cli.mut_subcommands(|command| with_after_help(command, &named));
        let mut matches = cli.try_get_matches_from(args)?;
        Self::from_arg_matches_mut(&mut matches)
    }

    /// The command line, its help without the line ends of its source: whoever prints it breaks lines where they have to be.
    pub fn command_in_paragraphs() -> clap::Command {
        in_paragraphs(Self::command())
    }
}

fn with_after_help(command: clap::Command, text: &str) -> clap::Command {
    command.after_help(text.to_owned()).mut_subcommands(|below| with_after_help(below, text))
}

fn in_paragraphs(command: clap::Command) -> clap::Command {
    let long = command.get_long_about().map(|text| joined(&text.to_string()));
    let command = if let Some(long) = long { command.long_about(long) } else { command };
    command.mut_subcommands(in_paragraphs)
}

/// The lines of each paragraph in one; indented ones, the examples, stay.
fn joined(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut flows = false;
    for line in text.lines() {
        let is_prose = !line.is_empty() && !line.starts_with(' ');
        if !out.is_empty() {
            out.push(if flows && is_prose { ' ' } else { '\n' });
        }
        out.push_str(line);
        flows = is_prose;
    }
    out
}

impl Command {
    /// Whether it may make the sandbox that `--sandbox` names: what only looks, or has nothing to work on there, may not.
    pub fn begins_sandbox(&self) -> bool {
        match self {
            Self::Create(args) => !args.is_dry_run(),
            Self::Import(args) => !args.is_dry_run(),
            _ => false,
        }
    }
}
