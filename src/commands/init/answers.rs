//! What `init` has to know, from a file or from a person.

use std::path::{Component, Path, PathBuf};

use serde::Deserialize;
use url::Url;

use crate::drive::FileId;
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
    /// Whether to make a key that signs callbacks where there is none, and a backend.
    pub callback_key: bool,
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
            callback_key: true,
            service_user: false,
        }
    }
}

impl Answers {
    /// Reads a TOML file of answers.
    pub(super) fn read(path: &Path) -> Result<Self, Failure> {
        let text = std::fs::read_to_string(path)
            .map_err(|e| Failure::new(Exit::Data, "answers_unreadable", format!("cannot read {}", path.display())).because(e))?;
        let mut answers: Self = toml::from_str(&text).map_err(|e| {
            let line = e.span().map_or(0, |s| text[..s.start.min(text.len())].matches('\n').count() + 1);
            Failure::new(Exit::Data, "answers_wrong", format!("{}, line {line}: {}", path.display(), e.message()))
                .hint("the answers are: credentials, parent_folder, subject, base_dir, backend_url, command, ledger, endpoint, portal_key, callback_key, service_user")
        })?;
        answers.base_dir = answers.base_dir.map(|typed| folder(&typed)).transpose()?;
        Ok(answers)
    }
}

/// A folder on this machine as somebody typed it. A bare word is none: it is more likely the answer to another question, and
/// would lie wherever they happen to be.
pub(super) fn folder(typed: &Path) -> Result<PathBuf, Failure> {
    let unfit = |why: &str| {
        let message = format!("{:?} {why}", typed.display().to_string());
        Err(Failure::new(Exit::Config, "base_dir_unfit", message).hint("name a folder for the technicians' files: /srv/tecnicos"))
    };
    if let Ok(below) = typed.strip_prefix("~") {
        return match std::env::var_os("HOME").filter(|home| !home.is_empty()) {
            Some(home) => Ok(Path::new(&home).join(below)),
            None => unfit("needs a home, and HOME names none"),
        };
    }
    match typed.components().next() {
        Some(Component::Normal(_)) => unfit("is a word, and not a place: a folder begins with / or ~/, or with ./ where it lies here"),
        _ => Ok(typed.to_owned()),
    }
}

/// The folder in what a person copied from the browser: an id, or the address of a folder in Drive.
pub(super) fn folder_id(text: &str) -> Result<FileId, Failure> {
    let text = text.trim();
    let wrong = |why: String| {
        Failure::new(Exit::Data, "parent_invalid", why).hint("open the folder in the browser and copy its address, or the id at its end")
    };
    let bare = text.strip_prefix("drive.google.com/").map(|path| format!("https://drive.google.com/{path}"));
    let id = match Url::parse(bare.as_deref().unwrap_or(text)) {
        Ok(url) => in_address(&url).ok_or_else(|| wrong(format!("{text:?} is not the address of a folder in Drive")))?,
        Err(_) => text.to_owned(),
    };
    if id == "root" {
        return Err(wrong("\"root\" is the account's own My Drive, which nobody else can open: make a folder for the trees".to_owned()));
    }
    FileId::new(id).map_err(|e| wrong(e.to_string()))
}

/// `…/folders/ID` and `…?id=ID`, in Drive only.
fn in_address(url: &Url) -> Option<String> {
    if url.host_str() != Some("drive.google.com") {
        return None;
    }
    let after = url.path_segments()?.skip_while(|part| *part != "folders").nth(1).filter(|id| !id.is_empty());
    after.map(str::to_owned).or_else(|| url.query_pairs().find(|(name, _)| name == "id").map(|(_, id)| id.into_owned()))
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
            "https://drive.google.com/open?id=1AbC-d_E&usp=drive_fs",
            "drive.google.com/drive/folders/1AbC-d_E",
        ] {
            assert_eq!(folder_id(text).expect(text).as_str(), "1AbC-d_E", "{text}");
        }
    }

    #[test]
    fn a_folder_here_is_a_place_and_not_a_word() {
        for place in ["/srv/tecnicos", "./vm", "../vm", ".", ""] {
            assert_eq!(folder(Path::new(place)).expect(place), Path::new(place));
        }
        let home = std::env::var("HOME").expect("a home");
        assert_eq!(folder(Path::new("~/vm")).expect("a place"), Path::new(&home).join("vm"));
        for word in ["systemctl", "judge {path}", "vm/files", "~ana/vm"] {
            assert_eq!(folder(Path::new(word)).expect_err(word).code(), "base_dir_unfit");
        }
    }

    #[test]
    fn what_names_no_folder_or_one_that_nobody_else_can_open_is_refused() {
        for text in [
            "",
            "not an id",
            "root",
            "https://example.com/1AbC-d_E",
            "https://drive.google.com/drive/my-drive",
            "https://drive.google.com/drive/folders/root",
            "https://drive.google.com.example.com/drive/folders/1AbC-d_E",
        ] {
            assert_eq!(folder_id(text).expect_err(text).code(), "parent_invalid", "{text}");
        }
    }
}
