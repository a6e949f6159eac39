//! The shape of the config file, as it is written.

use serde::Deserialize;

/// The whole file. `config.example.toml` fills what a user leaves out, so nothing here is optional.
#[derive(Debug, Deserialize)]
pub(super) struct Raw {
    pub vm: Vm,
    pub drive: Drive,
    pub layout: Layout,
    pub share: Share,
    pub secrets: Secrets,
    pub ledger: Ledger,
    pub process: Process,
    pub watch: Watch,
    pub callback: Callback,
    pub serve: Serve,
    pub status: Status,
}

#[derive(Debug, Deserialize)]
pub(super) struct Vm {
    pub base_dir: String,
    pub folder_mode: String,
    pub file_mode: String,
}

#[derive(Debug, Deserialize)]
pub(super) struct Drive {
    pub parent_folder_id: String,
    pub credentials: String,
    pub subject: String,
    pub shared_drive_id: String,
    pub endpoint: String,
    pub timeout: String,
    pub concurrency: usize,
    pub calls_per_minute: usize,
    pub writes_per_second: usize,
}

#[derive(Debug, Deserialize)]
pub(super) struct Layout {
    pub inbox: String,
    pub processed: String,
    pub failed: String,
    pub local_only: Vec<String>,
    pub archive: String,
}

#[derive(Debug, Deserialize)]
pub(super) struct Share {
    pub role: String,
    pub notify: bool,
}

#[derive(Debug, Deserialize)]
pub(super) struct Secrets {
    pub key_file: String,
}

#[derive(Debug, Deserialize)]
pub(super) struct Ledger {
    pub path: String,
}

#[derive(Debug, Deserialize)]
pub(super) struct Process {
    pub command: Vec<String>,
    pub mode: String,
    pub timeout: String,
    pub accept: Vec<String>,
    pub ignore: Vec<String>,
    pub folders: String,
    pub google_docs: String,
    pub max_size: String,
    pub ordered: bool,
}

#[derive(Debug, Deserialize)]
pub(super) struct Watch {
    pub interval: String,
    pub settle: String,
    pub reconcile_every: String,
    pub concurrency: usize,
}

#[derive(Debug, Deserialize)]
pub(super) struct Callback {
    pub url: String,
    pub secret_file: String,
    pub timeout: String,
    pub allowed_hosts: Vec<String>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Serve {
    pub listen: String,
    pub api_key_file: String,
    pub concurrency: usize,
    pub timeout: String,
    pub keep_jobs: String,
}

#[derive(Debug, Deserialize)]
pub(super) struct Status {
    pub silence: String,
    pub stuck: String,
}
