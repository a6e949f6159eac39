//! What the HTTP API has promised to do: accepted before the caller hears so, ended once.

use serde::{Deserialize, Serialize};

use super::Ledger;
use super::item_row::small;
use crate::domain::clock::Millis;
use crate::domain::event::NewEvent;
use crate::domain::technician::UserId;
use crate::error::Failure;

/// `SELECT` of whole jobs, with what follows `FROM jobs`.
macro_rules! select_jobs {
    ($rest:literal) => {
        concat!(
            "SELECT job_id, kind, user_id, request, callback_url, state, attempts, next_attempt_at, result, accepted_at, changed_at ",
            "FROM jobs ",
            $rest
        )
    };
}

/// What is to be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum JobKind {
    /// A technician's folders.
    Create,
    /// What lies in a `novos`.
    Process,
}

impl JobKind {
    /// The stored word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Process => "process",
        }
    }
}

/// Where a job stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum JobState {
    /// To be begun, or begun again.
    Accepted,
    /// Under way; after a crash, to be begun again.
    Running,
    /// Ended well.
    Success,
    /// Ended badly.
    Error,
}

impl JobState {
    /// The stored word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Accepted => "accepted",
            Self::Running => "running",
            Self::Success => "success",
            Self::Error => "error",
        }
    }

    /// Whether nothing more happens.
    pub fn has_ended(self) -> bool {
        matches!(self, Self::Success | Self::Error)
    }
}

/// A job about to be accepted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewJob {
    /// Its id, never used before.
    pub id: String,
    /// What is to be done.
    pub kind: JobKind,
    /// For whom.
    pub user: UserId,
    /// The request, checked, as JSON.
    pub request: String,
    /// Where its callbacks go instead of the configured address.
    pub callback_url: Option<String>,
}

/// A job as recorded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JobRow {
    /// What was accepted.
    pub job: NewJob,
    /// Where it stands.
    pub state: JobState,
    /// How often it was begun.
    pub attempts: u32,
    /// Not to be begun before.
    pub next_attempt_at: Millis,
    /// How it ended, as JSON.
    pub result: Option<String>,
    /// When it was accepted.
    pub accepted_at: Millis,
    /// When its state last changed.
    pub changed_at: Millis,
}

#[derive(sqlx::FromRow)]
struct Row {
    job_id: String,
    kind: String,
    user_id: String,
    request: String,
    callback_url: Option<String>,
    state: String,
    attempts: i64,
    next_attempt_at: Millis,
    result: Option<String>,
    accepted_at: Millis,
    changed_at: Millis,
}

impl Ledger {
    /// Records a job that is to be done; `false` where `most` are waiting already.
    pub async fn accept_job(&self, job: &NewJob, most: u32, now: Millis) -> Result<bool, Failure> {
        let mut tx = self.write().await?;
        let done = sqlx::query(
            "INSERT INTO jobs (job_id, seq, kind, user_id, request, callback_url, state, attempts, next_attempt_at, accepted_at, changed_at)
             SELECT $1, COALESCE(MAX(seq), 0) + 1, $2, $3, $4, $5, 'accepted', 0, $6, $6, $6 FROM jobs
             HAVING (SELECT COUNT(*) FROM jobs WHERE state IN ('accepted', 'running')) < $7",
        )
        .bind(&job.id)
        .bind(job.kind.as_str())
        .bind(job.user.as_str())
        .bind(&job.request)
        .bind(&job.callback_url)
        .bind(now)
        .bind(i64::from(most))
        .execute(&mut *tx)
        .await
        .map_err(|e| self.failed(e))?;
        self.commit(tx).await?;
        Ok(done.rows_affected() == 1)
    }

    /// Begins the oldest job of a kind that is due. `None` where there is none.
    pub async fn begin_job(&self, kind: JobKind, now: Millis) -> Result<Option<JobRow>, Failure> {
        // No wait is longer than ten minutes: a later time was written by a clock that was wrong, and holds nothing back.
        let row: Option<Row> = sqlx::query_as(select_jobs!(
            "WHERE state = 'accepted' AND kind = $1 AND (next_attempt_at <= $2 OR next_attempt_at > $2 + 600000) ORDER BY seq LIMIT 1"
        ))
        .bind(kind.as_str())
        .bind(now)
        .fetch_optional(&self.pool)
        .await
        .map_err(|e| self.failed(e))?;
        let Some(row) = row else { return Ok(None) };
        let mut job = self.job_of(row)?;
        let mut tx = self.write().await?;
        let begun = sqlx::query(
            "UPDATE jobs SET state = 'running', attempts = attempts + 1, changed_at = $2 WHERE job_id = $1 AND state = 'accepted'",
        )
        .bind(&job.job.id)
        .bind(now)
        .execute(&mut *tx)
        .await
        .map_err(|e| self.failed(e))?;
        self.commit(tx).await?;
        if begun.rows_affected() == 0 {
            return Ok(None);
        }
        job.state = JobState::Running;
        job.attempts += 1;
        Ok(Some(job))
    }

