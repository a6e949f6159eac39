//! Every environment name tecnico reads, in one place (CONTRACT §5).

/// Path of the config file.
pub const CONFIG: &str = "TECNICO_CONFIG";
/// Google's own name for the credentials file.
pub const CREDENTIALS: &str = "GOOGLE_APPLICATION_CREDENTIALS";
/// The backend's base address.
pub const BACKEND_URL: &str = "BACKEND_URL";
/// The base directory on the VM.
pub const VM_BASE_FOLDER: &str = "VM_BASE_FOLDER";
/// Where desktop standards put a user's configuration.
pub const XDG_CONFIG_HOME: &str = "XDG_CONFIG_HOME";
/// The user's home.
pub const HOME: &str = "HOME";
