//! `tecnico man`: the man pages, from the same definition as the help.

use std::path::{Path, PathBuf};

use crate::error::Exit;
use anyhow::Context as _;

/// Write the man pages into a directory.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Where to
    dir: PathBuf,
}

/// Runs `tecnico man`.
pub fn run(args: &Args, cli: &clap::Command) -> anyhow::Result<Exit> {
    for (name, page) in pages(cli)? {
        let path = args.dir.join(&name);
        std::fs::write(&path, page).with_context(|| format!("cannot write {}", path.display()))?;
    }
    Ok(Exit::Done)
}

/// Every page by file name: `tecnico.1` and one a command.
pub fn pages(cli: &clap::Command) -> anyhow::Result<Vec<(PathBuf, Vec<u8>)>> {
    let mut root = cli.clone().disable_help_subcommand(true);
    root.build();
    let mut pages = vec![page(Path::new("tecnico.1"), root.clone())?];
    for command in root.get_subcommands().filter(|c| !c.is_hide_set()) {
        let name = format!("tecnico-{}", command.get_name());
        pages.push(page(Path::new(&format!("{name}.1")), command.clone().name(name.clone()).bin_name(name.replacen('-', " ", 1)))?);
    }
    Ok(pages)
}

fn page(file: &Path, command: clap::Command) -> anyhow::Result<(PathBuf, Vec<u8>)> {
    let mut text = Vec::new();
    clap_mangen::Man::new(command).date("").render(&mut text)?;
    Ok((file.to_owned(), text))
}