    /// Ends a job, once: with it appears the event that tells of it. `false` where it had ended already.
    pub async fn end_job(&self, id: &str, state: JobState, result: &str, event: Option<&NewEvent>, now: Millis) -> Result<bool, Failure> {
        let mut tx = self.write().await?;
        let done =
            sqlx::query("UPDATE jobs SET state = $2, result = $3, changed_at = $4 WHERE job_id = $1 AND state IN ('accepted', 'running')")
                .bind(id)
                .bind(state.as_str())
                .bind(result)
                .bind(now)
                .execute(&mut *tx)
                .await
                .map_err(|e| self.failed(e))?;
        let ended = done.rows_affected() == 1;
        if let Some(event) = event.filter(|_| ended) {
            self.insert_event(&mut tx, event, now).await?;
        }
        self.commit(tx).await?;
        Ok(ended)
    }

    /// Puts a job that is under way back, to be begun again at `at`. `counted`: as the try that it was; otherwise as if it
    /// had not been begun.
    pub async fn put_job_back(&self, id: &str, at: Millis, counted: bool, now: Millis) -> Result<(), Failure> {
        let mut tx = self.write().await?;
        sqlx::query(
            "UPDATE jobs SET state = 'accepted', next_attempt_at = $2, changed_at = $3, attempts = attempts - $4
             WHERE job_id = $1 AND state = 'running'",
        )
        .bind(id)
        .bind(at)
        .bind(now)
        .bind(i64::from(!counted))
        .execute(&mut *tx)
        .await
        .map_err(|e| self.failed(e))?;
        self.commit(tx).await
    }

    /// Puts back every job that was under way when its process died. How many; only for whoever holds the lock of the jobs.
    pub async fn put_jobs_back(&self, now: Millis) -> Result<u64, Failure> {
        let mut tx = self.write().await?;
        let done = sqlx::query("UPDATE jobs SET state = 'accepted', next_attempt_at = $1, changed_at = $1 WHERE state = 'running'")
            .bind(now)
            .execute(&mut *tx)
            .await
            .map_err(|e| self.failed(e))?;
        self.commit(tx).await?;
        Ok(done.rows_affected())
    }

    /// Forgets the jobs that ended before a time; how many. What the backend is told of them stays until it was told.
    pub async fn forget_jobs(&self, ended_before: Millis) -> Result<u64, Failure> {
        let mut tx = self.write().await?;
        let done = sqlx::query("DELETE FROM jobs WHERE state IN ('success', 'error') AND changed_at < $1")
            .bind(ended_before)
            .execute(&mut *tx)
            .await
            .map_err(|e| self.failed(e))?;
        self.commit(tx).await?;
        Ok(done.rows_affected())
    }

    /// One job.
    pub async fn job(&self, id: &str) -> Result<Option<JobRow>, Failure> {
        let row: Option<Row> =
            sqlx::query_as(select_jobs!("WHERE job_id = $1")).bind(id).fetch_optional(&self.pool).await.map_err(|e| self.failed(e))?;
        row.map(|r| self.job_of(r)).transpose()
    }

    /// The payloads of the events that answer a task of the backend's, oldest first.
    pub async fn payloads_of_job(&self, job_id: &str) -> Result<Vec<String>, Failure> {
        sqlx::query_scalar("SELECT payload FROM events WHERE job_id = $1 ORDER BY seq")
            .bind(job_id)
            .fetch_all(&self.pool)
            .await
            .map_err(|e| self.failed(e))
    }

    fn job_of(&self, row: Row) -> Result<JobRow, Failure> {
        let kinds = [JobKind::Create, JobKind::Process];
        let states = [JobState::Accepted, JobState::Running, JobState::Success, JobState::Error];
        Ok(JobRow {
            job: NewJob {
                id: row.job_id,
                kind: kinds.into_iter().find(|k| k.as_str() == row.kind).ok_or_else(|| self.unreadable("job kind", &row.kind))?,
                user: self.user_of(&row.user_id)?,
                request: row.request,
                callback_url: row.callback_url,
            },
            state: states.into_iter().find(|s| s.as_str() == row.state).ok_or_else(|| self.unreadable("job state", &row.state))?,
            attempts: small(row.attempts),
            next_attempt_at: row.next_attempt_at,
            result: row.result,
            accepted_at: row.accepted_at,
            changed_at: row.changed_at,
        })
    }
}
