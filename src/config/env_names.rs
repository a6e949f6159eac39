//! Every environment name tecnico reads, in one place (CONTRACT §5).
//!
//! `VM_API_URL` is not among them: the callers of `tecnico serve` read it, to know where it listens.

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

/// Each of them with what it sets, for the man page.
pub const READ: [(&str, &str); 8] = [
    (CONFIG, "The config file to read, unless --config names one."),
    (CREDENTIALS, "The credentials file, below --credentials and above drive.credentials."),
    (BACKEND_URL, "The backend's base address, above callback.url."),
    (VM_BASE_FOLDER, "Where the technicians' folders lie, below --base-dir and above vm.base_dir."),
    (VM_API_KEY, "The key that callers of `tecnico serve` send as X-API-Key, above serve.api_key_file."),
    (XDG_CONFIG_HOME, "Where tecnico/config.toml is looked for before /etc/tecnico/config.toml."),
    (HOME, "As HOME/.config, where XDG_CONFIG_HOME is not set."),
    (
        CREDENTIALS_DIRECTORY,
        "Set by systemd: copies of secrets in it (LoadCredential=) are read where the files named in the settings cannot be.",
    ),
];
