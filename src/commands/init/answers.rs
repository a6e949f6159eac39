//! What `init` has to know, from a file or from a person.

use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::error::{Exit, Failure};

/// The answers; what is not given has the default of the settings.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Answers {
    /// Key file of the service account, or an authorized user's.
    pub credentials: PathBuf,
    /// Id or address of the folder that is to hold the trees.
    pub parent_folder: String,
    /// Whom the service account acts for.
    pub subject: String,
    /// Where the technicians' folders are to lie.
    pub base_dir: Option<PathBuf>,
    /// The backend's base address.
    pub backend_url: String,
    /// The program that judges, and its arguments.
    pub command: Vec<String>,
    /// Where the ledger is to lie.
    pub ledger: Option<PathBuf>,
    /// An emulator in place of Google.
    pub endpoint: Option<String>,
    /// Whether to make a key for portal passwords where there is none.
    pub portal_key: bool,
    /// Whether to make the user of the services.
    pub service_user: bool,
}

impl Default for Answers {
    fn default() -> Self {
        Self {
            credentials: PathBuf::new(),
            parent_folder: String::new(),
            subject: String::new(),
            base_dir: None,
            backend_url: String::new(),
            command: Vec::new(),
            ledger: None,
            endpoint: None,
            portal_key: true,
            service_user: false,
        }
    }
}

impl Answers {
    /// Reads a TOML file of answers.
    pub(super) fn read(path: &Path) -> Result<Self, Failure> {
        let text = std::fs::read_to_string(path)
            .map_err(|e| Failure::new(Exit::Data, "answers_unreadable", format!("cannot read {}", path.display())).because(e))?;
        toml::from_str(&text).map_err(|e| {
            let line = e.span().map_or(0, |s| text[..s.start.min(text.len())].matches('\n').count() + 1);
            Failure::new(Exit::Data, "answers_wrong", format!("{}, line {line}: {}", path.display(), e.message()))
                .hint("the answers are: credentials, parent_folder, subject, base_dir, backend_url, command, ledger, endpoint, portal_key, service_user")
        })
    }
}

/// The id in what a person copied from the browser: an id, or an address that ends in one.
pub(super) fn folder_id(text: &str) -> String {
    let path = text.trim().split(['?', '#']).next().unwrap_or_default();
    path.trim_end_matches('/').rsplit('/').next().unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_found_in_an_address_of_the_browser() {
        for text in [
            "1AbC-d_E",
            " 1AbC-d_E ",
            "https://drive.google.com/drive/folders/1AbC-d_E",
            "https://drive.google.com/drive/u/0/folders/1AbC-d_E?usp=sharing",
            "https://drive.google.com/drive/folders/1AbC-d_E/",
        ] {
            assert_eq!(folder_id(text), "1AbC-d_E", "{text}");
        }
    }
}
