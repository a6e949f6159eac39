//! Ids as Drive makes them, checked before they enter a URL: google-drive3 does not encode its path
//! parameters (drive-v3-behaviour 9.29), so an id with `/` or `?` in it would reach another method.

use std::fmt;
use std::str::FromStr;

/// The longest id taken for one. Drive's own are 19 to 44 characters.
const LONGEST: usize = 128;

/// The id of a file, folder, shortcut or shared drive. Holds only `A-Z a-z 0-9 _ -`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct FileId(String);

/// A text that cannot be an id of Drive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotAnId(String);

impl FileId {
    /// Checks `text`. An address copied from the browser is the usual mistake, and is not taken apart here.
    pub fn new(text: impl Into<String>) -> Result<Self, NotAnId> {
        let text = text.into();
        let plain = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
        if text.is_empty() || text.len() > LONGEST || !text.chars().all(plain) {
            return Err(NotAnId(text));
        }
        Ok(Self(text))
    }

    /// The id as Drive writes it.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for FileId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl AsRef<str> for FileId {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

impl FromStr for FileId {
    type Err = NotAnId;

    fn from_str(text: &str) -> Result<Self, NotAnId> {
        Self::new(text)
    }
}

impl fmt::Display for NotAnId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown: String = self.0.chars().take(60).collect();
        write!(f, "{shown:?} is not a Drive id: an id holds only letters, digits, _ and -, at most {LONGEST} of them")
    }
}

impl std::error::Error for NotAnId {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_of_drive_pass_and_everything_that_bends_a_url_does_not() {
        for good in ["1AbC_-9", "root", "0AEd3EhGff9SaUk9PVA"] {
            assert_eq!(FileId::new(good).expect("a good id").as_str(), good);
        }
        let long = "a".repeat(LONGEST + 1);
        for bad in ["", "a/b", "../about", "a?x=1", "a b", "a%2F", "a'b", "á", "a\n", "a#", long.as_str()] {
            assert!(FileId::new(bad).is_err(), "{bad:?} was taken for an id");
        }
    }

    #[test]
    fn a_refused_text_is_shown_escaped_and_short() {
        let shown = NotAnId("x\u{1b}[31m".repeat(50)).to_string();
        assert!(!shown.contains('\u{1b}') && shown.len() < 500, "{shown}");
    }
}
