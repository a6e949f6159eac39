//! `tecnico ssh-gate`.

use std::ffi::OsStr;
use std::fs::OpenOptions;
use std::io::Write;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::OpenOptionsExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use schemars::JsonSchema;
use serde::Serialize;

use crate::context::{Context, Global};
use crate::document::{Document, Named};
use crate::domain::clock;
use crate::domain::gate::{Admitted, Gate, Why, outline};
use crate::error::{Exit, Failure};

/// Let an SSH key run the commands it was given, and nothing else
///
/// For the command="…" of a line in authorized_keys, together with `restrict`:
///
///     restrict,command="tecnico ssh-gate --allow create,check" ssh-ed25519 AAAA… backend
///
/// What the caller asked for (SSH_ORIGINAL_COMMAND) is split into words without a shell. Verbs,
/// flags and numbers of words that are on no list are refused with exit 77 and a JSON error;
/// nothing that names a file can be asked for. Global flags of the gate itself, such as
/// --config, are passed on.
///
///     tecnico --config /etc/tecnico/config.toml ssh-gate --allow create,check,status
#[derive(Debug, clap::Args)]
#[command(verbatim_doc_comment)]
pub struct Args {
    /// The commands the key may run
    #[arg(long, value_name = "VERB", value_delimiter = ',', required = true)]
    allow: Vec<String>,
    /// Only for user ids that begin with this: commands that act on everybody are refused, and nobody else is changed or named
    #[arg(long, value_name = "PREFIX")]
    user_prefix: Option<String>,
    /// Append one JSON line a call, refused ones too; a call that cannot be logged is refused
    #[arg(long, value_name = "FILE")]
    log: Option<PathBuf>,
    /// What this key is called in the log
    #[arg(long, value_name = "NAME")]
    label: Option<String>,
}

/// One line of the audit log that `ssh-gate --log` keeps.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Audit<'a> {
    at: String,
    label: Option<&'a str>,
    /// Address and port of the caller, as sshd says.
    client: Option<String>,
    allowed: bool,
    command: Vec<String>,
    bytes: usize,
    reason: Option<String>,
}

impl Document for Audit<'_> {
    const SCHEMA: &'static str = "tecnico.ssh-gate/1";
}

/// Runs `tecnico ssh-gate`. Where the command is allowed, this process becomes it and never returns.
pub fn run(args: &Args, context: &Context) -> anyhow::Result<Exit> {
    let asked = std::env::var_os("SSH_ORIGINAL_COMMAND").unwrap_or_default();
    let answer = admit(args, &asked);
    if let Some(log) = &args.log {
        let (command, reason) = match &answer {
            Ok(admitted) => (admitted.shown.clone(), None),
            Err(refusal) => (outline(&asked.to_string_lossy()), Some(refusal.reason.clone())),
        };
        let line = Audit {
            at: clock::rfc3339(clock::now()),
            label: args.label.as_deref(),
            client: std::env::var("SSH_CONNECTION").ok().map(|c| c.split(' ').take(2).collect::<Vec<_>>().join(" ")),
            allowed: answer.is_ok(),
            command,
            bytes: asked.as_bytes().len(),
            reason,
        };
        append(log, &line)?;
    }
    let admitted = answer.map_err(|refusal| refusal.failure)?;
    Err(become_it(&admitted, &context.global, args.user_prefix.as_deref()).into())
}

/// A call that is not let through: what the log is told, and what the caller is.
struct Refusal {
    reason: String,
    failure: Failure,
}

fn admit(args: &Args, asked: &OsStr) -> Result<Admitted, Refusal> {
    let gate = Gate::new(&args.allow, args.user_prefix.as_deref()).map_err(|why| Refusal {
        reason: format!("the line in authorized_keys is wrong: {why}"),
        failure: Failure::new(Exit::Usage, "usage", why).hint("correct the line in authorized_keys"),
    })?;
    asked.to_str().ok_or(Why::NotText).and_then(|line| gate.admit(line)).map_err(|why| Refusal {
        reason: reason(&why),
        failure: Failure::new(Exit::Refused, "gate_refused", why.to_string()).hint(gate.hint(&why)),
    })
}

/// A reason for the log, which must not repeat what was typed: it may be a secret in the wrong place.
fn reason(why: &Why) -> String {
    match why {
        Why::Verb(_) => "verb not allowed".to_owned(),
        Why::Flag(..) => "flag not allowed".to_owned(),
        other => other.to_string(),
    }
}

/// Appends one whole line in one write, so that lines of calls at the same time do not mix.
fn append(log: &Path, line: &Audit<'_>) -> Result<(), Failure> {
    let unwritten = || {
        Failure::new(Exit::CannotCreate, "audit_unwritable", "the audit log cannot be written, so nothing was run")
            .hint("an administrator has to make the file of `ssh-gate --log` writable for this user")
    };
    let mut text = serde_json::to_vec(&Named::from(line)).map_err(|e| unwritten().because(e))?;
    text.push(b'\n');
    let mut file = OpenOptions::new().append(true).create(true).mode(0o640).open(log).map_err(|e| unwritten().because(e))?;
    file.write_all(&text).map_err(|e| unwritten().because(e))
}

/// Turns this process into the same program with the checked words and an environment that the caller had no part in.
fn become_it(admitted: &Admitted, global: &Global, prefix: Option<&str>) -> Failure {
    // The running file itself: an upgrade may have replaced the one at its path.
    let mut command = Command::new("/proc/self/exe");
    command.arg0("tecnico");
    for (flag, value) in [
        ("--config", &global.config),
        ("--sandbox", &global.sandbox),
        ("--base-dir", &global.base_dir),
        ("--credentials", &global.credentials),
    ] {
        if let Some(path) = value {
            command.arg(flag).arg(path);
        }
    }
    command.args(prefix.map(|prefix| format!("--within={prefix}")));
    command.args(["--no-input", "--no-progress", "--color=never"]).args(&admitted.argv);
    command.env_clear().env("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin");
    for name in ["HOME", "USER", "LOGNAME"] {
        if let Some(value) = std::env::var_os(name) {
            command.env(name, value);
        }
    }
    Failure::new(Exit::Bug, "gate_exec", "the command could not be started").because(command.exec())
}
