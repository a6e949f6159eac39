//! `credenciais.json` (CONTRACT 1.3): the portal's user and, as a Fernet token, the password.

use std::fmt;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use fernet::Fernet;
use rustix::fs::OFlags;
use secrecy::zeroize::Zeroizing;
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Map, Value};
use uuid::Uuid;

use super::handle::{self, io_failure, link_refused};
use super::{SECRET_MODE, Tree, Written, atomic};
use crate::config::{SecretFile, owner};
use crate::domain::text::sets_aside;
use crate::error::{Exit, Failure};

/// The file's name in a technician's folder.
pub const FILE: &str = "credenciais.json";
/// 32 bytes as padded URL-safe base64.
const KEY_CHARS: usize = 44;

/// The key all passwords are under (`secrets.key_file`).
pub struct Key {
    fernet: Fernet,
    path: PathBuf,
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Key([REDACTED] from {})", self.path.display())
    }
}

/// What `credenciais.json` holds, decrypted.
#[derive(Debug, Clone)]
pub struct Credentials {
    /// User name at the portal.
    pub usuario_portal: String,
    /// Password at the portal.
    pub senha_portal: SecretString,
}

impl Key {
    /// A new key, as the file holds it.
    pub fn generate() -> Zeroizing<String> {
        Zeroizing::new(Fernet::generate_key())
    }

    /// Reads the key file: 44 characters, a line end may follow.
    ///
    /// Fails with `key_missing` (exit 78), `key_readable_by_others` (exit 77) or `key_invalid` (exit 78).
    pub fn load(path: &Path) -> Result<Self, Failure> {
        let shown = path.display();
        let file = SecretFile {
            path,
            what: "the key file",
            missing: "key_missing",
            unreadable: "key_unreadable",
            open: "key_readable_by_others",
            // More than any good one has: enough to see that it is none.
            longest: 1024,
        };
        let bytes = file.read(|| format!("copy the key of the old system there, or make a new one:\n    {}", make_command(path)))?;
        let text = SecretString::from(String::from_utf8_lossy(&bytes).trim_end_matches(['\r', '\n']));
        let found = text.expose_secret().chars().count();
        let fernet = (found == KEY_CHARS).then(|| Fernet::new(text.expose_secret())).flatten().ok_or_else(|| {
            let why = format!("the key file {shown} holds no Fernet key (44 characters of URL-safe base64)");
            Failure::new(Exit::Config, "key_invalid", why).hint(format!(
                "restore the file from a backup; only where no password is stored yet, make a new one:\n    {}",
                make_command(path)
            ))
        })?;
        Ok(Self { fernet, path: path.to_owned() })
    }
}

/// A shell command that makes a key file of mode 0600 for the user of the service.
fn make_command(path: &Path) -> String {
    owner::service(path.parent()).writes_secret("head -c 32 /dev/urandom | base64 -w 0 | tr -- +/ -_", path)
}

impl Tree {
    /// The credentials of this technician; `None` where there is no file.
    ///
    /// Fails with `credentials_damaged` (exit 65) where it is not what CONTRACT 1.3 says, and with
    /// `credentials_other_key` (exit 78) where the password is under another key.
    pub fn read_credentials(&self, key: &Key) -> Result<Option<Credentials>, Failure> {
        let path = self.path_of(FILE);
        let Some(object) = self.credentials_object()? else { return Ok(None) };
        let text = |name: &str| {
            object.get(name).and_then(Value::as_str).ok_or_else(|| damaged(&path, &format!("there is no text under \"{name}\"")))
        };
        let usuario_portal = text("usuario_portal")?.to_owned();
        let plain = key.fernet.decrypt(text("senha_portal")?).map_err(|_| {
            let why = format!("the password in {} cannot be read with the key {}", path.display(), key.path.display());
            Failure::new(Exit::Config, "credentials_other_key", why)
                .hint("point secrets.key_file to the key it was written with, or write the password again with --portal-password-stdin")
        })?;
        let plain = String::from_utf8(plain).map_err(|_| damaged(&path, "the password is not UTF-8"))?;
        Ok(Some(Credentials { usuario_portal, senha_portal: SecretString::from(plain) }))
    }

    /// Writes the credentials (mode 0600). A file that already says the same is not touched, but for its mode;
    /// keys others put beside ours stay. One under another key or damaged is refused like in reading.
    pub fn write_credentials(&self, key: &Key, wanted: &Credentials) -> Result<Written, Failure> {
        let before = self.read_credentials(key)?;
        if let Some(before) = &before
            && before.usuario_portal == wanted.usuario_portal
            && before.senha_portal.expose_secret() == wanted.senha_portal.expose_secret()
        {
            if self.file_mode(FILE)? != Some(SECRET_MODE) {
                self.fix_file_mode(FILE, SECRET_MODE)?;
            }
            return Ok(Written::Unchanged);
        }
        let mut object = self.credentials_object()?.unwrap_or_default();
        object.insert("usuario_portal".into(), wanted.usuario_portal.clone().into());
        object.insert("senha_portal".into(), key.fernet.encrypt(wanted.senha_portal.expose_secret().as_bytes()).into());
        let text = format!("{:#}\n", Value::Object(object));
        let temp = format!(".{FILE}.{}.tmp", Uuid::now_v7().simple());
        atomic::replace(&self.dir("")?, &self.path(), FILE, &temp, text.as_bytes(), SECRET_MODE)?;
        Ok(if before.is_some() { Written::Changed } else { Written::Added })
    }

    fn credentials_object(&self) -> Result<Option<Map<String, Value>>, Failure> {
        let path = self.path_of(FILE);
        let mut file = match handle::open_file(&self.dir("")?, FILE, OFlags::RDONLY, 0) {
            Ok(file) => file,
            Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(e) if handle::is_link(&e) => return Err(link_refused(&path)),
            Err(e) => return Err(io_failure("open", &path, e)),
        };
        let mut text = String::new();
        file.read_to_string(&mut text).map_err(|e| match e.kind() {
            io::ErrorKind::InvalidData => damaged(&path, "it is not UTF-8"),
            _ => io_failure("read", &path, e),
        })?;
        // serde_json's message names the place, never the contents.
        serde_json::from_str(&text).map(Some).map_err(|e| damaged(&path, &format!("line {}, column {}", e.line(), e.column())))
    }
}

fn damaged(path: &Path, why: &str) -> Failure {
    Failure::new(Exit::Data, "credentials_damaged", format!("{} is damaged: {why}; it was left as it is", path.display()))
        .hint(format!("set it aside with `{}` and write it again with --portal-password-stdin", sets_aside(path)))
}
