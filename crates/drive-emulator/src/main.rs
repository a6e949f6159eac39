//! The `drive-emulator` binary.

use std::net::IpAddr;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use drive_emulator::DriveEmulator;
use tokio::signal::unix::{SignalKind, signal};

/// A Google Drive v3 server for tests: real HTTP, real rules, faults on demand.
///
/// Prints its address on one line and serves until it is stopped. Make users, act as them, inject faults and
/// read back requests under /_emulator/ of that address.
#[derive(Debug, Parser)]
#[command(version)]
struct Cli {
    /// Where everything is kept; several processes may serve one directory. Without it nothing outlives the process.
    #[arg(long, value_name = "DIR", env = "DRIVE_EMULATOR_DATA")]
    data: Option<PathBuf>,
    /// The port on 127.0.0.1; 0 takes a free one.
    #[arg(long, default_value_t = 0, env = "DRIVE_EMULATOR_PORT")]
    port: u16,
    /// What clients reach it by, if that is another address, such as https://www.googleapis.com behind a TLS proxy.
    #[arg(long, value_name = "URL")]
    public_base_url: Option<String>,
    /// Listen on this address instead of 127.0.0.1. The emulator asks nobody for a password: whoever reaches it
    /// reads and changes everything in it and acts as anybody.
    #[arg(long, value_name = "ADDRESS")]
    dangerously_expose_to: Option<IpAddr>,
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    match run(cli) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            say(&mut std::io::stderr(), &format!("drive-emulator: {error:#}"));
            ExitCode::FAILURE
        }
    }
}

fn run(cli: Cli) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        let mut builder = DriveEmulator::builder().port(cli.port);
        if let Some(dir) = cli.data {
            builder = builder.data(dir);
        }
        if let Some(url) = cli.public_base_url {
            let web = url.starts_with("http://") || url.starts_with("https://");
            anyhow::ensure!(web, "--public-base-url {url:?} is no address; give one such as https://www.googleapis.com");
            builder = builder.public_base_url(url);
        }
        if let Some(address) = cli.dangerously_expose_to {
            let warning = format!("drive-emulator: WARNING: listening on {address}; whoever reaches it reads, changes and acts as anybody");
            say(&mut std::io::stderr(), &warning);
            builder = builder.expose_to_everyone_who_reaches(address);
        }
        let emulator = builder.start().await?;
        say(&mut std::io::stdout(), emulator.url());
        // Both ways of asking it to stop let temporary data go with it.
        let mut asked = signal(SignalKind::terminate())?;
        tokio::select! {
            pressed = tokio::signal::ctrl_c() => pressed?,
            _ = asked.recv() => {}
        }
        Ok(())
    })
}

/// Writes a line; a reader that has gone away is no reason to stop serving.
fn say(to: &mut impl std::io::Write, line: &str) {
    let _ = writeln!(to, "{line}").and_then(|()| to.flush());
}
