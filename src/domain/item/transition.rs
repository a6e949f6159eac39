//! How far an item can be, what can happen to it, and the one table of what may follow what.

use std::fmt;

use crate::domain::clock::{Millis, rfc3339};

/// How far an item is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum State {
    /// Seen in `novos`; nothing else is true yet.
    Found,
    /// The whole content lies on the VM, checked.
    Fetched,
    /// There is a verdict; the file may still lie in `novos`.
    Judged,
    /// It lies where the verdict sends it, on Drive and on the VM; the backend may not know.
    Filed,
    /// The technician took it back before it was filed; the backend may not know.
    Withdrawn,
    /// The backend knows, or there is no backend to tell. The end.
    Reported,
}

/// How the processor decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Verdict {
    /// To `processados`.
    Processado,
    /// To `erro`.
    Erro,
}

/// How it went for the item: what the backend is told (CONTRACT 3.4).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Outcome {
    /// Accepted.
    Processado,
    /// Refused.
    Erro,
    /// Taken back.
    Retirado,
}

/// What can happen to an item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Act {
    /// The content is on the VM, at this path below the technician's folder.
    Fetched {
        /// Path below the technician's folder.
        local_path: String,
        /// When the copy got that name, by its own file system's clock: its time of modification.
        copied_at: Millis,
    },
    /// The processor, or a policy, decided.
    Judged {
        /// Which way.
        verdict: Verdict,
        /// Why, for people; a refusal has one.
        reason: Option<String>,
        /// The processor's own JSON for the backend.
        data: Option<String>,
        /// What else the history is to say, e.g. that the data was dropped and why.
        note: Option<String>,
        /// Where whoever decided has put the local copy; none where it lies as it lay.
        local_path: Option<String>,
    },
    /// It lies where the verdict sends it.
    Filed {
        /// Where the local file lies now; `None` where nothing was fetched.
        local_path: Option<String>,
    },
    /// A look at Drive found it filed already, by a run that this ledger does not know of (a backup was restored).
    FiledBefore {
        /// Which way, as Drive says.
        verdict: Verdict,
        /// Why, where it was refused.
        reason: Option<String>,
        /// Where the local file lies; `None` where there is none.
        local_path: Option<String>,
    },
    /// The technician took it back: trashed, moved away, or replaced before it was fetched.
    Withdrawn {
        /// What was seen.
        reason: String,
        /// Where the local file lies now; `None` where nothing was fetched.
        local_path: Option<String>,
    },
    /// The backend took the event.
    Reported {
        /// By what, e.g. the event's id.
        note: String,
    },
    /// Not now; try the same step again later.
    Wait {
        /// Not before.
        until: Millis,
        /// Why, for people.
        reason: String,
        /// The code of the failure of ours that is why; none where the processor asked for it.
        setback: Option<&'static str>,
    },
    /// A signal ended the processor before it had decided: it is asked again later.
    Interrupted {
        /// Not before.
        until: Millis,
        /// Why, for people.
        reason: String,
    },
    /// Somebody asked for it now: it waits no longer.
    Asked {
        /// By what, e.g. the command.
        by: String,
    },
    /// A look at Drive did not find the file. Drive may have forgotten it for a moment (drive-v3-behaviour 2.41, 6.13): it is
    /// taken back only when a later look does not find it either.
    Missed {
        /// When to look again.
        until: Millis,
        /// For people.
        reason: String,
    },
    /// The local copy is gone or damaged: fetch it again.
    Refetch {
        /// What was seen.
        reason: String,
    },
    /// Somebody asked to try a refused item again.
    Retry,
    /// An ended item lies in `novos` again (looked at on Drive, not only read in a listing that may lag).
    Returned,
}

/// An act that cannot follow from where the item is.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("an item that is {from}{} cannot be {act}", outcome.map(|o| format!(" ({o})")).unwrap_or_default())]
pub struct Illegal {
    /// Where it is.
    pub from: State,
    /// How it went so far.
    pub outcome: Option<Outcome>,
    /// What was tried.
    pub act: &'static str,
}

/// Where an item stands: all that decides what may come next.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Standing {
    /// How far.
    pub state: State,
    /// Which way; known from `Judged` on.
    pub outcome: Option<Outcome>,
}

impl Standing {
    /// Where every item begins.
    pub const START: Self = Self { state: State::Found, outcome: None };

