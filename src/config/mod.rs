//! From flags, environment and files to plain [`Settings`], resolved once.

mod command;
pub mod env_names;
mod file;
pub mod owner;
pub mod places;
mod raw;
mod resolve;
mod secret_file;
pub mod settings;

use std::path::{Path, PathBuf};

use toml::{Table, Value};

pub use command::array;
pub use file::{EXAMPLE, users_folder};
pub use secret_file::SecretFile;
pub use settings::Settings;

use crate::error::Failure;

/// Settings given on the command line.
#[derive(Debug, Clone, Default)]
pub struct Flags {
    /// `--config`.
    pub config: Option<PathBuf>,
    /// `--base-dir`.
    pub base_dir: Option<PathBuf>,
    /// `--credentials`.
    pub credentials: Option<PathBuf>,
}

/// What the embedded Drive of a sandbox fixes, whatever a config says.
#[derive(Clone)]
pub struct Sandbox {
    /// The sandbox's directory.
    pub dir: PathBuf,
    /// Where its Drive listens, with `/` at the end.
    pub endpoint: String,
    /// The folder its trees lie in.
    pub parent_folder_id: String,
    /// The key of its service account.
    pub key: String,
}

/// The file the settings come from: the one named, or the first found.
pub fn path(flags: &Flags, env: &dyn Fn(&str) -> Option<String>) -> Result<PathBuf, Failure> {
    file::find(flags.config.as_deref(), env)
}

/// Flags over environment over file over default.
pub fn resolve(flags: &Flags, env: &dyn Fn(&str) -> Option<String>) -> Result<Settings, Failure> {
    let path = file::find(flags.config.as_deref(), env)?;
    let mut table = file::defaults();
    let text = file::lay_over(&mut table, &path)?;
    for (name, key) in [
        (env_names::VM_BASE_FOLDER, "vm.base_dir"),
        (env_names::CREDENTIALS, "drive.credentials"),
        (env_names::BACKEND_URL, "callback.url"),
    ] {
        if let Some(value) = env(name).filter(|v| !v.is_empty()) {
            let value = if key == "callback.url" { value } else { absolute(Path::new(&value)) };
            set(&mut table, key, value);
        }
    }
    for (flag, key) in [(&flags.base_dir, "vm.base_dir"), (&flags.credentials, "drive.credentials")] {
        if let Some(path) = flag {
            set(&mut table, key, absolute(path));
        }
    }
    if let Some(dir) = env(env_names::CREDENTIALS_DIRECTORY) {
        for key in ["drive.credentials", "secrets.key_file", "callback.secret_file", "serve.api_key_file"] {
            let named = file::get_mut(&mut table, key).and_then(|v| v.as_str().map(PathBuf::from));
            if let Some(copy) = named.and_then(|path| secret_file::stand_in(&path, Path::new(&dir))) {
                set(&mut table, key, copy.display().to_string());
            }
        }
    }
    resolve::settings(table, &path, &text)
}

/// The settings of a text that is no file yet: no flag counts and no environment name, and a fault names the setting only.
pub fn resolve_text(text: &str) -> Result<Settings, Failure> {
    let (mut table, name) = (file::defaults(), Path::new("the answers"));
    file::lay_text_over(&mut table, name, text)?;
    resolve::settings(table, name, "").map_err(|fault| match fault.hint_text() {
        Some(_) => fault,
        None => fault.hint("`tecnico config --example` says what each setting may be"),
    })
}

/// The settings of a sandbox: everything lies in its directory; its own `config.toml`, or `--config`, may set the rest.
pub fn resolve_sandbox(flags: &Flags, sandbox: &Sandbox) -> Result<Settings, Failure> {
    let mut table = file::defaults();
    let own = sandbox.dir.join("config.toml");
    let path = flags.config.clone().unwrap_or(own);
    let text = if flags.config.is_some() || path.exists() { file::lay_over(&mut table, &path)? } else { String::new() };
    let inside = |name: &str| absolute(&sandbox.dir.join(name));
    set(&mut table, "vm.base_dir", inside("vm"));
    set(&mut table, "secrets.key_file", inside("segredo.key"));
    set(&mut table, "ledger.path", inside("ledger.db"));
    set(&mut table, "drive.endpoint", sandbox.endpoint.clone());
    set(&mut table, "drive.parent_folder_id", sandbox.parent_folder_id.clone());
    for key in ["drive.credentials", "drive.subject", "drive.shared_drive_id"] {
        set(&mut table, key, String::new());
    }
    let mut settings = resolve::settings(table, &path, &text)?;
    settings.drive.credentials = settings::Credentials::Embedded(sandbox.key.clone());
    Ok(settings)
}

fn set(table: &mut Table, key: &str, value: String) {
    if let Some(slot) = file::get_mut(table, key) {
        *slot = Value::String(value);
    }
}

fn absolute(path: &Path) -> String {
    std::path::absolute(path).unwrap_or_else(|_| path.to_owned()).display().to_string()
}
