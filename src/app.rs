//! One run: what was typed becomes settings, one command, one exit code; every failure is printed here.

use std::ffi::OsString;
use std::process::ExitCode;

use clap::CommandFactory;
use clap::error::ErrorKind;

use crate::cli::{Cli, Command};
use crate::commands;
use crate::context::Context;
use crate::error::{Exit, Failure};
use crate::ui::{Color, Ui};
use crate::verdict::{Advice, ErrorBody, ErrorDocument, advice};

/// Runs one command line to its end.
pub fn main(args: impl IntoIterator<Item = OsString>) -> ExitCode {
    let args: Vec<OsString> = args.into_iter().collect();
    let exit = match Cli::read(&args) {
        Ok(cli) => run(cli),
        Err(fault) => usage(&fault, args.iter().any(|a| a == "--json")),
    };
    ExitCode::from(exit as u8)
}

fn run(cli: Cli) -> Exit {
    let global = &cli.global;
    // Behind the gate sits a program, whatever it asked for.
    let json = global.json || matches!(cli.command, Command::SshGate(_));
    let ui = Ui::new(json, global.quiet, global.color, global.no_progress).beginning(global.before()).repeating(global.same());
    let stays = match &cli.command {
        Command::Watch(args) => args.stays(),
        Command::Serve(_) => true,
        _ => false,
    };
    // Behind a gate with a prefix, stderr is the caller's, and a line of the log may be about somebody else.
    if global.within.is_none() {
        crate::log::start(global.verbose, global.quiet, global.json, stays);
    }
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(e) => return report(&ui, &anyhow::Error::from(e).context("the runtime did not start")),
    };
    let ended = runtime.block_on(async {
        let context = Context::new(ui.clone(), cli.global, cli.command.begins_sandbox());
        let ended = Box::pin(dispatch(cli.command, &context)).await;
        context.close().await;
        ended
    });
    runtime.shutdown_background();
    let exit = ended.unwrap_or_else(|fault| report(&ui, &fault));
    if crate::ui::output_was_lost() && matches!(exit, Exit::Done | Exit::NotClean) {
        ui.warn("error: the work is done, but its result could not be written to stdout");
        return Exit::Io;
    }
    exit
}

async fn dispatch(command: Command, context: &Context) -> anyhow::Result<Exit> {
    match command {
        Command::Create(args) => commands::create::run(args, context).await,
        Command::Check(args) => commands::check::run(args, context).await,
        Command::Share(args) => commands::share::run(args, context).await,
        Command::Remove(args) => Box::pin(commands::remove::run(args, context)).await,
        Command::Rename(args) => commands::rename::run(args, context).await,
        Command::List(args) => commands::list::run(&args, context).await,
        Command::Import(args) => commands::import::run(args, context).await,
        Command::Watch(args) => commands::watch::run(args, context).await,
        Command::Process(args) => commands::process::run(args, context).await,
        Command::Status(args) => commands::status::run(&args, context).await,
        Command::Why(args) => commands::why::run(&args, context).await,
        Command::Retry(args) => commands::retry::run(args, context).await,
        Command::Callbacks(args) => commands::callbacks::run(args, context).await,
        Command::Changes(args) => commands::changes::run(args, context).await,
        Command::Demo(args) => Box::pin(commands::demo::run(args, context)).await,
        Command::Sandbox(args) => commands::sandbox::run(&args, context).await,
        Command::Config(args) => commands::config::run(&args, context).await,
        Command::Init(args) => commands::init::run(&args, context).await,
        Command::Ledger(args) => commands::ledger::run(&args, context).await,
        Command::Doctor(args) => commands::doctor::run(&args, context).await,
        Command::Serve(args) => commands::serve::run(args, context).await,
        Command::SshGate(args) => commands::ssh_gate::run(&args, context),
        Command::Completions(args) => commands::completions::run(&args, &Cli::command(), context).await,
        Command::Man(args) => commands::man::run(&args, &Cli::command_in_paragraphs()),
        Command::Schema(args) => commands::schema::run(&args),
    }
}

/// Prints a failure once, for a person or a program, and gives the exit code.
pub fn report(ui: &Ui, fault: &anyhow::Error) -> Exit {
    let Advice { exit, code, hint } = advice(fault);
    let message = fault.to_string();
    let mut causes: Vec<String> = Vec::new();
    for cause in fault.chain().skip(1).map(ToString::to_string) {
        if !message.contains(&cause) && causes.last() != Some(&cause) {
            causes.push(cause);
        }
    }
    if ui.is_json() {
        ui.json(&ErrorDocument { error: ErrorBody { code: code.to_owned(), message, hint, causes } });
        return exit;
    }
    ui.failure(code, &message, &causes, hint.as_deref());
    exit
}

/// Help and versions are results; anything else clap says is a usage error.
fn usage(fault: &clap::Error, json: bool) -> Exit {
    let ui = Ui::new(json, false, Color::Auto, true);
    match fault.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => {
            let _ = fault.print();
            Exit::Done
        }
        _ if json => {
            let text = fault.render().to_string();
            let said: Vec<&str> = text.lines().take_while(|l| !l.is_empty()).map(str::trim).collect();
            let message = said.join(" ").trim_start_matches("error: ").to_owned();
            report(&ui, &Failure::new(Exit::Usage, "usage", message).hint("see `tecnico --help`").into())
        }
        _ => {
            let _ = fault.print();
            Exit::Usage
        }
    }
}
