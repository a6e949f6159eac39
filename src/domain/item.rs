//! One version of one file that reached a `novos`, and the only ways it can go from there.
//!
//! ```text
//! found ──> fetched ──> judged ──> filed ─────> reported
//!   └────────────────────^  any of the first three ──> withdrawn ──> reported
//! ```
//! Waiting is not a state of its own: an item waits *in* its state until `next_attempt_at`.

mod transition;

use sha2::{Digest, Sha256};

use super::clock::Millis;
use super::technician::UserId;
use super::text::quoted;

pub use transition::{Act, Illegal, Outcome, Standing, State, Verdict};

/// What makes two sightings the same item: the file and the version of its content.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ItemKey {
    /// Drive's id of the file.
    pub file_id: String,
    /// `headRevisionId`, else the md5, else what the caller takes for one.
    pub version: String,
}

impl ItemKey {
    /// The item's id: the same for the same key for ever, even in a ledger that was rebuilt, so that the
    /// processor can tell a second run from a second file (`TECNICO_ITEM_ID`).
    pub fn item_id(&self) -> String {
        let hash = Sha256::new().chain_update(&self.file_id).chain_update([0]).chain_update(&self.version).finalize();
        hash.iter().take(16).fold(String::from("item_"), |id, byte| format!("{id}{byte:02x}"))
    }
}

/// What was seen of a file in a `novos`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sighted {
    /// Whose `novos`.
    pub user: UserId,
    /// Which file, which version.
    pub key: ItemKey,
    /// Its name on Drive: data from outside, never a path.
    pub name: String,
    /// Drive's media type.
    pub mime_type: String,
    /// Bytes; Google's own formats have none.
    pub size: Option<u64>,
    /// Drive's checksum; Google's own formats have none.
    pub md5: Option<String>,
    /// The Drive folder it lies in.
    pub parent_id: String,
    /// That folder below `novos`, `/`-separated; empty for `novos` itself.
    pub below: String,
    /// Not to be touched before (it may still be written).
    pub not_before: Millis,
}

/// A name from outside as people are shown it: nothing in it acts on a terminal, and blanks that matter can be seen.
pub fn shown(name: &str) -> String {
    let blank = name.is_empty() || name.starts_with(char::is_whitespace) || name.ends_with(char::is_whitespace) || name.contains("  ");
    if blank { super::text::quoted(name) } else { super::text::visible(name).into_owned() }
}

/// The backend's task in whose run an item had to wait.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AskedFor {
    /// Its id, as the backend gave it.
    pub job_id: String,
    /// Where its callbacks go instead of the configured address.
    pub url: Option<String>,
}

/// An item as recorded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    /// [`ItemKey::item_id`].
    pub id: String,
    /// Order of arrival: a later item has a higher number.
    pub seq: i64,
    /// What was seen, as last seen.
    pub sighted: Sighted,
    /// How far, and which way.
    pub standing: Standing,
    /// Which try at a verdict this is, from 1 (`TECNICO_ATTEMPT`).
    pub attempt: u32,
    /// How often it has waited in this state without a step forward; for growing waits.
    pub waits: u32,
    /// How often a signal ended the processor since there was a verdict; other waits do not count.
    pub interruptions: u32,
    /// Not before.
    pub next_attempt_at: Millis,
    /// Why it was refused, taken back, or waits.
    pub reason: Option<String>,
    /// The code of the failure of ours that it waits for; none where the processor asked for it.
    pub setback: Option<String>,
    /// Where the local copy was last known to be, below the technician's folder. Kept over a retry.
    pub local_path: Option<String>,
    /// When that copy got its name in `novos`, by its file system's clock: what is older was there before.
    pub copied_at: Option<Millis>,
    /// The processor's own JSON for the backend.
    pub data: Option<String>,
    /// The event that reports the present outcome.
    pub event_id: Option<String>,
    /// When it was first seen.
    pub found_at: Millis,
    /// When it last took a step.
    pub changed_at: Millis,
    /// When a look first did not find its file, where no look has found it since.
    pub missing_since: Option<Millis>,
    /// Under which task its end is to be told.
    pub asked_for: Option<AskedFor>,
    /// What its file is called on Drive by now, where it was renamed after it was judged.
    pub renamed_to: Option<String>,
}

impl Item {
    /// A newly seen one.
    pub fn new(sighted: Sighted, seq: i64, now: Millis) -> Self {
        Self {
            id: sighted.key.item_id(),
            seq,
            next_attempt_at: sighted.not_before,
            sighted,
            standing: Standing::START,
            attempt: 1,
            waits: 0,
            interruptions: 0,
            reason: None,
            setback: None,
            local_path: None,
            copied_at: None,
            data: None,
            event_id: None,
            found_at: now,
            changed_at: now,
            missing_since: None,
            asked_for: None,
            renamed_to: None,
        }
    }

