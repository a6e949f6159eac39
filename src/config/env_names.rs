//! Every environment name that somebody may set for tecnico, in one place (CONTRACT §5).
//!
//! Not among them: what sshd, systemd and the shell say of a run (`SSH_ORIGINAL_COMMAND`, `SSH_CONNECTION`, `JOURNAL_STREAM`,
//! `PATH`), each read where it is used; what libraries read for themselves; and `VM_API_URL`, which the callers of
//! `tecnico serve` read, to know where it listens.

/// Path of the config file.
pub const CONFIG: &str = "TECNICO_CONFIG";
/// Google's own name for the credentials file.
pub const CREDENTIALS: &str = "GOOGLE_APPLICATION_CREDENTIALS";
/// The backend's base address.
pub const BACKEND_URL: &str = "BACKEND_URL";
/// The base directory on the VM.
pub const VM_BASE_FOLDER: &str = "VM_BASE_FOLDER";
/// The key that callers of the HTTP API send.
pub const VM_API_KEY: &str = "VM_API_KEY";
/// What mends that `serve` has no key.
pub const GIVE_A_KEY: &str = "put the key the backend sends into a file of mode 600 and name it in serve.api_key_file";
/// Where desktop standards put a user's configuration.
pub const XDG_CONFIG_HOME: &str = "XDG_CONFIG_HOME";
/// The user's home.
pub const HOME: &str = "HOME";
/// Where systemd keeps the secrets it loaded for a service.
pub const CREDENTIALS_DIRECTORY: &str = "CREDENTIALS_DIRECTORY";

/// Where Google's command line keeps its own settings.
pub const CLOUDSDK_CONFIG: &str = "CLOUDSDK_CONFIG";
/// Where a Google machine answers for its own account.
pub const GCE_METADATA_HOST: &str = "GCE_METADATA_HOST";
/// Whether colours are not wanted (no-color.org); `ui` asks.
pub const NO_COLOR: &str = "NO_COLOR";

/// Each of them with what it sets, for the man page.
pub const MAY_BE_SET: [(&str, &str); 11] = [
    (CONFIG, "The config file to read, unless --config names one."),
    (CREDENTIALS, "The credentials file, below --credentials and above drive.credentials."),
    (BACKEND_URL, "The backend's base address, above callback.url."),
    (VM_BASE_FOLDER, "Where the technicians' folders lie, below --base-dir and above vm.base_dir."),
    (VM_API_KEY, "The key that callers of `tecnico serve` send as X-API-Key, above serve.api_key_file."),
    (XDG_CONFIG_HOME, "Where tecnico/config.toml is looked for before /etc/tecnico/config.toml."),
    (HOME, "As HOME/.config, where XDG_CONFIG_HOME is not set."),
    (
        CLOUDSDK_CONFIG,
        "Where gcloud keeps its application default credentials, in place of HOME/.config/gcloud; asked where no credentials are named.",
    ),
    (GCE_METADATA_HOST, "The metadata server of a Google machine, in place of metadata.google.internal; likewise."),
    (NO_COLOR, "Where it is not empty: no colours, unless --color asks for them."),
    (
        CREDENTIALS_DIRECTORY,
        "Set by systemd: copies of secrets in it (LoadCredential=) are read where the files named in the settings cannot be.",
    ),
];
