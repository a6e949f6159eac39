//! What an entry in a `novos` is: taken, left alone, or refused with a reason. Pure.

use globset::{GlobBuilder, GlobSet, GlobSetBuilder};

use crate::config::settings::{DocPolicy, FolderPolicy, ProcessSettings};
use crate::domain::item::Sighted;
use crate::drive::{FOLDER, SHORTCUT};
use crate::error::{Exit, Failure};

/// What Google's editors call their files.
const GOOGLE_DOC: &str = "application/vnd.google-apps.";

/// The rules of `[process]`, ready to match.
#[derive(Debug)]
pub(super) struct Policy {
    accept: GlobSet,
    ignore: GlobSet,
    accepted: String,
    pub(super) folders: FolderPolicy,
    docs: DocPolicy,
    max_size: u64,
}

/// What becomes of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Decision {
    /// Its bytes are fetched.
    Take,
    /// It is fetched as PDF.
    Export,
    /// It goes to `erro`, for this reason.
    Refuse(String),
}

impl Policy {
    /// Fails with `bad_glob` (78).
    pub(super) fn new(settings: &ProcessSettings) -> Result<Self, Failure> {
        Ok(Self {
            accept: globs("process.accept", &settings.accept)?,
            ignore: globs("process.ignore", &settings.ignore)?,
            accepted: settings.accept.join(", "),
            folders: settings.folders,
            docs: settings.google_docs,
            max_size: settings.max_size,
        })
    }

    /// Whether it is left where it is and never spoken of: temporary and system files.
    pub(super) fn ignores(&self, name: &str) -> bool {
        self.ignore.is_match(name.trim())
    }

    /// What becomes of a file that is not ignored. The reasons are read by technicians.
    pub(super) fn decide(&self, seen: &Sighted) -> Decision {
        let refuse = |why: String| Decision::Refuse(why);
        match seen.mime_type.as_str() {
            FOLDER => return refuse("pastas não são aceitas em novos: envie os arquivos soltos".into()),
            SHORTCUT => return refuse("é um atalho, não um arquivo: envie o próprio arquivo".into()),
            mime if mime.starts_with(GOOGLE_DOC) => {
                return match self.docs {
                    DocPolicy::Reject => refuse("documentos do Google não são aceitos: envie um PDF".into()),
                    DocPolicy::ExportPdf if self.accepts(&exported_name(&seen.name)) => Decision::Export,
                    DocPolicy::ExportPdf => self.not_accepted(),
                };
            }
            _ => {}
        }
        if !self.accepts(&seen.name) {
            return self.not_accepted();
        }
        match seen.size {
            Some(0) => refuse("o arquivo está vazio".into()),
            Some(size) if size > self.max_size => refuse(format!("o arquivo tem {size} bytes; o máximo é {} bytes", self.max_size)),
            _ => Decision::Take,
        }
    }

    /// Blanks around a name are a slip of the finger, and cannot be seen.
    fn accepts(&self, name: &str) -> bool {
        self.accept.is_match(name.trim())
    }

    fn not_accepted(&self) -> Decision {
        Decision::Refuse(format!("tipo de arquivo não aceito (aceitos: {})", self.accepted))
    }
}

/// The name an exported document gets.
pub(super) fn exported_name(name: &str) -> String {
    if name.trim().to_lowercase().ends_with(".pdf") { name.to_owned() } else { format!("{}.pdf", name.trim_end()) }
}

fn globs(key: &str, patterns: &[String]) -> Result<GlobSet, Failure> {
    let bad = |e: globset::Error| {
        Failure::new(Exit::Config, "bad_glob", format!("`{key}`: {e}")).hint("a pattern is a file name with * and ?, e.g. \"*.pdf\"")
    };
    let mut set = GlobSetBuilder::new();
    for pattern in patterns {
        set.add(GlobBuilder::new(pattern).case_insensitive(true).literal_separator(false).build().map_err(bad)?);
    }
    set.build().map_err(bad)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::settings::Mode;
    use crate::domain::item::ItemKey;
    use crate::domain::technician::UserId;

    fn policy(docs: DocPolicy) -> Policy {
        let list = |names: &[&str]| names.iter().map(ToString::to_string).collect();
        Policy::new(&ProcessSettings {
            command: Vec::new(),
            mode: Mode::Command,
            timeout: std::time::Duration::from_mins(10),
            accept: list(&["*.pdf"]),
            ignore: list(&[".DS_Store", "._*", "~$*", "*.tmp", "Thumbs.db"]),
            folders: FolderPolicy::Flatten,
            google_docs: docs,
            max_size: 100,
            ordered: false,
        })
        .expect("good globs")
    }

    fn seen(name: &str, mime: &str, size: Option<u64>) -> Sighted {
        Sighted {
            user: UserId::parse("42").expect("a user"),
            key: ItemKey { file_id: "f".into(), version: "v".into() },
            name: name.into(),
            mime_type: mime.into(),
            size,
            md5: None,
            parent_id: "p".into(),
            below: String::new(),
            not_before: 0,
        }
    }

    #[test]
    fn names_match_without_regard_to_case_and_whatever_is_in_them() {
        let policy = policy(DocPolicy::Reject);
        for name in ["16517189.pdf", "A.PDF", "a/b\\c.Pdf", "\u{202e}x.pdf", "..pdf", "trail.pdf ", " \u{a0}x.pdf\t"] {
            assert_eq!(policy.decide(&seen(name, "application/pdf", Some(1))), Decision::Take, "{name:?}");
        }
        assert!(policy.ignores("THUMBS.DB") && policy.ignores("~$x.docx") && policy.ignores(".DS_Store") && !policy.ignores("a.pdf"));
    }

    #[test]
    fn everything_else_is_refused_with_a_reason() {
        let policy = policy(DocPolicy::Reject);
        for (name, mime, size, why) in [
            ("a.txt", "text/plain", Some(1), "tipo de arquivo não aceito (aceitos: *.pdf)"),
            ("a.pdf", "application/pdf", Some(0), "o arquivo está vazio"),
            ("a.pdf", "application/pdf", Some(101), "o arquivo tem 101 bytes; o máximo é 100 bytes"),
            ("a.pdf", SHORTCUT, None, "é um atalho, não um arquivo: envie o próprio arquivo"),
            ("a.pdf", FOLDER, None, "pastas não são aceitas em novos: envie os arquivos soltos"),
            ("a", "application/vnd.google-apps.document", None, "documentos do Google não são aceitos: envie um PDF"),
        ] {
            assert_eq!(policy.decide(&seen(name, mime, size)), Decision::Refuse(why.into()));
        }
    }

    #[test]
    fn a_google_document_is_judged_by_the_name_it_gets() {
        let doc = seen("Relatório", "application/vnd.google-apps.document", Some(1));
        assert_eq!(policy(DocPolicy::ExportPdf).decide(&doc), Decision::Export);
        assert_eq!(exported_name("Relatório"), "Relatório.pdf");
        assert_eq!(exported_name("x.PDF"), "x.PDF");
    }
}