    /// Takes a step, or says why it cannot be taken and changes nothing.
    pub fn apply(&mut self, act: &Act, now: Millis) -> Result<(), Illegal> {
        let before = self.standing;
        self.standing = before.after(act)?;
        self.changed_at = now;
        match act {
            Act::Wait { until, reason, setback } => {
                self.wait(before.state, *until, reason);
                self.setback = setback.map(str::to_owned);
                return Ok(());
            }
            Act::Interrupted { until, reason } => {
                self.wait(before.state, *until, reason);
                (self.setback, self.interruptions) = (None, self.interruptions.saturating_add(1));
                return Ok(());
            }
            Act::Missed { until, reason } => {
                // A time to come was written by a clock that was wrong.
                self.missing_since = Some(self.missing_since.filter(|at| *at <= now).unwrap_or(now));
                self.next_attempt_at = *until;
                (self.reason, self.setback) = (Some(reason.clone()), None);
                return Ok(());
            }
            Act::Asked { .. } => {
                (self.next_attempt_at, self.waits) = (now, 0);
                return Ok(());
            }
            Act::Fetched { local_path, copied_at } => {
                (self.local_path, self.copied_at) = (Some(local_path.clone()), Some(*copied_at));
                self.reason = None;
            }
            Act::Judged { reason, data, local_path, .. } => {
                (self.reason, self.data, self.interruptions) = (reason.clone(), data.clone(), 0);
                self.local_path = local_path.clone().or(self.local_path.take());
            }
            Act::Filed { local_path } => self.local_path.clone_from(local_path),
            Act::FiledBefore { reason, local_path, .. } => {
                self.data = self.data.take().filter(|_| before.outcome == self.standing.outcome);
                self.reason.clone_from(reason);
                self.local_path.clone_from(local_path);
            }
            Act::Withdrawn { reason, local_path } => {
                self.reason = Some(reason.clone());
                self.local_path.clone_from(local_path);
            }
            Act::Refetch { reason } => self.reason = Some(reason.clone()),
            Act::Reported { .. } => {}
            Act::Retry | Act::Returned => {
                self.attempt = self.attempt.saturating_add(1);
                (self.reason, self.data, self.event_id) = (None, None, None);
                (self.asked_for, self.renamed_to) = (None, None);
            }
        }
        self.waits = 0;
        self.next_attempt_at = now;
        (self.missing_since, self.setback) = (None, None);
        Ok(())
    }

    fn wait(&mut self, state: State, until: Millis, reason: &str) {
        self.next_attempt_at = until;
        self.reason = Some(reason.to_owned());
        self.waits = self.waits.saturating_add(1);
        // Waiting with the content at hand means the processor was asked and has not decided.
        self.attempt = self.attempt.saturating_add(u32::from(state == State::Fetched));
    }

    /// Takes note of a new sighting of the same version. Says what changed, where something did.
    pub fn see_again(&mut self, seen: &Sighted) -> Option<String> {
        let was_missing = self.missing_since.take().is_some();
        let known = &mut self.sighted;
        // A version has one content: what was read of it before was read wrongly, or too early. Until it is fetched that can
        // be put right; afterwards the content itself has been held against it.
        let corrected = self.standing.state == State::Found && seen.md5.is_some() && (known.size, &known.md5) != (seen.size, &seen.md5);
        if corrected {
            (known.size, known.md5) = (seen.size, seen.md5.clone());
        }
        let note = if known.name != seen.name {
            format!("renamed from {} to {}", quoted(&known.name), quoted(&seen.name))
        } else if known.parent_id != seen.parent_id || known.below != seen.below {
            format!("moved inside novos, from {} to {}", quoted(&known.below), quoted(&seen.below))
        } else if was_missing {
            "seen on Drive again".to_owned()
        } else if corrected {
            "its size or checksum is another than was read before".to_owned()
        } else {
            return None;
        };
        (known.name, known.parent_id, known.below) = (seen.name.clone(), seen.parent_id.clone(), seen.below.clone());
        Some(note)
    }

    /// Whether it was put off, rather than left alone until it has settled or is looked for again.
    pub fn is_put_off(&self, now: Millis) -> bool {
        self.is_open() && self.waits > 0 && self.next_attempt_at > now
    }

    /// Whether the agent still has something to do with the file itself.
    pub fn is_open(&self) -> bool {
        self.standing.state.is_open()
    }
}

#[cfg(test)]
mod tests;
