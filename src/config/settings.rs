//! Every setting, resolved: no `Option` that means "use the default".

use std::path::PathBuf;
use std::time::Duration;

use url::Url;

use crate::domain::folder::Layout;

/// Everything a run needs to know.
#[derive(Debug, Clone)]
pub struct Settings {
    /// `vm.base_dir`: where the technicians' folders and `tecnicos.json` lie.
    pub base_dir: PathBuf,
    /// `[drive]`.
    pub drive: DriveSettings,
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
}

/// Where the credentials come from.
#[derive(Debug, Clone)]
pub enum Credentials {
    /// A service account or authorized user file.
    File(PathBuf),
    /// A key made by the embedded Drive; never read from a config.
    Embedded(String),
    /// Google's application default search: the environment's file, gcloud's file, the metadata server.
    ApplicationDefault,
}

/// How `novos` is shared with its technician.
#[derive(Debug, Clone)]
pub struct ShareSettings {
    /// `writer` unless configured otherwise (CONTRACT 2.2).
    pub role: String,
    /// Whether Google sends its own e-mail.
    pub notify: bool,
}
