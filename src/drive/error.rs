//! One failed call: what was asked, what Drive said, and what kind of trouble that is.

use std::fmt;
use std::ops::Deref;
use std::time::Duration;

/// What a failure means for the one who asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// Too many calls; every try was refused (6.10, 6.16). Later it will work.
    RateLimited,
    /// Too many shares for now; wait minutes before the next one (3.21).
    SharingLimited,
    /// Something is full, or spent for the day (6.11, 6.12).
    Quota,
    /// Drive had trouble of its own, each time it was asked (6.17).
    Server,
    /// Drive could not be reached, or the line broke.
    Network,
    /// No answer within the time limit.
    Timeout,
    /// The account was not accepted, by Drive or by the token endpoint.
    Credentials,
    /// It does not exist, or the account cannot see it (2.1). The two cannot be told apart.
    Gone,
    /// Something with that id exists already (1.17).
    Conflict,
    /// Understood and not allowed; `reason` says why.
    Refused,
    /// The token of a feed or a listing was rejected: start over from a full listing (4.3).
    BadToken,
    /// Drive calls the request wrong. For a share this can be the address (3.9); else it is a defect here.
    BadRequest,
    /// The answer could not be understood.
    Unreadable,
    /// Writing what was downloaded, or reading what is uploaded, failed on this machine.
    Local,
}

impl Kind {
    /// Whether the same call may succeed if it is repeated soon.
    pub fn is_passing(self) -> bool {
        matches!(self, Self::RateLimited | Self::Server | Self::Network | Self::Timeout)
    }

    /// Whether the call may have been carried out although it failed.
    pub fn is_ambiguous(self) -> bool {
        matches!(self, Self::Server | Self::Network | Self::Timeout)
    }
}

/// What lay beneath a failure.
pub(super) type Cause = Box<dyn std::error::Error + Send + Sync>;

/// A failed call. Its facts are the fields of [`Facts`]; it never holds a token or a key.
#[derive(Debug)]
pub struct DriveError(Box<Facts>);

/// The facts of a failed call.
#[derive(Debug)]
pub struct Facts {
    /// What it means.
    pub kind: Kind,
    /// The HTTP status, where there was an answer.
    pub status: Option<u16>,
    /// Drive's own word for it, e.g. `insufficientParentPermissions` (6b).
    pub reason: Option<String>,
    /// The parameter Drive complains of.
    pub location: Option<String>,
    /// One plain sentence.
    pub message: String,
    /// How long Drive asked to wait.
    pub retry_after: Option<Duration>,
    /// What was asked, e.g. `create folder "novos"`.
    pub what: String,
    /// The account that asked.
    pub account: String,
    /// The cause beneath, e.g. a connection that was refused.
    pub(super) cause: Option<Cause>,
}

impl DriveError {
    /// A failure of `kind` in one sentence.
    pub(super) fn new(kind: Kind, message: impl Into<String>) -> Self {
        Self(Box::new(Facts {
            kind,
            status: None,
            reason: None,
            location: None,
            message: message.into(),
            retry_after: None,
            what: String::new(),
            account: String::new(),
            cause: None,
        }))
    }

    /// With the cause beneath.
    pub(super) fn because(mut self, cause: impl Into<Cause>) -> Self {
        self.0.cause = Some(cause.into());
        self
    }

    /// Changes the facts while the error is being made.
    pub(super) fn with(mut self, change: impl FnOnce(&mut Facts)) -> Self {
        change(&mut self.0);
        self
    }

    /// Whether Drive gave this reason.
    pub fn is_reason(&self, reason: &str) -> bool {
        self.reason.as_deref() == Some(reason)
    }

    pub(super) fn into_facts(self) -> Facts {
        *self.0
    }
}

impl Deref for DriveError {
    type Target = Facts;

    fn deref(&self) -> &Facts {
        &self.0
    }
}

impl fmt::Display for DriveError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.what.is_empty() {
            write!(f, "{}: ", self.what)?;
        }
        f.write_str(&self.message)?;
        match (self.status, self.reason.as_deref()) {
            (Some(status), Some(reason)) => write!(f, " (Drive: {status} {reason})"),
            (Some(status), None) => write!(f, " (Drive: {status})"),
            (None, Some(reason)) => write!(f, " ({reason})"),
            (None, None) => Ok(()),
        }
    }
}

impl std::error::Error for DriveError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.cause.as_deref().map(|c| c as &(dyn std::error::Error + 'static))
    }
}
