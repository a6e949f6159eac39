//! What `tecnico doctor` tries out. Each check does the thing itself, on what is configured, and says what it found with
//! the command that mends it. Nothing of a technician's is touched; what is made on Drive for a trial goes to the trash.

pub mod backend;
pub mod drive;
pub mod local;
pub mod processor;
pub mod state;
pub mod systemd;
pub mod work;

use schemars::JsonSchema;
use serde::Serialize;

use crate::error::Failure;

/// How a check ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// As it should be.
    Good,
    /// It works, but somebody should know.
    Warning,
    /// It does not work.
    Problem,
    /// Not tried, because something it needs does not work.
    Skipped,
}

/// What one check found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Finding {
    /// The name of the check, for `--only`.
    pub check: &'static str,
    /// How it ended.
    pub verdict: Verdict,
    /// What was found, as a sentence.
    pub message: String,
    /// What mends it.
    pub fix: Option<String>,
}

/// The findings of one check.
pub type Findings = Vec<Finding>;

/// One check.
#[derive(Debug, Clone, Copy)]
pub struct Check {
    /// Its name.
    pub name: &'static str,
    /// The checks that must have gone well before it makes sense.
    pub needs: &'static [&'static str],
}

/// Every check, in the order in which one builds on another.
pub const CHECKS: [Check; 20] = [
    Check { name: "config", needs: &[] },
    Check { name: "user", needs: &["config"] },
    Check { name: "disk", needs: &["config"] },
    Check { name: "key", needs: &["config"] },
    Check { name: "processor", needs: &["config"] },
    Check { name: "ledger", needs: &["config"] },
    Check { name: "lock", needs: &["ledger"] },
    Check { name: "quota", needs: &["ledger"] },
    Check { name: "leftovers", needs: &["ledger"] },
    Check { name: "credentials", needs: &["config"] },
    Check { name: "clock", needs: &["credentials"] },
    Check { name: "token", needs: &["credentials"] },
    Check { name: "account", needs: &["token"] },
    Check { name: "scope", needs: &["token"] },
    Check { name: "parent", needs: &["account", "scope"] },
    Check { name: "roundtrip", needs: &["parent"] },
    Check { name: "feed", needs: &["account"] },
    Check { name: "backend", needs: &["config"] },
    // What failed for any of the others is started when that is mended.
    Check { name: "services", needs: &["config"] },
    // What waits is told after all that it may wait for.
    Check { name: "work", needs: &["ledger"] },
];

impl Check {
    /// Whether it asks Drive, as all do that build on the credentials: where one finds that Drive cannot be reached, the
    /// others would only say so again.
    pub fn asks_drive(&self) -> bool {
        self.needs.iter().any(|needed| *needed == "credentials" || CHECKS.iter().any(|c| c.name == *needed && c.asks_drive()))
    }
}

impl Finding {
    /// As it should be.
    pub fn good(check: &'static str, message: impl Into<String>) -> Self {
        Self { check, verdict: Verdict::Good, message: message.into(), fix: None }
    }

    /// It works, but somebody should know.
    pub fn warning(check: &'static str, message: impl Into<String>, fix: impl Into<String>) -> Self {
        Self { check, verdict: Verdict::Warning, message: message.into(), fix: Some(fix.into()) }
    }

    /// It does not work.
    pub fn problem(check: &'static str, message: impl Into<String>, fix: impl Into<String>) -> Self {
        Self { check, verdict: Verdict::Problem, message: message.into(), fix: Some(fix.into()) }
    }

    /// Not tried, because of what it needs.
    pub fn skipped(check: &'static str, because: &str) -> Self {
        Self { check, verdict: Verdict::Skipped, message: format!("not tried: {because} is in trouble"), fix: None }
    }

    /// A failure as a finding.
    pub fn of_failure(check: &'static str, failure: &Failure) -> Self {
        Self { check, verdict: Verdict::Problem, message: in_full(failure), fix: failure.hint_text().map(str::to_owned) }
    }
}

/// An error with all that lay beneath it, each said once.
pub fn in_full(error: &(dyn std::error::Error + 'static)) -> String {
    let mut said = error.to_string();
    let mut beneath = error.source();
    while let Some(cause) = beneath {
        let told = cause.to_string();
        if !said.contains(&told) {
            said.push_str(": ");
            said.push_str(&told);
        }
        beneath = cause.source();
    }
    said
}

/// A duration or a size, roughly, for a sentence.
fn gigabytes(bytes: u64) -> String {
    bytesize::ByteSize(bytes).to_string()
}
