//! From any error to how the run ends and what a person is told to do.

use schemars::JsonSchema;
use serde::Serialize;

use crate::document::Document;
use crate::drive::DriveError;
use crate::error::{Exit, Failure};

/// What follows from an error.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Advice {
    /// How the process ends.
    pub exit: Exit,
    /// The stable word for programs.
    pub code: &'static str,
    /// The command or act that mends it.
    pub hint: Option<String>,
}

/// That of the outermost failure in the chain; an error nobody foresaw is a defect.
pub fn advice(fault: &anyhow::Error) -> Advice {
    let foreseen = fault.chain().find_map(|e| {
        if let Some(f) = e.downcast_ref::<Failure>() {
            return Some(Advice { exit: f.exit(), code: f.code(), hint: f.hint_text().map(str::to_owned) });
        }
        e.downcast_ref::<DriveError>().map(|e| {
            let (exit, code, hint) = e.advice();
            Advice { exit, code, hint }
        })
    });
    foreseen.unwrap_or_else(|| Advice {
        exit: Exit::Bug,
        code: "unexpected",
        hint: Some("this is a defect in tecnico: run the same command with -vv and report what it prints".to_owned()),
    })
}

/// A failure. Nothing else is printed to stdout then.
#[derive(Debug, Serialize, JsonSchema)]
pub struct ErrorDocument {
    /// The failure.
    pub error: ErrorBody,
}

/// What failed, why, and what mends it.
#[derive(Debug, Serialize, JsonSchema)]
pub struct ErrorBody {
    /// A stable word for programs.
    pub code: String,
    /// A sentence for people.
    pub message: String,
    /// The command or act that mends it.
    pub hint: Option<String>,
    /// What lay beneath, the nearest first.
    pub causes: Vec<String>,
}

impl Document for ErrorDocument {
    const SCHEMA: &'static str = "tecnico.error/1";
}
