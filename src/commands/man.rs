//! `tecnico man`: the man pages, from the same definitions as the help and the settings.

mod config_page;
mod roff;

use std::path::PathBuf;

use anyhow::Context as _;
use clap::Command;

use crate::config::EXAMPLE;
use crate::config::places::OF_THE_MACHINE;
use crate::error::Exit;
use roff::{entry, escaped, polished};

/// The day this version's words were last looked over; a page must not change with the day it is built on.
const DATE: &str = "2026-11-23";

/// Write the man pages into a directory
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Where to
    dir: PathBuf,
}

/// Runs `tecnico man`.
pub fn run(args: &Args, cli: &Command) -> anyhow::Result<Exit> {
    for (name, page) in pages(cli)? {
        let path = args.dir.join(&name);
        std::fs::write(&path, page).with_context(|| format!("cannot write {}", path.display()))?;
    }
    Ok(Exit::Done)
}

/// Every page by file name: `tecnico.1`, one a command, and `tecnico-config.5` on the settings.
pub fn pages(cli: &Command) -> anyhow::Result<Vec<(String, String)>> {
    let mut root = cli.clone().disable_help_subcommand(true).propagate_version(false).disable_version_flag(true);
    root.build();
    let names: Vec<String> = root.get_subcommands().filter(|c| !c.is_hide_set()).map(|c| c.get_name().to_owned()).collect();
    let mut pages = vec![("tecnico.1".to_owned(), whole(&root, &names)?)];
    for command in root.get_subcommands().filter(|c| !c.is_hide_set()) {
        of_command(command, "tecnico", &mut pages)?;
    }
    pages.push(("tecnico-config.5".to_owned(), config_page::page(EXAMPLE, DATE)));
    Ok(pages)
}

/// The page of a command, and those of its own commands.
fn of_command(command: &Command, above: &str, pages: &mut Vec<(String, String)>) -> anyhow::Result<()> {
    let typed = format!("{above} {}", command.get_name());
    let name = typed.replace(' ', "-");
    // The global options stand on one page only.
    let mut own = command.clone().name(name.clone()).display_name(name.clone()).bin_name(typed.clone());
    own = own.mut_args(|a| if a.is_global_set() { a.hide(true) } else { a });
    let mut text = beginning(own)?;
    text.push_str(".PP\nThe options that every command takes, and the exit status, are in\n.BR tecnico (1).\n.SH SEE ALSO\n.BR tecnico (1),\n.BR tecnico-config (5)\n");
    pages.push((format!("{name}.1"), polished(&text)));
    for below in command.get_subcommands().filter(|c| !c.is_hide_set() && c.get_name() != "help") {
        of_command(below, &typed, pages)?;
    }
    Ok(())
}

/// The page of the program.
fn whole(root: &Command, names: &[String]) -> anyhow::Result<String> {
    let mut text = beginning(root.clone())?;
    text.push_str(".SH EXIT STATUS\n");
    for (code, meaning) in Exit::ALL.map(|exit| (exit as u8, exit.meaning())) {
        text.push_str(&entry(&format!(".B {code}"), meaning));
    }
    text.push_str(".SH ENVIRONMENT\n");
    for (name, meaning) in crate::config::env_names::MAY_BE_SET {
        text.push_str(&entry(&format!(".B {name}"), meaning));
    }
    text.push_str(".SH FILES\n");
    for (file, meaning) in [
        (OF_THE_MACHINE, "The settings, described in tecnico-config(5)."),
        ("/etc/tecnico/keys", "The keys: of the service account, for portal passwords (secrets.key_file), for signing callbacks."),
        ("/var/lib/tecnico/ledger.db", "What tecnico knows and has promised (ledger.path). Back it up with `tecnico ledger backup`."),
        ("/srv/tecnicos", "The technicians' folders and tecnicos.json (vm.base_dir)."),
        (
            "/etc/systemd/system/tecnico-*.service.d/tecnico-paths.conf",
            "Lets the units write to a vm.base_dir or ledger.path elsewhere. Written by `tecnico init` and by what `tecnico doctor` prints.",
        ),
    ] {
        text.push_str(&entry(&format!(".I {}", escaped(file)), meaning));
    }
    let others: Vec<String> = names.iter().map(|name| format!(",\n.BR tecnico-{name} (1)")).collect();
    text.push_str(&[".SH SEE ALSO\n.BR tecnico-config (5)", &others.concat(), "\n"].concat());
    Ok(polished(&text))
}

/// Title, name, synopsis, description, options and commands.
fn beginning(mut command: Command) -> anyhow::Result<String> {
    let usage = command.render_usage().to_string();
    let usage = usage.trim_start_matches("Usage: ").to_owned();
    let name = command.get_name().to_owned();
    command = command.override_usage(usage).subcommand_help_heading("COMMANDS");
    let man = clap_mangen::Man::new(command.clone());
    let mut text = format!(".TH {} 1 {DATE} \"tecnico {}\"\n", escaped(&name.to_uppercase()), env!("CARGO_PKG_VERSION")).into_bytes();
    man.render_name_section(&mut text)?;
    man.render_synopsis_section(&mut text)?;
    man.render_description_section(&mut text)?;
    if command.has_subcommands() {
        man.render_subcommands_section(&mut text)?;
    }
    man.render_options_section(&mut text)?;
    let text = String::from_utf8(text)?;
    // Pages are read as files: what a library thinks of the reader's quotes is left out.
    let text = text.replace(".ie \\n(.g .ds Aq \\(aq\n.el .ds Aq '\n", "").replace("\\*(Aq", "\\(aq");
    Ok(text)
}
