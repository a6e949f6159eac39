//! A whole small world: the emulator, a VM, a config, and the real binary.

use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use drive_emulator::{Control, DriveEmulator};
use serde_json::Value;
use tempfile::TempDir;

use super::{documents, switches};

/// Who owns the folder the trees lie in.
pub const ADMIN: &str = "admin@example.com";

/// A Drive, a VM and a config that points from one to the other.
pub struct World {
    /// The Drive.
    pub emulator: DriveEmulator,
    /// The folder the trees lie in.
    pub parent: String,
    /// The shared drive that folder lies in, where it does.
    pub shared_drive: Option<String>,
    dir: TempDir,
}

/// What a run of the binary gave.
#[derive(Debug)]
pub struct Ran {
    /// The exit code; `None` where a signal ended it.
    pub code: Option<i32>,
    /// What it printed as its result.
    pub stdout: String,
    /// What it told people.
    pub stderr: String,
}

impl Ran {
    /// Of a process that has ended; what it printed for programs is held to its schema.
    #[track_caller]
    pub fn of(output: &Output) -> Self {
        let stdout = String::from_utf8_lossy(&output.stdout).into_owned();
        documents::names(&stdout);
        Self { code: output.status.code(), stdout, stderr: String::from_utf8_lossy(&output.stderr).into_owned() }
    }

    /// The one JSON document on stdout.
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|e| panic!("{e} in stdout {:?}, stderr {}", self.stdout, self.stderr))
    }

    /// The same run, which must have ended with `code`.
    #[track_caller]
    pub fn expect(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "stdout: {}\nstderr: {}", self.stdout, self.stderr);
        self
    }
}

impl World {
    /// A fresh world whose service account may write to the parent folder.
    pub async fn new() -> Self {
        let emulator = DriveEmulator::start().await;
        let dir = tempfile::tempdir().expect("a directory");
        let control = emulator.control();
        let usual = switches::usual().expect("known switches");
        control.set_switches(|switches| *switches = usual).expect("turned");
        let key = control.service_account("tecnico").expect("a service account");
        let account: Value = serde_json::from_str(&key).expect("a key");
        let admin = control.user(ADMIN).expect("an admin");
        let parent = control.mkdir(ADMIN, &admin.root_id, "Tecnicos").expect("a parent folder");
        control.share(ADMIN, &parent, account["client_email"].as_str().expect("an e-mail"), "writer").expect("shared");
        let world = Self { emulator, parent, shared_drive: None, dir };
        world.write_secret("service-account.json", &key);
        world.write_secret("segredo.key", "VGVjbmljbyB0ZXN0IGtleSwgMzIgYnl0ZXMgbG9uZyE=\n");
        world.write_config("");
        world
    }

    /// A fresh one in a shared drive, which the service account may organise.
    pub async fn in_shared_drive() -> Self {
        let mut world = Self::new().await;
        let control = world.control();
        let drive = control.shared_drive("Campo", ADMIN).expect("a drive");
        control.drive_member(&drive, &world.robot(), "organizer").expect("a member");
        world.parent = control.mkdir(ADMIN, &drive, "Tecnicos").expect("a parent folder");
        world.shared_drive = Some(drive);
        world.write_config("");
        world
    }

    /// The service account's address.
    pub fn robot(&self) -> String {
        read_json(&self.path("service-account.json"))["client_email"].as_str().expect("an e-mail").to_owned()
    }

    /// Writes the config, with more lines at its end.
    pub fn write_config(&self, more: &str) {
        let shared = self.shared_drive.as_ref().map_or_else(String::new, |drive| format!("shared_drive_id = \"{drive}\"\n"));
        let text = format!(
            "[vm]\nbase_dir = \"vm\"\n[drive]\nparent_folder_id = \"{}\"\ncredentials = \"service-account.json\"\nendpoint = \"{}/\"\n\
             timeout = \"5s\"\n{shared}[secrets]\nkey_file = \"segredo.key\"\n[ledger]\npath = \"ledger.db\"\n{more}",
            self.parent,
            self.emulator.url()
        );
        std::fs::write(self.path("config.toml"), text).expect("a config");
    }

    /// Writes a file only its owner may read.
    pub fn write_secret(&self, name: &str, text: &str) {
        let path = self.path(name);
        let mut file = std::fs::OpenOptions::new().create(true).truncate(true).write(true).mode(0o600).open(path).expect("opens");
        file.write_all(text.as_bytes()).expect("written");
    }