    /// The one table of legal transitions.
    pub fn after(self, act: &Act) -> Result<Self, Illegal> {
        use State::{Fetched, Filed, Found, Judged, Reported, Withdrawn};
        let to = |state, outcome| Ok(Self { state, outcome });
        match (self.state, act) {
            (Found, Act::Fetched { .. }) => to(Fetched, None),
            (Fetched, Act::Refetch { .. }) => to(Found, None),
            // What was never fetched can be refused (a policy), but not accepted.
            (Found, Act::Judged { verdict: Verdict::Erro, .. }) => to(Judged, Some(Outcome::Erro)),
            (Fetched, Act::Judged { verdict, .. }) => to(Judged, Some((*verdict).into())),
            (Judged, Act::Filed { .. }) => to(Filed, self.outcome),
            (Found | Fetched | Judged, Act::FiledBefore { verdict, .. }) => to(Filed, Some((*verdict).into())),
            (Found | Fetched | Judged, Act::Withdrawn { .. }) => to(Withdrawn, Some(Outcome::Retirado)),
            (Found | Fetched | Judged, Act::Wait { .. } | Act::Missed { .. } | Act::Asked { .. }) | (Fetched, Act::Interrupted { .. }) => {
                Ok(self)
            }
            (Filed | Withdrawn, Act::Reported { .. }) => to(Reported, self.outcome),
            (Filed | Reported, Act::Retry) if self.outcome == Some(Outcome::Erro) => Ok(Self::START),
            (Filed | Withdrawn | Reported, Act::Returned) => Ok(Self::START),
            _ => Err(Illegal { from: self.state, outcome: self.outcome, act: act.word() }),
        }
    }
}

impl State {
    /// All of them, in the order a file meets them.
    pub const ALL: [Self; 6] = [Self::Found, Self::Fetched, Self::Judged, Self::Filed, Self::Withdrawn, Self::Reported];

    /// Whether the agent still has something to do with the file itself; reporting is the outbox's.
    pub fn is_open(self) -> bool {
        matches!(self, Self::Found | Self::Fetched | Self::Judged)
    }

    /// The stored word. Stable for ever.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Found => "found",
            Self::Fetched => "fetched",
            Self::Judged => "judged",
            Self::Filed => "filed",
            Self::Withdrawn => "withdrawn",
            Self::Reported => "reported",
        }
    }

    /// The state of a stored word.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|s| s.as_str() == word)
    }
}

impl Outcome {
    /// The word the backend reads (CONTRACT 3.4), also the stored one.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Processado => "processado",
            Self::Erro => "erro",
            Self::Retirado => "retirado",
        }
    }

    /// The outcome of a stored word.
    pub fn parse(word: &str) -> Option<Self> {
        [Self::Processado, Self::Erro, Self::Retirado].into_iter().find(|o| o.as_str() == word)
    }
}

impl From<Verdict> for Outcome {
    fn from(verdict: Verdict) -> Self {
        match verdict {
            Verdict::Processado => Self::Processado,
            Verdict::Erro => Self::Erro,
        }
    }
}

impl Act {
    /// What was done, as one word after "cannot be".
    pub fn word(&self) -> &'static str {
        match self {
            Self::Fetched { .. } => "fetched",
            Self::Judged { .. } => "judged",
            Self::Filed { .. } | Self::FiledBefore { .. } => "filed",
            Self::Withdrawn { .. } => "withdrawn",
            Self::Reported { .. } => "reported",
            Self::Wait { .. } => "kept waiting",
            Self::Interrupted { .. } => "interrupted",
            Self::Asked { .. } => "hurried",
            Self::Missed { .. } => "missed",
            Self::Refetch { .. } => "fetched again",
            Self::Retry => "retried",
            Self::Returned => "returned to novos",
        }
    }

    /// What the history says of it beside the two states; empty where they say it all.
    pub fn note(&self) -> String {
        match self {
            Self::Fetched { local_path, .. } | Self::Filed { local_path: Some(local_path) } => local_path.clone(),
            Self::FiledBefore { verdict, local_path, .. } => {
                let at = local_path.as_deref().unwrap_or("on Drive only");
                format!("{} already, before the ledger was restored: {at}", Outcome::from(*verdict))
            }
            Self::Filed { local_path: None } => "on Drive only: there is no copy on the VM".into(),
            Self::Judged { verdict, reason, note, .. } => {
                let said = [reason.as_deref().map(|r| format!(": {r}")), note.as_deref().map(|n| format!("; {n}"))];
                format!("{}{}", Outcome::from(*verdict), said.into_iter().flatten().collect::<String>())
            }
            Self::Withdrawn { reason, .. } => reason.clone(),
            Self::Reported { note } => note.clone(),
            Self::Wait { until, reason, .. } | Self::Interrupted { until, reason } => format!("waits until {}: {reason}", rfc3339(*until)),
            Self::Asked { by } => format!("waits no longer: {by}"),
            Self::Missed { until, reason } => format!("{reason}; looked for again at {}", rfc3339(*until)),
            Self::Refetch { reason } => format!("to be fetched again: {reason}"),
            Self::Retry => "tried again by request".into(),
            Self::Returned => "back in novos".into(),
        }
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
