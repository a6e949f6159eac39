//! What a user is told when something fails: what, for whom, why, and the command that fixes it.
//!
//! Every failure a person or a program is meant to act on is a [`Failure`]. It travels inside
//! `anyhow::Error`; `app` finds it there, prints it once and takes the exit code from it.

use std::fmt;

/// How the process ends (the numbers follow sysexits, see DESIGN §9).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Exit {
    /// Done, nothing to say.
    Done = 0,
    /// Done but not clean: drift found, or some rows or files failed.
    NotClean = 1,
    /// The command line was wrong.
    Usage = 64,
    /// Input data was wrong: an e-mail, a CSV row, a damaged file.
    Data = 65,
    /// Drive or the backend cannot be reached.
    Unavailable = 69,
    /// A defect in tecnico.
    Bug = 70,
    /// An output could not be created.
    CannotCreate = 73,
    /// Reading or writing failed half-way: disk full, I/O error.
    Io = 74,
    /// Nothing is wrong, but not now: busy, or the rate limit.
    Later = 75,
    /// Refused: credentials or permission.
    Refused = 77,
    /// The configuration is missing or wrong.
    Config = 78,
}

impl Exit {
    /// All of them, for the man page.
    pub const ALL: [Self; 11] = [
        Self::Done,
        Self::NotClean,
        Self::Usage,
        Self::Data,
        Self::Unavailable,
        Self::Bug,
        Self::CannotCreate,
        Self::Io,
        Self::Later,
        Self::Refused,
        Self::Config,
    ];

    /// What it says to the caller, as a sentence.
    pub fn meaning(self) -> &'static str {
        match self {
            Self::Done => "Done.",
            Self::NotClean => "Done but not clean: drift was found, or some rows or files failed.",
            Self::Usage => "The command line was wrong.",
            Self::Data => "Input data was wrong: an e-mail, a CSV row, a damaged file.",
            Self::Unavailable => "Drive or the backend cannot be reached.",
            Self::Bug => "A defect in tecnico.",
            Self::CannotCreate => "An output could not be created.",
            Self::Io => "Reading or writing failed half-way: a full disk, an I/O error.",
            Self::Later => "Not now: busy, or the rate limit. Try again later.",
            Self::Refused => "Refused: credentials, permission, or the SSH gate.",
            Self::Config => "The configuration is missing or wrong.",
        }
    }
}

/// One failure with a stable code for programs and a sentence and a hint for people.
#[derive(Debug)]
pub struct Failure {
    exit: Exit,
    code: &'static str,
    message: String,
    hint: Option<String>,
    source: Option<anyhow::Error>,
}

impl Failure {
    /// A failure with a stable `code` (snake_case, part of the JSON contract) and a sentence.
    pub fn new(exit: Exit, code: &'static str, message: impl Into<String>) -> Self {
        Self { exit, code, message: message.into(), hint: None, source: None }
    }

    /// The command or act that mends it.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// What lay beneath.
    #[must_use]
    pub fn because(mut self, source: impl Into<anyhow::Error>) -> Self {
        self.source = Some(source.into());
        self
    }

    /// How the process should end.
    pub fn exit(&self) -> Exit {
        self.exit
    }

    /// The stable code.
    pub fn code(&self) -> &'static str {
        self.code
    }

    /// The hint, where there is one.
    pub fn hint_text(&self) -> Option<&str> {
        self.hint.as_deref()
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Failure {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.source.as_deref().map(|e| e as &(dyn std::error::Error + 'static))
    }
}
