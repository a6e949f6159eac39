//! The embedded Drive behind `demo` and `--sandbox DIR`: the emulator, persisted in DIR, spoken to over HTTP like
//! Google's. Several processes may use one DIR at once; each serves it for itself.

use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{ErrorKind, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use drive_emulator::{Control, DriveEmulator};

use crate::config::Sandbox;
use crate::domain::text::shell_path;
use crate::error::{Exit, Failure};
use crate::fs_layout::Key;

/// Whose My Drive the trees of a sandbox lie in.
pub const ADMIN: &str = "admin@example.com";
/// The folder that holds them.
const PARENT: &str = "Tecnicos";
/// The service account tecnico acts as.
const ACCOUNT: &str = "tecnico";

/// Held while a sandbox is begun.
const LOCK: &str = ".lock";
/// Where the emulator keeps its Drive.
const DRIVE: &str = "drive";
/// The key for portal passwords.
const KEY: &str = "segredo.key";

/// A served sandbox; it stops when this is dropped.
pub struct Embedded {
    emulator: DriveEmulator,
    dir: PathBuf,
    parent_folder_id: String,
    key: String,
}

impl Embedded {
    /// Opens the sandbox in `dir` and serves its Drive on `port` (0: a free one). Where there is none, one is begun if
    /// `may_begin`, and only in a directory that is not there yet or is empty; otherwise it fails with `no_sandbox` (78).
    pub async fn open(dir: &Path, port: u16, may_begin: bool) -> anyhow::Result<Self> {
        let unusable = |e: std::io::Error| {
            Failure::new(Exit::CannotCreate, "sandbox_unusable", format!("cannot use {} as a sandbox", dir.display()))
                .hint("name a directory you may write to: --sandbox DIR")
                .because(e)
        };
        match lies_in(dir).map_err(unusable)? {
            Lies::Sandbox => {}
            Lies::Nothing if may_begin => {}
            Lies::Other if may_begin => return Err(in_use(dir).into()),
            Lies::Nothing | Lies::Other => return Err(missing(dir).into()),
        }
        DirBuilder::new().recursive(true).mode(0o700).create(dir).map_err(unusable)?;
        // Two processes that start at once must not each make the parent folder.
        let lock = File::create(dir.join(LOCK)).map_err(unusable)?;
        lock.lock().map_err(unusable)?;
        let emulator = DriveEmulator::builder()
            .data(dir.join(DRIVE))
            .port(port)
            .start()
            .await
            .with_context(|| format!("the embedded Drive of {} did not start", dir.display()))?;
        let control = emulator.control();
        let key = control.service_account(ACCOUNT)?;
        let parent_folder_id = parent_folder(&control, &key)?;
        secret_key(&dir.join(KEY)).map_err(unusable)?;
        Ok(Self { emulator, dir: dir.to_owned(), parent_folder_id, key })
    }

    /// What the settings take from it.
    pub fn sandbox(&self) -> Sandbox {
        Sandbox {
            dir: self.dir.clone(),
            endpoint: format!("{}/", self.emulator.url()),
            parent_folder_id: self.parent_folder_id.clone(),
            key: self.key.clone(),
        }
    }

    /// Acting as the people of the sandbox.
    pub fn control(&self) -> Control {
        self.emulator.control()
    }

    /// Where its Drive listens, without a slash at the end.
    pub fn url(&self) -> &str {
        self.emulator.url()
    }

    /// The folder that holds the trees.
    pub fn parent_folder_id(&self) -> &str {
        &self.parent_folder_id
    }
}

/// What there is where a sandbox is asked for.
enum Lies {
    Sandbox,
    Nothing,
    Other,
}

fn lies_in(dir: &Path) -> std::io::Result<Lies> {
    if dir.join(DRIVE).join("drive.sqlite").is_file() {
        return Ok(Lies::Sandbox);
    }
    let entries = match std::fs::read_dir(dir) {
        Err(e) if e.kind() == ErrorKind::NotFound => return Ok(Lies::Nothing),
        entries => entries?,
    };
    for entry in entries {
        // Another run may be about to begin one, or was ended as it did.
        if ![LOCK, DRIVE, KEY].iter().any(|ours| entry.as_ref().is_ok_and(|e| e.file_name() == *ours)) {
            return Ok(Lies::Other);
        }
    }
    Ok(Lies::Nothing)
}

fn missing(dir: &Path) -> Failure {
    let typed = shell_path(dir);
    Failure::new(Exit::Config, "no_sandbox", format!("there is no sandbox in {}", dir.display())).hint(format!(
        "name the directory of one; where nothing is yet, `tecnico --sandbox {typed} create ana@example.com` begins one, `tecnico demo` \
         one with a story"
    ))
}

fn in_use(dir: &Path) -> Failure {
    Failure::new(
        Exit::CannotCreate,
        "sandbox_unusable",
        format!("{} holds something else than a sandbox; nothing was changed", dir.display()),
    )
    .hint("name a directory that is not there yet: `tecnico --sandbox ./sandbox create ana@example.com`")
}

fn parent_folder(control: &Control, key: &str) -> anyhow::Result<String> {
    let admin = control.user(ADMIN)?;
    let there = control.children(&admin.root_id)?;
    if let Some(id) = there.iter().find(|f| f["name"] == PARENT).and_then(|f| f["id"].as_str()) {
        return Ok(id.to_owned());
    }
    let account: serde_json::Value = serde_json::from_str(key)?;
    let id = control.mkdir(ADMIN, &admin.root_id, PARENT)?;
    control.share(ADMIN, &id, account["client_email"].as_str().unwrap_or_default(), "writer")?;
    Ok(id)
}

/// A fresh Fernet key, once.
fn secret_key(path: &Path) -> std::io::Result<()> {
    if path.exists() {
        return Ok(());
    }
    let mut file = OpenOptions::new().create_new(true).write(true).mode(0o600).open(path)?;
    writeln!(file, "{}", *Key::generate())
}