    /// Acting as people, turning faults on.
    pub fn control(&self) -> Control {
        self.emulator.control()
    }

    /// A file of this world.
    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// The VM's base directory.
    pub fn vm(&self) -> PathBuf {
        self.path("vm")
    }

    /// The binary with this world's config, not yet started.
    pub fn command(&self, args: &[&str]) -> Command {
        let mut command = tecnico(&self.path("config.toml"));
        command.args(args);
        command
    }

    /// Runs the binary to its end.
    pub async fn run(&self, args: &[&str]) -> Ran {
        finish(self.command(args)).await
    }

    /// Runs it with `--json`, expecting `code`, and gives the document.
    pub async fn json(&self, code: i32, args: &[&str]) -> Value {
        let args: Vec<&str> = args.iter().copied().chain(["--json"]).collect();
        self.run(&args).await.expect(code).json()
    }

    /// Runs it with something on stdin.
    pub async fn run_with_stdin(&self, args: &[&str], stdin: &str) -> Ran {
        let file = self.path("stdin");
        std::fs::write(&file, stdin).expect("written");
        let mut command = self.command(args);
        command.stdin(std::fs::File::open(file).expect("opened"));
        finish(command).await
    }

    /// `tecnicos.json` as it stands.
    pub fn registry(&self) -> Value {
        read_json(&self.vm().join("tecnicos.json"))
    }

    /// Takes the ledger away, as a disk that broke does.
    pub fn lose_ledger(&self) {
        for end in ["", "-wal", "-shm"] {
            // The others are there while somebody has the ledger open.
            let _ = std::fs::remove_file(self.path(&format!("ledger.db{end}")));
        }
        assert!(!self.path("ledger.db").exists());
    }

    /// An empty ledger in place of the one there was: what `tecnico` knows now, it finds elsewhere.
    pub async fn forget(&self) {
        self.lose_ledger();
        tecnico::ledger::Ledger::open(&self.path("ledger.db")).await.expect("a new ledger").close().await;
    }

    /// The live folders on Drive below the parent, as `path → id`; two of one path are a failure.
    #[track_caller]
    pub fn drive_tree(&self) -> std::collections::BTreeMap<String, String> {
        let mut tree = std::collections::BTreeMap::new();
        let mut open = vec![(String::new(), self.parent.clone())];
        while let Some((path, id)) = open.pop() {
            for child in self.control().children(&id).expect("children") {
                if child["trashed"] == true {
                    continue;
                }
                let name = child["name"].as_str().expect("a name");
                let child_path = if path.is_empty() { name.to_owned() } else { format!("{path}/{name}") };
                let child_id = child["id"].as_str().expect("an id").to_owned();
                let twin = tree.insert(child_path.clone(), child_id.clone());
                assert!(twin.is_none(), "{child_path} is on Drive twice");
                open.push((child_path, child_id));
            }
        }
        tree
    }
}

/// Runs a command off the runtime's threads, so that the emulator in this process can answer.
pub async fn finish(mut command: Command) -> Ran {
    // A shell that runs it in a world of its own says more.
    let is_ours = command.get_program() == env!("CARGO_BIN_EXE_tecnico");
    let for_programs = is_ours && command.get_args().any(|a| a == "--json");
    let output = tokio::task::spawn_blocking(move || command.stdout(Stdio::piped()).stderr(Stdio::piped()).output());
    let ran = Ran::of(&output.await.expect("not cancelled").expect("the binary starts"));
    if for_programs {
        let lines = ran.stdout.matches('\n').count();
        assert_eq!(documents::names(&ran.stdout).len(), lines, "--json prints nothing else: {}", ran.stdout);
    }
    ran
}

/// A JSON file.
#[track_caller]
pub fn read_json(path: &Path) -> Value {
    let text = std::fs::read_to_string(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    serde_json::from_str(&text).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

/// The binary with these settings and nobody's else.
pub fn tecnico(config: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tecnico"));
    command.arg("--config").arg(config).stdin(Stdio::null());
    for name in
        ["GOOGLE_APPLICATION_CREDENTIALS", "BACKEND_URL", "VM_BASE_FOLDER", "VM_API_KEY", "TECNICO_CONFIG", "HTTPS_PROXY", "HTTP_PROXY"]
    {
        command.env_remove(name);
    }
    command
}
