//! The key that callers must send.

use std::fmt;
use std::path::Path;

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use secrecy::zeroize::Zeroizing;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use super::Api;
use super::reply::Reply;
use crate::config::SecretFile;
use crate::config::env_names::{GIVE_A_KEY, VM_API_KEY};
use crate::error::{Exit, Failure};

const HEADER: &str = "x-api-key";
/// More than any key has.
const FILE_BYTES: u64 = 4 * 1024;
/// A shorter key can be guessed.
const FEWEST_CHARS: usize = 16;

/// The key, kept as its digest: two digests are compared in the same time, however long the keys are.
#[derive(Clone)]
pub struct Key([u8; 32]);

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Key([REDACTED])")
    }
}

impl Key {
    /// The key of the environment, or else of the file. Serving without one is refused.
    ///
    /// Fails with `api_key_missing`, `api_key_invalid` (78), `api_key_readable_by_others` or `api_key_unreadable` (77, 74).
    pub fn load(environment: Option<String>, file: Option<&Path>) -> Result<Self, Failure> {
        let environment = environment.map(Zeroizing::new).filter(|k| !k.trim().is_empty());
        let (key, place) = match (environment, file) {
            (Some(key), _) => (key, VM_API_KEY.to_owned()),
            (None, Some(path)) => (read(path)?, path.display().to_string()),
            (None, None) => {
                let why = "there is no key that callers would have to send, and without one nothing is served";
                return Err(Failure::new(Exit::Config, "api_key_missing", why).hint(format!("{GIVE_A_KEY}, or set {VM_API_KEY}")));
            }
        };
        let key = key.trim();
        if key.is_empty() || !key.bytes().all(|b| b.is_ascii_graphic()) {
            let why = format!("the API key of {place} is not one word of plain ASCII, as a header can hold it");
            return Err(Failure::new(Exit::Config, "api_key_invalid", why).hint("make a new one: openssl rand -hex 32"));
        }
        if key.len() < FEWEST_CHARS {
            tracing::warn!("the API key of {place} has fewer than {FEWEST_CHARS} characters and can be guessed");
        }
        Ok(Self(Sha256::digest(key).into()))
    }

    fn is(&self, given: &[u8]) -> bool {
        self.0.ct_eq(&<[u8; 32]>::from(Sha256::digest(given))).into()
    }
}

fn read(path: &Path) -> Result<Zeroizing<String>, Failure> {
    let file = SecretFile {
        path,
        what: "serve.api_key_file",
        missing: "api_key_unreadable",
        unreadable: "api_key_unreadable",
        open: "api_key_readable_by_others",
        longest: FILE_BYTES,
    };
    let bytes = file.read(|| "put the key the backend sends there, in a file of mode 600 that the user tecnico runs as owns".into())?;
    Ok(Zeroizing::new(String::from_utf8_lossy(&bytes).into_owned()))
}

/// Lets a request through that brings the key.
pub(super) async fn check(State(api): State<Api>, request: Request, next: Next) -> Response {
    let mut given = request.headers().get_all(HEADER).iter();
    match (given.next(), given.next()) {
        (Some(key), None) if api.0.key.is(key.as_bytes()) => next.run(request).await,
        _ => Reply::no_key().into_response(),
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn c5_4_the_environments_key_is_above_the_files() -> anyhow::Result<()> {
        let dir = tempfile::tempdir()?;
        let path = dir.path().join("api.key");
        std::fs::write(&path, "of-the-file-0123456789\n")?;
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600))?;
        let of_file = Key::load(None, Some(&path)).expect("a key");
        assert!(of_file.is(b"of-the-file-0123456789") && !of_file.is(b"of-the-file-0123456789\n") && !of_file.is(b""));
        let of_environment = Key::load(Some("of-the-environment-01".into()), Some(&path)).expect("a key");
        assert!(of_environment.is(b"of-the-environment-01") && !of_environment.is(b"of-the-file-0123456789"));
        assert!(Key::load(Some(" ".into()), Some(&path)).expect("a key").is(b"of-the-file-0123456789"));
        Ok(())
    }

    #[test]
    fn what_is_no_key_is_refused_without_being_told() -> anyhow::Result<()> {
        let dir = tempfile::tempdir()?;
        let path = dir.path().join("api.key");
        for (text, mode, code, exit) in [
            ("", 0o600, "api_key_invalid", Exit::Config),
            ("segredo com espaço", 0o600, "api_key_invalid", Exit::Config),
            ("segredo-de-verdade", 0o640, "api_key_readable_by_others", Exit::Refused),
        ] {
            std::fs::write(&path, text)?;
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode))?;
            let failure = Key::load(None, Some(&path)).expect_err(text);
            assert_eq!((failure.code(), failure.exit()), (code, exit));
            assert!(!format!("{failure:?}").contains("segredo"));
        }
        assert_eq!(Key::load(None, None).expect_err("none").code(), "api_key_missing");
        assert_eq!(Key::load(None, Some(Path::new("/nonexistent"))).expect_err("none").code(), "api_key_unreadable");
        Ok(())
    }
}
