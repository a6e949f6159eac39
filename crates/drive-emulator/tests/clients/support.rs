//! One emulator, people, and child processes that are clients of it.

use std::ffi::OsStr;
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

use drive_emulator::{Control, DriveEmulator, User};

/// How long a client may take for everything it does, in seconds; coreutils' `timeout` ends it then.
const LIMIT: &str = "240";

/// Tests of one process that made a directory.
static MADE: AtomicU32 = AtomicU32::new(0);

/// A running emulator with two people.
pub struct Rig {
    pub emulator: DriveEmulator,
    pub control: Control,
    pub ana: User,
    pub bea: User,
}

impl Rig {
    pub async fn start() -> Self {
        Self::of(DriveEmulator::start().await)
    }

    pub fn of(emulator: DriveEmulator) -> Self {
        let control = emulator.control();
        let ana = control.user("ana@example.com").expect("an account is made");
        let bea = control.user("bea@example.com").expect("an account is made");
        Self { emulator, control, ana, bea }
    }

    /// A client with what it has to know in its environment, which is empty but for that: no proxy and no
    /// credential of this machine gets into a test.
    pub fn command(&self, program: impl AsRef<OsStr>) -> Command {
        let mut command = limited(program);
        command
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("EMULATOR_URL", self.emulator.url())
            .env("TOKEN", &self.ana.token)
            .env("TOKEN_BEA", &self.bea.token);
        command
    }

    /// How often the client called `op`.
    pub fn count(&self, op: &str) -> u64 {
        self.control.counts().get(op).copied().unwrap_or(0)
    }

    /// Holds that nothing the client asked for is unknown to the emulator.
    pub fn nothing_unknown(&self) {
        let unknown: Vec<String> = self
            .control
            .requests()
            .iter()
            .filter(|request| request.op == "unknown")
            .map(|request| format!("{} {}?{}", request.method, request.path, request.query))
            .collect();
        assert!(unknown.is_empty(), "the client asks for what is not there: {unknown:#?}");
    }
}

/// A directory of its own, which goes with it.
pub struct Place(PathBuf);

impl Place {
    pub fn new() -> Self {
        let name = format!("client-{}-{}", std::process::id(), MADE.fetch_add(1, Ordering::Relaxed));
        let dir = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        std::fs::create_dir_all(&dir).expect("a directory for the test");
        Self(dir)
    }

    pub fn path(&self) -> &Path {
        &self.0
    }

    pub fn file(&self, name: &str, text: &str) -> PathBuf {
        std::fs::write(self.0.join(name), text).expect("a file");
        self.0.join(name)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        // A directory left behind harms nobody.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// An address that was free a moment ago.
pub fn free() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).expect("a free port")
}

/// A command that ends in time.
pub fn limited(program: impl AsRef<OsStr>) -> Command {
    let mut command = Command::new("timeout");
    command.arg(LIMIT).arg(program).stdin(Stdio::null());
    command
}

/// Runs a command to its end and gives its standard output; fails with everything it said.
pub async fn finish(mut command: Command) -> String {
    // Not the environment: there are keys in it.
    let line: Vec<String> = command.get_args().skip(1).map(|word| word.to_string_lossy().into_owned()).collect();
    let line = line.join(" ");
    let output =
        tokio::task::spawn_blocking(move || command.output()).await.expect("the wait for a client goes on").expect("timeout starts");
    let said = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let why = match output.status.code() {
        Some(0) => return said(&output.stdout),
        Some(124) => format!("was not done after {LIMIT} s"),
        Some(126 | 127) => "does not start; scripts/test installs the clients".to_owned(),
        _ => format!("ended with {}", output.status),
    };
    panic!("{line} {why}\n{}\n{}", said(&output.stdout), said(&output.stderr));
}

/// A directory `scripts/test` fills, named by a variable or below `target/`.
pub fn installed(variable: &str, below_target: &str) -> PathBuf {
    let default = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target").join(below_target);
    let dir = std::env::var_os(variable).map_or_else(default, PathBuf::from);
    assert!(dir.is_dir(), "{} is missing: scripts/test installs the clients these tests run", dir.display());
    dir
}

/// The interpreter with Google's client in it.
pub fn python() -> PathBuf {
    installed("TECNICO_TEST_VENV", "test-venv").join("bin/python")
}

/// A file beside these tests.
pub fn beside(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/clients").join(name)
}
