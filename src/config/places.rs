//! Where the machine's own config lies, and where the keys are that `init` puts beside a config.

use std::path::{Path, PathBuf};

/// The config of the whole machine: the one that the units of the package read.
pub const OF_THE_MACHINE: &str = "/etc/tecnico/config.toml";

/// Whether this is the config of the whole machine.
pub fn is_of_the_machine(config: &Path) -> bool {
    config == Path::new(OF_THE_MACHINE)
}

/// The folder of the keys that belong to this config.
pub fn keys_dir(config: &Path) -> PathBuf {
    config.with_file_name("keys")
}

/// The service account's key.
pub fn account_key(config: &Path) -> PathBuf {
    keys_dir(config).join("service-account.json")
}

/// The key that portal passwords are encrypted with.
pub fn portal_key(config: &Path) -> PathBuf {
    keys_dir(config).join("segredo.key")
}

/// The key that signs callbacks.
pub fn callback_key(config: &Path) -> PathBuf {
    keys_dir(config).join("callback.secret")
}
