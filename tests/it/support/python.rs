//! Programs in Python that nobody here wrote, as the other side of a format.

use std::process::Command;

use anyhow::{Context, ensure};

/// Runs a Python program with arguments and gives what it printed. The interpreter is the one of the virtual
/// environment in `TECNICO_TEST_VENV`, which `scripts/test` makes; a missing package fails the test.
pub fn run(program: &str, arguments: &[&str]) -> anyhow::Result<String> {
    run_with(program, arguments, &[])
}

/// The same with more in its environment.
pub fn run_with(program: &str, arguments: &[&str], environment: &[(String, String)]) -> anyhow::Result<String> {
    let python = std::env::var_os("TECNICO_TEST_VENV")
        .map_or_else(|| "python3".into(), |venv| std::path::PathBuf::from(venv).join("bin").join("python"));
    let output = Command::new(&python)
        .args(["-c", program])
        .args(arguments)
        .envs(environment.iter().map(|(name, value)| (name, value)))
        .output()
        .with_context(|| format!("cannot start {}: run scripts/test, which installs what the tests need", python.display()))?;
    let errors = String::from_utf8_lossy(&output.stderr);
    ensure!(!errors.contains("ModuleNotFoundError"), "a Python package is missing: run scripts/test, which installs it\n{errors}");
    ensure!(output.status.success(), "{} ended with {}\n{errors}", python.display(), output.status);
    Ok(String::from_utf8(output.stdout)?)
}

/// A person at a terminal of their own: `begin` says what runs there, `type` is what they type, `until` what they wait to see.
const PERSON: &str = r#"
import json, os, pty, select, sys, time
seen, at = b"", 0
def begin(program, words, environment):
    global person, terminal
    person, terminal = pty.fork()
    if person == 0: os.execvpe(program, words, environment)
def type(text): os.write(terminal, text.encode())
def until(text):
    global seen, at
    text = text.encode()
    deadline = time.monotonic() + 60
    while text not in seen[at:]:
        ready, _, _ = select.select([terminal], [], [], max(0, deadline - time.monotonic()))
        if not ready: sys.exit("waited for %r, saw %r" % (text, seen[at:]))
        try: seen += os.read(terminal, 4096)
        except OSError: sys.exit("ended before %r: %r" % (text, seen))
    at = seen.index(text, at) + len(text)
"#;

/// Runs a program in which there is a person at a terminal.
pub fn person(program: &str, arguments: &[&str]) -> anyhow::Result<String> {
    run(&format!("{PERSON}{program}"), arguments)
}
