//! What the backend is told: an event has one id for ever, however often it is sent.

use std::fmt;

use super::clock::Millis;
use super::technician::UserId;

/// The stable id of an event: the `webhook-id` of every delivery of it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct EventId(String);

impl EventId {
    /// The id made of a unique part.
    pub fn new(unique: &uuid::Uuid) -> Self {
        Self(format!("evt_{}", unique.simple()))
    }

    /// An id as stored, or as somebody typed it; whether there is such an event is another question.
    pub fn stored(id: impl Into<String>) -> Self {
        Self(id.into())
    }

    /// The id as sent.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for EventId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Which of the backend's two doors an event goes to (CONTRACT 3.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum EventKind {
    /// A technician's folders were made, shared, or could not be.
    Folders,
    /// Files were handled.
    Process,
}

impl EventKind {
    /// The stored word; also the last part of the backend's address. Stable for ever.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Folders => "folders",
            Self::Process => "process",
        }
    }

    /// The kind of a stored word.
    pub fn parse(word: &str) -> Option<Self> {
        [Self::Folders, Self::Process].into_iter().find(|k| k.as_str() == word)
    }
}

/// An event about to be recorded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewEvent {
    /// Which door.
    pub kind: EventKind,
    /// About whom.
    pub user: UserId,
    /// The backend's task, as in the payload.
    pub job_id: String,
    /// Where it goes.
    pub url: String,
    /// Whether a caller named that address for this event alone; otherwise it follows the configured backend.
    pub by_caller: bool,
    /// The JSON body, byte for byte as it is sent and signed.
    pub payload: String,
}

/// An event as recorded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// Its id.
    pub id: EventId,
    /// Order of making: a later event has a higher number.
    pub seq: i64,
    /// The file it reports, where it reports one.
    pub item_id: Option<String>,
    /// What is told, and to whom.
    pub event: NewEvent,
    /// When it became true.
    pub created_at: Millis,
    /// Deliveries tried since it was made or last revived: where it is in the schedule.
    pub attempts: u32,
    /// Deliveries tried before it was last revived.
    pub earlier_attempts: u32,
    /// Not to be sent before.
    pub next_attempt_at: Millis,
    /// When the backend took it.
    pub delivered_at: Option<Millis>,
    /// When we gave up.
    pub dead_at: Option<Millis>,
    /// What the last try met.
    pub last_error: Option<String>,
}

impl Event {
    /// How often it was sent in all.
    pub fn tries(&self) -> u32 {
        self.earlier_attempts.saturating_add(self.attempts)
    }
}
