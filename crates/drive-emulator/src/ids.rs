//! Ids in the shapes Drive uses.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest as _, Sha256};

/// What an id was generated for (1.14).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum IdKind {
    /// Files and folders in `drive`.
    Files,
    /// Shortcuts.
    Shortcuts,
    /// Files in `appDataFolder`.
    AppData,
}

impl IdKind {
    fn label(self) -> &'static str {
        match self {
            Self::Files => "files",
            Self::Shortcuts => "shortcuts",
            Self::AppData => "appdata",
        }
    }
}

/// A fresh file id, 33 characters. Its tail is a signature, so that ids nobody generated are told from
/// generated ones without keeping a table of them.
pub(crate) fn file_id(secret: &str, kind: IdKind) -> String {
    let body = format!("1{}", URL_SAFE_NO_PAD.encode(rand::random::<[u8; 18]>()));
    let tail = signature(secret, kind, &body);
    body + &tail
}

/// Whether `id` came from [`file_id`] with the same kind.
pub(crate) fn was_generated(secret: &str, kind: IdKind, id: &str) -> bool {
    id.len() == 33 && id.is_ascii() && signature(secret, kind, &id[..25]) == id[25..]
}

fn signature(secret: &str, kind: IdKind, body: &str) -> String {
    let hash = Sha256::digest(format!("{secret}/{}/{body}", kind.label()));
    URL_SAFE_NO_PAD.encode(&hash[..6])
}

/// An id with a prefix, for roots (`0A`), revisions (`0B`), tokens and sessions.
pub(crate) fn random(prefix: &str, bytes: usize) -> String {
    let raw: Vec<u8> = (0..bytes).map(|_| rand::random()).collect();
    format!("{prefix}{}", URL_SAFE_NO_PAD.encode(raw))
}

/// The permission id of a grantee: decimal, the same on every file (3.2).
pub(crate) fn permission_id(grantee: &str) -> String {
    let hash = Sha256::digest(grantee.to_lowercase());
    let mut number = [0; 8];
    number.copy_from_slice(&hash[..8]);
    format!("{:020}", u64::from_be_bytes(number))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn b1_16_only_generated_ids_of_the_right_kind_count() {
        let id = file_id("secret", IdKind::Files);
        assert_eq!(id.len(), 33);
        assert!(was_generated("secret", IdKind::Files, &id));
        assert!(!was_generated("secret", IdKind::Shortcuts, &id));
        assert!(!was_generated("other", IdKind::Files, &id));
        assert!(!was_generated("secret", IdKind::Files, "invented"));
    }

    #[test]
    fn b3_2_permission_ids_are_stable_and_ignore_case() {
        assert_eq!(permission_id("Ana@example.com"), permission_id("ana@example.com"));
        assert_ne!(permission_id("ana@example.com"), permission_id("bea@example.com"));
    }
}
