//! A real OpenSSH server on a free port of loopback, with one key that runs the gate.
//!
//! Its own settings allow everything a server can allow, so that what holds is the line in `authorized_keys`.

use std::io::Read;
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::TempDir;

use crate::support::documents;

const PATIENCE: Duration = Duration::from_secs(20);
const MISSING: &str = "OpenSSH is missing: run scripts/test, which installs what the tests need";

/// A running server; stops when dropped.
pub struct Sshd {
    dir: TempDir,
    port: u16,
    server: Child,
    /// One connection that many calls share, each of them a session and a gate of its own.
    connection: Option<Child>,
}

impl Sshd {
    /// Starts one whose key runs `tecnico ssh-gate` with these arguments.
    pub fn start(gate: &str) -> Self {
        Self::start_with(gate, "restrict")
    }

    /// The same, with other options before the command in `authorized_keys`.
    pub fn start_with(gate: &str, options: &str) -> Self {
        let dir = tempfile::tempdir().expect("a directory");
        let path = |name: &str| dir.path().join(name);
        for key in ["host", "client"] {
            let made = Command::new("ssh-keygen").args(["-q", "-t", "ed25519", "-N", "", "-f"]).arg(path(key)).status().expect(MISSING);
            assert!(made.success());
        }
        let config = "[drive]\nparent_folder_id = \"unused\"\n[ledger]\npath = \"state/ledger.db\"\n[vm]\nbase_dir = \"vm\"\n";
        std::fs::write(path("config.toml"), config).expect("written");
        let public = std::fs::read_to_string(path("client.pub")).expect("a key");
        let command = format!(
            "{} --config {} ssh-gate --log {} --label backend {gate}",
            env!("CARGO_BIN_EXE_tecnico"),
            path("config.toml").display(),
            path("audit.log").display()
        );
        std::fs::write(path("authorized_keys"), format!("{options},command=\"{command}\" {public}")).expect("written");
        for attempt in 0.. {
            let port = TcpListener::bind("127.0.0.1:0").and_then(|l| l.local_addr()).expect("a port").port();
            if let Some(server) = serve(dir.path(), port) {
                let mut sshd = Self { dir, port, server, connection: None };
                sshd.connection = Some(sshd.connect());
                return sshd;
            }
            assert!(attempt < 5, "sshd does not start: {}", std::fs::read_to_string(path("sshd.log")).unwrap_or_default());
        }
        unreachable!("the loop returns or fails")
    }

    fn connect(&self) -> Child {
        let socket = self.path("mux").display().to_string();
        let connection = self.client(&["-M", "-N", "-S", &socket]).spawn().expect(MISSING);
        let deadline = Instant::now() + PATIENCE;
        while !self.client(&["-O", "check", "-S", &socket]).output().expect(MISSING).status.success() {
            assert!(Instant::now() < deadline, "no connection: {}", std::fs::read_to_string(self.path("sshd.log")).unwrap_or_default());
            std::thread::sleep(Duration::from_millis(20));
        }
        connection
    }

    /// A file beside the server's.
    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// The client, with more of its own options; the command comes after these.
    pub fn client(&self, options: &[&str]) -> Command {
        let mut ssh = Command::new("ssh");
        ssh.args([
            "-F",
            "none",
            "-o",
            "BatchMode=yes",
            "-o",
            "StrictHostKeyChecking=no",
            "-o",
            "LogLevel=ERROR",
            "-o",
            "IdentitiesOnly=yes",
        ]);
        ssh.args(["-o", &format!("UserKnownHostsFile={}", self.path("known").display()), "-p", &self.port.to_string(), "-i"]);
        ssh.arg(self.path("client")).args(options).arg("127.0.0.1").stdin(Stdio::null());
        ssh
    }

    /// Runs one command line over SSH.
    pub fn run(&self, line: &str) -> Output {
        let mut ssh = self.client(&["-S", &self.path("mux").display().to_string()]);
        // An empty word would ask for a login shell as well, but differently: none at all is what `ssh host` sends.
        if !line.is_empty() {
            ssh.arg("--").arg(line);
        }
        ssh.output().expect(MISSING)
    }

    /// The lines of the audit log.
    pub fn audit(&self) -> Vec<Value> {
        let text = std::fs::read_to_string(self.path("audit.log")).unwrap_or_default();
        assert_eq!(documents::names(&text).len(), text.lines().count(), "a line has no schema: {text}");
        text.lines().map(|line| serde_json::from_str(line).expect("each line is one document")).collect()
    }

    /// The server's port.
    pub fn port(&self) -> u16 {
        self.port
    }
}

impl Drop for Sshd {
    fn drop(&mut self) {
        for process in self.connection.iter_mut().chain([&mut self.server]) {
            let _ = process.kill();
            let _ = process.wait();
        }
    }
}

fn serve(dir: &Path, port: u16) -> Option<Child> {
    let at = |name: &str| dir.join(name).display().to_string();
    let config = format!(
        "ListenAddress 127.0.0.1\nPort {port}\nHostKey {}\nPidFile none\nAuthorizedKeysFile {}\nStrictModes no\nUsePAM no\n\
         PermitRootLogin yes\nPasswordAuthentication no\nKbdInteractiveAuthentication no\nAllowTcpForwarding yes\nGatewayPorts yes\n\
         AllowAgentForwarding yes\nPermitTunnel yes\nX11Forwarding yes\nPermitTTY yes\nPermitUserRC yes\n\
         PermitUserEnvironment yes\nMaxStartups 200\nMaxSessions 100\n\
         AcceptEnv TECNICO_* VM_* BACKEND_* GOOGLE_* XDG_* HTTP* RUST_*\nSubsystem sftp internal-sftp\nLogLevel DEBUG1\n",
        at("host"),
        at("authorized_keys"),
    );
    std::fs::write(dir.join("sshd_config"), config).expect("written");
    let mut server = Command::new(sshd()).args(["-D", "-E", &at("sshd.log"), "-f", &at("sshd_config")]).spawn().expect("sshd starts");
    let deadline = Instant::now() + PATIENCE;
    while Instant::now() < deadline {
        if server.try_wait().expect("asked").is_some() {
            return None;
        }
        if let Ok(mut stream) = TcpStream::connect(("127.0.0.1", port)) {
            let mut banner = [0; 7];
            stream.set_read_timeout(Some(PATIENCE)).expect("set");
            if stream.read_exact(&mut banner).is_ok() && &banner == b"SSH-2.0" {
                return Some(server);
            }
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    let _ = server.kill();
    let _ = server.wait();
    None
}

/// The server of this machine, and what it wants to find there.
pub fn sshd() -> &'static Path {
    // Where a server of root's keeps nothing but insists on being able to.
    if rustix::process::geteuid().is_root() {
        std::fs::create_dir_all("/run/sshd").expect("made");
    }
    ["/usr/sbin/sshd", "/usr/bin/sshd", "/usr/local/sbin/sshd"].into_iter().map(Path::new).find(|p| p.exists()).expect(MISSING)
}
