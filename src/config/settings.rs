//! Every setting, resolved: no `Option` that means "use the default".

use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use url::Url;

use crate::domain::folder::Layout;

/// Everything a run needs to know.
#[derive(Debug, Clone)]
pub struct Settings {
    /// All of it, as a config file would say it. Secrets are files: only their paths stand here.
    pub toml: String,
    /// `vm.base_dir`: where the technicians' folders and `tecnicos.json` lie.
    pub base_dir: PathBuf,
    /// `[drive]`.
    pub drive: DriveSettings,
    /// `vm.folder_mode`, `vm.file_mode`.
    pub modes: Modes,
    /// `[layout]`.
    pub layout: Layout,
    /// `[share]`.
    pub share: ShareSettings,
    /// `secrets.key_file`: the Fernet key for `credenciais.json`.
    pub key_file: PathBuf,
    /// `ledger.path`.
    pub ledger_path: PathBuf,
    /// Where tokens and other rebuildable things are kept (beside the ledger).
    pub cache_dir: PathBuf,
    /// `[process]`.
    pub process: ProcessSettings,
    /// `[watch]`.
    pub watch: WatchSettings,
    /// `[callback]`.
    pub callback: CallbackSettings,
    /// `[serve]`.
    pub serve: ServeSettings,
    /// `status.silence`: how long without a successful cycle is too long.
    pub silence: Duration,
    /// `status.stuck`: how long a file may get no step further.
    pub stuck: Duration,
}

/// Who may use what lies on the VM, as permission bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Modes {
    /// Of every folder of a tree, and of those the trees lie in.
    pub folder: u32,
    /// Of files other programs read: `tecnicos.json` and the work orders.
    pub file: u32,
}

impl Default for Modes {
    fn default() -> Self {
        Self { folder: 0o750, file: 0o640 }
    }
}

/// How Drive is reached, and as whom.
#[derive(Debug, Clone)]
pub struct DriveSettings {
    /// The folder that holds every technician's tree.
    pub parent_folder_id: String,
    /// Whose account.
    pub credentials: Credentials,
    /// The user to act for (domain-wide delegation).
    pub subject: Option<String>,
    /// The shared drive the parent folder lies in; `None` for My Drive.
    pub shared_drive_id: Option<String>,
    /// Google's `https://www.googleapis.com/`, or an emulator on loopback. Ends with `/`.
    pub endpoint: Url,
    /// The longest one call may take.
    pub timeout: Duration,
    /// How many calls may be under way at once.
    pub concurrency: usize,
    /// How many calls Drive allows in any minute; 0 where nobody knows.
    pub calls_per_minute: usize,
    /// How many changing calls Drive allows in any second; 0 where nobody knows.
    pub writes_per_second: usize,
}

impl DriveSettings {
    /// Whether Drive is a sandbox's own.
    pub fn is_sandbox(&self) -> bool {
        matches!(self.credentials, Credentials::Embedded(_))
    }
}

/// Where the credentials come from.
#[derive(Clone)]
pub enum Credentials {
    /// A service account or authorized user file.
    File(PathBuf),
    /// A key made by the embedded Drive; never read from a config.
    Embedded(String),
    /// Google's application default search: the environment's file, gcloud's file, the metadata server.
    ApplicationDefault,
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => f.debug_tuple("File").field(path).finish(),
            Self::Embedded(_) => f.write_str("Embedded([REDACTED])"),
            Self::ApplicationDefault => f.write_str("ApplicationDefault"),
        }
    }
}

/// How `novos` is shared with its technician.
#[derive(Debug, Clone)]
pub struct ShareSettings {
    /// `writer` unless configured otherwise (CONTRACT 2.2).
    pub role: String,
    /// Whether Google sends its own e-mail.
    pub notify: bool,
}

/// How a file is judged, and what is a file to judge at all.
#[derive(Debug, Clone)]
pub struct ProcessSettings {
    /// The program and its arguments; empty: fetching is the processing.
    pub command: Vec<String>,
    /// Who judges.
    pub mode: Mode,
    /// The longest the whole process group may run on one file.
    pub timeout: Duration,
    /// Globs of what is a work order, matched without regard to case.
    pub accept: Vec<String>,
    /// Globs of what is left alone.
    pub ignore: Vec<String>,
    /// What happens to a folder dropped into novos.
    pub folders: FolderPolicy,
    /// What happens to a Google Doc.
    pub google_docs: DocPolicy,
    /// Bytes; larger files go to erro unread.
    pub max_size: u64,
    /// Whether one technician's files wait for each other.
    pub ordered: bool,
}

/// Who judges a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// `process.command`.
    Command,
    /// Another program, by moving the local file.
    External,
}

/// What happens to a folder dropped into novos.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FolderPolicy {
    /// Its files are taken one by one.
    Flatten,
    /// The same, with the path kept in the name.
    Keep,
    /// The folder goes whole to erro.
    Reject,
}

/// What happens to a Google Doc.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DocPolicy {
    /// It is taken as PDF.
    ExportPdf,
    /// It goes to erro.
    Reject,
}

/// The rhythm of the agent.
#[derive(Debug, Clone)]
pub struct WatchSettings {
    /// How often `--follow` looks.
    pub interval: Duration,
    /// How long a file must have been left alone.
    pub settle: Duration,
    /// Each novos is listed once in this time.
    pub reconcile_every: Duration,
    /// Files judged side by side.
    pub concurrency: usize,
}

/// How the backend is told.
#[derive(Debug, Clone)]
pub struct CallbackSettings {
    /// The backend's base address; `None`: nobody is told.
    pub url: Option<Url>,
    /// The signing keys; `None`: unsigned.
    pub secret_file: Option<PathBuf>,
    /// The longest one delivery may take.
    pub timeout: Duration,
    /// Hosts a caller-named address may have, besides that of `url`.
    pub allowed_hosts: Vec<String>,
}

/// The HTTP API.
#[derive(Debug, Clone)]
pub struct ServeSettings {
    /// Where it listens.
    pub listen: SocketAddr,
    /// The key callers send; `None`: it must stand in the environment.
    pub api_key_file: Option<PathBuf>,
    /// Technicians made side by side.
    pub concurrency: usize,
    /// The longest a request may take.
    pub timeout: Duration,
    /// How long a job that has ended is kept.
    pub keep_jobs: Duration,
}
