//! A technician: who they are, and the one folder name that is theirs.

use std::fmt;

/// The longest user id: `appProperties` hold 124 bytes of key and value (drive-v3-behaviour 1.49).
pub const USER_ID_BYTES: usize = 100;

/// Longest folder name in bytes, so that every local file system takes it.
const FOLDER_BYTES: usize = 120;

/// What the backend calls a technician. Checked once, here; then trusted.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct UserId(String);

impl UserId {
    /// Accepts 1 to 100 bytes without control characters and without blanks at either end.
    pub fn parse(raw: &str) -> Result<Self, String> {
        if raw.trim().is_empty() {
            return Err("the user id is empty".into());
        }
        if raw.trim() != raw {
            return Err(format!("the user id {raw:?} begins or ends with a blank"));
        }
        if raw.len() > USER_ID_BYTES {
            return Err(format!("the user id has {} bytes; at most {USER_ID_BYTES} are possible", raw.len()));
        }
        if raw.chars().any(is_unprintable) {
            return Err(format!("the user id {raw:?} holds control characters"));
        }
        Ok(Self(raw.to_owned()))
    }

    /// The id as somebody types it in a shell, in a hint.
    pub fn typed(&self) -> String {
        let quoted = super::text::shell_word(&self.0);
        if self.0.starts_with('-') { format!("-- {quoted}") } else { quoted }
    }

    /// The id as given.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for UserId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// An e-mail address that can be shared with.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Email(String);

impl Email {
    /// Accepts what a mail system would: one `@`, a local part, a domain with a dot, no blanks. Stored in lower case.
    pub fn parse(raw: &str) -> Result<Self, String> {
        let wrong = |why: &str| Err(format!("{raw:?} is not an e-mail address: {why}"));
        if raw.len() > 254 || raw.chars().any(|c| c.is_whitespace() || is_unprintable(c)) {
            return wrong("it is too long or holds blanks");
        }
        let Some((local, domain)) = raw.split_once('@') else { return wrong("there is no @") };
        if local.is_empty() || local.len() > 64 || local.contains(['<', '>', '(', ')', ',', ';', ':', '"', '\\', '[', ']']) {
            return wrong("the part before the @ is not usable");
        }
        let labels: Vec<&str> = domain.split('.').collect();
        let good =
            |l: &&str| !l.is_empty() && !l.starts_with('-') && !l.ends_with('-') && l.chars().all(|c| c.is_alphanumeric() || c == '-');
        if labels.len() < 2 || !labels.iter().all(good) {
            return wrong("the part after the @ is not a domain");
        }
        Ok(Self(raw.to_lowercase()))
    }

    /// The address in lower case.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Email {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The folder name of a full name: every space becomes `_` (CONTRACT 1.1), and what could
/// leave the folder or fool a reader is refused.
pub fn folder_name(name: &str) -> Result<String, String> {
    let trimmed = name.trim();
    if trimmed.is_empty() {
        return Err("the name is empty".into());
    }
    if trimmed.contains(['/', '\\']) {
        return Err(format!("the name {trimmed:?} holds a path separator"));
    }
    if let Some(c) = trimmed.chars().find(|c| is_unprintable(*c)) {
        return Err(format!("the name holds the character U+{:04X}, which a reader cannot see", c as u32));
    }
    if trimmed.starts_with('.') {
        return Err(format!("the name {trimmed:?} begins with a dot"));
    }
    if folder_key(trimmed) == "tecnicos.json" {
        return Err("the name \"tecnicos.json\" is that of a file beside the technicians' folders".into());
    }
    if trimmed.len() > FOLDER_BYTES {
        return Err(format!("the name has {} bytes; a folder name here has at most {FOLDER_BYTES}", trimmed.len()));
    }
    Ok(trimmed.chars().map(|c| if c.is_whitespace() { '_' } else { c }).collect())
}

/// The name for the `n`th technician (2, 3 …) whose name gives a folder that is taken.
pub fn numbered_folder(folder: &str, n: u32) -> String {
    format!("{folder}_{n}")
}

/// Whether `folder` is what somebody got who wanted `wanted` when it was taken.
pub fn is_numbered(folder: &str, wanted: &str) -> bool {
    let number = folder.strip_prefix(wanted).and_then(|rest| rest.strip_prefix('_')).and_then(|n| n.parse::<u32>().ok());
    number.is_some_and(|n| n >= 2 && numbered_folder(wanted, n) == folder)
}

/// What makes two folder names the same to a person or to a file system that folds case.
pub fn folder_key(folder: &str) -> String {
    use unicode_normalization::UnicodeNormalization;
    folder.nfc().collect::<String>().to_lowercase()
}

/// Control characters, direction marks, zero-width and other invisible ones.
pub fn is_unprintable(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{ad}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{feff}' | '\u{ffa0}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn c1_1_every_space_becomes_an_underscore() {
        assert_eq!(folder_name("Ana Maria").as_deref(), Ok("Ana_Maria"));
        assert_eq!(folder_name("João  Silva").as_deref(), Ok("João__Silva"));
    }

    #[test]
    fn hostile_names_are_refused() {
        let long = "a".repeat(300);
        for name in
            ["", "   ", "..", ".", ".oculto", "a/b", "a\\b", "a\nb", "\u{202e}ana", "ana\u{200b}", "../x", &long, "a\0b", "Tecnicos.json"]
        {
            assert!(folder_name(name).is_err(), "{name:?}");
        }
    }

    #[test]
    fn two_spellings_of_one_name_are_one_folder() {
        assert_eq!(folder_key("Joa\u{303}o"), folder_key("JOÃO"));
    }

    #[test]
    fn a_numbered_folder_is_known_again() {
        assert!(is_numbered("Ana_Maria_2", "Ana_Maria"));
        for other in ["Ana_Maria", "Ana_Maria_1", "Ana_Maria_02", "Ana_Maria_x", "Ana_Maria_2_3"] {
            assert!(!is_numbered(other, "Ana_Maria"), "{other}");
        }
    }

    #[test]
    fn e_mails() {
        assert!(Email::parse("Ana@Example.com").is_ok_and(|e| e.as_str() == "ana@example.com"));
        for bad in [
            "",
            "ana",
            "ana@",
            "@example.com",
            "ana@x",
            "a b@example.com",
            "ana@@example.com",
            "ana@exa_mple.com",
            "ana@-x.com",
            "a,b@example.com",
        ] {
            assert!(Email::parse(bad).is_err(), "{bad:?}");
        }
    }
}
