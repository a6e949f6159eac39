//! Tokens kept on disk, so that ten short runs in a row ask for one. Several processes share a file: it is only ever
//! replaced whole, and whatever cannot be read is as good as absent.

use std::fmt::Write as _;
use std::io::Write as _;
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::{Path, PathBuf};

use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::config::owner;
use crate::domain::clock::{self, Millis};

/// A token and when it ends. Its `Debug` does not show it.
#[derive(Debug, Clone)]
pub(super) struct Token {
    pub(super) secret: SecretString,
    pub(super) expires_at: Millis,
}

/// Tokens are not used in their last minute (7.8).
const MARGIN: Millis = 60_000;

impl Token {
    pub(super) fn is_fresh(&self, now: Millis) -> bool {
        now < self.expires_at - MARGIN
    }
}

#[derive(Serialize, Deserialize)]
struct Stored {
    access_token: String,
    expires_at: Millis,
}

/// The file of one account; or none, where a token is for this process alone.
#[derive(Debug, Clone)]
pub(super) struct TokenCache {
    path: Option<PathBuf>,
}

/// SHA-256 in lower-case hex.
pub(super) fn fingerprint(text: &str) -> String {
    Sha256::digest(text.as_bytes()).iter().fold(String::new(), |mut hex, byte| {
        // Writing to a string cannot fail.
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}

impl TokenCache {
    /// The file below `cache_dir` for this account.
    pub(super) fn new(cache_dir: &Path, identity: &str) -> Self {
        Self { path: Some(cache_dir.join("tokens").join(format!("{}.json", fingerprint(identity)))) }
    }

    /// Nothing is kept.
    pub(super) fn none() -> Self {
        Self { path: None }
    }

    /// The token kept, if it can be read and is still fresh.
    pub(super) fn load(&self, now: Millis) -> Option<Token> {
        let stored: Stored = serde_json::from_slice(&std::fs::read(self.path.as_ref()?).ok()?).ok()?;
        let sendable = !stored.access_token.is_empty() && stored.access_token.chars().all(|c| c.is_ascii_graphic());
        let token = Token { secret: stored.access_token.into(), expires_at: stored.expires_at };
        (sendable && token.is_fresh(now)).then_some(token)
    }

    /// Keeps `token`. A cache that cannot be written costs a token per run and nothing else, so it is only logged.
    pub(super) fn store(&self, token: &Token) {
        if let Some(path) = &self.path
            && let Err(error) = write(path, token)
        {
            tracing::debug!(path = %path.display(), %error, "the token is not kept");
        }
    }
}

fn write(path: &Path, token: &Token) -> std::io::Result<()> {
    let directory = path.parent().ok_or_else(|| std::io::Error::other("no directory"))?;
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(directory)?;
    // The folder around first: it gives its owner on.
    for made in [directory.parent().unwrap_or(directory), directory] {
        owner::like_its_folder(made)?;
    }
    let stored = Stored { access_token: token.secret.expose_secret().to_owned(), expires_at: token.expires_at };
    let mut file = tempfile::Builder::new().permissions(std::fs::Permissions::from_mode(0o600)).tempfile_in(directory)?;
    file.write_all(&serde_json::to_vec(&stored)?)?;
    owner::like_its_folder(file.path())?;
    file.persist(path)?;
    sweep(directory, path, clock::now());
    Ok(())
}

/// Takes away tokens that have ended, of accounts that are used no more or were signed in anew.
fn sweep(directory: &Path, kept: &Path, now: Millis) {
    for path in std::fs::read_dir(directory).into_iter().flatten().flatten().map(|e| e.path()).filter(|p| p != kept) {
        let stored = std::fs::read(&path).ok().and_then(|bytes| serde_json::from_slice::<Stored>(&bytes).ok());
        if stored.is_some_and(|s| s.expires_at <= now) {
            // Another run may have been faster.
            let _ = std::fs::remove_file(path);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token(text: &str) -> Token {
        Token { secret: text.into(), expires_at: 1_000_000 }
    }

    #[test]
    fn a_token_comes_back_until_its_last_minute() {
        let dir = tempfile::tempdir().expect("a directory");
        let cache = TokenCache::new(dir.path(), "robot|subject|uri|endpoint");
        assert!(cache.load(0).is_none());
        cache.store(&token("ya29.abc"));
        assert_eq!(cache.load(0).expect("kept").secret.expose_secret(), "ya29.abc");
        assert!(cache.load(1_000_000 - MARGIN).is_none());
        let mode = |p: &Path| std::fs::metadata(p).expect("there").permissions().mode() & 0o777;
        let path = cache.path.expect("on the disk");
        assert_eq!((mode(&path), mode(path.parent().expect("tokens"))), (0o600, 0o700));
        assert!(TokenCache::new(dir.path(), "other|subject|uri|endpoint").load(0).is_none());
    }

    #[test]
    fn a_damaged_file_is_as_good_as_none_and_is_replaced() {
        let dir = tempfile::tempdir().expect("a directory");
        let cache = TokenCache::new(dir.path(), "x");
        cache.store(&token("a"));
        for damage in ["", "{", "[]", r#"{"access_token":"","expires_at":99}"#, "{\"access_token\":\"a\\r\\nX: y\",\"expires_at\":9999999}"]
        {
            std::fs::write(cache.path.as_ref().expect("on the disk"), damage).expect("written");
            assert!(cache.load(0).is_none(), "{damage:?}");
        }
        cache.store(&token("b"));
        assert!(cache.load(0).is_some());
    }

    #[test]
    fn tokens_that_have_ended_go_and_others_stay() {
        let dir = tempfile::tempdir().expect("a directory");
        let [ended, fresh, mine] = ["ended", "fresh", "mine"].map(|who| TokenCache::new(dir.path(), who));
        ended.store(&token("a"));
        fresh.store(&Token { secret: "b".into(), expires_at: clock::now() + 3_600_000 });
        mine.store(&token("c"));
        assert_eq!([ended, fresh, mine].map(|cache| cache.path.is_some_and(|p| p.exists())), [false, true, true]);
    }

    #[test]
    fn debug_shows_no_token() {
        assert!(!format!("{:?}", token("ya29.zzz")).contains("zzz"), "the token is in Debug");
    }
}
