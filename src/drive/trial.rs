//! What only `doctor` asks: a new token, what it may do, and what time it is on Drive's side.

use google_drive3::api::Scope;

use super::Drive;
use super::call::Cost;
use super::error::DriveError;
use crate::domain::clock::Millis;

impl Drive {
    /// Gets a token from its source, whatever is kept: one that is kept outlives a revoked key by an hour.
    pub async fn try_token(&self) -> Result<(), DriveError> {
        self.door.new_token().await
    }

    /// Whether the token has the whole `drive` scope. Drive does not say what a token may do, but these two calls together
    /// are allowed by no other one: the first refuses `drive.file`, the second what only reads (6.6).
    pub async fn try_scope(&self) -> Result<(), DriveError> {
        self.door
            .hub("list the shared drives", Cost::Read, |hub, mut tap| async move {
                let call = hub.drives().list().page_size(1).param("fields", "drives(id)").add_scope(Scope::Full);
                Ok(call.delegate(&mut tap).doit().await?.1)
            })
            .await?;
        self.generate_ids(1).await?;
        Ok(())
    }

    /// The time on Drive's side, to the second; `None` where the answer does not say. Needs no token, which a clock that is
    /// wrong would not get (7.5).
    pub async fn their_time(&self) -> Result<Option<Millis>, DriveError> {
        let what = "ask for the time";
        self.raw.date().await.map_err(|error| self.door.named(what, error))
    }
}
